# SPDX-License-Identifier: GPL-2.0-only
"""
Forms: the few shapes that the meaning of a helper has, as masks and numbers.

A form says what a helper answers for every input. The model lowers its declarations to forms, the sweep
compares compiled C with one, and a mined form is one that was read off compiled C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Outcome(NamedTuple):
    """
    What a helper is seen to do with one input.

    :ivar value: what it returns, as unsigned; means nothing after BUG
    :ivar bug: a BUG fired
    :ivar warned: a WARN fired; not looked at after BUG
    """

    value: int
    bug: bool = False
    warned: bool = False

    def agrees(self, other: Outcome) -> bool:
        """Whether both are the same as far as they mean something."""
        if self.bug or other.bug:
            return self.bug == other.bug
        return self.value == other.value and self.warned == other.warned


@dataclass(frozen=True)
class MaskFilter:
    """
    ``(x & keep) | force``.

    >>> hex(MaskFilter(keep=0xf0, force=0x1).outcome(0xff).value)
    '0xf1'
    """

    keep: int
    force: int

    def outcome(self, x: int) -> Outcome:
        """Return what the form answers for *x*."""
        return Outcome((x & self.keep) | self.force)


@dataclass(frozen=True)
class MaskTable:
    """
    A table over a few input bits; every other bit changes nothing.

    :ivar bits: 0-based input bits that select a row, lowest row bit first
    :ivar rows: ``2**len(bits)`` outcomes
    """

    bits: tuple[int, ...]
    rows: tuple[Outcome, ...]

    def outcome(self, x: int) -> Outcome:
        """Return what the form answers for *x*."""
        return self.rows[self.index(x)]

    def index(self, x: int) -> int:
        """Return the row that *x* selects."""
        return sum((x >> bit & 1) << n for n, bit in enumerate(self.bits))

    def input(self, index: int) -> int:
        """Return the smallest input that selects row *index*."""
        return sum(1 << bit for n, bit in enumerate(self.bits) if index >> n & 1)

    def any_of(self) -> int | None:
        """Return the mask of which one bit makes it true, if that is what the table says."""
        plain = all(not r.bug and not r.warned for r in self.rows)
        if plain and all(r.value == (1 if n else 0) for n, r in enumerate(self.rows)):
            return self.input(len(self.rows) - 1)
        return None


Form = MaskFilter | MaskTable
