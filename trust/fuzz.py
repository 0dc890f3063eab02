# SPDX-License-Identifier: GPL-2.0-only
"""
The properties and attacks of ``tests/fuzzing.py`` and ``tests/attacks.py`` with a large budget, as tables.

    python trust/fuzz.py --minutes 20 [--only WORD] [--seed N]

Each property is drawn from in turn, with another seed each time, until its part of the budget is used. What is refused
ended in one of pygfp's own errors, where it may; the rest was read. The exit status is 1 where a property did not hold,
or an attack was not survived.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

# They stand with the tests, which have no types for others.
attacks: Any = importlib.import_module("attacks")
fuzzing: Any = importlib.import_module("fuzzing")

#: Characters of each attack, and seconds for all of them: a guard against hangs.
SIZE, GUARD_S = 100_000, 3600


def main() -> int:
    """Run what the command line asks for, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all properties together (default: 10)")
    parser.add_argument("--only", default="", help="properties that have this in their name, and no attacks")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    chosen = [p for p in fuzzing.PROPERTIES if arguments.only in p.name]
    with tempfile.TemporaryDirectory(prefix="pygfp-fuzz-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        failed = _properties(chosen, 60 * arguments.minutes / max(len(chosen), 1), arguments.seed)
    if not arguments.only:
        print()
        failed += _attacks()
    return 1 if failed else 0


def _properties(chosen: list[Any], budget_s: float, seed: int) -> int:
    """Print a row for each property; return how many did not hold."""
    print("| property | examples | refused | failures |\n|---|---:|---:|---:|")
    failures: list[str] = []
    for prop in chosen:
        until = time.monotonic() + budget_s
        examples = refused = failed = 0
        numbers = random.Random(f"{seed} {prop.name}")
        while time.monotonic() < until and not failed:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    more, of_them = fuzzing.run(prop, prop.examples * 5, numbers.randrange(1 << 32))
                examples, refused = examples + more, refused + of_them
            except Exception as exc:  # noqa: BLE001 - what is looked for
                failed = 1
                notes = "\n".join(getattr(exc, "__notes__", ()))
                failures.append(f"{prop.name}: {type(exc).__name__}: {exc}\n{notes}")
        print(f"| {prop.name} | {examples:,} | {refused:,} | {failed} |", flush=True)
    for text in failures:
        print(f"\n{text}", file=sys.stderr)
    return len(failures)


def _attacks() -> int:
    """Print a row for each reader with the worst of its attacks; return how many were not survived."""
    print(f"| reader | attacks of {SIZE:,} characters | slowest | processor time | peak memory of the process |")
    print("|---|---:|---|---:|---:|")
    lost = 0
    for reader, (_, cases) in attacks.READERS.items():
        command = [sys.executable, attacks.__file__, str(SIZE), reader]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S, check=False)
            output, said = done.stdout, done.stderr
        except subprocess.TimeoutExpired as exc:
            output, said = (exc.stdout or b"").decode(), f"not done within {GUARD_S} s"
        rows = [row for row in map(json.loads, output.splitlines()) if "seconds" in row]
        if len(rows) < len(cases):
            lost += 1
            print(f"{reader}: {output.splitlines()[-1:]}: {said[-2000:]}", file=sys.stderr)
        worst = max(rows, key=lambda row: row["seconds"], default={"attack": "none", "seconds": 0.0, "peak_mib": 0})
        peak = max((row["peak_mib"] for row in rows), default=0)
        survived = f"{len(rows)} of {len(cases)}"
        print(f"| {reader} | {survived} | {worst['attack']} | {worst['seconds']:.2f} s | {peak} MiB |", flush=True)
    return lost


if __name__ == "__main__":
    sys.exit(main())
