# SPDX-License-Identifier: GPL-2.0-only
"""
Deliberate breaks of a GFP header, a token or so each, as data; and the table of what catches them.

``python tests/breaks.py > docs/breaks.md`` writes the table.

A break names a place (a function, a macro, or the whole file), a pattern there and what to put instead. No
kernel text is kept here: a pattern is a few names and operators.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygfp.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

#: What is copied of a tree.
WATCHED = (
    "Makefile",
    *(f"include/linux/{name}.h" for name in ("gfp_types", "gfp", "types", "mmzone")),
    "include/trace/events/mmflags.h",
)

REAL, BUNDLED = "6.12", "bundled"
GFP, TYPES = "include/linux/gfp.h", "include/linux/gfp_types.h"

#: What the table says of an edit that nothing catches.
SLIPPED = "**slips through**"

#: Exit status of a check that could not be made.
UNCHECKED = 3

MOVED = "proven to change nothing but bit positions"
BOOL = "proven to change nothing: the function returns bool, and C makes 1 of any other truth"
FORCED = "proven to change nothing: the flag is forced, kept or not"
TWICE = "proven to change nothing: another member of the same list has the flag too"
ROOMIER = "proven to change nothing in any helper, composite or flag: the mask has room for one bit more"


#: How an operator is spelled in a test id.
_OPERATORS = {
    "|": "or",
    "&": "and",
    "^": "xor",
    "~": "not",
    "||": "oror",
    "&&": "andand",
    "!": "bang",
    "!!": "bangbang",
    "==": "eq",
    "!=": "ne",
    ">=": "ge",
    "<=": "le",
    "<": "lt",
    ">>": "shr",
    "<<": "shl",
    "+": "plus",
    "-": "minus",
}


class BreakError(Exception):
    """A break does not fit the text: the place or the pattern is not there as often as it should be."""


@dataclass(frozen=True)
class Break:
    """
    One edit that a check must catch, or is proven to change nothing.

    :ivar tree: which header is broken, REAL or BUNDLED
    :ivar name: what is done, in a few words
    :ivar place: ``name()`` for a function, ``NAME`` for a macro, nothing for the whole file
    :ivar old: pattern
    :ivar new: what takes its place, with groups of the pattern
    :ivar by: how the id of a check that must fail begins
    :ivar count: how often the pattern is there
    :ivar exit: exit status of the check; 3 where the compiler stops at it, and 1 is as good
    :ivar neutral: why it may slip through; exit status is 0 then
    :ivar arguments: more arguments of the check
    """

    tree: str
    name: str
    file: str
    place: str
    old: str
    new: str
    by: str = ""
    count: int = 1
    exit: int = 1
    neutral: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name and tree as a test id."""
        words = (_OPERATORS.get(w, w) for w in f"{self.tree.replace('.', '_')} {self.name}".split())
        return re.sub(r"\W+", "-", " ".join(words)).strip("-")

    @property
    def title(self) -> str:
        """Name and arguments as the table shows them."""
        arguments = f" (`{' '.join(self.arguments)}`)" if self.arguments else ""
        return _cell(f"{self.name}{arguments}")

    def apply(self, text: str) -> str:
        """Return *text* with the break in it."""
        start, end = _span(text, self.place)
        broken, count = re.subn(self.old, self.new, text[start:end])
        if count != self.count or broken == text[start:end]:
            message = f"{self.id}: expected {self.count} of {self.old!r} in {self.place or self.file}, found {count}"
            raise BreakError(message)
        return text[:start] + broken + text[end:]


@dataclass(frozen=True)
class Outcome:
    """What a check said: exit status, report (None where there is none), and stderr."""

    exit: int
    report: dict[str, Any] | None
    stderr: str

    @property
    def failing(self) -> list[str]:
        """The ids of the checks that failed or could not be made."""
        return [c["id"] for c in self._checks if c["status"] in {"fail", "error"}]

    @property
    def caught(self) -> Counter[str]:
        """The same without configuration, with how many configurations each has."""
        return Counter(_without_config(c) for c in self._checks if c["status"] in {"fail", "error"})

    @property
    def forms(self) -> dict[str, object]:
        """What every subject was proven to be, in flag names, whatever bits the flags have."""
        return {c["id"]: _by_name(c["form"]) for c in self._checks if c["form"] is not None}

    def notes(self, beginning: str) -> list[str]:
        """The notes that begin so."""
        return [n for n in (self.report or {}).get("notes", ()) if n.startswith(beginning)]

    @property
    def _checks(self) -> list[dict[str, Any]]:
        return self.report["checks"] if self.report else []


def _span(text: str, place: str) -> tuple[int, int]:
    if not place:
        return 0, len(text)
    if place.endswith("()"):
        pattern = rf"\b{place[:-2]}\([^)]*\)\n\{{.*?^\}}"
    else:
        pattern = rf"^#define[ \t]+{place}\b(?:[^\n]*\\\n)*[^\n]*"
    found = list(re.finditer(pattern, text, re.DOTALL | re.MULTILINE))
    if len(found) != 1:
        message = f"expected one {place}, found {len(found)}"
        raise BreakError(message)
    return found[0].span()


def _without_config(check: dict[str, Any]) -> str:
    """An id less its last part, where that part is the configuration."""
    full: str = check["id"]
    head, _, tail = full.rpartition(".")
    on = {s.removeprefix("CONFIG_") for s, value in check["config"].items() if value}
    is_config = check["config"] and (tail == "none" or set(re.split(r"[-+]", tail)) <= on)
    return head if is_config else full


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _by_name(form: dict[str, Any]) -> object:
    if "rows" in form:
        rows = ((frozenset(r["flags"]), r["value"], r["bug"], r["warned"]) for r in form["rows"])
        return frozenset(form["flags"]), frozenset(rows)
    # Bits without a flag stand in a composite as hex: where they are is all that can be said of them.
    return {key: frozenset(n for n in names if key != "flags" or not n.startswith("0x")) for key, names in form.items()}


