# SPDX-License-Identifier: GPL-2.0-only
"""
What every JSON report has in common. Masks are hex strings; readers ignore keys that they do not know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..report import SourceInfo


def dump(value: Mapping[str, Any]) -> str:
    """Return *value* as a JSON object with a newline at the end."""
    return json.dumps(value, indent=1) + "\n"


def source(info: SourceInfo) -> dict[str, Any]:
    """Return what a report says of a source."""
    return {
        "kind": info.kind,
        "label": info.label,
        "release": info.release,
        "reference": info.reference,
        "reference_version": info.reference_version,
        "digest": info.digest,
    }
