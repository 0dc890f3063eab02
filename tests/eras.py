# SPDX-License-Identifier: GPL-2.0-only
# ruff: noqa: E101 -- the C texts below are indented with tabs, as C is
"""
Header trees in the style of any release, for tests.

A distribution offers the headers of two releases or three; the facts know eighteen. :func:`write_tree` writes, from a
row of ``releases.json``, a small tree whose headers have that release's flags, composites and helpers, in the shape of
their time: one file or two, literals or an enumeration. All of the text is this project's own.

It is no witness of what a kernel does, as the row is where it came from. It proves that pygfp finds, cuts out and
compiles what it is given.
"""

from __future__ import annotations

from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pathlib

Row = dict[str, Any]
Version = tuple[int, ...]

GFP_H = "include/linux/gfp.h"
GFP_TYPES_H = "include/linux/gfp_types.h"
PAGE_ALLOC = "mm/page_alloc.h"
KMEMLEAK = "mm/kmemleak.c"

# What gfp.h includes besides gfp_types.h: the last entry whose release is not newer than the row's.
INCLUDES: tuple[tuple[Version, tuple[str, ...]], ...] = (
    ((0,), ("mmdebug", "mmzone", "stddef", "linkage", "topology")),
    ((6, 1), ("mmzone", "topology")),
    ((6, 10), ("mmzone", "topology", "alloc_tag", "sched")),
    ((7,), ("mmzone", "topology", "alloc_tag", "cleanup", "sched")),
)

# Two rows come without a list of helpers: they borrow that of a neighbour, v6.1 and
# v6.6, as far as this module can write what it names.
EVERYWHERE = {
    name: [GFP_H]
    for name in (
        "gfp_migratetype",
        "gfpflags_allow_blocking",
        "gfp_zone",
        "gfp_zonelist",
        "node_zonelist",
    )
}
BORROWED_HELPERS: dict[str, dict[str, list[str]]] = {
    "6.2": EVERYWHERE | {"gfp_compaction_allowed": [GFP_H]},
    "6.5": EVERYWHERE | {"gfp_has_io_fs": [GFP_H], "gfp_kmemleak_mask": [KMEMLEAK]},
}

# Composites that are written first, because the others are written with them.
FAMILIES = ("__GFP_RECLAIM", "GFP_ZONEMASK")

KMEMLEAK_KEEP = ("__GFP_RECLAIM", "__GFP_IO", "__GFP_FS", "__GFP_HIGH")
KMEMLEAK_FORCE = ("__GFP_NOWARN", "__GFP_NORETRY", "__GFP_NOMEMALLOC")


def write_tree(row: Row, root: pathlib.Path) -> pathlib.Path:
    """
    Return *root*, after writing the tree of the release that *row* describes into it.

    :param row: one entry of ``releases`` in ``releases.json``
    :param root: directory; made where it does not exist
    :raises ValueError: if the row contradicts itself (its ``bits_shift`` cannot be written as its style wants)
    """
    for path, text in tree_files(row).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def tree_files(row: Row) -> dict[str, str]:
    """Return the text of each file of the tree that *row* describes, by kernel-relative path."""
    files = {
        "Makefile": makefile(row),
        "include/linux/types.h": TYPES_H,
        "include/linux/mmzone.h": MMZONE_H,
        **{f"include/{name}": stand_in(name, body) for name, body in STAND_IN_BODIES.items()},
    }
    if row["gfp_types_h"]:
        files[GFP_TYPES_H] = gfp_types_header(row)
    files[GFP_H] = gfp_header(row)
    if helpers_in(row, PAGE_ALLOC):
        files[PAGE_ALLOC] = PAGE_ALLOC_H.replace("@HELPER@", helper_text("gfp_migratetype"))
    if helpers_in(row, KMEMLEAK):
        files[KMEMLEAK] = KMEMLEAK_C.replace("@MACRO@", kmemleak_macro(row))
    return files


def version_of(row: Row) -> Version:
    """
    Return the release of *row* as numbers.

    >>> version_of({"version": "6.12.107"})
    (6, 12, 107)
    """
    return tuple(int(part) for part in row["version"].split("."))


