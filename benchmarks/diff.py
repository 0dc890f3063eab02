# SPDX-License-Identifier: GPL-2.0-only
"""
How long ``pygfp diff`` takes, in runs of the compiler on the same text. A benchmark, not a test: nothing fails here.

    python benchmarks/diff.py [TREE [OTHER]]

With OTHER, another release say, the diff of both is timed as well.
"""

from __future__ import annotations

import difflib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import RUNS, private_copy, show, timed

from pygfp import sources

GFP_H = "include/linux/gfp.h"


def diff(*arguments: str | Path, cache: Path | None = None) -> None:
    """Run the command line, as a user does, with a cache of its own where that is said."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": str(cache)} if cache else {})}
    command = [sys.executable, "-m", "pygfp", "diff", "-q", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment)
    if done.returncode not in {0, 1}:
        message = f"{' '.join(map(str, command))} gave {done.returncode}"
        raise RuntimeError(message)


def edited(text: str, n: int) -> str:
    """Return a gfp.h with another meaning, and in every run another text: builds of an earlier one do not count."""
    changed = text.replace("__GFP_NOLOCKDEP)", "__GFP_NOLOCKDEP | __GFP_ZERO)", 1)
    changed = text.replace("| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;", 1) if changed == text else changed
    return f"{changed}\n/* edit {n} {time.time_ns()} */\n"


def measure(tree: Path, other: Path | None = None) -> None:
    """Time a diff of *tree* and an edit of it: cached, uncached, and as a patch; each beside one compile."""
    text = (tree / GFP_H).read_text()
    cached, fresh, patched, compiled, apart = [], [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        private = Path(name)
        new = private_copy(tree, private / "new")
        extract = [sys.executable, "-m", "pygfp", "extract", tree, "-o", private / "subset"]
        subprocess.run(extract, check=True, stdout=subprocess.DEVNULL)
        compile_once = ["gcc", "@flags", "-O2", "-c", "unit.c", "-o", "/dev/null"]
        for n in range(RUNS):
            after = edited(text, n)
            (new / GFP_H).write_text(after)
            lines = difflib.unified_diff(text.splitlines(keepends=True), after.splitlines(keepends=True), GFP_H, GFP_H)
            (private / "patch").write_text("".join(lines))
            compiled.append(timed(lambda: subprocess.run(compile_once, cwd=private / "subset", check=True)))
            fresh.append(timed(lambda n=n: diff(tree, new, cache=private / f"cache-{n}")))  # type: ignore[misc]
            patched.append(timed(lambda: diff("--patch", private / "patch", tree)))
            cached.append(timed(lambda n=n: diff(tree, new, cache=private / f"cache-{n}")))  # type: ignore[misc]
            if other:
                diff(tree, other)
                apart.append(timed(lambda: diff(tree, other)))
    unit = statistics.median(compiled)
    print(f"one gcc -O2 run on the same text: {unit:.3f} s on this machine, {os.cpu_count()} cores")
    show("diff of two sources, both in the cache", cached, unit, "one gcc run")
    show("diff of two sources, neither in the cache", fresh, unit, "one gcc run")
    show("diff --patch, the tree in the cache", patched, unit, "one gcc run")
    rows = [cached, fresh, patched]
    if other:
        show("diff of two trees, both in the cache", apart, unit, "one gcc run")
        rows.append(apart)
    print(f"  in seconds here: {', '.join(f'{statistics.median(s):.3f}' for s in rows)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_CACHE_HOME"] = str(Path(directory) / "cache")
        given = [Path(a) for a in sys.argv[1:]] or [sources.csrc()]
        first, *others = (private_copy(one, Path(directory) / f"tree-{n}") for n, one in enumerate(given))
        measure(first, others[0] if others else None)
