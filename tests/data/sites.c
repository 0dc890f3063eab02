// SPDX-License-Identifier: GPL-2.0-only
/*
 * sites.c - the ways in which kernel code makes one mask out of another, in
 * small functions of pygfp's own: none of them is the kernel's text. The
 * comment in front of each says what an audit must find in it, in order:
 *
 *   = keep A B, force C	only A and B pass, C is always there
 *   = all but A, force C	everything passes except A
 *   = unknown			a site that has no keep, drop and force
 *   = nothing			no site: a mask is only asked for, or handed on
 */
#include <linux/gfp.h>

#define RECORD_KEEP	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define RECORD_MANNERS	(__GFP_NOWARN | \
			 __GFP_NORETRY)
#define MOTLEY_FLAG	__GFP_IO
#undef MOTLEY_FLAG
#define MOTLEY_FLAG	__GFP_FS

#define SANITISE(mask)			\
	do {				\
		(mask) &= RECORD_KEEP;	\
		(mask) |= __GFP_NOWARN;	\
	} while (0)

struct request {
	gfp_t gfp;
	gfp_t gfp_mask;
	unsigned int order;
	bool zero;
};

void *take(unsigned long size, gfp_t gfp);
void *take_request(const struct request *request);
bool ready(void);
gfp_t adjusted(gfp_t gfp, int level);
gfp_t default_gfp_mask(struct request *request);

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS */
#define record_gfp_mask(gfp)	((gfp) & RECORD_KEEP)

/* = keep IO, force NOWARN */
#define quiet_io_mask(gfp) \
	(((gfp) & __GFP_IO) | \
	 __GFP_NOWARN)

/* = all but ZERO */
void *in_place_clear(gfp_t gfp)
{
	gfp &= ~__GFP_ZERO;
	return take(8, gfp);
}

