/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of pygfp's bundled subset. This text is pygfp's own, written from
 * facts about Linux 7.3; it is not the kernel's file of the same name. It
 * holds the helpers whose answer depends on a gfp_t and the configuration
 * and on nothing else.
 */
#ifndef __LINUX_GFP_H
#define __LINUX_GFP_H

#include <linux/gfp_types.h>
#include <linux/mmzone.h>

/* True if every flag of @flags is set in @gfp; so nothing is in anything. */
static inline bool gfp_has_flags(gfp_t gfp, gfp_t flags)
{
	return (flags & ~gfp) == 0;
}

/* True if the allocation may reclaim by itself, and therefore sleep. */
static inline bool gfpflags_allow_blocking(const gfp_t gfp_flags)
{
	return (gfp_flags & __GFP_DIRECT_RECLAIM) != 0;
}

/* True if the allocation may take locks: any reclaim at all is allowed. */
static inline bool gfpflags_allow_spinning(const gfp_t gfp_flags)
{
	return (gfp_flags & __GFP_RECLAIM) != 0;
}

/* True if reclaim may both start I/O and call into file systems. */
static inline bool gfp_has_io_fs(gfp_t gfp)
{
	return gfp_has_flags(gfp, __GFP_IO | __GFP_FS);
}

/* True if memory may be compacted: writing pages back may be needed. */
static inline bool gfp_compaction_allowed(gfp_t gfp_mask)
{
	return (gfp_mask & __GFP_IO) != 0 && IS_ENABLED(CONFIG_COMPACTION);
}

/*
 * The mask for an allocation nested inside one made with @flags, for the
 * records of debug code. It has the reclaim context of its caller and none of
 * the caller's wishes about the memory, gives up early, complains to nobody
 * and leaves the reserves alone.
 */
static inline gfp_t gfp_nested_mask(gfp_t flags)
{
	const gfp_t context = __GFP_RECLAIM | __GFP_IO | __GFP_FS |
			      __GFP_HIGH | __GFP_NOLOCKDEP;
	const gfp_t manners = __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;

	return manners | (context & flags);
}

/* The zone that a selector stands for; the normal one where it is not built. */
#ifdef CONFIG_ZONE_DMA
#define ZONE_FOR_DMA		ZONE_DMA
#else
#define ZONE_FOR_DMA		ZONE_NORMAL
#endif
#ifdef CONFIG_ZONE_DMA32
#define ZONE_FOR_DMA32		ZONE_DMA32
#else
#define ZONE_FOR_DMA32		ZONE_NORMAL
#endif
#ifdef CONFIG_HIGHMEM
#define ZONE_FOR_HIGHMEM	ZONE_HIGHMEM
#else
#define ZONE_FOR_HIGHMEM	ZONE_NORMAL
#endif

/*
 * Eight slots of four bits, indexed by the three selectors. MOVABLE changes
 * one slot only, that of HIGHMEM, so it picks between two such words; a
 * compiler turns that into a blend and a shift, with no branch.
 */
#define ZONE_SLOT(selector, zone)	((unsigned int)(zone) << (4 * (selector)))
#define ZONE_SLOTS(highmem)				\
	(ZONE_SLOT(0, ZONE_NORMAL) |			\
	 ZONE_SLOT(___GFP_DMA, ZONE_FOR_DMA) |		\
	 ZONE_SLOT(___GFP_DMA32, ZONE_FOR_DMA32) |	\
	 ZONE_SLOT(___GFP_HIGHMEM, highmem))

/* The zone to start from. More than one selector at once is a bug. */
static inline enum zone_type gfp_zone(gfp_t flags)
{
	const gfp_t selectors = __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM;
	const unsigned int chosen = (__force unsigned int)(flags & selectors);
	const unsigned int slots = (flags & __GFP_MOVABLE) ?
		ZONE_SLOTS(ZONE_MOVABLE) : ZONE_SLOTS(ZONE_FOR_HIGHMEM);

	BUILD_BUG_ON((___GFP_DMA | ___GFP_DMA32 | ___GFP_HIGHMEM) != 7);

	/* Clearing the lowest bit leaves something if there was a second. */
	VM_BUG_ON((chosen & (chosen - 1)) != 0);

	return (enum zone_type)((slots >> (4 * chosen)) & 15);
}
#undef ZONE_SLOTS
#undef ZONE_SLOT
#undef ZONE_FOR_HIGHMEM
#undef ZONE_FOR_DMA32
#undef ZONE_FOR_DMA

/* The index of the zone list to walk. */
static inline int gfp_zonelist(gfp_t flags)
{
#ifdef CONFIG_NUMA
	return (flags & __GFP_THISNODE) ? ZONELIST_NOFALLBACK : ZONELIST_FALLBACK;
#else
	(void)flags;
	return ZONELIST_FALLBACK;
#endif
}

/*
 * The migrate type of a mask: its two mobility flags, read as a number. Both
 * together are outside of what is documented: that warns, and answers 3.
 */
static inline int gfp_migratetype(const gfp_t gfp_flags)
{
	const gfp_t mobility = __GFP_MOVABLE | __GFP_RECLAIMABLE;

	BUILD_BUG_ON(___GFP_MOVABLE != (unsigned long)MIGRATE_MOVABLE << ___GFP_MOVABLE_BIT);
	BUILD_BUG_ON(___GFP_RECLAIMABLE != (unsigned long)MIGRATE_RECLAIMABLE << ___GFP_MOVABLE_BIT);
	VM_WARN_ON(gfp_has_flags(gfp_flags, mobility));

	return likely(!page_group_by_mobility_disabled) ?
		(int)((__force unsigned int)(gfp_flags & mobility) >> ___GFP_MOVABLE_BIT) :
		MIGRATE_UNMOVABLE;
}

#endif /* __LINUX_GFP_H */
