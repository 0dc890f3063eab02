# SPDX-License-Identifier: GPL-2.0-only
"""``git bisect run`` with pygfp finds the first bad commit, whatever stands in between."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from histories import GFP_H, IDENTITY, comment, commit, does_not_compile, git, keep_zero, replace, repository

from pygfp.changes import Change, DiffReport
from pygfp.cli import main
from pygfp.report import Check, Report, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

HELPER = "gfp_nested_mask"


def without_helper(tree: Path) -> None:
    """Remove gfp_nested_mask() from gfp.h."""
    text = (tree / GFP_H).read_text()
    at = text.index(f"static inline gfp_t {HELPER}(")
    (tree / GFP_H).write_text(text[:at] + text[text.index("}\n", at) + 2 :])


def unbuildable_helper(tree: Path) -> None:
    """Make gfp_nested_mask() alone one that does not compile."""
    replace(tree, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | ;")


@pytest.fixture
def history(bundled_tree: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """
    A repository with a first bad commit, and that commit.

    good, comment, does not compile, lacks the helper, *bad*, does not compile, comment, lacks the helper, HEAD (bad)
    """
    tree = repository(bundled_tree)
    comment(tree, "one")
    commit(tree, "gfp: comment")
    good = (tree / GFP_H).read_text()
    does_not_compile(tree)
    commit(tree, "gfp: not today")
    (tree / GFP_H).write_text(good)
    without_helper(tree)
    commit(tree, "gfp: no nested mask")
    (tree / GFP_H).write_text(good)
    commit(tree, "gfp: nested mask again")
    keep_zero(tree)
    bad = commit(tree, "gfp: keep zero")
    text = (tree / GFP_H).read_text()
    does_not_compile(tree)
    commit(tree, "gfp: not today either")
    (tree / GFP_H).write_text(text)
    comment(tree, "two")
    commit(tree, "gfp: another comment")
    without_helper(tree)
    commit(tree, "gfp: no nested mask once more")
    (tree / GFP_H).write_text(text)
    commit(tree, "gfp: nested mask for good")
    monkeypatch.chdir(tree)
    return tree, bad


def bisected(tree: Path, *command: str) -> tuple[str, str]:
    """The first bad commit that ``git bisect run`` finds, and what it says."""
    git(tree, "bisect", "start", "HEAD", "good")
    run = ["git", "-C", tree, "bisect", "run", sys.executable, "-m", "pygfp", *command]
    done = subprocess.run(run, capture_output=True, text=True, check=False, env={**os.environ, **IDENTITY})
    log = git(tree, "bisect", "log")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# only skipped commits" not in log, log
    return git(tree, "rev-parse", "refs/bisect/bad").strip(), log


class TestGitBisectRun:
    """Commits that do not build and commits without the helper are skipped."""

    def test_check_finds_the_first_bad_commit(self, history: tuple[Path, str]) -> None:
        tree, bad = history
        found, log = bisected(tree, "check", ".", "--bisect", "--helper", HELPER)
        assert found == bad
        assert f"# first bad commit: [{bad}] gfp: keep zero" in log

    def test_diff_finds_the_first_bad_commit(self, history: tuple[Path, str]) -> None:
        tree, bad = history
        found, log = bisected(tree, "diff", "--bisect", ".@good", ".", "--helper", HELPER)
        assert found == bad
        assert f"# first bad commit: [{bad}] gfp: keep zero" in log

    @pytest.mark.parametrize("command", ["check", "diff"])
    def test_commits_that_cannot_be_judged_are_skipped(self, history: tuple[Path, str], command: str) -> None:
        tree, bad = history
        options = [".", "--helper", HELPER] if command == "check" else [".@good", ".", "--helper", HELPER]
        before = git(tree, "rev-list", "--reverse", "good..main").split()
        verdicts = {}
        for one in before:
            git(tree, "checkout", "-q", one)
            run = [sys.executable, "-m", "pygfp", command, "--bisect", *options]
            done = subprocess.run(run, cwd=tree, capture_output=True, text=True, check=False)
            assert "Traceback" not in done.stderr
            verdicts[git(tree, "log", "-1", "--format=%s", one).strip()] = done.returncode
        assert verdicts == {
            "gfp: comment": 0,
            "gfp: not today": 125,
            "gfp: no nested mask": 125,
            "gfp: nested mask again": 0,
            "gfp: keep zero": 1,
            "gfp: not today either": 125,
            "gfp: another comment": 1,
            "gfp: no nested mask once more": 125,
            "gfp: nested mask for good": 1,
        }
        assert bad in before


class TestStatus:
    """125 skips, 255 ends the bisection, 1 is bad, 0 is good."""

    def test_a_helper_that_alone_does_not_compile(self, run: Run, history: tuple[Path, str]) -> None:
        tree, _ = history
        git(tree, "checkout", "-q", "good")
        unbuildable_helper(tree)
        assert run("check", ".", "--bisect", "--helper", HELPER)[0] == 125
        assert run("diff", ".@good", ".", "--bisect", "--helper", HELPER)[0] == 125
        assert run("check", ".", "--helper", HELPER)[0] == 3
        status, out, _ = run("diff", ".@good", ".", "--helper", HELPER)
        assert (status, "broken" in out) == (1, True)

    def test_a_missing_helper_is_a_fail_without_bisect(self, run: Run, history: tuple[Path, str]) -> None:
        tree, _ = history
        git(tree, "checkout", "-q", "good")
        without_helper(tree)
        assert run("check", ".", "--helper", HELPER)[0] == 1
        assert run("diff", ".@good", ".", "--helper", HELPER)[0] == 1
        assert run("check", ".", "--bisect", "--helper", HELPER)[0] == 125

    def test_a_missing_helper_is_bad_where_none_was_named(self, run: Run, history: tuple[Path, str]) -> None:
        tree, _ = history
        git(tree, "checkout", "-q", "good")
        without_helper(tree)
        assert run("check", ".", "--bisect")[0] == 1
        assert run("diff", ".@good", ".", "--bisect")[0] == 1

    @pytest.mark.parametrize("command", [["check", "."], ["diff", ".@good", "."]], ids=["check", "diff"])
    def test_a_fail_still_wins(self, run: Run, history: tuple[Path, str], command: list[str]) -> None:
        tree, _ = history
        git(tree, "checkout", "-q", "good")
        keep_zero(tree)
        replace(tree, "bool gfp_has_io_fs(gfp_t gfp)\n{", "bool gfp_has_io_fs(gfp_t gfp)\n{ return & ;")
        assert run(*command, "--bisect")[0] == 1
        assert run(*command, "--bisect", "--helper", "gfp_*")[0] == 1
        assert run(*command, "--bisect", "--helper", "gfp_has_io_fs")[0] == 125

    @pytest.mark.parametrize(
        "arguments",
        [
            ["check", ".", "--set", "LOCKDEP"],
            ["check", ".", "--baseline", "/nonexistent"],
            ["check", ".", "--policy", "/nonexistent"],
            ["diff", "bundled"],
            ["diff", "a", "b", "--patch", "c"],
        ],
        ids=" ".join,
    )
    def test_a_call_that_cannot_be_meant_ends_the_bisection(
        self, run: Run, history: tuple[Path, str], arguments: list[str]
    ) -> None:
        assert history
        status, _, err = run(*arguments, "--bisect")
        assert status == 255
        assert err.startswith("pygfp: ")

    @pytest.mark.parametrize("arguments", [["check", ".", "--no-such-option"], ["diff", "a", "b", "c"]], ids=" ".join)
    def test_so_does_a_command_line_that_cannot_be_parsed(
        self, run: Run, history: tuple[Path, str], arguments: list[str]
    ) -> None:
        assert history
        assert run(*arguments, "--bisect")[0] == 255
        assert run(*arguments)[0] == 2

    @pytest.mark.parametrize(
        "arguments", [["check", "nowhere"], ["check", ".@v9"], ["diff", ".@v9", "."]], ids=" ".join
    )
    def test_a_source_that_is_misspelt_ends_the_bisection(
        self, run: Run, history: tuple[Path, str], arguments: list[str]
    ) -> None:
        """Skipping would go on through the whole history."""
        assert history
        assert run(*arguments, "--bisect")[0] == 255
        assert run(*arguments)[0] == 3

    def test_a_misspelt_helper_is_skipped_and_said(self, run: Run, history: tuple[Path, str]) -> None:
        assert history
        status, _, err = run("check", ".", "--bisect", "--helper", "gfp_nsted_mask")
        assert status == 125
        assert "gfp_nsted_mask" in err


SOURCE = SourceInfo("tree", "tree", None, "v6.12", "6.12.1", "0")


class TestTrouble:
    """What is wrong with pygfp or the machine is no bad commit: the bisection ends, and says why."""

    @pytest.mark.parametrize(
        "trouble", [OSError(28, "No space left on device"), ValueError("a bug"), BrokenPipeError()]
    )
    def test_it_ends_the_bisection(
        self, history: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, trouble: Exception
    ) -> None:
        assert history

        def fail(*_: object) -> None:
            raise trouble

        monkeypatch.setattr("pygfp.cli.output.write", fail)
        monkeypatch.setattr("os.dup2", lambda *_: None)
        assert main(["check", "bundled", "--helper", "GFP_NOIO", "--bisect"]) == 255
        assert main(["check", "bundled", "--helper", "GFP_NOIO"]) == 3


class TestReports:
    """What the exit status is made of, for every mixture."""

    @pytest.mark.parametrize(
        ("statuses", "named", "expected"),
        [
            (["pass"], False, 0),
            (["pass", "fail"], False, 1),
            (["pass", "error"], False, 125),
            (["fail", "error"], False, 1),
            (["absent"], False, 125),
            (["pass", "absent"], False, 0),
            (["pass", "gone"], False, 1),
            (["pass", "gone"], True, 125),
            (["gone"], True, 125),
            (["fail", "gone"], True, 1),
            (["absent gone", "pass"], True, 125),
            ([], False, 125),
        ],
    )
    def test_of_check(self, statuses: list[str], expected: int, *, named: bool) -> None:
        checks = tuple(
            Check(f"helper.f{n}", f"f{n}", "helper", s.split()[0].replace("gone", "fail"), gone="gone" in s)
            for n, s in enumerate(statuses)
        )
        assert Report(SOURCE, checks, "gcc", 1, 27, "all").bisect_status(named=named) == expected

    @pytest.mark.parametrize(
        ("ways", "named", "expected"),
        [
            ([], False, 0),
            (["changed"], False, 1),
            (["added"], False, 1),
            (["added"], True, 125),
            (["removed"], True, 125),
            (["added", "changed"], True, 1),
            (["broken"], False, 125),
            (["broken", "changed"], False, 1),
        ],
    )
    def test_of_diff(self, ways: list[str], expected: int, *, named: bool) -> None:
        changes = tuple(Change(f"f{n}", "helper", way, way) for n, way in enumerate(ways))
        found = DiffReport(SOURCE, SOURCE, changes=changes, compared=("g",))
        assert found.bisect_status(named=named) == expected
