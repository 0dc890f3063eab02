# SPDX-License-Identifier: GPL-2.0-only
"""
What a report comes to, and what is said besides its verdicts: exit statuses, warnings and what was left out, by hand.
"""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from judged import BITS, KEEP, helper, nested, row, view

from pygfp.config import Selection
from pygfp.errors import NoSuchSubjectError
from pygfp.forms import Outcome
from pygfp.model.policy import Fate, Policy
from pygfp.report import STATUSES, Check, Report, SourceInfo, Witness, check_id, info

if TYPE_CHECKING:
    from pygfp.native.session import Session

# The package has the function under the name of the module.
checking = import_module("pygfp.check")

SOURCE = SourceInfo("tree", "linux", "6.12.1", "v6.12", "6.12.0", "0")


def report(*statuses: str, gone: tuple[str, ...] = ()) -> Report:
    checks = tuple(Check(f"helper.{n}", str(n), "helper", s, gone=s in gone) for n, s in enumerate(statuses))
    return Report(SOURCE, checks, "gcc", 1, 27, "all")


class TestExitStatus:
    """Any fail gives 1; else any error 3; else 0; no pass at all is 3."""

    @pytest.mark.parametrize("others", [c for n in range(6) for c in combinations(STATUSES[2:], n)], ids="+".join)
    def test_of_every_set_of_statuses(self, others: tuple[str, ...]) -> None:
        lenient = {"absent", "unmodelled", "undecided"}
        assert report("fail", "pass", *others).exit_status() == 1
        assert report("fail", *others).exit_status() == 1
        assert report("pass", *others).exit_status() == (3 if "error" in others else 0)
        assert report(*others).exit_status() == 3
        strict = 1 if lenient & {*others} else 3 if "error" in others else 0
        assert report("pass", *others).exit_status(strict=True) == strict
        assert report(*others).exit_status(strict=True) == (strict or 3)

    def test_the_statuses(self) -> None:
        assert STATUSES == ("pass", "fail", "absent", "unmodelled", "undecided", "error")


class TestBisectStatus:
    """0 good, 1 bad, 125 where this commit cannot be judged."""

    @pytest.mark.parametrize(
        ("statuses", "plain", "named"),
        [
            (("pass",), 0, 0),
            (("pass", "fail"), 1, 1),
            (("pass", "error"), 125, 125),
            ((), 125, 125),
            (("pass", "undecided"), 0, 0),
        ],
    )
    def test_where_nothing_is_gone(self, statuses: tuple[str, ...], plain: int, named: int) -> None:
        assert report(*statuses).bisect_status() == plain
        assert report(*statuses).bisect_status(named=True) == named

    def test_a_helper_that_is_gone_cannot_be_judged_where_it_was_asked_for(self) -> None:
        gone = report("fail", "pass", gone=("fail",))
        assert gone.bisect_status() == 1
        assert gone.bisect_status(named=True) == 125
        assert report("fail", gone=("fail",)).bisect_status(named=True) == 125

    def test_a_fail_of_one_that_is_there_still_wins(self) -> None:
        assert report("absent", "fail", gone=("absent",)).bisect_status(named=True) == 1

    def test_strict_counts(self) -> None:
        assert report("pass", "undecided").bisect_status(strict=True) == 1
        found = report("absent", "undecided", "pass", gone=("absent",))
        assert found.bisect_status(named=True, strict=True) == 1
        assert found.bisect_status(named=True) == 125


