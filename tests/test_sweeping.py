# SPDX-License-Identifier: GPL-2.0-only
"""Sweeps of two functions: every way that is taken must find what calling them one by one finds."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from expressions import HIGH, IO, KERNEL, NESTED, answer, expressions
from hypothesis import given, settings

import pygfp
from pygfp.api import sweeping
from pygfp.api.sides import as_filter, as_table
from pygfp.api.sweeping import Bar, duration, sweep
from pygfp.forms import MaskFilter, MaskTable

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


class TestProgress:
    """A long sweep says how far it is, and how long it will take."""

    def test_it_is_told_inputs_done_in_all_and_seconds_left(self) -> None:
        told: list[tuple[int, int, float]] = []
        sweep(NESTED, opaque(NESTED), range(1 << 14), on_progress=lambda *told_now: told.append(told_now))
        assert [done for done, _, _ in told] == [1 << 12, 2 << 12, 3 << 12, 4 << 12]
        assert {total for _, total, _ in told} == {1 << 14}
        assert all(left > 0 for *_, left in told[:-1])
        assert told[-1][2] == 0

    def test_a_bar_shows_on_a_terminal_only(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Bar()(10, 100, 1000.0)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        bar = Bar()
        bar(10, 100, 1000.0)
        assert "##.................. 10 of 100 inputs, about 17 min left" in capsys.readouterr().err
        bar(100, 100, 0.0)
        assert capsys.readouterr().err == "\r\x1b[K"

    def test_durations_read_well(self) -> None:
        assert [duration(s) for s in (1, 89, 91, 6000)] == ["1 s", "89 s", "2 min", "1.7 h"]