# The breaks.

FLAGS = (
    *("DMA", "HIGHMEM", "DMA32", "MOVABLE", "RECLAIMABLE", "HIGH", "IO", "FS", "ZERO", "DIRECT_RECLAIM"),
    *("KSWAPD_RECLAIM", "WRITE", "NOWARN", "RETRY_MAYFAIL", "NOFAIL", "NORETRY", "MEMALLOC", "COMP", "NOMEMALLOC"),
    *("HARDWALL", "THISNODE", "ACCOUNT", "ZEROTAGS", "SKIP_ZERO", "SKIP_KASAN", "NOLOCKDEP", "NO_OBJ_EXT"),
)
KEPT = ("HIGH", "IO", "FS", "DIRECT_RECLAIM", "KSWAPD_RECLAIM", "NOLOCKDEP")
FORCES = ("NORETRY", "NOMEMALLOC", "NOWARN")

#: (words, pattern, instead), or with the beginning of the id that must fail, or with more fields of a break.
Edit = tuple[str, str, str] | tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, Any]]


def _flags(tree: str) -> tuple[str, ...]:
    # Since Linux v7.3 there is no NO_OBJ_EXT.
    return FLAGS if tree == REAL else FLAGS[:-1]


def _edits(tree: str, file: str, place: str, by: str, *edits: Edit) -> Iterator[Break]:
    """Several edits of one place; *by* is what must catch those that do not say it themselves."""
    for words, old, new, *rest in edits:
        more: dict[str, Any] = rest[1] if len(rest) > 1 else {}  # type: ignore[assignment]
        own = rest[0] if rest else by
        yield Break(tree, f"{place}: {words}" if place else words, file, place, old, new, by=str(own), **more)


def _not(reason: str) -> dict[str, Any]:
    return {"neutral": reason, "exit": 0}


# gfp_nested_mask(): the keep list and the force list, flag by flag.

_NESTED, _NESTED_ID = "gfp_nested_mask()", "helper.gfp_nested_mask"

#: Where many edits of one kind are made, only what can catch them is judged: it saves a minute.
_ONLY_NESTED = ("--helper", "gfp_nested_mask")
_ONLY_MASKS = {"arguments": ("--helper", "*GFP_*")}
_NO_HELPERS = {"arguments": ("--helper", "[!g]*")}

_DROP_REAL: tuple[Edit, ...] = (
    ("keep list without IO", r"\bGFP_KERNEL\b", "__GFP_RECLAIM | __GFP_FS"),
    ("keep list without FS", r"\bGFP_KERNEL\b", "GFP_NOFS"),
    ("keep list without DIRECT_RECLAIM", r"\bGFP_KERNEL\b", "__GFP_IO | __GFP_FS"),
    (
        "keep list without KSWAPD_RECLAIM",
        r"\bGFP_KERNEL \| GFP_ATOMIC\b",
        "__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH",
    ),
    ("keep list without HIGH", r"\bGFP_ATOMIC \| ", ""),
    ("keep list without NOLOCKDEP", r" \| __GFP_NOLOCKDEP\b", ""),
    ("KSWAPD_RECLAIM named once less", r"\bGFP_ATOMIC\b", "__GFP_HIGH", "", _not(TWICE)),
)
_DROP_BUNDLED: tuple[Edit, ...] = (
    ("keep list without IO", r"__GFP_IO \| ", ""),
    ("keep list without FS", r"__GFP_FS \|", ""),
    ("keep list without DIRECT_RECLAIM", r"__GFP_RECLAIM\b", "__GFP_KSWAPD_RECLAIM"),
    ("keep list without KSWAPD_RECLAIM", r"__GFP_RECLAIM\b", "__GFP_DIRECT_RECLAIM"),
    ("keep list without HIGH", r"__GFP_HIGH \| ", ""),
    ("keep list without NOLOCKDEP", r" \| __GFP_NOLOCKDEP\b", ""),
)


def _nested(tree: str) -> Iterator[Break]:
    yield from _edits(tree, GFP, _NESTED, _NESTED_ID, *(_DROP_REAL if tree == REAL else _DROP_BUNDLED))
    first_kept = r"\bGFP_KERNEL \|" if tree == REAL else r"\b__GFP_IO \|"
    added = first_kept.replace("\\", "")[1:]
    others = [f for f in _flags(tree) if f not in KEPT]
    for flag in others if tree == REAL else others[::2]:
        more = _not(FORCED) if flag in FORCES else {"arguments": _ONLY_NESTED}
        with_flag = (f"keep list with {flag}", first_kept, f"{added} __GFP_{flag} |", "" if more else _NESTED_ID, more)
        yield from _edits(tree, GFP, _NESTED, _NESTED_ID, with_flag)
    for flag in FORCES:
        without = (f"force list without {flag}", rf"\b__GFP_{flag} \| | \| __GFP_{flag}\b(?! \|)", "")
        yield from _edits(tree, GFP, _NESTED, _NESTED_ID, without)
    others = [f for f in _flags(tree) if f not in FORCES]
    for flag in others if tree == REAL else others[::4]:
        new = f"__GFP_NORETRY | __GFP_{flag} |"
        edit = (f"force list with {flag}", r"__GFP_NORETRY \|", new, _NESTED_ID, {"arguments": _ONLY_NESTED})
        yield from _edits(tree, GFP, _NESTED, _NESTED_ID, edit)


# Operators and constants of the helpers.

#: A filter that has no form is judged law by law, input by input: one small configuration will do.
_FLAGS_OFF = tuple(a for name in ("KASAN_HW_TAGS", "LOCKDEP", "SLAB_OBJ_EXT") for a in ("--set", f"CONFIG_{name}=n"))

