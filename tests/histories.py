# SPDX-License-Identifier: GPL-2.0-only
"""Git repositories that tests build: a copy of the bundled subset with a history, and edits to make one of."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GFP_H = "include/linux/gfp.h"
MAKEFILE = "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n"

#: Nobody's configuration but the tests'.
IDENTITY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"} | {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"))
}


def git(tree: Path, *arguments: object) -> str:
    """Return what git says."""
    command = ["git", "-C", tree, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **IDENTITY}).stdout


def commit(tree: Path, message: str) -> str:
    """Commit everything in *tree* and return the id."""
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "--allow-empty", "-m", f"{message}\n\nSigned-off-by: A Tester <tester@example.org>")
    return git(tree, "rev-parse", "HEAD").strip()


def repository(tree: Path) -> Path:
    """Make *tree* a repository of one commit, tagged ``good``."""
    (tree / "Makefile").write_text(MAKEFILE)
    git(tree, "init", "-q", "-b", "main")
    commit(tree, "headers: first")
    git(tree, "tag", "good")
    return tree


def keep_zero(tree: Path) -> None:
    """Make the nested mask keep __GFP_ZERO: one changed flag, two broken rules."""
    replace(tree, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;")


def comment(tree: Path, text: str = "no meaning") -> None:
    """Add a comment to gfp.h."""
    (tree / GFP_H).write_text(f"{(tree / GFP_H).read_text()}/* {text} */\n")


def does_not_compile(tree: Path) -> None:
    """Make gfp.h as a whole one that no compiler takes."""
    (tree / GFP_H).write_text(f"#error not today\n{(tree / GFP_H).read_text()}")


def replace(tree: Path, old: str, new: str, file: str = GFP_H) -> None:
    """Replace *old*, which occurs once."""
    text = (tree / file).read_text()
    assert text.count(old) == 1, (old, text.count(old))
    (tree / file).write_text(text.replace(old, new))


def state(tree: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and content of every file of *tree*, .git included, and of every directory the time."""
    return {
        str(p.relative_to(tree)): (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
        for p in tree.rglob("*")
    }
