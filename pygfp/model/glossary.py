# SPDX-License-Identifier: GPL-2.0-only
"""
What each flag asks of the allocator, and what each composite is for, in a sentence without a full stop.

From the documentation of the flags in the kernel, and Documentation/core-api/memory-allocation.rst.
"""

from __future__ import annotations

#: Flag to meaning.
FLAGS: dict[str, str] = {
    "__GFP_DMA": "memory from the lowest zone, for devices that address little",
    "__GFP_HIGHMEM": "memory that the kernel has no permanent mapping of is good enough",
    "__GFP_DMA32": "memory below 4 GiB",
    "__GFP_MOVABLE": "the pages may be moved or reclaimed; with HIGHMEM they may come from ZONE_MOVABLE",
    "__GFP_RECLAIMABLE": "slab memory that a shrinker can free; such pages are kept together",
    "__GFP_HIGH": "a caller of high priority: part of the reserve below the watermarks is open to it",
    "__GFP_IO": "reclaim may start I/O",
    "__GFP_FS": "reclaim may call into file systems; without it no file system lock can be taken twice",
    "__GFP_ZERO": "the memory is zeroed",
    "__GFP_ATOMIC": "the caller cannot sleep and is important: it gets deeper into the reserve",
    "__GFP_DIRECT_RECLAIM": "the caller may reclaim memory itself, and so may sleep",
    "__GFP_KSWAPD_RECLAIM": "kswapd is woken when free memory runs low",
    "__GFP_WRITE": "the caller is going to dirty the page; such pages are spread over zones",
    "__GFP_NOWARN": "a failure is not reported in the log",
    "__GFP_RETRY_MAYFAIL": "reclaim is tried again as long as it makes progress, then the allocation fails",
    "__GFP_NOFAIL": "the allocation is tried again for ever: the caller cannot handle failure",
    "__GFP_NORETRY": "one light attempt at reclaim, no retry and no OOM killer",
    "__GFP_MEMALLOC": "all memory, every reserve included: only for callers that free more than they take",
    "__GFP_COMP": "several pages become one compound page",
    "__GFP_NOMEMALLOC": "the emergency reserves stay closed, even for a task that may use them; beats MEMALLOC",
    "__GFP_HARDWALL": "the memory comes from the nodes of the task's cpuset",
    "__GFP_THISNODE": "the memory comes from the asked node, without fallback",
    "__GFP_ACCOUNT": "the memory is charged to the memory cgroup of the task",
    "__GFP_ZEROTAGS": "memory tags are zeroed together with the memory",
    "__GFP_SKIP_ZERO": "memory is not zeroed by the allocator where tags are set anyway",
    "__GFP_SKIP_KASAN": "KASAN leaves the pages unpoisoned and untagged",
    "__GFP_SKIP_KASAN_UNPOISON": "KASAN does not unpoison the pages when they are allocated",
    "__GFP_SKIP_KASAN_POISON": "KASAN does not poison the pages when they are freed",
    "__GFP_NOLOCKDEP": "lockdep does not track the reclaim context of this allocation",
    "__GFP_NO_OBJ_EXT": "the slab object gets no extension (for profiling or accounting) of its own",
}

#: Composite to what it is for.
COMPOSITES: dict[str, str] = {
    "GFP_ATOMIC": "callers that cannot sleep and must not fail lightly: interrupt handlers, spin locks held",
    "GFP_KERNEL": "ordinary kernel memory, for callers that may sleep and hold no lock that reclaim needs",
    "GFP_KERNEL_ACCOUNT": "as GFP_KERNEL, charged to the memory cgroup of the task",
    "GFP_NOWAIT": "callers that cannot sleep and have something to fall back to",
    "GFP_NOIO": "reclaim may happen and may not start any I/O: block devices and their drivers",
    "GFP_NOFS": "reclaim may happen and may not call into file systems: file systems with locks held",
    "GFP_USER": "memory for user space that the kernel or a device also uses",
    "GFP_DMA": "the lowest zone; kept for old devices",
    "GFP_DMA32": "below 4 GiB; kmalloc() has no caches for it",
    "GFP_HIGHUSER": "memory for user space that the kernel need not reach, and that stays where it is",
    "GFP_HIGHUSER_MOVABLE": "memory for user space that the kernel need not reach, and that may be moved",
    "GFP_TRANSHUGE": "huge pages for user space, with direct reclaim and compaction",
    "GFP_TRANSHUGE_LIGHT": "huge pages for user space where a page fault must not wait for reclaim",
    "__GFP_RECLAIM": "both ways of reclaim: by the caller, and by kswapd",
    "GFP_ZONEMASK": "every bit that selects a zone",
    "GFP_RECLAIM_MASK": "every flag that says how hard the allocator tries",
    "GFP_BOOT_MASK": "what is allowed before interrupts and I/O work",
    "GFP_CONSTRAINT_MASK": "what ties an allocation to a cpuset or a node",
    "GFP_SLAB_BUG_MASK": "what the slab allocator cannot serve",
    "__GFP_BITS_MASK": "every bit that a flag may stand on",
}

#: Helper to what it answers.
HELPERS: dict[str, str] = {
    "gfp_nested_mask": (
        "the mask for an allocation of debug code that is nested inside one of a caller: the caller's "
        "reclaim limits, early and silent failure, nothing of where the memory comes from"
    ),
    "gfp_kmemleak_mask": "what kmemleak allocates its records with: the forerunner of gfp_nested_mask()",
    "gfpflags_allow_blocking": "whether the allocation may sleep",
    "gfpflags_allow_spinning": "whether the allocation may take locks: one without any reclaim may not",
    "gfpflags_normal_context": "whether an ordinary task allocates: one that may sleep, and not on the reclaim path",
    "gfp_has_io_fs": "whether reclaim may both start I/O and call into file systems",
    "gfp_compaction_allowed": "whether memory may be compacted for it",
    "gfp_zone": "the highest zone that the memory may come from",
    "gfp_zonelist": "which list of zones is walked: with fallback to other nodes, or without",
    "gfp_migratetype": "which kind of mobility the pages are grouped by",
    "gfpflags_to_migratetype": "which kind of mobility the pages are grouped by",
}

#: Helper to what it does not promise, a sentence each.
NOT_PROMISED: dict[str, tuple[str, ...]] = {
    "gfp_nested_mask": (
        "HIGH is kept, and the slow path grants the minimum reserve on HIGH without a look at NOMEMALLOC",
        "KSWAPD_RECLAIM is kept, and waking kswapd takes locks of the scheduler",
        (
            "a caller without any reclaim bit must not take locks (since v6.15); its nested mask has none either, "
            "and the nested allocation may spin all the same"
        ),
    ),
}
