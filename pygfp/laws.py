# SPDX-License-Identifier: GPL-2.0-only
"""
Laws of filters, as masks: which bits an output may gain, lose, must have or must not have.

A law is decided on a proven form by reasoning bit by bit, with an exact count and witness; where a filter
has no form the C sweep judges every input instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .forms import MaskFilter

if TYPE_CHECKING:
    from .forms import Outcome


class Verdict(NamedTuple):
    """
    How many inputs break a law.

    :ivar mismatches: 0 where the law holds
    :ivar first: lowest input that breaks it
    :ivar smallest: of those, one with the fewest bits, the lowest of these
    """

    mismatches: int
    first: int | None
    smallest: int | None


class Answering(Protocol):
    """What can be asked for the outcome of an input: a form, or a function."""

    def outcome(self, x: int) -> Outcome:
        """Return what it answers for *x*."""


@dataclass(frozen=True)
class MaskLaw:
    """
    What must hold between an input and the output of a filter.

    :ivar gained: bits that the output may have only if the input has them
    :ivar lost: bits of the input that the output must have
    :ivar set: bits that every output must have
    :ivar clear: bits that no output may have
    :ivar any: up to four masks: whether any bit of it is set must not change
    :ivar all: up to four masks: whether all its bits are set must not change
    :ivar idempotent: the filter applied twice must be the filter
    """

    gained: int = 0
    lost: int = 0
    set: int = 0
    clear: int = 0
    any: tuple[int, int, int, int] = (0, 0, 0, 0)
    all: tuple[int, int, int, int] = (0, 0, 0, 0)
    idempotent: int = 0

    def broken_by(self, form: Answering, x: int) -> bool:
        """Whether *form*, or whatever else answers for single inputs, breaks the law on input *x*."""
        y = form.outcome(x).value
        plain = (y & ~x & self.gained) | (x & ~y & self.lost) | (~y & self.set) | (y & self.clear)
        classes = any(bool(x & m) != bool(y & m) for m in self.any) or any(
            (x & m == m) != (y & m == m) for m in self.all
        )
        return bool(plain) or classes or bool(self.idempotent and form.outcome(y).value != y)

    @property
    def class_bits(self) -> int:
        """The bits that have to be looked at together."""
        mask = 0
        for m in (*self.any, *self.all):
            mask |= m
        return mask


def judge(form: MaskFilter, law: MaskLaw, n_bits: int) -> Verdict:
    """
    Return how many inputs ``0 <= x < 2**n_bits`` of *form* break *law*, and which.

    A filter treats every bit by itself, so the bits outside the classes are counted one by one, and the
    few class bits in every combination.

    >>> judge(MaskFilter(keep=0b01, force=0), MaskLaw(lost=0b11), 2)
    Verdict(mismatches=2, first=2, smallest=2)
    """
    together = law.class_bits & (1 << n_bits) - 1
    alone = (1 << n_bits) - 1 & ~law.class_bits
    base_broken = law.broken_by(form, 0)
    # With nothing set, an output bit above the domain can only break the law for every input alike.
    unset, when_set = _breaking_bits(form, law, 0) & alone, _breaking_bits(form, law, alone) & alone
    good_alone = 0 if unset & when_set else 1 << (alone.bit_count() - (unset | when_set).bit_count())
    lone_breakers = [1 << b for b in range(n_bits) if when_set >> b & 1]
    above = _outside_breaks(form, law, n_bits)
    ways = _class_ways(form, law, n_bits)
    breaking = [found for seen, found in ways.items() if seen.breaks]
    good = 0 if above else good_alone * ((1 << together.bit_count()) - sum(found.n_inputs for found in breaking))
    mismatches = (1 << n_bits) - good
    if not mismatches:
        return Verdict(0, None, None)
    if base_broken:
        return Verdict(mismatches, 0, 0)
    lowest = [*lone_breakers, *(found.first for found in breaking)]
    fewest = [*lone_breakers, *(found.smallest for found in breaking)]
    return Verdict(mismatches, min(lowest), min(fewest, key=_size))


class _Seen(NamedTuple):
    """
    What the bits looked at so far say of the classes of a law.

    :ivar any_in: which of ``law.any`` have a bit in the input; *any_out*: in the output
    :ivar short_in: which of ``law.all`` lack a bit in the input; *short_out*: in the output
    :ivar broken: one of these bits breaks the law by itself
    """

    any_in: int = 0
    any_out: int = 0
    short_in: int = 0
    short_out: int = 0
    broken: bool = False

    @property
    def breaks(self) -> bool:
        return self.broken or self.any_in != self.any_out or self.short_in != self.short_out


class _Ways(NamedTuple):
    """How many inputs there are, the lowest of them, and the one with the fewest bits."""

    n_inputs: int
    first: int
    smallest: int


def _size(x: int) -> tuple[int, int]:
    return x.bit_count(), x


def _class_ways(form: MaskFilter, law: MaskLaw, n_bits: int) -> dict[_Seen, _Ways]:
    """What the class bits of every input say: bit by bit, since most ways to set them say the same."""
    ways = {_Seen(): _Ways(1, 0, 0)}
    for bit in (1 << b for b in range(law.class_bits.bit_length()) if law.class_bits >> b & 1):
        anys = sum(1 << n for n, mask in enumerate(law.any) if mask & bit)
        alls = sum(1 << n for n, mask in enumerate(law.all) if mask & bit)
        found: dict[_Seen, _Ways] = {}
        for x in (0, bit) if bit >> n_bits == 0 else (0,):
            y = (x & form.keep) | (form.force & bit)
            broken = bool((y & ~x & law.gained) | (x & ~y & law.lost) | (bit & ~y & law.set) | (y & law.clear))
            for seen, had in ways.items():
                now = _Seen(
                    seen.any_in | (anys if x else 0),
                    seen.any_out | (anys if y else 0),
                    seen.short_in | (0 if x else alls),
                    seen.short_out | (0 if y else alls),
                    seen.broken or broken,
                )
                more = _Ways(had.n_inputs, had.first | x, had.smallest | x)
                known = found.get(now, more)
                n_inputs = more.n_inputs + (known.n_inputs if now in found else 0)
                smallest = min(known.smallest, more.smallest, key=_size)
                found[now] = _Ways(n_inputs, min(known.first, more.first), smallest)
        ways = found
    return ways


def _breaking_bits(form: MaskFilter, law: MaskLaw, x: int) -> int:
    """The bits of input *x*, those that are set and those that are not, that break the law each by itself."""
    y = form.outcome(x).value
    again = form.outcome(y).value if law.idempotent else y
    return (y & ~x & law.gained) | (x & ~y & law.lost) | (~y & law.set) | (y & law.clear) | (y ^ again)


def _outside_breaks(form: MaskFilter, law: MaskLaw, n_bits: int) -> bool:
    above = ~((1 << n_bits) - 1)
    part = MaskLaw(law.gained & above, law.lost & above, law.set & above, law.clear & above)
    return part.broken_by(MaskFilter(form.keep & above, form.force & above), 0)
