# SPDX-License-Identifier: GPL-2.0-only
"""
A whole diff of two kernels made of Python: what is opened, compared, judged and told, each worked out by hand.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from judged import BITS, GFP_H, INPUTS, TYPES_H, helper, nested, row
from sided import OFF, ON, against, one, two

from pygfp.changes import Change, DiffReport, Example, Problem
from pygfp.config import Selection
from pygfp.diff import Options
from pygfp.differing.found import Found
from pygfp.differing.proofs import Key, Proof
from pygfp.errors import BuildError, ExtractionError, NoSuchSubjectError
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.model.helpers import WANTED
from pygfp.native.plan import Meaning, SegmentPlan
from pygfp.report import Check, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pygfp.differing.sides import Side, Sides
    from pygfp.native.session import Session

#: The package has functions of these names.
diffing: Any = importlib.import_module("pygfp.diff")
checking: Any = importlib.import_module("pygfp.check")

IO, FS = "__GFP_IO", "__GFP_FS"
MASK, TRUTH = "gfp_nested_mask", "gfp_has_io_fs"
NONE: dict[str, bool] = {}
HAVE_MASK: dict[str, Any] = {"plans": [helper(MASK, "gfp_t")], "functions": {MASK: nested}}
MMFLAGS_H = "include/trace/events/mmflags.h"

#: An older release has the filter elsewhere.
ROWS = {"9.1.4": row(), "8.0": row(name="v8.0", version="8.0.1", helper_files={MASK: ["mm/slab.c"]})}

Kernel = dict[str, Any]


def without_fs(x: int) -> Outcome:
    return Outcome(nested(x).value & ~0x20)


@dataclass
class Opening:
    """
    Stands in for what opens a source: gives a session made before, and keeps what was asked.

    :ivar asked: label, jobs and listener of each
    :ivar closed: labels
    """

    sides: Sides
    selection: Selection = field(default_factory=Selection)
    failures: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, int, object]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def opened(self, source: Any, selection: Any, wanted: Any, *, jobs: int, on_command: Any) -> Opened:  # noqa: ANN401
        assert selection is self.selection
        assert wanted == WANTED
        self.asked.append((source.label, jobs, on_command))
        (session,) = [s.session for s in self.sides.both if s.session.source is source]
        return Opened(self, session)

    def diff(self, options: Options | None = None) -> DiffReport:
        old, new = (side.session.source for side in self.sides.both)
        return diffing.diff(old, new, self.selection, options)


@dataclass
class Opened:
    """What is opened; unlike a generator it is closed by nobody who forgets it."""

    by: Opening
    session: Session

    def __enter__(self) -> Session:
        label = self.session.source.label
        if label in self.by.failures:
            raise self.by.failures[label]
        return self.session

    def __exit__(self, *_: object) -> None:
        self.by.closed.append(self.session.source.label)


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Opening]:
    def call(old: Kernel, new: Kernel, **both: Any) -> Opening:  # noqa: ANN401 - fields of a build
        made = Opening(against(old, new, **both))
        monkeypatch.setattr(diffing, "opened", made.opened)
        monkeypatch.setattr(diffing.releases, "reference", ROWS.get)
        return made

    return call


def test_what_is_done_where_nothing_is_asked() -> None:
    assert not Options().full
    assert (Options().helper, Options().jobs, Options().on_command) == (None, None, None)


class TestWhole:
    """The report of a diff, from two sources."""

    def test_a_helper_that_drops_a_flag(self, opening: Callable[..., Opening]) -> None:
        made = opening(HAVE_MASK, {**HAVE_MASK, "functions": {MASK: without_fs}})
        report = made.diff(Options(jobs=4))
        assert (report.old, report.new) == tuple(
            SourceInfo("tree", label, "9.1.4", "v9.1", "9.1.4", f"digest of {label}") for label in ("before", "after")
        )
        example = Example(0x20, 0x20, "0x20", "0x720", "0x700", old_names="0x720", new_names="0x700")
        assert report.changes == (
            Change(
                MASK,
                "helper",
                "changed",
                f"{FS} keep -> drop",
                "value",
                NONE,
                (NONE,),
                INPUTS,
                1024,
                {FS: "keep -> drop"},
                example,
                GFP_H,
                10,
            ),
        )
        assert [c.id for c in report.broken][:1] == [f"helper.{MASK}"]
        assert {c.status for c in report.broken} == {"fail"}
        assert {c.subject for c in report.broken} == {MASK}
        assert report.compared == (MASK, "__GFP_BITS_MASK", *BITS)
        assert (report.problems, report.notes, report.warnings, report.identical) == ((), (), (), False)
        assert (report.compiler, report.n_configs) == ("no compiler", (1, 1))
        assert report.domain == "every value of the defined bits (2^11 inputs)"
        assert report.exit_status() == 1
        assert made.asked == [("before", 2, None), ("after", 2, None)]
        assert made.closed == ["after", "before"]

    def test_no_change_is_not_judged(self, opening: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checking, "judge", None)
        report = opening(HAVE_MASK, HAVE_MASK).diff()
        assert (report.changes, report.broken, report.exit_status()) == ((), (), 0)
        assert report.compared[0] == MASK

    def test_timings(self, opening: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter([100.0, 101.5, 104.25, 110.0, 120.1234567])
        monkeypatch.setattr(diffing.time, "monotonic", lambda: next(clock))
        report = opening(HAVE_MASK, HAVE_MASK).diff()
        assert report.timings == {"open_s": 1.5, "compare_s": 2.75, "judge_s": 5.75, "total_s": 20.123457}

    @pytest.mark.parametrize(("jobs", "each"), [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3)])
    def test_each_side_has_half_of_the_workers(self, opening: Callable[..., Opening], jobs: int, each: int) -> None:
        made = opening(HAVE_MASK, HAVE_MASK)
        made.diff(Options(jobs=jobs))
        assert [asked[1] for asked in made.asked] == [each, each]

    def test_as_many_workers_as_cores(self, opening: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(diffing.os, "sched_getaffinity", lambda pid: set(range(6)) if pid == 0 else set())
        made = opening(HAVE_MASK, HAVE_MASK)
        made.diff()
        assert [asked[1] for asked in made.asked] == [3, 3]

    @pytest.mark.parametrize("is_new", [True, False])
    def test_each_side_has_its_own_release(self, opening: Callable[..., Opening], *, is_new: bool) -> None:
        made = opening(*((one(), HAVE_MASK) if is_new else (HAVE_MASK, one())))
        lacks, has = made.sides.both if is_new else made.sides.both[::-1]
        lacks.session.source.release = "8.0"
        text = f"{MASK}() is not compared: {lacks.label} lacks the file that it would be in"
        report = made.diff()
        assert (report.changes, report.notes) == ((), (text,))
        infos = (report.old, report.new) if is_new else (report.new, report.old)
        assert [(i.label, i.release, i.reference) for i in infos] == [
            (lacks.label, "8.0", "v8.0"),
            (has.label, "9.1.4", "v9.1"),
        ]
        lacks.session.source.release, has.session.source.release = "9.1.4", "8.0"
        assert [c.change for c in made.diff().changes] == ["added" if is_new else "removed"]

    def test_commands_are_told(self, opening: Callable[..., Opening]) -> None:
        made = opening(HAVE_MASK, HAVE_MASK)
        made.diff(Options(on_command=print))
        assert [asked[2] for asked in made.asked] == [print, print]

    def test_every_value(self, opening: Callable[..., Opening]) -> None:
        kernel = {**HAVE_MASK, "gfp_t_bits": 12}
        report = opening(kernel, {**kernel, "functions": {MASK: without_fs}}).diff(Options(full=True))
        assert report.domain == "every value of gfp_t (2^12 inputs)"
        assert report.changes[0].inputs == 1 << 12

    def test_what_compiled_and_what_users_should_know(self, opening: Callable[..., Opening]) -> None:
        made = opening({**HAVE_MASK, **two({}, {})}, HAVE_MASK)
        before, after = (side.session for side in made.sides.both)
        before.compiler, after.compiler = "gcc 12, at install time", "clang 15"
        before.complaints += ["the cache is full", "it is old"]
        after.complaints += ["the cache is full", "it is new"]
        before.build.segments[1] = replace(before.build.segments[1], error="why")
        report = made.diff()
        assert report.compiler == "gcc 12 and clang 15"
        assert report.warnings == ("the cache is full", "it is old", "it is new")
        assert report.n_configs == (1, 1)
        assert [p.subject for p in report.problems] == ["configuration"]
        before.compiler = "clang 15"
        assert made.diff().compiler == "clang 15"

    def test_one_subject(self, opening: Callable[..., Opening]) -> None:
        """The layout is compared where everything is."""
        old, new = {**HAVE_MASK, **one(GFP_K=0x30)}, {**HAVE_MASK, **one(GFP_K=0x30, __GFP_BITS_SHIFT=12)}
        named = {"constant_symbols": {"GFP_K": []}}
        assert [c.subject for c in opening(old, new, **named).diff().changes] == ["__GFP_BITS_SHIFT"]
        assert opening(old, new, **named).diff(Options(helper="gfp_*")).changes == ()
        assert opening(old, new, **named).diff(Options(helper="gfp_*")).compared == (MASK,)
        assert opening(old, new, **named).diff(Options(helper="GFP_K")).compared == ("GFP_K",)


class TestIdentical:
    """Where the text is the same nothing is opened."""

    def same(self, opening: Callable[..., Opening], pattern: str | None = None) -> DiffReport:
        made = opening({"files": {GFP_H: b"int gfp_mine(int x);"}}, {"files": {GFP_H: b"int gfp_mine(int x);"}})
        for side in made.sides.both:
            side.session.source.digest = "same"
        report = made.diff(Options(helper=pattern))
        assert made.asked == []
        return report

    @pytest.mark.parametrize("pattern", [None, "gfp_zone", "gfp_min[a-e]", "*"])
    def test_the_report(self, opening: Callable[..., Opening], pattern: str | None) -> None:
        infos = [SourceInfo("tree", label, "9.1.4", "v9.1", "9.1.4", "same") for label in ("before", "after")]
        assert self.same(opening, pattern) == DiffReport(infos[0], infos[1], identical=True)

    def test_a_name_that_nothing_has(self, opening: Callable[..., Opening]) -> None:
        with pytest.raises(NoSuchSubjectError) as found:
            self.same(opening, "gfp_typo*")
        assert str(found.value) == "--helper gfp_typo*: no helper and no composite of either side has such a name"
        assert found.value.pattern == "gfp_typo*"


class TestFailures:
    """A side that cannot be opened says which it is; what was opened is closed."""

    @pytest.mark.parametrize(("label", "side", "closed"), [("before", "old", []), ("after", "new", ["before"])])
    def test_one_that_does_not_compile(
        self, opening: Callable[..., Opening], label: str, side: str, closed: list[str]
    ) -> None:
        made = opening(HAVE_MASK, HAVE_MASK)
        why = BuildError("no u8", command=["cc", "-c"], stderr="gfp.h:3")
        made.failures[label] = why
        with pytest.raises(BuildError) as found:
            made.diff()
        assert str(found.value) == f"the {side} side, {label}: no u8"
        assert (found.value.command, found.value.stderr, found.value.__cause__) == (("cc", "-c"), "gfp.h:3", why)
        assert made.closed == closed

    def test_one_that_cannot_be_cut_out(self, opening: Callable[..., Opening]) -> None:
        made = opening(HAVE_MASK, HAVE_MASK)
        made.failures["after"] = ExtractionError("no end", file=GFP_H, line=3)
        with pytest.raises(BuildError) as found:
            made.diff()
        assert str(found.value) == f"the new side, after: {GFP_H}:3: no end"
        assert (found.value.command, found.value.stderr) == ((), "")

    def test_both_are_closed_where_a_comparison_fails(
        self, opening: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise BuildError("lost")

        monkeypatch.setattr(diffing, "compare_values", failing)
        made = opening(HAVE_MASK, HAVE_MASK)
        with pytest.raises(BuildError, match=r"^lost$"):
            made.diff()
        assert made.closed == ["after", "before"]

    @pytest.mark.parametrize("failing", ["old", "new"])
    def test_a_failure_on_workers_is_the_caller_s(self, failing: str) -> None:
        def ask(side: Side) -> str:
            if side.name == failing:
                raise BuildError(f"lost {side.name}")
            return side.name

        with pytest.raises(BuildError, match=f"^lost {failing}$"):
            diffing._on_each(against(one(), one()), ask)

    def test_both_sides_are_asked_at_the_same_time(self) -> None:
        barrier = threading.Barrier(2)

        def ask(side: Side) -> tuple[str, bool]:
            barrier.wait(20)
            return side.name, threading.current_thread().daemon

        assert diffing._on_each(against(one(), one()), ask) == (("old", True), ("new", True))


class TestSubjects:
    """Which subjects are compared."""

    SIDES = against(
        {"plans": [helper("gfp_old")], "constant_symbols": {"GFP_OLD": []}},
        {"plans": [helper("gfp_new")], "constant_symbols": {"GFP_NEW": []}},
    )

    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            ("gfp_old", "gfp_old"),
            ("gfp_n?w", "gfp_new"),
            ("GFP_O*", "GFP_OLD"),
            ("GFP_NEW", "GFP_NEW"),
            ("gfp_zone", "gfp_zone"),
        ],
    )
    def test_a_pattern(self, pattern: str, name: str) -> None:
        wanted = diffing._wanted(pattern, self.SIDES)
        assert wanted(name)
        assert not wanted("gfp_other")
        assert not wanted(name.swapcase())

    def test_everything(self) -> None:
        assert diffing._wanted(None, self.SIDES)("anything")

    @pytest.mark.parametrize("pattern", ["gfp_typo", "GFP_TYPO", "gfp_OLD"])
    def test_what_nothing_is_called(self, pattern: str) -> None:
        with pytest.raises(NoSuchSubjectError) as found:
            diffing._wanted(pattern, self.SIDES)
        assert str(found.value) == f"--helper {pattern}: no helper and no composite of either side has such a name"
        assert found.value.pattern == pattern


def compared(sides: Sides, wanted: Callable[[str], bool] = lambda _: True, *, layout_too: bool = True) -> Found:
    return diffing._compare(sides, wanted, 2, layout_too=layout_too)


class TestCompare:
    """What is compared, and what is left alone."""

    def test_the_order_of_a_report(self) -> None:
        old = {**HAVE_MASK, **one(GFP_K=0x30)}
        new = {
            "plans": [helper(MASK, "gfp_t", path=TYPES_H), helper("gfp_new")],
            "functions": {MASK: without_fs, "gfp_new": lambda x: Outcome(x >> 4 & 1)},
            **one(GFP_K=0x20, __GFP_NEW=1 << 11, __GFP_BITS_SHIFT=12),
        }
        found = compared(against(old, new))
        assert [c.id for c in found.changes] == [
            f"helper.{MASK}.file",
            "helper.gfp_new.added",
            f"helper.{MASK}.value",
            "composite.GFP_K.changed",
            "flag.__GFP_NEW.added",
            "layout.__GFP_BITS_SHIFT.changed",
        ]
        # As it is proven to be.
        assert found.changes[1].text == "added: any of {IO}"
        assert [c.id for c in compared(against(old, new), layout_too=False).changes][-1] == "composite.GFP_K.changed"
        some = compared(against(old, new), lambda name: name == "GFP_K", layout_too=False)
        assert ([c.subject for c in some.changes], some.compared) == (["GFP_K"], ["GFP_K"])

    def test_the_same_code_is_not_run(self) -> None:
        plan = helper(MASK, "gfp_t", meanings=[Meaning(0, [{}], "c")])
        # Were it run, it would be found to differ.
        sides = against({**HAVE_MASK, "plans": [plan]}, {"plans": [plan], "functions": {MASK: without_fs}})
        found = compared(sides)
        assert (found.changes, found.compared[0]) == ([], MASK)
        assert [side.session.pool.swept for side in sides.both] == [0, 0]  # type: ignore[attr-defined]

    def test_one_that_is_broken_is_not_run(self) -> None:
        plan = helper(MASK, "gfp_t", meanings=[Meaning(0, [{}], "c")], error="no such flag")
        sides = against({**HAVE_MASK, "plans": [plan]}, HAVE_MASK)
        found = compared(sides)
        assert [p.subject for p in found.problems] == [MASK]
        assert [side.session.pool.swept for side in sides.both] == [0, 1]  # type: ignore[attr-defined]
        sides = against({"plans": [plan]}, {"plans": [plan]})
        assert [p.text for p in compared(sides).problems] == [f"{MASK}() compiles on neither side: no such flag"]

    def test_what_no_sweep_reaches_is_a_problem_of_helpers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pygfp.differing.layout.unreached", lambda _: [Problem("gfp_t", "too high")])
        assert compared(against(HAVE_MASK, HAVE_MASK)).problems == [Problem("gfp_t", "too high")]
        assert compared(against(one(), one())).problems == []


def coded(*codes: str, name: str = MASK, result: str = "gfp_t") -> Any:  # noqa: ANN401 - a plan
    """A helper of a meaning for each code; the first of two where CONFIG_A is off."""
    configs = [[OFF], [ON]] if len(codes) > 1 else [[{}]]
    return helper(
        name, result, meanings=[Meaning(n, c, code) for n, (c, code) in enumerate(zip(configs, codes, strict=True))]
    )


class TestProve:
    """Each piece of code is proven once, on whichever side it stands."""

    FORM, OTHER = Proof(MaskFilter(0xF0, 0x700)), Proof(MaskFilter(0xD0, 0x700))

    def proven(self, old: Any, new: Any, *names: str) -> tuple[Any, list[int]]:  # noqa: ANN401 - plans
        functions = {(n, MASK): f for n, f in enumerate((nested, without_fs))}
        kernel = {"segments": two({}, {})["segments"], "functions": {**functions, (0, TRUTH): lambda _: Outcome(1)}}
        sides = against({**kernel, "plans": old}, {**kernel, "plans": new})
        known = diffing._prove(sides, list(names))
        return known, [side.session.pool.swept for side in sides.both]  # type: ignore[attr-defined]

    def key(self, segment: int, name: str = MASK) -> Key:
        return Key(name, segment, ungrouped=False)

    def test_what_is_the_same_on_both_sides(self) -> None:
        known, swept = self.proven([coded("c")], [coded("c")], MASK)
        assert known == diffing.Proofs({self.key(0): self.FORM}, {self.key(0): self.FORM})
        assert sum(swept) == 1

    def test_what_is_not_the_same(self) -> None:
        known, swept = self.proven([coded("c", "d")], [coded("e", "d")], MASK)
        every = {self.key(0): self.FORM, self.key(1): self.OTHER}
        assert known == diffing.Proofs(every, every)
        assert sum(swept) == 3
        assert min(swept) >= 1

    def test_what_one_side_has_twice(self) -> None:
        known, swept = self.proven([coded("c", "c")], [coded("d")], MASK)
        assert known == diffing.Proofs({self.key(0): self.FORM, self.key(1): self.FORM}, {self.key(0): self.FORM})
        assert swept == [1, 1]

    def test_only_what_is_asked_for_and_can_be_run(self) -> None:
        truth = coded("t", name=TRUTH, result="bool")
        known, swept = self.proven([coded("c"), truth], [replace(coded("c"), error="why"), truth], TRUTH)
        always = {self.key(0, TRUTH): Proof(MaskTable((), (Outcome(1),)))}
        assert known == diffing.Proofs(always, always)
        known, swept = self.proven([coded("c")], [replace(coded("c"), error="why")], MASK)
        assert known == diffing.Proofs({self.key(0): self.FORM}, {})
        assert swept == [1, 0]


def failing(subject: str, message: str = "is wrong", **over: Any) -> Check:  # noqa: ANN401 - fields of a verdict
    return replace(Check(f"helper.{subject}", subject, "helper", "fail", message=message), **over)


def change(subject: str, kind: str = "helper", way: str = "changed") -> Change:
    return Change(subject, kind, way, "text")


class TestJudged:
    """Which verdicts fail now and did not before."""

    def judged(
        self, monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, list[Check]], *changes: Change
    ) -> tuple[Any, set[str]]:
        """What is told, and the subjects that are judged, of a few."""
        asked: Counter[str] = Counter()
        names = (MASK, TRUTH, "GFP_KERNEL", "__GFP_BITS_SHIFT", "gfp_t", "flag-bits")

        def judge(session: Any, reference: Any, wanted: Callable[[str], bool], order: Any) -> list[Check]:  # noqa: ANN401
            assert reference == row()
            assert order == [f"order of {session.source.label}"]
            asked.update(n for n in names if wanted(n))
            return verdicts[session.source.label]

        def order(source: Any, reference: Any, symbols: Any) -> tuple[Sequence[str], list[str]]:  # noqa: ANN401
            assert (reference, symbols) == (row(), ["CONFIG_A"])
            return [f"order of {source.label}"], [f"{source.label} has no table"]

        monkeypatch.setattr(checking, "judge", judge)
        monkeypatch.setattr("pygfp.native.trace.trace_order", order)
        found = diffing._judged(against(two({}, {}), two({}, {})), list(changes))
        assert set(asked.values()) <= {2}
        return found, set(asked)

    def test_what_fails_now_and_did_not_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = failing(MASK, "is known")
        fine = failing("a", status="pass")
        new = [known, failing(MASK), failing(TRUTH, "is known"), failing(MASK, "is known", kind="law"), fine]
        (broken, orders, complaints), _ = self.judged(
            monkeypatch, {"before": [known, failing("b", status="pass")], "after": [*new, failing("b")]}, change(MASK)
        )
        assert broken == [*new[1:4], failing("b")]
        assert orders == [["order of before"], ["order of after"]]
        assert complaints == ["before has no table", "after has no table"]

    @pytest.mark.parametrize(
        ("changes", "judged"),
        [
            ([change(MASK)], {MASK}),
            ([change(MASK), change("GFP_KERNEL", "composite")], {MASK, "GFP_KERNEL"}),
            ([change(MASK, way="broken"), change(TRUTH, way="added")], {TRUTH}),
            ([change(IO, "flag", "moved")], {"gfp_t", "flag-bits"}),
            ([change("gfp_t", "layout")], {"gfp_t", "flag-bits"}),
            ([change(MASK, "config")], {MASK, "gfp_t", "flag-bits"}),
            ([change("build", "config", "broken"), change(MASK)], {MASK, "gfp_t", "flag-bits"}),
        ],
    )
    def test_which_subjects_are_judged(
        self, monkeypatch: pytest.MonkeyPatch, changes: list[Change], judged: set[str]
    ) -> None:
        _, asked = self.judged(monkeypatch, {"before": [], "after": []}, *changes)
        assert asked == judged


class TestNames:
    """An example is told in the names of each side's own table."""

    def test_of_each_side(self) -> None:
        sides = against(one(), one(__GFP_FS=1 << 4, __GFP_IO=1 << 5))
        shown = replace(change(MASK), smallest=Example(0x10, 0x20, "0x10", "0x30", "0x10 and WARN fires"))
        found = diffing._in_names(sides, shown, [["__GFP_IO"], [FS]])
        assert found == replace(
            shown,
            smallest=Example(0x10, 0x20, FS, "0x30", "0x10 and WARN fires", old_names=f"{IO}|0x20", new_names=FS),
        )

    def test_in_the_configuration_with_most_flags(self) -> None:
        sides = against(two({}, {"__GFP_NEW": 1 << 11}), two({}, {"__GFP_NEW": 1 << 11}))
        shown = replace(change(MASK), smallest=Example(0x800, 0x800, "0x800", "0", "1"))
        for config, names in ((NONE, "__GFP_NEW"), (ON, "__GFP_NEW"), (OFF, "0x800")):
            found = diffing._in_names(sides, replace(shown, config=config), [["__GFP_NEW"], ["__GFP_NEW"]])
            assert found.smallest == Example(0x800, 0x800, names, "0", "1")

    def test_without_an_example_or_a_table(self) -> None:
        plain = change(MASK)
        assert diffing._in_names(against(one(), one()), plain, [[], []]) is plain
        shown = replace(plain, smallest=Example(1, 1, "0x1", "0x1", "0x0"))
        lost = {"segments": [SegmentPlan(0, {}, error="why")]}
        for kernels in ((lost, one()), (one(), lost)):
            assert diffing._in_names(against(*kernels), shown, [[], []]) is shown


