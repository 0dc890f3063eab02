# SPDX-License-Identifier: GPL-2.0-only
"""
What an allocation may do and how hard it tries, read off the flags of its mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_ZONES = ("__GFP_DMA", "__GFP_DMA32", "__GFP_HIGHMEM")


@dataclass(frozen=True)
class ReclaimContext:
    """
    The manner of an allocation.

    :ivar sleeps: it may sleep: it may reclaim memory itself
    :ivar io: its own reclaim may start I/O
    :ivar fs: its own reclaim may call into file systems
    :ivar kswapd: it wakes kswapd
    :ivar reserves: which reserves are open to it
    :ivar effort: how long it tries
    :ivar silent: a failure is not reported
    :ivar zone: where the memory comes from
    :ivar contradictions: flags that exclude each other
    """

    sleeps: bool
    io: bool
    fs: bool
    kswapd: bool
    reserves: str
    effort: str
    silent: bool
    zone: str
    contradictions: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The reclaim context in a few words."""
        if not self.sleeps:
            return "may not sleep" if self.kswapd else "may not sleep, no reclaim"
        if self.io and self.fs:
            return "may sleep, do I/O and enter the file system"
        if self.io:
            return "may sleep and do I/O, not enter the file system"
        return "may sleep, not do I/O" + (", enter the file system" if self.fs else " nor enter the file system")

    def words(self) -> list[str]:
        """Return the whole of it, a statement each."""
        reclaim = [self.short, "wakes kswapd" if self.kswapd else "does not wake kswapd"]
        failure = "fails silently" if self.silent else "a failure is logged"
        return [*reclaim, self.reserves, self.effort, failure, self.zone, *self.contradictions]


def reclaim_context(flags: Collection[str]) -> ReclaimContext:
    """
    Return what an allocation with *flags* may do.

    >>> reclaim_context({"__GFP_HIGH", "__GFP_KSWAPD_RECLAIM"}).short
    'may not sleep'

    :param flags: single flags by name, as :meth:`FlagTable.names` gives them
    """
    sleeps = "__GFP_DIRECT_RECLAIM" in flags
    return ReclaimContext(
        sleeps=sleeps,
        io=sleeps and "__GFP_IO" in flags,
        fs=sleeps and "__GFP_FS" in flags,
        kswapd="__GFP_KSWAPD_RECLAIM" in flags,
        reserves=_reserves(flags),
        effort=_effort(flags, sleeps=sleeps),
        silent="__GFP_NOWARN" in flags,
        zone=_zone(flags),
        contradictions=tuple(_contradictions(flags)),
    )


def _reserves(flags: Collection[str]) -> str:
    if "__GFP_NOMEMALLOC" in flags:
        # The slow path grants the minimum reserve on HIGH without a look at NOMEMALLOC.
        return "the emergency reserves stay closed" + (", part of the reserve is open" if "__GFP_HIGH" in flags else "")
    if "__GFP_MEMALLOC" in flags:
        return "may use every reserve"
    if "__GFP_HIGH" in flags or "__GFP_ATOMIC" in flags:
        return "may use part of the reserve"
    return "no reserve is open to it"


def _effort(flags: Collection[str], *, sleeps: bool) -> str:
    if "__GFP_NOFAIL" in flags:
        return "tries for ever"
    if not sleeps:
        return "fails when memory is short"
    if "__GFP_NORETRY" in flags:
        return "gives up early"
    if "__GFP_RETRY_MAYFAIL" in flags:
        return "tries as long as there is progress, then fails"
    return "keeps trying for small orders, fails for large ones"


def _zone(flags: Collection[str]) -> str:
    chosen = [z for z in _ZONES if z in flags]
    movable = "__GFP_MOVABLE" in flags
    if len(chosen) > 1:
        return f"no zone: {' and '.join(z.removeprefix('__GFP_') for z in chosen)} exclude each other"
    zone = chosen[0].removeprefix("__GFP_") if chosen else "NORMAL"
    if movable and zone == "HIGHMEM":
        return "zone MOVABLE or below"
    return f"zone {zone} or below" + (", movable pages" if movable else "")


def _contradictions(flags: Collection[str]) -> Iterable[str]:
    if "__GFP_NOFAIL" in flags and "__GFP_NORETRY" in flags:
        yield "NOFAIL and NORETRY contradict each other"
    if "__GFP_NOFAIL" in flags and "__GFP_DIRECT_RECLAIM" not in flags:
        yield "NOFAIL without DIRECT_RECLAIM cannot be kept"
    if "__GFP_MOVABLE" in flags and "__GFP_RECLAIMABLE" in flags:
        yield "MOVABLE and RECLAIMABLE contradict each other: gfp_migratetype() leaves its range"
