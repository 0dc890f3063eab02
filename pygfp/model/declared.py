# SPDX-License-Identifier: GPL-2.0-only
"""
Declared forms: what a helper means, in flag names.

One declaration gives three things: the meaning of one input in plain Python, the same for an array, and
the masks that a C sweep compares with. Tests hold the three against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

from ..forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flags import FlagTable


@dataclass(frozen=True)
class Filter:
    """A mask filter: flags that pass, flags that are always there, and everything else dropped."""

    keep: tuple[str, ...]
    force: tuple[str, ...]

    def scalar(self, x: int, table: FlagTable) -> Outcome:
        """Return what the filter answers for *x*, flag by flag."""
        kept = sum({m for n in self.keep if (m := table.masks.get(n, 0)) & x})
        forced = sum({table.masks.get(n, 0) for n in self.force})
        return Outcome(kept | forced)

    def array(self, xs: Any, table: FlagTable) -> tuple[Any, Any, Any]:  # noqa: ANN401 - numpy is optional
        """Return values, BUG and WARN for an integer array *xs*."""
        quiet = xs != xs  # noqa: PLR0124 - all false, in the shape of xs
        return (xs & table.mask(self.keep)) | table.mask(self.force), quiet, quiet

    def lower(self, table: FlagTable) -> MaskFilter:
        """Return the masks that a C sweep compares with."""
        force = table.mask(self.force)
        return MaskFilter(table.mask(self.keep) & ~force, force)


@dataclass(frozen=True)
class Predicate:
    """
    A test: true if any of some flags is set, or all of some, and none of others.

    :ivar any_of: one of these must be set (where there are any)
    :ivar all_of: all of these must be set; one that is 0 in this configuration can never be
    :ivar none_of: none of these may be set
    :ivar enabled: off, the answer is always 0
    """

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    enabled: bool = True

    def scalar(self, x: int, table: FlagTable) -> Outcome:
        """Return 1 or 0 for *x*."""

        def has(name: str) -> bool:
            return bool(table.masks.get(name, 0) & x)

        true = self.enabled and all(map(has, self.all_of)) and not any(map(has, self.none_of))
        return Outcome(int(true and (not self.any_of or any(map(has, self.any_of)))))

    def array(self, xs: Any, table: FlagTable) -> tuple[Any, Any, Any]:  # noqa: ANN401 - numpy is optional
        """Return values, BUG and WARN for an integer array *xs*."""
        quiet = xs != xs  # noqa: PLR0124 - all false, in the shape of xs
        wanted, unwanted = table.mask(self.all_of), table.mask(self.none_of)
        true = ((xs & wanted) == wanted) & ((xs & unwanted) == 0) & self.enabled
        if any(not table.masks.get(n, 0) for n in self.all_of):
            true = quiet
        if self.any_of:
            true = true & ((xs & table.mask(self.any_of)) != 0)
        return true * 1, quiet, quiet

    def lower(self, table: FlagTable) -> MaskTable:
        """Return the table that a C sweep compares with."""
        names = dict.fromkeys((*self.any_of, *self.all_of, *self.none_of))
        return _tabulate(tuple(names) if self.enabled else (), table, lambda x: self.scalar(x, table))


@dataclass(frozen=True)
class Lookup:
    """
    A table over a few flags.

    :ivar flags: the flags that are looked at
    :ivar rule: outcome for the set of those flags that the input has
    """

    flags: tuple[str, ...]
    rule: Callable[[frozenset[str]], Outcome]

    def scalar(self, x: int, table: FlagTable) -> Outcome:
        """Return what the rule says of the flags in *x*."""
        return self.rule(frozenset(n for n in self.flags if table.masks.get(n, 0) & x))

    def array(self, xs: Any, table: FlagTable) -> tuple[Any, Any, Any]:  # noqa: ANN401 - numpy is optional
        """Return values, BUG and WARN for an integer array *xs*."""
        values, bugs, warnings = xs * 0, xs != xs, xs != xs  # noqa: PLR0124 - shapes of xs
        for n in range(1 << len(self.flags)):
            chosen = frozenset(compress(self.flags, (n >> i & 1 for i in range(len(self.flags)))))
            here = xs == xs  # noqa: PLR0124 - all true, in the shape of xs
            for name in self.flags:
                here = here & (((xs & table.masks.get(name, 0)) != 0) == (name in chosen))
            outcome = self.rule(chosen)
            values = values + here * outcome.value
            bugs = bugs | (here & outcome.bug)
            warnings = warnings | (here & outcome.warned)
        return values, bugs, warnings

    def lower(self, table: FlagTable) -> MaskTable:
        """Return the table that a C sweep compares with."""
        return _tabulate(self.flags, table, lambda x: self.scalar(x, table))


Declared = Filter | Predicate | Lookup


def _tabulate(flags: tuple[str, ...], table: FlagTable, answer: Callable[[int], Outcome]) -> MaskTable:
    bits = sorted({m.bit_length() - 1 for n in flags if (m := table.masks.get(n, 0))})
    inputs = (sum(1 << bit for n, bit in enumerate(bits) if index >> n & 1) for index in range(1 << len(bits)))
    return MaskTable(tuple(bits), tuple(answer(x) for x in inputs))