class TestNotes:
    """What a user should know besides."""

    def notes(self, old: Kernel, new: Kernel, *found: str) -> list[str]:
        return list(diffing._notes(against(old, new), Found(notes=list(found))))

    def test_none(self) -> None:
        assert self.notes(one(), one()) == []

    def test_functions_of_one_side(self) -> None:
        plans = [helper(n, unswept="takes two") for n in ("gfp_a", "gfp_b", "gfp_both")]
        plans += [helper("gfp_lost", unswept="takes two", error="why"), helper("gfp_plain")]
        both = [helper("gfp_both", unswept="takes two")]
        text = "side has 2 functions of several arguments, of which nothing is said: gfp_a, gfp_b"
        assert self.notes({"plans": plans}, {"plans": both}) == [f"only the old {text}"]
        assert self.notes({"plans": both}, {"plans": plans}, "first") == ["first", f"only the new {text}"]

    @pytest.mark.parametrize("path", [MMFLAGS_H, "mm/page_owner.c", "lib/stackdepot.c"])
    def test_texts_of_which_nothing_is_compiled(self, path: str) -> None:
        text = f"{path} differs; nothing that is compared rests on it"
        assert self.notes({"files": {path: b"a"}}, {"files": {path: b"b"}}) == [text]
        assert self.notes({"files": {path: b"a"}}, {"files": {}}) == [text]
        assert self.notes({"files": {path: b"a"}}, {"files": {path: b"a"}}) == []
        assert self.notes({"files": {GFP_H: b"a"}}, {"files": {GFP_H: b"b"}}) == []

    def test_flags_of_one_side(self) -> None:
        more: Any = {"__GFP_NEW": 1 << 11, "__GFP_X": 1 << 12}
        text = "held 0 where inputs are compared, since only the {} side has it: {}"
        assert self.notes(one(), one(**more)) == [text.format("new", "__GFP_NEW, __GFP_X")]
        assert self.notes(one(**more), one(__GFP_Y=1 << 13)) == [
            text.format("old", "__GFP_NEW, __GFP_X"),
            text.format("new", "__GFP_Y"),
        ]
        assert self.notes({"segments": [SegmentPlan(0, {}, error="why")]}, one(**more)) == []


class TestUnique:
    """Two changes of one id would hide each other."""

    def test_they_are(self) -> None:
        diffing._require_unique([change(MASK), change(TRUTH), change(MASK, way="moved")])

    def test_they_are_not(self) -> None:
        twice = [change(n) for n in (TRUTH, MASK, "gfp_zone", TRUTH, MASK, MASK)]
        message = f"ids of changes are not unique: helper.{TRUTH}.changed, helper.{MASK}.changed"
        with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
            diffing._require_unique(twice)

    def test_a_diff_looks(self, opening: Callable[..., Opening], monkeypatch: pytest.MonkeyPatch) -> None:
        twice = SimpleNamespace(compare=lambda _, found: found.changes.extend([change("x"), change("x")]))
        monkeypatch.setattr(diffing, "flags", twice)
        with pytest.raises(AssertionError, match="not unique"):
            opening(HAVE_MASK, HAVE_MASK).diff()
