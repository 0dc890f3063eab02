/* SPDX-License-Identifier: GPL-2.0-only */
/* vdso/bits.h - CUSTOM: the same BIT() as linux/bits.h. */
#include <linux/bits.h>
