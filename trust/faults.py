# SPDX-License-Identifier: GPL-2.0-only
"""
Faults at random moments: a table of what came of each, as Markdown.

    python trust/faults.py [RUNS]      RUNS of each kind (default 30), seeded by PYGFP_SEED

Exit status 1 where a run showed a traceback, a wrong verdict, a child that lived on, or something left behind that the
next run did not remove.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from processes import descendants

from pygfp.sources import csrc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GFP_H = "include/linux/gfp.h"
_FIRST = b"#include <linux/gfp_types.h>\n"
_LIMIT_S = 600
_STOPS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}


@dataclass
class Row:
    """What came of one kind of fault."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    left: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, outcome: str, *, good: bool, details: str = "") -> None:
        """Count an outcome, and keep the details of one that must not be."""
        self.outcomes[outcome] += 1
        if not good:
            self.bad.append(f"{self.name}: {outcome}: {details[-2000:]}")

    def __str__(self) -> str:
        """The row as Markdown."""
        counts = ", ".join(f"{n} x {what}" for what, n in self.outcomes.most_common())
        return f"| {self.name} | {self.outcomes.total()} | {counts} | {self.orphans} | {self.left} |"


class Place:
    """A tree, a cache and a directory for temporary files of one kind of fault."""

    def __init__(self, base: Path) -> None:
        """Make them below *base*."""
        self.tree, self.cache, self.tmp = base / "tree", base / "cache", base / "tmp"
        for path in (self.cache, self.tmp):
            path.mkdir()
        shutil.copytree(csrc() / "include", self.tree / "include")

    def fresh(self) -> None:
        """Give the tree a text that no cache has."""
        path = self.tree / GFP_H
        path.write_text(f"{path.read_text()}\n/* {time.time_ns()} */\n")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start ``pygfp`` on the tree, as the leader of a session of its own."""
        command = [sys.executable, "-m", "pygfp", *(arguments or ("check", "-q")), str(self.tree)]
        more = {"XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.tmp), "PYGFP_FAULT": str(self.tree), **env}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **more}
        )

    def left(self) -> list[str]:
        """Return what no run that still goes on can need."""
        found = [*self.cache.glob("pygfp/build-*"), *self.cache.glob("pygfp/new-*"), *self.tmp.iterdir()]
        return [str(p) for p in found]


def alive(pids: set[int], patience_s: float = 10) -> int:
    """Return how many of *pids* still run after *patience_s*."""
    deadline = time.monotonic() + patience_s
    while True:
        running = [pid for pid in pids if _state(pid) not in "ZX"]
        if not running or time.monotonic() > deadline:
            return len(running)
        time.sleep(0.05)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "X"


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return status, stdout and stderr."""
    out, err = process.communicate(timeout=_LIMIT_S)
    return process.returncode, out, err


def judged(row: Row, status: int, out: str, err: str, allowed: set[int]) -> None:
    """Count how a run ended; 0 must come with a pass, anything else without."""
    good = status in allowed and "Traceback" not in err and ("PASS" in out) == (status == 0)
    message = "" if status in {0, 1} else re.sub(r"/\S+|\d{3,}|0x\w+", "...", err.strip().split("\n")[0])[:90]
    row.add(f"exit {status}" + (f" ({message})" if message and status == 3 else ""), good=good, details=out + err)  # noqa: PLR2004


def after(row: Row, place: Place, children: set[int]) -> None:
    """Count what lives on, and what the next run leaves; that run must pass."""
    row.orphans += alive(children)
    status, out, err = finish(place.start())
    if status != 0 or "PASS" not in out:
        row.bad.append(f"{row.name}: the next run: {status} {out} {err}")
    row.left += len(place.left())
    if row.left or row.orphans:
        row.bad.append(f"{row.name}: left behind: {place.left()}, {row.orphans} processes")


def length_of(place: Place) -> float:
    """Return the seconds that a run on a fresh text takes here and now."""
    place.fresh()
    started = time.monotonic()
    finish(place.start())
    return time.monotonic() - started


