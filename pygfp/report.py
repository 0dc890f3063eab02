# SPDX-License-Identifier: GPL-2.0-only
"""
What a check found, as plain values: the report that renderers turn into text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import Assignment
    from .releases import Row
    from .sources import Source

#: Exit status of what could not be checked, and what ``git bisect run`` takes for that.
UNCHECKED, SKIP = 3, 125

#: Every status that a check can have.
STATUSES = ("pass", "fail", "absent", "unmodelled", "undecided", "error")


@dataclass(frozen=True)
class Witness:
    """
    One input that shows what is wrong.

    :ivar input: the input
    :ivar input_names: as ``%pGg`` prints it
    :ivar expected: what should come of it: a mask in hex, another value in decimal, an event or a law in words
    :ivar actual: what the compiled header makes of it, likewise
    :ivar expected_names: *expected* as ``%pGg`` prints it, where it is a mask; else ``""``
    :ivar actual_names: *actual* likewise
    :ivar unnamed: flags of the input that the tree's trace table has no name for
    """

    input: int
    input_names: str
    expected: str
    actual: str
    expected_names: str = ""
    actual_names: str = ""
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """
    One verdict.

    :ivar id: unique, dotted
    :ivar subject: the helper, composite or layout rule
    :ivar kind: ``helper``, ``range``, ``composite``, ``layout``, ``law`` or ``sparse``
    :ivar status: one of STATUSES
    :ivar config: the CONFIG symbols that the subject depends on
    :ivar configs: every configuration that this verdict is for; the first is *config*
    :ivar inputs: how many inputs were compared
    :ivar mismatches: how many of them differ
    :ivar form: what the subject was proven to be, in flag names
    :ivar message: what was expected, what was found, what to do
    :ivar gone: the source does not have the subject
    """

    id: str
    subject: str
    kind: str
    status: str
    config: Assignment = field(default_factory=dict)
    configs: tuple[Assignment, ...] = ()
    inputs: int = 0
    mismatches: int = 0
    first: Witness | None = None
    smallest: Witness | None = None
    form: dict[str, Any] | None = None
    file: str | None = None
    line: int | None = None
    message: str = ""
    gone: bool = False


@dataclass(frozen=True)
class SourceInfo:
    """
    What outputs say of a source.

    :ivar release: None where the source does not prove one
    :ivar reference: name of the reference row, ``v6.12``
    :ivar reference_version: the exact release that the row was read from
    """

    kind: str
    label: str
    release: str | None
    reference: str
    reference_version: str
    digest: str


def info(source: Source, row: Row) -> SourceInfo:
    """Return what outputs say of *source*, which is judged by *row*."""
    return SourceInfo(source.kind, source.label, source.release, row.name, row.version, source.digest)


@dataclass(frozen=True)
class Report:
    """
    The verdicts on one source.

    :ivar compiler: what compiled it
    :ivar n_configs: how many configurations were compiled
    :ivar domain_bits: every value below ``2**domain_bits`` was compared
    :ivar domain: the domain in words
    :ivar left_out: what was not judged, and why
    :ivar warnings: what a user should know of the options and the cache, also of a quiet run
    :ivar notes: what a user should know besides
    :ivar layout: for each configuration that flags depend on, the 0-based bit of each flag
    :ivar timings: seconds by stage
    """

    source: SourceInfo
    checks: tuple[Check, ...]
    compiler: str
    n_configs: int
    domain_bits: int
    domain: str
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    layout: tuple[tuple[Assignment, dict[str, int]], ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def exit_status(self, *, strict: bool = False) -> int:
        """
        Return 0, 1 or 3: any fail gives 1; else any error 3; else 0; no pass at all is 3.

        :param strict: absent, unmodelled and undecided count as fails
        """
        statuses = {c.status for c in self.checks}
        if "fail" in statuses or (strict and statuses & {"absent", "unmodelled", "undecided"}):
            return 1
        if "error" in statuses or "pass" not in statuses:
            return UNCHECKED
        return 0

    def bisect_status(self, *, strict: bool = False, named: bool = False) -> int:
        """
        Return the status for ``git bisect run``: 0 good, 1 bad, 125 where this commit cannot be judged.

        :param named: certain helpers were asked for: one that does not exist cannot be judged, and is no fail
        """
        there = replace(self, checks=tuple(c for c in self.checks if not (named and c.gone)))
        if named and len(there.checks) < len(self.checks) and there.exit_status(strict=strict) != 1:
            return SKIP
        status = there.exit_status(strict=strict)
        return SKIP if status == UNCHECKED else status


def check_id(kind: str, subject: str, *parts: str) -> str:
    """
    Return a check id: kind, subject, then aspects and configuration where there are any.

    >>> check_id("law", "gfp_nested_mask", "no-zone", ""), check_id("helper", "gfp_zone", "", "ZONE_DMA")
    ('law.gfp_nested_mask.no-zone', 'helper.gfp_zone.ZONE_DMA')
    """
    return ".".join(part for part in (kind, subject, *parts) if part)
