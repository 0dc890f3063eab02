# SPDX-License-Identifier: GPL-2.0-only
"""
Meanings as baselines hold them: what becomes of which flags, whatever the order and the bits of the flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Flags, or combinations of them, by what becomes of them: ``{"keep": {"IO"}, "force": {"NOWARN"}}``.
Value = dict[str, frozenset[str]]

_SHOWN = 8


def of_form(form: Mapping[str, Any]) -> Value:
    """
    Return the meaning of a proven *form*, as reports have it.

    >>> of_form({"keep": ["__GFP_IO"], "force": []}), of_form({"flags": []})
    ({'keep': frozenset({'IO'})}, {'is': frozenset({'0'})})
    """
    if "rows" in form:
        return _table(form["rows"])
    if form.keys() == {"flags"}:
        return {"is": frozenset(_short(form["flags"])) or frozenset({"0"})}
    found = {key.replace("_", " "): frozenset(_short(names)) for key, names in form.items() if names}
    return found or {"drop": frozenset({"anything"})}


def _short(names: Iterable[str]) -> list[str]:
    return [n.removeprefix("__GFP_") for n in names]


def _table(rows: Iterable[Mapping[str, Any]]) -> Value:
    """A table by its answers, less the flags that no answer depends on."""
    answers = {frozenset(_short(row["flags"])): _answer(row) for row in rows}
    for flag in sorted(frozenset[str]().union(*answers)):
        if all(answers.get(inputs ^ {flag}) == answer for inputs, answer in answers.items()):
            answers = {inputs: answer for inputs, answer in answers.items() if flag not in inputs}
    found: dict[str, set[str]] = {}
    for inputs, answer in answers.items():
        none = "none" if len(answers) > 1 else "anything"
        found.setdefault(answer, set()).add("|".join(sorted(inputs)) or none)
    return {answer: frozenset(inputs) for answer, inputs in found.items()}


def _answer(row: Mapping[str, Any]) -> str:
    return "BUG" if row["bug"] else f"{row['value']}{' and WARN' if row['warned'] else ''}"


def words(value: Value) -> str:
    """
    Return a meaning in words.

    >>> words({"keep": frozenset({"IO", "FS"}), "force": frozenset({"NOWARN"})})
    'force NOWARN, keep FS IO'
    """
    return ", ".join(f"{verb} {' '.join(sorted(items))}".removeprefix("is ") for verb, items in sorted(value.items()))


def difference(old: Value, new: Value) -> str:
    """
    Return what becomes of which flags instead.

    >>> difference({"keep": frozenset({"IO"})}, {"keep": frozenset({"IO"}), "force": frozenset({"ZERO"})})
    'ZERO drop -> force'
    >>> difference({"is": frozenset({"IO"})}, {"is": frozenset({"FS"})})
    '- IO, + FS'
    """
    verbs = {*old, *new}
    nothing = "drop" if verbs <= {"keep", "force", "drop"} else "nothing"
    ways: dict[tuple[str, str], list[str]] = {}
    for item in sorted(frozenset[str]().union(*old.values(), *new.values())):
        was, now = (next((v for v, items in side.items() if item in items), nothing) for side in (old, new))
        if was != now:
            ways.setdefault((was, now), []).append(item)
    said = []
    for (was, now), items in sorted(ways.items()):
        some = " ".join(items[:_SHOWN]) + (f" and {len(items) - _SHOWN} more" if items[_SHOWN:] else "")
        if verbs == {"is"}:
            said.append(f"{'+' if was == nothing else '-'} {some}")
        else:
            said.append(f"{some} {was} -> {now}")
    return ", ".join(said)
