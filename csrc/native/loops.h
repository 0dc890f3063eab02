/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loops.h - what goes through the inputs, whatever the helper: sweeps block by
 * block, witnesses, laws, and two builds side by side. It knows a helper by its
 * functions only, so one compiled copy serves every header (loops.c); an object
 * that must stand by itself includes it (PYGFP_WITH_LOOPS).
 */
#ifndef PYGFP_LOOPS_H
#define PYGFP_LOOPS_H

#ifndef PYGFP_CLONES
#define PYGFP_CLONES
#endif

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

/*
 * Laws of a filter: bits that the output must not gain or lose against the
 * input, bits that it must or must not have, masks of which any or all bits
 * must be there as before. For a helper that has no form from which the laws
 * could be read: a block of its outputs is laid out, and held against each law.
 */
struct pygfp_outputs {
	u64 once[PYGFP_BLOCK];
	u64 twice[PYGFP_BLOCK];
	u8 bug[PYGFP_BLOCK];
	u8 broken[PYGFP_BLOCK];
	/* Bits that any output of the block has gained, lost, not set, set, and changed when it is filtered again. */
	u64 gained, lost, unset, set, unstable, bugs;
};

PYGFP_CLONES static void pygfp_lay_out(const struct pygfp_helper *helper, u64 base, struct pygfp_outputs *out)
{
	u64 inputs[PYGFP_BLOCK], gained = 0, lost = 0, unset = 0, set = 0, unstable = 0, bugs = 0;
	struct pygfp_result once[PYGFP_BLOCK], twice[PYGFP_BLOCK];

	for (u32 i = 0; i < PYGFP_BLOCK; i++)
		inputs[i] = base + i;
	helper->call(inputs, PYGFP_BLOCK, 0, once);
	for (u32 i = 0; i < PYGFP_BLOCK; i++)
		out->once[i] = once[i].value;
	helper->call(out->once, PYGFP_BLOCK, 0, twice);
	for (u32 i = 0; i < PYGFP_BLOCK; i++) {
		const u64 x = base + i, y = out->once[i];

		out->twice[i] = twice[i].value;
		out->bug[i] = once[i].bug != 0;
		gained |= y & ~x;
		lost |= x & ~y;
		unset |= ~y;
		set |= y;
		unstable |= y ^ out->twice[i];
		bugs |= out->bug[i];
	}
	out->gained = gained;
	out->lost = lost;
	out->unset = unset;
	out->set = set;
	out->unstable = unstable;
	out->bugs = bugs;
}

/* Whether any output of a block can break a law: most blocks keep most laws. */
static inline bool pygfp_may_break(const struct pygfp_law *law, const struct pygfp_outputs *out)
{
	u64 found = (out->gained & law->gained) | (out->lost & law->lost) |
		    (out->unset & law->set) | (out->set & law->clear) | out->bugs;

	if (law->idempotent)
		found |= out->unstable;
	for (int n = 0; n < 4; n++)
		found |= (out->gained | out->lost) & (law->any[n] | law->all[n]);
	return found;
}

static inline void pygfp_class_breaks(u64 base, const struct pygfp_law *law, struct pygfp_outputs *out)
{
	for (int n = 0; n < 4; n++) {
		const u64 any = law->any[n], all = law->all[n];

		for (u32 i = 0; (any || all) && i < PYGFP_BLOCK; i++) {
			const u64 x = base + i, y = out->once[i];

			out->broken[i] |= !(x & any) != !(y & any);
			out->broken[i] |= ((x & all) == all) != ((y & all) == all);
		}
	}
}

/* How many inputs of a block break a law; which ones is in out->broken. */
static inline u32 pygfp_breaks(u64 base, const struct pygfp_law *law, struct pygfp_outputs *out)
{
	const u64 unstable = law->idempotent ? ~0ULL : 0;
	u32 count = 0;

	for (u32 i = 0; i < PYGFP_BLOCK; i++) {
		const u64 x = base + i, y = out->once[i];
		const u64 wrong = (y & ~x & law->gained) | (x & ~y & law->lost) | (~y & law->set) |
				  (y & law->clear) | ((y ^ out->twice[i]) & unstable);

		out->broken[i] = (wrong != 0) | out->bug[i];
	}
	pygfp_class_breaks(base, law, out);
	for (u32 i = 0; i < PYGFP_BLOCK; i++)
		count += out->broken[i];
	return count;
}

static inline void pygfp_law_witness(u64 base, const u8 *broken, struct pygfp_tally *tally)
{
	bool found = tally->mismatches;

	/* Blocks come in rising order: the first witness is the lowest. */
	if (found && __builtin_popcountll(base) >= __builtin_popcountll(tally->smallest))
		return;
	for (u32 i = 0; i < PYGFP_BLOCK; i++) {
		if (!broken[i])
			continue;
		if (!found)
			tally->first = base + i;
		if (!found || __builtin_popcountll(base + i) < __builtin_popcountll(tally->smallest))
			tally->smallest = base + i;
		found = true;
	}
}

PYGFP_CLONES static void pygfp_judge(const struct pygfp_helper *helper, u64 base, u64 count,
				   const struct pygfp_law *laws, u32 n_laws,
				   struct pygfp_tally *tallies)
{
	struct pygfp_outputs out;

