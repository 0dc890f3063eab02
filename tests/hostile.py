# SPDX-License-Identifier: GPL-2.0-only
"""
Hostile headers: edits of gfp.h that attack what reads, compiles or runs it. Each is in our own words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[bytes], bytes]

GFP_H = "include/linux/gfp.h"
_FIRST = b"#include <linux/gfp_types.h>\n"

#: Every symbol that the bundled subset depends on, switched off: one configuration to compile instead of eight.
ONE_CONFIG = [
    word
    for name in ("LOCKDEP", "KASAN_HW_TAGS", "NUMA", "ZONE_DMA", "ZONE_DMA32", "HIGHMEM", "ZONE_DEVICE", "COMPACTION")
    for word in ("--set", f"CONFIG_{name}=n")
]


def top(text: str) -> Edit:
    """Return an edit that puts *text* behind the first include."""
    return lambda header: header.replace(_FIRST, _FIRST + text.encode(errors="surrogateescape") + b"\n", 1)


def body(statement: str, declaration: str = "") -> Edit:
    """Return an edit that puts *statement* first into gfp_nested_mask()."""

    def edit(header: bytes) -> bytes:
        pattern = rb"(static inline gfp_t gfp_nested_mask\([^)]*\)\s*{)"
        edited, n = re.subn(pattern, lambda m: f"{declaration}\n".encode() + m[1] + b" " + statement.encode(), header)
        assert n == 1
        return edited

    return edit


#: What is refused before a compiler sees it: id, text behind the first include, the line of it, words of the message.
REFUSED = (
    ("absolute", '#include "/etc/passwd"', 1, "'/etc/passwd', which is outside"),
    ("absolute-angle", "#include </etc/passwd>", 1, "outside"),
    ("dotdot", '#include "../../../../../../etc/passwd"', 1, "outside"),
    ("endless", '#include "/dev/zero"', 1, "outside"),
    ("stdin", '#include "/dev/stdin"', 1, "outside"),
    ("computed", '#define WHERE "/dev/zero"\n#include WHERE', 2, "computed"),
    ("computed-call", "#define W(x) <x>\n#include W(linux/mm.h)", 2, "computed"),
    ("comment-between", '#/**/include/**/"/etc/passwd"', 1, "outside"),
    ("blanks", ' \t\f#\v include\t"/etc/passwd"', 1, "outside"),
    ("line-goes-on", '# \\\ninclude \\\n"/etc/passwd"', 3, "outside"),
    ("word-cut", '#inc\\\nlude "/etc/passwd"', 2, "within a word"),
    ("word-cut-blank", '#inc\\ \t\nlude "/etc/passwd"', 2, "within a word"),
    ("word-cut-crlf", '#inc\\\r\nlude "/etc/passwd"\r', 2, "within a word"),
    ("hash-cut", "#\\\ndefine __GFP_HIDDEN ((gfp_t)1)", 2, "within a word"),
    ("flag-cut", "#define __GFP_HID\\\nDEN ((gfp_t)1)", 2, "within a word"),
    ("digraph", '%:include "/etc/passwd"', 1, "digraph"),
    ("digraph-flag", "%:define __GFP_HIDDEN ((gfp_t)1)", 1, "digraph"),
    ("trigraph", "??=define __GFP_HIDDEN ((gfp_t)1)", 1, "trigraph"),
    ("next", "#include_next <linux/gfp.h>", 1, "outside"),
    ("import", '#import "/etc/passwd"', 1, "outside"),
    ("embed", 'static const char e[] = {\n#embed "/etc/passwd"\n};', 2, "outside"),
    ("has-include", '#if __has_include("/etc/passwd")\n#endif', 1, "which files exist"),
    ("has-embed", '#if __has_embed("/etc/passwd")\n#endif', 1, "which files exist"),
    ("incbin", '__asm__(".incbin \\"/etc/passwd\\"");', 1, "assembly that reads a file"),
    ("asm-include", '__asm__(".include \\"/etc/passwd\\"");', 1, "assembly that reads a file"),
    ("section", 'static int s __attribute__((section(".data\\n.incbin \\"/etc/passwd\\"\\n#")));', 1, "assembly"),
    ("line", '#line 1 "include/linux/gfp_types.h"', 1, "line numbers"),
    ("line-marker", '# 1 "cpp.c"', 1, "line numbers"),
    ("system-header", "#pragma GCC system_header", 1, "hides warnings"),
    ("dependency", '#pragma GCC dependency "/etc/passwd"', 1, "reads files"),
    ("no-warning", '#pragma GCC diagnostic ignored "-Wattribute-warning"', 1, "BUILD_BUG_ON"),
    ("no-warning-operator", '_Pragma("GCC diagnostic ignored \\"-Wattribute-warning\\"")', 1, "BUILD_BUG_ON"),
    ("once", "#pragma once", 1, "include guard"),
    ("once-operator", '_Pragma("once")', 1, "include guard"),
    ("our-unit", '#include "cpp.c"', 1, "no header"),
    ("forged-constant", 'pygfp_constant "__GFP_IO" 0', 1, "pygfp_"),
    ("forged-end", "pygfp_end 0", 1, "pygfp_"),
    ("our-function", "static inline int pygfp_versus(gfp_t x) { return 1; }", 1, "pygfp_"),
    ("our-record", "#define hide() (pygfp_bug = 0)", 1, "pygfp_"),
    ("our-macro", "#define PYGFP_HELPER(id, label) {}", 1, "pygfp_"),
    ("nul", "#define __GFP_A ((gfp_t)1)\0", 1, "NUL"),
    ("nul-first", "\0#define __GFP_HIDDEN ((gfp_t)1)", 1, "NUL"),
)

#: Names of libc, of the loader and of C itself, as helpers: they clash with nothing.
CLASHING = ("main", "write", "memcpy", "abort", "exit", "printf", "getenv", "_exit", "malloc", "sweep", "environ")

#: Keywords as macros: the compiler has read our own text before.
KEYWORDS = (
    "#define static\n#define int long\n#define unsigned signed\n#define sizeof(x) 1\n#define return while (0); return"
)

_UNISTD = (
    "extern long write(int, const void *, unsigned long); extern int pause(void); extern void abort(void);"
    " extern void _exit(int); extern void *malloc(unsigned long); extern void *signal(int, void *);"
    " extern int raise(int); extern char **environ; extern int fork(void); extern int setsid(void);"
    " extern int kill(int, int); extern int getppid(void); extern int unlink(const char *);"
    " extern int open(const char *, int, ...); extern int socket(int, int, int);"
    " extern int rename(const char *, const char *); extern int execl(const char *, const char *, ...);"
)


def run_first(statement: str) -> Edit:
    """Return an edit that runs *statement* as soon as the header is loaded."""
    return top(f"{_UNISTD}\n__attribute__((constructor)) static void at_start(void) {{ {statement} }}")


def helper(statement: str) -> Edit:
    """Return an edit by which gfp_nested_mask() runs *statement* first; the usual functions are declared."""
    return body(statement, _UNISTD)


#: What code does when it is loaded: id, edit, words of the message.
CONSTRUCTORS = (
    ("abort", run_first("abort();"), "crashes with SIGABRT while it is loaded"),
    ("exit", run_first("_exit(0);"), "ends the process with status 0 while it is loaded"),
    ("answer", run_first('for (int i = 0; i < 256; i++) write(i, "{}\\n", 3);'), "writes over the answers"),
    ("wild", run_first("*(volatile int *)8 = 1;"), "crashes with SIGSEGV while it is loaded"),
)

#: What a helper does: id, edit, words of the message.
HELPERS = (
    ("abort", helper("abort();"), "crashes with SIGABRT"),
    ("exit", helper("_exit(0);"), "ends the process with status 0"),
    (
        "wild-pointer",
        helper("for (unsigned long p = (unsigned long)&p;; p += 4096) *(volatile char *)p = 1;"),
        "with SIGSEGV",
    ),
    ("stack", helper("volatile char b[1 << 26]; for (int i = 0; i < 1 << 26; i += 4096) b[i] = 1;"), "with SIGSEGV"),
    (
        "recursion",
        body(
            "volatile char b[99]; b[0] = 1; return gfp_nested_mask(flags + b[0]) + b[0];",
            "static inline gfp_t gfp_nested_mask(gfp_t flags);",
        ),
        "with SIGSEGV",
    ),
    ("memory", helper("for (;;) *(volatile char *)malloc(1 << 22) = 1;"), "with SIGSEGV"),
    ("descriptors", helper('for (int i = 0; i < 256; i++) write(i, "{}\\n", 3);'), "writes over the answers"),
    ("stopped", helper("raise(19); for (;;) pause();"), "does not return"),
    ("deaf", helper("for (int i = 1; i < 65; i++) signal(i, (void *)1); for (;;) pause();"), "does not return"),
)
