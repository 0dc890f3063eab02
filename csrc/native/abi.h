/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi.h - what a compiled unit shows to Python. build_ffi.py and the loader
 * give the part between the two markers to cffi as it stands, so there is one
 * text for both sides; the assertions below pin its layout.
 */
#ifndef PYGFP_ABI_H
#define PYGFP_ABI_H

/* cffi begin */
struct pygfp_result {
	unsigned long long value;
	unsigned int bug;
	unsigned int warned;
};

struct pygfp_expect {
	unsigned long long keep;
	unsigned long long force;
	unsigned int ungrouped;
	unsigned int n_index;
	unsigned int index_bit[16];
	const unsigned long long *values;
	const unsigned int *events;
};

struct pygfp_tally {
	unsigned long long inputs;
	unsigned long long mismatches;
	unsigned long long first;
	unsigned long long smallest;
};

struct pygfp_law {
	unsigned long long gained;
	unsigned long long lost;
	unsigned long long set;
	unsigned long long clear;
	unsigned long long any[4];
	unsigned long long all[4];
	unsigned int idempotent;
	unsigned int unused;
};

struct pygfp_match {
	unsigned int n_inputs;
	unsigned int n_results;
	unsigned int n_renamed;
	unsigned int is_filter;
	unsigned char old_input[64];
	unsigned char new_input[64];
	unsigned char old_result[64];
	unsigned char new_result[64];
	const unsigned long long *renamed;
};

struct pygfp_constant {
	const char *name;
	unsigned long long value;
	unsigned int bytes;
	unsigned int is_gfp_t;
};

struct pygfp_helper;

typedef void (*pygfp_call_fn)(const unsigned long long *inputs,
			      unsigned int count, unsigned int ungrouped,
			      struct pygfp_result *results);
typedef unsigned int (*pygfp_filter_fn)(unsigned long long base,
					unsigned long long keep,
					unsigned long long force);
typedef unsigned int (*pygfp_table_fn)(unsigned long long base,
				       const void *values,
				       const unsigned int *events);

struct pygfp_loops {
	void (*filter)(unsigned long long base, unsigned long long count,
		       unsigned long long mask,
		       const struct pygfp_expect *expect,
		       struct pygfp_tally *tally,
		       pygfp_filter_fn agreeing, pygfp_call_fn call);
	void (*table32)(unsigned long long base, unsigned long long count,
			unsigned long long mask,
			const struct pygfp_expect *expect,
			struct pygfp_tally *tally,
			pygfp_table_fn agreeing, pygfp_call_fn call);
	void (*table64)(unsigned long long base, unsigned long long count,
			unsigned long long mask,
			const struct pygfp_expect *expect,
			struct pygfp_tally *tally,
			pygfp_table_fn agreeing, pygfp_call_fn call);
	void (*judge)(const struct pygfp_helper *helper,
		      unsigned long long base, unsigned long long count,
		      const struct pygfp_law *laws, unsigned int n_laws,
		      struct pygfp_tally *tallies);
	void (*versus)(const struct pygfp_helper *before,
		       const struct pygfp_helper *after,
		       unsigned long long base, unsigned long long count,
		       const struct pygfp_match *match, unsigned int ungrouped,
		       struct pygfp_tally *tallies);
};

struct pygfp_helper {
	const char *name;
	unsigned int result_bytes;
	unsigned int is_signed;
	pygfp_call_fn call;
	void (*sweep)(unsigned long long base, unsigned long long count,
		      const struct pygfp_expect *expect,
		      struct pygfp_tally *tally,
		      const struct pygfp_loops *loops);
};

struct pygfp_segment {
	unsigned int index;
	unsigned int gfp_t_bytes;
	unsigned int gfp_t_signed;
	unsigned int unused;
	unsigned int n_constants;
	unsigned int n_helpers;
	const struct pygfp_constant *constants;
	const struct pygfp_helper *helpers;
};

struct pygfp_table {
	unsigned int abi;
	unsigned int n_segments;
	const struct pygfp_segment *segments;
	const struct pygfp_loops *loops;
};
/* cffi end */

#define PYGFP_ABI 4

/* How many inputs a sweep's short loop compares: a fixed length. */
#define PYGFP_BLOCK_BITS 11
#define PYGFP_BLOCK (1u << PYGFP_BLOCK_BITS)

#define PYGFP_AT(type, member, offset) \
	_Static_assert(__builtin_offsetof(struct type, member) == (offset), \
		       "struct " #type ": " #member)
#define PYGFP_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), "struct " #type)

_Static_assert(sizeof(void *) == 8 && sizeof(int) == 4 && sizeof(long long) == 8,
	       "pygfp runs on 64-bit machines");
PYGFP_SIZE(pygfp_result, 16);
PYGFP_AT(pygfp_expect, index_bit, 24);
PYGFP_AT(pygfp_expect, values, 88);
PYGFP_SIZE(pygfp_expect, 104);
PYGFP_SIZE(pygfp_tally, 32);
PYGFP_AT(pygfp_constant, bytes, 16);
PYGFP_SIZE(pygfp_constant, 24);
PYGFP_AT(pygfp_helper, call, 16);
PYGFP_SIZE(pygfp_helper, 32);
PYGFP_AT(pygfp_segment, constants, 24);
PYGFP_SIZE(pygfp_segment, 40);
PYGFP_SIZE(pygfp_law, 104);
PYGFP_AT(pygfp_match, renamed, 272);
PYGFP_SIZE(pygfp_match, 280);
PYGFP_AT(pygfp_loops, judge, 24);
PYGFP_SIZE(pygfp_loops, 40);
PYGFP_AT(pygfp_table, loops, 16);
PYGFP_SIZE(pygfp_table, 24);

#endif
