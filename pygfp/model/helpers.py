# SPDX-License-Identifier: GPL-2.0-only
"""
What each GFP helper means, from its documentation: the declarations that compiled C is held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UnknownFlagError
from ..forms import Outcome
from .declared import Declared, Filter, Lookup, Predicate
from .policy import Fate, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Context:
    """
    What a meaning may depend on besides the input.

    :ivar config: CONFIG symbols; one that is not named is off
    :ivar enumerators: values of the tree's enumerators, ``ZONE_NORMAL`` and kin
    :ivar release: (major, minor) of the reference row
    :ivar policy: the nested policy
    :ivar ungrouped: grouping pages by mobility is off, as on a machine with little memory
    """

    config: Mapping[str, bool]
    enumerators: Mapping[str, int]
    release: tuple[int, int]
    policy: Policy
    ungrouped: bool = False

    def on(self, symbol: str) -> bool:
        """Whether a CONFIG symbol is on."""
        return self.config.get(symbol, False)

    def number(self, enumerator: str) -> int:
        """
        Return the value of *enumerator*.

        :raises UnknownFlagError: the configuration does not define it
        """
        try:
            return self.enumerators[enumerator]
        except KeyError:
            raise UnknownFlagError(enumerator, self.enumerators) from None


@dataclass(frozen=True)
class HelperModel:
    """
    A helper as documentation has it.

    :ivar name: C name
    :ivar result: C return type
    :ivar meaning: its declared form in a context
    :ivar documented: what it may return where nothing fires, by name; None: any mask
    :ivar decides_flags: every flag needs a verdict: one that is new is reported, with what the header does to it
    :ivar states: it also depends on grouping by mobility, a global of the kernel
    """

    name: str
    result: str
    meaning: Callable[[Context], Declared]
    documented: Callable[[Context], Mapping[str, int]] | None = None
    decides_flags: bool = False
    states: bool = False

    @property
    def is_filter(self) -> bool:
        """Whether it returns a mask."""
        return self.result == "gfp_t"


def _nested(context: Context) -> Filter:
    return Filter(context.policy.flags(Fate.KEEP), context.policy.flags(Fate.FORCE))


def _kmemleak(context: Context) -> Filter:
    """The forerunner of gfp_nested_mask(), a macro of kmemleak's own, in three eras."""
    keep = ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH", "__GFP_ATOMIC"]
    force = ["__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"]
    # Until Linux commit df9576def004 ("Revert "kmemleak: allow to coexist with fault injection"") (in v5.3).
    if context.release < (5, 3):
        force.append("__GFP_NOFAIL")
    # Since Linux commit 79d3705040c3 ("mm/kmemleak: allow __GFP_NOLOCKDEP passed to kmemleak's gfp") (in v5.15).
    if context.release >= (5, 15):
        keep.append("__GFP_NOLOCKDEP")
    return Filter(tuple(keep), tuple(force))


_ZONE_SELECTORS = {"__GFP_DMA": "ZONE_DMA", "__GFP_DMA32": "ZONE_DMA32", "__GFP_HIGHMEM": "ZONE_HIGHMEM"}

_ZONE_GATES = {"ZONE_DMA": "CONFIG_ZONE_DMA", "ZONE_DMA32": "CONFIG_ZONE_DMA32", "ZONE_HIGHMEM": "CONFIG_HIGHMEM"}


def _zone(context: Context) -> Lookup:
    """At most one of DMA, DMA32 and HIGHMEM; MOVABLE goes with any, and counts only beside HIGHMEM."""

    def rule(flags: frozenset[str]) -> Outcome:
        chosen = flags - {"__GFP_MOVABLE"}
        if len(chosen) > 1:
            return Outcome(0, bug=True)
        zone = "ZONE_NORMAL"
        for flag in chosen:
            zone = _ZONE_SELECTORS[flag]
        if flags == {"__GFP_HIGHMEM", "__GFP_MOVABLE"}:
            zone = "ZONE_MOVABLE"
        elif chosen and not context.on(_ZONE_GATES[zone]):
            zone = "ZONE_NORMAL"
        return Outcome(context.number(zone))

    return Lookup((*_ZONE_SELECTORS, "__GFP_MOVABLE"), rule)


