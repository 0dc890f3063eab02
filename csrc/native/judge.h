/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - judge a filter by laws, and a helper against itself after an edit.
 *
 * Both go by the function that a helper shows for calling it, so that one copy
 * serves all objects, whoever compiled them.
 */
#ifndef PYGFP_JUDGE_H
#define PYGFP_JUDGE_H

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

#endif
