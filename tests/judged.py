# SPDX-License-Identifier: GPL-2.0-only
"""
A kernel made of Python: what the checks look at, with functions in place of compiled C. Small enough to be counted by
hand: eleven bits, 2048 inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from table import full

from pygfp.checking.view import View
from pygfp.config import Selection
from pygfp.errors import HelperCrashed
from pygfp.forms import Outcome
from pygfp.mine import mine
from pygfp.model.policy import Policy
from pygfp.native.jobs import Tally
from pygfp.native.plan import Build, Constant, HelperPlan, Meaning, SegmentPlan
from pygfp.native.session import Session
from pygfp.releases import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pygfp.forms import Form
    from pygfp.native.jobs import Job, LawJob

#: A flag for each bit, lowest first.
FLAGS = full("DMA HIGHMEM DMA32 MOVABLE IO FS DIRECT_RECLAIM KSWAPD_RECLAIM NOWARN NORETRY NOMEMALLOC")
BITS = {name: bit for bit, name in enumerate(FLAGS)}
INPUTS = 2048
KEEP, FORCE = 0xF0, 0x700
GFP_H, TYPES_H = "include/linux/gfp.h", "include/linux/gfp_types.h"


def nested(x: int) -> Outcome:
    """What gfp_nested_mask() is on these flags."""
    return Outcome((x & KEEP) | FORCE)


@dataclass
class PythonPool:
    """
    Workers that call Python, by segment and helper.

    :ivar swept: how many sweeps were asked for
    """

    functions: dict[tuple[int, str], Callable[..., Outcome]]
    swept: int = 0
    domains: list[int] = field(default_factory=list)

    def call(self, segment: int, helper: str, inputs: Sequence[int], *, ungrouped: bool = False) -> list[Outcome]:
        function = self.functions[segment, helper]
        return [function(x, ungrouped) if ungrouped else function(x) for x in inputs]

    def mine(self, segment: int, helper: str, n_bits: int, *, is_filter: bool, ungrouped: bool = False) -> Form | None:
        return mine(lambda xs: self.call(segment, helper, xs, ungrouped=ungrouped), n_bits, is_filter=is_filter)

    def sweep(self, jobs: Sequence[Job]) -> list[Tally]:
        self.swept += len(jobs)
        self.domains += [job.count for job in jobs]
        return [self._one(job, lambda x, y, job=job: not y.agrees(job.form.outcome(x))) for job in jobs]

    def judge(self, job: LawJob) -> list[Tally]:
        outer = self

        class Asked:
            def outcome(self, x: int) -> Outcome:
                return outer.call(job.segment, job.helper, [x])[0]

        return [self._one(job, lambda x, _, law=law: law.broken_by(Asked(), x)) for law in job.laws]

    def _one(self, job: Job | LawJob, wrong: Callable[[int, Outcome], bool]) -> Tally:
        try:
            answers = self.call(job.segment, job.helper, range(job.count), ungrouped=getattr(job, "ungrouped", False))
            found = [x for x, y in enumerate(answers) if wrong(x, y)]
        except HelperCrashed as exc:
            return Tally(crash=exc)
        fewest = min(found, key=lambda x: (x.bit_count(), x), default=None)
        return Tally(job.count, len(found), min(found, default=None), fewest)


def constants(**over: Any) -> dict[str, Constant]:  # noqa: ANN401 - values by name
    """The flags, the shift and the mask; *over* adds or replaces values, and drops those that are None."""
    values = {**{name: 1 << bit for name, bit in BITS.items()}, "__GFP_BITS_SHIFT": 11, "__GFP_BITS_MASK": 0x7FF}
    values |= over
    plain = {"__GFP_BITS_SHIFT"} | {n for n in values if not n.lstrip("_").startswith("GFP_")}
    return {
        n: v if isinstance(v, Constant) else Constant(v, 4, n not in plain) for n, v in values.items() if v is not None
    }


def helper(name: str, result: str = "bool", **over: Any) -> HelperPlan:  # noqa: ANN401 - fields of a plan
    """A helper that has one meaning in one configuration, at lines 10 to 20 of gfp.h."""
    plan = HelperPlan(name, GFP_H, 10, 20, result, ["gfp_t"], meanings=[Meaning(0, [{}])])
    return replace(plan, **over)


def row(**over: Any) -> Row:  # noqa: ANN401 - fields of a row
    """The reference: these flags, and GFP_KERNEL."""
    plain = Row(
        name="v9.1",
        version="9.1.4",
        flags={name: {"bit": bit} for name, bit in BITS.items()},
        composites={"GFP_KERNEL": ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]},
        helper_files={"gfp_nested_mask": [GFP_H], "gfp_zone": [GFP_H]},
        config_symbols=[],
        bits_shift={"none": 11},
        trace_names=[],
        split=True,
    )
    return replace(plain, **over)


def view(  # noqa: PLR0913 - each has a default
    functions: dict[Any, Callable[..., Outcome]] | None = None,
    plans: Sequence[HelperPlan] = (),
    *,
    segments: Sequence[SegmentPlan] = (),
    reference: Row | None = None,
    policy: Policy | None = None,
    full: bool = False,
    fixed: dict[str, bool] | None = None,
    **build: Any,  # noqa: ANN401 - fields of a build
) -> View:
    """A kernel of *functions*, by helper, or by segment and helper."""
    made = session(functions, plans, segments=segments, fixed=fixed, **build)
    return View(made, reference or row(), policy or Policy(), full=full)


def session(  # noqa: PLR0913 - each has a default
    functions: dict[Any, Callable[..., Outcome]] | None = None,
    plans: Sequence[HelperPlan] = (),
    *,
    segments: Sequence[SegmentPlan] = (),
    fixed: dict[str, bool] | None = None,
    label: str = "by hand",
    files: dict[str, bytes] | None = None,
    **build: Any,  # noqa: ANN401 - fields of a build
) -> Session:
    """An opened kernel of *functions*, by helper, or by segment and helper."""
    keyed = {k if isinstance(k, tuple) else (0, k): f for k, f in (functions or {}).items()}
    made = Build(
        list(segments) or [SegmentPlan(0, {}, constants=constants())],
        list(plans),
        **{"gfp_t_bits": 32, "alone": "", **build},
    )
    held = {GFP_H: b"", TYPES_H: b""} if files is None else files
    source: Any = SimpleNamespace(files=held, label=label, release="9.1.4", kind="tree", digest=f"digest of {label}")
    pool: Any = PythonPool(keyed)
    return Session(source, Selection(fixed or {}), made, pool, "no compiler")
