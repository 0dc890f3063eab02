# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp audit`` of a whole kernel tree next to ``spatch`` on the nearest semantic patch, one after the other.

Run it as ``python benchmarks/audit.py TREE``. It needs an unpacked kernel source and coccinelle. Both get two
jobs. The tree is read once before, so that neither pays for a cold cache.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
JOBS = "2"


class Cost(NamedTuple):
    """What a run took: seconds of wall and processor time, MiB of the largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def measured(command: list[str]) -> Cost:
    """Run *command* and return what it took, its children's time included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        env = {**os.environ, "XDG_CACHE_HOME": scratch}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=scratch)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command[0]} ends with {done.returncode}: {done.stderr[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, after.ru_maxrss / 1024, done.stdout)


def warm(tree: Path) -> int:
    """Read every C file once; return how many there are."""
    count = 0
    for path in tree.rglob("*.[ch]"):
        if path.is_file() and not path.is_symlink():
            path.read_bytes()
            count += 1
    return count


def main() -> None:
    """Measure both and print the ratio."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - one argument
        sys.exit("usage: python benchmarks/audit.py TREE")
    tree = Path(sys.argv[1]).resolve()
    print(f"{tree.name}: {warm(tree):,} C files, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ours = measured([sys.executable, "-m", "pygfp", "audit", "-j", JOBS, str(tree)])
    print(f"pygfp audit  {ours.wall_s:7.1f} s  processor {ours.cpu_s:7.1f} s  largest process {ours.peak_mb:6.0f} MiB")
    print(f"             {ours.output.splitlines()[-1]}")
    patch = str(HERE / "mask.cocci")
    options = ["--very-quiet", "--no-includes", "--include-headers", "-j", JOBS]
    theirs = measured(["spatch", "--sp-file", patch, *options, "--dir", str(tree)])
    found = sum(line.startswith("-") and not line.startswith("---") for line in theirs.output.splitlines())
    print(f"spatch       {theirs.wall_s:7.1f} s  processor {theirs.cpu_s:7.1f} s  {found} lines marked")
    by_clock, of_processor = theirs.wall_s / ours.wall_s, theirs.cpu_s / ours.cpu_s
    print(f"spatch / pygfp: {by_clock:.1f} by the clock, {of_processor:.1f} of the processor")


if __name__ == "__main__":
    main()
