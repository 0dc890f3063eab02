/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/bits.h - CUSTOM: BIT() alone, as wide as the kernel's (unsigned long),
 * so that a plain ___GFP_X keeps its real width. Reached only through an
 * #include, never pre-included: a header that uses BIT() and forgets to
 * include this file fails here as it does in the kernel.
 */
#undef BIT
#define BIT(nr) (1UL << (nr))
