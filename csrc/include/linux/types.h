/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of pygfp's bundled subset. This text is pygfp's own, written from
 * facts; it is not the kernel's file of the same name.
 */
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H

typedef unsigned int __bitwise gfp_t;

#endif /* _LINUX_TYPES_H */
