# SPDX-License-Identifier: GPL-2.0-only
"""
What the checks look at: an opened kernel, its reference row and the domain of inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..model.helpers import Context
from ..native.session import flag_table
from ..releases import version_key
from ..spell import mask_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Assignment
    from ..flags import FlagTable
    from ..model.policy import Policy
    from ..native.plan import Build
    from ..native.session import Session
    from ..releases import Row
    from ..report import Check, Witness

#: A sweep goes in blocks of this many inputs.
_LEAST_BITS = 11


def defined_bits(build: Build, row: Row) -> int:
    """Return how many bits of a mask *build* or *row* defines; a sweep can visit 32 at most."""
    known = [f["bit"] + 1 for f in row.flags.values()]
    highest: int = max(_LEAST_BITS, *row.bits_shift.values(), *known)
    for segment in build.segments:
        table = flag_table(build, segment)
        highest = max([highest, table.bits_shift or 0, *(m.bit_length() for m in table.flags.values())])
    return min(highest, build.gfp_t_bits, 32)


@dataclass(frozen=True)
class View:
    """
    A kernel as the checks see it.

    :ivar session: the opened kernel
    :ivar row: the reference row
    :ivar policy: the nested policy
    :ivar full: every value of ``gfp_t``
    """

    session: Session
    row: Row
    policy: Policy
    full: bool = False

    @cached_property
    def defined_bits(self) -> int:
        """
        One more than the highest bit that any flag, or ``__GFP_BITS_SHIFT``, reaches in any configuration.

        The reference row counts too: neither a header that shrinks its mask nor a narrow choice of
        configurations can shrink the check.
        """
        return defined_bits(self.session.build, self.row)

    @property
    def domain_bits(self) -> int:
        """Every input below ``2**domain_bits`` is compared."""
        if self.full and self.session.build.gfp_t_bits <= 32:  # noqa: PLR2004 - as many as a sweep can visit
            return self.session.build.gfp_t_bits
        return self.defined_bits

    @property
    def extra_inputs(self) -> list[int]:
        """Under --full, for a wide ``gfp_t``: each higher bit alone, and all of them together."""
        width = self.session.build.gfp_t_bits
        if not self.full or width <= 32:  # noqa: PLR2004 - see domain_bits
            return []
        above = ((1 << width) - 1) & ~((1 << self.domain_bits) - 1)
        lone = [1 << bit for bit in range(self.domain_bits, width)]
        return [*lone, above, (1 << width) - 1]

    @property
    def domain(self) -> str:
        """The domain in words."""
        if self.extra_inputs:
            low = f"every value of the {self.domain_bits} defined bits"
            return f"{low}, and each higher bit of gfp_t alone and all together"
        what = "gfp_t" if self.full else "the defined bits"
        return f"every value of {what} (2^{self.domain_bits} inputs)"

    @property
    def types_file(self) -> str:
        """Where the reference row has the flags."""
        return "include/linux/gfp_types.h" if self.row.split else "include/linux/gfp.h"

    def table(self, segment_index: int) -> FlagTable:
        """Return the flags of a segment."""
        return self.session.table(self.session.build.segments[segment_index])

    def context(self, segment_index: int, config: Assignment, *, ungrouped: bool = False) -> Context:
        """Return what the model may know of a configuration."""
        segment = self.session.build.segments[segment_index]
        enumerators = {n: c.value for n, c in segment.constants.items()}
        major, minor, _ = version_key(self.row.version)
        return Context(config, enumerators, (major, minor), self.policy, ungrouped)

    def named(self, check: Check, order: Sequence[str]) -> Check:
        """Return *check* with its witnesses' inputs in the names of the tree's trace table."""
        if not (check.first or check.smallest):
            return check
        segment = self.session.segment(check.config) or self.session.build.segments[0]
        table = self.session.table(segment, order)

        def rename(witness: Witness | None) -> Witness | None:
            if witness is None:
                return None
            return replace(
                witness,
                input_names=table.format(witness.input),
                expected_names=mask_names(witness.expected, table),
                actual_names=mask_names(witness.actual, table),
                unnamed=tuple(n for n in table.names(witness.input) if n in table.flags and n not in order),
            )

        return replace(check, first=rename(check.first), smallest=rename(check.smallest))
