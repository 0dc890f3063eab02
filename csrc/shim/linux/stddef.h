/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/stddef.h - STUB: what the GFP headers need of it is in pygfp/kernel.h.
 */