class TestPlainValues:
    def test_an_id(self) -> None:
        assert check_id("helper", "gfp_zone") == "helper.gfp_zone"
        assert check_id("helper", "gfp_zone", "", "") == "helper.gfp_zone"
        assert check_id("law", "gfp_nested_mask", "no-zone", "LOCKDEP") == "law.gfp_nested_mask.no-zone.LOCKDEP"

    def test_what_is_said_of_a_source(self) -> None:
        class Linux:
            kind, label, release, digest = "tree", "linux", "9.1.2", "d1"

        told = info(Linux(), row())  # type: ignore[arg-type]
        assert told == SourceInfo("tree", "linux", "9.1.2", "v9.1", "9.1.4", "d1")

    def test_what_a_verdict_is_before_anything_was_compared(self) -> None:
        bare = Check("helper.a", "a", "helper", "pass")
        assert (bare.config, bare.configs, bare.inputs, bare.mismatches, bare.gone) == ({}, (), 0, 0, False)
        assert (bare.first, bare.smallest, bare.form, bare.file, bare.line, bare.message) == (None,) * 5 + ("",)
        assert (Witness(1, "", "", "").expected_names, Witness(1, "", "", "").actual_names) == ("", "")
        assert Witness(1, "", "", "").unnamed == ()
        plain = report()
        assert (plain.left_out, plain.warnings, plain.notes, plain.layout, plain.timings) == ((), (), (), (), {})

    def test_a_verdict_cannot_be_changed(self) -> None:
        for value in (Check("a", "a", "helper", "pass"), Witness(1, "", "", ""), SOURCE, report()):
            with pytest.raises(AttributeError, match="cannot assign"):
                value.status = "pass"  # type: ignore[misc, union-attr]


class TestJudge:
    """Every kind of verdict on a kernel made of Python, in the order of a report."""

    AT = view({"gfp_nested_mask": nested, "gfp_new": lambda x: Outcome(x & 1)}, [
        helper("gfp_nested_mask", "gfp_t"), helper("gfp_new")
    ])  # fmt: skip

    def test_of_everything(self) -> None:
        found = checking.judge(self.AT.session, row(), lambda _: True)
        kinds = list(dict.fromkeys(c.kind for c in found))
        assert kinds == ["helper", "law", "composite", "layout"]
        assert {c.status for c in found if c.kind != "composite"} == {"pass", "fail", "absent", "unmodelled"}
        assert [c.subject for c in found if c.status == "unmodelled"] == ["gfp_new"]

    @pytest.mark.parametrize(
        ("name", "kinds"),
        [
            ("gfp_nested_mask", {"helper", "law"}),
            ("gfp_new", {"helper"}),
            ("GFP_KERNEL", {"composite"}),
            ("single-bits", {"layout"}),
            ("nothing", set()),
        ],
    )
    def test_of_what_is_wanted(self, name: str, kinds: set[str]) -> None:
        found = checking.judge(self.AT.session, row(), lambda subject: subject == name)
        assert {c.kind for c in found} == kinds
        assert {c.subject for c in found} <= {name}

    def test_masks_print_in_the_order_that_is_given(self) -> None:
        at = view({"gfp_nested_mask": lambda x: Outcome(x & KEEP)}, [helper("gfp_nested_mask", "gfp_t")])
        (check, *_) = checking.judge(at.session, row(), lambda s: s == "gfp_nested_mask", ["__GFP_NORETRY"])
        assert check.first is not None
        assert check.first.expected_names == "__GFP_NORETRY|0x500"


class TestWanted:
    """--helper is a glob over helpers and composites."""

    def wanted(self, pattern: str | None) -> Any:  # noqa: ANN401 - a function
        at = view({}, [helper("gfp_new")], constant_symbols={"GFP_EXTRA": [], "__GFP_IO": []})
        return checking._wanted(pattern, at.session, row())

    def test_without_one_everything_is(self) -> None:
        assert self.wanted(None)("anything")

    @pytest.mark.parametrize("pattern", ["gfp_new", "gfp_zone", "GFP_KERNEL", "GFP_EXTRA", "gfp_n*"])
    def test_it_takes_what_it_matches(self, pattern: str) -> None:
        wanted = self.wanted(pattern)
        assert wanted(pattern.replace("*", "ew"))
        assert not wanted(pattern.swapcase())
        assert not wanted("layout")

    @pytest.mark.parametrize("pattern", ["gfp_none", "__GFP_IO", "GFP_NEW", ""])
    def test_one_that_nothing_matches_is_refused(self, pattern: str) -> None:
        with pytest.raises(NoSuchSubjectError) as caught:
            self.wanted(pattern)
        assert str(caught.value) == f"--helper {pattern}: no helper and no composite of this source has such a name"
        assert caught.value.pattern == pattern