_HELPERS_REAL: dict[str, tuple[Edit, ...]] = {
    "gfp_nested_mask": (
        ("| for &", r"flags & ", "flags | "),
        ("first & for | of the keep list", r"GFP_KERNEL \|", "GFP_KERNEL &"),
        ("second & for | of the keep list", r"GFP_ATOMIC \|", "GFP_ATOMIC &"),
        ("& for | between the lists", r"\)\) \|", ")) &"),
        (
            "^ for | between the lists",
            r"\)\) \|",
            ")) ^",
            "",
            _not("proven to change nothing: no bit is in both lists"),
        ),
        ("first & for | of the force list", r"NORETRY \|", "NORETRY &"),
        ("second & for | of the force list", r"NOMEMALLOC \|", "NOMEMALLOC &"),
        ("~ before the keep list", r"flags & \(", "flags & ~("),
        ("^ for &", r"flags & ", "flags ^ ", _NESTED_ID, {"arguments": _FLAGS_OFF}),
        ("__GFP_HIGHMEM for __GFP_NOLOCKDEP", r"__GFP_NOLOCKDEP", "__GFP_HIGHMEM"),
        ("GFP_NOIO for GFP_KERNEL", r"\bGFP_KERNEL\b", "GFP_NOIO"),
        ("GFP_NOWAIT for GFP_ATOMIC", r"GFP_ATOMIC", "GFP_NOWAIT"),
        ("__GFP_MEMALLOC for __GFP_NOMEMALLOC", r"__GFP_NOMEMALLOC", "__GFP_MEMALLOC"),
    ),
    "gfpflags_allow_blocking": (
        ("| for &", r"gfp_flags & ", "gfp_flags | "),
        ("!! removed", r"!!", "", "", _not(BOOL)),
        ("! for !!", r"!!", "!"),
        ("__GFP_KSWAPD_RECLAIM for __GFP_DIRECT_RECLAIM", r"__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"),
        ("__GFP_RECLAIM for __GFP_DIRECT_RECLAIM", r"__GFP_DIRECT_RECLAIM", "__GFP_RECLAIM"),
    ),
    "gfp_has_io_fs": (
        ("| for &", r"gfp & ", "gfp | "),
        ("& for | on the left", r"\|(?=.*==)", "&"),
        ("& for | on the right", r"(==.*)\|", r"\1&"),
        ("!= for ==", r"==", "!="),
        ("& for ==", r"==", "&"),
        (
            ">= for ==",
            r"==",
            ">=",
            "",
            _not("proven to change nothing: a part of the two flags is never more than both"),
        ),
        ("__GFP_IO twice on the left", r"__GFP_FS(?=.*==)", "__GFP_IO"),
        ("__GFP_HIGH for __GFP_FS", r"__GFP_FS", "__GFP_HIGH", "helper.gfp_has_io_fs", {"count": 2}),
    ),
    "gfp_compaction_allowed": (
        ("|| for &&", r"&&", "||"),
        ("& for &&", r"&&", "&"),
        ("| for &", r"gfp_mask & ", "gfp_mask | "),
        ("__GFP_FS for __GFP_IO", r"__GFP_IO", "__GFP_FS"),
        ("another symbol for CONFIG_COMPACTION", r"CONFIG_COMPACTION", "CONFIG_MIGRATION"),
    ),
    "gfp_zone": (
        ("| for the first &", r"flags & ", "flags | "),
        ("| for the second &", r"\)\) &", ")) |"),
        ("| for the third &", r"\) & 1\)", ") | 1)"),
        ("+ for *", r"bit \* ", "bit + "),
        ("<< for >> of the table", r"GFP_ZONE_TABLE >>", "GFP_ZONE_TABLE <<"),
        ("<< for >> of the forbidden combinations", r"GFP_ZONE_BAD >>", "GFP_ZONE_BAD <<"),
        ("- 2 for - 1", r"\) - 1\)", ") - 2)"),
        ("2 << for 1 <<", r"\(1 << GFP", "(2 << GFP"),
        ("& 2 for & 1", r"\) & 1\)", ") & 2)"),
        ("~ before GFP_ZONEMASK", r"& GFP_ZONEMASK", "& ~GFP_ZONEMASK"),
        ("VM_WARN_ON for VM_BUG_ON", r"VM_BUG_ON", "VM_WARN_ON"),
        ("VM_BUG_ON removed", r"VM_BUG_ON\(.*\);", ""),
        ("returns one zone higher", r"return z\b", "return z + 1"),
    ),
    "gfp_zonelist": (
        ("| for &", r"flags & ", "flags | "),
        ("&& for &", r"flags & ", "flags && "),
        ("ZONELIST_FALLBACK for ZONELIST_NOFALLBACK", r"ZONELIST_NOFALLBACK", "ZONELIST_FALLBACK"),
        ("1 for ZONELIST_FALLBACK", r"ZONELIST_FALLBACK", "1"),
        ("2 for ZONELIST_NOFALLBACK", r"ZONELIST_NOFALLBACK", "2"),
        ("__GFP_HARDWALL for __GFP_THISNODE", r"__GFP_THISNODE", "__GFP_HARDWALL"),
        ("#ifndef for #ifdef", r"#ifdef", "#ifndef", "helper.gfp_zonelist", {"exit": UNCHECKED}),
        ("another symbol for CONFIG_NUMA", r"CONFIG_NUMA", "CONFIG_SMP", "helper.gfp_zonelist", {"exit": UNCHECKED}),
    ),
    "gfp_migratetype": (
        ("| for & of the warning", r"ON\(\(gfp_flags & ", "ON((gfp_flags | "),
        ("| for & of the answer", r"\)\(gfp_flags & ", ")(gfp_flags | "),
        ("& for | of a build check", r"MOVABLE \| ___", "MOVABLE & ___"),
        ("!= for ==", r" == ", " != "),
        ("<< for >> of the answer", r"\) >> GFP_MOVABLE_SHIFT;", ") << GFP_MOVABLE_SHIFT;"),
        ("another type where nothing is grouped", r"MIGRATE_UNMOVABLE", "MIGRATE_MOVABLE"),
        ("! before the grouping", r"unlikely\(", "unlikely(!"),
        ("VM_BUG_ON for VM_WARN_ON", r"VM_WARN_ON", "VM_BUG_ON"),
        ("VM_WARN_ON removed", r"VM_WARN_ON\(.*\);", ""),
    ),
}

