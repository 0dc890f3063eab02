# SPDX-License-Identifier: GPL-2.0-only
"""
Second opinions on every input: other compilers, no optimisation, sanitizers, sparse. Prints Markdown tables.

    python trust/second.py                     everything
    python trust/second.py sanitizers --bits 20   some of it; the lowest 2^20 inputs only

Exits with 1 where one opinion differs from another, or a sanitizer or sparse finds something.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import kernels  # noqa: E402 - the tests know where real headers come from
import sanitize  # noqa: E402 - ditto

from pygfp import releases, sources  # noqa: E402 - below the path, as every other
from pygfp.checking.view import defined_bits  # noqa: E402
from pygfp.config import Selection  # noqa: E402
from pygfp.model.helpers import WANTED  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = tuple[str | int, ...]

COMPILERS = ("gcc", "clang")
SAME = ("id", "status", "config", "configs", "inputs", "mismatches", "first", "smallest", "form", "line", "message")

#: What is not needed on every input: that a sweep finds witnesses, judges laws and compares with another build.
SHARE = 20


def main() -> int:
    """Print the tables that were asked for and return the exit status."""
    parser = argparse.ArgumentParser(description="Second opinions on every input.")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; default: all")
    parser.add_argument("--bits", type=int, help="sanitizers: the lowest 2^BITS inputs only; default: every input")
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    with tempfile.TemporaryDirectory(prefix="trust-second-") as work:
        os.environ["XDG_CACHE_HOME"] = str(Path(work) / "cache")
        trees = _trees(Path(work))
        results = []
        for name in arguments.tables or TABLES:
            for row in TABLES[name](trees, Path(work), arguments.bits):
                print(f"| {' | '.join(map(str, row))} |", flush=True)
                results.append(str(row[-1]))
            print(flush=True)
    return int(any(r not in {"the same", "clean", "result"} and set(r) != {"-"} for r in results))


def _trees(work: Path) -> dict[str, Path]:
    """A copy of the bundled subset, which is compiled anew each time, and two real releases."""
    bundled = work / "bundled"
    shutil.copytree(ROOT / "csrc", bundled)
    return {"bundled": bundled, "6.1": kernels.headers("6.1.0"), "6.12": kernels.headers("6.12")}


def _compiler(work: Path, compiler: str, level: str) -> str:
    """A compiler that optimises as *level* says: of several -O the last one counts."""
    program = work / f"{compiler}{level}"
    program.write_text(f'#!/bin/sh\nexec {compiler} "$@" {level}\n')
    program.chmod(0o755)
    return str(program)


def _check(tree: Path, compiler: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "pygfp", "check", "--format", "json", *options, str(tree)]
    done = subprocess.run(
        command, env={**os.environ, "CC": compiler}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise SystemExit(f"{compiler}: {done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def verdicts(trees: dict[str, Path], work: Path, _: int | None) -> Iterator[Row]:
    """Yield whether the verdicts are those of gcc -O3, by source, compiler and level."""
    yield "source", "compiler", "level", "verdicts", "inputs", "result"
    yield ("---",) * 6
    for name, tree in trees.items():
        first: list[dict[str, Any]] = []
        for compiler in COMPILERS:
            for level in ("-O3", "-O0"):
                report = _check(tree, _compiler(work, compiler, level))
                found = [{key: check[key] for key in SAME} for check in report["checks"]]
                first = first or found
                inputs = sum(c["inputs"] for c in found if c["id"].startswith("helper."))
                differing = [a["id"] for a, b in zip(found, first, strict=False) if a != b]
                same = found == first
                result = "the same" if same else f"{', '.join(differing) or 'other checks'} differ"
                yield name, compiler, level, len(found), f"{inputs:,}", result


def sanitizers(trees: dict[str, Path], work: Path, bits: int | None) -> Iterator[Row]:
    """Yield what ASan and UBSan find, by source and compiler."""
    yield "source", "compiler", "job", "jobs", "inputs each", "of", "result"
    yield ("---",) * 7
    for name, tree in trees.items():
        source = sources.resolve(str(tree))
        with sanitize.opened(source, Selection(), WANTED) as session:
            width = defined_bits(session.build, releases.reference(source.release))
            for compiler in COMPILERS:
                directory = work / f"{name}-{compiler}"
                directory.mkdir()
                made = sanitize.program(source, directory, compiler)
                for what in ("right", "wrong", "laws", "versus"):
                    n_bits = min(width if what == "right" else SHARE, bits or width)
                    wanted = [t for t in sanitize.tasks(session, width, [(0, 1 << n_bits)]) if t.what == what]
                    if not wanted:
                        continue
                    result = _sanitized(session, made, wanted)
                    yield name, compiler, what, len(wanted), f"2^{n_bits}", f"2^{width}", result


def _sanitized(session: Any, made: Path, wanted: list[sanitize.Task]) -> str:  # noqa: ANN401 - a session
    try:
        found = sanitize.answers(made, wanted, timeout_s=24 * 3600)
    except sanitize.SanitizerError as exc:
        return " ".join(str(exc).split())[:200]
    differing = {t.job.helper for t, f in zip(wanted, found, strict=True) if f != sanitize.expected(session, t)}
    return f"{', '.join(sorted(differing))}: other tallies" if differing else "clean"


def sparse(trees: dict[str, Path], _: Path, __: int | None) -> Iterator[Row]:
    """Yield what sparse finds, by source."""
    yield "source", "text", "result"
    yield ("---",) * 3
    for name, tree in {**trees, **{f"{n} whole tree": kernels.sources(n) for n in ("6.1", "6.12")}}.items():
        found = [c for c in _check(tree, "gcc", "--sparse")["checks"] if c["kind"] == "sparse"]
        wrong = [c["message"] for c in found if c["status"] != "pass"]
        yield name, found[0]["message"], "; ".join(wrong) or "clean"


TABLES: dict[str, Callable[[dict[str, Path], Path, int | None], Iterator[Row]]] = {
    "verdicts": verdicts,
    "sanitizers": sanitizers,
    "sparse": sparse,
}

if __name__ == "__main__":
    sys.exit(main())
