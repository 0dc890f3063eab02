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
