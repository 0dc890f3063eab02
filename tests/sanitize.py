# SPDX-License-Identifier: GPL-2.0-only
"""
The compiled unit of a source in a program of its own, built with sanitizers: what it says, and what it dies of.

A worker cannot load such a build: its limits leave no room for the shadow memory. The program is given the same jobs.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygfp.config import Selection
from pygfp.extract import extract
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.model.helpers import WANTED
from pygfp.native import build as building
from pygfp.native import compiler as cc
from pygfp.native.attempt import include_flags
from pygfp.native.jobs import Job, LawJob, Tally
from pygfp.native.session import opened
from pygfp.sources import csrc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pygfp.forms import Form
    from pygfp.native.session import Session
    from pygfp.sources import Source

DRIVER = Path(__file__).resolve().parent / "data" / "drive.c"

#: Every one that there is for memory and for what C leaves undefined; the first finding ends the program.
#: -fstrict-overflow takes back what the kernel defines, so that signed overflow is a finding too.
SANITIZERS = (
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fstrict-overflow"),
    *("-fno-omit-frame-pointer", "-g1", "-O1"),
)

#: A sweep covers whole blocks.
BLOCK = 1 << 11


@dataclass(frozen=True)
class Task:
    """
    One job, and what to call it.

    :ivar what: ``right`` for a form that fits, ``wrong`` for one that does not, ``laws``, ``versus``
    """

    what: str
    job: Job | LawJob
    bits: int = 0
    is_filter: bool = False

    def request(self) -> str:
        """The request as the program reads it."""
        job, place = self.job, f"{self.job.segment} {self.job.helper}"
        if self.what == "versus":
            return f"versus {place} {place} {job.base} {job.count} {self.bits} {int(self.is_filter)}"
        asked = job.request(job.base, job.count)
        if isinstance(job, LawJob):
            (law,) = asked["laws"]
            return _words("judge", place, job.base, job.count, *law.values())
        rows = [len(asked.get("values", (0,))), *asked.get("values", (0,)), *asked.get("events", (0,))]
        bits = asked.get("index_bits", ())
        form = [asked.get("keep", 0), asked.get("force", 0), len(bits), *bits, *rows]
        return _words("sweep", place, job.base, job.count, asked["ungrouped"], *form)


def _words(*items: Any) -> str:  # noqa: ANN401 - numbers, words and tuples of numbers
    return " ".join(_words(*i) if isinstance(i, tuple | list) else str(i) for i in items)


class SanitizerError(Exception):
    """The program died; the text is what it said."""


def program(source: Source, directory: Path, compiler: str, flags: Sequence[str] = SANITIZERS) -> Path:
    """Return the program for every configuration of *source*, made in *directory*."""
    found = cc.find({"CC": compiler})
    subset = extract(source, tuple(WANTED))
    building.build(subset, Selection(), found, directory, WANTED, link=False)
    table = ("-DPYGFP_TABLE_NAME=pygfp_table", "-DPYGFP_WITH_LOOPS")
    commands = [
        [*found.command, *cc.SEMANTIC_FLAGS, *include_flags(), *flags, *table, "-c", "unit0.c", "-o", "unit0.o"],
        [*found.command, *flags, "-Wall", "-Wextra", "-Werror", f"-I{csrc()}", str(DRIVER), "unit0.o", "-o", "drive"],
    ]
    for command in commands:
        subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    return directory / "drive"


def tasks(session: Session, n_bits: int, ranges: Sequence[tuple[int, int]]) -> Iterator[Task]:
    """
    Yield what there is to do for every meaning of every helper of *session*.

    A form that fits, one that does not, so that witnesses are looked for, a law of a filter that does not hold
    everywhere, and the helper against itself.

    :param n_bits: how many bits an input has
    :param ranges: base and count of the inputs
    """
    for plan in session.build.helpers:
        for meaning in plan.meanings:
            for ungrouped in (False, True) if plan.grouping else (False,):
                form = session.pool.mine(
                    meaning.segment, plan.name, n_bits, is_filter=plan.is_filter, ungrouped=ungrouped
                )
                for base, count in ranges:
                    job = Job(meaning.segment, plan.name, form or _guess(plan.is_filter), count, base, ungrouped)
                    yield Task("right" if form else "wrong", job)
                    yield Task("wrong", replace(job, form=_spoilt(job.form)))
                    yield Task("versus", job, n_bits, plan.is_filter)
                    if plan.is_filter and not ungrouped:
                        yield Task("laws", _law(job))


def _law(job: Job) -> LawJob:
    from pygfp.laws import MaskLaw  # noqa: PLC0415 - for here alone

    law = MaskLaw(gained=1 << 6, lost=1 << 7, any=(0xF, 0, 0, 0), all=(0xC0, 0, 0, 0), idempotent=1)
    return LawJob(job.segment, job.helper, (law,), job.count, job.base)


def _guess(is_filter: bool) -> Form:  # noqa: FBT001 - one of two kinds
    return MaskFilter(0, 0) if is_filter else MaskTable((0, 20), (Outcome(0),) * 4)


def _spoilt(form: Form) -> Form:
    """*form*, wrong for some inputs."""
    if isinstance(form, MaskFilter):
        return MaskFilter(form.keep ^ 1 << 10, form.force)
    first = form.rows[0]
    return replace(form, rows=(first._replace(value=first.value ^ 1, bug=False), *form.rows[1:]))


def answers(made: Path, wanted: Sequence[Task], *, timeout_s: float = 600) -> list[list[Tally]]:
    """
    Return the tallies of each of *wanted*, as the program *made* gives them.

    :raises SanitizerError: it died
    """
    text = "".join(f"{task.request()}\n" for task in wanted)
    done = subprocess.run([made], input=text, capture_output=True, text=True, check=False, timeout=timeout_s)
    if done.returncode:
        raise SanitizerError(f"exit status {done.returncode}\n{done.stderr}")
    lines = iter(done.stdout.splitlines())
    return [[_tally(next(lines)) for _ in range(3 if task.what == "versus" else 1)] for task in wanted]


def _tally(line: str) -> Tally:
    inputs, mismatches, first, smallest = map(int, line.split())
    found = Tally()
    found.add({"inputs": inputs, "mismatches": mismatches, "first": first, "smallest": smallest})
    return found


def expected(session: Session, task: Task) -> list[Tally]:
    """Return the tallies that the ordinary build gives for *task*; those of *versus* are no difference at all."""
    if task.what == "versus":
        return [Tally(task.job.count) for _ in range(3)]
    if isinstance(task.job, LawJob):
        return session.pool.judge(task.job)
    return session.pool.sweep([task.job])


__all__ = ["SANITIZERS", "SanitizerError", "Task", "answers", "expected", "opened", "program", "tasks"]
