# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp extract``: the text that is compiled, on disk, with the shims and a unit that includes it all.
"""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from .errors import UsageError
from .extract import extract
from .native.build import write_subset
from .native.compiler import SEMANTIC_FLAGS
from .sources import csrc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .sources import Source


def export(source: Source, wanted: Sequence[str], directory: Path) -> list[str]:
    """
    Write what is compiled of *source* into *directory*, which must be new or empty; return what to tell.

    ``unit.c`` includes everything, with every CONFIG symbol off; ``flags`` holds the compiler's arguments.

    :raises UsageError: *directory* holds files, or is none
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        message = f"-o {directory}: expected a new or empty directory; nothing was written"
        raise UsageError(message)
    subset = extract(source, wanted)
    directory.mkdir(parents=True, exist_ok=True)
    write_subset(subset, directory)
    shutil.copytree(csrc() / "shim", directory / "shim")
    includes = "".join(f'#include "{path}"\n' for path in subset.order)
    (directory / "unit.c").write_text(
        "/* SPDX-License-Identifier: GPL-2.0-only */\n"
        "/* Compiles what pygfp extracted; add -DCONFIG_X=1 to switch a symbol on. */\n"
        "#define MAX_NR_ZONES __MAX_NR_ZONES\n"
        "#ifndef ZONES_SHIFT\n#define ZONES_SHIFT 2\n#endif\n"
        "#include <pygfp/compiler.h>\n#include <pygfp/kernel.h>\n#include <pygfp/types.h>\n"
        "extern void pygfp_build_bug(void);\n" + includes
    )
    # The kernel compiles without that warning too.
    flags = [*SEMANTIC_FLAGS, "-Wno-unused-parameter", "-I.", "-Iinclude", "-Ishim", "-Istub"]
    (directory / "flags").write_text("\n".join(flags) + "\n")
    lines = [f"{directory / path}" for path in (*subset.order, "shim", "unit.c", "flags")]
    lines += [f"reduced: {left.path}: {left.reason}" for left in subset.left_out]
    lines += [f"note: {note}" for note in (*subset.notes, *(str(e) for e in subset.broken.values()))]
    return [*lines, f"compile it: cd {shlex.quote(str(directory))} && gcc @flags -c unit.c -o /dev/null"]