def makefile(row: Row) -> str:
    """Return the first lines of the top Makefile: the release and nothing that builds."""
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    lines = [f"{name} = {number}" for name, number in zip(names, version_of(row), strict=True)]
    return "\n".join(["# SPDX-License-Identifier: GPL-2.0-only", *lines, "EXTRAVERSION =", ""])


def helper_files(row: Row) -> dict[str, list[str]]:
    """Return which file holds which helper: the row's own list, or a neighbour's where it has none."""
    listed: dict[str, list[str]] = row["helper_files"]
    series = ".".join(row["version"].split(".")[:2])
    return listed or BORROWED_HELPERS.get(series, {})


def helpers_in(row: Row, path: str) -> list[str]:
    """Return the names of the helpers that *row* puts into *path*, and that this module can write."""
    known = {
        *HELPERS,
        "gfp_migratetype",
        "gfpflags_to_migratetype",
        "gfp_kmemleak_mask",
    }
    return [name for name, paths in helper_files(row).items() if path in paths and name in known]


def helper_text(name: str) -> str:
    """Return the C text of one helper."""
    if name in HELPERS:
        return HELPERS[name]
    return MIGRATETYPE.replace("@NAME@", name)


def gated(row: Row) -> list[tuple[str | None, list[str]]]:
    """Return the flags in the order of their bits, without ``__GFP_``, in runs that one CONFIG symbol gates."""
    flags = sorted(row["flags"].items(), key=lambda item: int(item[1]["bit"]))
    runs = groupby(flags, key=lambda item: item[1].get("config"))
    return [(gate, [name.removeprefix("__GFP_") for name, _ in run]) for gate, run in runs]


def under(gate: str | None, lines: list[str], otherwise: list[str] | None = None) -> list[str]:
    """Return *lines* under ``#ifdef``, where there is a gate."""
    if gate is None:
        return lines
    other = ["#else", *otherwise] if otherwise else []
    return [f"#ifdef {gate}", *lines, *other, "#endif"]


