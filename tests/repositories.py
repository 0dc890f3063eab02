# SPDX-License-Identifier: GPL-2.0-only
"""Trees and git histories that tests build."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

GFP_H = "include/linux/gfp.h"
MAKEFILE = "# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\nEXTRAVERSION = -rc3\n"
SUBSET = Path(__file__).resolve().parent.parent / "csrc" / "include"

_IDENTITY = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def raw_git(tree: Path, *arguments: str, status: tuple[int, ...] = (0,)) -> bytes:
    """Output of a git command that ends with one of *status*."""
    done = subprocess.run(
        ["git", "-C", tree, *arguments], check=False, capture_output=True, env={**os.environ, **_IDENTITY}
    )
    assert done.returncode in status, done.stderr.decode()
    return done.stdout


def git(tree: Path, *arguments: str) -> str:
    return raw_git(tree, *arguments).decode()


def commit(tree: Path, message: str, files: dict[str, str] | None = None) -> None:
    """Commit everything in *tree*, after writing *files*."""
    write(tree, files or {})
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "--allow-empty", "-m", message)


def subset_tree(root: Path) -> Path:
    """The bundled subset as a kernel tree in *root*, with a Makefile and a neighbour."""
    shutil.copytree(SUBSET, root / "include")
    return write(root, {"Makefile": MAKEFILE, "mm/internal.h": "#define A 1\n#define B 2\n", "README": "one\ntwo\n"})


def edit(tree: Path, file: str, old: str, new: str) -> None:
    """Replace the one place of *old* in *file*."""
    text = (tree / file).read_text()
    assert text.count(old) == 1, (file, old, text.count(old))
    (tree / file).write_text(text.replace(old, new))
