/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/cleanup.h - STUB: no scope-based clean-up runs in a mask helper. The
 * macro swallows its arguments and leaves a declaration, so that a semicolon
 * after it stays legal.
 */
#undef DEFINE_FREE
#define DEFINE_FREE(name, type, free_expr)
