/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pygfp/compiler.h - CUSTOM: what every kernel source file gets before its
 * first line (compiler_types.h and kconfig.h of a kernel): annotations, which
 * mean nothing to a value, and IS_ENABLED(). Macros only: this text is read
 * once per configuration. sparse defines __CHECKER__, and is the only one to
 * whom __bitwise and __force mean something.
 */
#undef __force
#undef __bitwise
#undef __bitwise__
#ifdef __CHECKER__
#define __force __attribute__((force))
#define __bitwise __attribute__((bitwise))
#else
#define __force
#define __bitwise
#endif
#define __bitwise__ __bitwise
#undef __user
#define __user
#undef __iomem
#define __iomem
#undef __init
#define __init
#undef __meminit
#define __meminit
#undef __must_check
#define __must_check
#undef __pure
#define __pure
#undef __malloc
#define __malloc
#undef __always_inline
#define __always_inline inline
#undef __maybe_unused
#define __maybe_unused
#undef __alloc_size
#define __alloc_size(...)
#undef __realloc_size
#define __realloc_size(...)
#undef __printf
#define __printf(...)
#undef __assume_aligned
#define __assume_aligned(...)
#undef __counted_by
#define __counted_by(...)
#undef __no_kasan_or_inline
#define __no_kasan_or_inline inline
#undef noinline
#define noinline
#undef fallthrough
#define fallthrough do { } while (0)
/* A truth value of type long, as in the kernel; the hint is left out. */
#undef likely
#define likely(x) ((long)!!(x))
#undef unlikely
#define unlikely(x) ((long)!!(x))
#undef NULL
#define NULL ((void *)0)

/*
 * 1 for a symbol that is defined as 1, also as a module; 0 for one that is not
 * defined. The argument is expanded, then glued to a name that exists only
 * for "1"; what it yields moves a 1 into second place.
 */
#undef IS_ENABLED
#undef IS_BUILTIN
#undef IS_MODULE
#undef IS_REACHABLE
#define pygfp_slot_1 ~,
#define pygfp_second(ignored, value, ...) value
#define pygfp_pick(slot) pygfp_second(slot 1, 0, 0)
#define pygfp_glue(value) pygfp_pick(pygfp_slot_##value)
#define pygfp_is_one(symbol) pygfp_glue(symbol)
#define IS_BUILTIN(symbol) pygfp_is_one(symbol)
#define IS_MODULE(symbol) pygfp_is_one(symbol##_MODULE)
#define IS_ENABLED(symbol) (pygfp_is_one(symbol) || pygfp_is_one(symbol##_MODULE))
#define IS_REACHABLE(symbol) IS_ENABLED(symbol)
