# SPDX-License-Identifier: GPL-2.0-only
"""
Two more trees for the examples to compare with. Yours would be directories of kernels that you have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygfp
from pygfp.sources import csrc

if TYPE_CHECKING:
    from pathlib import Path


def edited(directory: Path, file: str, old: str, new: str) -> Path:
    """Write the bundled headers below *directory*, with the first *old* in *file* replaced; return the directory."""
    for path in csrc().glob("include/linux/*.h"):
        target = directory / "include/linux" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        target.write_text(text)
    return directory


def vendor_kernel(directory: Path) -> pygfp.Kernel:
    """Return a vendor's kernel: one flag more, on the bit that upstream leaves free."""
    line = "#define __GFP_BITS_MASK"
    return pygfp.load(edited(directory, "gfp_types.h", line, f"#define __GFP_CMA ((__force gfp_t)0x200u)\n{line}"))
