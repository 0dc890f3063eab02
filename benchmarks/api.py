# SPDX-License-Identifier: GPL-2.0-only
"""
What the Python API and the pytest plugin cost, as ratios measured side by side in one run. A benchmark, not a test.

    python benchmarks/api.py
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pygfp
from pygfp.sources import csrc

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 9
CALLS = 100_000

TEST = """
import pytest

@pytest.mark.parametrize("n", range(8))
def test_it(gfp, n):
    assert gfp.gfp_nested_mask(0) == 0x92000
"""


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that *action* takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def pytest_start() -> None:
    """Time the import of the plugin, and an empty pytest run with it and without, in turn."""
    clock = "time.perf_counter()"
    code = f"import time, pytest; t = {clock}; import pygfp.pytest_plugin; print({clock} - t)"
    imports = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(RUNS)]
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "test_it.py").write_text("def test_it(): pass\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", name]

        def run(*options: str) -> None:
            subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, cwd=name)

        without, with_it = [], []
        for _ in range(RUNS):
            without.append(timed(lambda: run("-p", "no:pygfp")))
            with_it.append(timed(run))
    unit = statistics.median(without)
    print(f"import of the unused plugin: {1000 * statistics.median(imports):.1f} ms")
    print(f"an empty pytest run with it: {statistics.median(with_it) / unit:.3f} x one without ({unit:.2f} s)")


def scalar_calls() -> None:
    """Time scalar calls against a call of a Python function that does nothing, in turn."""
    kernel = pygfp.load("bundled")
    functions = {
        "an empty Python function": lambda mask: mask,
        "gfp_nested_mask(), which returns a Mask": kernel.gfp_nested_mask,
        "gfpflags_allow_blocking(), which returns a bool": kernel.gfpflags_allow_blocking,
        "gfp_zone(), which returns an int": kernel.gfp_zone,
    }
    inputs = [4 * n for n in range(CALLS // 4)] * 4

    def loop(function: Callable[[int], object]) -> None:
        for x in inputs:
            function(x & ~7)

    spent: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(RUNS):
        for name, function in functions.items():
            spent[name].append(timed(lambda function=function: loop(function)))
    unit = min(spent["an empty Python function"])
    for name, seconds in spent.items():
        rate = CALLS / min(seconds) / 1e6
        print(f"{name:<50} {min(seconds) / unit:5.2f} x an empty one, {rate:5.2f} million a second")


def ways_of_sweeping() -> None:
    """Time each way that a sweep can take on the same question, an input."""
    kernel = pygfp.load("bundled")
    nested, io = kernel.gfp_nested_mask, kernel["__GFP_IO"]
    ways = {
        "a form": (nested, pygfp.Model(kernel).gfp_nested_mask, None),
        "a callable that is followed to a form": (nested, lambda mask: nested(nested(mask)), None),
        "one that is followed, in arrays": (nested, lambda mask: nested(mask) if mask & io else mask, None),
        "one that cannot be followed": (nested, lambda mask: nested(int(mask)), range(1 << 16)),
    }
    kernel.sweep(nested, nested)
    unit = 0.0
    for name, (left, right, domain) in ways.items():
        found = kernel.sweep(left, right, domain)
        per_input = timed(lambda a=left, b=right, d=domain: kernel.sweep(a, b, d)) / found.inputs
        unit = unit or per_input
        print(f"a sweep against {name:<40} {per_input / unit:10,.1f} x the first, an input ({found.how})")


def one_compile() -> None:
    """Count the compiler's runs for 1, 2 and 4 xdist workers on a cold cache, and time them."""
    for workers in (1, 2, 4):
        with tempfile.TemporaryDirectory() as name:
            tree, log, compiler = Path(name) / "tree", Path(name) / "log", Path(name) / "cc"
            shutil.copytree(csrc() / "include", tree / "include")
            compiler.write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec gcc "$@"\n')
            compiler.chmod(0o755)
            (Path(name) / "test_it.py").write_text(TEST)
            env = {**os.environ, "CC": str(compiler), "XDG_CACHE_HOME": str(Path(name) / "cache")}
            command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), f"--gfp-source={tree}", name]
            seconds = timed(lambda: subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL, cwd=name))  # noqa: B023
            builds = sum("-shared" in line for line in log.read_text().splitlines())
            print(f"{workers} workers on a cold cache: {builds} objects are compiled, {seconds:.1f} s in all")


def main() -> None:
    """Run every benchmark."""
    pytest_start()
    scalar_calls()
    ways_of_sweeping()
    one_compile()


if __name__ == "__main__":
    main()