_HELPERS_BUNDLED: dict[str, tuple[Edit, ...]] = {
    "gfp_nested_mask": (
        ("| for &", r"context & flags", "context | flags"),
        ("& for | between the lists", r"manners \|", "manners &"),
        ("first & for | of the keep list", r"__GFP_RECLAIM \|", "__GFP_RECLAIM &"),
        ("first & for | of the force list", r"__GFP_NOWARN \|", "__GFP_NOWARN &"),
        ("second & for | of the force list", r"__GFP_NORETRY \|", "__GFP_NORETRY &"),
        ("~ before the keep list", r"context & flags", "~context & flags"),
    ),
    "gfp_has_flags": (
        ("| for &", r"flags & ", "flags | ", "helper.gfp_has_io_fs"),
        ("~ removed", r"~gfp", "gfp", "helper.gfp_has_io_fs"),
        ("!= for ==", r"==", "!=", "helper.gfp_has_io_fs"),
    ),
    "gfpflags_allow_blocking": (
        ("| for &", r"gfp_flags & ", "gfp_flags | "),
        ("== for !=", r"!=", "=="),
        ("!= 0 removed", r" != 0", "", "", _not(BOOL)),
        ("__GFP_RECLAIM for __GFP_DIRECT_RECLAIM", r"__GFP_DIRECT_RECLAIM", "__GFP_RECLAIM"),
    ),
    "gfpflags_allow_spinning": (
        ("| for &", r"gfp_flags & ", "gfp_flags | "),
        ("== for !=", r"!=", "=="),
        ("__GFP_DIRECT_RECLAIM for __GFP_RECLAIM", r"__GFP_RECLAIM", "__GFP_DIRECT_RECLAIM"),
    ),
    "gfp_has_io_fs": (("& for |", r"\|", "&"), ("__GFP_ZERO for __GFP_FS", r"__GFP_FS", "__GFP_ZERO")),
    "gfp_compaction_allowed": (
        ("|| for &&", r"&&", "||"),
        ("| for &", r"gfp_mask & ", "gfp_mask | "),
        ("== for !=", r"!=", "=="),
        ("another symbol for CONFIG_COMPACTION", r"CONFIG_COMPACTION", "CONFIG_MIGRATION"),
    ),
    "gfp_zone": (
        ("| for the first &", r"\(flags & selectors", "(flags | selectors"),
        ("| for & of MOVABLE", r"flags & __GFP_MOVABLE", "flags | __GFP_MOVABLE"),
        ("| for & of the second selector", r"chosen & ", "chosen | "),
        ("| for the last &", r"& 15", "| 15"),
        ("a selector removed", r"= __GFP_DMA \| __GFP_DMA32 ", "= __GFP_DMA "),
        ("3 for 4 in the shift", r"\(4 \* chosen", "(3 * chosen"),
        ("7 for 15", r"& 15", "& 1"),
        ("== for !=", r"!= 0\)", "== 0)"),
        ("ZONE_NORMAL for ZONE_MOVABLE", r"\bZONE_MOVABLE", "ZONE_NORMAL"),
        ("<< for >>", r"slots >> ", "slots << "),
    ),
    "gfp_zonelist": (
        ("| for &", r"flags & ", "flags | "),
        ("the two lists swapped", r"(ZONELIST_NOFALLBACK) : (ZONELIST_FALLBACK)", r"\2 : \1"),
        ("__GFP_HARDWALL for __GFP_THISNODE", r"__GFP_THISNODE", "__GFP_HARDWALL"),
        ("1 for ZONELIST_FALLBACK without NUMA", r"return ZONELIST_FALLBACK", "return 1"),
    ),
    "gfp_migratetype": (
        ("| for &", r"gfp_flags & ", "gfp_flags | "),
        ("& for |", r"__GFP_MOVABLE \| ", "__GFP_MOVABLE & "),
        ("- for >>", r" >> ", " - "),
        ("wrong shift", r">> ___GFP_MOVABLE_BIT", ">> ___GFP_RECLAIMABLE_BIT"),
        ("! removed", r"likely\(!", "likely("),
        ("another type where nothing is grouped", r"MIGRATE_UNMOVABLE", "MIGRATE_MOVABLE"),
        ("VM_WARN_ON removed", r"VM_WARN_ON\(.*\);", ""),
    ),
}


def _helpers(tree: str) -> Iterator[Break]:
    for name, edits in (_HELPERS_REAL if tree == REAL else _HELPERS_BUNDLED).items():
        yield from _edits(tree, GFP, f"{name}()", f"helper.{name}", *edits)


# Tables and shifts.

_Z = "helper.gfp_zone"
_M = "helper.gfp_migratetype"
_32_BIT = {"arguments": ("--set", "CONFIG_HIGHMEM=y")}

