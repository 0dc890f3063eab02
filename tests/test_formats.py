# SPDX-License-Identifier: GPL-2.0-only
"""The formats for machines, each read back by its real reader."""

from __future__ import annotations

import re
from itertools import combinations, product
from typing import TYPE_CHECKING

import pytest
import readers

from pygfp.render.formats import COMMON, rendered
from pygfp.render.items import Item, gathered, of_check, of_failure
from pygfp.report import STATUSES, Check, Report, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from readers import Reading

    Run = Callable[..., tuple[int, str, str]]

GFP_H = "include/linux/gfp.h"
TYPES_H = "include/linux/gfp_types.h"
NEW = "((__force gfp_t)BIT(___GFP_NEW_BIT))"
SUBSETS = [s for n in range(len(STATUSES) + 1) for s in combinations(STATUSES, n)]

#: KernelCI's rule for the path of a test.
PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


def edit(tree: Path, old: str, new: str, file: str = GFP_H) -> Path:
    """Replace *old*, which occurs once, in a header of *tree*."""
    path = tree / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return tree


def broken(tree: Path) -> Path:
    """*tree* with a nested mask that keeps __GFP_ZERO."""
    return edit(tree, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;")


def unbuildable(tree: Path) -> Path:
    """*tree* with a helper that does not compile."""
    return edit(tree, "bool gfp_has_io_fs(gfp_t gfp)\n{", "bool gfp_has_io_fs(gfp_t gfp)\n{ return & ;")


def with_news(tree: Path) -> Path:
    """*tree* with a flag that nobody has decided on, and a helper that nobody has modelled."""
    edit(tree, "\t___GFP_LAST_BIT\n};", "\t___GFP_NEW_BIT,\n\t___GFP_LAST_BIT\n};", TYPES_H)
    edit(tree, "#define __GFP_BITS_SHIFT\t", f"#define __GFP_NEW {NEW}\n#define __GFP_BITS_SHIFT\t", TYPES_H)
    helper = "static inline bool gfp_is_new(gfp_t gfp)\n{\n\treturn !!(gfp & __GFP_NEW);\n}\n\n"
    return edit(tree, "static inline bool gfp_has_io_fs", f"{helper}static inline bool gfp_has_io_fs")


def report(statuses: Iterable[str], message: str = "one; two") -> Report:
    """A report with one check of each of *statuses*."""
    checks = [
        Check(f"helper.gfp_{status}.none", f"gfp_{status}", "helper", status, file=GFP_H, line=7, message=message)
        for status in statuses
    ]
    source = SourceInfo("tree", "tree", None, "v6.12", "6.12.1", "0")
    return Report(source, tuple(checks), "gcc", 1, 27, "every value")


def read(name: str, text: str, tree: Path | None = None) -> Reading:
    """What the reader of format *name* makes of *text*."""
    if name == "ktap":
        assert tree
        return readers.kunit(tree, text)
    reading: Reading = readers.READERS[name](text)
    return reading


CASES = {
    "passing": (None, 0, {"passed"}),
    "failing": (broken, 1, {"passed", "failed"}),
    "unbuildable": (unbuildable, 3, {"passed", "error"}),
    "undecided": (with_news, 0, {"passed", "skipped"}),
}


#: One finding for all configurations, under the id of the first of them.
FINDINGS = {
    "passing": set(),
    "failing": {"helper.gfp_nested_mask.none", "law.gfp_nested_mask.drops-page-traits.none"},
    "unbuildable": {"helper.gfp_has_io_fs"},
    "undecided": {"helper.gfp_is_new.none", "layout.__GFP_NEW", "helper.gfp_nested_mask.__GFP_NEW.none"},
}


class TestRealReports:
    """A run in each format, read back: counts and exit status are those of the JSON report."""

    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize("options", [[], ["--strict"]], ids="".join)
    def test_readers_count_what_the_report_has(
        self, run: Run, case: str, options: list[str], bundled_tree: Path, request: pytest.FixtureRequest
    ) -> None:
        breaking, status, outcomes = CASES[case]
        if breaking:
            breaking(bundled_tree)
        if options and "skipped" in outcomes:
            status, outcomes = 1, {"passed", "failed"}
        wanted = request.getfixturevalue("check_json")(bundled_tree, *options)
        assert wanted["exit"] == status
        kernel = request.getfixturevalue("source_6_12")
        for name in COMMON:
            code, out, _ = run("check", bundled_tree, *options, "--format", name)
            found = read(name, out, kernel)
            assert (code, found.clean) == (status, status == 0), name
            if name in {"ktap", "junit"}:
                assert {c["id"]: _expected(c["status"], name, options) for c in wanted["checks"]} == found.outcomes
                seen = {"failed" if (o, name) == ("error", "ktap") else o for o in outcomes}
                assert set(found.outcomes.values()) == seen
            else:
                assert set(found.outcomes) == FINDINGS[case], name

    @pytest.mark.parametrize("name", COMMON)
    def test_a_finding_names_flag_count_and_witness(
        self, run: Run, bundled_tree: Path, source_6_12: Path, name: str
    ) -> None:
        _, out, _ = run("check", broken(bundled_tree), "--format", name)
        found = read(name, out, source_6_12)
        text = found.texts.get("helper.gfp_nested_mask.none") or found.texts[""]
        assert "__GFP_ZERO: expected drop, found keep" in text
        assert "67,108,864 of 134,217,728 inputs differ" in text
        assert "smallest  0x100  __GFP_ZERO" in text

    @pytest.mark.parametrize("name", ["sarif", "github"])
    def test_one_finding_for_all_configurations(self, run: Run, bundled_tree: Path, name: str) -> None:
        _, out, _ = run("check", broken(bundled_tree), "--format", name)
        found = read(name, out)
        assert list(found.outcomes) == ["helper.gfp_nested_mask.none", "law.gfp_nested_mask.drops-page-traits.none"]
        for text in found.texts.values():
            assert "in 4 configurations: none on, LOCKDEP, KASAN_HW_TAGS, KASAN_HW_TAGS+LOCKDEP" in text

    @pytest.mark.parametrize("name", COMMON)
    def test_output_to_a_file_is_the_same(self, run: Run, tmp_path: Path, name: str) -> None:
        _, shown, _ = run("check", "--format", name, "--helper", "gfp_zone")
        status, out, _ = run("check", "--format", name, "--helper", "gfp_zone", "-o", tmp_path / "out")
        assert (status, out) == (0, "")
        assert (tmp_path / "out").read_text() == shown


def _expected(status: str, name: str, options: list[str]) -> str:
    skipped = "failed" if options else "skipped"
    table = {"pass": "passed", "fail": "failed", "error": "failed" if name == "ktap" else "error"}
    return table.get(status, skipped)


class TestHonesty:
    """What a reader understands agrees with the exit status, whatever statuses a report has."""

    @pytest.mark.parametrize("name", list(readers.READERS))
    def test_every_mixture_of_statuses(self, name: str) -> None:
        for statuses, strict in product(SUBSETS, (False, True)):
            value = report(statuses)
            items = of_check(value, strict=strict)
            assert items.exit_status == value.exit_status(strict=strict), statuses
            found = read(name, rendered(items, name))
            assert found.clean == (items.exit_status == 0), (statuses, found)

    @pytest.mark.parametrize("statuses", [s for s in SUBSETS if len(s) <= 2], ids="-".join)
    def test_every_pair_of_statuses_in_kunit(self, source_6_12: Path, statuses: tuple[str, ...]) -> None:
        value = report(statuses)
        for strict in (False, True):
            found = readers.kunit(source_6_12, rendered(of_check(value, strict=strict), "ktap"))
            assert found.clean == (value.exit_status(strict=strict) == 0)
            assert found.outcomes.get("helper.gfp_error.none", "failed") == "failed"

    def test_the_exit_status_is_in_the_sarif(self) -> None:
        for statuses, successful in ((("pass", "error"), "false"), (("fail", "error"), "true"), ((), "false")):
            text = rendered(of_check(report(statuses), strict=False), "sarif")
            assert f'"executionSuccessful": {successful}' in text
            assert f'"exitCode": {report(statuses).exit_status()}' in text

    @pytest.mark.parametrize("name", COMMON)
    @pytest.mark.parametrize("statuses", [(), ("absent",), ("absent", "undecided", "unmodelled")])
    def test_no_verdict_at_all_is_no_pass(self, name: str, statuses: tuple[str, ...], source_6_12: Path) -> None:
        found = read(name, rendered(of_check(report(statuses), strict=False), name), source_6_12)
        assert not found.clean
        assert found.outcomes["check.run"] in {"failed", "error"}

    @pytest.mark.parametrize("name", COMMON)
    def test_a_source_that_cannot_be_read_gives_a_report_that_says_so(
        self, run: Run, source_6_12: Path, name: str, tmp_path: Path
    ) -> None:
        status, out, err = run("check", tmp_path / "nothing", "--format", name, "-o", tmp_path / "out")
        assert (status, out) == (3, "")
        assert "no such directory" in err
        found = read(name, (tmp_path / "out").read_text(), source_6_12)
        assert not found.clean
        assert list(found.outcomes) == ["check.run"]
        assert "no such directory" in (found.texts.get("check.run") or found.texts[""])

    @pytest.mark.parametrize("name", COMMON)
    def test_wrong_usage_gives_no_report(self, run: Run, name: str) -> None:
        status, out, err = run("check", "--format", name, "--helper", "no_such_helper")
        assert (status, out) == (2, "")
        assert "no_such_helper" in err


class TestIds:
    """An id is a valid KernelCI test path, unique, and the same in every format."""

    @pytest.mark.parametrize("tree", ["bundled_tree", "headers_6_1", "headers_6_12", "source_6_1", "source_6_12"])
    def test_ids_of_real_trees(
        self, run: Run, check_json: Callable[..., dict[str, object]], source_6_12: Path, tree: str,
        request: pytest.FixtureRequest,
    ) -> None:  # fmt: skip
        path = request.getfixturevalue(tree)
        ids = [c["id"] for c in check_json(path)["checks"]]  # type: ignore[attr-defined]
        assert [i for i in ids if not PATH.match(i)] == []
        assert len(set(ids)) == len(ids) > 50
        assert set(readers.kunit(source_6_12, run("check", path, "--format", "ktap")[1]).outcomes) == set(ids)
        assert set(readers.junit(run("check", path, "--format", "junit")[1]).outcomes) == set(ids)

    @pytest.mark.parametrize("wrong", ["", "a..b", "a b", "a.b\n", "ä", "a.b:c"])
    def test_an_id_that_is_none_is_refused(self, wrong: str) -> None:
        with pytest.raises(AssertionError, match="no test path"):
            gathered("check", heading="", items=[Item(wrong, "s", "k", "pass")], verdict="")

    def test_two_of_one_id_are_refused(self) -> None:
        with pytest.raises(AssertionError, match="unique"):
            gathered("check", heading="", items=[Item("a.b", "s", "k", "pass")] * 2, verdict="")


#: What no format must stumble over: ends of lines, escapes, markup, commands, and bytes that are no UTF-8.
NASTY = (
    "a\x00b\x1b[2Jc\x0bd\x85e\u2028f\rg\nok 1 h\n::error::i%0Aj <k>&\"']]>l\ufffe\ud800 m # SKIP n,o:p ü; Subtest: q"
)


class TestText:
    """Whatever a header or a path is called, a reader gets one item and the words that were said."""

    @pytest.mark.parametrize("name", COMMON)
    @pytest.mark.parametrize("status", ["fail", "error", "undecided"])
    def test_control_characters_and_markup(self, name: str, status: str, source_6_12: Path) -> None:
        text = rendered(of_check(report([status, "pass"], NASTY), strict=False), name)
        text.encode()
        found = read(name, text, source_6_12)
        assert set(found.outcomes) - {"helper.gfp_pass.none"} == {f"helper.gfp_{status}.none"}
        assert found.clean == (status == "undecided")
        if name != "ktap" or status != "undecided":
            words = found.texts.get(f"helper.gfp_{status}.none") or found.texts[""]
            assert (
                r"""\x1b[2Jc\x0bd\x85e\u2028f\rg\nok 1 h\n::error::i%0Aj <k>&"']]>l\ufffe\ud800 m # SKIP n,o:p ü"""
                in words
            )
            assert "Subtest: q" in words

    @pytest.mark.parametrize("name", COMMON)
    def test_a_failure_of_several_lines(self, name: str, source_6_12: Path) -> None:
        items = of_failure("check", "tree\n::error::x", f"{GFP_H}:7: first\nsecond\n1..9", file=GFP_H, line=7)
        found = read(name, rendered(items, name), source_6_12)
        assert list(found.outcomes) == ["check.run"]
        words = found.texts.get("check.run") or found.texts[""]
        assert "could not be checked: first" in words
        assert "second" in words

    def test_xml_is_ascii(self) -> None:
        assert rendered(of_check(report(["fail"], "ümläut"), strict=False), "junit").isascii()


class TestGithub:
    """GitHub shows ten of a kind: the worst come first."""

    def test_order_and_totals(self) -> None:
        text = rendered(of_check(report(["undecided", "absent", "error", "pass", "fail"]), strict=False), "github")
        assert list(readers.github(text).outcomes.items()) == [
            ("helper.gfp_fail.none", "error"),
            ("helper.gfp_error.none", "error"),
            ("helper.gfp_undecided.none", "notice"),
        ]
        last = text.splitlines()[-1]
        assert last == "FAIL: 1 fail, 1 error, 1 undecided, 1 absent, 1 pass; every value"

    @pytest.mark.parametrize("n", [9, 10, 11, 30])
    def test_what_github_leaves_out_is_named_in_what_it_shows(self, n: int) -> None:
        items = [Item(f"helper.h{i}", "h", "helper", "fail", "error", title="wrong") for i in range(n)]
        items += [Item("helper.n", "n", "helper", "skip", "notice", title="new"), Item("a.b", "b", "a", "pass")]
        found = readers.github(rendered(gathered("check", heading="", items=items, verdict=""), "github"))
        shown = [i for i, level in found.outcomes.items() if level == "error"][:10]
        assert len(shown) == min(n, 10)
        assert {w for i in shown for w in (i, *found.texts[i].split())} >= {f"helper.h{i}" for i in range(n)}
        assert ("check.more" in shown) == (n > 10)
        assert found.outcomes["helper.n"] == "notice"

    def test_properties_are_escaped(self) -> None:
        item = Item("helper.x", "x", "helper", "fail", "error", "a:b,c%2Cd\ne", 7, "title")
        text = rendered(gathered("check", heading="", items=[item], verdict=""), "github")
        assert readers.github(text).places == {"helper.x": ("a:b,c%2Cd\ne", "7")}

    def test_an_annotation_stands_at_its_line(self) -> None:
        text = rendered(of_check(report(["fail"]), strict=False), "github")
        assert f"::error file={GFP_H},line=7,title=helper.gfp_fail.none::one%0Atwo\n" in text