def define(name: str, value: str) -> str:
    """Return a ``#define`` with its value in the 32nd column, as headers align it."""
    head = f"#define {name}"
    return head + "\t" * max(1, (39 - len(head)) // 8) + value


def bit_enum(row: Row) -> list[str]:
    """Return the enumeration of bit numbers: a gated flag takes part only where its symbol is on."""
    lines: list[str] = []
    expected = 0
    for gate, names in gated(row):
        bits = [int(row["flags"][f"__GFP_{name}"]["bit"]) for name in names]
        entries: list[str] = []
        for name, bit in zip(names, bits, strict=True):
            entries += ["\t___GFP_UNUSED_BIT,"] * (bit - expected) + [f"\t___GFP_{name}_BIT,"]
            expected = bit + 1
        lines += under(gate, entries)
    return ["enum {", *lines, "\t___GFP_LAST_BIT", "};", ""]


def plain_masks(row: Row) -> list[str]:
    """Return the ``___GFP_X`` macros: literals, or ``BIT()`` of the enumeration; 0 for what is not built in."""
    lines: list[str] = []
    for gate, names in gated(row):
        values = {name: plain_value(row, name) for name in names}
        lines += under(
            gate,
            [define(f"___GFP_{name}", value) for name, value in values.items()],
            [define(f"___GFP_{name}", "0") for name in names],
        )
    return [*lines, ""]


def plain_value(row: Row, name: str) -> str:
    """Return the value of one plain mask, as the release spells it."""
    if row["numbering"] == "enum":
        return f"BIT(___GFP_{name}_BIT)"
    return f"{1 << row['flags'][f'__GFP_{name}']['bit']:#x}u"


def typed_masks(row: Row) -> list[str]:
    """Return the ``__GFP_X`` macros."""
    return [*(define(flag, f"((__force gfp_t)_{flag})") for flag in row["flags"]), ""]


def bits_shift(row: Row) -> list[str]:
    """Return ``__GFP_BITS_SHIFT`` and ``__GFP_BITS_MASK``."""
    shift = "___GFP_LAST_BIT" if row["numbering"] == "enum" else shift_sum(row)
    return [
        define("__GFP_BITS_SHIFT", shift),
        define("__GFP_BITS_MASK", "((__force gfp_t)((1u << __GFP_BITS_SHIFT) - 1u))"),
        "",
    ]


def shift_sum(row: Row) -> str:
    """Return the shift as a number plus what each symbol adds to it; a row that is no such sum is refused."""
    shifts: dict[str, int] = row["bits_shift"]
    symbols = [symbol.removeprefix("CONFIG_") for symbol in row["config_symbols"]]
    added = {symbol: shifts[symbol] - shifts["none"] for symbol in symbols}
    for size in range(len(symbols) + 1):
        for chosen in combinations(symbols, size):
            if shifts[",".join(chosen) or "none"] != shifts["none"] + sum(added[symbol] for symbol in chosen):
                message = f"bits_shift of {row['version']} is not a sum over its symbols: {shifts}"
                raise ValueError(message)
    terms = [
        f"IS_ENABLED(CONFIG_{symbol})" + (f" * {count}" if count > 1 else "")
        for symbol, count in added.items()
        if count
    ]
    return "(" + " + ".join([*terms, str(shifts["none"])]) + ")"


def composites(row: Row) -> list[str]:
    """Return the composites, the families of flags first; the gates of their members hold for them."""
    table: dict[str, list[str]] = row["composites"]
    first = [name for name in FAMILIES if name in table]
    rest = [name for name in table if name not in FAMILIES]
    return [*(line for name in [*first, *rest] for line in composite(name, table)), ""]


def composite(name: str, table: dict[str, list[str]]) -> list[str]:
    """Return one composite as an OR, on more than one line where it is long."""
    members = list(table[name])
    family = table.get("__GFP_RECLAIM", [])
    if name != "__GFP_RECLAIM" and family and set(family) <= set(members):
        members = ["__GFP_RECLAIM", *(flag for flag in members if flag not in family)]
    lines = [" | ".join(members[at : at + 3]) for at in range(0, len(members), 3)]
    if len(lines) == 1:
        return [define(name, f"({lines[0]})")]
    return [f"#define {name} \\", "\t(" + " | \\\n\t ".join(lines) + ")"]


def flag_lines(row: Row) -> list[str]:
    """Return everything about flags: what ``gfp_types.h`` holds, and ``gfp.h`` before there was one."""
    enum = bit_enum(row) if row["numbering"] == "enum" else []
    return [
        *enum,
        *plain_masks(row),
        *typed_masks(row),
        *bits_shift(row),
        *composites(row),
    ]


def gfp_types_header(row: Row) -> str:
    """Return ``gfp_types.h``. Those with an enumeration also carry the switched-off copy of the type."""
    enum = row["numbering"] == "enum"
    head = ["#include <linux/bits.h>", "", *TYPEDEF_COPY.splitlines(), ""] if enum else []
    return guarded("__LINUX_GFP_TYPES_H", [*head, *flag_lines(row)])


def gfp_header(row: Row) -> str:
    """Return ``gfp.h``: the includes of its time, the flags unless they have a file, and the helpers."""
    split = row["gfp_types_h"]
    names = next(names for since, names in reversed(INCLUDES) if version_of(row) >= since)
    includes = ["gfp_types", *names] if split else list(names)
    lines = [
        *(f"#include <linux/{name}.h>" for name in includes),
        "",
        "struct vm_area_struct;",
        "",
    ]
    lines += [] if split else flag_lines(row)
    # In the order of the text, so that a helper comes after those that it calls.
    wanted = helpers_in(row, GFP_H)
    ordered = [name for name in wanted if name not in HELPERS] + [name for name in HELPERS if name in wanted]
    return guarded("__LINUX_GFP_H", lines + [helper_text(name) for name in ordered])


def guarded(guard: str, lines: list[str]) -> str:
    """Return a header file around *lines*."""
    return "\n".join(
        [
            FILE_HEAD.rstrip("\n"),
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            *lines,
            f"#endif /* {guard} */",
            "",
        ]
    )


def kmemleak_macro(row: Row) -> str:
    """Return the macro ``gfp_kmemleak_mask()`` as it was in the era of *row*."""
    version = version_of(row)
    keep = list(KMEMLEAK_KEEP)
    force = list(KMEMLEAK_FORCE)
    if "__GFP_ATOMIC" in row["flags"]:
        keep.append("__GFP_ATOMIC")
    # Since Linux commit 79d3705040c3 (in v5.15), and up to 5.2 with NOFAIL.
    if version >= (5, 15):
        keep.append("__GFP_NOLOCKDEP")
    if version < (5, 3):
        force.append("__GFP_NOFAIL")
    lines = [f"({' | '.join(force)} |", f" ((gfp) & ({' | '.join(keep)})))"]
    return "#define gfp_kmemleak_mask(gfp) \\\n\t" + " \\\n\t".join(lines)


# The text of the trees: our own C, with the names that a kernel uses.

FILE_HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by pygfp's tests, in the style of a release; not a kernel's text. */
"""

TYPEDEF_COPY = """\
/* For readers only: what a compiler sees is in types.h. */
#if 0
typedef unsigned int __bitwise gfp_t;
#endif
"""

TYPES_H = (
    FILE_HEAD
    + """\
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H

#include <asm-generic/int-ll64.h>

#ifndef __ASSEMBLY__

typedef __u32 era_dev_t;
typedef __u64 era_sector_t;

/* Neither "typedef int gfp_t;" nor any other comment counts. */
typedef unsigned int __bitwise slab_flags_t;
typedef unsigned int __bitwise gfp_t;
typedef unsigned int __bitwise fmode_t;

#ifdef CONFIG_PHYS_ADDR_T_64BIT
typedef __u64 phys_addr_t;
#else
typedef __u32 phys_addr_t;
#endif

struct era_counter {
	__u64 value;
	gfp_t last;
};

#endif /* __ASSEMBLY__ */
#endif /* _LINUX_TYPES_H */
"""
)

# The order of things is that of a real one: the zones stand alone in the middle, where
# the build that counts them can see them and nothing else.
MMZONE_H = (
    FILE_HEAD
    + """\
#ifndef _LINUX_MMZONE_H
#define _LINUX_MMZONE_H

#ifndef __ASSEMBLY__
#ifndef __GENERATING_BOUNDS_H

#include <linux/spinlock.h>
#include <linux/cache.h>
#include <linux/types.h>

#define ERA_ORDERS	11

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES,	/* so many have per-CPU lists */
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
#ifdef CONFIG_CMA
	/* Lent out to MOVABLE; "enum migratetype { A }" here is no enum. */
	MIGRATE_CMA,
#endif
#ifdef CONFIG_MEMORY_ISOLATION
	MIGRATE_ISOLATE,
#endif
	MIGRATE_TYPES
};

