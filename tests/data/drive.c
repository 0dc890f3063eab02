// SPDX-License-Identifier: GPL-2.0-only
/*
 * drive.c - runs the sweeps of one compiled unit in a program of its own, so
 * that sanitizers can be built in, which a worker with its limits cannot load.
 *
 * A request on stdin is words and numbers, see tests/sanitize.py; an answer is
 * a line of four numbers for each tally.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/abi.h"

extern const struct pygfp_table pygfp_table;

static unsigned long long number(void)
{
	unsigned long long value;

	if (scanf("%llu", &value) != 1) {
		fprintf(stderr, "drive: a number is missing\n");
		exit(2);
	}
	return value;
}

static const struct pygfp_helper *helper(void)
{
	const unsigned long long index = number();
	char name[128];

	if (scanf("%127s", name) != 1)
		exit(2);
	for (unsigned int s = 0; s < pygfp_table.n_segments; s++) {
		const struct pygfp_segment *segment = &pygfp_table.segments[s];

		for (unsigned int h = 0; segment->index == index && h < segment->n_helpers; h++)
			if (!strcmp(segment->helpers[h].name, name))
				return &segment->helpers[h];
	}
	fprintf(stderr, "drive: no %s in segment %llu\n", name, index);
	exit(2);
}

/* Exactly as long as it has to be: one too far is seen. */
static unsigned long long *numbers(size_t n)
{
	unsigned long long *values = malloc(n * sizeof(*values));

	for (size_t i = 0; i < n; i++)
		values[i] = number();
	return values;
}

static void show(const struct pygfp_tally *tally, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%llu %llu %llu %llu\n", tally[i].inputs, tally[i].mismatches, tally[i].first,
		       tally[i].smallest);
	fflush(stdout);
}

static void sweep(void)
{
	const struct pygfp_helper *what = helper();
	struct pygfp_expect expect = { 0 };
	struct pygfp_tally tally = { 0 };
	unsigned long long base = number(), count = number();

	expect.ungrouped = (unsigned int)number();
	expect.keep = number();
	expect.force = number();
	expect.n_index = (unsigned int)number();
	for (unsigned int i = 0; i < expect.n_index; i++)
		expect.index_bit[i] = (unsigned int)number();
	const size_t n_rows = number();
	unsigned long long *values = numbers(n_rows);
	unsigned int *events = malloc(n_rows * sizeof(*events));

	for (size_t i = 0; i < n_rows; i++)
		events[i] = (unsigned int)number();
	expect.values = values;
	expect.events = events;
	what->sweep(base, count, &expect, &tally, pygfp_table.loops);
	show(&tally, 1);
	free(values);
	free(events);
}

static void judge(void)
{
	const struct pygfp_helper *what = helper();
	unsigned long long base = number(), count = number();
	struct pygfp_tally tally = { 0 };
	struct pygfp_law law = { 0 };

	law.gained = number();
	law.lost = number();
	law.set = number();
	law.clear = number();
	for (int i = 0; i < 4; i++)
		law.any[i] = number();
	for (int i = 0; i < 4; i++)
		law.all[i] = number();
	law.idempotent = (unsigned int)number();
	pygfp_table.loops->judge(what, base, count, &law, 1, &tally);
	show(&tally, 1);
}

/* A helper against another one, bit by bit as they stand. */
static void versus(void)
{
	const struct pygfp_helper *before = helper(), *after = helper();
	unsigned long long base = number(), count = number();
	struct pygfp_tally tallies[3] = { 0 };
	struct pygfp_match match = { 0 };

	match.n_inputs = (unsigned int)number();
	match.is_filter = (unsigned int)number();
	match.n_results = match.is_filter ? 8 * before->result_bytes : 0;
	for (unsigned int i = 0; i < 64; i++)
		match.old_input[i] = match.new_input[i] = match.old_result[i] = match.new_result[i] = (unsigned char)i;
	pygfp_table.loops->versus(before, after, base, count, &match, 0, tallies);
	show(tallies, 3);
}

int main(void)
{
	char what[16];

	while (scanf("%15s", what) == 1) {
		if (!strcmp(what, "sweep"))
			sweep();
		else if (!strcmp(what, "judge"))
			judge();
		else if (!strcmp(what, "versus"))
			versus();
		else
			return 2;
	}
	return 0;
}
