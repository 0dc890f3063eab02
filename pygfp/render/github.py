# SPDX-License-Identifier: GPL-2.0-only
"""
Workflow commands of GitHub Actions: annotations at the lines of the headers, and the totals in the log.

GitHub shows ten annotations of a level for a step, in the order in which they come: the worst come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .items import Item, Items

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(found: Items) -> str:
    """Return *found* as workflow commands, what is to be known besides as plain lines, and the verdict last."""
    lines = [found.heading]
    lines += [_command(item) for item in found.findings if item.level != "none"]
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join([*lines, found.verdict]) + "\n"


def _command(item: Item) -> str:
    properties = {"file": item.file, "line": item.line if item.file else None, "title": item.id}
    given = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items() if value)
    message = "\n".join([item.title, *item.detail])
    return f"::{item.level} {given}::{message.translate(_DATA)}"
