/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of pygfp's bundled subset. This text is pygfp's own, written from
 * facts; it is not the kernel's file of the same name. It holds just the
 * enumerations in which the GFP helpers answer.
 */
#ifndef _LINUX_MMZONE_H
#define _LINUX_MMZONE_H

#include <linux/types.h>

/* Which list of a node is searched: every node's zones, or its own alone. */
enum {
	ZONELIST_FALLBACK,
#ifdef CONFIG_NUMA
	ZONELIST_NOFALLBACK,
#endif
	MAX_ZONELISTS
};

/* Pages of one kind of mobility are kept together, to fight fragmentation. */
enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	/* The kinds above have per-CPU lists; this is how many there are. */
	MIGRATE_PCPTYPES,
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
#ifdef CONFIG_CMA
	MIGRATE_CMA,
#endif
#ifdef CONFIG_MEMORY_ISOLATION
	MIGRATE_ISOLATE,
#endif
	MIGRATE_TYPES
};

/* Address ranges, most restricted first. Only NORMAL and MOVABLE are certain. */
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

#endif /* _LINUX_MMZONE_H */