extern int page_group_by_mobility_disabled;

struct free_area {
	spinlock_t guard;
	unsigned long pages[MIGRATE_TYPES];
} ____cacheline_aligned;

static inline bool era_type_has_lists(enum migratetype type)
{
	return type < MIGRATE_PCPTYPES;
}

#endif /* __GENERATING_BOUNDS_H */

enum zone_type {
#ifdef CONFIG_ZONE_DMA
	ZONE_DMA,
#endif
#ifdef CONFIG_ZONE_DMA32
	ZONE_DMA32,
#endif
	ZONE_NORMAL,
#ifdef CONFIG_HIGHMEM
	ZONE_HIGHMEM,
#endif
	ZONE_MOVABLE,
#ifdef CONFIG_ZONE_DEVICE
	ZONE_DEVICE,
#endif
	__MAX_NR_ZONES
};

#ifndef __GENERATING_BOUNDS_H

struct zone {
	enum zone_type kind;
	struct free_area areas[ERA_ORDERS];
};

enum {
	ZONELIST_FALLBACK,
#ifdef CONFIG_NUMA
	ZONELIST_NOFALLBACK,
#endif
	MAX_ZONELISTS
};

struct zonelist {
	struct zone *order[MAX_NR_ZONES];
};

struct pglist_data {
	struct zonelist node_zonelists[MAX_ZONELISTS];
	struct zone era_zones[MAX_NR_ZONES];
};

extern struct pglist_data era_nodes[];
#define NODE_DATA(nid)	(&era_nodes[nid])

#endif /* __GENERATING_BOUNDS_H */
#endif /* __ASSEMBLY__ */
#endif /* _LINUX_MMZONE_H */
"""
)

PAGE_ALLOC_H = (
    FILE_HEAD
    + """\
#ifndef __MM_PAGE_ALLOC_H
#define __MM_PAGE_ALLOC_H

#include <linux/gfp.h>
#include <linux/mmzone.h>

#define ERA_ALLOC_URGENT	0x10

struct era_request {
	struct zonelist *lists;
	enum zone_type highest;
	int migratetype;
};

