# SPDX-License-Identifier: GPL-2.0-only
"""
Two forms against each other: what arithmetic says of them is what every input shows.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pygfp.forms import Departure, Form, MaskFilter, MaskTable, Outcome, departure

N_BITS = 6
#: Masks may have bits that no input has.
MASKS = st.integers(0, (1 << (N_BITS + 2)) - 1)
FILTERS = st.builds(MaskFilter, MASKS, MASKS)
OUTCOMES = st.builds(Outcome, st.integers(0, 2), st.booleans(), st.booleans())
BITS = st.lists(st.integers(0, N_BITS - 1), unique=True, max_size=3).map(tuple)
TABLES = BITS.flatmap(
    lambda bits: st.builds(
        MaskTable, st.just(bits), st.lists(OUTCOMES, min_size=1 << len(bits), max_size=1 << len(bits)).map(tuple)
    )
)


def by_hand(one: Form, other: Form) -> Departure:
    """What every input shows."""
    apart = [x for x in range(1 << N_BITS) if not one.outcome(x).agrees(other.outcome(x))]
    return Departure(len(apart), min(apart, default=None), min(apart, key=lambda x: (x.bit_count(), x), default=None))


class TestDeparture:
    """Counts and witnesses without a sweep."""

    @given(FILTERS, FILTERS)
    def test_filters(self, one: MaskFilter, other: MaskFilter) -> None:
        assert departure(one, other, N_BITS) == by_hand(one, other)

    @given(TABLES, TABLES)
    def test_tables(self, one: MaskTable, other: MaskTable) -> None:
        assert departure(one, other, N_BITS) == by_hand(one, other)

    def test_what_takes_more_than_arithmetic_is_not_answered(self) -> None:
        wide = MaskTable(tuple(range(13)), (Outcome(0),) * (1 << 13))
        assert departure(wide, wide, 27) is None
        assert departure(MaskFilter(0, 0), MaskTable((), (Outcome(0),)), 6) is None
        assert departure(MaskTable((9,), (Outcome(0), Outcome(1))), MaskTable((), (Outcome(0),)), 6) is None

    def test_how_far_arithmetic_goes(self) -> None:
        twelve = MaskTable(tuple(range(12)), (Outcome(0),) * ((1 << 12) - 1) + (Outcome(1),))
        assert departure(twelve, MaskTable((), (Outcome(0),)), 13) == Departure(2, 0xFFF, 0xFFF)
        highest, above = (MaskTable((bit,), (Outcome(0), Outcome(1))) for bit in (5, 6))
        assert departure(highest, MaskTable((), (Outcome(0),)), 6) == Departure(32, 32, 32)
        assert departure(above, MaskTable((), (Outcome(0),)), 6) is None
