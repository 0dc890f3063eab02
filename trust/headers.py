# SPDX-License-Identifier: GPL-2.0-only
"""
How many wrong headers slip through: mutants of real and bundled headers, each judged by pygfp, and each verdict held
against an oracle. Prints Markdown tables, and on stderr what slips through.

    python trust/headers.py [-n 2000] [-j 2] [--seed N] [--keep results.jsonl]

A run that was interrupted goes on where it stopped, with the same seed and the same file of results.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mutants import judging, kinds, sites, table, tokens

from pygfp import sources

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Result = dict[str, Any]
    Results = multiprocessing.Queue[Result | str | None]

#: What mutants are made of, and how many of each hundred; the share of two at a time, and of what is not judged.
ORIGINS = {"6.12": 40, "6.1": 30, "bundled": 30}
DOUBLES, OUTSIDE = 0.3, 0.03

#: The outcomes that are bugs of pygfp, or of this program.
BAD = {judging.SURVIVOR, judging.FALSE_ALARM, judging.WRONG}


class Draw:
    """
    Draws mutants by number: the same number and seed give the same one, whatever was drawn before.

    :ivar origins: what they are made of, by name
    """

    def __init__(self, origins: Mapping[str, tokens.Origin]) -> None:
        """Take *origins*, by name."""
        self.origins = origins
        self.sites = {name: sites.Sites(origin) for name, origin in self.origins.items()}
        self.outside = {name: sites.Sites(origin, judged=False) for name, origin in self.origins.items()}

    def mutant(self, seed: str, number: int) -> tuple[str, kinds.Mutant]:
        """Return what mutant *number* is made of, and the mutant."""
        rng = random.Random(f"{seed} {number}")
        name = rng.choices(list(self.origins), [ORIGINS[n] for n in self.origins])[0]
        if name != "bundled" and rng.random() < OUTSIDE:
            return name, kinds.single(self.outside[name], rng)
        make = kinds.double if rng.random() < DOUBLES else kinds.single
        return name, make(self.sites[name], rng)


def opened(name: str) -> tokens.Origin:
    """Return the headers *name*: a series of releases, or ``bundled``."""
    if name == "bundled":
        return tokens.origin(name, sources.bundled())
    sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests"))
    return tokens.origin(name, sources.tree(importlib.import_module("kernels").sources(name)))


def work(seed: str, share: list[int], results: Results) -> None:
    """Judge the mutants of *share*; the last word is None, or what went wrong."""
    try:
        with tempfile.TemporaryDirectory(prefix="pygfp-mutants-") as directory:
            os.environ["XDG_CACHE_HOME"] = str(Path(directory) / "cache")
            draw = Draw({name: opened(name) for name in ORIGINS})
            judges = {name: judging.Judge(o, Path(directory) / name) for name, o in draw.origins.items()}
            for number in share:
                name, mutant = draw.mutant(seed, number)
                results.put({"seed": seed, **judges[name].judge(number, mutant)})
    except KeyboardInterrupt:
        return  # so has whoever waits for the results
    except BaseException as exc:
        results.put(f"{type(exc).__name__}: {exc}")
        raise
    results.put(None)


def run(seed: str, numbers: list[int], jobs: int, keep: Path) -> bool:
    """Judge the mutants *numbers*, a line of JSON each behind what *keep* has; return whether all were judged."""
    results: Results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(seed, numbers[k::jobs], results)) for k in range(jobs)]
    for worker in workers:
        worker.start()
    left, whole = jobs, True
    with keep.open("a", encoding="utf-8") as stream:
        while left:
            result = results.get()
            if isinstance(result, dict):
                print(json.dumps(result), file=stream, flush=True)
                continue
            left, whole = left - 1, whole and result is None
            print(*([result] if result else []), sep="", end="\n" if result else "", file=sys.stderr)
    return whole


def known(keep: Path, seed: str, again: Collection[str]) -> dict[int, Result]:
    """Return the results that *keep* has of *seed*, by number, without those to be judged *again*."""
    lines = keep.read_text(encoding="utf-8").splitlines() if keep.is_file() else []
    found = {r["number"]: r for r in map(json.loads, lines) if r["seed"] == seed}
    return {n: r for n, r in found.items() if r["verdict"] not in again}


def main() -> int:
    """Return 1 where a mutant slips through, 3 where not all were judged, else 0."""
    parser = argparse.ArgumentParser(description="judge mutants of GFP headers")
    parser.add_argument("-n", type=int, default=2000, help="how many mutants")
    parser.add_argument("-j", type=int, default=2, help="processes")
    parser.add_argument("--seed", default=os.environ.get("PYGFP_SEED", str(random.SystemRandom().randrange(1 << 32))))
    parser.add_argument("--keep", type=Path, help="file of results, to go on with")
    parser.add_argument("--again", action="append", default=[], metavar="VERDICT", help="judge these once more")
    parser.add_argument("--only-print", action="store_true", help="judge nothing, print what --keep has")
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        keep = options.keep or Path(directory) / "results"
        before = known(keep, options.seed, options.again)
        todo = [] if options.only_print else [n for n in range(options.n) if n not in before]
        try:
            whole = run(options.seed, todo, options.j, keep) if todo else True
        except KeyboardInterrupt:
            print("interrupted: the table is what is known so far", file=sys.stderr)
            whole = False
        found = list(known(keep, options.seed, ()).values())
    bad = [r for r in found if r["verdict"] in BAD]
    for r in bad:
        print(f"{r['verdict']}: {r['origin']}, {r['number']}: {r['text']}: {r['why']}; {r['opinion']}", file=sys.stderr)
    print(f"{len(found)} mutants, seed {options.seed}\n\n{table.markdown(found)}", end="")
    return 1 if bad else 0 if whole and found else 3


if __name__ == "__main__":
    sys.exit(main())
