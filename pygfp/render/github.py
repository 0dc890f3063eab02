# SPDX-License-Identifier: GPL-2.0-only
"""
Workflow commands of GitHub Actions: annotations at the lines of the headers, and the totals in the log.

GitHub shows ten annotations of a level for a step, in the order in which they come: the worst come first, and where
there are more than ten the tenth says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .items import LEVELS, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .items import Items

_SHOWN = 10

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(found: Items) -> str:
    """Return *found* as workflow commands, what is to be known besides as plain lines, and the verdict last."""
    lines = [found.heading]
    for level in LEVELS[:-1]:
        lines += _commands(found.command, [item for item in found.findings if item.level == level])
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join([*lines, found.verdict]) + "\n"


def _commands(command: str, items: Sequence[Item]) -> Iterable[str]:
    """The commands for *items* of one level. What GitHub leaves out is named in the last one that it shows."""
    for n, item in enumerate(items, 1):
        if n == _SHOWN < len(items):
            rest = [i.id for i in items[n - 1 :]]
            title = f"{len(rest)} more, which GitHub shows in the log only"
            yield _command(Item(f"{command}.more", "", "", item.outcome, item.level, title=title, detail=tuple(rest)))
        yield _command(item)


def _command(item: Item) -> str:
    properties = {"file": item.file, "line": item.line if item.file else None, "title": item.id}
    given = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items() if value)
    message = "\n".join([item.title, *item.detail])
    return f"::{item.level} {given}::{message.translate(_DATA)}"
