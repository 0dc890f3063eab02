# SPDX-License-Identifier: GPL-2.0-only
"""
What happens to each flag in a nested allocation, and why.

The rules are those of the patch series "mm: fix nested allocation context filtering" (Linux commit
1c00f9368628, in v6.10): debug code that allocates inside the allocator, on behalf of a caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fate(Enum):
    """What a nested filter does with a flag."""

    KEEP = "keep"
    DROP = "drop"
    FORCE = "force"


_CONTEXT = "the nested allocation must obey the reclaim limits of the caller's context"
_ATOMIC = "part of GFP_ATOMIC: an atomic caller stays atomic"
_LOCKDEP = "a caller that lockdep must not see stays unseen, else lockdep reports a false recursion"
_EARLY = "the nested allocation must fail before the caller's own allocation would"
_RESERVES = "the nested allocation must leave the emergency reserves alone"
_SILENT = "a nested allocation must fail silently: the caller's allocation may still succeed"
_ZONE = "where the memory comes from is the caller's business: zone"
_PLACE = "where the memory comes from is the caller's business: placement and accounting"
_PAGES = "describes the caller's pages, not the nested allocation"
_OBJECT = "describes the caller's slab object; no nested caller relied on it"

#: Flag to (fate, reason). A flag that is not here has no verdict.
NESTED: dict[str, tuple[Fate, str]] = {
    **dict.fromkeys(("__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"), (Fate.KEEP, _CONTEXT)),
    "__GFP_HIGH": (Fate.KEEP, _ATOMIC),
    "__GFP_ATOMIC": (Fate.KEEP, _ATOMIC),
    "__GFP_NOLOCKDEP": (Fate.KEEP, _LOCKDEP),
    "__GFP_NORETRY": (Fate.FORCE, _EARLY),
    "__GFP_NOMEMALLOC": (Fate.FORCE, _RESERVES),
    "__GFP_NOWARN": (Fate.FORCE, _SILENT),
    **dict.fromkeys(("__GFP_DMA", "__GFP_HIGHMEM", "__GFP_DMA32", "__GFP_MOVABLE"), (Fate.DROP, _ZONE)),
    **dict.fromkeys(
        ("__GFP_RECLAIMABLE", "__GFP_WRITE", "__GFP_HARDWALL", "__GFP_THISNODE", "__GFP_ACCOUNT"), (Fate.DROP, _PLACE)
    ),
    **dict.fromkeys(("__GFP_NOFAIL", "__GFP_RETRY_MAYFAIL"), (Fate.DROP, _EARLY)),
    "__GFP_MEMALLOC": (Fate.DROP, _RESERVES),
    **dict.fromkeys(
        (
            "__GFP_ZERO",
            "__GFP_COMP",
            "__GFP_ZEROTAGS",
            "__GFP_SKIP_ZERO",
            "__GFP_SKIP_KASAN",
            "__GFP_SKIP_KASAN_UNPOISON",
            "__GFP_SKIP_KASAN_POISON",
        ),
        (Fate.DROP, _PAGES),
    ),
    "__GFP_NO_OBJ_EXT": (Fate.DROP, _OBJECT),
}


@dataclass(frozen=True)
class Policy:
    """
    The nested policy, with what a user decided on top.

    :ivar decided: flags that a policy file decides, for flags that pygfp knows or not
    """

    decided: Mapping[str, Fate] = field(default_factory=dict)

    def fate(self, flag: str) -> Fate | None:
        """Return what must happen to *flag*; None where that is undecided."""
        if flag in self.decided:
            return self.decided[flag]
        return NESTED[flag][0] if flag in NESTED else None

    def reason(self, flag: str) -> str:
        """Return why, in a sentence without a full stop."""
        if flag in self.decided:
            return "decided by the policy file"
        return NESTED[flag][1] if flag in NESTED else "undecided"

    def flags(self, fate: Fate) -> tuple[str, ...]:
        """Return every flag with that fate."""
        names = dict.fromkeys((*NESTED, *self.decided))
        return tuple(n for n in names if self.fate(n) is fate)


def parse_policy(text: str, label: str) -> Policy:
    """
    Return the policy that TOML *text* adds: a line a flag, ``__GFP_NEW = "drop"  # reason``.

    :param label: the file's name, for messages
    :raises UsageError: not TOML, not a flag name, or not keep, drop or force
    """
    from ..outside import parse_toml, shown  # noqa: PLC0415 - few runs read a policy file

    try:
        raw = parse_toml(text)
    except ValueError as exc:
        message = f'{label}: {exc}; expected lines such as __GFP_NEW = "drop"  # reason'
        raise UsageError(message) from exc
    fates = {fate.value: fate for fate in Fate}
    for flag, value in raw.items():
        if not re.fullmatch(r"__GFP_\w+", flag) or not isinstance(value, str) or value not in fates:
            said = f"{shown(flag)[1:-1]} = {shown(value)}"
            message = f'{label}: {said}: expected a __GFP_ flag and "keep", "drop" or "force"'
            raise UsageError(message)
    return Policy({flag: fates[value] for flag, value in raw.items()})
