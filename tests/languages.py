# SPDX-License-Identifier: GPL-2.0-only
"""
Good samples of everything that pygfp reads and did not write, and the words that each language is made of.

All of it in our own words. A list of words is a string: blanks part them, and what stands for a byte is escaped.
"""

from __future__ import annotations


def words(text: str) -> tuple[bytes, ...]:
    r"""
    Return the words of *text*; ``word*9`` is nine of them.

    >>> words(r"a\x20 b*3")
    (b'a ', b'bbb')
    """
    found = []
    for word in text.split():
        piece, star, times = word.rpartition("*")
        plain = piece if star and times.isdecimal() and piece else word
        found.append(
            plain.encode().decode("unicode_escape").encode("latin-1") * (int(times) if plain is not word else 1)
        )
    return tuple(found)


# Logs.

LOG = (
    b"cc1 invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, adj=0\n",
    b"[ 9.1] x: page allocation failure: order:0, mode:0xcc0(GFP_NOFS), nodemask=(null)\n",
    b"kmalloc: call_site=x ptr=1 bytes_req=1 gfp_flags=GFP_KERNEL|__GFP_ZERO node=-1\n",
    b"Linux version 6.12.107-amd64 (x) #1 SMP Debian 6.12.107-1\nmm_page_alloc: gfp_flags=3264\n",
    b"CPU: 0 PID: 1 Comm: x Tainted: G W 6.1.0-1 #1 Debian 6.1.176-1\r\nmask 0xcc0 allocat\n",
)
LOG_WORDS = words(
    r"""
    gfp= gfp_mask= gfp_flags= gfp:\x20 mode:0x mask\x200x 0x cc0 3264 ( ) | GFP_KERNEL __GFP_IO ___GFP_ none order:
    allocat Linux\x20version\x20 6.1 .0- \x20 Tainted:\x20 Debian\x20 \n \r \x00 \xff 9*70 f*70
    """
)
MASK = (
    b"0xcc0",
    b"3264",
    b"0xcc0(GFP_KERNEL)",
    b"gfp_mask=0xcc0(GFP_KERNEL|__GFP_ZERO)",
    b"mode:0x1",
)
MASK_WORDS = words(
    r"""
    0x 0X 1 fffffffffffffffff 9*80 ( ) | GFP_KERNEL __GFP_ none - \x20
    """
)
EXPRESSION = (
    b"GFP_KERNEL|__GFP_ZERO",
    b"~(GFP_NOFS & 0xff)",
    b"gfp_nested_mask(GFP_NOFS|__GFP_DMA)",
    b"none",
)
EXPRESSION_WORDS = words(
    r"""
    | & ~ ( ) , \x20 GFP_KERNEL __GFP_IO gfp_zone 0x 1 9*70 a\xc3\xa9 ' \n || 0b1 1u
    """
)

# Patches and mails.

