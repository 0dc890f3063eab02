# SPDX-License-Identifier: GPL-2.0-only
"""
The laws that a nested filter must satisfy for every input, each with why it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..laws import MaskLaw

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flags import FlagTable

_CONTEXT = ("__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH")
_ZONE = ("__GFP_DMA", "__GFP_HIGHMEM", "__GFP_DMA32", "__GFP_MOVABLE")
_PLACE = ("__GFP_RECLAIMABLE", "__GFP_WRITE", "__GFP_HARDWALL", "__GFP_THISNODE", "__GFP_ACCOUNT")
_TRAITS = (
    "__GFP_ZERO",
    "__GFP_COMP",
    "__GFP_ZEROTAGS",
    "__GFP_SKIP_ZERO",
    "__GFP_SKIP_KASAN",
    "__GFP_SKIP_KASAN_UNPOISON",
    "__GFP_SKIP_KASAN_POISON",
    "__GFP_NO_OBJ_EXT",
)


@dataclass(frozen=True)
class Law:
    """
    A property of a filter.

    :ivar id: its name in ids and options
    :ivar text: what must hold
    :ivar why: what goes wrong in a running kernel where it does not
    :ivar lower: the law as masks of one build
    """

    id: str
    text: str
    why: str
    lower: Callable[[FlagTable], MaskLaw]


def _same_class(table: FlagTable) -> MaskLaw:
    one = table.mask
    return MaskLaw(
        any=(one("__GFP_DIRECT_RECLAIM"), one(("__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM")), one("__GFP_IO"), 0),
        all=(one(("__GFP_IO", "__GFP_FS")), 0, 0, 0),
    )


#: In the order of the documentation.
LAWS: tuple[Law, ...] = (
    Law(
        "no-new-context",
        "IO, FS, DIRECT_RECLAIM, KSWAPD_RECLAIM and HIGH are in the result only if the caller gave them",
        "a debug record taken in a context that must not enter reclaim or the file system may deadlock there",
        lambda t: MaskLaw(gained=t.mask(_CONTEXT)),
    ),
    Law(
        "keeps-context",
        "IO, FS, DIRECT_RECLAIM, KSWAPD_RECLAIM and HIGH that the caller gave are in the result",
        "a debug record gets less help than its caller has, and is lost without need",
        lambda t: MaskLaw(lost=t.mask(_CONTEXT)),
    ),
    Law(
        "keeps-nolockdep",
        "NOLOCKDEP is in the result if and only if the caller gave it",
        "lockdep reports a false recursion, as seen with XFS",
        lambda t: MaskLaw(gained=t.mask("__GFP_NOLOCKDEP"), lost=t.mask("__GFP_NOLOCKDEP")),
    ),
    Law(
        "no-zone",
        "the result has no zone bit",
        "a debug record takes scarce low memory, or memory that the kernel cannot address",
        lambda t: MaskLaw(clear=t.mask(_ZONE)),
    ),
    Law(
        "no-placement",
        "the result has none of RECLAIMABLE, WRITE, HARDWALL, THISNODE, ACCOUNT",
        "a debug record is charged to, or placed for, somebody who did not ask for it",
        lambda t: MaskLaw(clear=t.mask(_PLACE)),
    ),
    Law(
        "fails-fast",
        "the result has NORETRY, and neither NOFAIL nor RETRY_MAYFAIL",
        "a debug record retries, or invokes the OOM killer, while its caller waits",
        lambda t: MaskLaw(set=t.mask("__GFP_NORETRY"), clear=t.mask(("__GFP_NOFAIL", "__GFP_RETRY_MAYFAIL"))),
    ),
    Law(
        "fails-silently",
        "the result has NOWARN",
        "the log fills with failures of an allocation that nobody needed",
        lambda t: MaskLaw(set=t.mask("__GFP_NOWARN")),
    ),
    Law(
        "spares-reserves",
        "the result has NOMEMALLOC and not MEMALLOC",
        "debug records eat the emergency reserves that reclaim itself needs to make progress",
        lambda t: MaskLaw(set=t.mask("__GFP_NOMEMALLOC"), clear=t.mask("__GFP_MEMALLOC")),
    ),
    Law(
        "drops-page-traits",
        "the result has none of ZERO, COMP, ZEROTAGS, SKIP_*, NO_OBJ_EXT and no bit without a flag",
        "a debug record is zeroed, tagged or compounded as the caller's pages are",
        lambda t: MaskLaw(clear=t.mask(_TRAITS) | t.no_flag),
    ),
    Law(
        "idempotent",
        "applied twice it gives what it gives once",
        "a debug record taken inside another behaves differently from the first",
        lambda _: MaskLaw(idempotent=1),
    ),
    Law(
        "same-class",
        "whether the mask may block, spin, compact and do both IO and FS is the same before and after",
        "code that asks the mask what it may do takes another path for the debug record than for its caller",
        _same_class,
    ),
)