def _zonelist(context: Context) -> Lookup:
    """The list without fallback for a caller that wants this node alone, on a machine that has nodes."""

    def rule(flags: frozenset[str]) -> Outcome:
        alone = bool(flags) and context.on("CONFIG_NUMA")
        return Outcome(context.number("ZONELIST_NOFALLBACK" if alone else "ZONELIST_FALLBACK"))

    return Lookup(("__GFP_THISNODE",), rule)


_MIGRATE_BOTH = 3


def _migratetype(context: Context) -> Lookup:
    """
    Movable, reclaimable or neither. Both at once is a caller's bug: it warns, and the value is 3.

    That value is outside the documented set; an out-of-bounds read was once reported through it.
    """

    def rule(flags: frozenset[str]) -> Outcome:
        both = len(flags) == 2  # noqa: PLR2004 - of two flags
        if context.ungrouped:
            return Outcome(context.number("MIGRATE_UNMOVABLE"), warned=both)
        if both:
            return Outcome(_MIGRATE_BOTH, warned=True)
        kind = next((f.removeprefix("__GFP_") for f in flags), "UNMOVABLE")
        return Outcome(context.number(f"MIGRATE_{kind}"))

    return Lookup(("__GFP_MOVABLE", "__GFP_RECLAIMABLE"), rule)


def _named(*names: str) -> Callable[[Context], Mapping[str, int]]:
    return lambda context: {n: context.number(n) for n in names if n in context.enumerators}


def _truth(_: Context) -> Mapping[str, int]:
    return {"false": 0, "true": 1}


_ZONES = _named("ZONE_DMA", "ZONE_DMA32", "ZONE_NORMAL", "ZONE_HIGHMEM", "ZONE_MOVABLE")
_TYPES = _named("MIGRATE_UNMOVABLE", "MIGRATE_MOVABLE", "MIGRATE_RECLAIMABLE")
_LISTS = _named("ZONELIST_FALLBACK", "ZONELIST_NOFALLBACK")


def _spinning(_: Context) -> Predicate:
    return Predicate(any_of=("__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"))


def _blocking(_: Context) -> Predicate:
    return Predicate(any_of=("__GFP_DIRECT_RECLAIM",))


def _normal(_: Context) -> Predicate:
    return Predicate(all_of=("__GFP_DIRECT_RECLAIM",), none_of=("__GFP_MEMALLOC",))


def _io_fs(_: Context) -> Predicate:
    return Predicate(all_of=("__GFP_IO", "__GFP_FS"))


def _compaction(context: Context) -> Predicate:
    return Predicate(any_of=("__GFP_IO",), enabled=context.on("CONFIG_COMPACTION"))


#: Every helper of one ``gfp_t`` that the model covers, the most important first.
HELPERS: tuple[HelperModel, ...] = (
    HelperModel("gfp_nested_mask", "gfp_t", _nested, decides_flags=True),
    HelperModel("gfp_kmemleak_mask", "gfp_t", _kmemleak),
    HelperModel("gfpflags_allow_blocking", "bool", _blocking, _truth),
    HelperModel("gfpflags_allow_spinning", "bool", _spinning, _truth),
    HelperModel("gfpflags_normal_context", "bool", _normal, _truth),
    HelperModel("gfp_has_io_fs", "bool", _io_fs, _truth),
    HelperModel("gfp_compaction_allowed", "bool", _compaction, _truth),
    HelperModel("gfp_zone", "enum zone_type", _zone, _ZONES),
    HelperModel("gfp_zonelist", "int", _zonelist, _LISTS),
    HelperModel("gfp_migratetype", "int", _migratetype, _TYPES, states=True),
    HelperModel("gfpflags_to_migratetype", "int", _migratetype, _TYPES, states=True),
)

#: C return type by name: what to look for in every watched file, also as a macro.
WANTED = {helper.name: helper.result for helper in HELPERS}
