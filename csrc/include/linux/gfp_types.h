/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of pygfp's bundled subset. This text is pygfp's own, written from
 * facts about Linux 7.3; it is not the kernel's file of the same name. It
 * holds every flag in three shapes (bit number, plain mask, typed mask), and
 * the composites that callers use. The type itself comes from types.h.
 */
#ifndef __LINUX_GFP_TYPES_H
#define __LINUX_GFP_TYPES_H

#include <linux/bits.h>

/* Bit numbers. A flag that is not built in takes no bit: later ones move down. */
enum {
	___GFP_DMA_BIT,
	___GFP_HIGHMEM_BIT,
	___GFP_DMA32_BIT,
	___GFP_MOVABLE_BIT,
	___GFP_RECLAIMABLE_BIT,
	___GFP_HIGH_BIT,
	___GFP_IO_BIT,
	___GFP_FS_BIT,
	___GFP_ZERO_BIT,
	/* Bit 9 had a flag up to 6.2; nothing uses it now. */
	___GFP_DIRECT_RECLAIM_BIT = 10,
	___GFP_KSWAPD_RECLAIM_BIT,
	___GFP_WRITE_BIT,
	___GFP_NOWARN_BIT,
	___GFP_RETRY_MAYFAIL_BIT,
	___GFP_NOFAIL_BIT,
	___GFP_NORETRY_BIT,
	___GFP_MEMALLOC_BIT,
	___GFP_COMP_BIT,
	___GFP_NOMEMALLOC_BIT,
	___GFP_HARDWALL_BIT,
	___GFP_THISNODE_BIT,
	___GFP_ACCOUNT_BIT,
	___GFP_ZEROTAGS_BIT,
#ifdef CONFIG_KASAN_HW_TAGS
	___GFP_SKIP_ZERO_BIT,
	___GFP_SKIP_KASAN_BIT,
#endif
#ifdef CONFIG_LOCKDEP
	___GFP_NOLOCKDEP_BIT,
#endif
	___GFP_LAST_BIT
};

/* Plain masks, for arithmetic in the headers. A flag that is not built in is 0. */
#define ___GFP_DMA		BIT(___GFP_DMA_BIT)
#define ___GFP_HIGHMEM		BIT(___GFP_HIGHMEM_BIT)
#define ___GFP_DMA32		BIT(___GFP_DMA32_BIT)
#define ___GFP_MOVABLE		BIT(___GFP_MOVABLE_BIT)
#define ___GFP_RECLAIMABLE	BIT(___GFP_RECLAIMABLE_BIT)
#define ___GFP_HIGH		BIT(___GFP_HIGH_BIT)
#define ___GFP_IO		BIT(___GFP_IO_BIT)
#define ___GFP_FS		BIT(___GFP_FS_BIT)
#define ___GFP_ZERO		BIT(___GFP_ZERO_BIT)
#define ___GFP_DIRECT_RECLAIM	BIT(___GFP_DIRECT_RECLAIM_BIT)
#define ___GFP_KSWAPD_RECLAIM	BIT(___GFP_KSWAPD_RECLAIM_BIT)
#define ___GFP_WRITE		BIT(___GFP_WRITE_BIT)
#define ___GFP_NOWARN		BIT(___GFP_NOWARN_BIT)
#define ___GFP_RETRY_MAYFAIL	BIT(___GFP_RETRY_MAYFAIL_BIT)
#define ___GFP_NOFAIL		BIT(___GFP_NOFAIL_BIT)
#define ___GFP_NORETRY		BIT(___GFP_NORETRY_BIT)
#define ___GFP_MEMALLOC		BIT(___GFP_MEMALLOC_BIT)
#define ___GFP_COMP		BIT(___GFP_COMP_BIT)
#define ___GFP_NOMEMALLOC	BIT(___GFP_NOMEMALLOC_BIT)
#define ___GFP_HARDWALL		BIT(___GFP_HARDWALL_BIT)
#define ___GFP_THISNODE		BIT(___GFP_THISNODE_BIT)
#define ___GFP_ACCOUNT		BIT(___GFP_ACCOUNT_BIT)
#define ___GFP_ZEROTAGS		BIT(___GFP_ZEROTAGS_BIT)
#ifdef CONFIG_KASAN_HW_TAGS
#define ___GFP_SKIP_ZERO	BIT(___GFP_SKIP_ZERO_BIT)
#define ___GFP_SKIP_KASAN	BIT(___GFP_SKIP_KASAN_BIT)
#else
#define ___GFP_SKIP_ZERO	0
#define ___GFP_SKIP_KASAN	0
#endif
#ifdef CONFIG_LOCKDEP
#define ___GFP_NOLOCKDEP	BIT(___GFP_NOLOCKDEP_BIT)
#else
#define ___GFP_NOLOCKDEP	0
#endif

