/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls a helper of two shared objects on every input of so many bits, with
 * grouping by mobility on and off, and prints the first input for which they
 * do not do the same. Exits with 1 there, with 9 where it could not compare.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned long long u64;
typedef void (*helper)(unsigned int, unsigned int, u64 *);

static helper of(const char *object, const char *name)
{
	void *handle = dlopen(object, RTLD_LAZY | RTLD_LOCAL);
	helper found = handle ? (helper)dlsym(handle, name) : 0;

	if (!found) {
		fprintf(stderr, "%s\n", dlerror());
		exit(9);
	}
	return found;
}

int main(int argc, char **argv)
{
	helper one = of(argv[1], argv[3]), other = of(argv[2], argv[3]);
	const u64 inputs = 1ull << atoi(argv[4]);
	u64 a[3], b[3];

	for (int state = 0; state < 2; state++)
		for (u64 x = 0; x < inputs; x++) {
			one(x, state, a);
			other(x, state, b);
			if (a[0] != b[0] || a[1] != b[1] || a[2] != b[2]) {
				printf("%#llx state %d: %#llx %llu %llu, %#llx %llu %llu\n", x, state,
				       a[0], a[1], a[2], b[0], b[1], b[2]);
				return 1;
			}
		}
	return argc == 5 ? 0 : 9;
}
