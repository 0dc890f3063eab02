/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/alloc_tag.h - CUSTOM: allocation profiling is switched off, a hooked
 * call is the call.
 */
#undef alloc_hooks
#define alloc_hooks(call) call
