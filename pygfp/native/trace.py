# SPDX-License-Identifier: GPL-2.0-only
"""
The order in which a kernel's ``%pGg`` tries names, from the tree's own trace table.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from . import attempt, compiler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..releases import Row
    from ..sources import Source

#: Where a tree has its table.
TABLE = "include/trace/events/mmflags.h"

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE)


def trace_order(source: Source, row: Row, symbols: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """
    Return the names in printing order, and what a user should know of where they come from.

    A tree without the table prints in the order of its reference row. A flag that a tree's own table
    lacks prints as hex, as it does in that kernel.

    :param symbols: CONFIG symbols to switch on, so that no name is left out
    """
    if TABLE not in source.files:
        return row.trace_names, []
    names = _names(source.files[TABLE], symbols)
    if names is None:
        return row.trace_names, [f"{TABLE} cannot be preprocessed; masks print in the order of {row.name}"]
    return names, []


def _names(table_header: bytes, symbols: Sequence[str]) -> list[str] | None:
    """The names in the order of the table in *table_header*; None where it cannot be preprocessed."""
    with tempfile.TemporaryDirectory(prefix="pygfp-") as name:
        workdir = Path(name)
        for include in _INCLUDE.findall(table_header):
            target = (workdir / "stub" / include.decode(errors="replace")).resolve()
            if target.is_relative_to((workdir / "stub").resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("")
        (workdir / "mmflags.h").write_bytes(table_header)
        lines = [f"#define {symbol} 1" for symbol in symbols]
        lines += ["#include <pygfp/compiler.h>", '#include "mmflags.h"', "pygfp_names __def_gfpflag_names"]
        (workdir / "trace.c").write_text("\n".join(lines) + "\n")
        arguments = ["-E", "-P", "-Istub", *compiler.SEMANTIC_FLAGS, *attempt.include_flags(), "trace.c"]
        try:
            done = compiler.run(compiler.find().command, arguments, cwd=workdir)
        except BuildError:
            return None
    names = re.findall(r'"(_{0,2}GFP_\w+)"', done.stdout.partition("pygfp_names")[2])
    return list(dict.fromkeys(names)) if done.ok and names else None
