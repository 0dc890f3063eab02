# SPDX-License-Identifier: GPL-2.0-only
"""
Helpers that need no comparing: the compiler made the same code of both sides, and its bits are called the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .matching import numbers_of
from .sides import meaning_in

if TYPE_CHECKING:
    from ..config import Assignment
    from ..native.plan import Constant, HelperPlan, Meaning
    from .matching import Correspondence
    from .sides import Side, Sides


def is_identical(sides: Sides, name: str) -> bool:
    """
    Return whether helper *name*, which both sides have, is the same machine code on both in every configuration.

    Only where the bits that it may look at, the flags that it may return and the numbers that it may return are called
    the same too: then it does the same, whatever that is. False means nothing but that it is to be compared.
    """
    old, new = sides.old.plans[name], sides.new.plans[name]
    if (old.result, old.parameters, old.grouping) != (new.result, new.parameters, new.grouping):
        return False
    every = sides.choices([*old.symbols, *new.symbols, *sides.flag_symbols])
    return all(_same(sides, old, new, choice) for choice in every)


def _same(sides: Sides, old: HelperPlan, new: HelperPlan, choice: Assignment) -> bool:
    before, after = meaning_in(old, choice), meaning_in(new, choice)
    if before is None or after is None:
        return before is after  # compiled out, or not buildable: said elsewhere
    match = sides.matched(choice)
    return (
        bool(before.code)
        and before.code == after.code
        and match is not None
        and _in_place(match, is_filter=new.is_filter)
        and _called_alike(sides, new, before, after)
    )


def _in_place(match: Correspondence, *, is_filter: bool) -> bool:
    """Whether each bit of an input, and of a result that is a mask, is the same thing on both sides."""
    if match.shared or any(old != new for old, new in match.pairs):
        return False
    return not (is_filter and (match.only_old or match.only_new))


def _called_alike(sides: Sides, plan: HelperPlan, before: Meaning, after: Meaning) -> bool:
    names = numbers_of(plan, _constants(sides.old, before.segment), _constants(sides.new, after.segment))
    return plan.is_filter or all(value == number for value, number in enumerate(names.renamed))


def _constants(side: Side, index: int) -> dict[str, Constant]:
    return next(s for s in side.session.build.segments if s.index == index).constants
