# SPDX-License-Identifier: GPL-2.0-only
"""
Functions of a mask at random, for hypothesis: operators, constants, branches and helpers, nested.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import pygfp

if TYPE_CHECKING:
    from collections.abc import Callable

KERNEL = pygfp.load("bundled")
NESTED = KERNEL.gfp_nested_mask
IO, FS, DMA, HIGH = (int(KERNEL[f"__GFP_{n}"]) for n in ("IO", "FS", "DMA", "HIGH"))


def answer(function: Callable[[Any], Any], x: int) -> object:
    try:
        return function(KERNEL.mask(x))
    except pygfp.BugFired:
        return "BUG"


#: An expression over x, as a function of it: operators, constants, branches and helpers.
leaves = st.one_of(
    st.just(lambda x: x),
    st.integers(0, 0xFFF).map(lambda c: lambda x: x & c),
)


def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    constants = st.integers(0, 0xFFF)
    operators = st.sampled_from([operator.and_, operator.or_, operator.xor])
    comparisons = st.sampled_from([operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt])
    return st.one_of(
        st.tuples(operators, inner, inner).map(lambda t: lambda x: t[0](t[1](x), t[2](x))),
        st.tuples(operators, inner, constants).map(lambda t: lambda x: t[0](t[1](x), t[2])),
        inner.map(lambda f: lambda x: ~f(x)),
        inner.map(lambda f: lambda x: NESTED(f(x))),
        st.tuples(inner, st.integers(0, 11)).map(lambda t: lambda x: x & (t[0](x) >> t[1])),
        st.tuples(inner, st.integers(0, 11)).map(lambda t: lambda x: x ^ ((t[0](x) & 0x7FF) << t[1] & 0xFFF)),
        inner.map(lambda f: lambda x: f(x) | (KERNEL.gfp_zone(f(x)) << 2)),
        inner.map(lambda f: lambda x: KERNEL.mask(3) & x if KERNEL.gfp_has_io_fs(f(x)) else f(x)),
        st.tuples(inner, constants).map(lambda t: lambda x: x if t[0](x) & t[1] else t[0](x) ^ t[1]),
        st.tuples(inner, constants, comparisons).map(lambda t: lambda x: x & 7 if t[2](t[0](x), t[1]) else t[0](x)),
    )


expressions = st.recursive(leaves, extend, max_leaves=6)
