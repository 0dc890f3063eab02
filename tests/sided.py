# SPDX-License-Identifier: GPL-2.0-only
"""
Two kernels made of Python, before and after an edit: what the parts of a diff look at. See ``judged.py``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from judged import constants, helper, nested, row, session

from pygfp.differing.sides import Side, Sides
from pygfp.errors import HelperCrashed
from pygfp.native.jobs import Tally
from pygfp.native.plan import SegmentPlan
from pygfp.native.session import AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pygfp.forms import Outcome
    from pygfp.native.jobs import Match, VersusJob
    from pygfp.native.plan import HelperPlan
    from pygfp.native.session import Session

#: The two values of the one symbol of most tests.
OFF, ON = {"CONFIG_A": False}, {"CONFIG_A": True}


def against(old: dict[str, Any], new: dict[str, Any], *, full: bool = False, **both: Any) -> Sides:  # noqa: ANN401
    """Two kernels: what :func:`judged.session` takes for either, and for both."""
    made = []
    for name, label, own in (("old", "before", old), ("new", "after", new)):
        over = {"label": label, **both, **own}
        reference = over.pop("reference", None) or row()
        made.append(Side(name, session(**over), reference))
    return Sides(made[0], made[1], full)


def one(**over: Any) -> dict[str, Any]:  # noqa: ANN401 - values by name
    """A kernel of one configuration, with these constants too."""
    return {"segments": [SegmentPlan(0, {}, constants=constants(**over))]}


def two(off: dict[str, Any], on: dict[str, Any]) -> dict[str, Any]:
    """A kernel whose flags depend on CONFIG_A."""
    segments = [SegmentPlan(n, c, constants=constants(**over)) for n, c, over in ((0, OFF, off), (1, ON, on))]
    return {"segments": segments, "flag_symbols": ["CONFIG_A"]}


def has(*plans: HelperPlan, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a build
    """A kernel with these helpers."""
    return {"plans": plans, **more}


def mask(**over: Any) -> HelperPlan:  # noqa: ANN401 - fields of a plan
    """The plan of gfp_nested_mask()."""
    return helper("gfp_nested_mask", "gfp_t", **over)


def crashing(*inputs: int) -> Callable[..., Outcome]:
    """The nested filter, which does not survive *inputs*."""

    def function(x: int) -> Outcome:
        if x in inputs:
            raise HelperCrashed("gfp_nested_mask", "crashes with SIGSEGV", x, x)
        return nested(x)

    return function


def failing(*, off: str = "", on: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a build
    """A kernel that cannot be built in a configuration."""
    made = two({}, {})
    made["segments"] = [replace(s, error=why) for s, why in zip(made["segments"], (off, on), strict=True)]
    return {**made, **more}


@dataclass
class BothPool:
    """
    Stands in for workers that hold two builds: a plain loop over the inputs that both sides have.

    :ivar asked: every job that there was
    :ivar elsewhere: helpers that are said to have crashed in another configuration
    """

    old: Session
    new: Session
    asked: list[VersusJob] = field(default_factory=list)
    elsewhere: set[int] = field(default_factory=set)

    def versus(self, jobs: Sequence[VersusJob]) -> list[list[Tally]]:
        self.asked += jobs
        return [self._one(job) for job in jobs]

    def _one(self, job: VersusJob) -> list[Tally]:
        if job.segment in self.elsewhere:
            crash = HelperCrashed(job.helper, "crashes elsewhere", 0, 0)
            return [Tally(crash=crash, elsewhere=True), Tally(), Tally()]
        wrong: tuple[list[int], ...] = ([], [], [])
        for n in range(job.count):
            try:
                old = self._call(self.old, job.segment, job, job.match.before(n))
                new = self._call(self.new, job.after - AFTER, job, job.match.after(n))
            except HelperCrashed as exc:
                # As the workers say it: of a job, and so in its first tally.
                return [Tally(crash=HelperCrashed(job.helper, exc.reason, n, n)), Tally(), Tally()]
            quiet = not old.bug and not new.bug
            apart = (quiet and not same(job.match, old.value, new.value), old.bug != new.bug)
            for found, is_wrong in zip(wrong, (*apart, quiet and old.warned != new.warned), strict=True):
                found.extend([n] * is_wrong)
        return [
            Tally(job.count, len(w), min(w, default=None), min(w, key=lambda n: (n.bit_count(), n), default=None))
            for w in wrong
        ]

    @staticmethod
    def _call(at: Session, segment: int, job: VersusJob, x: int) -> Outcome:
        return at.pool.call(segment, job.helper, [x], ungrouped=job.ungrouped)[0]


def same(match: Match, old: int, new: int) -> bool:
    """Whether two results are the same thing."""
    if not match.is_filter:
        return (match.renamed[old] if old < len(match.renamed) else old) == new
    known = [sum(1 << pair[side] for pair in match.results) for side in (0, 1)]
    stray = old & ~known[0] or new & ~known[1]
    return not stray and all(old >> a & 1 == new >> b & 1 for a, b in match.results)


def pool_of(sides: Sides, elsewhere: Sequence[int] = ()) -> tuple[Any, BothPool]:
    """What to put in the place of :func:`pygfp.native.session.both`, and the workers that it gives."""
    pool = BothPool(sides.old.session, sides.new.session, elsewhere=set(elsewhere))

    @contextmanager
    def both(old: Session, new: Session, jobs: int) -> Iterator[BothPool]:
        assert (old, new) == (sides.old.session, sides.new.session)
        assert jobs == 2
        yield pool

    return both, pool
