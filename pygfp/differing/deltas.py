# SPDX-License-Identifier: GPL-2.0-only
"""
How two proven forms differ, counted exactly and in flag names. Pure: no compiled code is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..forms import MaskFilter, MaskTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..forms import Form, Outcome
    from .matching import Correspondence, Numbers

#: What a helper does with one input can differ in these ways, each a change of its own.
ASPECTS = ("value", "bug", "warning")


@dataclass(frozen=True)
class Delta:
    """
    In which inputs two meanings differ.

    :ivar inputs: how many both sides have
    :ivar differing: how many of these differ
    :ivar smallest: the number of the one with the fewest bits, the lowest of these; None where none differs
    :ivar flags: what changes for each flag, or for each combination of flags
    """

    inputs: int
    differing: int
    smallest: int | None = None
    flags: dict[str, str] = field(default_factory=dict)


def compare(old: Form, new: Form, match: Correspondence, names: Numbers) -> dict[str, Delta]:
    """Return how *old* and *new* differ, by aspect; both are filters, or both are tables."""
    if isinstance(old, MaskFilter) and isinstance(new, MaskFilter):
        return {"value": compare_filters(old, new, match)}
    if isinstance(old, MaskTable) and isinstance(new, MaskTable):
        return _compare_tables(old, new, match, names)
    message = f"a filter and a table cannot be compared: {old}, {new}"
    raise TypeError(message)


def compare_filters(old: MaskFilter, new: MaskFilter, match: Correspondence) -> Delta:
    """
    Return how two filters differ.

    A filter treats each bit by itself, so the inputs that agree are counted bit by bit: dropped against kept
    agrees where the bit is not set, kept against forced where it is, dropped against forced nowhere.
    """
    flags: dict[str, str] = {}
    agreeing, at_zero, lone = 1, False, []
    for n, ((before, after), label) in enumerate(zip(match.pairs, match.labels, strict=True)):
        fates = _fate(old, before), _fate(new, after)
        if fates[0] == fates[1]:
            agreeing *= 2
            continue
        flags[label] = f"{fates[0]} -> {fates[1]}"
        agreeing *= set(fates) != {"drop", "force"}
        if "force" in fates:
            at_zero = True
        else:
            lone.append(1 << n)
    for label, change in _forced_alone(old, new, match).items():
        flags[label] = change
        agreeing, at_zero = 0, True
    total = 1 << len(match.pairs)
    smallest = 0 if at_zero else min(lone, default=None)
    return Delta(total, total - agreeing, smallest, flags)


def _fate(form: MaskFilter, bit: int) -> str:
    return "force" if form.force >> bit & 1 else "keep" if form.keep >> bit & 1 else "drop"


def _forced_alone(old: MaskFilter, new: MaskFilter, match: Correspondence) -> dict[str, str]:
    """Bits that one side alone has, or that no input has, and that a filter sets on every input."""
    found: dict[str, str] = {}
    for side, form, change in ((0, old, "force -> absent"), (1, new, "absent -> force")):
        paired = {pair[side] for pair in match.pairs}
        lone = (bit for bit in range(match.n_bits) if form.force >> bit & 1 and bit not in paired)
        found |= {match.named(side, bit): change for bit in lone}
    for bit in range(match.n_bits, max(old.force.bit_length(), new.force.bit_length())):
        fates = _fate(old, bit), _fate(new, bit)
        if "force" in fates and fates[0] != fates[1]:
            found[f"{1 << bit:#x}"] = " -> ".join(f if f == "force" else "drop" for f in fates)
    return found


def _compare_tables(old: MaskTable, new: MaskTable, match: Correspondence, names: Numbers) -> dict[str, Delta]:
    """Every combination of the bits that either table looks at, and that both sides have."""
    looked_at = [n for n, (before, after) in enumerate(match.pairs) if before in old.bits or after in new.bits]
    rows = []
    for index in range(1 << len(looked_at)):
        number = sum(1 << n for i, n in enumerate(looked_at) if index >> i & 1)
        rows.append((number, old.outcome(match.before(number)), new.outcome(match.after(number))))
    times = 1 << (len(match.pairs) - len(looked_at))

    def delta(differs: Callable[[Outcome, Outcome], bool], change: Callable[[Outcome, Outcome], str]) -> Delta:
        wrong = [(number, change(a, b)) for number, a, b in rows if differs(a, b)]
        smallest = min((n for n, _ in wrong), key=lambda n: (n.bit_count(), n), default=None)
        return Delta(len(rows) * times, len(wrong) * times, smallest, _telling(wrong, match))

    return {
        "value": delta(
            lambda a, b: not a.bug and not b.bug and not names.same(a.value, b.value),
            lambda a, b: f"{names.before(a.value)} -> {names.after(b.value)}",
        ),
        "bug": delta(
            lambda a, b: a.bug != b.bug,
            lambda a, b: f"{_answer(a, names.before)} -> {_answer(b, names.after)}",
        ),
        "warning": delta(
            lambda a, b: not a.bug and not b.bug and a.warned != b.warned,
            lambda a, b: f"{'WARN' if a.warned else 'no WARN'} -> {'WARN' if b.warned else 'no WARN'}",
        ),
    }


def _answer(outcome: Outcome, name: Callable[[int], str]) -> str:
    return "BUG" if outcome.bug else name(outcome.value)


def _telling(wrong: list[tuple[int, str]], match: Correspondence) -> dict[str, str]:
    """The rows that say something: one that changes as a part of it does already is left out."""
    found: dict[int, str] = {}
    for number, change in sorted(wrong, key=lambda row: (row[0].bit_count(), row[0])):
        if not any(part & number == part and change == known for part, known in found.items()):
            found[number] = change
    return {spell(number, match): change for number, change in found.items()}


def spell(number: int, match: Correspondence) -> str:
    """Return the flags of the input that has *number*, ``|`` between them."""
    return "|".join(label for n, label in enumerate(match.labels) if number >> n & 1) or "no flag"
