/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sweep.h - compare a helper with what is expected of it, input by input.
 *
 * Every input is given to the helper and the answer (value, bug, warned) is
 * compared with the expected one. The work goes in blocks: a short loop that
 * the compiler inlines the helper into and vectorises, and which only counts
 * the inputs that agree. A block where all agree is done; any other one is
 * gone through again, input by input, for its witnesses. A sweep starts at a
 * multiple of the block and covers whole blocks: the loop has a fixed length.
 *
 * An expectation is (input & keep) | force for a helper that returns gfp_t,
 * and a table over a few input bits for every other. An expected event is 1
 * for BUG, after which neither the value nor a warning means anything, and 2
 * for a warning.
 */
#ifndef PYGFP_SWEEP_H
#define PYGFP_SWEEP_H

#ifndef PYGFP_CLONES
#define PYGFP_CLONES
#endif

#ifdef PYGFP_WITH_LOOPS
#include "native/loops.h"
#define PYGFP_LOOPS (&pygfp_loops)
#else
#define PYGFP_LOOPS 0
#endif

/* The helper itself, as (value, bug, warned) for each of some inputs; expression calls it with pygfp_x. */
#define PYGFP_DEFINE_CALL(id, type, expression, gfp_type) \
static inline type pygfp_eval_##id(const gfp_type pygfp_x) \
{ \
	return expression; \
} \
static void pygfp_call_##id(const u64 *inputs, u32 count, u32 ungrouped, \
			     struct pygfp_result *results) \
{ \
	pygfp_ungrouped = ungrouped; \
	for (u32 i = 0; i < count; i++) { \
		u64 x = inputs[i]; \
\
		/* One by one: vectorising this would cost more to compile than it saves. */ \
		__asm__("" : "+r"(x)); \
		pygfp_bug = pygfp_warned = 0; \
		results[i].value = pygfp_eval_##id((gfp_type)x) & PYGFP_MASK(id); \
		results[i].bug = pygfp_bug; \
		results[i].warned = pygfp_warned; \
	} \
}

#define PYGFP_BYTES(id) ((u32)sizeof(pygfp_eval_##id(0)))
#define PYGFP_MASK(id) (~0ULL >> (64 - 8 * PYGFP_BYTES(id)))
#define PYGFP_SIGNED(id) ((__typeof__(pygfp_eval_##id(0)))-1 < (__typeof__(pygfp_eval_##id(0)))1)

#define PYGFP_DEFINE_FILTER(id, type, expression, gfp_type) \
PYGFP_DEFINE_CALL(id, type, expression, gfp_type) \
PYGFP_CLONES static u32 pygfp_agree_##id(u64 base, u64 keep_bits, u64 force_bits) \
{ \
	const gfp_type keep = (gfp_type)keep_bits, force = (gfp_type)force_bits; \
	u32 same = 0; \
\
	for (u32 i = 0; i < PYGFP_BLOCK; i++) { \
		const gfp_type x = (gfp_type)base + i; \
\
		pygfp_bug = pygfp_warned = 0; \
		const gfp_type seen = pygfp_eval_##id(x); \
\
		same += (seen == ((x & keep) | force)) & !(pygfp_bug | pygfp_warned); \
	} \
	return same; \
} \
static void pygfp_run_##id(u64 base, u64 count, const struct pygfp_expect *expect, \
			   struct pygfp_tally *tally, const struct pygfp_loops *loops) \
{ \
	pygfp_ungrouped = expect->ungrouped; \
	loops->filter(base, count, PYGFP_MASK(id), expect, tally, \
			   pygfp_agree_##id, pygfp_call_##id); \
}

#define PYGFP_DEFINE_TABLE(id, type, expression, gfp_type, bits) \
PYGFP_DEFINE_CALL(id, type, expression, gfp_type) \
PYGFP_CLONES static u32 pygfp_agree_##id(u64 base, const void *values, const u32 *events) \
{ \
	const u##bits *const value = values; \
	u32 same = 0; \
\
	for (u32 i = 0; i < PYGFP_BLOCK; i++) { \
		pygfp_bug = pygfp_warned = 0; \
		const u##bits seen = (u##bits)pygfp_eval_##id((gfp_type)base + i) & \
				     (u##bits)PYGFP_MASK(id); \
		/* Both are 0 or 1. Arithmetic, since a choice would cost a blend in each lane. */ \
		const u32 bug = pygfp_bug, event = (pygfp_warned << 1 & (bug - 1)) | bug; \
\
		same += ((seen & ((u##bits)bug - 1)) == value[i]) & (event == events[i]); \
	} \
	return same; \
} \
static void pygfp_run_##id(u64 base, u64 count, const struct pygfp_expect *expect, \
			   struct pygfp_tally *tally, const struct pygfp_loops *loops) \
{ \
	pygfp_ungrouped = expect->ungrouped; \
	loops->table##bits(base, count, PYGFP_MASK(id), expect, tally, \
				pygfp_agree_##id, pygfp_call_##id); \
}

#define PYGFP_HELPER(id, label) \
	{ label, PYGFP_BYTES(id), PYGFP_SIGNED(id), pygfp_call_##id, pygfp_run_##id }

#endif
