# SPDX-License-Identifier: GPL-2.0-only
"""The main job, end to end, on the bundled subset and on real headers."""

from __future__ import annotations

import random
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from histories import keep_zero

import pygfp
from pygfp import sources
from pygfp.check import Options, check
from pygfp.config import Selection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.report import Check

Report = dict[str, Any]


def statuses(report: Report, subject: str, kind: str = "helper") -> list[str]:
    return [c["status"] for c in report["checks"] if c["subject"] == subject and c["kind"] == kind]


class TestBundled:
    """The bundled subset is one more source, and it is right."""

    def test_everything_passes(self, check_json: Callable[..., Report]) -> None:
        report = check_json("bundled", "--strict")
        assert report["exit"] == 0
        assert {c["status"] for c in report["checks"]} == {"pass"}

    def test_nested_mask_has_four_configurations(self, check_json: Callable[..., Report]) -> None:
        assert statuses(check_json("bundled"), "gfp_nested_mask") == ["pass"] * 4

    def test_a_tree_of_the_same_text_is_compiled_and_passes(
        self, check_json: Callable[..., Report], bundled_tree: Path
    ) -> None:
        report = check_json(bundled_tree)
        assert report["exit"] == 0
        assert report["source"]["kind"] == "tree"


def test_no_verdict_depends_on_how_many_processes_sweep(check_json: Callable[..., Report], bundled_tree: Path) -> None:
    keep_zero(bundled_tree)
    one, three = (check_json(bundled_tree, "-j", n)["checks"] for n in (1, 3))
    assert [c for c in one if c["mismatches"]]
    assert one == three


class TestRealHeaders:
    """The distribution's packages, every configuration."""

    def test_6_12_passes_in_every_configuration(self, check_json: Callable[..., Report], headers_6_12: Path) -> None:
        report = check_json(headers_6_12)
        assert report["exit"] == 0
        assert statuses(report, "gfp_nested_mask") == ["pass"] * 8

    def test_6_1_lacks_the_nested_mask_and_does_not_fail(
        self, check_json: Callable[..., Report], headers_6_1: Path
    ) -> None:
        report = check_json(headers_6_1)
        assert report["exit"] == 0
        assert statuses(report, "gfp_nested_mask") == ["absent"]


class TestDependencies:
    """Which symbols a meaning depends on is read off the text; whole ones at random must not contradict it."""

    @pytest.mark.parametrize("tree", ["bundled_tree", "headers_6_12"])
    def test_a_whole_configuration_means_what_its_part_does(self, tree: str, request: pytest.FixtureRequest) -> None:
        source = sources.tree(request.getfixturevalue(tree))
        judged = check(source, Selection(), Options()).checks
        headers = "".join(text.decode() for path, text in source.files.items() if "linux/gfp" in path)
        symbols = {*re.findall(r"\bCONFIG_\w+", headers), "CONFIG_CMA", "CONFIG_ZONE_DEVICE"}
        seed = random.randrange(1 << 32)
        chosen = random.Random(seed)
        for _ in range(6):
            whole = {symbol: chosen.random() < 0.5 for symbol in sorted(symbols)} | {"CONFIG_HIGHMEM": False}
            found = check(source, Selection(whole, complete=True), Options()).checks
            assert len(found) > 20
            for one in found:
                match = [c for c in judged if subject(c) == subject(one) and applies(c, whole)]
                expected = [(one.status, one.form, one.inputs)]
                assert [(c.status, c.form, c.inputs) for c in match] == expected, (one.id, whole, f"seed {seed}")

    @pytest.mark.parametrize("tree", ["bundled_tree", "headers_6_12"])
    def test_a_complete_configuration_is_one(self, tree: str, request: pytest.FixtureRequest) -> None:
        source = sources.tree(request.getfixturevalue(tree))
        for on in ({}, {"CONFIG_NUMA": True, "CONFIG_LOCKDEP": True}):
            assert check(source, Selection(on, complete=True), Options()).n_configs == 1

    def test_a_constant_that_is_a_variable_has_its_value_in_each(
        self, check_json: Callable[..., Report], bundled_tree: Path
    ) -> None:
        """It is no macro and no function, and yet a helper means what it says."""
        header = bundled_tree / "include/linux/gfp.h"
        text = header.read_text()
        extra = "".join(
            f"{line}\n"
            for line in (
                "#ifdef CONFIG_LOCKDEP",
                "static const gfp_t gfp_extra = __GFP_NOLOCKDEP;",
                "#else",
                "static const gfp_t gfp_extra = 0;",
                "#endif",
            )
        )
        place = text.index("static inline bool gfpflags_allow_blocking")
        body = text[place:].replace("& __GFP_DIRECT_RECLAIM", "& (__GFP_DIRECT_RECLAIM | gfp_extra)", 1)
        header.write_text(f"{text[:place]}{extra}{body}")
        report = check_json(bundled_tree, "--helper", "gfpflags_allow_blocking")
        found = {c["config"]["CONFIG_LOCKDEP"]: c["status"] for c in report["checks"] if c["kind"] == "helper"}
        assert found == {False: "pass", True: "fail"}


