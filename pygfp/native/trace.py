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
from . import build, compiler

if TYPE_CHECKING:
    from collections.abc import Sequence

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.M)


def trace_names(table_header: bytes, symbols: Sequence[str]) -> list[str] | None:
    """
    Return the names in the order of the table in ``mmflags.h``; None where it cannot be preprocessed.

    :param table_header: content of ``include/trace/events/mmflags.h``
    :param symbols: CONFIG symbols to switch on, so that no name is left out
    """
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
        arguments = ["-E", "-P", "-Istub", *compiler.SEMANTIC_FLAGS, *build.include_flags(), "trace.c"]
        try:
            done = compiler.run(compiler.find().command, arguments, cwd=workdir)
        except BuildError:
            return None
    names = re.findall(r'"(_{0,2}GFP_\w+)"', done.stdout.partition("pygfp_names")[2])
    return list(dict.fromkeys(names)) if done.ok and names else None
