# SPDX-License-Identifier: GPL-2.0-only
"""
Reading masks: how long one takes as a user waits for it, and a log of a million lines.

    python benchmarks/decode.py [TREE]

Ratios are to what the machine needs anyway: an interpreter that does nothing, a copy of the log.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pygfp import sources

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = 1_000_000
RUNS = 11
_OTHER = "[{:6d}.{:06d}] usb 1-1: new high-speed USB device number {} using xhci_hcd, and some more words\n"
_OOM = "[{:6d}.{:06d}] stress invoked oom-killer: gfp_mask={:#x}(GFP_KERNEL|__GFP_ZERO), order={}, oom_score_adj=0\n"
_TRACE = "  kworker/0:1-{:6d} [000] ..... 12.{:06d}: kmalloc: bytes_req=8 bytes_alloc=8 gfp_flags={:#x} node={}\n"


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that *action* takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def pygfp(*arguments: object) -> list[str]:
    """Return the command line of pygfp with *arguments*."""
    return [sys.executable, "-m", "pygfp", *map(str, arguments)]


def run(command: list[str]) -> None:
    """Run *command* to its end, its output thrown away."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def one_mask(tree: Path) -> None:
    """Time ``pygfp decode`` of one mask, side by side with an interpreter that does nothing."""
    ways = {
        "an interpreter that does nothing": [sys.executable, "-c", "pass"],
        "pygfp decode --release": pygfp("decode", "0x140dca", "--release", "6.12"),
        "pygfp decode, a source that is known": pygfp("decode", "0x140dca", "--source", tree),
        "pygfp encode --release, with a helper": pygfp("encode", "gfp_nested_mask(GFP_NOFS)", "--release", "6.12"),
    }
    for command in ways.values():
        run(command)  # whatever is kept after a first run is kept now
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, command in ways.items():
            seconds[name].append(timed(lambda command=command: run(command)))
    unit = statistics.median(seconds["an interpreter that does nothing"])
    for name, found in seconds.items():
        middle = statistics.median(found)
        print(f"{name:<58} {middle / unit:8.2f} x the interpreter  ({middle:.3f} s)")


def log(path: Path, every: int) -> None:
    """Write a log of LINES lines, of which one in *every* holds a mask."""
    draw = random.Random(1)  # noqa: S311 - the same log every time
    masks = [0xDC0, 0xCC0, 0x140DCA, 0xA20, 0x92C40, 0x1000CC0]
    with path.open("w") as stream:
        for n in range(LINES):
            if n % every:
                stream.write(_OTHER.format(n, n, n % 127))
            elif every > 1:
                stream.write(_OOM.format(n, n, 0xDC0, n % 4))
            else:
                stream.write(_TRACE.format(n % 5000, n, draw.choice(masks), n % 2))


def annotated(path: Path, title: str) -> None:
    """Time ``pygfp decode -`` on the log in *path*, side by side with a copy of it, and take its peak memory."""
    out = path.with_suffix(".out")

    def annotate() -> None:
        with path.open("rb") as stream, out.open("wb") as target:
            command = pygfp("decode", "-", "--release", "6.12")
            subprocess.run(command, stdin=stream, stdout=target, stderr=subprocess.DEVNULL, check=False)

    def copy() -> None:
        with path.open("rb") as stream, out.open("wb") as target:
            subprocess.run(["cat"], stdin=stream, stdout=target, check=True)

    copies, found = [], []
    for _ in range(3):
        copies.append(timed(copy))
        found.append(timed(annotate))
    seconds = statistics.median(found)
    print(f"{title:<58} {seconds / statistics.median(copies):8.2f} x cat  ({seconds:.2f} s)")


def memory(path: Path) -> None:
    """Print the peak memory of reading the log in *path*, and of reading a hundredth of it."""
    small = path.with_suffix(".small")
    with path.open("rb") as stream:
        small.write_bytes(stream.read(path.stat().st_size // 100))
    code = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[2:], stdin=open(sys.argv[1], 'rb'), "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = pygfp("decode", "-", "--release", "6.12")
    peaks = [
        int(subprocess.run([sys.executable, "-c", code, file, *command], capture_output=True, check=True).stdout)
        for file in (small, path)
    ]
    print(f"peak memory of a log, and of a hundredth of it: {peaks[1] / 1024:.0f} MB and {peaks[0] / 1024:.0f} MB")


def main(tree: Path | None = None) -> None:
    """Run every benchmark; *tree* is the source that is decoded for."""
    with tempfile.TemporaryDirectory() as name:
        os.environ.setdefault("XDG_CACHE_HOME", str(Path(name) / "cache"))
        if tree is None:
            tree = Path(name) / "tree"
            shutil.copytree(sources.csrc() / "include", tree / "include")
        one_mask(tree)
        for every, title in (
            (1000, "a log of 1,000,000 lines, one in 1000 with a mask"),
            (1, "... every line with one"),
        ):
            path = Path(name) / "log"
            log(path, every)
            annotated(path, title)
            memory(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