def signalled(rng: random.Random, runs: int, place: Place, names: list[str], *, cold: bool) -> Row:
    """Signals to pygfp itself at random moments of a run."""
    row = Row(f"{' or '.join(names)} to pygfp, {'nothing' if cold else 'everything'} in the cache")
    length = length_of(place)
    for _ in range(runs):
        if cold:
            place.fresh()
        name = rng.choice(names)
        number = signal.Signals[name]
        process = place.start()
        if number != signal.SIGKILL:
            _listens(process)
        moment = rng.uniform(0, length if cold else 0.6 * length)
        children: set[int] = set()
        deadline = time.monotonic() + moment
        while time.monotonic() < deadline and process.poll() is None:
            children |= descendants(process.pid)
            time.sleep(0.01)
        children |= descendants(process.pid)
        process.send_signal(number)
        status, out, err = finish(process)
        stopped = -number if number == signal.SIGKILL else 128 + number
        good = status in {0, stopped} and "Traceback" not in err
        good &= status != 0 or "PASS" in out
        row.add(f"exit {status}", good=good, details=out + err)
        if number != signal.SIGKILL and place.left():
            row.bad.append(f"{row.name}: left at once: {place.left()}")
        after(row, place, children)
    return row


def _listens(process: subprocess.Popen[str]) -> None:
    """Wait until pygfp takes signals: Python itself answers one that comes before any of pygfp's code runs."""
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            return
        caught = int(re.findall(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)


def killed_children(rng: random.Random, runs: int, place: Place, what: str, pattern: str) -> Row:
    """SIGKILL to a child of a given kind at a random moment."""
    row = Row(f"SIGKILL to {what}")
    length = length_of(place)
    while row.outcomes.total() < runs:
        place.fresh()
        process = place.start()
        children: set[int] = set()
        time.sleep(rng.uniform(0, length))
        struck = False
        deadline = time.monotonic() + 2 * length
        while process.poll() is None and not struck and time.monotonic() < deadline:
            new = descendants(process.pid)
            children |= new
            for pid in new:
                if re.search(pattern, _command(pid)):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                    struck = True
                    break
        status, out, err = finish(process)
        if struck:
            judged(row, status, out, err, {0, 3})
            after(row, place, children)
    return row


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def parallel(_rng: random.Random, runs: int, place: Place) -> Row:
    """Twenty cold starts at once."""
    row = Row("20 starts at once, nothing in the cache")
    for _ in range(max(1, runs // 10)):
        place.fresh()
        processes = [place.start(V="1") for _ in range(20)]
        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(finish, processes))
        for status, out, err in results:
            judged(row, status, out, err, {0})
        compiled = sum("-shared" in err for _, _, err in results)
        if compiled != 1 or len({out for _, out, _ in results}) != 1:
            row.bad.append(f"{row.name}: {compiled} runs compiled, {len({out for _, out, _ in results})} answers")
        after(row, place, set())
    return row


def altered(rng: random.Random, runs: int, place: Place, name: str) -> Row:
    """One byte of a kept file changed at a random place."""
    row = Row(f"a byte of {name} in the cache altered")
    command = ("decode", "0xcc0", "--source") if name == "names.json" else ("check", "-q")
    for _ in range(runs):
        finish(place.start(*command))
        path = rng.choice(sorted(place.cache.glob(f"pygfp/*/{name}")))
        data = bytearray(path.read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        status, out, err = finish(place.start(*command))
        words = " ".join((out + err).split())
        good = status == 0 and "is not used" in words and "anew" in words and "Traceback" not in err
        row.add(f"exit {status}, {'said' if 'is not used' in words else 'not said'}", good=good, details=out + err)
    after(row, place, set())
    return row


@contextmanager
def mounted(path: Path, options: str) -> Iterator[bool]:
    """Mount a small file system in memory on *path*; whether that can be done here."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False, capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", path], check=True)


def small(rng: random.Random, runs: int, place: Place, where: str) -> Row:
    """File systems that are full from the start, or fill up in the middle of a run."""
    row = Row(f"{where}: 64 KiB, or filled up at a random moment")
    length = length_of(place)
    for n in range(runs):
        size = "64k" if n % 4 == 0 else "9m"
        with mounted(place.cache, f"size={size}") as usable:
            if not usable:
                row.add("not done: mount needs root", good=True)
                return row
            with mounted(place.tmp, f"size={size}") if where.endswith("temporary files") else _nothing():
                place.fresh()
                process = place.start()
                if size == "9m":
                    time.sleep(rng.uniform(0, length))
                    for path in (place.cache, place.tmp) if where.endswith("temporary files") else (place.cache,):
                        _fill(path / "fill")
                status, out, err = finish(process)
                judged(row, status, out, err, {0, 3})
        row.left += len(place.left())
    after(row, place, set())
    return row


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _fill(path: Path) -> None:
    try:
        with path.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(1 << 14))
    except OSError:
        return


def read_only(_rng: random.Random, runs: int, place: Place) -> Row:
    """A cache that nothing can be written to."""
    row = Row("a cache that is mounted read-only")
    for _ in range(max(1, runs // 10)):
        with mounted(place.cache, "size=20m") as usable:
            if not usable:
                row.add("not done: mount needs root", good=True)
                return row
            finish(place.start())
            subprocess.run(["mount", "-o", "remount,ro", place.cache], check=True)
            place.fresh()
            status, out, err = finish(place.start())
            judged(row, status, out, err, {0})
        row.left += len(place.left())
    return row


def endless(_rng: random.Random, _runs: int, place: Place) -> Row:
    """Headers that ask a compiler for more than there is, with the real limits."""
    row = Row("headers that grow in the compiler (2^30 tokens, 3000 helpers, 100,000 braces)")
    plain = (place.tree / GFP_H).read_bytes()
    doubled = "\n".join(f"#define E{i} E{i - 1} E{i - 1}" for i in range(1, 31))
    for text in (
        f"#define E0 x\n{doubled}\nstatic inline int grow(gfp_t x) {{ return E30; }}",
        "\n".join(f"static inline int gfp_f{i}(gfp_t x) {{ return {i}; }}" for i in range(3000)),
        f"static inline int deep(gfp_t x) {{ {'{' * 100_000}{'}' * 100_000} return 1; }}",
    ):
        (place.tree / GFP_H).write_bytes(plain.replace(_FIRST, _FIRST + text.encode() + b"\n", 1))
        process = place.start()
        children: set[int] = set()
        while process.poll() is None:
            children |= descendants(process.pid)
            time.sleep(0.2)
        # 3000 helpers compile in time where there is time.
        judged(row, *finish(process), {0, 3})
        row.orphans += alive(children)
    (place.tree / GFP_H).write_bytes(plain)
    after(row, place, set())
    return row


def kinds() -> list[Callable[[random.Random, int, Place], Row]]:
    """Return every kind of fault."""
    return [
        lambda r, n, p: signalled(r, n, p, ["SIGKILL"], cold=True),
        lambda r, n, p: signalled(r, n, p, ["SIGKILL"], cold=False),
        lambda r, n, p: signalled(r, n, p, list(_STOPS), cold=True),
        lambda r, n, p: signalled(r, n, p, list(_STOPS), cold=False),
        lambda r, n, p: killed_children(r, n, p, "a worker", r"native\.worker"),
        lambda r, n, p: killed_children(
            r, n, p, "a compiler (gcc, cc1, as, ld, or the shell around it)", r"gcc|cc1|sh -c"
        ),
        parallel,
        lambda r, n, p: altered(r, n, p, "unit*.so"),
        lambda r, n, p: altered(r, n, p, "build.json"),
        lambda r, n, p: altered(r, n, p, "names.json"),
        lambda r, n, p: small(r, n, p, "the cache"),
        lambda r, n, p: small(r, n, p, "the cache and the directory for temporary files"),
        read_only,
        endless,
    ]


def main() -> int:
    """Run every kind and print the table."""
    parser = argparse.ArgumentParser(description="let faults happen at random moments")
    parser.add_argument("runs", type=int, nargs="?", default=30, help="how many of each kind")
    runs = parser.parse_args().runs
    seed = int(os.environ.get("PYGFP_SEED", "1"))
    print(f"Faults at random moments, seed {seed}, `python trust/faults.py {runs}`\n")
    print("| fault | runs | how they ended | children that lived on | left after the next run |\n|---|---|---|---|---|")
    bad = []
    for n, kind in enumerate(kinds()):
        with tempfile.TemporaryDirectory(prefix="faults-") as base:
            row = kind(random.Random(seed * 1000 + n), runs, Place(Path(base)))
        print(row, flush=True)
        bad += row.bad
    for details in bad:
        print(f"\nBAD {details}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