_TABLES_REAL: dict[str, tuple[Edit, ...]] = {
    "GFP_ZONE_TABLE": (
        ("the entry of DMA is NORMAL", r"\(OPT_ZONE_DMA << ___", "(ZONE_NORMAL << ___", _Z),
        ("the entry of DMA32 is DMA", r"\(OPT_ZONE_DMA32 << ___", "(OPT_ZONE_DMA << ___", _Z),
        ("the entry of HIGHMEM is MOVABLE", r"\(OPT_ZONE_HIGHMEM << ___", "(ZONE_MOVABLE << ___", _Z),
        (
            "the entry of HIGHMEM is NORMAL, judged for 32 bits",
            r"\(OPT_ZONE_HIGHMEM << ___",
            "(ZONE_NORMAL << ___",
            _Z,
            _32_BIT,
        ),
        ("the entry of MOVABLE is MOVABLE", r"\(ZONE_NORMAL << ___", "(ZONE_MOVABLE << ___", _Z),
        ("the entry of MOVABLE and DMA is NORMAL", r"OPT_ZONE_DMA << \(", "ZONE_NORMAL << (", _Z),
        ("the entry of MOVABLE and HIGHMEM is NORMAL", r"ZONE_MOVABLE << \(", "ZONE_NORMAL << (", _Z),
        ("the entry of MOVABLE and DMA32 is NORMAL", r"OPT_ZONE_DMA32 << \(", "ZONE_NORMAL << (", _Z),
        ("the entries of DMA and DMA32 swapped", r"(<< ___GFP)_DMA( [^$]*<< ___GFP)_DMA32( )", r"\1_DMA32\2_DMA\3", _Z),
        ("the entry of nothing is that of bit 1", r"<< 0 \*", "<< 1 *", _Z),
        ("+ for * in the exponent of DMA", r"<< ___GFP_DMA \*", "<< ___GFP_DMA +", _Z),
        (
            "DMA32 for HIGHMEM in an exponent",
            r"ZONE_MOVABLE << \(___GFP_MOVABLE \| ___GFP_HIGHMEM",
            "ZONE_MOVABLE << (___GFP_MOVABLE | ___GFP_DMA32",
            _Z,
        ),
        ("& for | in an exponent", r"DMA << \(___GFP_MOVABLE \|", "DMA << (___GFP_MOVABLE &", _Z),
        ("& for | between entries", r"\| \(OPT_ZONE_DMA <<(?= ___)", "& (OPT_ZONE_DMA <<", _Z),
    ),
    "GFP_ZONE_BAD": (
        ("DMA and HIGHMEM allowed", r"1 << \(___GFP_DMA \| ___GFP_HIGHMEM\)", "0", _Z),
        ("DMA and DMA32 allowed", r"1 << \(___GFP_DMA \| ___GFP_DMA32\)", "0", _Z),
        ("DMA32 and HIGHMEM allowed", r"1 << \(___GFP_DMA32 \| ___GFP_HIGHMEM\)", "0", _Z),
        ("DMA, DMA32 and HIGHMEM allowed", r"1 << \(___GFP_DMA \| ___GFP_DMA32 \| ___GFP_HIGHMEM\)", "0", _Z),
        ("MOVABLE, HIGHMEM and DMA allowed", r"1 << \(___GFP_MOVABLE \| ___GFP_HIGHMEM \| ___GFP_DMA\)", "0", _Z),
        ("MOVABLE, DMA32 and DMA allowed", r"1 << \(___GFP_MOVABLE \| ___GFP_DMA32 \| ___GFP_DMA\)", "0", _Z),
        ("MOVABLE, DMA32 and HIGHMEM allowed", r"1 << \(___GFP_MOVABLE \| ___GFP_DMA32 \| ___GFP_HIGHMEM\)", "0", _Z),
        ("all four allowed", r"1 << \(___GFP_MOVABLE \| ___GFP_DMA32 \| ___GFP_DMA \| ___GFP_HIGHMEM\)", "0", _Z),
        ("& for | between entries", r"\| 1 << \(___GFP_DMA32", "& 1 << (___GFP_DMA32", _Z),
        ("& for | in an entry", r"1 << \(___GFP_DMA \| ___GFP_DMA32\)", "1 << (___GFP_DMA & ___GFP_DMA32)", _Z),
        ("HIGHMEM alone forbidden", r"1 << \(___GFP_DMA \| ___GFP_HIGHMEM\)", "1 << (___GFP_HIGHMEM)", _Z),
    ),
    "GFP_MOVABLE_SHIFT": (("one less", r"3", "2", _M), ("one more", r"3", "4", _M)),
    "GFP_MOVABLE_MASK": (
        ("& for |", r"\|", "&", _M),
        ("without RECLAIMABLE", r"__GFP_RECLAIMABLE\|", "", _M),
        ("without MOVABLE", r"\|__GFP_MOVABLE", "", _M),
        ("with HIGH", r"\|__GFP_MOVABLE", "|__GFP_MOVABLE|__GFP_HIGH", _M),
    ),
    "": (
        ("GFP_ZONES_SHIFT: 1 for 2", r"#define GFP_ZONES_SHIFT 2", "#define GFP_ZONES_SHIFT 1", _Z),
        ("GFP_ZONES_SHIFT: 3 for 2", r"#define GFP_ZONES_SHIFT 2", "#define GFP_ZONES_SHIFT 3", _Z),
        ("GFP_ZONES_SHIFT: 4 for 2", r"#define GFP_ZONES_SHIFT 2", "#define GFP_ZONES_SHIFT 4", ""),
        (
            "GFP_ZONES_SHIFT: one less without ZONE_DEVICE",
            r"#define GFP_ZONES_SHIFT ZONES_SHIFT",
            "#define GFP_ZONES_SHIFT (ZONES_SHIFT-1)",
            _Z,
        ),
        ("GFP_ZONES_SHIFT: < for <=", r"-1\) <= 4", "-1) < 4", _Z),
        ("OPT_ZONE_DMA: NORMAL although it is built", r"OPT_ZONE_DMA ZONE_DMA\b", "OPT_ZONE_DMA ZONE_NORMAL", _Z),
        (
            "OPT_ZONE_DMA32: DMA32 although it is not built",
            r"OPT_ZONE_DMA32 ZONE_NORMAL\b",
            "OPT_ZONE_DMA32 ZONE_DMA32",
            _Z,
            {"exit": UNCHECKED},
        ),
        (
            "OPT_ZONE_HIGHMEM: NORMAL, judged for 32 bits",
            r"OPT_ZONE_HIGHMEM ZONE_HIGHMEM\b",
            "OPT_ZONE_HIGHMEM ZONE_NORMAL",
            _Z,
            _32_BIT,
        ),
        ("gfp_nested_mask: renamed", r"\bgfp_nested_mask\(", "gfp_inner_mask(", _NESTED_ID),
        ("gfp_nested_mask: takes an int", r"\bgfp_nested_mask\(gfp_t", "gfp_nested_mask(int", _NESTED_ID),
        ("gfp_nested_mask: returns bool", r"\bgfp_t gfp_nested_mask\(", "bool gfp_nested_mask(", _NESTED_ID),
    ),
}