def subject(check: Check) -> tuple[str, ...]:
    """What a check is about, whatever its configuration."""
    aspect = check.id.split(".")[2] if check.kind == "law" else "ungrouped" if ".ungrouped" in check.id else ""
    return check.kind, check.subject, aspect


def applies(check: Check, whole: dict[str, bool]) -> bool:
    """Whether a verdict is one on the configuration *whole*."""
    return any(part.items() <= whole.items() for part in check.configs or ({},))


class TestWhatTheModelCannotSay:
    """A result that the header has no word for is not compared with, and not passed."""

    def test_an_enumerator_that_only_some_configurations_have(
        self, bundled_tree: Path, check_json: Callable[..., Report]
    ) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        header.write_text(header.read_text().replace("\treturn ZONELIST_FALLBACK;", "\treturn ZONELIST_NOFALLBACK;"))
        zones = bundled_tree / "include/linux/mmzone.h"
        text = zones.read_text().replace("\tZONELIST_FALLBACK,", "\tZONELIST_X,")
        text = text.replace("\tZONELIST_NOFALLBACK,", "\tZONELIST_FALLBACK,").replace(
            "ZONELIST_X", "ZONELIST_NOFALLBACK"
        )
        zones.write_text(text)
        report = check_json(bundled_tree, "--helper", "gfp_zonelist", "--set", "CONFIG_NUMA=n")
        assert report["exit"] == 3
        (verdict,) = [c for c in report["checks"] if c["kind"] == "helper"]
        assert (verdict["status"], verdict["inputs"]) == ("error", 0)
        assert "ZONELIST_FALLBACK is not defined here" in verdict["message"]
        assert not [c for c in report["checks"] if c["status"] == "pass"]


    def test_two_enumerators_that_are_one_number(
        self, bundled_tree: Path, tmp_path: Path, check_json: Callable[..., Report]
    ) -> None:
        before = shutil.copytree(bundled_tree, tmp_path / "before")
        header = bundled_tree / "include/linux/mmzone.h"
        header.write_text(header.read_text().replace("\tZONELIST_NOFALLBACK,", "\tZONELIST_NOFALLBACK = 0,"))
        report = check_json(bundled_tree)
        (failed,) = [c for c in report["checks"] if c["status"] == "fail"]
        assert (failed["id"], failed["message"]) == (
            "range.gfp_zonelist.NUMA",
            "ZONELIST_FALLBACK and ZONELIST_NOFALLBACK are both 0: no result tells which is meant",
        )
        (change,) = pygfp.diff(before, bundled_tree).changes
        assert (change.subject, change.change, change.text) == (
            "gfp_zonelist",
            "changed",
            "__GFP_THISNODE ZONELIST_NOFALLBACK -> ZONELIST_FALLBACK when CONFIG_NUMA",
        )