PATCH = (
    (
        b"diff --git a/mm/x.c b/mm/x.c\nindex 0123456..89abcde 100644\n--- a/mm/x.c\n+++ b/mm/x.c\n"
        b"@@ -1,3 +1,3 @@ int f(void)\n a\n-b\n+c\n \n@@ -9,2 +9,3 @@\n x\n+y\n z\n\\ No newline at end of file\n"
        b"-- \n2.39\n"
    ),
    b"--- x.orig\t2020-01-01\n+++ x\n@@ -1 +1 @@\n-a\n+b\n",
    (
        b'diff --git "a/\\303\\274" "b/\\303\\274"\nnew file mode 100644\n--- /dev/null\n+++ "b/\\303\\274"\n'
        b"@@ -0,0 +1 @@\n+a\n"
    ),
    b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n",
    b"Binary files a/x and b/x differ\n",
    (
        b"From 0123 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH v2 1/2] =?utf-8?q?=C3=BC?=\n\nWhy.\n"
        b"---\ndiff --git a/mm/x.c b/mm/x.c\nindex 0123456..89abcde 100644\n--- a/mm/x.c\n+++ b/mm/x.c\n"
        b"@@ -1,3 +1,3 @@ int f(void)\n a\n-b\n+c\n \n@@ -9,2 +9,3 @@\n x\n+y\n z\n\\ No newline at end of file\n"
        b"-- \n2.39\n"
    ),
    (
        b"From: a@b\nSubject: Re: x\nContent-Type: text/plain; format=flowed; delsp=yes\n\n"
        b"diff --git a/mm/x.c b/mm/x.c\nindex 0123456..89abcde 100644\n--- a/mm/x.c\n+++ b/mm/x.c\n"
        b"@@ -1,3 +1,3 @@ int f(void)\n a\n-b\n+c\n \n@@ -9,2 +9,3 @@\n x\n+y\n z\n\\ No newline at end of file\n"
        b"-- \n2.39\n"
    ),
    (
        b"From: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/x-diff\n"
        b"Content-Transfer-Encoding: base64\n\nLS0tIGEveAorKysgYi94CkBAIC0xICsxIEBACi1hCitiCg==\n--x--\n"
    ),
)
PATCH_WORDS = words(
    r"""
    diff\x20--git\x20 ---\x20 +++\x20 @@\x20-1\x20+1\x20@@\n @@\x20-1,2\x20+1,2\x20@@ \x20\n -a\n +b\n \\\x20x\n a/
    b/ /dev/null ../ \x22 \\8 \\\\ \r\n \t index\x20 0000000.. rename\x20from\x20 copy\x20to\x20
    GIT\x20binary\x20patch\n Binary\x20files\x20 \x20and\x20 \x20differ\n From\x20 Subject:\x20 =?utf-8?b? ?= \x00
    Content-Type:\x20multipart/mixed;\x20boundary= Content-Transfer-Encoding:\x20 quoted-printable x-uuencode \n\n
    --x\n charset*=x'y'z ;\x20format=flowed message/rfc822 [PATCH\x202/1] 999999999 \xff
    """
)

# .config files.

DOTCONFIG = (
    b'CONFIG_NUMA=y\n# CONFIG_X is not set\nCONFIG_B=m\nCONFIG_S="y"\n',
    b"# CONFIG_A is not set\r\nCONFIG_A=y\r\n",
)
DOTCONFIG_WORDS = words(
    r"""
    CONFIG_ NUMA = y n m \n \r\n \x20 \t # \x20is\x20not\x20set \x22 \x00 \xc2\x85
    """
)

# TOML.

POLICY = (
    b'__GFP_NEW = "drop"  # reason\n',
    b'__GFP_A = "keep"\n__GFP_B = "force"\n',
)
TOML_WORDS = words(
    r"""
    __GFP_A = \x22keep\x22 \x22 ' \x22\x22\x22 [ ] { } , . # \n \\u \\ 1 9*5000 - e9 inf 2020-01-01 25:99:99 true a
    a.b.c \x00 \r
    """
)

# C text: headers and code.

C = (
    b"#define ___GFP_IO 0x40u\n#define __GFP_IO ((__force gfp_t)___GFP_IO)\n",
    b"enum {\n#ifdef CONFIG_X\n\tA_BIT = 3,\n#else\n\tB_BIT,\n#endif\n\tC_BIT\n};\n",
    (
        b"static inline gfp_t f(const gfp_t gfp)\n{\n\tif (gfp & __GFP_IO)\n\t\treturn gfp | GFP_NOFS; /* x */\n"
        b"\treturn 0;\n}\n"
    ),
    (
        b"void g(gfp_t gfp_mask)\n{\n\tgfp_mask &= ~__GFP_FS;\n\tswitch (x) {\n"
        b"\tcase 1: gfp_mask |= __GFP_IO; break;\n\t}\n\tkmalloc(1, gfp_mask);\n}\n"
    ),
    (b"#define M(gfp) \\\n\t((gfp) & ~__GFP_IO)\nstruct s { gfp_t gfp; } t = { .gfp = GFP_KERNEL | __GFP_ZERO };\n"),
    (
        b"SYSCALL_DEFINE2(name, gfp_t, gfp)\n{\n\tlist_for_each(a, b) {\n\t\tgfp = p ? gfp | __GFP_IO : M(gfp);\n"
        b"\t}\nout:\n\treturn gfp;\n}\n"
    ),
)
C_WORDS = words(
    r"""
    { } ( ) ; , * & | ~ = |= ? : \n \x20 \\\n \\ #if\x201\n #ifdef\x20CONFIG_X\n #else\n #elif\x20A\n #endif\n
    #define\x20A(x)\x20 #undef\x20A\n #include\x20<linux/x.h>\n /* */ // \x22 ' static\x20inline\x20 gfp_t\x20 gfp
    __GFP_IO enum\x20 struct\x20 return\x20 if\x20(a)\x20 for_each while\x20(1)\x20 switch\x20(a)\x20{case\x201:
    goto\x20x; x:\x20 f( __attribute__(( \x00 \xff \xef\xbb\xbf \r\n 0x 1 %: ??/ a->gfp_mask typedef\x20
    extern\x20\x22C\x22\x20{ ({ }) sizeof\x20 typeof(a)
    """
)

