# SPDX-License-Identifier: GPL-2.0-only
"""
The nested filters of the kernel through time: what each place kept and forced, and which laws that breaks.
"""

from __future__ import annotations

from dataclasses import dataclass

_CONTEXT = ("__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH")
_MANNERS = ("__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN")
_NOLOCKDEP = "__GFP_NOLOCKDEP"
_OLD = ("keeps-nolockdep", "fails-fast", "spares-reserves")


@dataclass(frozen=True)
class Era:
    """
    A filter of one place over some releases.

    :ivar place: ``kmemleak``, ``stack depot``, ``page owner`` or ``all three``
    :ivar releases: which, in words
    :ivar commit: the change that began it, or ``""``
    :ivar function: the function of ``csrc/history/filters.h`` that is this filter
    :ivar keep: flags that pass; ATOMIC besides where *atomic*
    :ivar force: flags that are always there
    :ivar breaks: the laws that it is known to break
    :ivar atomic: releases in which bit 9 was a flag, ATOMIC, belong to it
    """

    place: str
    releases: str
    commit: str
    function: str
    keep: tuple[str, ...]
    force: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    atomic: bool = False


#: Oldest first within each place.
ERAS: tuple[Era, ...] = (
    Era(
        "kmemleak",
        "up to 5.2",
        "",
        "kmemleak_nofail",
        _CONTEXT,
        (*_MANNERS, "__GFP_NOFAIL"),
        ("keeps-nolockdep", "fails-fast"),
        atomic=True,
    ),
    # Linux commit df9576def004 ("Revert "kmemleak: allow to coexist with fault injection"") (in v5.3).
    Era(
        "kmemleak",
        "5.3 to 5.14",
        "df9576def004",
        "kmemleak_plain",
        _CONTEXT,
        _MANNERS,
        ("keeps-nolockdep",),
        atomic=True,
    ),
    # Linux commit 79d3705040c3 ("mm/kmemleak: allow __GFP_NOLOCKDEP passed to kmemleak's gfp") (in v5.15).
    Era(
        "kmemleak", "5.15 to 6.9", "79d3705040c3", "kmemleak_nolockdep", (*_CONTEXT, _NOLOCKDEP), _MANNERS, atomic=True
    ),
    Era("stack depot", "4.19 to 6.8", "", "stackdepot_plain", _CONTEXT, ("__GFP_NOWARN",), _OLD, atomic=True),
    Era(
        "stack depot",
        "6.9",
        "6fe60465e1d5",
        "stackdepot_nolockdep",
        (*_CONTEXT, _NOLOCKDEP),
        ("__GFP_NOWARN",),
        _OLD[1:],
    ),
    Era("page owner", "early 6.9", "217b2119b9e2", "page_owner_plain", _CONTEXT, ("__GFP_NOWARN",), _OLD),
    Era("page owner", "6.9.0", "", "page_owner_nolockdep", (*_CONTEXT, _NOLOCKDEP), ("__GFP_NOWARN",), _OLD[1:]),
    # Linux commit 1c00f9368628 and the two conversions behind it (in v6.10).
    Era("all three", "6.10 on", "1c00f9368628", "nested_shared", (*_CONTEXT, _NOLOCKDEP), _MANNERS),
)


def era_of(place: str, keep: list[str], force: list[str], *, shared: bool = False) -> str:
    """
    Return the releases in which *place* had this filter, or ``""`` where no era is known that had it.

    :param shared: it is gfp_nested_mask() that filters there

    >>> era_of("kmemleak", ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH",
    ...        "__GFP_NOLOCKDEP"], ["__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"])
    '5.15 to 6.9'
    """
    kept = set(keep) - {"__GFP_ATOMIC"}
    places = {"all three"} if shared else {place}
    found = [e for e in ERAS if e.place in places and set(e.keep) == kept and set(e.force) == set(force)]
    return found[0].releases if found else ""
