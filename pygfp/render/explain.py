# SPDX-License-Identifier: GPL-2.0-only
"""
An explanation: for people, with a picture of what happens to each flag, and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..explain import joint_rows
from ..explaining.cubes import phrase
from ..model.policy import Fate
from ..model.reclaim import reclaim_context
from ..spell import spell
from . import json as common
from .decode import heading, span
from .encode import value_json
from .style import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Assignment
    from ..decoding.tables import Tables
    from ..encode import Encoded, Value
    from ..explain import Explanation, Treatment
    from .style import Style

_INDENT = 12
#: What the picture shows of a flag: there before, there after.
_PICTURE = {Fate.KEEP: "o-----o", Fate.DROP: "o--x   ", Fate.FORCE: "    +-o"}
_NO_FLAG = "no flag"
_DONE = {Fate.KEEP: "kept", Fate.DROP: "dropped", Fate.FORCE: "forced"}
_COLOURS = {Fate.KEEP: "pass", Fate.DROP: "absent", Fate.FORCE: "error"}


def text(explanation: Explanation, tables: Tables, style: Style) -> str:
    """Return *explanation* as text."""
    lines = [] if style.quiet else [heading("explain", tables), ""]
    lines += _title(explanation)
    if explanation.kind == "helper":
        lines += _helper(explanation, style)
    else:
        lines += _name(explanation)
    if not style.quiet:
        lines += _eras(explanation)
        lines += folded(f"note: {note}" for note in explanation.notes)
    return "\n".join(lines) + "\n"


def _title(explanation: Explanation) -> Iterable[str]:
    call = "()" if explanation.kind == "helper" else ""
    place = f"  {explanation.place[0]}:{explanation.place[1]}" if explanation.place else ""
    yield f"{explanation.subject}{call}{place}"
    yield from folded([f"  {explanation.summary or 'pygfp has no description of it'}"], "  ")


def _row(head: str, body: str) -> Iterable[str]:
    first, *rest = folded([f"{'':{_INDENT}}{body}"], " " * _INDENT)
    yield f"  {head:<{_INDENT - 2}}{first[_INDENT:]}"
    yield from rest


def _where(configs: Sequence[Assignment], every: Sequence[Assignment]) -> str:
    words = phrase(list(configs), list(every))
    return f"  ({words})" if words else ""


def _values(head: str, encoded: Encoded, *, contextual: bool = True) -> Iterable[str]:
    """A value in each configuration, and what an allocation with it may do where it is meant for one."""
    contexts: dict[str, list[Assignment]] = {}
    for value in encoded.values:
        yield from _row(head, f"{_shown(value)}{_where(value.configs, encoded.every)}")
        head = ""
        if value.answer.is_mask and not value.answer.bug and contextual:
            contexts.setdefault("; ".join(reclaim_context(value.flags).words()), []).extend(value.configs)
    for words, configs in contexts.items():
        yield from _row("", words + _where(configs, encoded.every))


def _shown(value: Value) -> str:
    answer = value.answer
    if answer.bug:
        return "BUG fires"
    number = f"{answer.value:#x}" if answer.is_mask and answer.value is not None else answer.value
    said = " ".join(str(part) for part in (number, value.names) if part not in {None, ""})
    return f"{said} and WARN fires" if answer.warned else said


# A flag or a composite.


def _name(explanation: Explanation) -> Iterable[str]:
    if explanation.value is None:
        yield from _row("value", "this kernel does not have it")
    elif explanation.kind == "composite":
        yield from _values("value", explanation.value, contextual=not explanation.subject.endswith("MASK"))
    else:
        head = "value"
        for value in explanation.value.values:
            shown = f"{value.answer.value:#x}"
            bit = f" bit {value.answer.value.bit_length() - 1}" if value.answer.value else " it is off"
            yield from _row(head, f"{shown}{bit}{_where(value.configs, explanation.value.every)}")
            head = ""
    if explanation.fate:
        does = {"keep": "kept", "drop": "dropped", "force": "forced"}[explanation.fate[0]]
        yield from _row("nested", f"{does} in a nested allocation: {explanation.fate[1]}")
    if explanation.parts:
        yield "  flags" if explanation.kind == "composite" else "  is part of"
        width = max(len(_bare(name)) for name, _ in explanation.parts)
        for name, meaning in explanation.parts:
            yield from folded([f"    {_bare(name):<{width}}  {meaning}".rstrip()], " " * (width + 6))
    yield from _contained(explanation)


def _bare(name: str) -> str:
    return name.removeprefix("__GFP_")


def _contained(explanation: Explanation) -> Iterable[str]:
    """Whether a mask has what is explained."""
    mask, value = explanation.before, explanation.value
    if mask is None:
        return
    yield from _values("mask", mask)
    if value is None:
        return
    head = "has it"
    for one in value.values:
        for other in mask.values:
            common_configs = [c for c in one.configs if c in other.configs]
            wanted, found = one.answer.value or 0, other.answer.value or 0
            if not common_configs:
                continue
            lacking = [f for f in one.flags if f not in other.flags]
            extra = [f for f in other.flags if f not in one.flags]
            said = "yes" if wanted and found & wanted == wanted else "no" if wanted else "no: it is off"
            parts = [said, f"lacks {' '.join(map(_bare, lacking))}" if lacking else ""]
            parts += [f"besides {' '.join(map(_bare, extra))}" if extra else ""]
            yield from _row(head, ", ".join(filter(None, parts)) + _where(common_configs, value.every))
            head = ""


# A helper.


def _helper(explanation: Explanation, style: Style) -> Iterable[str]:
    yield from _row("proof", explanation.proof)
    if explanation.treatments:
        yield ""
        yield from _picture(explanation, style)
    else:
        yield from _answers(explanation)
    if explanation.before and explanation.after:
        yield ""
        yield from _values("before", explanation.before)
        yield from _values("after", explanation.after)
    if explanation.not_promised and not style.quiet:
        yield "  not promised"
        yield from folded((f"    - {what}" for what in explanation.not_promised), "      ")


def _answers(explanation: Explanation) -> Iterable[str]:
    joint = joint_rows(explanation.meanings)
    for meaning in explanation.meanings[:1] if joint else explanation.meanings:
        where = "" if joint else _where(meaning.configs, explanation.every)
        yield from _row("answer", meaning.words() + where)
        rows = joint or [(flags, [(answer, ())]) for flags, answer in meaning.rows()]
        width = max((len(_flags(flags)) for flags, _ in rows), default=0)
        for flags, answers in rows:
            said = [
                f"{answer} {phrase(configs, explanation.every)}".rstrip() if len(answers) > 1 else answer
                for answer, configs in answers
            ]
            head = f"{'':{_INDENT}}{_flags(flags):<{width}}  "
            yield from folded([head + "; ".join(said)], " " * len(head))


def _flags(names: Sequence[str]) -> str:
    return " ".join(map(_bare, names)) or "none of these"


def _picture(explanation: Explanation, style: Style) -> Iterable[str]:
    """Flags as rows, before and after; those that stay first. With a mask only what it has or gets."""
    shown = [t for t in explanation.treatments if _is_touched(t, explanation.before)]
    reasons = list(dict.fromkeys(t.reason for t in shown))
    fates = list(Fate)
    shown.sort(key=lambda t: (fates.index(t.fate), reasons.index(t.reason)))
    width = max((len(_bare(t.flag)) for t in shown), default=len(_NO_FLAG))
    yield f"  {'':<{width}}  before after"
    said = ""
    for treatment in shown:
        yield from _treatment(treatment, explanation, width, style, ditto=bool(said) and said == treatment.reason)
        said = treatment.reason
    if _drops_the_rest(explanation):
        below = f": every bit without a flag, below bit {explanation.proven_bits}" if explanation.proven_bits else ""
        dropped = style.status(_COLOURS[Fate.DROP], _DONE[Fate.DROP])
        yield f"  {_NO_FLAG:<{width}}   {_PICTURE[Fate.DROP]}   {dropped}{below}"


def _treatment(
    treatment: Treatment, explanation: Explanation, width: int, style: Style, *, ditto: bool
) -> Iterable[str]:
    there = [c for _, configs in treatment.fates for c in configs]
    does = ", ".join(
        f"{style.status(_COLOURS[fate], _DONE[fate])}{_where(configs, there)}" for fate, configs in treatment.fates
    )
    if treatment.differs and treatment.expected:
        does += f"; {style.status('fail', f'the policy wants it {_DONE[treatment.expected]}')}"
    reason = "" if ditto or not treatment.reason else f": {treatment.reason}"
    picture = _PICTURE[treatment.fate]
    if treatment.fate is Fate.FORCE and explanation.before and _has(explanation.before, treatment.flag):
        picture = _PICTURE[Fate.KEEP]
    head = f"  {_bare(treatment.flag):<{width}}   {picture}   "
    yield from folded([f"{head}{does}{_where(there, explanation.every)}{reason}"], " " * len(head))


def _is_touched(treatment: Treatment, mask: Encoded | None) -> bool:
    forced = any(fate is Fate.FORCE for fate, _ in treatment.fates)
    return mask is None or forced or _has(mask, treatment.flag)


def _has(mask: Encoded, flag: str) -> bool:
    return any(flag in value.flags for value in mask.values)


def _drops_the_rest(explanation: Explanation) -> bool:
    """Whether bits without a flag go; the picture of a mask shows it where the mask has some."""
    if explanation.before and not any(v.unknown for v in explanation.before.values):
        return False
    return all(not m.form.keep & m.table.no_flag for m in explanation.meanings if m.form and hasattr(m.form, "keep"))


def _eras(explanation: Explanation) -> Iterable[str]:
    eras = [era for era in explanation.eras if era.text]
    if not eras:
        return
    yield "  through the releases that pygfp knows"
    width = max(len(span(era.releases)) for era in explanation.eras)
    for era in explanation.eras:
        head = f"    {span(era.releases):<{width}}  "
        yield from folded([f"{head}{era.text or 'not there'}"], " " * len(head))


# JSON.


def json(explanation: Explanation, tables: Tables) -> str:
    """Return *explanation* as a JSON object with a newline at the end."""
    place = explanation.place
    return common.dump(
        {
            "schema": "pygfp.explain/1",
            "source": common.source(tables.info),
            "exit": 0,
            "subject": explanation.subject,
            "kind": explanation.kind,
            "summary": explanation.summary or None,
            "file": place[0] if place else None,
            "line": place[1] if place else None,
            "values": _values_json(explanation.value),
            "proof": explanation.proof or None,
            "meanings": [
                {
                    "form": spell(m.form, m.table),
                    "text": m.words(),
                    "rows": [{"flags": flags, "answer": answer} for flags, answer in m.rows()],
                    "configs": list(m.configs),
                }
                for m in explanation.meanings
            ],
            "flags": [_treatment_json(t) for t in explanation.treatments],
            "before": _values_json(explanation.before),
            "after": _values_json(explanation.after),
            "parts": [{"name": name, "meaning": meaning or None} for name, meaning in explanation.parts],
            "nested": {"fate": explanation.fate[0], "reason": explanation.fate[1]} if explanation.fate else None,
            "releases": [{"releases": list(e.releases), "text": e.text or None} for e in explanation.eras],
            "not_promised": list(explanation.not_promised),
            "notes": list(explanation.notes),
        }
    )


def _treatment_json(treatment: Treatment) -> dict[str, Any]:
    return {
        "flag": treatment.flag,
        "fates": [{"fate": fate.value, "configs": list(configs)} for fate, configs in treatment.fates],
        "expected": treatment.expected.value if treatment.expected else None,
        "reason": treatment.reason or None,
    }


def _values_json(encoded: Encoded | None) -> list[dict[str, Any]] | None:
    if encoded is None:
        return None
    return [{**value_json(v), "context": _context(v)} for v in encoded.values]


def _context(value: Value) -> list[str] | None:
    is_mask = value.answer.is_mask and value.answer.value is not None
    return reclaim_context(value.flags).words() if is_mask else None
