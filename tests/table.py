# SPDX-License-Identifier: GPL-2.0-only
"""
The flags of 7.3 with every symbol on, by hand: a bit for each name in order, and a hole at bit 9.
"""

from __future__ import annotations

from pygfp.flags import FlagTable

NAMES = (
    "DMA",
    "HIGHMEM",
    "DMA32",
    "MOVABLE",
    "RECLAIMABLE",
    "HIGH",
    "IO",
    "FS",
    "ZERO",
    "-",
    "DIRECT_RECLAIM",
    "KSWAPD_RECLAIM",
    "WRITE",
    "NOWARN",
    "RETRY_MAYFAIL",
    "NOFAIL",
    "NORETRY",
    "MEMALLOC",
    "COMP",
    "NOMEMALLOC",
    "HARDWALL",
    "THISNODE",
    "ACCOUNT",
    "ZEROTAGS",
    "SKIP_ZERO",
    "SKIP_KASAN",
    "NOLOCKDEP",
)
TABLE = FlagTable({f"__GFP_{name}": 1 << bit for bit, name in enumerate(NAMES) if name != "-"}, bits_shift=27)


def mask(names: str) -> int:
    """The mask of flags that are named without their prefix, blanks between."""
    return sum(TABLE.masks[f"__GFP_{name}"] for name in names.split())


def full(names: str) -> tuple[str, ...]:
    """The flags with their prefix."""
    return tuple(f"__GFP_{name}" for name in names.split())
