/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * history/filters.h - the nested filters of the kernel through time, one a
 * function, written by pygfp from facts: which flags each era kept and which
 * it forced. None of this is the kernel's text. pygfp/model/eras.py says which
 * releases had which.
 */
#define ERA_CONTEXT	(GFP_ATOMIC | GFP_KERNEL)
#define ERA_MANNERS	(__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/* kmemleak, up to 5.2: NOFAIL had come in with fault injection. */
static inline gfp_t kmemleak_nofail(gfp_t flags)
{
	return (flags & ERA_CONTEXT) | ERA_MANNERS | __GFP_NOFAIL;
}

/* kmemleak, 5.3 to 5.14: NOFAIL went again. */
static inline gfp_t kmemleak_plain(gfp_t flags)
{
	return (flags & ERA_CONTEXT) | ERA_MANNERS;
}

/* kmemleak, 5.15 to 6.9: a caller that lockdep must not see stays unseen. */
static inline gfp_t kmemleak_nolockdep(gfp_t flags)
{
	return (flags & (ERA_CONTEXT | __GFP_NOLOCKDEP)) | ERA_MANNERS;
}

/* Stack depot, 4.19 to 6.8. */
static inline gfp_t stackdepot_plain(gfp_t flags)
{
	flags &= ~GFP_ZONEMASK;
	flags &= ERA_CONTEXT;
	return flags | __GFP_NOWARN;
}

/* Stack depot, 6.9. */
static inline gfp_t stackdepot_nolockdep(gfp_t flags)
{
	flags &= ~GFP_ZONEMASK;
	flags &= ERA_CONTEXT | __GFP_NOLOCKDEP;
	return flags | __GFP_NOWARN;
}

/* Page owner, before 6.9 was out: copied from stack depot without its fix. */
static inline gfp_t page_owner_plain(gfp_t flags)
{
	flags &= ~GFP_ZONEMASK;
	flags &= ERA_CONTEXT;
	return flags | __GFP_NOWARN;
}

/* Page owner, 6.9. */
static inline gfp_t page_owner_nolockdep(gfp_t flags)
{
	flags &= ~GFP_ZONEMASK;
	flags &= ERA_CONTEXT | __GFP_NOLOCKDEP;
	return flags | __GFP_NOWARN;
}

/* All three, 6.10 on: one filter. */
static inline gfp_t nested_shared(gfp_t flags)
{
	return (flags & (ERA_CONTEXT | __GFP_NOLOCKDEP)) | ERA_MANNERS;
}
