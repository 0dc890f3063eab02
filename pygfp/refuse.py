# SPDX-License-Identifier: GPL-2.0-only
"""
What is never handed to a compiler: text that reads files beside the source, or that passes for words of pygfp's own.

A verdict depends on the watched files and nothing else, or an answer out of the cache would be about another text.
These rules give a clear message before anything runs. Where an include gets past them, the compiler's own list of
the files that it read shows it (:func:`outside`).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from .errors import ExtractionError
from .places import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What may stand between the words of a directive: blanks, and the end of a line that goes on.
_GAP = rb"(?:[ \t\f\v]++|\\[ \t]*+\r?\n)*+"
_START = rb"(?m:^)(?:\xef\xbb\xbf)?" + _GAP
_HASH = _START + rb"#" + _GAP

_INCLUDE = _HASH + rb"include\b" + _GAP + rb"(?:<([^>\n]*)>|\"([^\"\n]*)\"|(?=[^<\"]))"

#: Text that is refused, and why.
_RULES = (
    (rb"\0", "a NUL byte, which compilers drop without a word and other readers do not"),
    (
        rb"[#\w]\\[ \t]*\r?\n\w",
        "a line that ends within a word; write the word on one line, so that everybody reads the same",
    ),
    (_START + rb"(?:%:|\?\?=)", "a directive that starts with a digraph or trigraph; write #"),
    (
        _HASH + rb"(?:include_next|import|embed|ident|sccs)\b",
        "a directive that reads or writes outside of the header; pygfp compiles the header alone",
    ),
    (
        _HASH + rb"(?:line\b|\d)",
        "a directive that moves line numbers, by which pygfp tells where a definition stands",
    ),
    (
        _HASH + rb"pragma" + _GAP + rb"(?:GCC|clang)" + _GAP + rb"(?:system_header|dependency|pch_preprocess)",
        "a pragma that hides warnings or reads files; pygfp needs the warnings of BUILD_BUG_ON",
    ),
    (
        rb"\bpragma" + _GAP + rb"once\b|_Pragma" + _GAP + rb"\(" + _GAP + rb"\"" + _GAP + rb"once\b",
        "#pragma once; pygfp includes a header once for each configuration: write an include guard instead",
    ),
    (
        rb"-W(?:attribute-warning|everything)\b",
        "a warning option by which a BUILD_BUG_ON that fires could go unseen",
    ),
    (
        rb"\b__has_(?:include(?:_next)?|embed)\b",
        "it asks which files exist, which is another answer in pygfp than in a kernel's build",
    ),
    (
        rb"\.inc(?:bin|lude)\b[^\n]*\"",
        "assembly that reads a file; the answer would depend on more than the header",
    ),
    (rb"\b(?:pygfp|PYGFP)_\w*", "a name of pygfp's own; names that start with pygfp_ are taken"),
)


def refuse(path: str, code: bytes) -> None:
    """
    Complain of the first thing in *code* that is never compiled.

    :param path: kernel-relative file
    :param code: its text, comments blanked, at its own line numbers
    :raises ExtractionError: with file, line and reason
    """
    for at, reason in sorted(_found(code)):
        line = code.count(b"\n", 0, at) + 1
        raise ExtractionError(f"this is not compiled: {reason}", file=path, line=line)


def _found(code: bytes) -> Iterator[tuple[int, str]]:
    for pattern, reason in _RULES:
        match = re.search(pattern, code)
        if match:
            yield match.end() - 1, reason
    for match in re.finditer(_INCLUDE, code):
        name = match[1] if match[1] is not None else match[2]
        if name is None:
            yield match.end() - 1, 'the name of what it includes is computed; expected <name> or "name"'
        elif not is_inside(name.decode(errors="replace")):
            yield match.end() - 1, f"it includes {name.decode(errors='replace')!r}, which is outside of the tree"
        elif name.endswith(b".c"):
            yield match.end() - 1, f"it includes {name.decode(errors='replace')!r}, which is no header"


def outside(files: Iterable[str], roots: Iterable[str]) -> list[str]:
    """
    Return those of *files*, as a compiler names what it read, that are not below its working directory or *roots*.

    >>> outside(["include/linux/gfp.h", "./stub/a.h", "<built-in>", "/csrc/shim/b.h", "/etc/passwd", "../x"], ["/csrc"])
    ['../x', '/etc/passwd']
    """
    allowed = tuple(f"{root}/" for root in roots)
    plain = {os.path.normpath(f): f for f in files if not f.startswith("<")}
    return sorted(f for n, f in plain.items() if n.startswith(("/", "../")) and not n.startswith(allowed))
