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

#define PYGFP_BLOCK_BITS 11
#define PYGFP_BLOCK (1u << PYGFP_BLOCK_BITS)

#ifndef PYGFP_CLONES
#define PYGFP_CLONES
#endif

/* One copy for all helpers: specialised copies would cost more to compile than they save. */
#ifdef __clang__
#define PYGFP_SHARED __attribute__((noinline, unused))
#else
#define PYGFP_SHARED __attribute__((noipa, unused, optimize("O2", "no-tree-vectorize")))
#endif

typedef void (*pygfp_call_fn)(const u64 *inputs, u32 count, u32 ungrouped,
			      struct pygfp_result *results);
typedef u32 (*pygfp_filter_fn)(u64 base, u64 keep, u64 force);
typedef u32 (*pygfp_table_fn)(u64 base, const void *values,
			      const u32 *events);

static inline u32 pygfp_index(u64 input, const struct pygfp_expect *expect)
{
	u32 index = 0;

	for (u32 i = 0; i < expect->n_index; i++)
		index |= (u32)(input >> expect->index_bit[i] & 1) << i;
	return index;
}

static inline bool pygfp_agrees(u64 input, u64 mask, bool is_filter,
			 const struct pygfp_expect *expect, pygfp_call_fn call)
{
	struct pygfp_result seen;
	u64 value = (input & expect->keep) | expect->force;
	u32 event = 0;

	if (!is_filter) {
		const u32 index = pygfp_index(input, expect);

		value = expect->values[index];
		event = expect->events[index];
	}
	call(&input, 1, expect->ungrouped, &seen);
	if (seen.bug || event == 1)
		return seen.bug && event == 1;
	return seen.value == (value & mask) && seen.warned << 1 == event;
}

/* The witnesses of a block that is known to hold a mismatch. */
PYGFP_SHARED static void pygfp_witness(u64 base, u64 mask, bool is_filter,
			  const struct pygfp_expect *expect,
			  struct pygfp_tally *tally, pygfp_call_fn call)
{
	bool found = tally->mismatches;
	int fewest = found ? __builtin_popcountll(tally->smallest) : 65;

	/* Every input of an aligned block has the bits of its base at least. */
	if (found && base > tally->first && __builtin_popcountll(base) > fewest)
		return;
	for (u64 x = base; x < base + PYGFP_BLOCK; x++) {
		const int bits = __builtin_popcountll(x);
		const bool lower = !found || x < tally->first;
		const bool smaller = bits < fewest || (bits == fewest && x < tally->smallest);

		if ((!lower && !smaller) || pygfp_agrees(x, mask, is_filter, expect, call))
			continue;
		found = true;
		if (lower)
			tally->first = x;
		if (smaller) {
			fewest = bits;
			tally->smallest = x;
		}
	}
}

PYGFP_SHARED static void pygfp_sweep_filter(u64 base, u64 count, u64 mask,
			       const struct pygfp_expect *expect,
			       struct pygfp_tally *tally,
			       pygfp_filter_fn agreeing, pygfp_call_fn call)
{
	for (u64 done = 0; done < count; done += PYGFP_BLOCK) {
		const u32 same = agreeing(base + done, expect->keep, expect->force);

		if (same != PYGFP_BLOCK) {
			pygfp_witness(base + done, mask, true, expect, tally, call);
			tally->mismatches += PYGFP_BLOCK - same;
		}
		tally->inputs += PYGFP_BLOCK;
	}
}

/*
 * Blocks that agree in the index bits above a block have the same expected
 * answers. These are laid out once, and compared with all such blocks in turn.
 */
#define PYGFP_DEFINE_SWEEP_TABLE(bits, type) \
PYGFP_SHARED static void pygfp_sweep_table##bits(u64 base, u64 count, u64 mask, \
				    const struct pygfp_expect *expect, \
				    struct pygfp_tally *tally, \
				    pygfp_table_fn agreeing, pygfp_call_fn call) \
{ \
	type values[PYGFP_BLOCK]; \
	u32 events[PYGFP_BLOCK]; \
	u64 high_bits = 0, high = 0; \
\
	for (u32 i = 0; i < expect->n_index; i++) \
		high_bits |= 1ULL << expect->index_bit[i]; \
	high_bits &= ~(u64)(PYGFP_BLOCK - 1); \
	do { \
		bool laid_out = false; \
\
		for (u64 at = base; at < base + count; at += PYGFP_BLOCK) { \
			if ((at & high_bits) != high) \
				continue; \
			for (u32 i = 0; !laid_out && i < PYGFP_BLOCK; i++) { \
				const u32 index = pygfp_index(at + i, expect); \
\
				events[i] = expect->events[index]; \
				values[i] = events[i] == 1 ? 0 : (type)expect->values[index]; \
			} \
			laid_out = true; \
			const u32 same = agreeing(at, values, events); \
\
			if (same != PYGFP_BLOCK) { \
				pygfp_witness(at, mask, false, expect, tally, call); \
				tally->mismatches += PYGFP_BLOCK - same; \
			} \
			tally->inputs += PYGFP_BLOCK; \
		} \
		high = (high - high_bits) & high_bits; \
	} while (high); \
}

PYGFP_DEFINE_SWEEP_TABLE(32, u32)
PYGFP_DEFINE_SWEEP_TABLE(64, u64)

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
			   struct pygfp_tally *tally) \
{ \
	pygfp_ungrouped = expect->ungrouped; \
	pygfp_sweep_filter(base, count, PYGFP_MASK(id), expect, tally, \
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
		const u32 bug = pygfp_bug, event = bug ? 1 : pygfp_warned << 1; \
\
		same += ((bug ? 0 : seen) == value[i]) & (event == events[i]); \
	} \
	return same; \
} \
static void pygfp_run_##id(u64 base, u64 count, const struct pygfp_expect *expect, \
			   struct pygfp_tally *tally) \
{ \
	pygfp_ungrouped = expect->ungrouped; \
	pygfp_sweep_table##bits(base, count, PYGFP_MASK(id), expect, tally, \
				pygfp_agree_##id, pygfp_call_##id); \
}

#define PYGFP_HELPER(id, label) \
	{ label, PYGFP_BYTES(id), PYGFP_SIGNED(id), pygfp_call_##id, pygfp_run_##id }

#define PYGFP_CONSTANT(label, gfp_type, expression) \
	{ label, (u64)(expression), (u32)sizeof(expression), \
	  __builtin_types_compatible_p(__typeof__(expression), gfp_type) }

/* What is the same for every helper is compiled once, into the module of the bundled subset. */
#ifdef PYGFP_WITH_JUDGE
#include "native/judge.h"
#else
#define pygfp_judge 0
#define pygfp_versus 0
#endif

#endif
