/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pygfp/types.h - CUSTOM: the types and objects that the kernel text refers to
 * and that no mask helper looks into. Read once per compiled unit.
 */
#ifndef PYGFP_TYPES_H
#define PYGFP_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef _Bool bool;
typedef __SIZE_TYPE__ size_t;
typedef long ssize_t;
typedef unsigned long pgoff_t;
typedef struct { unsigned long bits[1]; } nodemask_t;
enum { false, true };

struct list_head { struct list_head *next, *prev; };
struct page { unsigned long flags; };
struct folio { struct page page; };
struct zone { int unused; };
struct zonelist { int unused; };
struct pglist_data { struct zonelist node_zonelists[2]; };
struct per_cpu_pages;
struct vm_area_struct;
struct mempolicy;
struct task_struct;

static struct pglist_data pygfp_node __attribute__((unused));

/*
 * A global of the kernel that gfp_migratetype() reads; a sweep is told which state.
 * Used, so that the code of a helper does not depend on who else in its unit reads it.
 */
static __thread u32 pygfp_ungrouped __attribute__((used));
#define page_group_by_mobility_disabled pygfp_ungrouped

/* What fired since the last reset. */
static __thread u32 pygfp_bug, pygfp_warned;

#define pygfp_record_bug(condition) ((void)(pygfp_bug |= (condition)))
#define pygfp_record_warning(condition) \
	({ const bool pygfp_hit = (condition); pygfp_warned |= pygfp_hit; pygfp_hit; })

#endif
