# SPDX-License-Identifier: GPL-2.0-only
"""
What drives a sweep: requests, tallies, the processes that answer, and what becomes of one that does not. Workers are
stood in for by Python and by small programs, so that a crash happens where a test wants it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pygfp.errors import BuildError, HelperCrashed
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.laws import MaskLaw
from pygfp.native import pool as pools
from pygfp.native.jobs import Job, LawJob, Match, Tally, VersusJob, calls, form_of, members
from pygfp.native.pool import BLOCK, CHUNK, Pool
from pygfp.native.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = MaskTable((1, 4), (Outcome(0), Outcome(7), Outcome(0, bug=True), Outcome(3, warned=True)))
TABLE_MEMBERS = {"index_bits": (1, 4), "values": [0, 7, 0, 3], "events": [0, 0, 1, 2]}
PLACE = {"segment": 2, "helper": "h"}


class TestRequests:
    """What is sent to a worker, key by key."""

    def test_calls(self) -> None:
        assert calls(2, "h", range(3)) == {"op": "call", **PLACE, "ungrouped": 0, "inputs": [0, 1, 2]}
        assert calls(2, "h", [5], ungrouped=True)["ungrouped"] == 1

    def test_a_form_there_and_back(self) -> None:
        assert members(MaskFilter(5, 2)) == {"keep": 5, "force": 2}
        assert members(TABLE) == TABLE_MEMBERS
        assert form_of({"keep": 5, "force": 2}) == MaskFilter(5, 2)
        assert form_of(json.loads(json.dumps(TABLE_MEMBERS))) == TABLE
        with pytest.raises(ValueError, match="shorter"):
            form_of({**TABLE_MEMBERS, "events": [0, 0, 1]})

    def test_a_sweep(self) -> None:
        job = Job(2, "h", MaskFilter(5, 2), 4096)
        assert (job.base, job.ungrouped, job.n_tallies) == (0, False, 1)
        assert job.request(2048, 4096) == {
            "op": "sweep", **PLACE, "base": 2048, "count": 4096, "ungrouped": 0, "keep": 5, "force": 2
        }  # fmt: skip
        assert job.part(7, 3) == {"op": "call", **PLACE, "ungrouped": 0, "inputs": [7, 8, 9]}
        other = Job(2, "h", TABLE, 4096, ungrouped=True)
        assert other.request(0, 1) == {
            "op": "sweep", **PLACE, "base": 0, "count": 1, "ungrouped": 1, **TABLE_MEMBERS
        }  # fmt: skip
        assert other.part(0, 1)["ungrouped"] == 1

    def test_laws(self) -> None:
        job = LawJob(2, "h", (MaskLaw(gained=1), MaskLaw(idempotent=1)), 4096)
        assert (job.base, job.n_tallies) == (0, 2)
        request = job.request(2048, 4096)
        plain = {"gained": 0, "lost": 0, "set": 0, "clear": 0, "any": (0,) * 4, "all": (0,) * 4, "idempotent": 0}
        laws = [{**plain, "gained": 1}, {**plain, "idempotent": 1}]
        assert request == {"op": "judge", **PLACE, "base": 2048, "count": 4096, "laws": laws}
        assert job.part(7, 2) == {"op": "call", **PLACE, "ungrouped": 0, "inputs": [7, 8]}

    def test_two_builds(self) -> None:
        match = Match(((0, 3), (2, 1)))
        job = VersusJob(2, 9, "h", match)
        assert (job.count, job.base, job.n_tallies, job.ungrouped) == (4, 0, 3, False)
        spelled = {"inputs": ((0, 3), (2, 1)), "results": (), "is_filter": False, "renamed": ()}
        expected = {"op": "versus", **PLACE, "after": 9, "base": 1, "count": 2, "ungrouped": 0, "match": spelled}
        assert job.request(1, 2) == job.part(1, 2) == expected
        assert VersusJob(2, 9, "h", match, ungrouped=True).request(0, 1)["ungrouped"] == 1

    @pytest.mark.parametrize(("number", "before", "after"), [(0, 0, 0), (1, 1, 8), (2, 4, 2), (3, 5, 10), (7, 5, 10)])
    def test_inputs_are_numbered_by_the_bits_that_both_have(self, number: int, before: int, after: int) -> None:
        match = Match(((0, 3), (2, 1)))
        assert (match.before(number), match.after(number)) == (before, after)

    @pytest.mark.parametrize(
        ("one", "same"),
        [
            (Job(2, "h", TABLE, 4096), Job(2, "h", TABLE, 4096)),
            (LawJob(2, "h", (MaskLaw(1),), 4096), LawJob(2, "h", (MaskLaw(1),), 4096)),
            (VersusJob(2, 9, "h", Match(((0, 3),))), VersusJob(2, 9, "h", Match(((0, 3),)))),
            (Match(((0, 3),)), Match(((0, 3),))),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_a_job_is_a_key_of_what_is_known_of_it(self, one: Any, same: Any) -> None:  # noqa: ANN401 - jobs
        assert {one: "known"}[same] == "known"
        with pytest.raises(AttributeError, match="cannot assign"):
            one.helper = "other"


class TestTally:
    """Chunks come in any order."""

    @staticmethod
    def answer(inputs: int, mismatches: int, first: int = 0, smallest: int = 0) -> dict[str, int]:
        return {"inputs": inputs, "mismatches": mismatches, "first": first, "smallest": smallest}

    def test_it_starts_with_nothing(self) -> None:
        assert Tally() == Tally(0, 0, None, None, None, elsewhere=False)

    def test_counts_add_up(self) -> None:
        tally = Tally()
        tally.add(self.answer(2048, 0))
        assert tally == Tally(2048, 0, None, None)
        tally.add(self.answer(100, 3, 0x70, 0x100))
        assert tally == Tally(2148, 3, 0x70, 0x100)
        tally.add(self.answer(100, 2, 0x30, 0x30))
        assert tally == Tally(2248, 5, 0x30, 0x100)
        tally.add(self.answer(100, 1, 0x80, 0x80))
        assert tally == Tally(2348, 6, 0x30, 0x80)
        tally.add(self.answer(100, 1, 0x200, 0x200))
        assert tally == Tally(2448, 7, 0x30, 0x80)

    def test_zero_is_a_witness(self) -> None:
        tally = Tally()
        tally.add(self.answer(1, 1, 0, 0))
        tally.add(self.answer(1, 1, 1, 1))
        assert (tally.first, tally.smallest) == (0, 0)


class Dies(Exception):  # noqa: N818 - what a stand-in does
    """A worker is gone; the text says how."""

    from_outside = False


class Killed(Dies):
    """Somebody has killed it."""

    from_outside = True


class Stand:
    """A worker that is asked in Python: what it answers, or raises, is *behaviour*."""

    behaviour: Callable[[dict[str, Any]], dict[str, Any]]
    made: list[Stand]

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], float]] = []
        self.stopped = 0
        type(self).made.append(self)

    def ask(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        self.asked.append((request, limit_s))
        if request["op"] == "load":
            return {"segments": [{"index": 1}]}
        try:
            return type(self).behaviour(request)
        except Dies as exc:
            raise pools._Died(self, str(exc), from_outside=exc.from_outside) from None  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopped += 1


def tallies_of(wrong: set[int]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A worker that finds these inputs to be wrong."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "call":
            return {"results": [[x, 0, 0] for x in request["inputs"]]}
        found = sorted(x for x in wrong if request["base"] <= x < request["base"] + request["count"])
        smallest = min(found, key=lambda x: (x.bit_count(), x), default=0)
        one = {
            "inputs": request["count"],
            "mismatches": len(found),
            "first": min(found, default=0),
            "smallest": smallest,
        }
        return {"tallies": [one] * len(request.get("laws", [0]))}

    return answer


def deadly(*inputs: int, then: Callable[..., dict[str, Any]] | None = None) -> Callable[..., dict[str, Any]]:
    """A worker that does not survive these inputs."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked = request.get("inputs") or range(request["base"], request["base"] + request["count"])
        for x in inputs:
            if x in asked:
                raise Dies(f"crashes at {x:#x}")
        return (then or tallies_of(set()))(request)

    return answer


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> type[Stand]:
    """Workers are made of Python."""
    kind = type("Workers", (Stand,), {"made": [], "behaviour": staticmethod(tallies_of(set()))})
    monkeypatch.setattr(pools, "_Process", kind)
    monkeypatch.setattr(pools, "_spares", deque())
    return kind


