# SPDX-License-Identifier: GPL-2.0-only
"""
Workers: child processes that run the compiled helpers, one a core, and survive what a helper does.

A worker that dies or does not answer in time costs the helper it was running its verdict, and is replaced.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import BuildError, HelperCrashed
from ..forms import Outcome
from .jobs import Tally, calls, form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..forms import Form
    from .jobs import Job, LawJob, VersusJob

    AnyJob = Job | LawJob | VersusJob

#: Inputs in one request. A multiple of the sweep's block.
CHUNK = 1 << 24
#: The sweep's block: the least that it can compare.
BLOCK = 1 << 11
#: Seconds that one chunk, and one batch of scalar calls, may take.
CHUNK_LIMIT_S = 10.0
CALL_LIMIT_S = 3.0
#: Seconds for a helper that has not returned in another configuration: it mostly does not in this one either.
_AGAIN_LIMIT_S = 1.0
#: Seconds for a part of a chunk, while the input that a helper does not survive is looked for.
_PART_LIMIT_S = 0.5
_LOAD_LIMIT_S = 20.0
#: Bytes of the longest answer; what a helper writes into the pipe may have no end.
_LONGEST_ANSWER = 16 << 20
_COUNTS = ("inputs", "mismatches", "first", "smallest")
_OVERWRITES = "writes over the answers of the process that runs it"

_START = (
    "import sys; sys.path[:0] = sys.argv[1:]; sys.dont_write_bytecode = True; "
    "from pygfp.native.worker import main; main()"
)


class _Died(Exception):  # noqa: N818 - never leaves this module
    """Worker *process* is gone; the text says how."""

    def __init__(self, process: _Process, how: str, *, from_outside: bool = False) -> None:
        super().__init__(how)
        self.process = process
        self.from_outside = from_outside


class _Process:
    """One worker process."""

    def __init__(self) -> None:
        roots = [str(Path(__file__).resolve().parent.parent.parent)]
        roots += [p for p in sys.path if p and p not in roots]
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, our own code
            [sys.executable, "-I", "-S", "-c", _START, *roots],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        _alive.add(self)
        self.buffer = b""
        self.asked = 0

    def ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Send *request* and return the answer; raises _Died when none comes within *limit_s*."""
        assert self.process.stdin is not None  # noqa: S101 - for the type checker
        self.asked += 1
        token = f"{self.asked}-{os.urandom(8).hex()}"
        try:
            self.process.stdin.write(json.dumps({**request, "token": token}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self._gone() from None
        line = self._line(time.monotonic() + limit_s, limit_s)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        # A helper has the worker's descriptors; what it writes there must not pass for an answer.
        if not isinstance(answer, dict) or answer.pop("token", None) != token:
            self.stop()
            raise _Died(self, _OVERWRITES)
        return answer

    def _line(self, deadline: float, limit_s: float) -> bytes:
        assert self.process.stdout is not None  # noqa: S101 - for the type checker
        fd = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([fd], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                self.stop()
                reason = f"does not return within {limit_s:g} s"
                raise _Died(self, reason)
            data = os.read(fd, 1 << 16)
            if not data:
                raise self._gone()
            self.buffer += data
            if len(self.buffer) > _LONGEST_ANSWER:
                self.stop()
                raise _Died(self, _OVERWRITES)
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def _gone(self) -> _Died:
        # We kill only what is not asked any more: this was the system, short of memory, or somebody else.
        how = self._how()
        return _Died(self, how, from_outside=self.process.returncode == -signal.SIGKILL)

    def _how(self) -> str:
        try:
            status = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.stop()
            return "stopped answering"
        if status < 0:
            return f"crashes with {signal.Signals(-status).name}"
        return f"ends the process with status {status}"

    def stop(self) -> None:
        """Kill the worker and whatever it started."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        _alive.discard(self)
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


#: The workers of this process that nobody has stopped.
_alive: set[_Process] = set()


def tidy() -> None:
    """Stop every worker: this process is about to end."""
    for process in list(_alive):
        process.stop()


# Workers that were started before anybody knew what they would load.
_spares: deque[_Process] = deque()


def warm(count: int | None = None) -> None:
    """Start *count* workers (default: one a core) for the pools to come: they start up while modules are imported."""
    if not _spares:
        atexit.register(_stop_spares)
    wanted = count or len(os.sched_getaffinity(0))
    _spares.extend(_Process() for _ in range(wanted - len(_spares)))


def _stop_spares() -> None:
    while _spares:
        _spares.popleft().stop()


@dataclass
class _Chunk:
    job: int
    base: int
    count: int


def _counted(process: _Process, answer: Mapping[str, Any], n: int) -> list[dict[str, int]]:
    """The *n* tallies of *answer*; raises _Died where it has others: the token alone does not make it an answer."""
    found = answer.get("tallies")
    rows = found if isinstance(found, list) and len(found) == n else [{}]
    if not all(isinstance(row, dict) and all(type(row.get(k)) is int for k in _COUNTS) for row in rows):
        raise _Died(process, _OVERWRITES)
    return rows


def _is_form(found: object) -> bool:
    """Whether *found* is a form as JSON has it, or None: what is neither is no answer of ours."""
    if not isinstance(found, dict):
        return found is None
    if found.keys() == {"keep", "force"}:
        return all(type(mask) is int for mask in found.values())
    parts = [part for name in ("index_bits", "values", "events") if isinstance(part := found.get(name), list)]
    if len(parts) != 3 or not all(type(n) is int for part in parts for n in part):  # noqa: PLR2004 - these three
        return False
    bits, values, events = map(len, parts)
    return values == events == 1 << min(bits, 64)


def _require_all(jobs: Sequence[AnyJob], tallies: Sequence[Sequence[Tally]]) -> None:
    """Fewer inputs than were asked for prove nothing, and none at all would prove anything."""
    for job, found in zip(jobs, tallies, strict=True):
        short = next((t for t in found if t.inputs < job.count), None)
        if short and not found[0].crash:
            message = f"{job.helper}: {short.inputs:,} inputs were compared, and not {job.count:,}"
            raise BuildError(message)


@dataclass
class Pool:
    """
    The workers of one run. Use it as a context manager: leaving it ends them.

    :ivar size: how many run at once
    :ivar loads: what each worker has to load
    """

    size: int
    loads: list[dict[str, Any]] = field(default_factory=list)
    on_progress: Callable[[int, int], None] | None = None

    def __enter__(self) -> Self:
        """Start the workers; they load nothing before :meth:`load`."""
        self._idle: deque[_Process] = deque(_spares.popleft() if _spares else _Process() for _ in range(self.size))
        self._lock = threading.Lock()
        self._crashed: dict[str, HelperCrashed] = {}
        self._lost: set[str] = set()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End every worker."""
        for process in self._idle:
            process.stop()
        self._idle.clear()

    def load(self, objects: Sequence[tuple[str, str]], *, offset: int = 0) -> list[dict[str, Any]]:
        """
        Load *objects*, path and sha256 of each, into every worker and return the segments that they hold.

        :param offset: is added to the number of each segment, so that one worker can hold two builds
        :raises BuildError: an object does not load
        """
        request = {"op": "load", "objects": list(objects), "offset": offset}
        answers = [self._load(process, request, again=True) for process in list(self._idle)]
        self.loads.append(request)
        return list(answers[0]["segments"])

    def _load(self, process: _Process, request: dict[str, Any], *, again: bool = False) -> dict[str, Any]:
        try:
            if again:
                _, answer = self._asked_again(process, request, _LOAD_LIMIT_S)
            else:
                answer = process.ask(request, _LOAD_LIMIT_S)
        except _Died as exc:
            message = f"the compiled header {exc} while it is loaded"
            raise BuildError(message) from None
        if "error" in answer:
            message = f"the compiled object does not load: {answer['error']}"
            raise BuildError(message)
        return answer

    def call(self, segment: int, helper: str, inputs: Sequence[int], *, ungrouped: bool = False) -> list[Outcome]:
        """
        Return the outcome of *helper* for each input.

        :raises HelperCrashed: it crashed or did not return
        """
        request = calls(segment, helper, inputs, ungrouped=ungrouped)
        answer = self._ask(request, min(inputs), max(inputs))
        results = answer.get("results")
        if not isinstance(results, list) or [len(r) for r in results if isinstance(r, list)] != [3] * len(inputs):
            raise HelperCrashed(helper, _OVERWRITES, min(inputs), max(inputs))
        return [Outcome(value, bool(bug), bool(warned)) for value, bug, warned in results]

    def mine(self, segment: int, helper: str, n_bits: int, *, is_filter: bool, ungrouped: bool = False) -> Form | None:
        """
        Return the form that *helper* looks like on inputs below ``2**n_bits``; None where none fits. It is a guess.

        :raises HelperCrashed: it crashed or did not return
        """
        request = calls(segment, helper, (), ungrouped=ungrouped)
        found = self._ask({**request, "op": "mine", "bits": n_bits, "is_filter": is_filter}, 0, (1 << n_bits) - 1)
        if not _is_form(found.get("form", 0)):
            raise HelperCrashed(helper, _OVERWRITES, 0, (1 << n_bits) - 1)
        return form_of(found["form"]) if found["form"] else None

    def _ask(self, request: dict[str, Any], first: int, last: int) -> dict[str, Any]:
        """The answer to a request about one helper; *first* and *last* say where it may have crashed."""
        try:
            limit_s = _AGAIN_LIMIT_S if request["helper"] in self._lost else CALL_LIMIT_S
            answer = self._asked_again(self._idle[0], request, limit_s)[1]
        except _Died as exc:
            self._lost.add(request["helper"])
            self._replace(exc.process)
            raise HelperCrashed(request["helper"], str(exc), first, last) from None
        if "error" in answer:
            raise BuildError(f"{request['helper']}: {answer['error']}")
        return answer

    def sweep(self, jobs: Sequence[Job]) -> list[Tally]:
        """Compare every input of every job, on all workers, and return the tallies in order."""
        return [tallies[0] for tallies in self._run(jobs)]

    def judge(self, job: LawJob) -> list[Tally]:
        """Judge every input of *job*, on all workers, and return a tally for each law."""
        return self._run([job])[0]

    def versus(self, jobs: Sequence[VersusJob]) -> list[list[Tally]]:
        """Compare two builds on every input of *jobs*; return the tallies of values, BUG and warnings of each."""
        return self._run(jobs)

    def _run(self, jobs: Sequence[AnyJob]) -> list[list[Tally]]:
        tallies = [[Tally() for _ in range(job.n_tallies)] for job in jobs]
        queue = deque(
            _Chunk(n, job.base + at, min(CHUNK, job.count - at))
            for n, job in enumerate(jobs)
            for at in range(0, job.count, CHUNK)
        )
        total = len(queue)
        failures: list[BaseException] = []

        def serve(process: _Process) -> None:
            try:
                while True:
                    with self._lock:
                        if not queue or failures:
                            return
                        chunk = queue.popleft()
                        left = len(queue)
                    process = self._compare(process, jobs[chunk.job], chunk, tallies[chunk.job])
                    if self.on_progress:
                        self.on_progress(total - left, total)
            except BaseException as exc:  # noqa: BLE001 - handed to the caller below
                failures.append(exc)

        threads = [threading.Thread(target=serve, args=(p,), daemon=True) for p in list(self._idle)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        _require_all(jobs, tallies)
        return tallies

    def _compare(self, process: _Process, job: AnyJob, chunk: _Chunk, tallies: list[Tally]) -> _Process:
        """One chunk on *process*; returns the process that goes on, a new one where it died."""
        if tallies[0].crash:
            return process
        if job.helper in self._crashed:
            tallies[0].crash, tallies[0].elsewhere = self._crashed[job.helper], True
            return process
        try:
            process, answer = self._asked_again(process, job.request(chunk.base, chunk.count), CHUNK_LIMIT_S)
            counted = [] if "error" in answer else _counted(process, answer, job.n_tallies)
        except _Died as exc:
            # Its other configurations are not waited for.
            self._crashed[job.helper] = HelperCrashed(job.helper, str(exc), chunk.base, chunk.base + chunk.count - 1)
            process, found = self._narrow(self._replace(exc.process), job, chunk, str(exc))
            tallies[0].crash = self._crashed[job.helper] = found
            tallies[0].elsewhere = False
            return process
        if "error" in answer:
            message = f"{job.helper}: {answer['error']}"
            raise BuildError(message)
        with self._lock:
            for tally, counts in zip(tallies, counted, strict=True):
                tally.add(counts)
        return process

    def _asked_again(
        self, process: _Process, request: dict[str, Any], limit_s: float
    ) -> tuple[_Process, dict[str, Any]]:
        """
        The process that goes on, and the answer of *process* or, where that was killed from outside, of a new one.

        A helper that kills its own process kills the second, too.
        """
        try:
            return process, process.ask(request, limit_s)
        except _Died as exc:
            if not exc.from_outside:
                raise
        process = self._replace(process)
        return process, process.ask(request, limit_s)

    def _narrow(self, process: _Process, job: AnyJob, chunk: _Chunk, how: str) -> tuple[_Process, HelperCrashed]:
        """Halve the range in which the helper was lost, down to the lowest input that it does not survive."""
        base, count = chunk.base, chunk.count
        while count > 1:
            count //= 2
            part = job.request(base, count) if count >= BLOCK else job.part(base, count)
            try:
                process.ask(part, _PART_LIMIT_S)
            except _Died as exc:
                process, how = self._replace(process), str(exc)
            else:
                base += count
        return process, HelperCrashed(job.helper, how, base, base + count - 1)

    def _replace(self, process: _Process) -> _Process:
        process.stop()
        fresh = _Process()
        for request in self.loads:
            self._load(fresh, request)
        with self._lock:
            self._idle = deque(fresh if p is process else p for p in self._idle)
        return fresh
