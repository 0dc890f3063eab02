# SPDX-License-Identifier: GPL-2.0-only
"""
How fuzzing draws: a property, the driver that tries it, and the inputs that a reader of a language may be given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from pygfp.errors import PygfpError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Property:
    """
    Something that must hold of every input.

    :ivar name: what, with the reader that it is of in front
    :ivar values: the strategy; called when it is needed
    :ivar holds: raises something that is no PygfpError where the property does not hold
    :ivar examples: how many values the normal test run draws
    :ivar may_refuse: a PygfpError is an answer too
    """

    name: str
    values: Callable[[], st.SearchStrategy[Any]]
    holds: Callable[[Any], None]
    examples: int = 40
    may_refuse: bool = True


def run(prop: Property, examples: int, number: int) -> tuple[int, int]:
    """Draw *examples* values of *prop* from seed *number*; return how many were tried, and how many of them refused."""
    tried = refused = 0

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    @given(prop.values())
    def drive(value: object) -> None:
        nonlocal tried, refused
        tried += 1
        try:
            prop.holds(value)
        except PygfpError:
            if not prop.may_refuse:
                raise
            refused += 1

    drive()
    return tried, refused


# Inputs: soups of the words of a language, good samples with damage done to them, and any bytes at all.


def soup(words: Sequence[bytes], most: int = 30) -> st.SearchStrategy[bytes]:
    """Words of a language in any order."""
    return st.lists(st.sampled_from(words), max_size=most).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A good sample with a few cuts, copies, insertions and flipped bits."""
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        to = min(at + draw(st.integers(0, 40)), len(data))
        what = draw(st.sampled_from(("cut", "copy", "word", "flip", "short", "move")))
        if what == "cut":
            del data[at:to]
        elif what == "copy":
            data[at:at] = data[at:to] * draw(st.integers(1, 3))
        elif what == "word":
            data[at:at] = draw(st.sampled_from(words))
        elif what == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "short":
            del data[at:]
        elif what == "move":
            piece = bytes(data[at:to])
            del data[at:to]
            there = draw(st.integers(0, len(data)))
            data[there:there] = piece
    return bytes(data)


def inputs(samples: Sequence[bytes], words: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Whatever may be given to a reader of such a language."""
    return st.one_of(damaged(samples, words), soup(words), st.binary(max_size=200))


def as_text(strategy: st.SearchStrategy[bytes]) -> st.SearchStrategy[str]:
    """The same as text."""
    return strategy.map(lambda data: data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())