def _tables() -> Iterator[Break]:
    for place, edits in _TABLES_REAL.items():
        yield from _edits(REAL, GFP, place, "", *edits)


# Flags: the enum, the switches and the three shapes of each.


def _swap(tree: str, first: str, second: str, by: str = "") -> Break:
    more = {} if by else _not(MOVED)
    pattern = rf"(\t___GFP_{first}_BIT,\n)(\t___GFP_{second}_BIT,\n)"
    return Break(tree, f"enum: {first} and {second} swapped", TYPES, "", pattern, r"\2\1", by=by, **more)


_LAYOUT = "layout."
_UNBUILT = {"exit": UNCHECKED}
_ENUM_REAL: tuple[Edit, ...] = (
    ("enum: row of WRITE removed", r"\t___GFP_WRITE_BIT,\n", "", "", _UNBUILT),
    ("enum: row of NOLOCKDEP removed", r"\t___GFP_NOLOCKDEP_BIT,\n", "", ""),
    ("enum: unused row removed", r"\t___GFP_UNUSED_BIT,.*\n", "", "", _not(MOVED)),
    (
        "enum: KSWAPD_RECLAIM has the value of DIRECT_RECLAIM",
        r"KSWAPD_RECLAIM_BIT,",
        "KSWAPD_RECLAIM_BIT = ___GFP_DIRECT_RECLAIM_BIT,",
        "layout.single-bits",
    ),
    ("enum: HIGHMEM has the value of DMA", r"HIGHMEM_BIT,", "HIGHMEM_BIT = 0,", "layout.single-bits"),
    ("enum: a hole before WRITE", r"___GFP_WRITE_BIT,", "___GFP_WRITE_BIT = 13,", "", _not(MOVED)),
    ("enum: two holes before WRITE", r"___GFP_WRITE_BIT,", "___GFP_WRITE_BIT = 14,", "layout.shift-ceiling"),
    (
        "enum: LAST before NO_OBJ_EXT",
        r"(#ifdef CONFIG_SLAB_OBJ_EXT\n\t___GFP_NO_OBJ_EXT_BIT,\n#endif\n)(\t___GFP_LAST_BIT)",
        r"\2,\n\1",
        "layout.inside-mask",
    ),
    ("enum: LAST is 20", r"\t___GFP_LAST_BIT\n", "\t___GFP_LAST_BIT = 20\n", "layout.inside-mask"),
    (
        "enum: LAST is one less",
        r"\t___GFP_LAST_BIT\n",
        "\t___GFP_FILL_BIT,\n\t___GFP_LAST_BIT = ___GFP_FILL_BIT - 1\n",
        "layout.inside-mask",
    ),
    ("switch of NOLOCKDEP: another symbol at its mask", r"CONFIG_LOCKDEP(\n#define)", r"CONFIG_PROVE_LOCKING\1", ""),
    ("switch of NOLOCKDEP: another symbol in the enum", r"CONFIG_LOCKDEP(\n\t)", r"CONFIG_PROVE_LOCKING\1", ""),
    (
        "switch of NOLOCKDEP: another symbol at both",
        r"CONFIG_LOCKDEP\b",
        "CONFIG_PROVE_LOCKING",
        "layout.",
        {"count": 2},
    ),
    ("switch of NOLOCKDEP: #ifndef for #ifdef at its mask", r"#ifdef (CONFIG_LOCKDEP\n#define)", r"#ifndef \1", ""),
    (
        "switch of NOLOCKDEP: #ifndef for #ifdef at both",
        r"#ifdef (CONFIG_LOCKDEP)",
        r"#ifndef \1",
        "layout.gates",
        {"count": 2},
    ),
    (
        "switch of SKIP_ZERO and SKIP_KASAN: another symbol at their masks",
        r"CONFIG_KASAN_HW_TAGS(\n#define)",
        r"CONFIG_KASAN_SW_TAGS\1",
        "",
    ),
    (
        "switch of SKIP_ZERO and SKIP_KASAN: another symbol at both",
        r"CONFIG_KASAN_HW_TAGS\b",
        "CONFIG_KASAN_SW_TAGS",
        "layout.",
        {"count": 2},
    ),
    ("NOLOCKDEP: 1 for 0 where disabled", r"___GFP_NOLOCKDEP\t0", "___GFP_NOLOCKDEP\t1", "layout."),
    ("SKIP_ZERO: 1 for 0 where disabled", r"___GFP_SKIP_ZERO\t0", "___GFP_SKIP_ZERO\t1", "layout."),
    ("SKIP_KASAN: 1 for 0 where disabled", r"___GFP_SKIP_KASAN\t0", "___GFP_SKIP_KASAN\t1", "layout."),
    ("NO_OBJ_EXT: 1 for 0 where disabled", r"___GFP_NO_OBJ_EXT +0", "___GFP_NO_OBJ_EXT 1", "layout."),
    (
        "plain mask of WRITE has the bit of NOWARN",
        r"BIT\(___GFP_WRITE_BIT",
        "BIT(___GFP_NOWARN_BIT",
        "layout.single-bits",
    ),
    ("plain mask of IO has the bit of FS", r"BIT\(___GFP_IO_BIT", "BIT(___GFP_FS_BIT", "layout.single-bits"),
    ("plain mask of DMA has two bits", r"BIT\(___GFP_DMA_BIT\)", "3", "layout.single-bits"),
    ("plain mask of ZERO has the unused bit", r"BIT\(___GFP_ZERO_BIT", "BIT(___GFP_UNUSED_BIT", "", _not(MOVED)),
    ("__GFP_WRITE: not defined", r"#define __GFP_WRITE\t", "#define __GFP_WROTE\t", "layout.present"),
    ("__GFP_WRITE: no gfp_t", r"\(__force gfp_t\)___GFP_WRITE\b", "___GFP_WRITE", "layout.present"),
)
_ENUM_BUNDLED: tuple[Edit, ...] = (
    ("enum: row of WRITE removed", r"\t___GFP_WRITE_BIT,\n", "", "", _UNBUILT),
    ("enum: HIGHMEM has the value of DMA", r"HIGHMEM_BIT,", "HIGHMEM_BIT = 0,", "layout.single-bits"),
    ("enum: 9 for 10", r" = 10,", ",", "", _not(MOVED)),
    ("enum: 8 for 10", r" = 10,", " = 8,", "layout.single-bits"),
    (
        "enum: LAST before NOLOCKDEP",
        r"(#ifdef CONFIG_LOCKDEP\n\t___GFP_NOLOCKDEP_BIT,\n#endif\n)(\t___GFP_LAST_BIT)",
        r"\2,\n\1",
        "layout.inside-mask",
    ),
    ("switch of NOLOCKDEP: another symbol at its mask", r"CONFIG_LOCKDEP(\n#define)", r"CONFIG_PROVE_LOCKING\1", ""),
    (
        "switch of NOLOCKDEP: another symbol at both",
        r"CONFIG_LOCKDEP\b",
        "CONFIG_PROVE_LOCKING",
        "layout.",
        {"count": 2},
    ),
    ("NOLOCKDEP: 1 for 0 where disabled", r"___GFP_NOLOCKDEP\t0", "___GFP_NOLOCKDEP\t1", "layout."),
    ("SKIP_ZERO: 1 for 0 where disabled", r"___GFP_SKIP_ZERO\t0", "___GFP_SKIP_ZERO\t1", "layout."),
)
_BITS: tuple[Edit, ...] = (
    (
        "__GFP_BITS_SHIFT: one less",
        r"(__GFP_BITS_SHIFT\s+)___GFP_LAST_BIT",
        r"\1(___GFP_LAST_BIT - 1)",
        "layout.inside-mask",
    ),
    (
        "__GFP_BITS_SHIFT: one more",
        r"(__GFP_BITS_SHIFT\s+)___GFP_LAST_BIT",
        r"\1(___GFP_LAST_BIT + 1)",
        "",
        _not(ROOMIER),
    ),
    (
        "__GFP_BITS_MASK: shift one less",
        r"(?<=[( ])__GFP_BITS_SHIFT\)",
        "(__GFP_BITS_SHIFT - 1))",
        "composite.__GFP_BITS_MASK",
    ),
    ("__GFP_BITS_MASK: - 2 for - 1", r"(__GFP_BITS_SHIFT\)) - 1", r"\1 - 2", "composite.__GFP_BITS_MASK"),
    ("__GFP_BITS_MASK: + 1 for - 1", r"(__GFP_BITS_SHIFT\)) - 1", r"\1 + 1", "composite.__GFP_BITS_MASK"),
)
_SWAPS = {
    ("DMA", "HIGHMEM"): "",
    ("HIGHMEM", "DMA32"): "",
    ("DMA32", "MOVABLE"): _M,
    ("MOVABLE", "RECLAIMABLE"): _M,
    ("RECLAIMABLE", "HIGH"): _M,
    ("HIGH", "IO"): "",
    ("IO", "FS"): "",
    ("DIRECT_RECLAIM", "KSWAPD_RECLAIM"): "",
    ("NORETRY", "MEMALLOC"): "",
    ("ACCOUNT", "ZEROTAGS"): "",
    ("SKIP_ZERO", "SKIP_KASAN"): "",
}


