/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * history/atomic.h - CUSTOM: the flag layout up to 6.2, as far as it matters to
 * a nested filter. Bit 9, a hole since 6.3, was a flag of its own then, and
 * part of the composite for atomic callers. Written by pygfp from facts.
 */
#define ___GFP_ATOMIC	0x200u
#define __GFP_ATOMIC	((__force gfp_t)___GFP_ATOMIC)
#undef GFP_ATOMIC
#define GFP_ATOMIC	(__GFP_KSWAPD_RECLAIM | __GFP_HIGH | __GFP_ATOMIC)
