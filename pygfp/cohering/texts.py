# SPDX-License-Identifier: GPL-2.0-only
"""
The files that hold tables, besides those that every command reads.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import KernelTreeError
from ..places import read_regular

if TYPE_CHECKING:
    from ..sources import Source

#: Where ``%pGg`` has its array, perf its short names, and tools their copy of the header.
DEBUG, PERF, COPY = "mm/debug.c", "tools/perf/builtin-kmem.c", "tools/include/linux/gfp_types.h"

_TIMEOUT_S = 60


def more(source: Source) -> dict[str, bytes]:
    """
    Return those of the table files that *source* has.

    :raises KernelTreeError: one cannot be read
    """
    found = {file: _read(source, file) for file in (DEBUG, PERF, COPY)}
    return {file: text for file, text in found.items() if text is not None}


def _read(source: Source, file: str) -> bytes | None:
    if source.kind == "tree":
        return _of_directory(Path(source.label), file)
    if source.kind == "revision":
        directory, _, revision = source.label.rpartition("@")
        return _of_revision(Path(directory or "."), revision, file)
    return None


def _of_directory(root: Path, file: str) -> bytes | None:
    # A build directory leads to its sources by a link.
    for path in (root / file, root / "source" / file):
        content = read_regular(root, path, file)
        if content is not None:
            return content
    return None


def _of_revision(directory: Path, revision: str, file: str) -> bytes | None:
    prefix = _git(directory, "rev-parse", "--show-prefix") or b""
    place = f"{revision}:{prefix.decode(errors='surrogateescape').strip()}{file}"
    return _git(directory, "cat-file", "blob", place)


def _git(directory: Path, *arguments: str) -> bytes | None:
    """Output of a git command that only reads, or None where it fails."""
    command = ["git", "-C", str(directory.resolve()), "--no-optional-locks", *arguments]
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"GIT_ALLOW_PROTOCOL": ""}
    try:
        done = subprocess.run(  # noqa: S603 - git, on a repository that the user named
            command, capture_output=True, check=False, env=env, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        message = f"{' '.join(command)} cannot be run: {exc}"
        raise KernelTreeError(message, path=directory) from exc
    return done.stdout if done.returncode == 0 else None
