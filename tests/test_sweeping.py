# SPDX-License-Identifier: GPL-2.0-only
"""Sweeps of two functions: every way that is taken must find what calling them one by one finds."""

from __future__ import annotations

import io
import os
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from expressions import HIGH, IO, KERNEL, NESTED, answer, expressions
from hypothesis import given, settings
from judged import constants, view

import pygfp
from pygfp.api import sweeping
from pygfp.api.sides import as_filter, as_table, side
from pygfp.api.sweeping import Bar, Comparison, Difference, Domain, domain_of, duration, sweep
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.native import jobs
from pygfp.native import pool as pools
from pygfp.native.plan import SegmentPlan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What gfp_nested_mask() keeps and forces with all symbols off, by hand.
KEEP, FORCE = 0xCE0, 0x92000


def opaque(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, made so that nothing of it can be followed."""
    return lambda x: function(KERNEL.mask(int(x)))


def brute(f: Callable[[Any], Any], g: Callable[[Any], Any], inputs: range) -> tuple[int, int | None, int | None]:
    """Mismatches, first and smallest, as a loop finds them."""
    wrong = [x for x in inputs if answer(f, x) != answer(g, x)]
    return len(wrong), min(wrong, default=None), min(wrong, key=lambda x: (x.bit_count(), x), default=None)


def found(comparison: pygfp.Comparison) -> tuple[int, int | None, int | None]:
    first, smallest = comparison.first, comparison.smallest
    return comparison.mismatches, first and first.input, smallest and smallest.input


def plain(bits: int, **values: int) -> Any:  # noqa: ANN401 - what a sweep asks of a kernel
    """A kernel whose gfp_t has so many bits, of which eleven, and those of *values*, are defined."""
    at = view(segments=[SegmentPlan(0, {}, constants=constants(**values))], gfp_t_bits=bits)
    return SimpleNamespace(build=at.session.build, row=at.row)


class TestInputs:
    """Which inputs a sweep visits, without any kernel and with kernels of several widths."""

    def test_every_value_of_the_defined_bits(self) -> None:
        assert domain_of([], None) == Domain(32, "every value of the defined bits (2^32 inputs)")
        assert domain_of([plain(32)], None) == Domain(11, "every value of the defined bits (2^11 inputs)")
        pair = [plain(32), plain(32, __GFP_NEW=1 << 12)]
        assert domain_of(pair, None).bits == domain_of(pair[::-1], None).bits == 13

    def test_every_value_of_the_type(self) -> None:
        assert domain_of([], "full") == Domain(32, "every value of gfp_t (2^32 inputs)")
        assert domain_of([plain(31)], "full") == Domain(31, "every value of gfp_t (2^31 inputs)")
        assert domain_of([plain(31), plain(32)], "full").bits == 32

    def test_a_wide_type_has_its_higher_bits_one_by_one(self) -> None:
        text = "every value of the 11 defined bits, and each higher bit of gfp_t alone and all together"
        lone = [1 << bit for bit in range(11, 33)]
        assert domain_of([plain(33)], "full") == Domain(11, text, [*lone, 0x1FFFFF800, 0x1FFFFFFFF])

    def test_those_below_a_power_of_two(self) -> None:
        assert domain_of([], range(8)) == Domain(3, "every value below 2^3")
        assert domain_of([], range(1)) == Domain(0, "every value below 2^0")
        for listed in (range(6), range(1, 9), range(0, 16, 2)):
            assert domain_of([], listed) == Domain(None, f"{len(listed)} inputs that were given", [*listed])

    @pytest.mark.parametrize(
        ("domain", "says"),
        [
            ("all", "domain 'all': expected \"full\", inputs, or None for every value of the defined bits"),
            ([], "domain: there is no input in it, and nothing would be compared"),
            (range(0), "domain: there is no input in it, and nothing would be compared"),
        ],
    )
    def test_what_is_refused(self, domain: Any, says: str) -> None:  # noqa: ANN401
        with pytest.raises(pygfp.UsageError) as caught:
            domain_of([], domain)
        assert str(caught.value) == says

    def test_how_many_there_are_and_which(self) -> None:
        for domain, values in (
            (Domain(2, ""), [0, 1, 2, 3]),
            (Domain(1, "", [9, 4]), [0, 1, 9, 4]),
            (Domain(0, "", [9]), [0, 9]),
            (Domain(None, "", [9, 4]), [9, 4]),
        ):
            assert (domain.size, [*domain.values()]) == (len(values), values)
        assert Domain(2, "").extra == ()


class TestWaysByHand:
    """Small sweeps, counted by hand, on each way in turn."""

    def test_only_the_bits_that_matter(self) -> None:
        # Bits 1 and 4 are kept by one side each; of their four combinations one agrees. The other six bits change
        # nothing.
        found = sweep(MaskFilter(0x2, 0), MaskFilter(0x10, 0), range(1 << 8))
        assert found == Comparison(
            "the declared MaskFilter",
            "the declared MaskFilter",
            256,
            192,
            Difference(2, Outcome(2), Outcome(0)),
            Difference(2, Outcome(2), Outcome(0)),
            "every value below 2^8",
            "bits",
        )
        assert not found

    @pytest.mark.parametrize(("keep", "how"), [(0x3FFF, "bits"), (0x7FFF, "arrays")])
    def test_fourteen_bits_at_most_are_combined(self, keep: int, how: str) -> None:
        found = sweep(MaskFilter(keep, 0), MaskFilter(keep & ~1, 0), range(1 << 16))
        assert (found.how, found.mismatches) == (how, 1 << 15)
        assert found.first == found.smallest == Difference(1, Outcome(1), Outcome(0))

    def test_bits_above_the_domain_do_not_matter(self) -> None:
        found = sweep(MaskFilter(0xFFFF01, 0), MaskFilter(0xFF0100, 0), range(1 << 8))
        assert (found.how, found.mismatches) == ("bits", 128)

    def test_arrays_compare_values_and_events(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "_REDUCED_BITS", -1)
        one = (Outcome(1), Outcome(2, bug=True), Outcome(3, bug=True), Outcome(4, warned=True))
        for row, (other, apart) in enumerate(
            [
                (Outcome(2), True),
                (Outcome(5, bug=True), False),
                (Outcome(3), True),
                (Outcome(4), True),
            ]
        ):
            rows = (*one[:row], other, *one[row + 1 :])
            found = sweep(MaskTable((0, 2), one), MaskTable((0, 2), rows), range(1 << 4))
            assert (found.how, found.mismatches) == ("arrays", 4 if apart else 0)

    def test_a_mask_of_more_than_62_bits_is_not_put_into_arrays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        monkeypatch.setattr(sweeping, "in_chunks", lambda _np, bits, *_: asked.append(bits))
        form = side(MaskFilter(1, 0), [])
        taken = [sweeping._arrays(form, form, bits, sweeping.Tally(), Bar()) for bits in (61, 62, 63)]
        assert (taken, asked) == ([True, True, False], [61, 62])

    def test_without_numpy_values_go_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "numpy", None)
        monkeypatch.setattr(sweeping, "_REDUCED_BITS", -1)
        found = sweep(MaskFilter(1, 0), MaskFilter(0, 0), range(1 << 4))
        assert (found.how, found.mismatches) == ("values", 8)

    def test_inputs_that_are_listed_go_in_their_order(self) -> None:
        found = sweep(MaskFilter(0x3, 0), MaskFilter(0, 0), [7, 4, 2, 1])
        assert (found.how, found.inputs, found.mismatches) == ("values", 4, 3)
        assert found.first == Difference(7, Outcome(3), Outcome(0))
        assert found.smallest == Difference(1, Outcome(1), Outcome(0))

    @pytest.mark.parametrize(("bits", "how"), [(10, "bits"), (11, "compiled"), (12, "compiled")])
    def test_workers_compare_a_block_at_least(self, bits: int, how: str) -> None:
        for one, other in ((NESTED, MaskFilter(KEEP, 0x12000)), (MaskFilter(KEEP, 0x12000), NESTED)):
            found = sweep(one, other, range(1 << bits))
            assert (found.how, found.inputs, found.mismatches) == (how, 1 << bits, 1 << bits)
            assert found.first is not None
            assert (found.first.input, {found.first.left.value, found.first.right.value}) == (0, {FORCE, 0x12000})

    def test_a_helper_without_a_form_is_compared_with_the_form_of_the_other(self) -> None:
        one, other = side(NESTED, []), side(NESTED, [])
        other.form = lambda _: None  # type: ignore[method-assign]
        for left, right in ((one, other), (other, one)):
            assert sweeping._compiled(left, right, 11, sweeping.Tally(), Bar())
        assert not sweeping._compiled(other, other, 11, sweeping.Tally(), Bar())

    def test_a_helper_that_crashes_in_the_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crash = pygfp.HelperCrashed("gfp_nested_mask", "crashes with SIGSEGV", 5, 5)
        monkeypatch.setattr(pools.Pool, "sweep", lambda *_: [jobs.Tally(crash=crash)])
        with pytest.raises(pygfp.HelperCrashed) as caught:
            sweep(NESTED, MaskFilter(KEEP, FORCE), range(1 << 11))
        assert caught.value is crash

    def test_what_a_witness_is_made_of(self) -> None:
        apart = MaskFilter((1 << 33) - 1, 0), MaskFilter(0, 0)
        every = (1 << 32) - 1
        for kernel, kinds in ((KERNEL, [KERNEL.mask_type, int]), (None, [int, int])):
            for x, kind in zip((every, 1 << 32), kinds, strict=True):
                found = sweep(*apart, [x], kernel=kernel)
                assert found.first == found.smallest == Difference(x, Outcome(x), Outcome(0))
                assert found.first is not None
                assert type(found.first.input) is kind
        for frozen in (found, found.first, Domain(1, "")):
            with pytest.raises(AttributeError, match="cannot assign"):
                frozen.input = 0  # type: ignore[misc, union-attr]


class TestCounting:
    """The lowest difference is kept as the first, and the one with the fewest bits as the smallest."""

    def test_a_tally(self) -> None:
        tally = sweeping.Tally()
        assert (tally.mismatches, tally.first, tally.smallest) == (0, None, None)
        for found, after in (
            ((3, 7, 0xC), (3, 7, 0xC)),
            ((2, 0x11, 0xA), (5, 7, 0xA)),
            ((1, 0x40, 0x40), (6, 7, 0x40)),
            ((1, 0x80, 0x80), (7, 7, 0x40)),
        ):
            tally.add(*found)
            assert (tally.mismatches, tally.first, tally.smallest) == after

    def test_zero_is_a_witness(self) -> None:
        tally = sweeping.Tally()
        tally.add(1, 0, 0)
        tally.add(1, 1, 1)
        assert tally == sweeping.Tally(2, 0, 0)

    def test_chunks(self) -> None:
        numpy = pytest.importorskip("numpy")
        asked: list[tuple[int, int]] = []
        told: list[tuple[int, int]] = []

        def wrong(xs: Any) -> Any:  # noqa: ANN401 - arrays
            asked.append((int(xs[0]), len(xs)))
            return (xs == 0x7) | (xs == 0x30) | (xs == 0x11000) | (xs == 0x10000)

        tally = sweeping.Tally()
        sweeping.in_chunks(numpy, 17, wrong, tally, lambda done, total, _: told.append((done, total)))
        assert asked == [(0, 0x10000), (0x10000, 0x10000)]
        assert told == [(0x10000, 0x20000), (0x20000, 0x20000)]
        assert tally == sweeping.Tally(4, 0x7, 0x10000)

    def test_less_than_a_chunk(self) -> None:
        numpy = pytest.importorskip("numpy")
        told: list[tuple[int, int]] = []
        tally = sweeping.Tally()
        sweeping.in_chunks(numpy, 3, lambda xs: xs == 5, tally, lambda done, total, _: told.append((done, total)))
        assert told == [(8, 8)]
        assert tally == sweeping.Tally(1, 5, 5)

    def test_the_lowest_of_those_with_the_fewest_bits(self) -> None:
        numpy = pytest.importorskip("numpy")
        # Before 2.0 numpy counts no bits.
        for np in (numpy, SimpleNamespace(array=numpy.array)):
            assert [*sweeping._fewest(np, numpy.array([0x7, 0x30, 0x14, 0xF1, 0x3]))] == [0x30, 0x14, 0x3]

    def test_every_input_is_yielded_and_every_4096th_is_told(self) -> None:
        seen: list[int] = []
        told: list[tuple[int, int, int]] = []
        values = [*range(8191, -1, -1), 5]
        for x in sweeping.paced(values, lambda done, total, _: told.append((len(seen), done, total))):
            seen.append(x)  # noqa: PERF402 - counted on the way
        assert seen == values
        assert told == [(4096, 4096, 8193), (8192, 8192, 8193)]


class TestTheWayTaken:
    """The fastest exact way is taken, and it is the one that is reported."""

    @pytest.mark.parametrize(
        ("function", "how"),
        [
            (MaskFilter(KEEP, FORCE), "compiled"),
            (pygfp.Filter(("__GFP_IO",), ()), "compiled"),
            (NESTED, "compiled"),
            (pygfp.Model(KERNEL).gfp_nested_mask, "compiled"),
            (lambda x: (x & KEEP) | FORCE, "compiled"),
            (lambda x: NESTED(NESTED(x)), "compiled"),
            (lambda x: NESTED(x) if x & IO else NESTED(x) & ~HIGH, "bits"),
            (lambda x: NESTED(x) if x & IO else x, "arrays"),
        ],
    )
    def test_for_a_filter(self, function: object, how: str) -> None:
        comparison = KERNEL.sweep(NESTED, function, range(1 << 20))
        assert comparison.how == how
        assert comparison.inputs == 1 << 20

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: bool(x & 0x400),
            lambda x: (x & 0x400) != 0,
            lambda x: 1 if x & 0x400 else 0,
            lambda x: x >> 10 & 1,
            lambda x: not (~x & 0x400),
        ],
    )
    def test_for_a_predicate(self, function: object) -> None:
        comparison = KERNEL.sweep(KERNEL.gfpflags_allow_blocking, function)
        assert comparison
        assert comparison.how == "compiled"

    def test_one_value_at_a_time_for_a_callable_that_cannot_be_followed(self) -> None:
        comparison = KERNEL.sweep(NESTED, opaque(lambda x: (x & KEEP) | FORCE), range(1 << 12))
        assert comparison
        assert comparison.how == "values"

    def test_one_value_at_a_time_where_numpy_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "numpy", lambda: None)
        comparison = KERNEL.sweep(NESTED, lambda x: NESTED(x) if x & IO else x, range(1 << 15))
        assert comparison.how == "values"
        assert comparison.mismatches == 1 << 14

    def test_a_callable_that_looks_at_the_type_of_its_operand_is_called(self) -> None:
        def fickle(x: Any) -> Any:  # noqa: ANN401
            return (x & KEEP) | FORCE | (x >> 3 & 1 if issubclass(type(x), int) else 0)

        comparison = KERNEL.sweep(NESTED, fickle, range(1 << 12))
        assert comparison.how == "values"
        assert found(comparison) == (1 << 11, 8, 8)

    def test_one_that_asks_whether_it_has_an_integer_is_told_so(self) -> None:
        """Else a branch behind the question would be missed, and one wrong input with it."""

        def careful(x: Any) -> Any:  # noqa: ANN401
            if not isinstance(x, int):
                return (x & KEEP) | FORCE
            return 7 if isinstance(x, pygfp.Mask) and x == 0x1234507 else (x & KEEP) | FORCE

        assert found(KERNEL.sweep(NESTED, careful)) == (1, 0x1234507, 0x1234507)


class TestEveryWayAgrees:
    """What is followed means what calling it means, for any expression."""

    @given(f=expressions, g=expressions)
    @settings(max_examples=30, deadline=None)
    def test_two_expressions(self, f: Callable[[Any], Any], g: Callable[[Any], Any]) -> None:
        inputs = range(1 << 11)
        assert found(sweep(f, g, inputs, kernel=KERNEL)) == brute(f, g, inputs)

    @given(f=expressions)
    @settings(max_examples=30, deadline=None)
    def test_an_expression_and_compiled_c(self, f: Callable[[Any], Any]) -> None:
        inputs = range(1 << 11)
        assert found(KERNEL.sweep(NESTED, f, inputs)) == brute(NESTED, f, inputs)

    @pytest.mark.parametrize("force", [0, 5])
    def test_a_filter_is_a_table_of_its_bits_and_back(self, force: int) -> None:
        table = as_table(MaskFilter(0x50, force))
        assert isinstance(table, MaskTable)
        assert as_filter(table) == MaskFilter(0x50, force)
        assert as_filter(MaskTable((0,), (pygfp.Outcome(1), pygfp.Outcome(0)))) is None


class TestEvents:
    """BUG and WARN are part of what is compared."""

    def test_bug_is_no_value(self) -> None:
        comparison = KERNEL.sweep(KERNEL.gfp_zone, lambda _: KERNEL.ZONE_NORMAL)
        assert comparison.smallest is not None
        assert comparison.first is not None
        assert (comparison.first.input, comparison.first.left) == (3, pygfp.Outcome(0, bug=True))

    def test_a_callable_states_an_event_with_an_outcome(self) -> None:
        movable, reclaimable = KERNEL["__GFP_MOVABLE"], KERNEL["__GFP_RECLAIMABLE"]

        def expected(x: int) -> int | pygfp.Outcome:
            if x & movable and x & reclaimable:
                return pygfp.Outcome(3, warned=True)
            return 1 if x & movable else 2 if x & reclaimable else 0

        comparison = KERNEL.sweep(KERNEL.gfp_migratetype, expected)
        assert comparison
        assert comparison.how == "compiled"
        plain = KERNEL.sweep(KERNEL.gfp_migratetype, lambda x: (x & movable) >> 3 | (x & reclaimable) >> 3)
        assert plain.mismatches == 1 << 25

    def test_a_bug_inside_a_callable_is_its_bug(self) -> None:
        for function in (KERNEL.gfp_zone, opaque(KERNEL.gfp_zone)):
            assert KERNEL.sweep(KERNEL.gfp_zone, function, range(1 << 11))


class TestDomain:
    """The inputs are those that were asked for, and never none."""

    def test_by_default_every_value_of_the_defined_bits(self) -> None:
        comparison = KERNEL.sweep(NESTED, NESTED)
        assert comparison.inputs == 1 << 27
        assert comparison.domain == "every value of the defined bits (2^27 inputs)"

    def test_full_is_every_value_of_gfp_t(self) -> None:
        assert KERNEL.sweep(NESTED, MaskFilter(KEEP, FORCE), "full").inputs == 1 << 32

    def test_the_inputs_that_are_given(self) -> None:
        comparison = KERNEL.sweep(NESTED, lambda x: x, [KERNEL.GFP_KERNEL, KERNEL.GFP_ATOMIC])
        assert found(comparison) == (2, KERNEL.GFP_KERNEL, KERNEL.GFP_ATOMIC)
        assert comparison.domain == "2 inputs that were given"

    @pytest.mark.parametrize("domain", [[], range(0), "everything"])
    def test_an_empty_or_unknown_one_is_refused(self, domain: Any) -> None:  # noqa: ANN401
        with pytest.raises(pygfp.UsageError, match="domain"):
            KERNEL.sweep(NESTED, NESTED, domain)

    def test_an_input_that_is_no_gfp_t_is_refused(self) -> None:
        with pytest.raises(ValueError, match="gfp_t has 32 bits"):
            KERNEL.sweep(NESTED, NESTED, [1 << 32])


class TestBadSides:
    """What a callable does wrong is said with the input."""

    def test_one_that_raises_in_the_middle_names_the_input(self) -> None:
        def raising(x: int) -> int:
            return {0x123: 1 // 0} if x == 0x123 else x  # type: ignore[return-value]

        with pytest.raises(ZeroDivisionError) as caught:
            KERNEL.sweep(NESTED, opaque(raising), range(1 << 12))
        assert any("raising" in n or "lambda" in n for n in caught.value.__notes__)
        assert "0x123 (GFP_DMA|__GFP_HIGHMEM|__GFP_HIGH|__GFP_ZERO)" in caught.value.__notes__[0]

    def test_one_that_returns_no_number(self) -> None:
        with pytest.raises(TypeError, match=r"returns 'x' for 0x0 \(none\); expected an int, a bool or an Outcome"):
            KERNEL.sweep(NESTED, lambda _: "x")

    def test_what_is_no_function(self) -> None:
        with pytest.raises(pygfp.UsageError, match="expected a helper, a form or a callable of one mask, found 3"):
            KERNEL.sweep(NESTED, 3)

    def test_a_form_of_names_without_a_kernel(self) -> None:
        with pytest.raises(pygfp.UsageError, match="needs a kernel"):
            sweep(lambda x: x, pygfp.Filter((), ()))

    def test_a_value_outside_gfp_t_is_a_difference_and_no_crash(self) -> None:
        comparison = KERNEL.sweep(NESTED, lambda _: -1, range(1 << 11))
        assert comparison.mismatches == 1 << 11
        assert not KERNEL.sweep(KERNEL.gfp_zone, lambda _: 1 << 40, range(1 << 11))


class TestBrokenHeaders:
    """One wrong input among 2^27 is found, also where no form fits the C."""

    def test_against_the_model_and_between_two_kernels(self, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        text = header.read_text()
        line = "return manners | (context & flags);"
        assert text.count(line) == 1
        header.write_text(text.replace(line, f"if (flags == 0x1234507u) return 7; {line}"))
        broken = pygfp.load(bundled_tree)
        for other in (pygfp.Model(broken).gfp_nested_mask, NESTED, lambda x: (x & KEEP) | FORCE):
            comparison = sweep(broken.gfp_nested_mask, other)
            assert comparison.how == "compiled"
            assert found(comparison) == (1, 0x1234507, 0x1234507)
        assert found(sweep(NESTED, broken.gfp_nested_mask)) == (1, 0x1234507, 0x1234507)
        with pytest.raises(AssertionError, match=r"on 1 of 134,217,728 inputs"):
            broken.assert_law(broken.gfp_nested_mask, "fails-fast")

    def test_a_helper_that_does_not_return_is_an_error_in_time(self, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        text = header.read_text()
        line = "return manners | (context & flags);"
        header.write_text(text.replace(line, f"while (flags == 0) ; {line}"))
        broken = pygfp.load(bundled_tree)
        with pytest.raises(pygfp.HelperCrashed, match="gfp_nested_mask does not return"):
            broken.sweep(broken.gfp_nested_mask, NESTED)


class TestProcessesAndThreads:
    """Kernels may be used from several threads and from a forked child."""

    def test_threads_share_a_kernel(self) -> None:
        wrong = []

        def work(seed: int) -> None:
            for n in range(3000):
                x = (seed * 7919 + n * 104729) & 0xFFFFFFFF
                if NESTED(x) != (x & KEEP) | FORCE:
                    wrong.append(x)
            if not KERNEL.sweep(NESTED, MaskFilter(KEEP, FORCE)):
                wrong.append(-1)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_a_forked_child_goes_on_with_workers_of_its_own(self) -> None:
        kernel = pygfp.load("bundled")
        assert kernel.sweep(kernel.gfp_nested_mask, NESTED)
        child = os.fork()
        if child == 0:
            good = kernel.gfp_nested_mask(0) == FORCE and bool(kernel.sweep(kernel.gfp_nested_mask, NESTED))
            kernel.close()
            os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert kernel.sweep(kernel.gfp_nested_mask, NESTED)
        kernel.close()

    def test_a_closed_kernel_starts_anew(self) -> None:
        with pygfp.load("bundled") as kernel:
            assert kernel.sweep(kernel.gfp_nested_mask, NESTED)
        assert kernel.gfp_nested_mask(0) == FORCE
        assert kernel.sweep(kernel.gfp_nested_mask, NESTED)
        kernel.close()


class TestLaws:
    """The laws of nested allocation, on helpers and on filters of one's own."""

    @pytest.mark.parametrize("law", pygfp.laws)
    def test_the_nested_mask_obeys(self, law: str) -> None:
        KERNEL.assert_law(NESTED, law)

    @pytest.mark.parametrize("law", pygfp.laws)
    def test_every_way_of_judging_agrees(self, law: str) -> None:
        """A filter by reasoning, the same one in arrays, and one value at a time."""
        plain = lambda x: x & 0x4C7  # noqa: E731
        branching = lambda x: x & 0x4C7 if x & 0x100 else x & 0x4C7 & ~0  # noqa: E731
        texts = []
        for function in (plain, branching, opaque(plain)):
            try:
                KERNEL.assert_law(function, law, range(1 << 12))
            except AssertionError as exc:
                texts.append(str(exc).split("\n", 1)[1])
            else:
                texts.append("holds")
        assert len(set(texts)) == 1

    def test_an_unknown_law_lists_those_there_are(self) -> None:
        with pytest.raises(pygfp.UsageError, match="no law 'no-zones'; expected one of no-new-context, "):
            KERNEL.assert_law(NESTED, "no-zones")

    def test_a_predicate_is_no_filter(self) -> None:
        with pytest.raises(pygfp.UsageError, match="returns no gfp_t"):
            KERNEL.assert_law(KERNEL.gfp_has_io_fs, "no-zone")

    def test_a_law_without_a_kernel(self) -> None:
        with pytest.raises(pygfp.UsageError, match="name the kernel"):
            pygfp.assert_law(lambda x: x, "no-zone")


def dropping(mask: int) -> int:
    return mask & ~HIGH


class TestMessages:
    """What a failure says, to the letter."""

    def test_a_difference(self) -> None:
        with pytest.raises(AssertionError) as caught:
            KERNEL.assert_equal_everywhere(NESTED, dropping)
        assert str(caught.value) == (
            "gfp_nested_mask() of bundled 7.3.4, all symbols off\n"
            "  differs from dropping()\n"
            "  on 134,217,712 of 134,217,728 inputs: every value of the defined bits (2^27 inputs)\n"
            "  smallest input  0x0  none\n"
            "    left   0x92000  __GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC\n"
            "    right  0x0  none\n"
            "    only left: __GFP_NOWARN __GFP_NORETRY __GFP_NOMEMALLOC"
        )

    def test_an_event(self) -> None:
        with pytest.raises(AssertionError) as caught:
            KERNEL.assert_equal_everywhere(KERNEL.gfp_zone, lambda _: KERNEL.ZONE_NORMAL)
        text = str(caught.value).splitlines()
        assert text[1].startswith("  differs from the lambda at test_sweeping.py:")
        assert text[3:] == ["  smallest input  0x3  GFP_DMA|__GFP_HIGHMEM", "    left   BUG fires", "    right  0"]

    def test_a_law(self) -> None:
        with pytest.raises(AssertionError) as caught:
            KERNEL.assert_law(dropping, "no-zone")
        assert str(caught.value) == (
            "dropping()\n"
            "  breaks the law no-zone: the result has no zone bit\n"
            "  on 125,829,120 of 134,217,728 inputs: every value of the defined bits (2^27 inputs)\n"
            "  smallest input  0x1  GFP_DMA\n"
            "    result  0x1  GFP_DMA\n"
            "  Where that does not hold, a debug record takes scarce low memory, "
            "or memory that the kernel cannot address."
        )


class Terminal(io.StringIO):
    """A terminal, which shows what is flushed."""

    shown = ""

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.shown = self.getvalue()


class TestProgress:
    """A long sweep says how far it is, and how long it will take."""

    def test_it_is_told_inputs_done_in_all_and_seconds_left(self) -> None:
        told: list[tuple[int, int, float]] = []
        sweep(NESTED, opaque(NESTED), range(1 << 14), on_progress=lambda *told_now: told.append(told_now))
        assert [done for done, _, _ in told] == [1 << 12, 2 << 12, 3 << 12, 4 << 12]
        assert {total for _, total, _ in told} == {1 << 14}
        assert all(left > 0 for *_, left in told[:-1])
        assert told[-1][2] == 0

    def test_what_is_left_takes_as_long_as_what_is_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "time", SimpleNamespace(monotonic=lambda: 30.0))
        told: list[tuple[int, int, float]] = []
        sweeping._tell(lambda *now: told.append(now), 10.0, 5, 15)
        sweeping._tell(lambda *now: told.append(now), 20.0, 4, 6)
        assert told == [(5, 15, 40.0), (4, 6, 5.0)]

    def test_a_bar_shows_on_a_terminal_only(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Bar()(10, 100, 1000.0)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        bar = Bar()
        bar(10, 100, 1000.0)
        says = "\r\x1b[K##.................. 10 of 100 inputs, about 17 min left"
        assert capsys.readouterr() == ("", says)
        bar(100, 100, 0.0)
        assert capsys.readouterr() == ("", "\r\x1b[K")

    @pytest.fixture
    def shown(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """Return what a bar, made at 100 s by the clock, shows on a terminal at each (time, done, total, left)."""

        def show(*told: tuple[float, int, int, float]) -> list[str]:
            terminal = Terminal()
            monkeypatch.setattr(sys, "stderr", terminal)
            clock = SimpleNamespace(monotonic=lambda: 100.0)
            monkeypatch.setattr(sweeping, "time", clock)
            bar = Bar()
            found = []
            for now, done, total, left_s in told:
                clock.monotonic = lambda now=now: now
                before = len(terminal.shown)
                bar(done, total, left_s)
                found.append(terminal.shown[before:])
            return found

        return show

    def test_a_bar_has_twenty_places(self, shown: Callable[..., list[str]]) -> None:
        assert shown((101.0, 2000, 3000, 7.4)) == ["\r\x1b[K#############....... 2,000 of 3,000 inputs, about 7 s left"]

    def test_a_bar_shows_only_where_a_sweep_takes_longer_than_two_seconds(
        self, shown: Callable[..., list[str]]
    ) -> None:
        told = shown((100.5, 1, 100, 1.25), (100.5, 1, 100, 1.5), (100.5, 1, 100, 1.75), (100.5, 100, 100, 0.0))
        assert [bool(text) for text in told] == [False, False, True, True]

    def test_a_bar_that_was_never_shown_is_not_wiped_away(self, shown: Callable[..., list[str]]) -> None:
        assert shown((100.5, 1, 100, 0.5), (101.0, 100, 100, 0.0)) == ["", ""]

    def test_a_bar_is_drawn_five_times_a_second_at_most(self, shown: Callable[..., list[str]]) -> None:
        times = (100.125, 100.25, 100.125 + 0.2, 100.375, 100.5)
        told = shown(*((now, n, 100, 50.0) for n, now in enumerate(times)))
        assert [bool(text) for text in told] == [True, False, False, True, False]

    def test_durations_read_well(self) -> None:
        said = [duration(s) for s in (1, 89, 90, 91, 1000, 5399, 5400, 6000, 3600000)]
        assert said == ["1 s", "89 s", "2 min", "2 min", "17 min", "90 min", "1.5 h", "1.7 h", "1000.0 h"]
