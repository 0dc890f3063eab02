# SPDX-License-Identifier: GPL-2.0-only
"""
Workers: child processes that run the compiled helpers, one a core, and survive what a helper does.

A worker that dies or does not answer in time costs the helper it was running its verdict, and is replaced.
"""

from __future__ import annotations

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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import BuildError, HelperCrashed
from ..forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..forms import Form
    from ..laws import MaskLaw

#: Inputs in one request. A multiple of the sweep's block.
CHUNK = 1 << 23
#: Seconds that one chunk, and one batch of scalar calls, may take.
CHUNK_LIMIT_S = 20.0
CALL_LIMIT_S = 3.0
_LOAD_LIMIT_S = 20.0

_START = (
    "import sys; sys.path[:0] = sys.argv[1:]; sys.dont_write_bytecode = True; "
    "from pygfp.native.worker import main; main()"
)


def _members(form: Form) -> dict[str, Any]:
    """*form* as members of a request."""
    if isinstance(form, MaskFilter):
        return {"keep": form.keep, "force": form.force}
    return {
        "index_bits": form.bits,
        "values": [row.value for row in form.rows],
        "events": [1 if row.bug else 2 if row.warned else 0 for row in form.rows],
    }


@dataclass(frozen=True)
class Job:
    """
    A range of inputs of one helper to compare with a form, or to judge by a law.

    :ivar base: first input, a multiple of 2048
    :ivar count: how many, a multiple of 2048
    :ivar ungrouped: state of the kernel's page_group_by_mobility_disabled
    """

    segment: int
    helper: str
    form: Form | MaskLaw
    count: int
    base: int = 0
    ungrouped: bool = False

    def request(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for *count* inputs from *base* on."""
        place = {"segment": self.segment, "helper": self.helper, "base": base, "count": count}
        if isinstance(self.form, MaskFilter | MaskTable):
            return {"op": "sweep", **place, "ungrouped": int(self.ungrouped), **_members(self.form)}
        return {"op": "judge", **place, "law": asdict(self.form)}


@dataclass
class Tally:
    """
    What a sweep found.

    :ivar first: the lowest input that differs, or None
    :ivar smallest: of the inputs that differ, one with the fewest bits, the lowest of those; or None
    :ivar crash: the helper crashed or ran out of time; the counts mean nothing then
    """

    inputs: int = 0
    mismatches: int = 0
    first: int | None = None
    smallest: int | None = None
    crash: HelperCrashed | None = None

    def add(self, answer: Mapping[str, int]) -> None:
        """Take in the answer for one chunk."""
        self.inputs += answer["inputs"]
        self.mismatches += answer["mismatches"]
        if answer["mismatches"]:
            self.first = answer["first"] if self.first is None else min(self.first, answer["first"])
            found = (answer["smallest"], *(() if self.smallest is None else (self.smallest,)))
            self.smallest = min(found, key=lambda x: (x.bit_count(), x))


class _Died(Exception):  # noqa: N818 - never leaves this module
    """The worker is gone; the text says how."""


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
        self.buffer = b""

    def ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Send *request* and return the answer; raises _Died when none comes within *limit_s*."""
        assert self.process.stdin is not None  # noqa: S101 - for the type checker
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise _Died(self._how()) from None
        line = self._line(time.monotonic() + limit_s, limit_s)
        try:
            answer = json.loads(line)
        except ValueError:
            reason = "wrote over the worker's answers"
            raise _Died(reason) from None
        return answer if isinstance(answer, dict) else {"error": "no answer"}

    def _line(self, deadline: float, limit_s: float) -> bytes:
        assert self.process.stdout is not None  # noqa: S101 - for the type checker
        fd = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([fd], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                self.stop()
                reason = f"does not return within {limit_s:g} s"
                raise _Died(reason)
            data = os.read(fd, 1 << 16)
            if not data:
                raise _Died(self._how())
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


@dataclass
class _Chunk:
    job: int
    base: int
    count: int


@dataclass
class Pool:
    """
    The workers of one run. Use it as a context manager: leaving it ends them.

    :ivar size: how many run at once
    :ivar objects: path and sha256 of each object to load
    """

    size: int
    objects: list[tuple[str, str]] = field(default_factory=list)
    on_progress: Callable[[int, int], None] | None = None

    def __enter__(self) -> Self:
        """Start the workers; they load nothing before :meth:`load`."""
        self._idle: deque[_Process] = deque(_Process() for _ in range(self.size))
        self._lock = threading.Lock()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End every worker."""
        for process in self._idle:
            process.stop()
        self._idle.clear()

    def load(self, objects: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """
        Load *objects* into every worker and return the segments that they hold.

        :raises BuildError: an object does not load
        """
        self.objects = list(objects)
        answers = [self._load(process) for process in self._idle]
        return list(answers[0]["segments"])

    def _load(self, process: _Process) -> dict[str, Any]:
        try:
            answer = process.ask({"op": "load", "objects": self.objects}, _LOAD_LIMIT_S)
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
        request = {
            "op": "call",
            "segment": segment,
            "helper": helper,
            "inputs": list(inputs),
            "ungrouped": int(ungrouped),
        }
        process = self._idle[0]
        try:
            answer = process.ask(request, CALL_LIMIT_S)
        except _Died as exc:
            self._replace(process)
            raise HelperCrashed(helper, str(exc), min(inputs), max(inputs)) from None
        if "error" in answer:
            raise BuildError(f"{helper}: {answer['error']}")
        return [Outcome(value, bool(bug), bool(warned)) for value, bug, warned in answer["results"]]

    def sweep(self, jobs: Sequence[Job]) -> list[Tally]:
        """Compare every input of every job, on all workers, and return the tallies in order."""
        tallies = [Tally() for _ in jobs]
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
        return tallies

    def _compare(self, process: _Process, job: Job, chunk: _Chunk, tally: Tally) -> _Process:
        """One chunk on *process*; returns the process that goes on, a new one where it died."""
        if tally.crash:
            return process
        request = job.request(chunk.base, chunk.count)
        try:
            answer = process.ask(request, CHUNK_LIMIT_S)
        except _Died as exc:
            with self._lock:
                tally.crash = HelperCrashed(job.helper, str(exc), chunk.base, chunk.base + chunk.count - 1)
                return self._replace(process)
        if "error" in answer:
            raise BuildError(f"{job.helper}: {answer['error']}")
        with self._lock:
            tally.add(answer)
        return process

    def _replace(self, process: _Process) -> _Process:
        process.stop()
        fresh = _Process()
        self._load(fresh)
        self._idle = deque(fresh if p is process else p for p in self._idle)
        return fresh
