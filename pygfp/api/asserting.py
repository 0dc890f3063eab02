# SPDX-License-Identifier: GPL-2.0-only
"""
Assertions over a whole domain, whose messages show the smallest witness on both sides in names and hex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..forms import MaskFilter
from ..laws import judge
from ..model.laws import LAWS
from ..native.jobs import LawJob
from ..native.pool import BLOCK
from .masks import Mask
from .sides import HelperSide, kernels_of, side
from .sweeping import Bar, Tally, domain_of, in_chunks, numpy, paced, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..forms import Outcome
    from ..laws import MaskLaw
    from ..model.laws import Law
    from .kernel import Kernel
    from .sides import Side
    from .sweeping import Comparison, Difference, Domain, Progress


def assert_equal_everywhere(
    f: object,
    g: object,
    domain: str | Iterable[int] | None = None,
    *,
    kernel: Kernel | None = None,
    on_progress: Progress | None = None,
) -> None:
    """
    Compare *f* and *g* on every input of a domain; see :func:`pygfp.sweep` for what they can be.

    :raises AssertionError: they differ; the message shows the smallest input on which they do
    """
    __tracebackhide__ = True
    found = sweep(f, g, domain, kernel=kernel, on_progress=on_progress)
    if not found:
        raise AssertionError(difference_text(found))


def assert_law(
    f: object,
    law: str | Law,
    domain: str | Iterable[int] | None = None,
    *,
    kernel: Kernel | None = None,
    on_progress: Progress | None = None,
) -> None:
    """
    Judge the filter *f* by a law of nested allocation on every input of a domain.

    :param law: its id, ``"no-zone"``, or a law of one's own
    :raises AssertionError: an input breaks the law; the message shows the smallest one
    :raises UsageError: there is no law of that id, or *f* belongs to no kernel
    """
    __tracebackhide__ = True
    chosen = _law(law)
    kernels = kernels_of(kernel, f)
    if not kernels:
        raise UsageError("a law speaks of flags: name the kernel that has them (kernel=)")
    judged = side(f, kernels)
    inputs = domain_of(kernels, domain)
    tally = _judge(judged, chosen.lower(kernels[0].table), inputs, on_progress or Bar())
    if tally.mismatches:
        raise AssertionError(_law_text(judged, chosen, tally, inputs, kernels[0]))


def _law(law: str | Law) -> Law:
    if not isinstance(law, str):
        return law
    found = next((one for one in LAWS if one.id == law), None)
    if found is None:
        raise UsageError(f"no law {law!r}; expected one of {', '.join(one.id for one in LAWS)}")
    return found


def _judge(judged: Side, law: MaskLaw, domain: Domain, progress: Progress) -> Tally:
    """How many inputs break *law*: by reasoning on a proven filter, else in the workers, else one by one."""
    if isinstance(judged, HelperSide) and not judged.helper.is_filter:
        raise UsageError(f"{judged.helper.name}() returns no gfp_t, and a law speaks of filters")
    tally = Tally()
    if domain.bits is not None:
        form = judged.form(domain.bits)
        if isinstance(form, MaskFilter):
            verdict = judge(form, law, domain.bits)
            tally = Tally(verdict.mismatches, verdict.first, verdict.smallest)
        elif isinstance(judged, HelperSide) and 1 << domain.bits >= BLOCK:
            tally = _judge_compiled(judged, law, domain.bits)
        elif not _judge_arrays(judged, law, domain.bits, tally, progress):
            _judge_values(judged, law, range(1 << domain.bits), tally, progress)
    _judge_values(judged, law, domain.extra, tally, progress)
    return tally


def _judge_compiled(judged: HelperSide, law: MaskLaw, bits: int) -> Tally:
    helper = judged.helper
    with helper.kernel.working() as session:
        found = session.pool.judge(LawJob(helper.segment, helper.name, (law,), 1 << bits))[0]
    if found.crash:
        raise found.crash
    return Tally(found.mismatches, found.first, found.smallest)


def _judge_arrays(judged: Side, law: MaskLaw, bits: int, tally: Tally, progress: Progress) -> bool:
    """A chunk of inputs at a time; False where *judged* cannot be put through arrays."""
    np = numpy()
    seen = judged.array(np, bits) if np else None
    if seen is None:
        return False

    def broken(xs: Any) -> Any:  # noqa: ANN401 - arrays
        ys, events = seen(xs)
        wrong = (ys & ~xs & law.gained) | (xs & ~ys & law.lost) | (~ys & law.set) | (ys & law.clear)
        found = (wrong != 0) | (events == 1)
        for mask in law.any:
            found |= ((xs & mask) != 0) != ((ys & mask) != 0)
        for mask in law.all:
            found |= ((xs & mask) == mask) != ((ys & mask) == mask)
        return found | (seen(ys)[0] != ys) if law.idempotent else found

    in_chunks(np, bits, broken, tally, progress)
    return True


def _judge_values(judged: Side, law: MaskLaw, values: Sequence[int], tally: Tally, progress: Progress) -> None:
    for x in paced(values, progress):
        seen = judged.outcome(x)
        if seen.bug or law.broken_by(judged, x):
            tally.add(1, x, x)


def difference_text(found: Comparison) -> str:
    """Return *found* as an assertion message."""
    lines = [f"{found.left}", f"  differs from {found.right}"]
    lines.append(f"  on {found.mismatches:,} of {found.inputs:,} inputs: {found.domain}")
    if found.smallest is not None:
        lines += _witness("smallest", found.smallest)
    if found.first is not None and found.first != found.smallest:
        lines += _witness("first", found.first)
    return "\n".join(lines)


def _witness(what: str, found: Difference) -> list[str]:
    left, right = found.left, found.right
    kind = next((type(v) for v in (left.value, right.value) if isinstance(v, Mask)), None)
    lines = [f"  {what} input  {_named(found.input)}"]
    lines += [f"    {name:<5}  {_answer(one, kind)}" for name, one in (("left", left), ("right", right))]
    if kind is not None and not left.bug and not right.bug:
        only = [("left", left.value & ~right.value), ("right", right.value & ~left.value)]
        lines += [f"    only {name}: {' '.join(kind(mask).flags)}" for name, mask in only if mask]
    return lines


def _named(value: int) -> str:
    return f"{value:#x}  {value!r}" if isinstance(value, Mask) else f"{value:#x}"


def _answer(outcome: Outcome, kind: type[Mask] | None) -> str:
    if outcome.bug:
        return "BUG fires"
    value = outcome.value
    fits = kind is not None and 0 <= value <= kind.every
    text = _named(kind(value)) if kind is not None and fits else repr(value)
    return f"{text}, and WARN fires" if outcome.warned else text


def _law_text(judged: Side, law: Law, tally: Tally, domain: Domain, kernel: Kernel) -> str:
    lines = [f"{judged.label}", f"  breaks the law {law.id}: {law.text}"]
    lines.append(f"  on {tally.mismatches:,} of {domain.size:,} inputs: {domain.text}")
    for what, x in (("smallest", tally.smallest), ("first", tally.first)):
        if x is not None and (what == "smallest" or x != tally.smallest):
            lines.append(f"  {what} input  {_named(kernel.mask(x))}")
            lines.append(f"    result  {_answer(judged.outcome(x), kernel.mask_type)}")
    lines.append(f"  Where that does not hold, {law.why}.")
    return "\n".join(lines)
