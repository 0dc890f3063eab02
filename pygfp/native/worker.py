# SPDX-License-Identifier: GPL-2.0-only
"""
The child process that runs foreign C: it loads compiled objects and compares inputs on request.

Started by exec with limits, an empty environment and no descriptor but its three standard ones. Speaks one
JSON object a line: requests on stdin, answers on stdout. No command loads an object that was compiled from a header
in any other way; only ``pygfp.load()`` does, into its caller's process (:mod:`.resident`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any

from ..forms import Outcome
from . import abi
from .confine import confine
from .jobs import members
from .watch import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMORY = 2 << 30


class Worker:
    """The objects that are loaded, and the requests on them."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self.ffi = abi.ffi()
        self.helpers: dict[tuple[int, str], Any] = {}
        self._loops: Any = None
        self.libraries: list[Any] = []

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Load objects whose digest matches; answer with what they hold."""
        segments = []
        for path, digest in request["objects"]:
            table = self._bundled() if path == "bundled" else self._open(path, digest)
            for n in range(table.n_segments):
                number = request["offset"] + table.segments[n].index
                segments.append(self._segment(table.segments[n], number))
            self._loops = table.loops or self._loops
        return {"segments": segments}

    @property
    def loops(self) -> Any:  # noqa: ANN401 - cffi
        """What goes through the inputs; one of the objects holds it."""
        if self._loops is None:
            message = "no object with the loops is loaded"
            raise ValueError(message)
        return self._loops

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer (value, bug, warned) for each input."""
        return {"results": [[r.value, r.bug, r.warned] for r in self._results(request, request["inputs"])]}

    def _results(self, request: dict[str, Any], inputs: Sequence[int]) -> Any:  # noqa: ANN401 - cffi
        """What the helper of *request* does with *inputs*."""
        helper = self.helpers[request["segment"], request["helper"]]
        results = self.ffi.new("struct pygfp_result[]", len(inputs))
        helper.call(self.ffi.new("unsigned long long[]", inputs), len(inputs), request["ungrouped"], results)
        return results

    def mine(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer with the form that a helper looks like: a few thousand calls, which stay in this process."""
        from ..mine import mine  # noqa: PLC0415 - not every worker is asked

        def call(inputs: Sequence[int]) -> list[Outcome]:
            return [Outcome(r.value, bool(r.bug), bool(r.warned)) for r in self._results(request, inputs)]

        form = mine(call, request["bits"], is_filter=request["is_filter"])
        return {"form": members(form) if form else None}

    def sweep(self, request: dict[str, Any]) -> dict[str, Any]:
        """Compare a range of inputs with what is expected; answer with the tally."""
        helper = self.helpers[request["segment"], request["helper"]]
        tally = self.ffi.new("struct pygfp_tally *")
        expect = self.ffi.new("struct pygfp_expect *")
        expect.ungrouped = request["ungrouped"]
        expect.keep, expect.force = request.get("keep", 0), request.get("force", 0)
        bits = request.get("index_bits", [])
        expect.n_index = len(bits)
        for n, bit in enumerate(bits):
            expect.index_bit[n] = bit
        values = self.ffi.new("unsigned long long[]", request.get("values", [0]))
        events = self.ffi.new("unsigned int[]", request.get("events", [0]))
        expect.values, expect.events = values, events
        helper.sweep(request["base"], request["count"], expect, tally, self.loops)
        return {"tallies": [_tally(tally)]}

    def judge(self, request: dict[str, Any]) -> dict[str, Any]:
        """Judge a range of inputs of a filter by laws; answer with a tally for each."""
        key = request["segment"], request["helper"]
        laws = self.ffi.new("struct pygfp_law[]", request["laws"])
        tallies = self.ffi.new("struct pygfp_tally[]", len(request["laws"]))
        self.loops.judge(self.helpers[key], request["base"], request["count"], laws, len(request["laws"]), tallies)
        return {"tallies": [_tally(tallies[n]) for n in range(len(request["laws"]))]}

    def versus(self, request: dict[str, Any]) -> dict[str, Any]:
        """Compare a helper of two builds on a range of inputs; answer with a tally of values, BUG and warnings."""
        name, asked = request["helper"], request["match"]
        match = self.ffi.new("struct pygfp_match *")
        match.n_inputs, match.n_results, match.n_renamed = (len(asked[k]) for k in ("inputs", "results", "renamed"))
        match.is_filter = asked["is_filter"]
        for what in ("input", "result"):
            for n, (old, new) in enumerate(asked[f"{what}s"]):
                getattr(match, f"old_{what}")[n], getattr(match, f"new_{what}")[n] = old, new
        renamed = self.ffi.new("unsigned long long[]", asked["renamed"] or [0])
        match.renamed = renamed
        tallies = self.ffi.new("struct pygfp_tally[3]")
        before, after = self.helpers[request["segment"], name], self.helpers[request["after"], name]
        self.loops.versus(before, after, request["base"], request["count"], match, request["ungrouped"], tallies)
        return {"tallies": [_tally(tallies[n]) for n in range(3)]}

    def _open(self, path: str, digest: str) -> Any:  # noqa: ANN401 - cffi
        # The file that was hashed is the file that is loaded: both go by one descriptor. It stays
        # open, since the loader knows what it has loaded by name.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb", closefd=False) as stream:
            found = hashlib.sha256(stream.read()).hexdigest()
        if found != digest:
            message = f"{path} does not match its digest"
            raise ValueError(message)
        library = self.ffi.dlopen(f"/proc/self/fd/{fd}", self.ffi.RTLD_NOW | self.ffi.RTLD_LOCAL)
        self.libraries.append(library)
        return library.pygfp_table

    def _bundled(self) -> Any:  # noqa: ANN401 - cffi
        from pygfp import _bundled  # type: ignore[attr-defined] # noqa: PLC0415 - generated by build_ffi.py

        return self.ffi.cast("struct pygfp_table *", _bundled.lib.pygfp_bundled_address())

    def _segment(self, segment: Any, number: int) -> dict[str, Any]:  # noqa: ANN401 - cffi
        text = self.ffi.string
        for n in range(segment.n_helpers):
            self.helpers[number, text(segment.helpers[n].name).decode()] = segment.helpers + n
        rows = [segment.constants[n] for n in range(segment.n_constants)]
        return {
            "index": segment.index,
            "gfp_t_bytes": segment.gfp_t_bytes,
            "gfp_t_signed": bool(segment.gfp_t_signed),
            "constants": {text(c.name).decode(): [c.value, c.bytes, bool(c.is_gfp_t)] for c in rows},
            "helpers": {
                text(h.name).decode(): [h.result_bytes, bool(h.is_signed)]
                for h in (segment.helpers[n] for n in range(segment.n_helpers))
            },
        }


def _tally(tally: Any) -> dict[str, int]:  # noqa: ANN401 - cffi
    return {n: getattr(tally, n) for n in ("inputs", "mismatches", "first", "smallest")}


def main() -> None:
    """Serve requests until stdin ends, and not a moment longer."""
    end_with_parent(0)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    # No process and no thread more: a user's code may not fork. It does not bind root.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a header prints must not look like an answer.
    os.dup2(2, 1)
    worker = Worker()
    confine(worker.ffi)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = getattr(worker, request["op"])(request)
            except (OSError, ValueError, KeyError, AttributeError, ImportError) as exc:
                answer = {"error": f"{type(exc).__name__}: {exc}"}
            answers.write(json.dumps({**answer, "token": request["token"]}) + "\n")
            answers.flush()
