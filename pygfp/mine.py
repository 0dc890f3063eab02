# SPDX-License-Identifier: GPL-2.0-only
"""
Mined forms: guess the form of a helper from a few calls. The guess is nothing until a sweep proves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .forms import MaskFilter, MaskTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .forms import Form, Outcome

    Call = Callable[[Sequence[int]], Sequence[Outcome]]

#: More bits than this in one table, and there is no form.
MAX_TABLE_BITS = 10


def mine_filter(call: Call, n_bits: int) -> MaskFilter | None:
    """
    Return the filter that *call* looks like, or None where no filter answers like it.

    :param call: evaluates the helper on a list of inputs
    :param n_bits: the inputs are ``0 <= x < 2**n_bits``
    """
    every = (1 << n_bits) - 1
    probes = [0, every, *(1 << b for b in range(n_bits)), *(every & ~(1 << b) for b in range(n_bits))]
    outcomes = call(probes)
    force = outcomes[0].value
    form = MaskFilter(outcomes[1].value & ~force & every, force)
    fits = all(o.agrees(form.outcome(x)) for x, o in zip(probes, outcomes, strict=True))
    return form if fits else None


def mine_table(call: Call, n_bits: int) -> MaskTable | None:
    """
    Return the table that *call* looks like, or None where it depends on more than MAX_TABLE_BITS bits.

    Whether a bit matters is asked around zero, all ones, every single bit and every single gap.
    """
    every = (1 << n_bits) - 1
    bases = [0, every, *(1 << b for b in range(n_bits)), *(every & ~(1 << b) for b in range(n_bits))]
    inputs = [x for base in bases for x in (base, *(base ^ (1 << b) for b in range(n_bits)))]
    outcomes = call(inputs)
    relevant = set()
    for start in range(0, len(inputs), n_bits + 1):
        here = outcomes[start]
        relevant |= {b for b in range(n_bits) if not here.agrees(outcomes[start + 1 + b])}
    if len(relevant) > MAX_TABLE_BITS:
        return None
    bits = tuple(sorted(relevant))
    rows = call([sum(1 << bit for n, bit in enumerate(bits) if index >> n & 1) for index in range(1 << len(bits))])
    return MaskTable(bits, tuple(rows))


def mine(call: Call, n_bits: int, *, is_filter: bool) -> Form | None:
    """Return the form that *call* looks like, or None."""
    return mine_filter(call, n_bits) if is_filter else mine_table(call, n_bits)