@HELPER@
static inline void era_prepare(struct era_request *request, int nid, gfp_t gfp)
{
	request->lists = node_zonelist(nid, gfp);
	request->highest = gfp_zone(gfp);
	request->migratetype = gfp_migratetype(gfp);
}

#endif /* __MM_PAGE_ALLOC_H */
"""
)

KMEMLEAK_C = (
    FILE_HEAD
    + """\
#include <linux/gfp.h>
#include <linux/spinlock.h>

struct era_record {
	spinlock_t guard;
	unsigned long address;
};

#define ERA_RECORDS	64

/* What a record is allocated with, from the mask of the caller. */
@MACRO@

struct era_record *era_pool_take(gfp_t gfp);
struct era_record *era_record_object(unsigned long address, gfp_t gfp);
struct era_record *era_record_area(unsigned long address, gfp_t gfp);

struct era_record *era_record_object(unsigned long address, gfp_t gfp)
{
	struct era_record *record = era_pool_take(gfp_kmemleak_mask(gfp));

	if (record)
		record->address = address;
	return record;
}

struct era_record *era_record_area(unsigned long address, gfp_t gfp)
{
	return era_record_object(address & ~63ul, gfp_kmemleak_mask(gfp));
}
"""
)

MIGRATETYPE = """\
#define GFP_MOVABLE_MASK	(__GFP_MOVABLE | __GFP_RECLAIMABLE)
#define GFP_MOVABLE_SHIFT	3

static inline int @NAME@(const gfp_t gfp_flags)
{
	const gfp_t mobility = gfp_flags & GFP_MOVABLE_MASK;

	BUILD_BUG_ON(___GFP_RECLAIMABLE >> GFP_MOVABLE_SHIFT != MIGRATE_RECLAIMABLE);
	BUILD_BUG_ON(___GFP_MOVABLE >> GFP_MOVABLE_SHIFT != MIGRATE_MOVABLE);
	VM_WARN_ON(mobility == GFP_MOVABLE_MASK);

	return unlikely(page_group_by_mobility_disabled) ? MIGRATE_UNMOVABLE :
		(__force int)mobility >> GFP_MOVABLE_SHIFT;
}
#undef GFP_MOVABLE_SHIFT
#undef GFP_MOVABLE_MASK
"""

# A helper comes after those that it calls.
HELPERS = {
    "gfpflags_allow_blocking": """\
static inline bool gfpflags_allow_blocking(const gfp_t gfp_flags)
{
	return gfp_flags & __GFP_DIRECT_RECLAIM ? true : false;
}
""",
    "gfpflags_allow_spinning": """\
static inline bool gfpflags_allow_spinning(const gfp_t gfp_flags)
{
	return gfp_flags & __GFP_RECLAIM ? true : false;
}
""",
    "gfpflags_normal_context": """\
static inline bool gfpflags_normal_context(const gfp_t gfp_flags)
{
	if (gfp_flags & __GFP_MEMALLOC)
		return false;
	return gfpflags_allow_blocking(gfp_flags);
}
""",
    "gfp_zone": """\
#ifdef CONFIG_ZONE_DMA
#define ERA_ZONE_DMA		ZONE_DMA
#else
#define ERA_ZONE_DMA		ZONE_NORMAL
#endif
#ifdef CONFIG_ZONE_DMA32
#define ERA_ZONE_DMA32		ZONE_DMA32
#else
#define ERA_ZONE_DMA32		ZONE_NORMAL
#endif
#ifdef CONFIG_HIGHMEM
#define ERA_ZONE_HIGHMEM	ZONE_HIGHMEM
#else
#define ERA_ZONE_HIGHMEM	ZONE_NORMAL
#endif

/* The device zone is last and no mask asks for it, so it need not fit. */
#if MAX_NR_ZONES <= 5 && defined(CONFIG_ZONE_DEVICE)
#define GFP_ZONES_SHIFT		2
#else
#define GFP_ZONES_SHIFT		ZONES_SHIFT
#endif

#if GFP_ZONES_SHIFT > BITS_PER_LONG / 16
#error sixteen zone numbers do not fit into one word
#endif

