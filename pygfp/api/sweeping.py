# SPDX-License-Identifier: GPL-2.0-only
"""
Two functions of a mask on a whole domain: helpers, declared forms and Python callables, on either side.

The fastest way that is exact is taken: compiled C against a form in worker processes; every combination of the bits on
which either side can depend; arrays; and for a callable of which nothing is known, one value at a time.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..checking.view import defined_bits
from ..errors import UsageError
from ..native.jobs import Job
from ..native.pool import BLOCK
from .sides import HelperSide, kernels_of, side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..forms import Outcome
    from .kernel import Kernel
    from .sides import Side

    Progress = Callable[[int, int, float], None]

#: Inputs in one array, and between two looks at the clock where values go one at a time.
_CHUNK = 1 << 16
_STEP = 1 << 12
#: Progress is shown where a sweep is expected to take longer.
_PATIENCE_S = 2.0
_PACE_S = 0.2
#: More bits that matter take longer one by one than all bits take in arrays.
_REDUCED_BITS = 14
#: Wider masks are not put into arrays.
_LANE_BITS = 62


@dataclass(frozen=True)
class Difference:
    """One input on which two functions differ, and what each of them does with it."""

    input: int
    left: Outcome
    right: Outcome


@dataclass(frozen=True)
class Comparison:
    """
    What a sweep found. True where both sides agree on every input.

    :ivar left: what the first function is called
    :ivar right: what the second one is called
    :ivar inputs: how many inputs were compared
    :ivar mismatches: how many of them differ
    :ivar first: the lowest input that differs, or None; the first one of a domain that was listed
    :ivar smallest: of the inputs that differ, the lowest with the fewest bits, or None
    :ivar domain: the inputs in words
    :ivar how: the way that was taken: ``compiled`` C against a form, every combination of the ``bits`` on which either
        side can depend, ``arrays``, or ``values`` one at a time
    """

    left: str
    right: str
    inputs: int
    mismatches: int
    first: Difference | None
    smallest: Difference | None
    domain: str
    how: str

    def __bool__(self) -> bool:
        """Whether both sides agree on every input."""
        return not self.mismatches


@dataclass(frozen=True)
class Domain:
    """
    The inputs of a sweep.

    :ivar bits: every value below ``2**bits``; None: only *extra*
    :ivar extra: further inputs
    """

    bits: int | None
    text: str
    extra: Sequence[int] = ()

    @property
    def size(self) -> int:
        """How many inputs."""
        return (0 if self.bits is None else 1 << self.bits) + len(self.extra)

    def values(self) -> Iterator[int]:
        """Yield every input, in order."""
        if self.bits is not None:
            yield from range(1 << self.bits)
        yield from self.extra


def domain_of(kernels: Sequence[Kernel], domain: str | Iterable[int] | None) -> Domain:
    """
    Return the inputs that *domain* means for *kernels*.

    :param domain: None: every value of the defined bits; ``"full"``: every value of ``gfp_t``; or the inputs themselves
    :raises UsageError: it has no input, or cannot be meant
    """
    width = max((k.build.gfp_t_bits for k in kernels), default=32)
    if domain is None:
        bits = max((defined_bits(k.build, k.row) for k in kernels), default=width)
        return Domain(bits, f"every value of the defined bits (2^{bits} inputs)")
    if domain == "full":
        return _full(kernels, width)
    if isinstance(domain, str):
        raise UsageError(f'domain {domain!r}: expected "full", inputs, or None for every value of the defined bits')
    if isinstance(domain, range) and domain == range(1 << (n := max(len(domain).bit_length() - 1, 0))):
        return Domain(n, f"every value below 2^{n}")
    inputs = [int(x) for x in domain]
    if not inputs:
        raise UsageError("domain: there is no input in it, and nothing would be compared")
    return Domain(None, f"{len(inputs)} inputs that were given", inputs)


def _full(kernels: Sequence[Kernel], width: int) -> Domain:
    if width <= 32:  # noqa: PLR2004 - as many as a sweep can visit
        return Domain(width, f"every value of gfp_t (2^{width} inputs)")
    low = domain_of(kernels, None)
    above = [1 << bit for bit in range(low.bits or 0, width)]
    text = f"every value of the {low.bits} defined bits, and each higher bit of gfp_t alone and all together"
    return Domain(low.bits, text, [*above, sum(above), (1 << width) - 1])


@dataclass
class Tally:
    """The differences so far."""

    mismatches: int = 0
    first: int | None = None
    smallest: int | None = None

    def add(self, count: int, first: int, smallest: int) -> None:
        """Take in *count* differences that come after those so far."""
        self.mismatches += count
        self.first = first if self.first is None else self.first
        found = (smallest, *(() if self.smallest is None else (self.smallest,)))
        self.smallest = min(found, key=lambda x: (x.bit_count(), x))


def sweep(
    f: object,
    g: object,
    domain: str | Iterable[int] | None = None,
    *,
    kernel: Kernel | None = None,
    on_progress: Progress | None = None,
) -> Comparison:
    """
    Return how *f* and *g* compare on every input of a domain.

    >>> import pygfp
    >>> kernel = pygfp.load("bundled")
    >>> nested = kernel.gfp_nested_mask
    >>> found = pygfp.sweep(nested, lambda mask: nested(nested(mask)))
    >>> bool(found), found.inputs, found.how
    (True, 134217728, 'compiled')

    A side is a helper of a kernel, a form (``MaskFilter``, ``MaskTable``, what ``gfp_model`` gives), or a callable of
    one mask that returns an int, a bool or an :class:`Outcome`. With a plain value its events are those of the helpers
    that it calls. A callable of operators, branches and helpers is followed instead of being called for each input.

    :param domain: None: every value of the bits that the kernels of both sides define; ``"full"``: every value of
        ``gfp_t``; or the inputs themselves
    :param kernel: of whose masks a callable is called; default: that of the other side. Without any it gets plain ints
    :param on_progress: is told inputs done, inputs in all, and the seconds that are expected to be left; None: a
        bar on a terminal
    :raises UsageError: there is no input, or a side is none
    :raises HelperCrashed: a helper crashes or does not return
    :raises Exception: what a callable raises; a note says on which input
    """
    kernels = kernels_of(kernel, f, g)
    chosen = domain_of(kernels, domain)
    left, right = side(f, kernels), side(g, kernels)
    tally, how = _compare(left, right, chosen, on_progress or Bar())

    def difference(x: int | None) -> Difference | None:
        if x is None:
            return None
        owner = kernels[0] if kernels else None
        named = owner.mask(x) if owner and x <= owner.mask_type.every else x
        return Difference(named, left.outcome(x), right.outcome(x))

    first, smallest = difference(tally.first), difference(tally.smallest)
    return Comparison(left.label, right.label, chosen.size, tally.mismatches, first, smallest, chosen.text, how)


def _compare(left: Side, right: Side, domain: Domain, progress: Progress) -> tuple[Tally, str]:
    """The differences, and the way that was taken to find them."""
    tally = Tally()
    how = "values"
    if domain.bits is not None:
        ways = (("compiled", _compiled), ("bits", _reduced), ("arrays", _arrays), ("values", _every_value))
        how = next(way for way, compare in ways if compare(left, right, domain.bits, tally, progress))
    _by_value(left, right, domain.extra, tally, progress)
    return tally, how


def _compiled(left: Side, right: Side, bits: int, tally: Tally, _: Progress) -> bool:
    """Compiled C against a form, in the workers."""
    for one, other in ((left, right), (right, left)):
        if not isinstance(one, HelperSide) or 1 << bits < BLOCK:
            continue
        form = other.form(bits)
        expected = None if form is None else one.lowered(form)
        if expected is None:
            continue
        helper = one.helper
        with helper.kernel.working() as session:
            found = session.pool.sweep([Job(helper.segment, helper.name, expected, 1 << bits)])[0]
        if found.crash:
            raise found.crash
        tally.mismatches, tally.first, tally.smallest = found.mismatches, found.first, found.smallest
        return True
    return False


def _reduced(left: Side, right: Side, bits: int, tally: Tally, progress: Progress) -> bool:
    """
    Every combination of the bits that matter to either side, with all other bits 0.

    Each stands for as many inputs as the others have combinations, and is the lowest and smallest of them.
    """
    one, other = left.looks_at(bits), right.looks_at(bits)
    if one is None or other is None:
        return False
    mattering = [b for b in range(bits) if (one | other) >> b & 1]
    if len(mattering) > _REDUCED_BITS:
        return False
    inputs = [sum(1 << b for n, b in enumerate(mattering) if index >> n & 1) for index in range(1 << len(mattering))]
    _by_value(left, right, inputs, tally, progress)
    tally.mismatches <<= bits - len(mattering)
    return True


def _arrays(left: Side, right: Side, bits: int, tally: Tally, progress: Progress) -> bool:
    """Both sides as arrays, a chunk at a time."""
    np = numpy()
    if not np or bits > _LANE_BITS:
        return False
    one, other = left.array(np, bits), right.array(np, bits)
    if one is None or other is None:
        return False

    def differ(xs: Any) -> Any:  # noqa: ANN401 - arrays
        (a, a_events), (b, b_events) = one(xs), other(xs)
        return (a_events != b_events) | ((a_events != 1) & (a != b))

    in_chunks(np, bits, differ, tally, progress)
    return True


def numpy() -> Any:  # noqa: ANN401 - optional
    """Return numpy, or None where it is not installed."""
    try:
        import numpy as np  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return np


def in_chunks(np: Any, bits: int, wrong: Callable[[Any], Any], tally: Tally, progress: Progress) -> None:  # noqa: ANN401
    """Put every input below ``2**bits`` through *wrong*, and count those for which it is true."""
    started = time.monotonic()
    total = 1 << bits
    for base in range(0, total, _CHUNK):
        xs = np.arange(base, min(base + _CHUNK, total), dtype=np.int64)
        found = xs[wrong(xs)]
        if len(found):
            tally.add(len(found), int(found[0]), int(_fewest(np, found).min()))
        _tell(progress, started, base + len(xs), total)


def _fewest(np: Any, found: Any) -> Any:  # noqa: ANN401 - numpy
    """Those of *found* that have the fewest bits."""
    counts = np.bitwise_count(found) if hasattr(np, "bitwise_count") else np.array([int(x).bit_count() for x in found])
    return found[counts == counts.min()]


def _every_value(left: Side, right: Side, bits: int, tally: Tally, progress: Progress) -> bool:
    _by_value(left, right, range(1 << bits), tally, progress)
    return True


def _by_value(left: Side, right: Side, values: Sequence[int], tally: Tally, progress: Progress) -> None:
    """One value at a time."""
    for x in paced(values, progress):
        if not left.outcome(x).agrees(right.outcome(x)):
            tally.add(1, x, x)


def paced(values: Sequence[int], progress: Progress) -> Iterator[int]:
    """Yield *values*, and tell *progress* now and then how far they are."""
    started = time.monotonic()
    total = len(values)
    for n, x in enumerate(values, 1):
        yield x
        if n % _STEP == 0:
            _tell(progress, started, n, total)


def _tell(progress: Progress, started: float, done: int, total: int) -> None:
    elapsed_s = time.monotonic() - started
    progress(done, total, elapsed_s / done * (total - done))


class Bar:
    """
    Progress on a terminal, where a sweep takes longer than a moment: how much is done, and how long the rest will take
    at the pace so far.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self._started = time.monotonic()
        self._shown_at = 0.0

    def __call__(self, done: int, total: int, left_s: float) -> None:
        """Take note that *done* of *total* inputs are compared, and that the rest should take *left_s*."""
        now = time.monotonic()
        if self._shown_at and done == total:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201 - the bar
        elif sys.stderr.isatty() and now > self._shown_at + _PACE_S and now - self._started + left_s > _PATIENCE_S:
            filled = 20 * done // total
            text = f"{'#' * filled:.<20} {done:,} of {total:,} inputs, about {duration(left_s)} left"
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)  # noqa: T201 - the bar
            self._shown_at = now


def duration(seconds: float) -> str:
    """
    Return *seconds* as people say it.

    >>> duration(7.4), duration(200), duration(9000)
    ('7 s', '3 min', '2.5 h')
    """
    if seconds < 90:  # noqa: PLR2004 - below it seconds are easier to grasp
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - ditto