class TestWhatIsSaidBesides:
    """Nothing is left out in silence."""

    def session(self, *plans: Any, **build: Any) -> Session:  # noqa: ANN401 - plans, and fields of a build
        return view({}, plans, **build).session

    def test_nothing_is_left_out(self) -> None:
        assert list(checking._left_out(self.session(helper("gfp_new")))) == []

    def test_what_kconfig_cannot_reach(self) -> None:
        (said,) = checking._left_out(self.session(unreachable=["CONFIG_HIGHMEM"]))
        assert said == (
            "configurations with CONFIG_HIGHMEM=y: Kconfig ties it to another word size than this compiler's "
            "64 bits (--set CONFIG_HIGHMEM=y judges them all the same, as no real kernel is built)"
        )

    def test_symbols_on_which_nothing_depends(self) -> None:
        (said,) = checking._left_out(self.session(unjudged_symbols=["CONFIG_CMA", "CONFIG_NUMA"]))
        assert said == (
            "configurations with any of CONFIG_CMA, CONFIG_NUMA: the headers test them, "
            "and nothing that is judged depends on them; that it compiles is all that is known of them"
        )

    def test_functions_that_are_no_function_of_a_mask(self) -> None:
        plans = [
            helper("alloc_a", unswept="takes an int"),
            helper("alloc_b", unswept="returns a pointer"),
            helper("gfp_zone", unswept="is judged in another place"),
            helper("alloc_c", unswept="takes an int", error="does not compile"),
            helper("gfp_new"),
        ]
        (said,) = checking._left_out(self.session(*plans))
        assert said == (
            "2 functions that take a gfp_t and are no function of it alone: "
            "alloc_a (takes an int), alloc_b (returns a pointer)"
        )

    def test_an_unknown_release(self) -> None:
        class Linux:
            release: str | None = None

        (said,) = checking._unproven(Linux(), row())  # type: ignore[arg-type]
        assert said == ("no Makefile says which release this is; it is compared with the newest that pygfp knows, v9.1")
        Linux.release = "9.1.2"
        assert list(checking._unproven(Linux(), row())) == []  # type: ignore[arg-type]

    def unused(self, fixed: dict[str, bool], policy: Policy | None = None, *, complete: bool = False) -> list[str]:
        session = self.session(helper("gfp_new", symbols=["CONFIG_A"]), flag_symbols=["CONFIG_B"])
        return list(checking._unused(Selection(fixed, complete=complete), policy or Policy(), session))

    def test_symbols_that_change_nothing(self) -> None:
        assert self.unused({"CONFIG_A": True, "CONFIG_B": False, "CONFIG_C": True}) == [
            "--set CONFIG_C changes nothing: no helper and no flag of this source depends on it"
        ]
        assert self.unused({"CONFIG_C": True}, complete=True) == []

    def test_flags_that_a_policy_decides_in_vain(self) -> None:
        policy = Policy({"__GFP_NEW": Fate.DROP, "__GFP_IO": Fate.KEEP})
        says = "the policy file decides __GFP_NEW, which this source does not define"
        assert self.unused({}, policy) == [says]
        assert self.unused({"CONFIG_C": True}, policy, complete=True) == [says]

    def test_two_verdicts_of_one_id_are_a_bug_of_pygfp(self) -> None:
        checks = [Check(f"helper.{n}", n, "helper", "pass") for n in "abcbab"]
        with pytest.raises(AssertionError, match=r"^check ids are not unique: helper\.a, helper\.b$"):
            checking._require_unique(checks)
        checking._require_unique(checks[:3])


def test_the_options_of_a_check() -> None:
    plain = checking.Options()
    assert (plain.policy, plain.helper, plain.full, plain.jobs) == (Policy(), None, False, None)
    assert (plain.on_progress, plain.on_command, plain.sparse) == (None, None, False)
    with pytest.raises(AttributeError, match="cannot assign"):
        plain.full = True