def _flag_shapes(tree: str) -> Iterator[Break]:
    yield from _edits(tree, TYPES, "", _LAYOUT, *(_ENUM_REAL if tree == REAL else _ENUM_BUNDLED), *_BITS)
    swaps = _SWAPS.items() if tree == REAL else list(_SWAPS.items())[1:6]
    for (first, second), by in swaps:
        yield _swap(tree, first, second, by)
    flags = _flags(tree)
    step = 1 if tree == REAL else 5
    for flag, other in list(zip(flags, (*flags[1:], flags[0]), strict=True))[::step]:
        by = "layout.single-bits"
        edit = (f"is {other}", rf"\b___GFP_{flag}\b", f"___GFP_{other}", by, _NO_HELPERS)
        yield from _edits(tree, TYPES, f"__GFP_{flag}", by, edit)


# Composites: one flag more after a name, and one flag less.

_LESS_REAL = {
    "GFP_ZONEMASK": (r"\|__GFP_MOVABLE", ""),
    "__GFP_RECLAIM": (r"\|___GFP_KSWAPD_RECLAIM", ""),
    "GFP_ATOMIC": (r"__GFP_HIGH\|", ""),
    "GFP_KERNEL": (r" \| __GFP_FS", ""),
    "GFP_KERNEL_ACCOUNT": (r" \| __GFP_ACCOUNT", ""),
    "GFP_NOWAIT": (r" \| __GFP_NOWARN", ""),
    "GFP_NOIO": (r"__GFP_RECLAIM", "__GFP_DIRECT_RECLAIM"),
    "GFP_NOFS": (r" \| __GFP_IO", ""),
    "GFP_USER": (r" \| __GFP_HARDWALL", ""),
    "GFP_DMA": (r"__GFP_DMA", "((gfp_t)0)"),
    "GFP_DMA32": (r"__GFP_DMA32", "((gfp_t)0)"),
    "GFP_HIGHUSER": (r" \| __GFP_HIGHMEM", ""),
    "GFP_HIGHUSER_MOVABLE": (r" \| __GFP_SKIP_KASAN", ""),
    "GFP_TRANSHUGE_LIGHT": (r" \| __GFP_COMP", ""),
    "GFP_TRANSHUGE": (r" \| __GFP_DIRECT_RECLAIM", ""),
}
_LESS_BUNDLED = _LESS_REAL | {
    "GFP_ZONEMASK": (r"__GFP_MOVABLE \| ", ""),
    "__GFP_RECLAIM": (r"__GFP_KSWAPD_RECLAIM \| ", ""),
    "GFP_ATOMIC": (r" \| __GFP_HIGH", ""),
    "GFP_KERNEL_ACCOUNT": (r"__GFP_ACCOUNT \| ", ""),
    "GFP_HIGHUSER": (r"__GFP_HIGHMEM \| ", ""),
    "GFP_HIGHUSER_MOVABLE": (r"__GFP_SKIP_KASAN \| ", ""),
    "GFP_TRANSHUGE": (r"__GFP_DIRECT_RECLAIM \| ", ""),
}

