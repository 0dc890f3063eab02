# SPDX-License-Identifier: GPL-2.0-only
"""
What an edit does to a helper as a whole: is it there, where, with which signature, in which configurations.

What it does to the values is decided in :mod:`.values`, for the helpers that both sides have.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..changes import Change, Problem
from ..spell import describe_form
from .matching import when
from .sides import home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import Assignment
    from ..native.plan import HelperPlan
    from .found import Found
    from .proofs import Key, Proof
    from .sides import Side, Sides

_MASK = re.compile(r"_*GFP_")


class State(NamedTuple):
    """Whether a side has a helper: ``ok``, ``absent``, ``broken``, ``outside`` (of more than one mask); and why."""

    name: str
    why: str = ""


def state(side: Side, name: str) -> State:
    """Return whether *side* has helper *name* in a shape that can be compared."""
    plan = side.plans.get(name)
    broken = side.session.build.broken.get(name)
    if broken or (plan and plan.error):
        return State("broken", broken or plan.error if plan else broken or "")
    if plan is None:
        return State("absent")
    return State("outside", plan.unswept) if plan.unswept else State("ok")


def names(sides: Sides, wanted: Callable[[str], bool]) -> list[str]:
    """Return the helpers of either side, those of the new one first."""
    known: dict[str, None] = {}
    for side in (sides.new, sides.old):
        known |= dict.fromkeys(side.plans)
        known |= dict.fromkeys(n for n in side.session.build.broken if not _MASK.match(n))
    return [n for n in known if wanted(n)]


def standing(sides: Sides, name: str, proofs: Mapping[Key, Proof], found: Found) -> bool:
    """
    Add what changes about helper *name* as a whole to *found*.

    :param proofs: what is known of the helpers of the new side
    :return: whether its values can be compared
    """
    old, new = state(sides.old, name), state(sides.new, name)
    judge = _STANDINGS.get((old.name, new.name))
    if judge is None:
        return _both(sides, name, found)
    result = judge(sides, name, old, new)
    if isinstance(result, Change):
        if result.change == "added":
            result = _with_form(sides.new, result, proofs)
        found.changes.append(result)
        found.compared.append(name)
    elif isinstance(result, Problem):
        found.problems.append(result)
    elif result:
        found.notes.append(result)
    return False


def _place(side: Side, name: str) -> tuple[str | None, int | None]:
    plan = side.plans.get(name)
    return (plan.path, plan.line) if plan else (None, None)


def _removed(sides: Sides, name: str, _: State, __: State) -> Change | str:
    path, line = _place(sides.old, name)
    if path and not sides.new.has_file_of(name, path):
        return f"{name}() is not compared: {sides.new.label} lacks the file that it would be in"
    return Change(name, "helper", "removed", f"removed; {sides.old.label} has it in {path}", file=path, line=line)


def _added(sides: Sides, name: str, _: State, __: State) -> Change | str:
    path, line = _place(sides.new, name)
    if path and not sides.old.has_file_of(name, path):
        return f"{name}() is not compared: {sides.old.label} lacks the file that it would be in"
    return Change(name, "helper", "added", "added", file=path, line=line)


def _with_form(side: Side, change: Change, proofs: Mapping[Key, Proof]) -> Change:
    """*change* with what the new helper was proven to be, in the configuration with the most flags."""
    tables = {s.index: side.table_of(s) for s in side.session.build.segments}
    known = [(tables[key.segment], proof.form) for key, proof in proofs.items() if key.name == change.subject]
    proven = [(table, form) for table, form in known if form]
    if not proven:
        return change
    table, form = max(proven, key=lambda one: len(one[0].flags))
    return replace(change, text=f"added: {describe_form(form, table)}")


def _breaks(sides: Sides, name: str, _: State, new: State) -> Change:
    path, line = _place(sides.new, name)
    text = f"cannot be compiled any more: {new.why}"
    return Change(name, "helper", "broken", text, file=path, line=line)


def _mends(_: Sides, name: str, old: State, __: State) -> Problem:
    return Problem(name, f"what {name}() did before cannot be said, it does not compile on the old side: {old.why}")


def _never(_: Sides, name: str, old: State, new: State) -> Problem:
    return Problem(name, f"{name}() compiles on neither side: {new.why or old.why}")


def _signature(sides: Sides, name: str, _: State, __: State) -> Change:
    path, line = _place(sides.new, name)
    was, now = (_declared(side.plans[name]) for side in sides.both)
    return Change(name, "helper", "changed", f"signature {was} -> {now}", "signature", file=path, line=line)


def _outside(sides: Sides, name: str, _: State, new: State) -> str:
    same = sides.old.plans[name].text == sides.new.plans[name].text
    return "" if same else f"the text of {name}() differs and is not compared: it {new.why}"


def _ignored(_: Sides, __: str, ___: State, ____: State) -> str:
    """A function of several arguments that comes or goes: never compared."""
    return ""


_STANDINGS: dict[tuple[str, str], Callable[[Sides, str, State, State], Change | Problem | str]] = {
    ("ok", "absent"): _removed,
    ("absent", "ok"): _added,
    ("ok", "broken"): _breaks,
    ("outside", "broken"): _breaks,
    ("absent", "broken"): _breaks,
    ("broken", "ok"): _mends,
    ("broken", "outside"): _mends,
    ("broken", "absent"): _mends,
    ("broken", "broken"): _never,
    ("ok", "outside"): _signature,
    ("outside", "ok"): _signature,
    ("outside", "outside"): _outside,
    ("outside", "absent"): _ignored,
    ("absent", "outside"): _ignored,
}


def _declared(plan: HelperPlan) -> str:
    if plan.parameters or plan.result:
        return f"{plan.result} {plan.name}({', '.join(plan.parameters)})"
    return f"{plan.name}(), which {plan.unswept}" if plan.unswept else f"{plan.name}()"


def _both(sides: Sides, name: str, found: Found) -> bool:
    """A helper that both sides have: file, signature, configurations."""
    old, new = sides.old.plans[name], sides.new.plans[name]
    at = {"file": new.path, "line": new.line}
    if old.path != new.path:
        found.changes.append(Change(name, "helper", "moved", f"{old.path} -> {new.path}", "file", **at))  # type: ignore[arg-type]
    if (old.result, old.parameters) != (new.result, new.parameters):
        found.changes.append(_signature(sides, name, State("ok"), State("ok")))
    _guards(sides, old, new, found)
    found.compared.append(name)
    return old.is_filter == new.is_filter


def _guards(sides: Sides, old: HelperPlan, new: HelperPlan, found: Found) -> None:
    """In which configurations the helper is compiled out, and in which it does not compile."""
    choices = sides.choices([*old.symbols, *new.symbols])

    def out(plan: HelperPlan, choice: Assignment) -> bool:
        return any(c.items() <= choice.items() for c in plan.missing)

    def lost(plan: HelperPlan, choice: Assignment) -> str:
        return next((why for c, why in plan.losses if c.items() <= choice.items()), "")

    kinds = (
        ("compiled out", [c for c in choices if out(new, c) and home(old, c) is not None]),
        ("not compiled out any more", [c for c in choices if out(old, c) and home(new, c) is not None]),
    )
    where = [c for _, gone in kinds for c in gone]
    if where:
        words = "; ".join(f"{text} {when(gone, choices)}".rstrip() for text, gone in kinds if gone)
        change = Change(new.name, "config", "changed", words, "guard", where[0], tuple(where))
        found.changes.append(_placed(change, new))
    newly = [c for c in choices if lost(new, c) and not lost(old, c)]
    if newly:
        words = f"does not compile {when(newly, choices)}".rstrip() + f": {lost(new, newly[0])}"
        found.changes.append(_placed(Change(new.name, "helper", "broken", words, "build", newly[0], tuple(newly)), new))
    before = [c for c in choices if lost(old, c)]
    if before:
        words = f"{new.name}() does not compile on the old side {when(before, choices)}".rstrip()
        found.problems.append(Problem(new.name, f"{words}: {lost(old, before[0])}", new.path, new.line))


def _placed(change: Change, plan: HelperPlan) -> Change:
    return replace(change, file=plan.path, line=plan.line)
