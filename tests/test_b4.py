# SPDX-License-Identifier: GPL-2.0-only
"""The real b4 runs pygfp on each patch of a branch, as ``b4 prep --check`` does for its users. Offline."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING

import b4
import pytest
from histories import IDENTITY, comment, commit, does_not_compile, git, keep_zero, replace, repository
from test_docs import commands

if TYPE_CHECKING:
    from collections.abc import Callable

    Reading = list[tuple[str, str]]

#: The command of docs/ci.md, with the pygfp of this test run.
(LINE,) = [c for c in commands("ci.md") if "prep-perpatch-check-cmd" in c]
COMMAND = LINE.split('"')[1].split()


@pytest.fixture
def repo(bundled_tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A repository, the current directory, with b4's own files out of the way."""
    monkeypatch.chdir(repository(bundled_tree))
    for name, value in {**IDENTITY, "XDG_DATA_HOME": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n\tname = A Tester\n\temail = tester@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    b4.setup_config(argparse.Namespace(config={}))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return bundled_tree


def reading(tree: Path) -> Reading:
    """What b4 makes of the command on the last commit of *tree*."""
    mail = message_from_string(git(tree, "format-patch", "--stdout", "-1"), policy=default)
    found: Reading = b4.LoreMessage.run_local_check(COMMAND, git(tree, "rev-parse", "HEAD"), mail, nocache=True)
    return found


def other_file(tree: Path) -> None:
    (tree / "mm").mkdir()
    (tree / "mm/slub.c").write_text("int x;\n")


def binary_file(tree: Path) -> None:
    (tree / "logo.bin").write_bytes(bytes(range(256)))


class TestReading:
    """Any line on stderr is a failure to b4, and so is a status without a line."""

    @pytest.mark.parametrize("edit", [comment, other_file, binary_file])
    def test_a_patch_without_meaning_passes(self, repo: Path, edit: Callable[[Path], None]) -> None:
        edit(repo)
        commit(repo, "nothing")
        assert reading(repo) == [("success", "pygfp: passed all checks")]

    def test_a_change_of_meaning_is_a_warning(self, repo: Path) -> None:
        replace(repo, "\t__GFP_RECLAIM\n", "\t(__GFP_RECLAIM | __GFP_NOWARN)\n", "include/linux/gfp_types.h")
        commit(repo, "gfp: quiet")
        found = reading(repo)
        assert {flag for flag, text in found if "WARNING" in text} == {"warning"}
        assert any("GFP_NOIO: + __GFP_NOWARN" in text for _, text in found)

    def test_a_broken_law_is_an_error(self, repo: Path) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        found = reading(repo)
        assert [flag for flag, _ in found] == ["fail", "fail", "warning"]
        for _, text in found:
            assert re.match(r"pygfp: include/linux/gfp\.h:\d+: (ERROR|WARNING): \S", text)

    def test_what_cannot_be_judged_is_an_error(self, repo: Path) -> None:
        does_not_compile(repo)
        commit(repo, "gfp: not today")
        found = reading(repo)
        assert {flag for flag, _ in found} == {"fail"}
        assert "not today" in " ".join(text for _, text in found)

    def test_a_patch_that_does_not_apply_is_an_error(self, repo: Path) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        text = git(repo, "format-patch", "--stdout", "-1")
        text = re.sub(r"index .*", "index 123456789abc..cba987654321 100644", text)
        mail = message_from_string(re.sub(r"(?m)^ (.*;)$", r" other \1", text), policy=default)
        found = b4.LoreMessage.run_local_check(COMMAND, "ident", mail, nocache=True)
        assert {flag for flag, _ in found} == {"fail"}


def test_prep_check_of_a_branch(repo: Path) -> None:
    program = Path(sys.executable).parent / "b4"

    def run(*arguments: str) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)

    run("prep", "-n", "work")
    comment(repo)
    commit(repo, "gfp: a comment")
    keep_zero(repo)
    commit(repo, "gfp: keep zero")
    git(repo, *LINE.replace('"', "").split(None, 3)[1:3], " ".join(COMMAND))
    out = run("prep", "--check")
    assert "gfp: a comment" in out
    assert "__GFP_ZERO drop -> keep" in out
    assert "Success: 1, Warning: 1, Error: 2" in out
