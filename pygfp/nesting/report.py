# SPDX-License-Identifier: GPL-2.0-only
"""
What ``pygfp nested`` found, as plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..model.laws import LAWS

if TYPE_CHECKING:
    from ..flags import FlagTable
    from ..native.expressions import Expression
    from ..reduce import Breach, Reduced
    from ..report import SourceInfo

#: A caller to show chains with: a file system that lockdep must not see.
CALLER = "GFP_NOFS | __GFP_NOLOCKDEP"


@dataclass(frozen=True)
class Filter:
    """
    One filter and what came of it.

    :ivar name: what it is called
    :ivar place: ``kmemleak``, ``stack depot``, ``page owner``, ``KASAN`` or ``""``
    :ivar era: the releases that had it, ``""`` where none is known
    :ivar expression: what was compiled
    :ivar reduced: what it was shown to be, one a configuration
    :ivar error: why it could not be checked, or ``""``
    :ivar forwards: it hands the mask on as it is
    :ivar known: the laws that an era is known to break; None for a filter of a source
    """

    name: str
    place: str
    era: str
    file: str
    line: int
    text: str
    expression: Expression
    reduced: tuple[Reduced, ...] = ()
    error: str = ""
    forwards: bool = False
    known: tuple[str, ...] | None = None

    @property
    def shown(self) -> Reduced | None:
        """The configuration with every flag, which is shown first."""
        return max(self.reduced, key=lambda r: len(r.table.flags), default=None)

    def breach(self, law: str) -> Breach | None:
        """Return how *law* is broken, in the configuration with the most flags in which it is."""
        for one in sorted(self.reduced, key=lambda r: -len(r.table.flags)):
            for breach in one.breaches:
                if breach.law.id == law:
                    return breach
        return None

    @property
    def breaks(self) -> tuple[str, ...]:
        """The laws that it breaks in any configuration, in the order of the documentation."""
        return tuple(law.id for law in LAWS if self.breach(law.id))

    def configs(self, law: str) -> tuple[int, int]:
        """Return in how many configurations *law* is broken, and how many there are."""
        return sum(any(b.law.id == law for b in r.breaches) for r in self.reduced), len(self.reduced)


@dataclass(frozen=True)
class Chain:
    """
    Nested in nested: filters one behind the other.

    :ivar steps: name, and the mask behind it for CALLER as value and names
    """

    whole: Filter
    steps: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True)
class Claim:
    """
    A statement about two functions, checked on every input.

    :ivar holds: None where it could not be checked, *text* then says why
    :ivar witness: input and difference where it does not hold
    """

    id: str
    subject: str
    holds: bool | None
    text: str
    witness: str = ""


@dataclass(frozen=True)
class NestedReport:
    """What ``pygfp nested`` found."""

    source: SourceInfo
    filters: tuple[Filter, ...]
    chains: tuple[Chain, ...]
    claims: tuple[Claim, ...]
    compiler: str
    n_configs: int
    inputs: int
    order: tuple[str, ...]
    history: bool = False
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def exit_status(self) -> int:
        """
        Return 0, 1 or 3.

        A source: 1 if a filter, a chain or a claim does not hold, else 3 if one could not be checked or none was.
        History: known breaks are no finding; 1 if an era breaks other laws than it is known to.
        """
        every = [*self.filters, *(c.whole for c in self.chains)]
        if any(self._wrong(f) for f in every) or any(c.holds is False for c in self.claims):
            return 1
        # What was neither run nor handed on was not judged, whatever the reason.
        if any(f.error or not (f.reduced or f.forwards) for f in every) or any(c.holds is None for c in self.claims):
            return 3
        if not any(f.reduced for f in self.filters):
            return 3
        return 0

    def _wrong(self, one: Filter) -> bool:
        if one.error:
            return False
        return one.breaks != one.known if one.known is not None else bool(one.breaks) and not one.forwards


def named(table: FlagTable, mask: int) -> str:
    """
    Return *mask* as ``%pGg`` prints it, then the flags that the tree's own table has no name for.

    >>> from pygfp.flags import FlagTable
    >>> named(FlagTable({"__GFP_IO": 1, "__GFP_FS": 2}, trace_order=["__GFP_IO"]), 3)
    '__GFP_IO|0x2 (0x2 is __GFP_FS)'
    """
    text = table.format(mask)
    rest = int(text.rpartition("|")[2], 16) if text.rpartition("|")[2].startswith("0x") else 0
    unnamed = [n for n in table.names(rest) if n in table.flags]
    if not unnamed:
        return text
    return f"{text} ({', '.join(f'{table.masks[n]:#x} is {n}' for n in unnamed)})"
