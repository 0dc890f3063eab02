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
COMMON = ("ktap", "junit", "sarif", "github")
FORMATS = (*OWN, *COMMON)


def rendered(found: Items, name: str) -> str:
    """Return *found* in the format *name* of COMMON, with a newline at the end."""
    from . import github, junit, ktap, sarif  # noqa: PLC0415 - most runs need none of them

    table = {"ktap": ktap.render, "junit": junit.render, "sarif": sarif.render, "github": github.render}
    return table[name](found)
