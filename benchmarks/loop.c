/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The limit: a hand-written loop that compares two forms of a mask filter on
 * every 32-bit input, in blocks of fixed length so that it vectorises. Built
 * with -O3 -march=native; prints the number of inputs that agree.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 2048

static uint32_t keep = 0xcf0, force = 0x92000;

static uint32_t __attribute__((noinline)) agreeing(uint32_t base, uint32_t k, uint32_t f)
{
	uint32_t same = 0;

	for (uint32_t i = 0; i < BLOCK; i++) {
		const uint32_t x = base + i;

		same += ((x & 0xcf0) | 0x92000) == ((x & k) | f);
	}
	return same;
}

struct part { uint64_t from, to, same; };

static void *work(void *argument)
{
	struct part *part = argument;

	for (uint64_t base = part->from; base < part->to; base += BLOCK)
		part->same += agreeing((uint32_t)base, keep, force);
	return NULL;
}

int main(int argc, char **argv)
{
	const int n = argc > 1 ? atoi(argv[1]) : 1;
	const uint64_t total = 1ULL << 32;
	pthread_t threads[64];
	struct part parts[64];
	uint64_t same = 0;

	for (int i = 0; i < n && i < 64; i++) {
		parts[i] = (struct part){ total / n * i, i == n - 1 ? total : total / n * (i + 1), 0 };
		pthread_create(&threads[i], NULL, work, &parts[i]);
	}
	for (int i = 0; i < n && i < 64; i++) {
		pthread_join(threads[i], NULL);
		same += parts[i].same;
	}
	printf("%llu\n", (unsigned long long)same);
	return 0;
}
