# SPDX-License-Identifier: GPL-2.0-only
"""
What a comparison of tables with a header found, as plain values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Assignment
    from ..report import SourceInfo

#: Every problem that a row of a table can have.
PROBLEMS = ("missing", "extra", "ambiguous", "value", "guard")


@dataclass(frozen=True)
class Sighting:
    """
    One question about one name of a table in one configuration, answered.

    :ivar table: which table
    :ivar flag: the flag, composite or row that is asked about
    :ivar aspect: ``named``, ``known``, ``value``, ``unique`` or ``guarded``
    :ivar problem: one of PROBLEMS, or ``""`` where all is well
    """

    table: str
    flag: str
    aspect: str
    config: Assignment
    problem: str = ""
    file: str = ""
    line: int = 0
    message: str = ""


@dataclass(frozen=True)
class Answer:
    """
    One question about one name of a table, in every configuration.

    :ivar id: unique and dotted, ``printk.__GFP_IO.named``
    :ivar configs: the configurations that have the problem; all of them where there is none
    """

    id: str
    table: str
    flag: str
    problem: str
    configs: tuple[Assignment, ...]
    file: str
    line: int
    message: str


@dataclass(frozen=True)
class Table:
    """
    A table of a tree.

    :ivar name: how findings name it
    :ivar title: what it is
    :ivar file: kernel-relative file
    :ivar rows: how many rows it has, in the configuration that has most
    :ivar absent: why it was not compared, where the tree does not have it; else ``""``
    :ivar error: why it could not be compared, or ``""``
    """

    name: str
    title: str
    file: str
    rows: int = 0
    absent: str = ""
    error: str = ""


@dataclass(frozen=True)
class Coherence:
    """
    The tables of one source.

    :ivar configs: every configuration that was compared
    :ivar answers: everything that was asked, findings among them
    """

    source: SourceInfo
    compiler: str
    configs: tuple[Assignment, ...]
    tables: tuple[Table, ...]
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> list[Answer]:
        """What is wrong."""
        return [a for a in self.answers if a.problem]

    @property
    def exit_status(self) -> int:
        """Return 1 with a finding, 3 where a table could not be compared or none is there, else 0."""
        if self.findings:
            return 1
        return 3 if any(t.error for t in self.tables) or not self.answers else 0


def gathered(sightings: list[Sighting]) -> list[Answer]:
    """Return one answer for each question: the configurations in which its answer is the worst one."""
    found: dict[tuple[str, str, str], list[Sighting]] = {}
    for sighting in sightings:
        found.setdefault((sighting.table, sighting.flag, sighting.aspect), []).append(sighting)
    answers: dict[str, Answer] = {}
    for (table, flag, aspect), group in found.items():
        wrong = [s for s in group if s.problem]
        one = wrong[0] if wrong else group[0]
        configs = tuple(s.config for s in wrong or group)
        # A table may hold any text for a name; an id may not.
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", flag) or "-"
        spellings = (f"{table}.{plain}{n}.{aspect}" for n in ("", *(f"-{k}" for k in range(2, len(found) + 2))))
        name = next(s for s in spellings if s not in answers)
        answers[name] = Answer(name, table, flag, one.problem, configs, one.file, one.line, one.message)
    return list(answers.values())
