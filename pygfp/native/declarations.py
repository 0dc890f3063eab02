# SPDX-License-Identifier: GPL-2.0-only
"""
C declarations, read by pycparser: the return type and the parameter types of a helper.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

_ATTRIBUTE = re.compile(
    r"__attribute__\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)|__extension__|__inline__|__inline"
)
_PRELUDE = (
    "typedef unsigned int gfp_t; typedef _Bool bool; typedef unsigned long size_t; typedef unsigned long pgoff_t;"
    "typedef int nodemask_t; typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;"
    "typedef unsigned long long u64; typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;"
)


# The two sides of a diff have most declarations in common.
@lru_cache(maxsize=256)
def signature(head: str, name: str) -> tuple[str, list[str]] | None:
    """
    Return (return type, parameter types) of the function that *head* declares.

    :param head: preprocessed text of the declaration up to its body
    :return: types as C text without top-level qualifiers, or None where pycparser cannot read *head*

    >>> signature("static inline gfp_t f(const gfp_t flags)", "f")
    ('gfp_t', ['gfp_t'])
    """
    text = _ATTRIBUTE.sub(" ", head)
    try:
        tree = _parser().parse(f"{_PRELUDE}\n{text};")
    except Exception:  # noqa: BLE001 - pycparser raises its own and plain errors alike
        return None
    declaration = tree.ext[-1]
    function: Any = getattr(declaration, "type", None)
    if declaration.name != name or type(function).__name__ != "FuncDecl":
        return None
    listed = function.args.params if function.args else []
    try:
        parameters = [_spell(p.type) if hasattr(p, "type") else "..." for p in listed]
        return _spell(function.type), [p for p in parameters if p != "void"]
    except RecursionError:
        return None


@cache
def _parser() -> Any:  # noqa: ANN401 - pycparser is untyped
    from pycparser import c_parser  # noqa: PLC0415 - costs more than the rest of a warm start

    return c_parser.CParser()


def _spell(node: Any) -> str:  # noqa: ANN401 - pycparser is untyped
    kind = type(node).__name__
    if kind == "TypeDecl":
        inner = node.type
        if type(inner).__name__ == "IdentifierType":
            return " ".join(inner.names)
        return f"{type(inner).__name__.lower()} {inner.name}"
    if kind == "PtrDecl":
        return f"{_spell(node.type)} *"
    return kind
