# SPDX-License-Identifier: GPL-2.0-only
"""
The formats that a report comes in, and who writes each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .items import Items

#: Formats that every command has its own renderer for.
OWN = ("text", "json")
#: Formats that are written from items, whatever the command.
COMMON = ("ktap",)
FORMATS = (*OWN, *COMMON)


def rendered(found: Items, name: str) -> str:
    """Return *found* in the format *name* of COMMON, with a newline at the end."""
    from . import ktap  # noqa: PLC0415 - most runs need none of them

    return {"ktap": ktap.render}[name](found)