/*
 * Typed masks: what code outside of the headers uses. In words:
 *
 * DMA            zone: within reach of the most limited devices
 * HIGHMEM        zone: may have no kernel mapping
 * DMA32          zone: below 4 GiB
 * MOVABLE        the pages can be moved away later
 * RECLAIMABLE    the pages go away when shrinkers run
 * HIGH           urgent: some reserve may be used
 * IO             reclaim may start I/O
 * FS             reclaim may enter file systems
 * ZERO           filled with zeroes
 * DIRECT_RECLAIM the caller may reclaim, and so sleep
 * KSWAPD_RECLAIM kswapd may be woken
 * WRITE          the page is about to be dirtied
 * NOWARN         fails without a report
 * RETRY_MAYFAIL  tries hard, may fail
 * NOFAIL         never fails
 * NORETRY        fails early
 * MEMALLOC       every reserve may be used
 * COMP           one compound page
 * NOMEMALLOC     no reserve may be used
 * HARDWALL       stays inside the cpuset
 * THISNODE       stays on this node
 * ACCOUNT        charged to the memory cgroup
 * ZEROTAGS       memory tags are cleared as well
 * SKIP_ZERO      with hardware tags: no zeroing
 * SKIP_KASAN     with hardware tags: no tagging
 * NOLOCKDEP      lockdep looks away
 */
#define __GFP_DMA		((__force gfp_t)___GFP_DMA)
#define __GFP_HIGHMEM		((__force gfp_t)___GFP_HIGHMEM)
#define __GFP_DMA32		((__force gfp_t)___GFP_DMA32)
#define __GFP_MOVABLE		((__force gfp_t)___GFP_MOVABLE)
#define __GFP_RECLAIMABLE	((__force gfp_t)___GFP_RECLAIMABLE)
#define __GFP_HIGH		((__force gfp_t)___GFP_HIGH)
#define __GFP_IO		((__force gfp_t)___GFP_IO)
#define __GFP_FS		((__force gfp_t)___GFP_FS)
#define __GFP_ZERO		((__force gfp_t)___GFP_ZERO)
#define __GFP_DIRECT_RECLAIM	((__force gfp_t)___GFP_DIRECT_RECLAIM)
#define __GFP_KSWAPD_RECLAIM	((__force gfp_t)___GFP_KSWAPD_RECLAIM)
#define __GFP_WRITE		((__force gfp_t)___GFP_WRITE)
#define __GFP_NOWARN		((__force gfp_t)___GFP_NOWARN)
#define __GFP_RETRY_MAYFAIL	((__force gfp_t)___GFP_RETRY_MAYFAIL)
#define __GFP_NOFAIL		((__force gfp_t)___GFP_NOFAIL)
#define __GFP_NORETRY		((__force gfp_t)___GFP_NORETRY)
#define __GFP_MEMALLOC		((__force gfp_t)___GFP_MEMALLOC)
#define __GFP_COMP		((__force gfp_t)___GFP_COMP)
#define __GFP_NOMEMALLOC	((__force gfp_t)___GFP_NOMEMALLOC)
#define __GFP_HARDWALL		((__force gfp_t)___GFP_HARDWALL)
#define __GFP_THISNODE		((__force gfp_t)___GFP_THISNODE)
#define __GFP_ACCOUNT		((__force gfp_t)___GFP_ACCOUNT)
#define __GFP_ZEROTAGS		((__force gfp_t)___GFP_ZEROTAGS)
#define __GFP_SKIP_ZERO		((__force gfp_t)___GFP_SKIP_ZERO)
#define __GFP_SKIP_KASAN	((__force gfp_t)___GFP_SKIP_KASAN)
#define __GFP_NOLOCKDEP		((__force gfp_t)___GFP_NOLOCKDEP)

/* How many bits a mask may use, holes included; and all of those bits. */
#define __GFP_BITS_SHIFT	___GFP_LAST_BIT
#define __GFP_BITS_MASK		((__force gfp_t)(BIT(__GFP_BITS_SHIFT) - 1))

/* Flags by family. */
#define __GFP_RECLAIM		(__GFP_KSWAPD_RECLAIM | __GFP_DIRECT_RECLAIM)
#define GFP_ZONEMASK		(__GFP_MOVABLE | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_DMA)

/* Contexts that must not sleep. */
#define GFP_ATOMIC		(__GFP_KSWAPD_RECLAIM | __GFP_HIGH)
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)

/* Contexts that may: each step allows one thing more than the one before. */
#define GFP_NOIO		__GFP_RECLAIM
#define GFP_NOFS		(GFP_NOIO | __GFP_IO)
#define GFP_KERNEL		(GFP_NOFS | __GFP_FS)
#define GFP_KERNEL_ACCOUNT	(__GFP_ACCOUNT | GFP_KERNEL)

/* Memory for user space. */
#define GFP_USER		(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_HIGHUSER		(__GFP_HIGHMEM | GFP_USER)
#define GFP_HIGHUSER_MOVABLE	(__GFP_SKIP_KASAN | __GFP_MOVABLE | GFP_HIGHUSER)

/* Huge pages: for user space too, but not worth a long search. */
#define GFP_TRANSHUGE_LIGHT						\
	(__GFP_HIGHMEM | __GFP_MOVABLE | __GFP_HARDWALL | __GFP_IO |	\
	 __GFP_FS | __GFP_COMP | __GFP_NOWARN | __GFP_NOMEMALLOC |	\
	 __GFP_SKIP_KASAN)
#define GFP_TRANSHUGE		(__GFP_DIRECT_RECLAIM | GFP_TRANSHUGE_LIGHT)

/* Zone selectors under short names. */
#define GFP_DMA			__GFP_DMA
#define GFP_DMA32		__GFP_DMA32

#endif /* __LINUX_GFP_TYPES_H */