/* Sixteen zone numbers in a word, by the low four bits of a mask. */
#define ERA_ENTRY(bits, zone)	((unsigned long)(zone) << ((bits) * GFP_ZONES_SHIFT))
#define GFP_ZONE_TABLE \\
	(ERA_ENTRY(0, ZONE_NORMAL) + \\
	 ERA_ENTRY(___GFP_MOVABLE, ZONE_NORMAL) + \\
	 ERA_ENTRY(___GFP_DMA, ERA_ZONE_DMA) + \\
	 ERA_ENTRY(___GFP_DMA + ___GFP_MOVABLE, ERA_ZONE_DMA) + \\
	 ERA_ENTRY(___GFP_DMA32, ERA_ZONE_DMA32) + \\
	 ERA_ENTRY(___GFP_DMA32 + ___GFP_MOVABLE, ERA_ZONE_DMA32) + \\
	 ERA_ENTRY(___GFP_HIGHMEM, ERA_ZONE_HIGHMEM) + \\
	 ERA_ENTRY(___GFP_HIGHMEM + ___GFP_MOVABLE, ZONE_MOVABLE))

/* A bit for each of the sixteen: more than one of DMA, HIGHMEM, DMA32. */
#define GFP_ZONE_BAD		0xe8e8u

static inline enum zone_type gfp_zone(gfp_t flags)
{
	const int bits = (__force int)(flags & GFP_ZONEMASK);
	const unsigned long shifted = GFP_ZONE_TABLE >> (bits * GFP_ZONES_SHIFT);

	VM_BUG_ON(GFP_ZONE_BAD & (1u << bits));
	return (enum zone_type)(shifted % (1ul << GFP_ZONES_SHIFT));
}
""",
    "gfp_zonelist": """\
static inline int gfp_zonelist(gfp_t flags)
{
	int list = ZONELIST_FALLBACK;

#ifdef CONFIG_NUMA
	if (flags & __GFP_THISNODE)
		list = ZONELIST_NOFALLBACK;
#else
	(void)flags;
#endif
	return list;
}
""",
    "node_zonelist": """\
static inline struct zonelist *node_zonelist(int nid, gfp_t flags)
{
	return &NODE_DATA(nid)->node_zonelists[gfp_zonelist(flags)];
}
""",
    "gfp_nested_mask": """\
static inline gfp_t gfp_nested_mask(gfp_t flags)
{
	flags &= GFP_ATOMIC | GFP_KERNEL | __GFP_NOLOCKDEP;
	flags |= __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_NORETRY;
	return flags;
}
""",
    "gfp_has_io_fs": """\
static inline bool gfp_has_io_fs(gfp_t gfp)
{
	return (gfp & __GFP_FS) && (gfp & __GFP_IO);
}
""",
    "gfp_has_flags": """\
static inline bool gfp_has_flags(gfp_t gfp, gfp_t flags)
{
	return (gfp | flags) == gfp;
}
""",
    "gfp_compaction_allowed": """\
static inline bool gfp_compaction_allowed(gfp_t gfp_mask)
{
	if (!IS_ENABLED(CONFIG_COMPACTION))
		return false;
	return gfp_mask & __GFP_IO ? true : false;
}
""",
}


def stand_in(name: str, body: str = "") -> str:
    """Return a header that is there because others include it."""
    guard = "ERA_" + name.upper().replace(".", "_").replace("-", "_").replace("/", "_")
    return guarded(guard, [*body.splitlines(), ""])


STAND_IN_BODIES = {
    "asm-generic/int-ll64.h": """\
typedef unsigned int __u32;
typedef unsigned long long __u64;
""",
    "linux/alloc_tag.h": "struct era_tag { unsigned long calls; };\n",
    "linux/bits.h": """\
#ifndef BIT
#define BIT(nr)	(1ul << (nr))
#endif
""",
    "linux/cache.h": "#define ____cacheline_aligned\n",
    "linux/cleanup.h": "#define era_no_cleanup\n",
    "linux/linkage.h": "#define era_asmlinkage\n",
    "linux/mmdebug.h": "struct page;\n",
    "linux/sched.h": "struct task_struct;\n",
    "linux/spinlock.h": "typedef struct { unsigned int ticket; } spinlock_t;\n",
    "linux/stddef.h": "#define era_sizeof(type, name) sizeof(((type *)0)->name)\n",
    "linux/topology.h": "#define era_distance(from, to) ((from) == (to) ? 10 : 20)\n",
}
