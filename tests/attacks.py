# SPDX-License-Identifier: GPL-2.0-only
"""
Inputs that are made to make a reader slow or large: long runs of what it has to look at again and again.

Run as a program, in a process of its own: ``python tests/attacks.py SIZE [READER]`` reads each at that many characters,
within two gibibytes, and prints a line for each as JSON.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import holding

from pygfp import sources
from pygfp.baselines import text as baselines
from pygfp.config import parse_dotconfig, parse_settings
from pygfp.decode import parse_mask
from pygfp.decoding.annotate import Annotator, Kernel
from pygfp.decoding.tables import row_of
from pygfp.encode import NoHelpers, encode
from pygfp.errors import PygfpError
from pygfp.model.policy import parse_policy
from pygfp.native.blame import explain
from pygfp.native.compiler import Run
from pygfp.native.declarations import signature
from pygfp.patching.mails import read_series
from pygfp.scan import scan
from pygfp.sites.find import exported, find
from pygfp.sites.sift import sift

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 2 << 30


def run_of(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """A text of about a given size, most of it *piece* over and over."""
    return lambda size: before + piece * (size // len(piece)) + after


def pair_of(opening: str, closing: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """As deep a nest as a given size allows."""

    def make(size: int) -> str:
        n = size // (len(opening) + len(closing))
        return before + opening * n + closing * n + after

    return make


def numbered(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """A run of pieces, each with a number of its own."""
    return lambda size: before + "".join(piece.format(i, i + 1) for i in range(size // (len(piece) + 4))) + after


def _log(text: str) -> None:
    annotator = Annotator(Kernel(None), lambda _finding, _line: b"x\n")
    for _ in (*annotator.feed(text.encode()), *annotator.end()):
        pass


def _audit(text: str) -> None:
    data = text.encode()
    sifted, _ = sift(data)
    find("mm/a.c", data, frozenset({"gfp_nested_mask"}), sifted=sifted)
    find("mm/a.c", data)
    exported(data)


def _makefile(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Makefile").write_text(text)
        sources.tree(Path(name))


def _words(text: str) -> None:
    done = Run(("cc",), 1, text, text)
    explain(done)


_F = "void f(gfp_t gfp)\n{\n"
_SCHEMA = 'schema = "pygfp.baseline/1"\n'
_MAIL = "From: a\nSubject: x\n"
_HUNK = "--- a/x\n+++ b/x\n"

READERS: dict[str, tuple[Callable[[str], object], dict[str, Callable[[int], str]]]] = {
    "log": (
        _log,
        {
            "names": run_of("GFP_A|", "gfp=", "x\n"),
            "keys": run_of("gfp="),
            "modes": run_of("mode:0x"),
            "open claims": run_of("mode:0x1("),
            "taints": run_of("A ", "Tainted: "),
            "banners": run_of("Linux version 1.2.3 Debian 1.2.3-"),
            "digits": run_of("1", "gfp_mask=", " "),
            "orders": run_of("order:mode:0x1 "),
        },
    ),
    "mask": (
        parse_mask,
        {
            "hex": run_of("f", "0x"),
            "decimal": run_of("1"),
            "claim": run_of("GFP_A|", "0x1("),
            "minus": run_of(" ", "-", "x"),
            "blanks": run_of(" ", "1", "x"),
        },
    ),
    "expression": (
        lambda text: encode(text, holding.tables(), NoHelpers()),
        {
            "or": run_of("__GFP_IO|", "", "1"),
            "and": run_of("1&", "", "1"),
            "parentheses": run_of("("),
            "complements": run_of("~", "", "1"),
            "calls": run_of("f("),
            "name": run_of("A"),
            "number": run_of("1"),
            "blanks": run_of(" ", "1", "x"),
            "in parentheses": run_of("1|", "(" * 90, "1" + ")" * 90),
        },
    ),
    "names": (
        holding.tables().configs[0][1].parse,
        {"blanks": run_of(" ", "1", "x"), "number": run_of("1"), "bars": run_of("|"), "name": run_of("_")},
    ),
    "patch": (
        lambda text: read_series(text.encode()),
        {
            "binary": run_of(" and ", "Binary files ", "\n"),
            "one hunk": lambda size: f"{_HUNK}@@ -1,{size // 2} +1,{size // 2} @@\n" + " \n" * (size // 2),
            "hunks": run_of("@@ -1 +1 @@\n-a\n+b\n", _HUNK),
            "no newline": run_of("\\\n", f"{_HUNK}@@ -1 +1 @@\n-a\n+b\n"),
            "names": run_of("a ", "diff --git ", "\n"),
            "quotes": run_of('\\"', 'diff --git "', "\n"),
            "headers": run_of("diff --git a/x b/x\n"),
            "extended": run_of("index \n", "diff --git a/x b/x\n"),
            "slashes": run_of("/", "diff --git a", "x b/x\n"),
            "flowed": run_of(" \n", f"{_MAIL}Content-Type: text/plain; format=flowed\n\n"),
            "encoded words": run_of("=?a?q?", "From: a\nSubject: ", "\n\ndiff --git a/x b/x\n"),
            "words": run_of("=?a?q?x?= ", "From: a\nSubject: ", "\n\ndiff --git a/x b/x\n"),
            "brackets": run_of("[", "From: a\nSubject: ", "\n\ndiff --git a/x b/x\n"),
            "mbox": run_of("From a Mon 1:00 2000\n"),
            "folded": run_of(" y\n", _MAIL, "\ndiff --git a/x b/x\n"),
            "parts": run_of("--x\n\na\n", f"{_MAIL}Content-Type: multipart/mixed; boundary=x\n\n"),
            "multiparts": numbered("Content-Type: multipart/mixed; boundary={0}\n\n--{0}\n", _MAIL),
            "parameters": numbered("a*{0}=b;", f"{_MAIL}Content-Type: text/plain; ", "\n\n@@ -1\n"),
            "mails in mails": run_of("Content-Type: message/rfc822\n\n", _MAIL),
            "base64": run_of("A\n", f"{_MAIL}Content-Transfer-Encoding: base64\n\n"),
            "quoted": run_of("=\n", f"{_MAIL}Content-Transfer-Encoding: quoted-printable\n\n"),
            "CRLF": run_of("\r\n"),
        },
    ),
    ".config": (
        parse_dotconfig,
        {
            "blanks": run_of(" ", "CONFIG_A=", "x"),
            "blanks behind y": run_of(" ", "CONFIG_A=y", "x"),
            "lines": run_of("\n", "CONFIG_A=", "x"),
            "name": run_of("A", "CONFIG_"),
        },
    ),
    "--set": (lambda text: parse_settings([text]), {"name": run_of("A", "CONFIG_", " ")}),
    "policy": (
        lambda text: parse_policy(text, "p"),
        {
            "lists": run_of("[", "a="),
            "tables": run_of("{a=", "a="),
            "number": run_of("1", "a="),
            "key": run_of("a.", "", "a=1"),
            "header": run_of("a.", "[", "a]"),
            "keys": numbered("a{0}.b.c=1\n"),
            "quotes": run_of('\\"', 'a="'),
            "arrays": run_of("[[a]]\n"),
        },
    ),
    "baseline": (
        lambda text: baselines.load(_SCHEMA + text, "b"),
        {
            "with": run_of(" with ", '["helper.a"]\n"x', '\\n"=1'),
            "with and without": run_of("x with without ", '["helper.a"]\n"', '\\n"=1'),
            "in": run_of(" in ", '["helper.a"]\n"x', '"=1'),
            "configurations": lambda size: (
                '["helper.a"]\nconfigurations="'
                + " ".join(f"A{n}" for n in range(size // 12))
                + '"\n'
                + "".join(f"a{n}=1\n" for n in range(size // 12))
            ),
            "number": run_of("1", "[bits]\na="),
            "bit": run_of("1", '[bits]\na="', '"'),
        },
    ),
    "header": (
        lambda text: scan("include/linux/gfp.h", text.encode()),
        {
            "#if": run_of("#if 1\n"),
            "#if #endif": pair_of("#if 1\n", "#endif\n"),
            "#elif": run_of("#elif 1\n", "#if 1\n", "#endif"),
            "parentheses": pair_of("(", ")", "int f(void){return ", "1;}"),
            "braces": pair_of("{", "}", "void f(void)"),
            "declarator": pair_of("(", ")", "int ", ";"),
            "pointers": run_of("*", "int ", "p;"),
            "enum": numbered("A{0},", "enum a {", "};"),
            "macros": run_of("#define A A\n"),
            "extern": run_of('extern "C" {'),
            "comments": run_of("/*"),
            "annotations": run_of("__printf("),
            "continued": run_of("a\\\n", "#define A \\\n"),
        },
    ),
    "signature": (
        lambda text: signature(text, "f"),
        {
            "parentheses": run_of("(", "int f("),
            "attribute": run_of("a", "__attribute__(("),
            "attributes": run_of("__attribute__((a"),
            "pointers": run_of("*", "int ", "f(int a)"),
        },
    ),
    "compiler": (
        _words,
        {
            "colons": run_of("a:1:"),
            "line": run_of("1", "a:", ": error: x"),
            "quotes": run_of("'", "a.h:1: error: "),
            "errors": run_of("a.h:1: error: x\n"),
            "missing": run_of("x:", "a.h:1: error: "),
        },
    ),
    "Makefile": (
        _makefile,
        {
            "lines": run_of("\n"),
            "includes": run_of("include /a/b/c/Makefile\n"),
            "words": run_of("include "),
            "blanks": run_of(" ", "VERSION ="),
            "name": run_of("a", "include ", "/Makefile\n"),
        },
    ),
    "--release": (row_of, {"digits": run_of("1"), "dots": run_of("1.")}),
    "audit": (
        _audit,
        {
            "parentheses": pair_of("(", ")", "gfp_t f(gfp_t gfp)\n{\nreturn gfp & ", "1;\n}\n"),
            "blocks": pair_of("{", "}", f"{_F}gfp |= GFP_X;", "\n}\n"),
            "operands": run_of("|GFP_A", f"{_F}gfp = gfp", ";\n}\n"),
            "statements": run_of("gfp |= GFP_A;", _F, "\n}\n"),
            "if": run_of("if (a) gfp |= GFP_A;", _F, "\n}\n"),
            "if in if": pair_of("if (a) {gfp |= GFP_A;", "}", _F, "\n}\n"),
            "else if": run_of("if (a) gfp |= GFP_A; else ", _F, ";\n}\n"),
            "choices": run_of("a ? gfp | GFP_A : ", f"{_F}gfp = ", "gfp;\n}\n"),
            "calls": pair_of("f(", ")", f"{_F}gfp = ", ";\n}\n"),
            "cases": run_of("case 1: gfp |= GFP_A;", f"{_F}switch(a) {{", "}\n}\n"),
            "variables": numbered("gfp_t g{0} = gfp | GFP_A;", _F, "\n}\n"),
            "parameters": numbered("gfp_t g{0},", "void f(", "int x)\n{\ng1 |= GFP_A;\n}\n"),
            "arguments": run_of("gfp | GFP_A,", f"{_F}x(", "1);\n}\n"),
            "head": run_of("a", "", "{gfp|=GFP_A;}"),
            "heads": run_of("X(", "", "{gfp|=GFP_A;}"),
            "for_each": run_of("for_each", "", " gfp"),
            "stars": run_of("*", "", " gfp |= GFP_A"),
            "addresses": run_of("&", f"{_F}x = ", "gfp; gfp |= GFP_A;\n}\n"),
            "comments": run_of("/*", "#define F(gfp) (gfp | GFP_A ", ")\n"),
            "macros": numbered("#define F{0}(gfp) (F{1}(gfp) | GFP_A)\n"),
            "continued": run_of("| gfp \\\n", "#define F(gfp) (gfp | GFP_A \\\n", ")"),
            "labels": run_of("a: gfp |= GFP_A;", _F, "\n}\n"),
            "#if": run_of("#if A\ngfp |= GFP_A;\n#endif\n", _F, "}\n"),
            "#if in #if": pair_of("#if A\ngfp |= GFP_A;\n", "#endif\n", _F, "}\n"),
            "casts": run_of("(gfp_t)", f"{_F}gfp = ", "gfp|GFP_A;\n}\n"),
            "functions": numbered("gfp_t f{0}(gfp_t g);"),
            "mentions": run_of("gfp"),
        },
    ),
}


def main() -> None:
    """Read each input of the size that the command line gives."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    size, only = int(sys.argv[1]), sys.argv[2:]
    for reader, (feed, cases) in READERS.items():
        for name, make in cases.items() if reader in (only or READERS) else ():
            print(json.dumps({"reader": reader, "attack": name, "size": size}), flush=True)  # noqa: T201 - a program
            text = make(size)
            started = time.process_time()
            with contextlib.suppress(PygfpError):
                feed(text)
            used = round(time.process_time() - started, 3)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(json.dumps({"reader": reader, "attack": name, "seconds": used, "peak_mib": memory}), flush=True)  # noqa: T201 - ditto


if __name__ == "__main__":
    main()
