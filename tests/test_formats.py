# SPDX-License-Identifier: GPL-2.0-only
"""The formats for machines, each read back by its real reader."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

GFP_H = "include/linux/gfp.h"


def edit(tree: Path, old: str, new: str) -> Path:
    """Replace *old*, which occurs once, in gfp.h of *tree*."""
    path = tree / GFP_H
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return tree


def kunit(tree: Path, text: str) -> tuple[int, dict[str, int], str]:
    """Exit status, counts by status and output of the kernel's own reader."""
    command = [sys.executable, tree / "tools/testing/kunit/kunit.py", "parse"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    total = re.search(r"Testing complete\. Ran (\d+) tests:(.*)", done.stdout)
    assert total, done.stdout + done.stderr
    counts = {name: int(n) for name, n in re.findall(r"(\w+): (\d+)", total.group(2))}
    assert sum(counts.values()) == int(total.group(1))
    return done.returncode, counts, done.stdout


class TestKtap:
    """``kunit.py parse`` understands what pygfp says."""

    def test_a_report_that_passes(self, run: Run, source_6_12: Path) -> None:
        status, out, _ = run("check", "--format", "ktap")
        assert status == 0
        code, counts, _ = kunit(source_6_12, out)
        assert (code, list(counts)) == (0, ["passed"])

    def test_a_report_that_fails(self, run: Run, source_6_12: Path, bundled_tree: Path) -> None:
        edit(bundled_tree, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;")
        status, out, _ = run("check", bundled_tree, "--format", "ktap")
        code, counts, shown = kunit(source_6_12, out)
        assert (status, code) == (1, 1)
        assert counts == {"passed": 116, "failed": 8}
        assert "smallest  0x100  __GFP_ZERO" in shown
