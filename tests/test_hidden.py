# SPDX-License-Identifier: GPL-2.0-only
"""
A value that differs in one configuration only, and that a helper reaches by a way that its text does not show.

Each way is a helper of its own, all of them in one header; on one side the value is the same in either configuration.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pygfp import sources
from pygfp.config import Selection
from pygfp.diff import Options, diff

if TYPE_CHECKING:
    from pygfp.changes import DiffReport
    from pygfp.sources import Source

GFP = "include/linux/gfp.h"

LIST = "#define N_all(x) x(N_a) x(N_b)"

#: What is written once a configuration, V being the value; what stands behind that; how a helper reaches it.
WAYS = {
    "variable": ("static const gfp_t N = V;", "", "N"),
    "second of two variables": ("static const gfp_t N_a = 1, N_b = V;", "", "N_b"),
    "enumerator": ("enum { N = (int)V };", "", "(gfp_t)N"),
    "enumerator behind a macro": ("#define N_v V", "enum { N_a = (int)N_v, N };", "(gfp_t)(N - 1)"),
    "enumerators of a list": ("#define N_row(n) n = (int)V,", f"{LIST}\nenum {{ N_all(N_row) }};", "(gfp_t)N_b"),
    "array": ("static const gfp_t N[] = { 0, V };", "", "N[1]"),
    "structure": ("static const struct N_s { gfp_t a, b; } N = { .b = V };", "", "N.b"),
    "pointer to a variable": ("static const gfp_t N_v = V; static const gfp_t *const N = &N_v;", "", "*N"),
    "size of an array type": ("typedef char N[(unsigned int)V];", "", "(gfp_t)sizeof(N)"),
    "size of a structure": ("struct N { char a[(unsigned int)V]; };", "", "(gfp_t)sizeof(struct N)"),
    "size of a union": ("union N { char a[(unsigned int)V]; };", "", "(gfp_t)sizeof(union N)"),
    "width of a type": ("typedef struct { char a[(unsigned int)V]; } N_s;", "typedef N_s N;", "(gfp_t)sizeof(N)"),
    "function": ("static inline gfp_t N(void) { return V; }", "", "N()"),
    "function behind a pointer": ("static gfp_t N_f(void) { return V; }", "static gfp_t (*N)(void) = N_f;", "N()"),
    "macro": ("#define N(x) ((x) | V)", "", "N((gfp_t)0)"),
    "variable that a macro makes": ("N_make(N, V);", "", "N"),
    "function that a macro makes": ("N_function(N, V)", "", "N()"),
    "glued name": ("#define N_y V", "#define N_glue(x) N_##x", "N_glue(y)"),
}

#: What stands in front.
MAKERS = """
#define N_make(name, value) static const gfp_t name = value
#define N_function(name, value) static inline gfp_t name(void) { return value; }
"""


def header(on: str, off: str) -> Source:
    """The bundled subset and a helper a way, which tests *on* where there is NUMA, and *off* where there is none."""
    out = []
    for n, (written, behind, use) in enumerate(WAYS.values()):
        one, other = (re.sub(r"\bV\b", value, written) for value in (on, off))
        lines = [MAKERS, "#ifdef CONFIG_NUMA", one, "#else", other, "#endif", behind]
        lines += [f"static inline bool way_{n}(gfp_t flags)", "{", f"\treturn flags & {use};", "}"]
        out += [re.sub(r"\bN(?=\b|_)", f"name_{n}", line) for line in lines]
    bundled = sources.bundled()
    text = bundled.files[GFP]
    end = text.rindex(b"#endif")
    files = {**bundled.files, GFP: text[:end] + "\n".join(out).encode() + b"\n" + text[end:]}
    return replace(bundled, kind="tree", files=files)


@pytest.fixture(scope="module")
def report() -> DiffReport:
    """What is said of a value that changes with NUMA only; everything else about the configuration is fixed."""
    others = {m.decode() for text in sources.bundled().files.values() for m in re.findall(rb"CONFIG_\w+", text)}
    fixed = Selection(dict.fromkeys(others - {"CONFIG_NUMA"}, False))
    return diff(header("__GFP_HIGH", "__GFP_HIGH"), header("__GFP_FS", "__GFP_HIGH"), fixed, Options())


@pytest.mark.parametrize(("n", "way"), list(enumerate(WAYS)), ids=list(WAYS))
def test_a_change_in_one_configuration_is_seen(n: int, way: str, report: DiffReport) -> None:
    found = [c for c in report.changes if c.subject == f"way_{n}"]
    assert len(found) == 1, way
    assert found[0].configs == ({"CONFIG_NUMA": True},)
    assert found[0].flags.keys() == {"__GFP_HIGH", "__GFP_FS"}
