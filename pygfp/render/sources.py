# SPDX-License-Identifier: GPL-2.0-only
"""
The list of sources, as text and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import json as common

if TYPE_CHECKING:
    from collections.abc import Sequence


def text(found: Sequence[tuple[str, str]]) -> str:
    """Return (label, release) pairs as a table."""
    width = max(len(label) for label, _ in found)
    return "".join(f"{label:<{width}}  {release}\n" for label, release in found)


def json(found: Sequence[tuple[str, str]]) -> str:
    """Return (label, release) pairs as a JSON object."""
    rows = [{"label": label, "release": release or None} for label, release in found]
    return common.dump({"schema": "pygfp.sources/1", "exit": 0, "sources": rows})
