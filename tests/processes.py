# SPDX-License-Identifier: GPL-2.0-only
"""The processes that a process has started."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> set[int]:
    """Return every process that *pid* has started, and they have."""
    found: set[int] = set()
    todo = [pid]
    while todo:
        try:
            texts = [p.read_text() for p in Path(f"/proc/{todo.pop()}/task").glob("*/children")]
        except OSError:  # it has ended meanwhile
            continue
        new = {int(n) for text in texts for n in text.split()} - found
        found |= new
        todo += new
    return found
