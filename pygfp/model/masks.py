# SPDX-License-Identifier: GPL-2.0-only
"""
Masks that are no caller's composite: what each is for decides which flags are in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flags import FlagTable

    Release = tuple[int, int]

_RECLAIM = ("__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM")
_HARDNESS = (
    "__GFP_HIGH",
    "__GFP_IO",
    "__GFP_FS",
    "__GFP_NOWARN",
    "__GFP_RETRY_MAYFAIL",
    "__GFP_NOFAIL",
    "__GFP_NORETRY",
    "__GFP_MEMALLOC",
    "__GFP_NOMEMALLOC",
    "__GFP_ATOMIC",
)


def _every(table: FlagTable) -> int:
    return (1 << (table.bits_shift or 0)) - 1


def _reclaim(table: FlagTable, release: Release) -> int:
    """How hard the allocator tries. Since Linux commit 704687deaae7 (in v6.0) with NOLOCKDEP."""
    late = ("__GFP_NOLOCKDEP",) if release >= (6, 0) else ()
    return table.mask((*_RECLAIM, *_HARDNESS, *late))


def _boot(table: FlagTable, _: Release) -> int:
    """All that is allowed before interrupts and I/O work."""
    return _every(table) & ~table.mask((*_RECLAIM, "__GFP_IO", "__GFP_FS"))


def _constraint(table: FlagTable, _: Release) -> int:
    """Which cpuset and node the caller is tied to."""
    return table.mask(("__GFP_HARDWALL", "__GFP_THISNODE"))


def _slab_bug(table: FlagTable, _: Release) -> int:
    """What the slab allocator cannot serve: zones it has no caches for, and bits that are no flag."""
    return table.mask(("__GFP_DMA32", "__GFP_HIGHMEM")) | ((1 << table.gfp_t_bits) - 1) & ~_every(table)


def _bits(table: FlagTable, _: Release) -> int:
    """Room for every flag."""
    return _every(table)


#: Macros that are numbers of a helper's own, whatever their type.
NO_MASKS = frozenset({"GFP_ZONE_TABLE", "GFP_ZONE_BAD", "GFP_ZONES_SHIFT", "GFP_MOVABLE_SHIFT"})


def is_mask(name: str) -> bool:
    """Return whether a constant of this name is a mask, as far as the name goes."""
    return name.startswith(("GFP_", "__GFP_")) and name not in NO_MASKS


#: Mask name to its value in a build of a release.
MASKS: dict[str, Callable[[FlagTable, Release], int]] = {
    "__GFP_BITS_MASK": _bits,
    "GFP_RECLAIM_MASK": _reclaim,
    "GFP_BOOT_MASK": _boot,
    "GFP_CONSTRAINT_MASK": _constraint,
    "GFP_SLAB_BUG_MASK": _slab_bug,
}