	for (u64 at = base; at < base + count; at += PYGFP_BLOCK) {
		pygfp_lay_out(helper, at, &out);
		for (u32 n = 0; n < n_laws; n++) {
			const u32 broken = pygfp_may_break(&laws[n], &out) ? pygfp_breaks(at, &laws[n], &out) : 0;

			if (broken)
				pygfp_law_witness(at, out.broken, &tallies[n]);
			tallies[n].mismatches += broken;
			tallies[n].inputs += PYGFP_BLOCK;
		}
	}
}

/*
 * A helper before and after an edit. Inputs are numbered by the bits that both
 * sides have: bit i of the number is bit old_input[i] of the one input and bit
 * new_input[i] of the other. Results are masks, which are matched bit by bit
 * likewise (a bit that only one side has must not be set), or numbers, of which
 * the first few are renamed. Three tallies: values, BUG, warnings.
 */
static inline u64 pygfp_spread(u64 number, const u8 *bits, u32 n)
{
	u64 out = 0;

	for (u32 i = 0; i < n; i++)
		out |= (number >> i & 1) << bits[i];
	return out;
}

/* The bits of results that are masks: those of either side, and those that stand where they stood. */
struct pygfp_bits {
	u64 old, new, still;
};

static struct pygfp_bits pygfp_result_bits(const struct pygfp_match *match)
{
	struct pygfp_bits bits = { 0, 0, 0 };

	for (u32 i = 0; i < match->n_results; i++) {
		bits.old |= 1ULL << match->old_result[i];
		bits.new |= 1ULL << match->new_result[i];
		if (match->old_result[i] == match->new_result[i])
			bits.still |= 1ULL << match->old_result[i];
	}
	return bits;
}

static inline bool pygfp_same(u64 before, u64 after, const struct pygfp_match *match, const struct pygfp_bits *bits)
{
	if (!match->is_filter)
		return (before < match->n_renamed ? match->renamed[before] : before) == after;
	if (((before ^ after) & bits->still) || (before & ~bits->old) || (after & ~bits->new))
		return false;
	/* Most bits stand still: only what has moved is looked at one by one. */
	if (!((before | after) & ~bits->still))
		return true;
	for (u32 i = 0; i < match->n_results; i++)
		if (!(before >> match->old_result[i] & 1) != !(after >> match->new_result[i] & 1))
			return false;
	return true;
}

static inline void pygfp_count(struct pygfp_tally *tally, u64 number, bool differs)
{
	tally->inputs++;
	if (!differs)
		return;
	/* Numbers rise: the first one found is the lowest. */
	if (!tally->mismatches++)
		tally->first = tally->smallest = number;
	else if (__builtin_popcountll(number) < __builtin_popcountll(tally->smallest))
		tally->smallest = number;
}

PYGFP_CLONES static void pygfp_versus(const struct pygfp_helper *before, const struct pygfp_helper *after,
				    u64 base, u64 count, const struct pygfp_match *match,
				    u32 ungrouped, struct pygfp_tally *tallies)
{
	u64 low_old[PYGFP_BLOCK], low_new[PYGFP_BLOCK], old[PYGFP_BLOCK], new[PYGFP_BLOCK];
	struct pygfp_result was[PYGFP_BLOCK], is[PYGFP_BLOCK];
	const struct pygfp_bits bits = pygfp_result_bits(match);
	u64 last_before = 0, last_after = 0;
	bool known = false, same = false;

	for (u32 i = 0; i < PYGFP_BLOCK; i++) {
		low_old[i] = pygfp_spread(i, match->old_input, match->n_inputs);
		low_new[i] = pygfp_spread(i, match->new_input, match->n_inputs);
	}
	for (u64 number = base, n; number < base + count; number += n) {
		const u64 low = number & (PYGFP_BLOCK - 1), left = base + count - number;
		const u64 high_old = pygfp_spread(number - low, match->old_input, match->n_inputs);
		const u64 high_new = pygfp_spread(number - low, match->new_input, match->n_inputs);

		n = left < PYGFP_BLOCK - low ? left : PYGFP_BLOCK - low;
		for (u32 i = 0; i < n; i++) {
			old[i] = high_old | low_old[low + i];
			new[i] = high_new | low_new[low + i];
		}
		before->call(old, n, ungrouped, was);
		after->call(new, n, ungrouped, is);
		for (u32 i = 0; i < n; i++) {
			/* Neighbours often answer alike. */
			if (!known || was[i].value != last_before || is[i].value != last_after)
				same = pygfp_same(was[i].value, is[i].value, match, &bits);
			known = true;
			last_before = was[i].value;
			last_after = is[i].value;
			pygfp_count(&tallies[0], number + i, !was[i].bug && !is[i].bug && !same);
			pygfp_count(&tallies[1], number + i, !was[i].bug != !is[i].bug);
			pygfp_count(&tallies[2], number + i, !was[i].bug && !is[i].bug && was[i].warned != is[i].warned);
		}
	}
}

static const struct pygfp_loops pygfp_loops = {
	pygfp_sweep_filter, pygfp_sweep_table32, pygfp_sweep_table64,
	pygfp_judge, pygfp_versus
};

#endif