# What a compiler says.

SAID = (
    b"include/linux/gfp.h:7:3: error: expected ';' before '}' token\n    7 | x\n",
    b"cc1: fatal error: linux/x.h: No such file or directory\ncompilation terminated.\n",
    b'./include/linux/gfp.h:1: warning: "A" redefined\nIn file included from x.c:1:\n',
)
SAID_WORDS = words(
    r"""
    : 1 9*30 \x20error:\x20 \x20warning:\x20 \x20fatal\x20error:\x20 ' \n a.h native/abi.h
    No\x20such\x20file\x20or\x20directory \xe2\x80\x98 \x00
    """
)

# Trace tables.

TRACE = (
    (
        b'#define __def_gfpflag_names \\\n\t{(unsigned long)GFP_KERNEL, "GFP_KERNEL"}, \\\n'
        b'\t{__GFP_IO, "__GFP_IO"}\n'
        b'#define show_gfp_flags(flags) (flags) ? __print_flags(flags, "|", __def_gfpflag_names) : "none"\n'
    ),
)
TRACE_WORDS = words(
    r"""
    { } \x22 , \\\n #include\x20<a>\n #include\x20<a/b>\n
    #include\x20<xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx>\n
    #include\x20<\x00>\n #define\x20A_H\n pygfp_printk pygfp_tracepoint TRACE_DEFINE_ENUM(A)\n GFP_A
    """
)

# How kernels are named.

SPEC = (
    b"bundled",
    b".",
    b"@HEAD",
    b".@HEAD~1",
    b".@{upstream}",
    b"..",
    b"/dev/null",
    b"/proc/self/mem",
    b".@v1..v2",
    b".@HEAD:x",
)
SPEC_WORDS = words(
    r"""
    @ .. / HEAD ^ ~ { } : - --help \x00 \x20 \n a*300 \xff * !
    """
)
RELEASE = (
    b"6.12",
    b"v6.1.176",
    b"7.3.4",
    b"99.1",
)
RELEASE_WORDS = words(
    r"""
    v . 6 12 99999 - \n \xd9\xa3 rc1
    """
)
MAKEFILE = (
    b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    b"include /usr/src/linux/Makefile\n",
    b"KERNELSRC := /x\n$(MAKE) -C /y\n",
)
MAKEFILE_WORDS = words(
    r"""
    VERSION = \x20 \n \t 9*30 include\x20 /Makefile a*300 .. / \x00 KERNELSRC:= \xd9\xa3
    """
)
BASELINE_WORDS = words(
    r"""
    schema\x20=\x20\x22pygfp.baseline/1\x22\n [\x22helper.gfp_zone\x22]\n [\x22composite.GFP_ATOMIC\x22]\n [bits]\n
    [\x22a\x20b\x22]\n [layout.__GFP_IO]\n configurations\x20=\x20\x22none\x20A\x20B\x20A-B\x22\n
    \x22keep\x20with\x20A\x22 \x22keep\x20in\x20none\x20A\x22 \x20with\x20 \x20without\x20 \x20in\x20 \x20=\x20
    \x22IO\x20FS\x22 1\n [\n ]\n -1\n \x22accepted\x20failures\x22 \x22 [\x22law.x.y\x22]\n \n drop
    """
)