#: What a composite's value is the first name of, in either header: the flag is added beside it.
_MORE = r"^(#define[ \t]+\w+[ \t]*(?:\\\n)?[ \t]*)((?:[^\n]*\\\n)*[^\n]*)$"


def _composites(tree: str) -> Iterator[Break]:
    for name, less in (_LESS_REAL if tree == REAL else _LESS_BUNDLED).items():
        by = f"composite.{name}"
        yield from _edits(tree, TYPES, name, by, ("one flag less", *less, by, _ONLY_MASKS))
        yield from _edits(tree, TYPES, name, by, ("one flag more", _MORE, r"\1(__GFP_ZERO | \2)", by, _ONLY_MASKS))


def _all() -> Iterator[Break]:
    for tree in (REAL, BUNDLED):
        yield from _nested(tree)
        yield from _helpers(tree)
        if tree == REAL:
            yield from _tables()
        yield from _flag_shapes(tree)
        yield from _composites(tree)


BREAKS: tuple[Break, ...] = tuple(_all())


# Making them, and the table.


def check(origin: Path, edit: Break | None, workdir: Path, *arguments: str) -> Outcome:
    """
    Return what ``pygfp check`` says of a copy of tree *origin* with *edit* in it; the copy is in *workdir*.

    :param arguments: more arguments of the check, after those of *edit*
    """
    tree = workdir / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for path in WATCHED:
        if (origin / path).is_file():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin / path, tree / path)
    if edit:
        broken = edit.apply((tree / edit.file).read_text(encoding="utf-8"))
        (tree / edit.file).write_text(broken, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(["check", str(tree), "--format", "json", *(edit.arguments if edit else ()), *arguments])
    text = out.getvalue()
    return Outcome(status, json.loads(text) if text else None, err.getvalue())


def row(edit: Break, outcome: Outcome) -> str:
    """Return the row of the table for *edit*."""
    ids = [f"`{name}`{f' ({count})' if count > 1 else ''}" for name, count in sorted(outcome.caught.items())]
    said = ", ".join(ids) or edit.neutral or " ".join((SLIPPED, *outcome.stderr.strip().splitlines()[-1:]))
    return f"| {edit.title} | {outcome.exit} | {_cell(said)} |"


_INTRO = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
# Broken on purpose

Can the check fail? Each row is one edit of a token or so, made on a copy of a header, and what `pygfp check`
said: its exit status and the checks that caught it (with the number of configurations, where there are
several). Of {total} edits {caught} are caught, {neutral} change nothing, {slipped} slip through. Where nothing changes
the row has the reason, and `tests/test_breaks.py` also compares everything that was proven about the header with
what is proven about the unbroken one. Some checks were narrowed to what can catch the edit, to save time.

Written by `python tests/breaks.py > docs/breaks.md`; the edits are data in `tests/breaks.py`.
"""
_TITLES = {REAL: "The distribution's header package", BUNDLED: "The bundled subset"}


def _section(tree: str, origin: Path, workdir: Path) -> Iterator[str]:
    baseline = check(origin, None, workdir)
    assert baseline.report
    source = baseline.report["source"]
    yield f"\n## {_TITLES[tree]}: {source['release']}\n"
    yield f"Package or directory `{origin.name}`, reference row {source['reference']}, {baseline.report['compiler']}.\n"
    yield "| break | exit | caught by |"
    yield "|---|---|---|"
    for edit in (b for b in BREAKS if b.tree == tree):
        yield row(edit, check(origin, edit, workdir))


def intro(lines: list[str]) -> str:
    """Return the head of the page, with what the rows below come to."""
    neutral = sum(bool(b.neutral) for b in BREAKS)
    slipped = sum(SLIPPED in line for line in lines)
    return _INTRO.format(total=len(BREAKS), caught=len(BREAKS) - neutral - slipped, neutral=neutral, slipped=slipped)


def write_table() -> None:
    """Print the table of all breaks."""
    import kernels  # noqa: PLC0415 - may download a package

    with tempfile.TemporaryDirectory(prefix="pygfp-breaks-") as scratch:
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"
        lines: list[str] = []
        for tree, origin in ((REAL, kernels.headers(REAL)), (BUNDLED, ROOT / "csrc")):
            lines += _section(tree, origin, Path(scratch))
    sys.stdout.write("\n".join((intro(lines), *lines)) + "\n")


if __name__ == "__main__":
    write_table()
