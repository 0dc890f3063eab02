/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loops.h - a sweep, block by block, and the search for its witnesses.
 *
 * They know a helper by the functions that its unit made for it, so that one
 * copy serves all objects, as that of judge.h does.
 */
#ifndef PYGFP_LOOPS_H
#define PYGFP_LOOPS_H

/* Specialised copies would cost more to compile than they save. */
#ifdef __clang__
#define PYGFP_SHARED __attribute__((noinline, unused))
#else
#define PYGFP_SHARED __attribute__((noipa, unused, optimize("O2", "no-tree-vectorize")))
#endif

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

static const struct pygfp_loops pygfp_loops = {
	pygfp_sweep_filter, pygfp_sweep_table32, pygfp_sweep_table64
};

#endif