def test_a_report_on_the_bundled_subset() -> None:
    """The whole of it once, with what is said of the run."""
    from pygfp.sources import bundled  # noqa: PLC0415 - the only test that needs it

    told: list[tuple[int, int]] = []
    options = checking.Options(jobs=1, on_progress=lambda *done: told.append(done))
    found = checking.check(bundled(), Selection(), options)
    assert found.exit_status(strict=True) == 0
    assert found.source.reference == "v7.3"
    assert (found.domain_bits, found.domain) == (27, "every value of the defined bits (2^27 inputs)")
    # LOCKDEP and KASAN_HW_TAGS for flags; NUMA, COMPACTION and zones for helpers: 8 cover them all.
    assert found.n_configs == 8
    assert told
    assert told[-1][0] == told[-1][1]
    assert {"sweep_s", "total_s"} <= set(found.timings)
    assert 0 <= found.timings["sweep_s"] <= found.timings["total_s"]
    assert len(found.layout) == 4
    assert found.warnings == ()
    full = checking.check(bundled(), Selection(), checking.Options(helper="gfp_has_io_fs", full=True))
    assert {(c.kind, c.inputs) for c in full.checks} == {("helper", 1 << 32), ("range", 1 << 32)}


class TestReport:
    """The whole of a report on a kernel made of Python, in which __GFP_FS is dropped."""

    def report(self, monkeypatch: pytest.MonkeyPatch, function: Any, complaints: list[str]) -> Report:  # noqa: ANN401
        at = view({"gfp_nested_mask": function}, [helper("gfp_nested_mask", "gfp_t")], notes=[
            "gfp_types.h is not in this source; pygfp's own stands in for it", "gfp.h:7: f is left out: a macro"
        ])  # fmt: skip
        at.session.timings["compile_s"] = 0.5
        at.session.complaints.append("the cache is full")
        source = SimpleNamespace(kind="tree", label="linux", release="9.1.2", digest="d1")
        clock = iter([100.0, 103.25, 110.1234567])
        monkeypatch.setattr(checking, "opened", lambda *_, **__: nullcontext(at.session))
        monkeypatch.setattr(checking.releases, "reference", lambda _: row())
        monkeypatch.setattr(checking, "trace_order", lambda *_: (["__GFP_NORETRY"], complaints))
        monkeypatch.setattr(checking, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        found: Report = checking.check(source, Selection({}), checking.Options(helper="gfp_nested_mask"))
        return found

    def test_one_with_a_witness(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.report(
            monkeypatch, lambda x: Outcome((x & KEEP & ~0x20) | 0x700), ["the cache is full", "no trace table"]
        )
        witness = Witness(0x20, "0x20", "0x720", "0x700", "__GFP_NORETRY|0x520", "__GFP_NORETRY|0x500", ("__GFP_FS",))
        assert (found.checks[0].id, found.checks[0].status) == ("helper.gfp_nested_mask", "fail")
        assert (found.checks[0].first, found.checks[0].smallest) == (witness, witness)
        assert found.source == SourceInfo("tree", "linux", "9.1.2", "v9.1", "9.1.4", "d1")
        assert found.warnings == (
            "the cache is full",
            "no trace table",
            "gfp_types.h is not in this source; pygfp's own stands in for it",
        )
        assert found.notes == ("gfp.h:7: f is left out: a macro",)
        assert found.timings == {"compile_s": 0.5, "sweep_s": 6.873457, "total_s": 10.123457}
        assert (found.compiler, found.n_configs, found.domain_bits) == ("no compiler", 1, 11)
        assert found.layout == (({}, BITS),)

    def test_one_without_needs_no_trace_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.report(monkeypatch, nested, ["no trace table"])
        assert {c.status for c in found.checks} == {"pass"}
        assert found.warnings == (
            "the cache is full",
            "gfp_types.h is not in this source; pygfp's own stands in for it",
        )


def test_what_sparse_finds_stands_behind_the_other_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    from pygfp.checking import sparse  # noqa: PLC0415 - as pygfp does
    from pygfp.sources import bundled  # noqa: PLC0415 - as above

    asked: list[tuple[bool, object]] = []

    def look(_: object, wanted: Any, on_command: object) -> list[Check]:  # noqa: ANN401 - a function
        asked.append((wanted("gfp_has_io_fs"), on_command))
        return [Check("sparse.bitwise", "bitwise", "sparse", "pass")]

    monkeypatch.setattr(sparse, "check", look)
    told: list[str] = []
    options = checking.Options(helper="gfp_has_io_fs", jobs=1, on_command=told.append, sparse=True)
    found = checking.check(bundled(), Selection(), options)
    assert [c.id for c in found.checks] == ["helper.gfp_has_io_fs", "range.gfp_has_io_fs", "sparse.bitwise"]
    assert asked == [(True, told.append)]
