# SPDX-License-Identifier: GPL-2.0-only
"""
Which lines of a tree changed since a revision, as git tells without touching anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import git
from ..errors import KernelTreeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .values import Site

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")

#: Line ranges by file; None: the whole file is new.
Changed = dict[str, list[tuple[int, int]] | None]


def changed_lines(root: Path, revision: str) -> Changed:
    """
    Return the lines of each file below *root* that changed since *revision*, those that are not committed too.

    Where lines were only removed, the two around them count.

    :raises KernelTreeError: not a git tree, or no such revision
    """
    if git.output(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") is None:
        message = f"--since {revision}: git knows no such revision in {root}; expected a commit, tag or branch"
        raise KernelTreeError(message, path=root)
    if not git.output(root, "ls-files", "--", "include/linux/gfp.h"):
        message = f"--since {revision}: git does not track the tree in {root}, so that it cannot tell what changed"
        raise KernelTreeError(message, path=root)
    options = (
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-renames",
        "--relative",
        "--unified=0",
        "--src-prefix=a/",
        "--dst-prefix=b/",
    )
    text = git.output(root, "-c", "core.quotePath=false", "diff", *options, revision, "--", "*.c", "*.h")
    listed = git.output(
        root, "-c", "core.quotePath=false", "ls-files", "-z", "--others", "--exclude-standard", "--", "*.c", "*.h"
    )
    if text is None or listed is None:
        message = f"--since {revision}: git diff fails in {root}"
        raise KernelTreeError(message, path=root)
    changed: Changed = {name: None for name in listed.decode(errors="surrogateescape").split("\0") if name}
    current: list[tuple[int, int]] | None = None
    for line in text.decode(errors="surrogateescape").splitlines():
        if line.startswith("+++ "):
            name = line[4:].removesuffix("\t")
            current = None if name == "/dev/null" else []
            if current is not None:
                changed[name.removeprefix("b/")] = current
        elif line.startswith("@@ ") and current is not None and (match := _HUNK.match(line)):
            first, count = int(match[1]), int(match[2] or 1)
            current.append((first, first + count - 1) if count else (first, first + 1))
    return changed


def touches(site: Site, changed: Mapping[str, list[tuple[int, int]] | None]) -> bool:
    """Return whether a statement of *site* stands on a line that changed."""
    ranges = changed.get(site.file, [])
    if ranges is None:
        return True
    spans = [*((n, n) for n in site.lines), (site.line, site.end_line)]
    return any(first <= end and start <= last for first, last in ranges for start, end in spans)
