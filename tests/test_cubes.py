# SPDX-License-Identifier: GPL-2.0-only
"""Configurations in words: the words mean just the configurations that were chosen."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygfp.explaining.cubes import phrase

if TYPE_CHECKING:
    from pygfp.config import Assignment

SYMBOLS = ("A", "B", "C")
EVERY = [dict(zip((f"CONFIG_{s}" for s in SYMBOLS), v, strict=True)) for v in product((False, True), repeat=3)]


#: The middle of these three neighbours goes with either of the others; it needs no part of its own.
_TWO_PARTS = "without A and B, or with B, without C"


def means(words: str, config: Assignment) -> bool:
    """Whether *words* are true of *config*, read as a person reads them."""
    if not words:
        return True

    def holds(part: str) -> bool:
        clauses = re.findall(r"(with|without) ([A-Z]+(?:(?:, | and )[A-Z]+)*)", part)
        assert clauses, part
        return all(
            config[f"CONFIG_{s}"] is (kind == "with") for kind, names in clauses for s in re.findall("[A-Z]+", names)
        )

    return any(holds(part) for part in words.split(", or "))


@settings(deadline=None, max_examples=300)
@given(st.sets(st.integers(0, 7), min_size=1))
def test_the_words_are_true_of_the_chosen_ones_alone(chosen: set[int]) -> None:
    words = phrase([EVERY[n] for n in sorted(chosen)], EVERY)
    assert {n for n, config in enumerate(EVERY) if means(words, config)} == chosen


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (lambda c: c["CONFIG_A"], "with A"),
        (lambda c: not c["CONFIG_B"], "without B"),
        (lambda c: c["CONFIG_A"] and not c["CONFIG_C"], "with A, without C"),
        (lambda c: all(c.values()), "with A, B and C"),
        (lambda c: not any(c.values()), "without A, B and C"),
        (lambda c: c["CONFIG_A"] or c["CONFIG_B"], "with B, or with A"),
        (lambda c: not (c["CONFIG_A"] or c["CONFIG_B"]) or (c["CONFIG_B"] and not c["CONFIG_C"]), _TWO_PARTS),
        (lambda _: True, ""),
    ],
)
def test_they_are_as_short_as_can_be(chosen: object, words: str) -> None:
    assert callable(chosen)
    assert phrase([c for c in EVERY if chosen(c)], EVERY) == words


def test_configurations_that_do_not_exist_are_not_told_apart() -> None:
    there = [c for c in EVERY if c["CONFIG_A"] == c["CONFIG_B"]]
    assert phrase([c for c in there if c["CONFIG_A"]], there) == "with A"
