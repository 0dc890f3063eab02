# SPDX-License-Identifier: GPL-2.0-only
"""
The flag tables of one kernel, a table for each configuration: of a known release, from the facts alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .. import config, releases
from ..errors import UsageError
from ..flags import FlagTable
from ..report import SourceInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Assignment, Selection
    from ..releases import Row

_RELEASE = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")

#: Width of ``gfp_t`` in every known release.
_GFP_T_BITS = 32


@dataclass(frozen=True)
class Tables:
    """
    What the flags of one kernel are called, configuration by configuration.

    :ivar info: which kernel
    :ivar configs: each judged configuration with its table; at least one
    :ivar places: file and line of each name's definition, where there is a text
    :ivar notes: what a user should know of it
    """

    info: SourceInfo
    configs: tuple[tuple[Assignment, FlagTable], ...]
    compiler: str = ""
    places: Mapping[str, tuple[str, int]] | None = None
    notes: tuple[str, ...] = ()

    @property
    def gfp_t_bits(self) -> int:
        """Width of ``gfp_t``."""
        return self.configs[0][1].gfp_t_bits

    @property
    def assignments(self) -> list[Assignment]:
        """The judged configurations."""
        return [assignment for assignment, _ in self.configs]

    @property
    def label(self) -> str:
        """What a message calls that kernel."""
        return self.info.reference if self.info.kind == "release" else self.info.label

    def table(self, assignment: Assignment) -> FlagTable:
        """Return the table of the configuration that *assignment* is, or is part of, or has more symbols than."""
        return next(t for known, t in self.configs if _agree(assignment, known))

    def has(self, assignment: Assignment) -> bool:
        """Return whether there is a table for *assignment*: a configuration that does not compile has none."""
        return any(_agree(assignment, known) for known, _ in self.configs)

    @cached_property
    def names(self) -> list[str]:
        """Every flag and composite that some configuration defines."""
        return list(dict.fromkeys(n for _, table in self.configs for n in table.masks))


def _agree(one: Assignment, other: Assignment) -> bool:
    return all(one.get(symbol, value) == value for symbol, value in other.items())


def of_release(release: str, selection: Selection) -> Tables:
    """
    Return the tables of a known release, or of the one that stands for it.

    :param release: ``6.1``, ``v6.1`` or ``6.1.176``; without a third number the newest row of that series is meant
    :raises UsageError: not a release
    """
    row, exact = row_of(release)
    info = SourceInfo("release", release.removeprefix("v"), exact, row.name, row.version, "")
    return Tables(info, of_row(row, selection), notes=tuple(_stands_in(release, row)))


def row_of(release: str) -> tuple[Row, str | None]:
    """
    Return the row for *release*, and the release itself if it has three numbers, else None.

    >>> row_of("6.12")[0].version, row_of("v6.12.5")[0].version
    ('6.12.107', '6.12.0')

    :raises UsageError: not a release
    """
    match = _RELEASE.fullmatch(release)
    if not match:
        message = f"--release {release}: expected a kernel release such as 6.1 or 6.12.5"
        raise UsageError(message)
    version = release.removeprefix("v")
    if match[3]:
        return releases.reference(version), version
    # The newest of the series: whoever says 6.12 has what its stable tree has by now.
    return releases.reference(f"{version}.99999"), None


def _stands_in(release: str, row: Row) -> list[str]:
    asked = releases.version_key(release.removeprefix("v"))[:2]
    if releases.version_key(row.version)[:2] == asked:
        return []
    known = ", ".join(
        dict.fromkeys(f"{a}.{b}" for a, b, _ in (releases.version_key(r.version) for r in releases.rows()))
    )
    return [f"{release} is none of the releases that pygfp knows ({known}); {row.name} stands in for it"]


def of_row(row: Row, selection: Selection) -> tuple[tuple[Assignment, FlagTable], ...]:
    """Return the table of *row* in each combination of its symbols that *selection* asks for."""
    choices = config.assignments(row.config_symbols, selection, 64)
    return tuple((choice, _table(row, choice)) for choice in choices)


def _table(row: Row, choice: Assignment) -> FlagTable:
    key = ",".join(s.removeprefix("CONFIG_") for s in row.config_symbols if choice[s]) or "none"
    masks: dict[str, int] = {}
    for name, flag in row.flags.items():
        bit = flag.get("bit_by_config", {}).get(key, flag["bit"])
        on = bit is not None and choice.get(flag.get("config", ""), True)
        masks[name] = 1 << bit if on else 0
    for name, members in row.composites.items():
        masks[name] = sum({masks[m] for m in members})
    return FlagTable(masks, _GFP_T_BITS, row.bits_shift[key], row.trace_names)