class TestWhatIsNotJudged:
    """A header with which a kernel would not build is no pass, wherever it is broken."""

    # Nothing that is judged depends on CONFIG_OTHER.
    @pytest.mark.parametrize(
        "guard",
        [
            ("", ""),
            ("#ifdef CONFIG_NUMA\n", "#endif\n"),
            ("#ifdef CONFIG_OTHER\n", "#endif\n"),
            ("#ifndef CONFIG_OTHER\n", "#endif\n"),
        ],
        ids=["always", "with NUMA", "with another", "without it"],
    )
    @pytest.mark.parametrize(
        "text",
        ["extern void gfp_put(struct *page, int order);", "static inline int gfp_put(gfp_t a, int b) { return c; }"],
    )
    def test_what_does_not_compile_is_told(
        self, bundled_tree: Path, tmp_path: Path, check_json: Callable[..., Report], text: str, guard: tuple[str, str]
    ) -> None:
        before = shutil.copytree(bundled_tree, tmp_path / "before")
        header = bundled_tree / "include/linux/gfp.h"
        head, end, tail = header.read_text().rpartition("#endif")
        header.write_text(f"{head}{guard[0]}{text}\n{guard[1]}\n{end}{tail}")
        report = check_json(bundled_tree)
        assert report["exit"] == 3
        (error,) = [c for c in report["checks"] if c["status"] != "pass"]
        line = header.read_text()[: header.read_text().index(text)].count("\n") + 1
        assert (error["status"], error["subject"]) == ("error", "gfp_put")
        assert (error["file"], error["line"]) == ("include/linux/gfp.h", line)
        assert [c.change for c in pygfp.diff(before, bundled_tree).changes] == ["broken"]

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("((__force gfp_t)(1 << ~3))", "not constant"),
            ("(__GFP_TYPO | __GFP_IO)", "undeclared"),
        ],
    )
    @pytest.mark.parametrize("name", ["GFP_ODD", "__GFP_ODD"])
    def test_a_new_mask_that_is_no_constant(  # noqa: PLR0913, PLR0917 - fixtures
        self, bundled_tree: Path, tmp_path: Path, check_json: Callable[..., Report], name: str, value: str, why: str
    ) -> None:
        before = shutil.copytree(bundled_tree, tmp_path / "before")
        header = bundled_tree / "include/linux/gfp.h"
        start = "static inline enum zone_type gfp_zone("
        header.write_text(header.read_text().replace(start, f"#define {name} {value}\n{start}"))
        report = check_json(bundled_tree)
        line = header.read_text()[: header.read_text().index(f"#define {name}")].count("\n") + 1
        (error,) = [c for c in report["checks"] if c["status"] != "pass"]
        assert (report["exit"], error["status"], error["id"]) == (3, "error", f"composite.{name}")
        assert (error["file"], error["line"]) == ("include/linux/gfp.h", line)
        assert why in error["message"]
        (change,) = pygfp.diff(before, bundled_tree).changes
        assert (change.subject, change.change, change.line) == (name, "broken", line)
        assert why in change.text
        # Where it was as bad before nothing is known of it; that it goes is no loss.
        edited = shutil.copytree(bundled_tree, tmp_path / "edited")
        (edited / "include/linux/gfp.h").write_text(header.read_text() + "/* edited */\n")
        both = pygfp.diff(bundled_tree, edited)
        assert (both.exit_status(), [p.subject for p in both.problems]) == (3, [name])
        assert pygfp.diff(bundled_tree, before).exit_status() == 0

    def test_a_function_that_only_some_configurations_declare(
        self, bundled_tree: Path, tmp_path: Path, check_json: Callable[..., Report]
    ) -> None:
        before = shutil.copytree(bundled_tree, tmp_path / "before")
        header = bundled_tree / "include/linux/gfp.h"
        head, end, tail = header.read_text().rpartition("#endif")
        used = "static inline int gfp_take(gfp_t a, int b) { return gfp_give(a, b); }"
        declared = "#ifdef CONFIG_OTHER\nextern int gfp_give(gfp_t a, int b);\n#endif\n"
        header.write_text(f"{head}{declared}#ifdef CONFIG_MORE\n{used}\n#endif\n\n{end}{tail}")
        report = check_json(bundled_tree)
        (error,) = [c for c in report["checks"] if c["status"] != "pass"]
        assert (error["status"], error["subject"]) == ("error", "gfp_take")
        assert "implicit declaration of function 'gfp_give'" in error["message"]
        assert [(c.subject, c.change) for c in pygfp.diff(before, bundled_tree).changes] == [("gfp_take", "broken")]

    @pytest.mark.parametrize("text", ["#error never both", "int gfp_x = ;", "enum gfp_x { ODD_A ODD_B };"])
    def test_symbols_that_do_not_go_together_cost_no_verdict(
        self, bundled_tree: Path, check_json: Callable[..., Report], text: str
    ) -> None:
        verdicts = [(c["id"], c["status"], c["inputs"]) for c in check_json(bundled_tree)["checks"]]
        header = bundled_tree / "include/linux/gfp.h"
        head, end, tail = header.read_text().rpartition("#endif")
        guard = "#if defined(CONFIG_OTHER) && defined(CONFIG_MORE)"
        header.write_text(f"{head}{guard}\n{text}\n#endif\n{end}{tail}")
        report = check_json(bundled_tree)
        found = [(c["id"], c["status"], c["inputs"]) for c in report["checks"]]
        assert [c for c in found if c[0] != "helper.gfp_x"] == verdicts
        assert ("helper.gfp_x", "error", 0) in found or "#error" in text
        assert report["exit"] == (0 if "#error" in text else 3)
        if "#error" in text:
            (note, *_) = [n for n in report["notes"] if "perhaps no kernel" in n]
            assert "#error never both" in note
            assert "CONFIG_MORE=y" in note

    def test_a_row_of_a_neighbour_that_nothing_judged_depends_on(
        self, bundled_tree: Path, check_json: Callable[..., Report]
    ) -> None:
        zones = bundled_tree / "include/linux/mmzone.h"
        text = zones.read_text()
        zones.write_text(text.replace("\tMIGRATE_ISOLATE,", "\t,"))
        line = text[: text.index("\tMIGRATE_ISOLATE,")].count("\n") + 1
        report = check_json(bundled_tree)
        (error,) = [c for c in report["checks"] if c["status"] != "pass"]
        assert (error["status"], error["subject"]) == ("error", "migratetype")
        assert (error["file"], error["line"]) == ("include/linux/mmzone.h", line)
        assert "CONFIG_MEMORY_ISOLATION=y" in error["message"]

    def test_a_macro_whose_bracket_is_not_closed(
        self, bundled_tree: Path, check_json: Callable[..., Report], run: Callable[..., tuple[int, str, str]]
    ) -> None:
        header = bundled_tree / "include/linux/gfp_types.h"
        lines = header.read_text().splitlines()
        (number,) = [n for n, line in enumerate(lines) if line.startswith("#define __GFP_WRITE")]
        lines[number] = lines[number].rstrip().removesuffix(")")
        header.write_text("\n".join(lines) + "\n")
        report = check_json(bundled_tree)
        named = {c["subject"]: c["message"] for c in report["checks"] if c["status"] != "pass"}
        assert set(named) == {"present", "compiles-alone"}
        assert "the macro __GFP_WRITE does not compile as a constant: a bracket of it is not closed" in named["present"]
        assert f"gfp_types.h:{number + 1}: __GFP_WRITE: " in named["compiles-alone"]
        for command in ("nested", "audit"):
            status, out, err = run(command, bundled_tree)
            assert (status in {0, 1, 3}, bool(out), "rounds" in err) == (True, True, False)
