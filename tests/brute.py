# SPDX-License-Identifier: GPL-2.0-only
"""
What two flag tables have to do with each other, by the definition and without any of the code that is tested.

The definition: an input is a set of flags, and of bits that have no flag on either side. Flags are matched by
name, bits without one by position, results of type ``gfp_t`` likewise, numbers by enumerator. What one side
alone has is 0 in every input, and where it is set in a result the results differ. Where names do not map one to
one, every bit stands for its position.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pygfp.flags import FlagTable


class Meaning:
    """What each bit of two tables is, by the definition above."""

    def __init__(self, old: FlagTable, new: FlagTable, n_bits: int, width: int) -> None:
        self.n_bits, self.width = n_bits, width
        both = set(old.flags) & set(new.flags)
        self.tables = (old, new)
        self.named = [{b: frozenset(self.at(t, b)) & both for b in range(width)} for t in (old, new)]
        groups = [{names for names in side.values() if names} for side in self.named]
        self.by_position = groups[0] != groups[1]

    @staticmethod
    def at(flags: FlagTable, bit: int) -> set[str]:
        return {n for n, m in flags.flags.items() if m == 1 << bit}

    def thing(self, side: int, bit: int) -> object:
        """What *bit* of one side is; the same value on both sides is the same thing."""
        if self.by_position or bit >= self.n_bits:
            return bit
        if self.named[side][bit]:
            return self.named[side][bit]
        alone = [self.at(t, bit) for t in self.tables]
        return ("only", side, bit) if alone[0] or alone[1] else bit

    def things(self, side: int, mask: int) -> frozenset[object]:
        return frozenset(self.thing(side, b) for b in range(self.width) if mask >> b & 1)

    def common(self) -> list[tuple[int, int]]:
        """The bit before and the bit after of each thing that both sides have."""
        homes = [{self.thing(side, b): b for b in range(self.n_bits)} for side in (0, 1)]
        return [(homes[0][t], homes[1][t]) for t in homes[0] if t in homes[1]]

    def inputs(self) -> Iterable[tuple[int, int]]:
        """Every input that both sides have, as either has it."""
        common = self.common()
        for chosen in product((False, True), repeat=len(common)):
            pairs = [pair for pair, is_set in zip(common, chosen, strict=True) if is_set]
            yield sum(1 << a for a, _ in pairs), sum(1 << b for _, b in pairs)