/* = all but NOWARN, force NOWARN */
void *in_place_set(gfp_t gfp)
{
	gfp |= __GFP_NOWARN;
	return take(8, gfp);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS */
void *in_place_and(gfp_t flags)
{
	flags &= GFP_KERNEL;
	return take(8, flags);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS HIGH NOLOCKDEP, force NOWARN */
void *run_of_three(gfp_t alloc_flags)
{
	alloc_flags &= ~GFP_ZONEMASK;
	alloc_flags &= (GFP_ATOMIC | GFP_KERNEL | __GFP_NOLOCKDEP);
	alloc_flags |= __GFP_NOWARN;
	return take(8, alloc_flags);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS HIGH NOLOCKDEP, force NOWARN NORETRY NOMEMALLOC */
void *nested_helper(gfp_t gfp)
{
	return take(8, gfp_nested_mask(gfp));
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS HIGH NOLOCKDEP, force NOWARN NORETRY NOMEMALLOC ZERO */
void *nested_helper_and_more(gfp_t gfp)
{
	return take(8, gfp_nested_mask(gfp) | __GFP_ZERO);
}

/* = all but DIRECT_RECLAIM, force NOWARN */
void *via_local(gfp_t gfp)
{
	gfp_t local = gfp & ~__GFP_DIRECT_RECLAIM;

	local |= __GFP_NOWARN;
	return take(8, local);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS, force ZERO */
void *via_const_local(gfp_t gfp_mask)
{
	const gfp_t nested_gfp = (gfp_mask & GFP_KERNEL) | __GFP_ZERO;

	return take(8, nested_gfp);
}

/* = all but NOFAIL, force NORETRY NOWARN */
void *via_late_local(gfp_t gfp)
{
	gfp_t once;

	once = gfp;
	once &= ~__GFP_NOFAIL;
	once |= __GFP_NORETRY | __GFP_NOWARN;
	return take(8, once);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS */
static inline gfp_t record_mask(gfp_t gfp)
{
	return gfp & RECORD_KEEP;
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS */
void *via_static_helper(gfp_t gfp)
{
	return take(8, record_mask(gfp));
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS, force NOWARN NORETRY */
void *via_helper_and_macro(gfp_t gfp)
{
	gfp = record_mask(gfp) | RECORD_MANNERS;
	return take(8, gfp);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS */
void *via_macro(gfp_t gfp)
{
	return take(8, record_gfp_mask(gfp));
}

/* = keep IO, force NOWARN */
void *via_long_macro(gfp_t gfp)
{
	gfp_t quiet = quiet_io_mask(gfp);

	return take(8, quiet);
}

/* = unknown */
void *via_macro_of_two_meanings(gfp_t gfp)
{
	return take(8, gfp & MOTLEY_FLAG);
}

/* = all but ZERO, force ZERO */
void *argument(unsigned long size, gfp_t gfp)
{
	return take(size, gfp | __GFP_ZERO);
}

/* = all but COMP */
void *argument_in_condition(gfp_t gfp)
{
	void *page = NULL;

	if (ready() && (page = take(8, gfp & ~__GFP_COMP)) != NULL)
		return page;
	return NULL;
}

/* = all but ZERO, force ZERO */
void *argument_of_argument(gfp_t gfp)
{
	return take((unsigned long)take(1, gfp), gfp | __GFP_ZERO);
}

/* = all but ACCOUNT */
void *argument_cast(unsigned int flags)
{
	return take(8, (__force gfp_t)flags & ~__GFP_ACCOUNT);
}

/* = all but FS */
gfp_t returned(gfp_t gfp)
{
	return gfp & ~__GFP_FS;
}

/* = all but FS IO */
gfp_t returned_from_call(struct request *request)
{
	return default_gfp_mask(request) & ~(__GFP_FS | __GFP_IO);
}

/* = all but ZERO, force ZERO
 * = all but ZERO */
void *ternary_of_masks(gfp_t gfp, bool zero)
{
	return take(8, zero ? gfp | __GFP_ZERO : gfp & ~__GFP_ZERO);
}

/* = all but ZERO NOWARN, force ZERO NOWARN
 * = all but NOWARN, force NOWARN */
void *ternary_of_flags(gfp_t gfp, bool zero)
{
	gfp |= (zero ? __GFP_ZERO : 0) | __GFP_NOWARN;
	return take(8, gfp);
}

/* = unknown */
void *ternary_by_mask(gfp_t gfp)
{
	gfp_t local = (gfp & __GFP_IO) ? gfp | __GFP_ZERO : gfp;

	return take(8, local);
}

/* = all but NOWARN, force NOWARN
 * = all but NORETRY, force NORETRY */
void *if_and_else(gfp_t gfp, bool quiet)
{
	if (quiet)
		gfp |= __GFP_NOWARN;
	else
		gfp |= __GFP_NORETRY;
	return take(8, gfp);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS
 * = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS, force ZERO */
void *if_behind_a_run(gfp_t gfp, bool zero)
{
	gfp_t local = gfp & GFP_KERNEL;

	if (zero)
		local |= __GFP_ZERO;
	return take(8, local);
}

/* = all but DIRECT_RECLAIM */
void *if_blocking(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp)) {
		ready();
		gfp &= ~__GFP_DIRECT_RECLAIM;
	}
	return take(8, gfp);
}

/* = all but NOFAIL, force NOFAIL */
void *if_bit(gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		gfp |= __GFP_NOFAIL;
	return take(8, gfp);
}

/* = all but HIGHMEM, force HIGHMEM */
void *if_no_bit(gfp_t gfp)
{
	if (!(gfp & (GFP_DMA | GFP_DMA32)))
		gfp |= __GFP_HIGHMEM;
	return take(8, gfp);
}

/* = all but NOWARN, force NOWARN
 * = all but NORETRY, force NORETRY
 * = all but DIRECT_RECLAIM */
void *else_if(gfp_t gfp, int level)
{
	if (level == 0)
		gfp |= __GFP_NOWARN;
	else if (level == 1)
		gfp |= __GFP_NORETRY;
	else
		gfp &= ~__GFP_DIRECT_RECLAIM;
	return take(8, gfp);
}

/* = all but DMA, force DMA
 * = all but DMA32, force DMA32 */
void *switch_cases(gfp_t gfp, int zone)
{
	switch (zone) {
	case 0:
		gfp |= __GFP_DMA;
		break;
	case 1:
		gfp |= __GFP_DMA32;
		break;
	default:
		break;
	}
	return take(8, gfp);
}

/* = all but IO
 * = all but FS
 * = all but ZERO, force ZERO */
void *switch_falls_through(gfp_t gfp, int level)
{
	switch (level) {
	case 2:
		gfp &= ~__GFP_IO;
		fallthrough;
	case 1:
		gfp &= ~__GFP_FS;
	}
	gfp |= __GFP_ZERO;
	return take(8, gfp);
}

/* = all but NOWARN, force NOWARN
 * = all but COMP
 * = all but ZERO, force ZERO */
void *around_a_loop(gfp_t gfp, int n)
{
	gfp |= __GFP_NOWARN;
	while (n--) {
		take(8, gfp);
		gfp &= ~__GFP_COMP;
	}
	gfp |= __GFP_ZERO;
	return take(8, gfp);
}

/* = all but NORETRY, force NORETRY */
void *loop(gfp_t gfp, int n)
{
	void *found = NULL;

	while (n-- && !found) {
		found = take(8, gfp);
		gfp |= __GFP_NORETRY;
	}
	return found;
}

/* = all but COMP, force COMP */
void *for_loop(gfp_t gfp)
{
	void *found = NULL;

	for (int order = 3; order && !found; order--)
		found = take(1UL << order, gfp | __GFP_COMP);
	return found;
}

/* = all but RETRY_MAYFAIL, force NOWARN
 * = all but DIRECT_RECLAIM, force DIRECT_RECLAIM */
void *do_loop(gfp_t gfp)
{
	gfp_t first = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NOWARN;
	void *found;

	do {
		found = take(8, first);
		first |= __GFP_DIRECT_RECLAIM;
	} while (!found);
	return found;
}

/* = all but MOVABLE */
void *macro_loop(gfp_t gfp, struct list_head *head, struct request *at)
{
	list_for_each_entry(at, head, order) {
		at->order = 0;
		take(8, gfp & ~__GFP_MOVABLE);
	}
	return NULL;
}

/* = all but RECLAIMABLE */
void *initialiser_of_struct(gfp_t gfp)
{
	struct request request = {
		.order = 1,
		.gfp_mask = gfp & ~__GFP_RECLAIMABLE,
	};

	return take_request(&request);
}

/* = all but WRITE, force WRITE */
void *compound_literal(gfp_t gfp)
{
	return take_request(&(struct request){ .gfp = gfp | __GFP_WRITE });
}

/* = all but THISNODE, force THISNODE */
void member_in_place(struct request *request)
{
	request->gfp_mask |= __GFP_THISNODE;
}

/* = all but HARDWALL */
void member_from_parameter(struct request *request, gfp_t gfp)
{
	request->gfp = gfp & ~__GFP_HARDWALL;
}

/* = all but MEMALLOC */
void *argument_from_member(struct request *request)
{
	return take(8, request->gfp & ~__GFP_MEMALLOC);
}

/* = all but HARDWALL, force HARDWALL */
void through_pointer(gfp_t *gfp)
{
	*gfp |= __GFP_HARDWALL;
}

/* = nothing */
bool asks(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

/* = nothing */
int asks_in_condition(gfp_t gfp)
{
	if ((gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS))
		return 1;
	return !!(gfp & __GFP_ZERO);
}

/* = nothing */
void *hands_on(gfp_t gfp)
{
	WARN_ON_ONCE(gfp & __GFP_HIGHMEM);
	return take(8, gfp);
}

/* = nothing */
void *constants(void)
{
	return take(8, GFP_KERNEL | __GFP_ZERO);
}

/* = all but ZERO, force ZERO */
void *grown_constant(bool zero)
{
	gfp_t gfp = GFP_KERNEL;

	if (zero)
		gfp |= __GFP_ZERO;
	return take(8, gfp);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM */
void *local_constant(gfp_t gfp)
{
	const gfp_t allowed = GFP_NOIO;

	return take(8, gfp & allowed);
}

/* = unknown */
void *other_variable(gfp_t gfp, gfp_t other)
{
	return take(8, gfp & other);
}

/* = unknown */
void *other_member(gfp_t gfp, struct request *request)
{
	gfp |= request->gfp_mask;
	return take(8, gfp);
}

/* = unknown */
void *calls_unknown(gfp_t gfp)
{
	gfp = adjusted(gfp, 1);
	return take(8, gfp);
}

/* = unknown
 * = all but ZERO, force ZERO */
void *goes_on_behind_unknown(gfp_t gfp)
{
	gfp = adjusted(gfp, 1);
	gfp |= __GFP_ZERO;
	return take(8, gfp);
}

/* = unknown */
void *toggles(gfp_t gfp)
{
	gfp ^= __GFP_ZERO;
	return take(8, gfp);
}

/* = unknown */
void *shifts(gfp_t gfp)
{
	return take(8, (gfp << 40) | __GFP_ZERO);
}

/* = unknown */
void *divides(gfp_t gfp)
{
	return take(8, (gfp / (gfp & __GFP_DMA)) | __GFP_ZERO);
}

/* = all but IO FS */
void *behind_label(gfp_t gfp)
{
	void *found;

again:
	found = take(8, gfp);
	if (!found) {
		gfp &= ~(__GFP_IO | __GFP_FS);
		goto again;
	}
	return found;
}

/* = all but NOWARN, force NOWARN
 * = all but NOWARN DIRECT_RECLAIM, force NOWARN */
void *second_attempt(gfp_t gfp)
{
	void *found;

	gfp |= __GFP_NOWARN;
	found = take(8, gfp);
	if (!found)
		found = take(8, gfp & ~__GFP_DIRECT_RECLAIM);
	return found;
}

/* = all but FS
 * = all but IO */
void *address_taken(gfp_t gfp)
{
	gfp &= ~__GFP_FS;
	through_pointer(&gfp);
	gfp &= ~__GFP_IO;
	return take(8, gfp);
}

/* = all but NOFAIL */
void *inner_scope(gfp_t gfp)
{
	if (ready()) {
		gfp_t gfp = GFP_KERNEL;

		take(8, gfp);
	}
	return take(8, gfp & ~__GFP_NOFAIL);
}

/* = all but NOWARN, force NOWARN
 * = all but ZERO, force ZERO */
void *preprocessor(gfp_t gfp)
{
#ifdef CONFIG_QUIET
	gfp |= __GFP_NOWARN;
#else
	gfp |= __GFP_ZERO;
#endif
	return take(8, gfp);
}

/* = keep HIGH, force NOWARN */
void *plain_arithmetic(gfp_t gfp)
{
	return take(8, (gfp & ___GFP_HIGH) + __GFP_NOWARN);
}

/* = all but DIRECT_RECLAIM, force NOWARN */
void *one_long_statement(gfp_t gfp)
{
	return take(8,
		    (gfp &
		     ~(__GFP_DIRECT_RECLAIM)) |
		    __GFP_NOWARN);
}

/* = all but COMP */
static __always_inline void *__must_check annotated(gfp_t gfp)
{
	return take(8, unlikely(ready()) ? gfp : gfp & ~__GFP_COMP);
}

/* = all but ZERO, force ZERO
 * = all but ZERO, force ZERO */
void *two_arguments(gfp_t gfp)
{
	void *first = take(8, gfp | __GFP_ZERO);

	return first ? first : take(16, gfp | __GFP_ZERO);
}

/* = all but NORETRY, force NORETRY */
void *comma(gfp_t gfp)
{
	void *found;

	return (found = take(8, gfp)) ? found : take(8, (ready(), gfp | __GFP_NORETRY));
}

/* = all but IO
 * = all but FS */
void *chained(gfp_t gfp)
{
	gfp_t one, two;

	one = gfp & ~__GFP_IO;
	two = gfp & ~__GFP_FS;
	return take((unsigned long)take(8, one), two);
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS, force NOWARN */
void *across_other_statements(gfp_t gfp, int *count)
{
	gfp &= RECORD_KEEP;
	*count += 1;
	if (ready())
		*count += 2;
	gfp |= __GFP_NOWARN;
	return take(8, gfp);
}

/* = all but NOWARN, force NOWARN */
void *statement_expression(gfp_t gfp)
{
	return ({ void *inner = take(8, gfp | __GFP_NOWARN); inner; });
}

/* = all but ACCOUNT, force ACCOUNT */
void *flag_variable(unsigned int gfp_flags)
{
	gfp_flags |= __GFP_ACCOUNT;
	return take(8, gfp_flags);
}

/* = all but DIRECT_RECLAIM KSWAPD_RECLAIM, force HIGH */
gfp_t returned_by_branches(gfp_t gfp)
{
	if (ready())
		return gfp;
	return (gfp & ~__GFP_RECLAIM) | __GFP_HIGH;
}

/* = keep DIRECT_RECLAIM KSWAPD_RECLAIM IO FS, force NOWARN */
void *statement_macro(gfp_t gfp)
{
	SANITISE(gfp);
	return take(8, gfp);
}

/* = all but IO
 * = all but FS */
static gfp_t helper_of_branches(gfp_t gfp)
{
	if (ready())
		return gfp & ~__GFP_IO;
	return gfp & ~__GFP_FS;
}

/* = unknown */
void *via_helper_of_branches(gfp_t gfp)
{
	return take(8, helper_of_branches(gfp));
}

/* = all but MEMALLOC */
void *in_for(gfp_t gfp)
{
	for (gfp_t local = gfp & ~__GFP_MEMALLOC; ready();)
		take(8, local);
	return NULL;
}

/* = all but THISNODE */
void *element(struct request *requests, int n)
{
	requests[n].gfp &= ~__GFP_THISNODE;
	return take_request(&requests[n]);
}

/* = all but RETRY_MAYFAIL, force NORETRY */
void *commented(gfp_t gfp)
{
	return take(8, (gfp & ~__GFP_RETRY_MAYFAIL) /* no { brace */ | __GFP_NORETRY); // nor ( this
}

/* = all but NOWARN, force NOWARN
 * = all but THISNODE */
void *member_given_away(struct request *request)
{
	void *found;

	request->gfp |= __GFP_NOWARN;
	found = take_request(request);
	request->gfp &= ~__GFP_THISNODE;
	return found ? found : take_request(request);
}

/* = all but NOWARN ZERO, force NOWARN ZERO */
void *member_kept(struct request *request)
{
	request->gfp_mask |= __GFP_NOWARN;
	request->order = 0;
	if (ready())
		request->order = 1;
	request->gfp_mask |= __GFP_ZERO;
	return take_request(request);
}

/* = all but IO
 * = all but FS */
void *address_kept(gfp_t gfp)
{
	gfp_t *kept = &gfp;

	gfp &= ~__GFP_IO;
	*kept = GFP_ATOMIC;
	gfp &= ~__GFP_FS;
	return take(8, gfp);
}

#define GFP_NOFS	__GFP_DMA

/* = unknown */
void *redefined_composite(gfp_t gfp)
{
	return take(8, gfp & GFP_NOFS);
}

/* = keep DMA HIGHMEM DMA32 MOVABLE RECLAIMABLE HIGH IO FS */
void *narrow_variable(gfp_t gfp)
{
	u8 low = gfp & ~__GFP_ZERO;

	return take(8, low);
}

#define WITH_IO(gfp, wanted)	((gfp) | ((wanted) ? __GFP_IO : 0))

/* = all but IO, force IO */
void *macro_of_two(gfp_t gfp)
{
	return take(8, WITH_IO(gfp, 1));
}

/* = all but FS */
void *constant_choice(gfp_t gfp)
{
	return take(8, gfp & (__GFP_IO ? ~__GFP_FS : ~__GFP_IO));
}

/* = all but ZERO, force ZERO
 * = all but ZERO */
void *elements(gfp_t gfp)
{
	const gfp_t both[] = { gfp | __GFP_ZERO, gfp & ~__GFP_ZERO };

	return take((unsigned long)take(8, both[0]), both[1]);
}

/* = unknown */
void *macro_of_another_file(gfp_t gfp)
{
	return take(8, ELSEWHERE(gfp));
}
