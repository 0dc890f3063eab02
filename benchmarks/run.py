# SPDX-License-Identifier: GPL-2.0-only
"""
Speed and memory, as ratios measured side by side in one run. A benchmark, not a test: nothing fails here.

    python benchmarks/run.py [TREE]

TREE is the tree whose edit is timed; default: a copy of the bundled subset (the newest release's layout).
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import decode

from pygfp import sources
from pygfp.config import Selection
from pygfp.forms import MaskFilter
from pygfp.model.helpers import HELPERS, WANTED, Context
from pygfp.model.policy import Policy
from pygfp.native.jobs import Job
from pygfp.native.session import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygfp.flags import FlagTable

HERE = Path(__file__).resolve().parent
RUNS = 7


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that *action* takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def show(what: str, seconds: list[float], unit: float, against: str) -> None:
    """Print the median of *seconds* as a ratio to *unit*."""
    middle = statistics.median(seconds)
    spread = f"{min(seconds) / unit:.2f}-{max(seconds) / unit:.2f}"
    print(f"{what:<58} {middle / unit:8.2f} x {against}  ({spread})")


def check(tree: Path, *options: str) -> None:
    """Run the command line on *tree*, as a user does."""
    subprocess.run(
        [sys.executable, "-m", "pygfp", "check", "-q", *options, tree], check=False, stdout=subprocess.DEVNULL
    )


def edit_to_verdict(tree: Path) -> None:
    """Time an edit of gfp.h and the same again, against one run of the compiler on the same text."""
    header = tree / "include/linux/gfp.h"
    text = header.read_text()
    edited, again, compiled = [], [], []
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(
            [sys.executable, "-m", "pygfp", "extract", tree, "-o", Path(name) / "subset"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        compile_once = ["gcc", "@flags", "-O2", "-c", "unit.c", "-o", "/dev/null"]
        for n in range(RUNS):
            header.write_text(f"{text}\n/* edit {n} {time.time_ns()} */\n")
            edited.append(timed(lambda: check(tree)))
            again.append(timed(lambda: check(tree)))
            compiled.append(timed(lambda: subprocess.run(compile_once, cwd=Path(name) / "subset", check=True)))
    header.write_text(text)
    unit = statistics.median(compiled)
    print(f"one gcc -O2 run on the same text: {unit:.3f} s on this machine, {os.cpu_count()} cores")
    show("edit of gfp.h to verdict (all helpers, all configurations)", edited, unit, "one gcc run")
    show("the same again, nothing changed", again, unit, "one gcc run")
    print(f"  in seconds here: {statistics.median(edited):.3f} and {statistics.median(again):.3f}")


def full_sweep(tree: Path) -> None:
    """Time 2^32 inputs of gfp_nested_mask() against a hand-written loop, on all cores, in turn."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, opened(sources.tree(tree), Selection(), WANTED) as session:
        program = Path(name) / "loop"
        subprocess.run(["gcc", "-O3", "-march=native", "-pthread", HERE / "loop.c", "-o", program], check=True)
        meaning = next(h for h in session.build.helpers if h.name == "gfp_nested_mask").meanings[0]
        values = [o.value for o in session.pool.call(meaning.segment, "gfp_nested_mask", [0, (1 << 32) - 1])]
        job = Job(meaning.segment, "gfp_nested_mask", MaskFilter(values[1] & ~values[0], values[0]), 1 << 32)
        by_hand, swept = [], []
        for _ in range(RUNS):
            by_hand.append(timed(lambda: subprocess.run([program, str(cores)], check=True, stdout=subprocess.DEVNULL)))
            swept.append(timed(lambda: session.pool.sweep([job])))
        unit = statistics.median(by_hand)
        print(f"hand-written C loop over 2^32 inputs: {unit:.3f} s on {cores} cores")
        show("full sweep of gfp_nested_mask (2^32 inputs)", swept, unit, "hand-written loop")
        per_value(session.table(session.build.segments[meaning.segment]), unit / (1 << 32))


def per_value(table: FlagTable, loop_s: float) -> None:
    """For scale: one cffi call a value, compared with the model in plain Python."""
    from pygfp._bundled import lib  # noqa: PLC0415 - made at install time

    model = HELPERS[0].meaning(Context({}, {}, (7, 3), Policy()))
    n = 100_000

    def compare() -> None:
        for x in range(n):
            if lib.gfp_nested_mask(x) != model.scalar(x, table).value:
                message = f"the bundled C and the model differ on {x:#x}"
                raise AssertionError(message)

    seconds = timed(compare) / n
    print(f"one cffi call and one model call a value: {seconds / loop_s:,.0f} x hand-written loop, a value")


def memory(tree: Path) -> None:
    """Print the peak memory of a cold check: the largest single process of it."""
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "XDG_CACHE_HOME": cache}
        subprocess.run(
            [sys.executable, "-m", "pygfp", "check", "-q", tree], check=False, env=env, stdout=subprocess.DEVNULL
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of a check from scratch, largest process: {peak:.0f} MB")


def private_copy(source: Path, target: Path) -> Path:
    """Return *target* with a copy of what pygfp reads of the tree *source*."""
    shutil.copytree(source / "include/linux", target / "include/linux")
    for extra in ("Makefile", "include/trace/events/mmflags.h"):
        if (source / extra).is_file():
            (target / extra).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / extra, target / extra)
    return target


def main() -> None:
    """Run every benchmark on a private copy of the tree, with a private cache."""
    import diff  # noqa: PLC0415 - it takes from here what it shares

    source = Path(sys.argv[1]) if len(sys.argv) > 1 else sources.csrc()
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = str(Path(name) / "cache")
        tree = private_copy(source, Path(name) / "tree")
        memory(tree)
        edit_to_verdict(tree)
        diff.measure(tree)
        full_sweep(tree)
        decode.main(tree)


if __name__ == "__main__":
    main()
