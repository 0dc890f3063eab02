# SPDX-License-Identifier: GPL-2.0-only
"""What the examples share: two more trees to compare with. Yours would be directories of kernels that you have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pygfp
from pygfp.sources import csrc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Path]:
    """Return a function that makes a tree of the bundled headers with one line of one file replaced."""

    def make(file: str, old: str, new: str) -> Path:
        tree = tmp_path_factory.mktemp("tree")
        for path in csrc().glob("include/linux/*.h"):
            target = tree / "include/linux" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text()
            target.write_text(text.replace(old, new, 1) if path.name == file else text)
        assert old in (csrc() / "include/linux" / file).read_text()
        return tree

    return make


@pytest.fixture(scope="session")
def vendor(edited: Callable[[str, str, str], Path]) -> pygfp.Kernel:
    """A vendor's kernel: one flag more, on the bit that upstream leaves free."""
    line = "#define __GFP_BITS_MASK"
    tree = edited("gfp_types.h", line, f"#define __GFP_CMA ((__force gfp_t)0x200u)\n{line}")
    return pygfp.load(tree)
