# SPDX-License-Identifier: GPL-2.0-only
"""
What is read off a callable by following it is what calling it shows, for every input of any expression.

A sweep tries a few hundred inputs before it believes what was followed; here nothing stands behind it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from expressions import HIGH, IO, KERNEL, NESTED, answer, expressions
from hypothesis import assume, given, settings

from pygfp.api.sides import CallableSide, HelperSide
from pygfp.api.tracing import Untraceable, as_form, evaluate, follow, looks_at
from pygfp.forms import MaskFilter, MaskTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygfp.api.helper import Helper
    from pygfp.api.tracing import Path
    from pygfp.forms import Form

BITS = 11
INPUTS = range(1 << BITS)


@cache
def proven(helper: Helper, bits: int) -> Form | None:
    return HelperSide(helper).form(bits)


@cache
def array(helper: Helper) -> Callable[[Any], Any]:
    made = HelperSide(helper).array(np, 32)
    assert made is not None
    return made


def followed(function: Callable[[Any], Any]) -> list[Path]:
    return follow(function, BITS, KERNEL.mask_type, 32, proven)


def paths_of(function: Callable[[Any], Any]) -> list[Path]:
    try:
        return followed(function)
    except Untraceable:
        assume(False)  # noqa: FBT003 - how hypothesis is told to take another one
        raise


class TestAnyExpression:
    """On every input, without a second look."""

    @given(f=expressions)
    @settings(max_examples=100, deadline=None)
    def test_no_other_bit_matters_than_those_it_looks_at(self, f: Callable[[Any], Any]) -> None:
        mattering = looks_at(paths_of(f))
        assert all(answer(f, x) == answer(f, x & mattering) for x in INPUTS)

    @given(f=expressions)
    @settings(max_examples=100, deadline=None)
    def test_a_form_answers_as_the_callable(self, f: Callable[[Any], Any]) -> None:
        side = CallableSide(f, KERNEL)
        form = as_form(paths_of(f), BITS, side.outcome)
        if form is not None:
            assert all(form.outcome(x).agrees(side.outcome(x)) for x in INPUTS)

    @given(f=expressions)
    @settings(max_examples=100, deadline=None)
    def test_arrays_answer_as_the_callable(self, f: Callable[[Any], Any]) -> None:
        paths, side = paths_of(f), CallableSide(f, KERNEL)
        lookups = {helper: array(helper) for helper in KERNEL.helpers.values()}
        values, events = evaluate(paths, np.arange(1 << BITS, dtype=np.int64), lookups, np.where)
        for x, value, event in zip(INPUTS, values.tolist(), events.tolist(), strict=True):
            seen = side.outcome(x)
            assert (event == 1, event == 2 or seen.bug) == (seen.bug, seen.warned or seen.bug)
            assert seen.bug or seen.value == value


class TestStructure:
    """What is known without a call."""

    @pytest.mark.parametrize(
        ("function", "bits"),
        [
            (lambda x: x & 0x60, 0x60),
            (lambda x: x | 0x60, 0x7FF & ~0x60),
            (lambda x: x ^ 0x60, 0x7FF),
            (lambda x: (x & 0x30) & (x & 0x60), 0x20),
            (lambda x: x >> 5 & 1, 0x20),
            (lambda x: (x & 1) << 5 & 0x60, 0x1),
            (NESTED, 0xE0 | 0x400),
            (lambda x: 1 if x & IO else 2, IO),
            (KERNEL.gfp_zone, 0xF),
            (lambda _: 3, 0),
        ],
    )
    def test_the_bits_that_are_looked_at(self, function: Callable[[Any], Any], bits: int) -> None:
        assert looks_at(followed(function)) == bits

    @pytest.mark.parametrize(
        ("function", "form"),
        [
            (lambda x: x & 0x60 | 1, MaskFilter(0x60, 1)),
            (lambda x: NESTED(NESTED(x)), MaskFilter(0x4E0, 0x92000)),
            (lambda x: x & IO and 1, None),
        ],
    )
    def test_the_form_that_is_shown(self, function: Callable[[Any], Any], form: Form | None) -> None:
        found = as_form(followed(function), BITS, CallableSide(function, KERNEL).outcome)
        assert found == form or (form is None and isinstance(found, MaskTable) and found.bits == (6,))

    def test_a_flag_that_is_flipped_is_no_filter(self) -> None:
        assert as_form(followed(lambda x: x ^ IO), BITS, CallableSide(lambda x: x ^ IO, KERNEL).outcome) is None

    def test_a_call_that_may_fire_counts_though_its_answer_is_not_used(self) -> None:
        (path,) = followed(lambda x: [KERNEL.gfp_zone(x), x][1])
        assert [call.called.name for call in path.calls] == ["gfp_zone"]
        assert looks_at([path]) == 0x7FF
        assert as_form([path], BITS, lambda _: pytest.fail("no form")) is None

    def test_each_branch_is_a_path_and_a_range_check_is_none(self) -> None:
        assert len(followed(lambda x: 1 if x & IO else 2 if x & HIGH else 3)) == 3
        assert len(followed(lambda x: x if 0 <= x <= 0xFFFFFFFF else 0)) == 1

    @pytest.mark.parametrize(
        "function",
        [
            int,
            lambda x: x + 1,
            lambda x: [0] * 4096 and [0, 1][x],
            lambda x: {1: 2}.get(x, 3),
            lambda x: f"{x:#x}" and 0,
            lambda x: x | -1,
            lambda x: x | 1 << 32,
            lambda x: 1 << x,
            lambda x: sum(1 for b in range(11) if x >> b & 1),
            lambda x: x / 0,
            lambda _: "text",
        ],
        ids=["int", "plus", "index", "key", "text", "negative", "wide", "shift", "paths", "raises", "no number"],
    )
    def test_what_cannot_be_followed_is_not(self, function: Callable[[Any], Any]) -> None:
        with pytest.raises(Untraceable):
            followed(function)
