# SPDX-License-Identifier: GPL-2.0-only
"""Laws of filters: reasoning bit by bit against brute force, and the C judge against both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table import TABLE, mask

from pygfp.config import Selection
from pygfp.flags import FlagTable
from pygfp.forms import MaskFilter, Outcome
from pygfp.laws import MaskLaw, Verdict, judge
from pygfp.model.helpers import WANTED
from pygfp.model.laws import LAWS
from pygfp.native.jobs import LawJob
from pygfp.native.session import opened
from pygfp.releases import newest
from pygfp.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygfp.native.session import Session

KEEP = "IO FS DIRECT_RECLAIM KSWAPD_RECLAIM HIGH NOLOCKDEP"
FORCE = "NORETRY NOMEMALLOC NOWARN"


def broken(form: MaskFilter) -> set[str]:
    return {law.id for law in LAWS if judge(form, law.lower(TABLE), 27).mismatches}


def brute(form: MaskFilter, law: MaskLaw, n_bits: int) -> Verdict:
    """The definition of each member of a law, on every input."""

    def breaks(x: int) -> bool:
        y = (x & form.keep) | form.force
        return (
            any(y >> b & 1 and not x >> b & 1 and law.gained >> b & 1 for b in range(16))
            or any(x >> b & 1 and not y >> b & 1 and law.lost >> b & 1 for b in range(16))
            or any(law.set >> b & 1 and not y >> b & 1 for b in range(16))
            or any(law.clear >> b & 1 and y >> b & 1 for b in range(16))
            or any((x & m != 0) != (y & m != 0) for m in law.any)
            or any((x & m == m) != (y & m == m) for m in law.all)
            or (bool(law.idempotent) and ((y & form.keep) | form.force) != y)
        )

    found = [x for x in range(1 << n_bits) if breaks(x)]
    fewest = min(found, key=lambda x: (x.bit_count(), x), default=None)
    return Verdict(len(found), found[0] if found else None, fewest)


def laws(bits: int) -> st.SearchStrategy[MaskLaw]:
    # Few bits a member, or nearly every law is broken by every input.
    few = st.lists(st.integers(0, bits - 1), max_size=2).map(lambda found: sum(1 << b for b in set(found)))
    four = st.tuples(few, few, st.just(0), st.just(0))
    return st.builds(MaskLaw, few, few, few, few, any=four, all=four, idempotent=st.integers(0, 1))


def forms(bits: int) -> st.SearchStrategy[MaskFilter]:
    masks = st.integers(0, (1 << bits) - 1)
    return st.builds(MaskFilter, masks, st.one_of(st.just(0), masks))


class TestJudge:
    """judge() counts without visiting each input; brute force visits each."""

    @settings(deadline=None, max_examples=300)
    @given(st.integers(1, 8), st.data())
    def test_it_agrees_with_brute_force(self, n_bits: int, data: st.DataObject) -> None:
        form, law = data.draw(forms(n_bits)), data.draw(laws(n_bits))
        assert judge(form, law, n_bits) == brute(form, law, n_bits)

    @settings(deadline=None, max_examples=300)
    @given(st.integers(1, 6), st.data())
    def test_bits_above_the_domain_count_too(self, n_bits: int, data: st.DataObject) -> None:
        form, law = data.draw(forms(n_bits + 2)), data.draw(laws(n_bits + 2))
        assert judge(form, law, n_bits) == brute(form, law, n_bits)

    def test_one_input_and_its_classes(self) -> None:
        nothing, everything = MaskFilter(0, 0), MaskFilter(0b111, 0)
        law = MaskLaw(any=(0b011, 0, 0, 0))
        assert [law.broken_by(nothing, x) for x in (0, 1, 3, 4)] == [False, True, True, False]
        law = MaskLaw(all=(0b011, 0, 0, 0))
        assert [law.broken_by(nothing, x) for x in (0, 1, 3, 4)] == [False, False, True, False]
        assert not any(law.broken_by(everything, x) for x in range(8))

    def test_a_law_that_holds_has_no_witness(self) -> None:
        assert judge(MaskFilter(0b11, 0), MaskLaw(lost=0b11), 2) == (0, None, None)

    def test_a_forced_bit_that_must_not_be_gained_breaks_half(self) -> None:
        assert judge(MaskFilter(0xFF, 0x10), MaskLaw(gained=0x10), 8) == (128, 0, 0)

    def test_a_domain_of_one_input(self) -> None:
        assert judge(MaskFilter(0, 0b1), MaskLaw(gained=0b1), 0) == (1, 0, 0)
        assert judge(MaskFilter(0b1, 0), MaskLaw(gained=0b1), 0) == (0, None, None)

    def test_the_bits_that_are_looked_at_together(self) -> None:
        assert MaskLaw(gained=0b1, idempotent=1).class_bits == 0
        assert MaskLaw(lost=0b1, any=(0b10, 0, 0, 0b110), all=(0, 0b10000, 0, 0)).class_bits == 0b10110

    def test_the_smallest_has_the_fewest_bits_and_is_the_lowest_of_those(self) -> None:
        # Only bits 0 and 1 together are a class; bit 3 alone breaks the law as well.
        assert judge(MaskFilter(0b0001, 0), MaskLaw(lost=0b1000, all=(0b0011, 0, 0, 0)), 4) == (10, 3, 8)


    def test_a_class_of_many_bits_takes_no_longer(self) -> None:
        # Bit 0 alone is kept: every input with another bit loses the class.
        law = MaskLaw(any=((1 << 32) - 2, 0, 0, 0))
        assert judge(MaskFilter(0b1, 0), law, 32) == ((1 << 32) - 2, 2, 2)


class TestNamedLaws:
    """Each law catches what it is for, and the filter of nested.md breaks none."""

    def test_the_nested_filter_breaks_none(self) -> None:
        assert broken(MaskFilter(mask(KEEP), mask(FORCE))) == set()

    @pytest.mark.parametrize(
        ("law", "keep", "force"),
        [
            ("no-new-context", KEEP, f"{FORCE} HIGH"),
            ("keeps-context", KEEP.replace("HIGH", ""), FORCE),
            ("keeps-nolockdep", KEEP.replace("NOLOCKDEP", ""), FORCE),
            ("keeps-nolockdep", KEEP, f"{FORCE} NOLOCKDEP"),
            *[("no-zone", f"{KEEP} {zone}", FORCE) for zone in ("DMA", "HIGHMEM", "DMA32", "MOVABLE")],
            *[
                ("no-placement", f"{KEEP} {place}", FORCE)
                for place in ("RECLAIMABLE", "WRITE", "HARDWALL", "THISNODE", "ACCOUNT")
            ],
            ("no-placement", KEEP, f"{FORCE} ACCOUNT"),
            ("fails-fast", KEEP, FORCE.replace("NORETRY", "")),
            ("fails-fast", f"{KEEP} NORETRY", FORCE.replace("NORETRY", "")),
            ("fails-fast", f"{KEEP} NOFAIL", FORCE),
            ("fails-fast", f"{KEEP} RETRY_MAYFAIL", FORCE),
            ("fails-silently", f"{KEEP} NOWARN", FORCE.replace("NOWARN", "")),
            ("spares-reserves", f"{KEEP} MEMALLOC", FORCE),
            ("spares-reserves", KEEP, FORCE.replace("NOMEMALLOC", "")),
            *[
                ("drops-page-traits", f"{KEEP} {trait}", FORCE)
                for trait in ("ZERO", "COMP", "ZEROTAGS", "SKIP_ZERO", "SKIP_KASAN")
            ],
        ],
    )
    def test_a_filter_breaks_only_that_law(self, law: str, keep: str, force: str) -> None:
        assert broken(MaskFilter(mask(keep), mask(force))) == {law}

    @pytest.mark.parametrize("stray", [1 << 9, 1 << 27, 1 << 31], ids=hex)
    def test_a_bit_without_a_flag_is_a_trait_of_the_callers_pages(self, stray: int) -> None:
        assert broken(MaskFilter(mask(KEEP), mask(FORCE) | stray)) == {"drops-page-traits"}

    # A change of class is a context gained or lost, so no filter breaks same-class alone.
    @pytest.mark.parametrize("flag", ["IO", "FS", "DIRECT_RECLAIM"])
    def test_a_context_that_is_lost_changes_the_class(self, flag: str) -> None:
        keep = mask(KEEP) & ~mask(flag)
        assert broken(MaskFilter(keep, mask(FORCE))) == {"keeps-context", "same-class"}

    @pytest.mark.parametrize("flag", ["IO", "FS", "DIRECT_RECLAIM", "KSWAPD_RECLAIM"])
    def test_a_context_that_is_invented_changes_the_class(self, flag: str) -> None:
        assert broken(MaskFilter(mask(KEEP), mask(FORCE) | mask(flag))) == {"no-new-context", "same-class"}

    def test_the_forerunner_of_5_3_breaks_keeps_nolockdep_only(self) -> None:
        assert broken(MaskFilter(mask(KEEP.replace("NOLOCKDEP", "")), mask(FORCE))) == {"keeps-nolockdep"}

    def test_the_forerunner_of_4_19_breaks_fails_fast_too(self) -> None:
        form = MaskFilter(mask(KEEP.replace("NOLOCKDEP", "")), mask(f"{FORCE} NOFAIL"))
        assert broken(form) == {"fails-fast", "keeps-nolockdep"}

    def test_the_stack_depot_of_6_9_breaks_what_nested_md_says(self) -> None:
        assert broken(MaskFilter(mask(KEEP), mask("NOWARN"))) == {"fails-fast", "spares-reserves"}

    def test_only_what_is_no_filter_can_break_idempotent(self) -> None:
        class Toggle:
            """The nested filter, and a flag that no law names is turned over."""

            def outcome(self, x: int) -> Outcome:
                return Outcome((x & mask(KEEP)) | mask(FORCE) | (~x & 1 << 27))

        table = FlagTable({**TABLE.masks, "__GFP_NEW": 1 << 27}, bits_shift=28)
        inputs = [0, *(1 << bit for bit in range(28)), (1 << 28) - 1]
        found = {law.id for law in LAWS for x in inputs if law.lower(table).broken_by(Toggle(), x)}  # type: ignore[arg-type]
        assert found == {"idempotent"}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with opened(resolve("bundled"), Selection({"CONFIG_LOCKDEP": True}), WANTED) as opening:
        yield opening


INPUTS = 1 << 20
LAWS_FOR_C = {
    **{law.id: None for law in LAWS},
    "lost-everything": MaskLaw(lost=0xFFFFF),
    "gained": MaskLaw(gained=mask("NORETRY")),
    "set-zone": MaskLaw(set=0x8),
    "clear-high": MaskLaw(clear=mask("HIGH") | mask("FS")),
    "any-zone": MaskLaw(any=(0, 0, 0xF, 0)),
    "all-io-zone": MaskLaw(all=(0, 0, 0, mask("IO DMA"))),
    "smallest-is-not-first": MaskLaw(lost=0x200, all=(0x3, 0, 0, 0)),
    "mixed": MaskLaw(lost=0x300, clear=0x20, any=(0x11, 0, 0, 0x40), all=(0, 0x1800, 0, 0), idempotent=1),
}


@pytest.mark.parametrize("name", LAWS_FOR_C)
def test_the_c_judge_agrees_with_reasoning_on_the_compiled_helper(session: Session, name: str) -> None:
    plan = next(h for h in session.build.helpers if h.name == "gfp_nested_mask")
    segment = session.build.segments[plan.meanings[0].segment]
    table = session.table(segment)
    law = LAWS_FOR_C[name] or next(law for law in LAWS if law.id == name).lower(table)
    keep = table.mask([f"__GFP_{n}" for n in KEEP.split()])
    form = MaskFilter(keep, table.mask([f"__GFP_{n}" for n in FORCE.split()]))
    (tally,) = session.pool.judge(LawJob(segment.index, "gfp_nested_mask", (law,), INPUTS))
    assert tally.crash is None
    assert tally.inputs == INPUTS
    assert (tally.mismatches, tally.first, tally.smallest) == judge(form, law, 20)


def test_the_c_judge_starts_where_it_is_told(session: Session) -> None:
    plan = next(h for h in session.build.helpers if h.name == "gfp_nested_mask")
    job = LawJob(plan.meanings[0].segment, "gfp_nested_mask", (MaskLaw(clear=mask("HIGH")),), 2048, base=1 << 24)
    (tally,) = session.pool.judge(job)
    assert (tally.inputs, tally.mismatches) == (2048, 1024)
    assert tally.first == tally.smallest == 1 << 24 | mask("HIGH")


def test_the_table_by_hand_is_that_of_the_facts() -> None:
    assert {n: m.bit_length() - 1 for n, m in TABLE.masks.items()} == {n: f["bit"] for n, f in newest().flags.items()}
