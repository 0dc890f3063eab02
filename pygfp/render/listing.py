# SPDX-License-Identifier: GPL-2.0-only
"""
The list of sources, as text and as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def sources(found: Sequence[tuple[str, str]], *, as_json: bool) -> str:
    """Return (label, release) pairs as a table or a JSON object."""
    if as_json:
        rows = [{"label": label, "release": release or None} for label, release in found]
        return json.dumps({"schema": "pygfp.sources/1", "exit": 0, "sources": rows}, indent=1) + "\n"
    width = max(len(label) for label, _ in found)
    return "".join(f"{label:<{width}}  {release}\n" for label, release in found)
