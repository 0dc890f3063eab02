# SPDX-License-Identifier: GPL-2.0-only
"""Every command on the pages about diff, bisection and patches is run, and its session is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from histories import IDENTITY, comment, commit, git, keep_zero, repository

PAGES = ("review.md", "bisect.md", "ci.md")
SAID = "__GFP_ZERO drop -> keep"


def commands(page: str) -> list[str]:
    """The commands of the ``sh`` blocks of *page*, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+#\s.*", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.strip()]


#: What each command gives in the repository below: status, and a text that it prints.
EXPECTED = {
    "review.md": {
        "pygfp diff": (0, "NO CHANGE"),
        "pygfp diff .@main": (1, SAID),
        "pygfp diff .@main..work": (1, SAID),
        "pygfp diff .@main...work": (1, SAID),
        "pygfp diff bundled .": (1, SAID),
        "pygfp diff --patch 0001.patch": (1, SAID),
        "pygfp diff --patch series.mbox .@main": (1, SAID),
        "git format-patch --stdout main..work | pygfp diff --patch - .@main": (1, SAID),
        "pygfp diff -q": (0, ""),
        "pygfp check --save-baseline gfp.toml": (0, "accepts what was found"),
        "pygfp check --baseline gfp.toml": (0, "PASS"),
    },
    "bisect.md": {
        "git bisect start HEAD good": (0, ""),
        "git bisect run pygfp check . --bisect --helper gfp_nested_mask": (0, "is the first bad commit"),
        "git bisect run pygfp diff --bisect .@good . --helper gfp_nested_mask": (0, "is the first bad commit"),
    },
    "ci.md": {
        'git config b4.prep-perpatch-check-cmd "pygfp diff -q --patch -"': (0, ""),
        'pygfp diff ".@$BASE...HEAD" --format github': (1, "::error"),
        'pygfp diff ".@$BASE...HEAD" --format ktap': (1, "not ok"),
        "pygfp check --baseline gfp.toml --strict": (0, "PASS"),
    },
}


@pytest.fixture
def tree(bundled_tree: Path) -> Path:
    """On branch ``work`` of a repository: a comment, then a nested mask that keeps __GFP_ZERO, and both as patches."""
    repository(bundled_tree)
    git(bundled_tree, "checkout", "-q", "-b", "work")
    comment(bundled_tree)
    commit(bundled_tree, "gfp: a comment")
    keep_zero(bundled_tree)
    commit(bundled_tree, "gfp: keep zero")
    (bundled_tree / "0001.patch").write_text(git(bundled_tree, "format-patch", "--stdout", "-1"))
    (bundled_tree / "series.mbox").write_text(git(bundled_tree, "format-patch", "--stdout", "-2"))
    return bundled_tree


def shell(tree: Path, command: str) -> tuple[int, str, str]:
    environment = {
        **os.environ,
        **IDENTITY,
        "BASE": "main",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", command], cwd=tree, capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_each_command_does_what_the_page_says(tree: Path, page: str) -> None:
    if page == "ci.md":
        assert shell(tree, "pygfp check --save-baseline gfp.toml")[0] == 0
    ours = [c for c in commands(page) if page != "ci.md" or "$KERNEL" not in c]
    assert set(ours) == EXPECTED[page].keys()
    for command in ours:
        status, text = EXPECTED[page][command]
        code, out, err = shell(tree, command)
        assert code == status, (command, out, err)
        assert text in out, (command, out, err)
        assert "Traceback" not in err


def test_the_bisections_find_the_commit(tree: Path) -> None:
    bad = git(tree, "rev-parse", "work").strip()
    for command in commands("bisect.md"):
        _, out, _ = shell(tree, command)
        assert "run" not in command.split() or f"{bad} is the first bad commit" in out


def test_the_session_of_a_review(bundled_tree: Path) -> None:
    keep_zero(repository(bundled_tree))
    _, out, _ = shell(bundled_tree, "pygfp diff")
    page = (ROOT / "docs/review.md").read_text()
    block = page.split("    $ pygfp diff\n")[1].split("\n\n- ")[0]
    shown = [line[4:] for line in block.splitlines() if line.strip() not in {"", "[...]"}]
    assert len(shown) > 10
    assert [line for line in shown if line not in out.splitlines()] == []


def test_the_lines_that_a_reviewer_sees_of_a_baseline(bundled_tree: Path) -> None:
    repository(bundled_tree)
    shell(bundled_tree, "pygfp check --save-baseline gfp.toml")
    commit(bundled_tree, "gfp: a baseline")
    keep_zero(bundled_tree)
    shell(bundled_tree, "pygfp check --save-baseline gfp.toml")
    seen = git(bundled_tree, "diff", "gfp.toml").splitlines()
    shown = re.findall(r"^    ([-+]keep = .*)$", (ROOT / "docs/review.md").read_text(), re.MULTILINE)
    assert len(shown) == 2
    assert [line for line in shown if line not in seen] == []


@pytest.mark.parametrize("page", [p.name for p in sorted((ROOT / "docs").glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for link in re.findall(r"\]\(([^)#]+\.md)(#[^)]*)?\)", text):
        target = ROOT / "docs" / link[0]
        assert target.is_file(), link
        titles = [
            re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-")
            for t in re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        ]
        assert not link[1] or link[1][1:] in titles, (link, titles)
