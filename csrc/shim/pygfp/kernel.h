/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pygfp/kernel.h - CUSTOM: what gfp.h gets from the headers that it includes.
 * Macros only; the declarations behind them are in pygfp/types.h.
 *
 * BUG and WARN record that they fired and go on: firing is part of what a
 * helper is seen to do. The record is a plain thread-local, which a compiler
 * turns into a register inside the sweep's loop.
 */
#include <linux/bits.h>

#undef BITS_PER_LONG
#define BITS_PER_LONG (__SIZEOF_LONG__ * 8)
#undef MAX_NUMNODES
#define MAX_NUMNODES 64
#undef NUMA_NO_NODE
#define NUMA_NO_NODE (-1)

#undef BUG
#define BUG() pygfp_record_bug(1)
#undef BUG_ON
#define BUG_ON(condition) pygfp_record_bug(!!(condition))
#undef VM_BUG_ON
#define VM_BUG_ON(condition) pygfp_record_bug(!!(condition))
#undef VM_BUG_ON_PAGE
#define VM_BUG_ON_PAGE(condition, page) pygfp_record_bug(!!(condition))
#undef VM_BUG_ON_FOLIO
#define VM_BUG_ON_FOLIO(condition, folio) pygfp_record_bug(!!(condition))

#undef WARN_ON
#define WARN_ON(condition) pygfp_record_warning(!!(condition))
#undef WARN_ON_ONCE
#define WARN_ON_ONCE(condition) pygfp_record_warning(!!(condition))
#undef WARN
#define WARN(condition, ...) pygfp_record_warning(!!(condition))
#undef WARN_ONCE
#define WARN_ONCE(condition, ...) pygfp_record_warning(!!(condition))
#undef VM_WARN_ON
#define VM_WARN_ON(condition) ((void)pygfp_record_warning(!!(condition)))
#undef VM_WARN_ON_ONCE
#define VM_WARN_ON_ONCE(condition) pygfp_record_warning(!!(condition))
#undef VM_WARN_ONCE
#define VM_WARN_ONCE(condition, ...) pygfp_record_warning(!!(condition))

/*
 * A BUILD_BUG_ON that holds leaves no trace. One that fires leaves a call to a
 * function that the compiler was told to warn of: the finding, with its line.
 */
#undef BUILD_BUG_ON
#define BUILD_BUG_ON(condition) \
	do { if (condition) pygfp_build_bug(); } while (0)
#undef BUILD_BUG_ON_MSG
#define BUILD_BUG_ON_MSG(condition, message) BUILD_BUG_ON(condition)
#undef VM_BUILD_BUG_ON
#define VM_BUILD_BUG_ON(condition) BUILD_BUG_ON(condition)
#undef BUILD_BUG_ON_INVALID
#define BUILD_BUG_ON_INVALID(condition) ((void)sizeof((__force long)(condition)))
#undef static_assert
#define static_assert(condition, ...) _Static_assert(condition, #condition)

#undef READ_ONCE
#define READ_ONCE(x) (x)
#undef WRITE_ONCE
#define WRITE_ONCE(x, value) ((x) = (value))
#undef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#undef EXPORT_SYMBOL
#define EXPORT_SYMBOL(name)
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name)

#undef pr_warn
#define pr_warn(...) ((void)0)
#undef dump_stack
#define dump_stack() ((void)0)
#undef might_alloc
#define might_alloc(gfp) ((void)0)
#undef NODE_DATA
#define NODE_DATA(nid) (&pygfp_node)
#undef numa_mem_id
#define numa_mem_id() 0
#undef numa_node_id
#define numa_node_id() 0
#undef node_online
#define node_online(node) 1
#undef page_folio
#define page_folio(page) ((struct folio *)(page))
#undef is_power_of_2
#define is_power_of_2(n) ((n) != 0 && (((n) & ((n) - 1)) == 0))
#undef alloc_hooks
#define alloc_hooks(call) call
