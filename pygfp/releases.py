# SPDX-License-Identifier: GPL-2.0-only
"""
The reference rows: what each known release defines, read from ``data/releases.json``.

The values were read by compiling each real header in every combination of the CONFIG symbols that
it tests; the file says more of itself in its ``about`` member.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Not through importlib.resources, which costs more than reading the file.
_DATA = Path(__file__).resolve().parent / "data" / "releases.json"


@dataclass(frozen=True)
class Row:
    """
    One release of the reference data.

    :ivar name: ``v6.12``
    :ivar version: the exact release that was read, ``6.12.107``
    :ivar flags: flag name to ``bit`` (with all symbols on), ``config`` (the symbol without which it
        is 0), ``bit_by_config``
    :ivar composites: composite name to the flags in it, with all symbols on
    :ivar helper_files: helper name to the files that define it; empty where that was not recorded
    :ivar config_symbols: the symbols that the flags depend on
    :ivar bits_shift: ``__GFP_BITS_SHIFT`` by the symbols that are on
    :ivar trace_names: the order in which ``%pGg`` tries names
    :ivar split: whether the flags are in ``gfp_types.h``
    """

    name: str
    version: str
    flags: dict[str, dict[str, Any]]
    composites: dict[str, list[str]]
    helper_files: dict[str, list[str]]
    config_symbols: list[str]
    bits_shift: dict[str, int]
    trace_names: list[str]
    split: bool

    def gate(self, flag: str) -> str | None:
        """Return the CONFIG symbol without which *flag* is 0, or None."""
        gate: str | None = self.flags.get(flag, {}).get("config")
        return gate


def version_key(version: str) -> tuple[int, int, int]:
    """Return ``6.12.117`` as numbers, missing ones as 0."""
    major, minor, patch, *_ = (*(int(part) for part in version.split(".")), 0, 0)
    return major, minor, patch


@cache
def rows() -> tuple[Row, ...]:
    """Return every row, oldest release first."""
    data = json.loads(_DATA.read_bytes())
    found = [
        Row(
            name=name,
            version=raw["version"],
            flags=raw["flags"],
            composites=raw["composites"],
            helper_files=raw["helper_files"],
            config_symbols=raw["config_symbols"],
            bits_shift=raw["bits_shift"],
            trace_names=raw["trace_names"]["printk"],
            split=raw["gfp_types_h"],
        )
        for name, raw in data["releases"].items()
    ]
    return tuple(sorted(found, key=lambda row: version_key(row.version)))


def newest() -> Row:
    """Return the row of the newest release."""
    return rows()[-1]


def reference(release: str | None) -> Row:
    """
    Return the row that a tree of *release* is judged by.

    Of the rows of its own series the newest that is not newer than the tree, else the oldest of that
    series; without a row for the series, the newest row of an older one. A tree whose release is
    not known is judged by the newest row.

    >>> reference("6.12.50").version, reference("6.12.117").version, reference("6.13.1").version
    ('6.12.0', '6.12.107', '6.12.107')
    """
    if release is None:
        return newest()
    key = version_key(release)
    series = [row for row in rows() if version_key(row.version)[:2] == key[:2]]
    if series:
        return max(
            (r for r in series if version_key(r.version) <= key),
            key=lambda r: version_key(r.version),
            default=series[0],
        )
    older = [row for row in rows() if version_key(row.version)[:2] < key[:2]]
    return older[-1] if older else rows()[0]
