# SPDX-License-Identifier: GPL-2.0-only
"""
Names through the releases that are known: where a flag stood, and what a composite was made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import Selection
from ..decoding.tables import of_row
from ..releases import rows
from .cubes import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..releases import Row

#: The text of an era of which the facts do not say where helpers are.
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Era:
    """
    Releases that follow each other and in which a name is the same.

    :ivar releases: their names, oldest first
    :ivar text: what the name is there; ``""`` where they lack it
    """

    releases: tuple[str, ...]
    text: str


def flag(name: str) -> list[Era]:
    """
    Return on which bit flag *name* stood, oldest release first.

    >>> [(era.releases[0], era.text) for era in flag("__GFP_ATOMIC")]
    [('v4.19', 'bit 19'), ('v5.4', 'bit 9'), ('v6.5', '')]
    """
    return _eras(lambda row: _bits(row, name))


def composite(name: str) -> list[Era]:
    """Return which flags composite *name* was made of, oldest release first; flags without their prefix."""
    return _eras(lambda row: " ".join(f.removeprefix("__GFP_") for f in row.composites.get(name, ())))


def helper(name: str) -> list[Era]:
    """Return in which file helper *name* was, oldest release first."""
    return _eras(lambda row: ", ".join(row.helper_files.get(name, ())) if row.helper_files else NOT_RECORDED)


def _eras(text_of: Callable[[Row], str]) -> list[Era]:
    found: list[Era] = []
    for row in rows():
        text = text_of(row)
        if found and found[-1].text == text:
            found[-1] = Era((*found[-1].releases, row.name), text)
        else:
            found.append(Era((row.name,), text))
    return found


def _bits(row: Row, name: str) -> str:
    tables = of_row(row, Selection())
    every = [assignment for assignment, _ in tables]
    found: dict[int, list[dict[str, bool]]] = {}
    for assignment, table in tables:
        mask = table.masks.get(name, 0)
        if mask:
            found.setdefault(mask.bit_length() - 1, []).append(assignment)
    return "; ".join(f"bit {bit} {phrase(configs, every)}".rstrip() for bit, configs in sorted(found.items()))