FORM = MaskFilter(1, 0)
#: The answer to one block in which nothing is wrong.
GOOD = {"inputs": BLOCK, "mismatches": 0, "first": 0, "smallest": 0}


class TestPool:
    """Chunks are shared out, and a worker that dies is replaced."""

    def test_what_is_loaded_goes_to_every_worker(self, stand: type[Stand]) -> None:
        with Pool(3) as pool:
            assert pool.load([("a.so", "digest")]) == [{"index": 1}]
            pool.load([("b.so", "other")], offset=7)
            assert len(stand.made) == 3
            first = {"op": "load", "objects": [("a.so", "digest")], "offset": 0}
            second = {"op": "load", "objects": [("b.so", "other")], "offset": 7}
            assert all(one.asked == [(first, 20.0), (second, 20.0)] for one in stand.made)
            assert pool.loads == [first, second]
        assert [one.stopped for one in stand.made] == [1, 1, 1]

    def test_an_object_that_does_not_load(self, stand: type[Stand], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stand, "ask", lambda *_: {"error": "OSError: no such file"})
        with Pool(1) as pool, pytest.raises(BuildError, match=r"^the compiled object does not load: OSError: no such"):
            pool.load([])

        def dies(worker: Any, *_: object) -> dict[str, Any]:  # noqa: ANN401 - a stand-in
            raise pools._Died(worker, "crashes with SIGSEGV")

        monkeypatch.setattr(stand, "ask", dies)
        says = "^the compiled header crashes with SIGSEGV while it is loaded$"
        with Pool(1) as pool, pytest.raises(BuildError, match=says):
            pool.load([])

    def test_workers_that_wait_are_taken_first(self, stand: type[Stand]) -> None:
        pools.warm(2)
        assert len(stand.made) == 2
        pools.warm(2)
        assert len(stand.made) == 2
        with Pool(3) as pool:
            assert [*pool._idle] == stand.made
        assert len(stand.made) == 3
        pools.warm(1)
        pools._stop_spares()
        assert [one.stopped for one in stand.made] == [1, 1, 1, 1]

    def test_calls(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda _: {"results": [[5, 0, 0], [6, 1, 0], [7, 0, 1]]})
        with Pool(1) as pool:
            found = pool.call(2, "h", [1, 2, 3], ungrouped=True)
        assert found == [Outcome(5), Outcome(6, bug=True), Outcome(7, warned=True)]
        assert all(type(event) is bool for outcome in found for event in outcome[1:])
        assert stand.made[0].asked == [(calls(2, "h", [1, 2, 3], ungrouped=True), 3.0)]

    def test_a_call_that_crashes(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(deadly(9))
        with Pool(1) as pool:
            pool.load([("a.so", "d")])
            with pytest.raises(HelperCrashed) as caught:
                pool.call(2, "h", [9, 3, 12])
            assert str(caught.value) == "h crashes at 0x9 on an input in 0x3..0xc"
            # Its place is taken by one that has loaded the same.
            assert [*pool._idle] == [stand.made[1]]
            assert stand.made[1].asked[0][0] == pool.loads[0]
            assert pool.call(2, "h", [3]) == [Outcome(3)]
            assert stand.made[1].asked[1][0] == calls(2, "h", [3])
        assert [one.stopped for one in stand.made] == [1, 1]

    @pytest.mark.parametrize(
        "form",
        [
            {},
            [],
            7,
            {"keep": 1},
            {"keep": 1, "force": None},
            {"keep": 1, "force": 0, "more": 0},
            {"index_bits": [0], "values": [0, 1]},
            {"index_bits": [0], "values": [0, 1], "events": [0]},
            {"index_bits": [0, 1], "values": [0, 1], "events": [0, 0]},
            {"index_bits": [0], "values": [0, "1"], "events": [0, 0]},
        ],
        ids=str,
    )
    def test_what_is_no_form(self, stand: type[Stand], form: object) -> None:
        stand.behaviour = staticmethod(lambda _: {"form": form})
        with Pool(1) as pool, pytest.raises(HelperCrashed) as caught:
            pool.mine(2, "h", 4, is_filter=True)
        assert str(caught.value) == "h writes over the answers of the process that runs it on an input in 0x0..0xf"

    @pytest.mark.parametrize(
        "form",
        [
            MaskFilter(0x70, 0x1),
            MaskTable((), (Outcome(3),)),
            MaskTable((1, 4), (Outcome(0), Outcome(7, bug=True), Outcome(2, warned=True), Outcome(9))),
            None,
        ],
        ids=str,
    )
    def test_what_is_one(self, stand: type[Stand], form: MaskFilter | MaskTable | None) -> None:
        stand.behaviour = staticmethod(lambda _: {"form": json.loads(json.dumps(members(form))) if form else None})
        with Pool(1) as pool:
            assert pool.mine(2, "h", 4, is_filter=True) == form

    def test_no_answer_about_a_form(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda _: {})
        with Pool(1) as pool, pytest.raises(HelperCrashed, match="writes over the answers"):
            pool.mine(2, "h", 4, is_filter=True)

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"results": None},
            {"results": {"a": [1, 0, 0]}},
            {"results": [[1, 0, 0]]},
            {"results": [[1, 0, 0]] * 3},
            {"results": [[1, 0, 0], [1, 0]]},
            {"results": [[1, 0, 0], 1]},
        ],
        ids=str,
    )
    def test_outcomes_that_nobody_asked_for(self, stand: type[Stand], answer: dict[str, Any]) -> None:
        stand.behaviour = staticmethod(lambda _: answer)
        with Pool(1) as pool, pytest.raises(HelperCrashed) as caught:
            pool.call(2, "h", [9, 3])
        assert (caught.value.first, caught.value.last) == (3, 9)
        assert str(caught.value) == "h writes over the answers of the process that runs it on an input in 0x3..0x9"

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"tallies": None},
            {"tallies": {"inputs": BLOCK}},
            {"tallies": []},
            {"tallies": [GOOD, GOOD]},
            {"tallies": [[BLOCK, 0, 0, 0]]},
            *[{"tallies": [{**GOOD, name: None}]} for name in GOOD],
            {"tallies": [{**GOOD, "mismatches": False}]},
        ],
        ids=str,
    )
    def test_tallies_that_nobody_asked_for(self, stand: type[Stand], answer: dict[str, Any]) -> None:
        stand.behaviour = staticmethod(lambda _: answer)
        with Pool(1) as pool:
            (found,) = pool.sweep([Job(0, "h", FORM, BLOCK)])
            assert len(stand.made) == 2
        assert str(found.crash).startswith("h writes over the answers of the process that runs it on input ")
        assert (found.inputs, found.mismatches) == (0, 0)

    def test_too_few_inputs_are_no_verdict(self, stand: type[Stand]) -> None:
        laws = LawJob(0, "h", (MaskLaw(), MaskLaw()), BLOCK)
        for inputs in (BLOCK - 1, 0):
            answer = {"tallies": [GOOD, {**GOOD, "inputs": inputs}]}
            stand.behaviour = staticmethod(lambda _, answer=answer: answer)
            with Pool(1) as pool, pytest.raises(BuildError) as caught:
                pool.judge(laws)
            assert str(caught.value) == f"h: {inputs:,} inputs were compared, and not 2,048"

    def test_what_stops_one_thread_stops_the_others(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda _: {"error": "KeyError: h"})
        with Pool(1) as pool, pytest.raises(BuildError, match=r"^h: KeyError: h$"):
            pool.sweep([Job(0, "h", FORM, 4 * CHUNK)])
        assert len(stand.made[0].asked) == 1

    def test_as_many_wait_as_there_are_cores(self, stand: type[Stand], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 2, 5} if pid == 0 else {1})
        at_exit: list[object] = []
        monkeypatch.setattr(pools.atexit, "register", at_exit.append)
        pools.warm(1)
        # Else they would outlive a command that needs none.
        assert at_exit == [pools._stop_spares]
        pools.warm()
        assert len(stand.made) == 3
        assert at_exit == [pools._stop_spares]
        pools._stop_spares()
        assert [one.stopped for one in stand.made] == [1, 1, 1]
        assert not pools._spares

    def test_threads_do_not_keep_an_interrupted_command_alive(self, stand: type[Stand]) -> None:
        kinds: list[bool] = []

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            kinds.append(threading.current_thread().daemon)
            return tallies_of(set())(request)

        stand.behaviour = staticmethod(answer)
        with Pool(1) as pool:
            assert pool.on_progress is None
            pool.sweep([Job(0, "h", FORM, BLOCK)])
        assert kinds == [True]

    def test_a_helper_that_was_lost_is_not_waited_for_as_long(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(deadly(9))
        with Pool(1) as pool:
            for _ in range(2):
                with pytest.raises(HelperCrashed):
                    pool.call(2, "h", [9])
            pool.call(2, "other", [3])
            assert [one.asked[0][1] for one in stand.made] == [3.0, 1.0, 3.0]

    def test_what_was_killed_from_outside_is_asked_again(self, stand: type[Stand]) -> None:
        deaths: list[Dies] = []

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if deaths:
                raise deaths.pop()
            return tallies_of({5})(request)

        stand.behaviour = staticmethod(answer)
        with Pool(1) as pool:
            pool.load([("a.so", "d")])
            deaths.append(Killed("crashes with SIGKILL"))
            assert pool.call(2, "h", [3]) == [Outcome(3)]
            assert [one.stopped for one in stand.made] == [1, 0]
            assert [r["op"] for r, _ in stand.made[1].asked] == ["load", "call"]
            deaths.append(Killed("crashes with SIGKILL"))
            (found,) = pool.sweep([Job(0, "h", FORM, BLOCK)])
            assert (found.inputs, found.mismatches, found.crash) == (BLOCK, 1, None)
            deaths += [Killed("crashes with SIGKILL"), Killed("crashes with SIGKILL")]
            with pytest.raises(HelperCrashed, match=r"^h crashes with SIGKILL on input 0x3$"):
                pool.call(2, "h", [3])
            assert pool.call(2, "other", [4]) == [Outcome(4)]
        assert [one.stopped for one in stand.made] == [1] * 5

    def test_what_is_killed_while_it_loads_is_asked_again(
        self, stand: type[Stand], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deaths = [1]

        def load(worker: Any, *_: object) -> dict[str, Any]:  # noqa: ANN401 - a stand-in
            if deaths:
                raise pools._Died(worker, "crashes with SIGKILL", from_outside=bool(deaths.pop()))
            return {"segments": [{"index": 1}]}

        monkeypatch.setattr(stand, "ask", load)
        with Pool(1) as pool:
            assert pool.load([("a.so", "d")]) == [{"index": 1}]
            assert [one.stopped for one in stand.made] == [1, 0]

    def test_what_takes_its_place_is_not_asked_again(self, stand: type[Stand], monkeypatch: pytest.MonkeyPatch) -> None:
        with Pool(1) as pool:
            pool.load([("a.so", "d")])

            def killed(worker: Any, *_: object) -> dict[str, Any]:  # noqa: ANN401 - a stand-in
                raise pools._Died(worker, "crashes with SIGKILL", from_outside=True)

            monkeypatch.setattr(stand, "ask", killed)
            with pytest.raises(BuildError, match=r"^the compiled header crashes with SIGKILL while it is loaded$"):
                pool.call(2, "h", [3])
            assert len(stand.made) == 2

    def test_a_call_that_cannot_be_answered(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda _: {"error": "KeyError: h"})
        with Pool(1) as pool:
            with pytest.raises(BuildError, match=r"^h: KeyError: h$"):
                pool.call(2, "h", [1])
            with pytest.raises(BuildError, match=r"^h: KeyError: h$"):
                pool.sweep([Job(2, "h", FORM, BLOCK)])

    def test_mining(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda _: {"form": {"keep": 5, "force": 2}})
        with Pool(1) as pool:
            assert pool.mine(2, "h", 27, is_filter=True, ungrouped=True) == MaskFilter(5, 2)
            (request, _), *_ = stand.made[0].asked
            assert request == {
                "op": "mine", **PLACE, "ungrouped": 1, "inputs": [], "bits": 27, "is_filter": True
            }  # fmt: skip
            stand.behaviour = staticmethod(lambda _: {"form": None})
            assert pool.mine(2, "h", 27, is_filter=False) is None
            assert stand.made[0].asked[1][0]["ungrouped"] == 0

    def test_mining_that_crashes(self, stand: type[Stand]) -> None:
        def dies(_: object) -> dict[str, Any]:
            raise Dies("crashes")

        stand.behaviour = staticmethod(dies)
        with Pool(1) as pool, pytest.raises(HelperCrashed) as caught:
            pool.mine(2, "h", 27, is_filter=True)
        assert (caught.value.first, caught.value.last) == (0, (1 << 27) - 1)

    def test_a_request_is_for_this_many_inputs(self) -> None:
        assert (CHUNK, BLOCK) == (1 << 24, 1 << 11)

    @pytest.mark.parametrize("size", [1, 2])
    def test_every_input_of_every_job_is_asked_for_once(self, stand: type[Stand], size: int) -> None:
        counts = [2 * CHUNK + 4096, BLOCK, CHUNK]
        wrong = {5, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 4095}
        stand.behaviour = staticmethod(tallies_of(wrong))
        told: list[tuple[int, int]] = []
        with Pool(size, on_progress=lambda done, total: told.append((done, total))) as pool:
            found = pool.sweep([Job(n, f"h{n}", FORM, count) for n, count in enumerate(counts)])
        assert [t.inputs for t in found] == counts
        assert [t.mismatches for t in found] == [4, 1, 1]
        assert [t.smallest for t in found] == [2 * CHUNK, 5, 5]
        assert {t.first for t in found} == {5}
        asked = [(r["segment"], r["base"], r["count"]) for one in stand.made for r, _ in one.asked]
        assert sorted(asked) == [
            (0, 0, CHUNK), (0, CHUNK, CHUNK), (0, 2 * CHUNK, 4096), (1, 0, BLOCK), (2, 0, CHUNK)
        ]  # fmt: skip
        assert {limit for one in stand.made for _, limit in one.asked} == {10.0}
        assert sorted(told) == [(n, 5) for n in range(1, 6)]

    def test_a_job_that_starts_further_up(self, stand: type[Stand]) -> None:
        with Pool(1) as pool:
            pool.sweep([Job(0, "h", FORM, BLOCK, base=1 << 24)])
        assert stand.made[0].asked[0][0]["base"] == 1 << 24

    def test_laws_and_two_builds_have_a_tally_each(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(tallies_of({5}))
        with Pool(1) as pool:
            found = pool.judge(LawJob(0, "h", (MaskLaw(), MaskLaw(), MaskLaw()), BLOCK))
            assert [(t.inputs, t.mismatches, t.first) for t in found] == [(BLOCK, 1, 5)] * 3
            three = {"tallies": [{"inputs": 4, "mismatches": n, "first": n, "smallest": n} for n in range(3)]}
            stand.behaviour = staticmethod(lambda _: three)
            (found,) = pool.versus([VersusJob(0, 1, "h", Match(((0, 0), (1, 1))))])
            assert [(t.inputs, t.mismatches, t.first) for t in found] == [(4, 0, None), (4, 1, 1), (4, 2, 2)]

    @pytest.mark.parametrize("x", [0, 1, BLOCK - 1, BLOCK, 0x12345, CHUNK - 1, CHUNK, CHUNK + 0x777])
    def test_a_crash_is_narrowed_down_to_its_input(self, stand: type[Stand], x: int) -> None:
        stand.behaviour = staticmethod(deadly(x))
        with Pool(1) as pool:
            pool.load([("a.so", "d")])
            (found,) = pool.sweep([Job(0, "h", FORM, 2 * CHUNK)])
        assert found.crash is not None
        assert (found.crash.first, found.crash.last, found.elsewhere) == (x, x, False)
        assert str(found.crash) == f"h crashes at {x:#x} on input {x:#x}"
        # Each of those that died was replaced by one that loads what the first one had.
        assert all(one.asked[0][0]["op"] == "load" for one in stand.made)
        assert [one.stopped for one in stand.made] == [1] * len(stand.made)

    def test_of_two_deadly_inputs_the_lowest_is_told(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(deadly(0x4321, 0x777))
        with Pool(1) as pool:
            (found,) = pool.sweep([Job(0, "h", FORM, CHUNK)])
        assert found.crash is not None
        assert found.crash.first == 0x777
        assert str(found.crash) == "h crashes at 0x777 on input 0x777"

    def test_parts_of_less_than_a_block_are_called(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(deadly(3))
        with Pool(1) as pool:
            pool.sweep([Job(0, "h", FORM, 2 * BLOCK)])
        sizes = [
            (r["op"], r.get("count") or len(r["inputs"]))
            for one in stand.made
            for r, _ in one.asked
            if r["op"] != "load"
        ]
        halves = [("call", BLOCK >> n) for n in range(1, 12)]
        assert sizes == [("sweep", 2 * BLOCK), ("sweep", BLOCK), *halves]
        limits = [limit for one in stand.made for r, limit in one.asked if r["op"] != "load"]
        assert limits == [10.0, *[0.5] * 12]

    def test_its_other_configurations_are_not_tried_and_other_helpers_are(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(lambda r: deadly(7)(r) if r["helper"] == "h" else tallies_of({7})(r))
        jobs = [Job(0, "h", FORM, BLOCK), Job(1, "h", FORM, BLOCK), Job(0, "other", FORM, BLOCK)]
        with Pool(1) as pool:
            one, two, other = pool.sweep(jobs)
            (again,) = pool.sweep(jobs[1:2])
        assert one.crash is not None
        assert (one.elsewhere, two.elsewhere, again.elsewhere) == (False, True, True)
        assert two.crash is one.crash
        assert again.crash is one.crash
        assert (other.crash, other.inputs, other.mismatches) == (None, BLOCK, 1)
        assert not any(r.get("segment") == 1 for p in stand.made for r, _ in p.asked)

    def test_while_its_input_is_looked_for_other_threads_know_of_the_crash(self, stand: type[Stand]) -> None:
        known: list[HelperCrashed | None] = []

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            known.append(pool._crashed.get("h"))
            return deadly((1 << 24) + 3)(request)

        stand.behaviour = staticmethod(answer)
        with Pool(1) as pool:
            pool.sweep([Job(0, "h", FORM, 2 * BLOCK, base=1 << 24)])
        assert known[0] is None
        assert {str(crash) for crash in known[1:]} == {"h crashes at 0x1000003 on an input in 0x1000000..0x1000fff"}

    def test_chunks_behind_a_crash_are_not_asked_for(self, stand: type[Stand]) -> None:
        stand.behaviour = staticmethod(deadly(7))
        with Pool(1) as pool:
            pool.sweep([Job(0, "h", FORM, 3 * CHUNK)])
        assert max(r["base"] for one in stand.made for r, _ in one.asked if "base" in r) < CHUNK

    def test_one_that_dies_on_no_part_is_told_all_the_same(self, stand: type[Stand]) -> None:
        seen: list[int] = []

        def once(request: dict[str, Any]) -> dict[str, Any]:
            seen.append(1)
            return deadly(5)(request) if len(seen) == 1 else tallies_of(set())(request)

        stand.behaviour = staticmethod(once)
        with Pool(1) as pool:
            (found,) = pool.sweep([Job(0, "h", FORM, BLOCK)])
        assert found.crash is not None
        assert "crashes at 0x5" in str(found.crash)


@pytest.fixture
def program() -> Iterator[Callable[..., Any]]:
    """Return a function that makes a worker of a small program."""
    made = []

    def make(*command: str) -> Any:  # noqa: ANN401 - private class
        worker = pools._Process.__new__(pools._Process)
        worker.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        worker.buffer, worker.asked = b"", 0
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.stop()


class TestProcess:
    """An answer is one line with the token of the question; everything else is said for what it is."""

    def test_an_answer(self, program: Callable[..., Any]) -> None:
        echo = program("cat")
        assert echo.ask({"op": "x"}, 20) == {"op": "x"}
        assert echo.ask({"op": "y", "n": [1]}, 20) == {"op": "y", "n": [1]}
        assert echo.asked == 2

    @pytest.mark.parametrize(
        "command",
        [
            ("sed", "-u", "s/token/tokem/"),
            ("sed", "-u", 's/"token": "/&0/'),
            ("sed", "-u", "s/.*/[1]/"),
            ("sed", "-u", "s/.*/no JSON/"),
        ],
    )
    def test_what_is_no_answer(self, program: Callable[..., Any], command: tuple[str, ...]) -> None:
        worker = program(*command)
        with pytest.raises(pools._Died, match=r"^writes over the answers of the process that runs it$") as caught:
            worker.ask({"op": "x"}, 20)
        assert caught.value.from_outside is False
        assert worker.process.poll() is not None

    @pytest.mark.parametrize(
        ("script", "how"),
        [
            ("read line; exit 7", "ends the process with status 7"),
            ("read line; exit 0", "ends the process with status 0"),
            ("read line; kill -SEGV $$", "crashes with SIGSEGV"),
            ("read line; kill -ABRT $$", "crashes with SIGABRT"),
        ],
    )
    def test_one_that_dies(self, program: Callable[..., Any], script: str, how: str) -> None:
        with pytest.raises(pools._Died) as caught:
            program("sh", "-c", script).ask({"op": "x"}, 20)
        assert str(caught.value) == how

    @pytest.mark.parametrize(("name", "outside"), [("KILL", True), ("SEGV", False), ("TERM", False)])
    def test_only_what_is_killed_is_killed_from_outside(
        self,
        program: Callable[..., Any],
        name: str,
        outside: bool,  # noqa: FBT001 - a column
    ) -> None:
        with pytest.raises(pools._Died, match=f"^crashes with SIG{name}$") as caught:
            program("sh", "-c", f"read line; kill -{name} $$").ask({"op": "x"}, 20)
        assert caught.value.from_outside is outside

    @pytest.mark.parametrize(("extra", "too_long"), [(0, False), (1, True)])
    def test_an_answer_without_an_end(
        self,
        program: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        extra: int,
        too_long: bool,  # noqa: FBT001
    ) -> None:
        assert pools._LONGEST_ANSWER == 16 << 20
        monkeypatch.setattr(pools, "_LONGEST_ANSWER", 5000)
        worker = program("sh", "-c", f"head -c {5000 + extra} /dev/zero; read line; sleep 10")
        says = "^writes over the answers" if too_long else r"^does not return within 0\.3 s$"
        with pytest.raises(pools._Died, match=says):
            worker.ask({"op": "x"}, 20 if too_long else 0.3)
        assert worker.process.poll() == -9

    def test_one_that_is_silent_and_lives_on_is_killed(
        self, program: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = program("cat")
        wait, patience = worker.process.wait, []

        def waiting(timeout: float | None = None) -> int:
            if timeout is None:
                return int(wait())
            patience.append(timeout)
            raise subprocess.TimeoutExpired("cat", timeout)

        monkeypatch.setattr(worker.process, "wait", waiting)
        assert worker._how() == "stopped answering"
        assert (worker.process.poll(), patience) == (-9, [2])

    def test_what_a_worker_started_ends_with_it(self, program: Callable[..., Any]) -> None:
        worker = program("sh", "-c", "sleep 10 & echo $!; wait")
        started = Path(f"/proc/{int(worker.process.stdout.readline())}/stat")
        pools._alive.add(worker)
        pools.tidy()
        assert worker not in pools._alive
        assert worker.process.poll() == -9
        for _ in range(500):
            # Gone, or nobody has waited for it yet.
            state = "X"
            with contextlib.suppress(OSError):
                state = started.read_text().rpartition(") ")[2][0]
            if state in "XZ":
                break
            time.sleep(0.01)
        assert state in "XZ"

    def test_a_worker_is_started_apart(self) -> None:
        pools._stop_spares()
        pools.warm(1)
        (worker,) = pools._spares
        try:
            assert (worker.buffer, worker.asked, worker in pools._alive) == (b"", 0, True)
            assert worker.ask({"op": "load", "objects": [], "offset": 0}, 20) == {"segments": []}
            pid = worker.process.pid
            place = Path(f"/proc/{pid}")
            root = str(Path(pools.__file__).parents[2])
            others = [p for p in sys.path if p not in {"", root}]
            started = [sys.executable, "-I", "-S", "-c", pools._START, root, *others]
            assert (place / "cmdline").read_bytes().decode().split("\0") == [*started, ""]
            assert (place / "environ").read_bytes() == b"LC_ALL=C.UTF-8\0"
            assert str((place / "cwd").readlink()) == "/"
            assert str((place / "fd/2").readlink()) == "/dev/null"
            assert os.getsid(pid) == pid
        finally:
            pools._stop_spares()
        assert worker not in pools._alive

    def test_one_that_was_dead_before(self, program: Callable[..., Any]) -> None:
        worker = program("sh", "-c", "exit 3")
        worker.process.wait()
        with pytest.raises(pools._Died, match=r"^ends the process with status 3$"):
            worker.ask({"op": "x" * (1 << 17)}, 20)

    def test_one_that_does_not_answer_is_killed(self, program: Callable[..., Any]) -> None:
        worker = program("sleep", "10")
        with pytest.raises(pools._Died, match=r"^does not return within 0\.05 s$") as caught:
            worker.ask({"op": "x"}, 0.05)
        assert caught.value.from_outside is False
        assert worker.process.poll() == -9
        assert worker.process.stdin.closed
        assert worker.process.stdout.closed

    def test_one_that_writes_on_and_on_has_no_more_time(self, program: Callable[..., Any]) -> None:
        worker = program("sh", "-c", "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do printf x; sleep 0.1; done")
        with pytest.raises(pools._Died, match=r"^does not return within 0\.3 s$"):
            worker.ask({"op": "x"}, 0.3)

    def test_lines_that_come_together_are_taken_one_by_one(self, program: Callable[..., Any]) -> None:
        worker = program("cat")
        worker.buffer = b"one\ntwo\nthr"
        assert [worker._line(0, 0), worker._line(0, 0), worker.buffer] == [b"one", b"two", b"thr"]

    def test_a_long_answer_and_two_at_once(self, program: Callable[..., Any]) -> None:
        echo = program("cat")
        long = {"op": "x" * (1 << 17)}
        # The pipe holds less than the answer: it comes in pieces.
        assert program("sh", "-c", "exec cat").ask({"op": "y"}, 20) == {"op": "y"}
        worker = program(sys.executable, "-c", "import sys; line = sys.stdin.readline(); sys.stdout.write(line)")
        assert worker.ask(long, 20) == long
        echo.buffer = b""
        assert echo.ask({"op": "z"}, 20) == {"op": "z"}


@pytest.fixture(scope="module")
def answered() -> tuple[Worker, list[dict[str, Any]]]:
    """A worker in this process that has loaded the bundled subset, and what it answered."""
    worker = Worker()
    return worker, worker.load({"objects": [["bundled", ""]], "offset": 100})["segments"]


@pytest.fixture(scope="module")
def worker(answered: tuple[Worker, list[dict[str, Any]]]) -> Worker:
    return answered[0]


@pytest.fixture(scope="module")
def segment(answered: tuple[Worker, list[dict[str, Any]]]) -> int:
    """A segment in which NOLOCKDEP is no flag, by its number."""
    return 100 + next(int(s["index"]) for s in answered[1] if s["constants"]["__GFP_NOLOCKDEP"][0] == 0)


#: What a worker may have at most: 2 GiB of memory, 128 open files, and no file, core, process or thread.
LIMITS = {"AS": (2 << 30,) * 2, "NOFILE": (128, 128), "FSIZE": (0, 0), "CORE": (0, 0), "NPROC": (0, 0)}


class TestWorker:
    """The worker's own requests, in this process, on the bundled subset: it was compiled with pygfp."""

    def test_what_a_segment_holds(self, answered: tuple[Worker, list[dict[str, Any]]]) -> None:
        (one, *_) = answered[1]
        assert set(one) == {"index", "gfp_t_bytes", "gfp_t_signed", "constants", "helpers"}
        assert (one["gfp_t_bytes"], one["gfp_t_signed"]) == (4, False)
        assert one["constants"]["__GFP_IO"] == [0x40, 4, True]
        assert one["constants"]["ZONE_MOVABLE"][2] is False
        assert one["helpers"]["gfp_nested_mask"] == [4, False]
        assert one["helpers"]["gfp_has_io_fs"][0] == 1

    def test_segments_are_numbered_from_the_offset(self, answered: tuple[Worker, list[dict[str, Any]]]) -> None:
        held = {(100 + s["index"], name) for s in answered[1] for name in s["helpers"]}
        assert set(answered[0].helpers) == held
        assert {number for number, _ in held} >= {100, 101, 102, 103}

    def test_calls(self, worker: Worker, segment: int) -> None:
        found = worker.call(calls(segment, "gfp_nested_mask", [0, 0xCC0, 0xFFFFFFFF]))
        assert found == {"results": [[0x92000, 0, 0], [0x92CC0, 0, 0], [0x92CE0, 0, 0]]}
        assert worker.call(calls(segment, "gfp_zone", [3]))["results"][0][1] == 1
        grouped, ungrouped = (
            worker.call(calls(segment, "gfp_migratetype", [8, 0x18], ungrouped=u))["results"] for u in (False, True)
        )
        assert grouped == [[1, 0, 0], [3, 0, 1]]
        assert ungrouped == [[0, 0, 0], [0, 0, 1]]

    def test_mining(self, worker: Worker, segment: int) -> None:
        def mined(helper: str, *, is_filter: bool, ungrouped: bool = False) -> Any:  # noqa: ANN401 - JSON
            request = calls(segment, helper, (), ungrouped=ungrouped)
            return worker.mine({**request, "bits": 27, "is_filter": is_filter})["form"]

        assert mined("gfp_nested_mask", is_filter=True) == {"keep": 0xCE0, "force": 0x92000}
        assert mined("gfp_has_io_fs", is_filter=False) == {
            "index_bits": (6, 7), "values": [0, 0, 0, 1], "events": [0] * 4
        }  # fmt: skip
        assert mined("gfp_has_io_fs", is_filter=True) is None
        assert mined("gfp_migratetype", is_filter=False)["events"] == [0, 0, 0, 2]
        assert mined("gfp_migratetype", is_filter=False, ungrouped=True)["values"] == [0, 0, 0, 0]
        assert 1 in mined("gfp_zone", is_filter=False)["events"]

    def tally(self, worker: Worker, job: Any, base: int, count: int) -> list[tuple[int, ...]]:  # noqa: ANN401 - jobs
        answer = getattr(worker, job.request(0, 0)["op"])(job.request(base, count))
        return [(t["inputs"], t["mismatches"], t["first"], t["smallest"]) for t in answer["tallies"]]

    def test_sweeps(self, worker: Worker, segment: int) -> None:
        right = Job(segment, "gfp_nested_mask", MaskFilter(0xCE0, 0x92000), 4096)
        assert self.tally(worker, right, 0, 4096)[0][:2] == (4096, 0)
        wrong = Job(segment, "gfp_nested_mask", MaskFilter(0xCC0, 0x92000), 4096)
        assert self.tally(worker, wrong, 0, 4096) == [(4096, 2048, 0x20, 0x20)]
        assert self.tally(worker, wrong, 2048, 2048) == [(2048, 1024, 0x820, 0x820)]
        forced = Job(segment, "gfp_nested_mask", MaskFilter(0xCE0, 0x12000), 4096)
        assert self.tally(worker, forced, 0, 2048) == [(2048, 2048, 0, 0)]

    def test_sweeps_against_tables(self, worker: Worker, segment: int) -> None:
        rows = (Outcome(0), Outcome(0), Outcome(0), Outcome(1))
        right = Job(segment, "gfp_has_io_fs", MaskTable((6, 7), rows), 2048)
        assert self.tally(worker, right, 0, 2048)[0][:2] == (2048, 0)
        swapped = Job(segment, "gfp_has_io_fs", MaskTable((7, 8), rows), 2048)
        assert self.tally(worker, swapped, 0, 2048) == [(2048, 512, 0xC0, 0xC0)]
        warned = (Outcome(0), Outcome(1), Outcome(2), Outcome(3, warned=True))
        kinds = Job(segment, "gfp_migratetype", MaskTable((3, 4), warned), 2048)
        assert self.tally(worker, kinds, 0, 2048)[0][:2] == (2048, 0)
        other = Job(segment, "gfp_migratetype", MaskTable((3, 4), warned), 2048, ungrouped=True)
        assert self.tally(worker, other, 0, 2048) == [(2048, 1536, 8, 8)]

    def test_laws(self, worker: Worker, segment: int) -> None:
        laws = (MaskLaw(clear=0xF), MaskLaw(set=0x92000), MaskLaw(clear=0x20), MaskLaw(lost=0xCE3), MaskLaw(gained=1))
        found = self.tally(worker, LawJob(segment, "gfp_nested_mask", laws, 2048), 0, 2048)
        assert [f[:2] for f in found] == [(2048, 0), (2048, 0), (2048, 1024), (2048, 1536), (2048, 0)]
        assert [found[n][2:] for n in (2, 3)] == [(0x20, 0x20), (1, 1)]

    def test_two_builds(self, worker: Worker, segment: int) -> None:
        every = tuple((b, b) for b in range(11))
        masks = tuple((b, b) for b in range(32))
        same = VersusJob(segment, segment, "gfp_nested_mask", Match(every, masks, is_filter=True))
        assert [t[:2] for t in self.tally(worker, same, 0, 2048)] == [(2048, 0)] * 3
        # IO and FS change places on the way in, and not on the way out.
        pairs = (*every[:6], (6, 7), (7, 6), *every[8:])
        found = self.tally(
            worker, VersusJob(segment, segment, "gfp_nested_mask", Match(pairs, masks, is_filter=True)), 0, 2048
        )
        assert [t[:2] for t in found] == [(2048, 1024), (2048, 0), (2048, 0)]
        assert found[0][2:] == (0x40, 0x40)
        kinds = Match(tuple((b, b) for b in range(11)), renamed=(0, 2, 1, 3))
        found = self.tally(worker, VersusJob(segment, segment, "gfp_migratetype", kinds), 0, 2048)
        assert [t[:2] for t in found] == [(2048, 1024), (2048, 0), (2048, 0)]
        grouped = VersusJob(segment, segment, "gfp_migratetype", kinds, ungrouped=True)
        assert [t[:2] for t in self.tally(worker, grouped, 0, 2048)] == [(2048, 0)] * 3
        shifted = Match(((0, 0), (1, 0), (2, 2)))
        found = self.tally(worker, VersusJob(segment, segment, "gfp_zone", shifted), 0, 8)
        assert found[1][1] > 0

    def test_one_that_has_loaded_nothing_cannot_sweep(self) -> None:
        with pytest.raises(ValueError, match=r"^no object with the loops is loaded$"):
            _ = Worker().loops

    def test_an_object_of_another_digest_is_not_loaded(self, worker: Worker, tmp_path: Path) -> None:
        path = tmp_path / "a.so"
        path.write_bytes(b"no object")
        with pytest.raises(ValueError, match=r"a\.so does not match its digest$"):
            worker.load({"objects": [[str(path), "0" * 64]], "offset": 0})
        link = tmp_path / "link.so"
        link.symlink_to(path)
        with pytest.raises(OSError, match="link"):
            worker.load({"objects": [[str(link), "0" * 64]], "offset": 0})

    def test_an_object_is_loaded_by_the_descriptor_that_was_hashed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.so"
        path.write_bytes(b"the object")
        opened: list[tuple[str, bytes, int]] = []

        def dlopen(name: str, flags: int) -> Any:  # noqa: ANN401 - cffi
            with open(name, "rb") as stream:
                opened.append((name.rpartition("/")[0], stream.read(), flags))
            return SimpleNamespace(pygfp_table=SimpleNamespace(n_segments=0, loops="its loops"))

        worker = Worker()
        monkeypatch.setattr(worker, "ffi", SimpleNamespace(dlopen=dlopen, RTLD_NOW=2, RTLD_LOCAL=256))
        digest = "a0ea0005d8f2960fcf0d2ac91ed325acde6685569d9ac36b0d8147c0868a5479"
        assert worker.load({"objects": [[str(path), digest]], "offset": 0}) == {"segments": []}
        assert opened == [("/proc/self/fd", b"the object", 258)]
        assert [one.pygfp_table.loops for one in worker.libraries] == [worker.loops] == ["its loops"]

    @pytest.fixture
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """Yield a worker in a process of its own."""
        command = [sys.executable, "-c", pools._START, pools.__file__.rpartition("/pygfp/")[0]]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            yield process
            process.kill()

    def test_it_ends_with_its_parent_whatever_it_does(self, started: subprocess.Popen[str]) -> None:
        assert started.stdin is not None
        requests = [
            {"op": "load", "objects": [["bundled", ""]], "offset": 0, "token": "a"},
            {"op": "call", **calls(0, "gfp_nested_mask", range(1 << 14)), "token": "b"},
        ]
        started.stdin.write("".join(json.dumps(request) + "\n" for request in requests))
        # The answers are longer than a pipe holds, and nobody reads them: it writes for ever.
        started.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(timeout=0.1)
        started.stdin.close()
        assert started.wait(timeout=20) == -9

    def test_it_serves_until_its_input_ends(self, started: subprocess.Popen[str]) -> None:
        requests = [
            {"op": "load", "objects": [["bundled", ""]], "offset": 0, "token": "a"},
            {"op": "call", "segment": 99, "helper": "h", "inputs": [], "ungrouped": 0, "token": "b"},
            {"op": "nonsense", "token": "c"},
        ]
        assert started.stdin is not None
        assert started.stdout is not None
        answers = []
        for request in requests:
            started.stdin.write(json.dumps(request) + "\n")
            started.stdin.flush()
            answers.append(json.loads(started.stdout.readline()))
        limits = {name: resource.prlimit(started.pid, getattr(resource, f"RLIMIT_{name}")) for name in LIMITS}
        # What a header prints is no answer.
        printed, complained = (os.readlink(f"/proc/{started.pid}/fd/{fd}") for fd in (1, 2))
        assert printed == complained
        started.stdin.close()
        assert started.stdout.read() == ""
        assert limits == LIMITS
        first, second, third = answers
        assert (first["token"], "segments" in first) == ("a", True)
        assert second == {"error": "KeyError: (99, 'h')", "token": "b"}
        assert third["token"] == requests[2]["token"]
        assert third["error"].startswith("AttributeError: ")
