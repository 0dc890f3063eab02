# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp diff``: what an edit of the headers changes, flag by flag, on every input and in every configuration.
"""

from __future__ import annotations

import fnmatch
import os
import re
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from . import releases
from .changes import DiffReport
from .differing import composites, flags, helpers, layout
from .differing.found import Found
from .differing.identical import is_identical
from .differing.proofs import prove_until_done, questions
from .differing.sides import Side, Sides
from .differing.values import Proofs, compare_values
from .errors import BuildError, ExtractionError, NoSuchSubjectError
from .model.helpers import WANTED
from .native.session import AT_INSTALL, opened
from .report import SourceInfo
from .spell import mask_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .changes import Change
    from .config import Selection
    from .differing.proofs import Proof, Question
    from .native.session import Session
    from .report import Check
    from .sources import Source


_Answer = TypeVar("_Answer")

#: Watched files of which nothing is compiled for a diff.
UNCOMPILED = ("include/trace/events/mmflags.h", "mm/page_owner.c", "lib/stackdepot.c")


@dataclass(frozen=True)
class Options:
    """
    What a user asked of a diff.

    :ivar helper: glob over subjects; only these are compared
    :ivar full: every value of ``gfp_t`` instead of every value of the defined bits
    :ivar jobs: worker processes; None: one a core
    :ivar on_command: is told each command that is run
    """

    helper: str | None = None
    full: bool = False
    jobs: int | None = None
    on_command: Callable[[str], None] | None = None


def diff(old: Source, new: Source, selection: Selection, options: Options | None = None) -> DiffReport:
    """
    Return what changes in meaning from *old* to *new*.

    Where the text is the same byte for byte nothing is compiled: it means the same.

    :raises PygfpError: a side cannot be read, cut out or compiled at all; the message says which
    :raises NoSuchSubjectError: no subject matches ``options.helper``
    """
    options = options or Options()
    started = time.monotonic()
    rows = [releases.reference(source.release) for source in (old, new)]
    infos = [
        SourceInfo(s.kind, s.label, s.release, row.name, row.version, s.digest)
        for s, row in zip((old, new), rows, strict=True)
    ]
    if old.digest == new.digest:
        _require_named(options.helper, new)
        return DiffReport(infos[0], infos[1], identical=True)
    cores = options.jobs or len(os.sched_getaffinity(0))
    jobs = max(1, cores // 2)
    with _side("old", old, selection, jobs, options) as before, _side("new", new, selection, jobs, options) as after:
        sides = Sides(Side("old", before, rows[0]), Side("new", after, rows[1]), options.full)
        wanted = _wanted(options.helper, sides)
        opened_at = time.monotonic()
        found = _compare(sides, wanted, cores, layout_too=options.helper is None)
        compared_at = time.monotonic()
        broken, orders, complaints = _judged(sides, found.changes) if found.changes else ([], [], [])
        changes = [_in_names(sides, c, orders) for c in found.changes]
        timings = {
            "open_s": opened_at - started,
            "compare_s": compared_at - opened_at,
            "judge_s": time.monotonic() - compared_at,
            "total_s": time.monotonic() - started,
        }
    _require_unique(changes)
    return DiffReport(
        infos[0],
        infos[1],
        changes=tuple(changes),
        problems=tuple(found.problems),
        broken=tuple(broken),
        compared=tuple(dict.fromkeys(found.compared)),
        compiler=" and ".join(dict.fromkeys(s.compiler.removesuffix(AT_INSTALL) for s in (before, after))),
        n_configs=(_built(before), _built(after)),
        domain=sides.domain,
        warnings=tuple(dict.fromkeys((*before.complaints, *after.complaints, *complaints))),
        notes=tuple(_notes(sides, found)),
        timings={k: round(v, 6) for k, v in timings.items()},
    )


@contextmanager
def _side(name: str, source: Source, selection: Selection, jobs: int, options: Options) -> Iterator[Session]:
    """An opened side; what does not compile says which side it is."""
    opening = opened(source, selection, WANTED, jobs=jobs, on_command=options.on_command)
    try:
        session = opening.__enter__()
    except (BuildError, ExtractionError) as exc:
        message = f"the {name} side, {source.label}: {exc}"
        raise BuildError(message, command=getattr(exc, "command", ()), stderr=getattr(exc, "stderr", "")) from exc
    try:
        yield session
    finally:
        opening.__exit__(None, None, None)


def _require_named(pattern: str | None, source: Source) -> None:
    """
    Complain of a *pattern* that no word of the headers matches: it is a typo, also where nothing differs.

    :raises NoSuchSubjectError: none matches
    """
    words = {w.decode() for text in source.files.values() for w in re.findall(rb"\w+", text)}
    if pattern is not None and not fnmatch.filter([*WANTED, *words], pattern):
        message = f"--helper {pattern}: no helper and no composite of either side has such a name"
        raise NoSuchSubjectError(message, pattern=pattern)


def _wanted(pattern: str | None, sides: Sides) -> Callable[[str], bool]:
    """
    Which subjects to compare.

    :raises NoSuchSubjectError: none matches *pattern*
    """
    if pattern is None:
        return lambda _: True
    builds = [side.session.build for side in sides.both]
    known = {*WANTED, *(h.name for b in builds for h in b.helpers), *(n for b in builds for n in b.constant_symbols)}
    if not any(fnmatch.fnmatchcase(name, pattern) for name in known):
        message = f"--helper {pattern}: no helper and no composite of either side has such a name"
        raise NoSuchSubjectError(message, pattern=pattern)
    return lambda subject: fnmatch.fnmatchcase(subject, pattern)


def _compare(sides: Sides, wanted: Callable[[str], bool], jobs: int, *, layout_too: bool) -> Found:
    """Everything that is compared, in the order of the report."""
    found = Found()
    names = helpers.names(sides, wanted)
    open_ends = [name for name in names if not _is_identical(sides, name)]
    proofs = _prove(sides, open_ends)
    comparable = [name for name in names if helpers.standing(sides, name, proofs.new, found)]
    compare_values(sides, [name for name in comparable if name in open_ends], proofs, jobs, found)
    if names:
        found.problems += layout.unreached(sides)
    composites.compare(sides, wanted, found)
    if layout_too:
        flags.compare(sides, found)
        layout.compare(sides, found)
    return found


def _is_identical(sides: Sides, name: str) -> bool:
    return all(helpers.state(s, name).name == "ok" for s in sides.both) and is_identical(sides, name)


def _prove(sides: Sides, names: list[str]) -> Proofs:
    """What the helpers of both sides are."""
    old, new = (
        questions(s.session, [s.plans[n] for n in names if helpers.state(s, n).name == "ok"]) for s in sides.both
    )
    # What is the same code on both sides is proven by whichever side has nothing else to do.
    shared = deque(question for question in old if question in new)
    asked = {"old": old, "new": new}

    def one(side: Side) -> dict[Question, Proof]:
        keys = {question: homes[0] for question, homes in asked[side.name].items()}
        own = {question: key for question, key in keys.items() if not (question in old and question in new)}
        return prove_until_done(side.session, own, shared, keys, sides.n_bits)

    answers = _on_each(sides, one)
    known = {**answers[0], **answers[1]}
    return Proofs(*({key: known[q] for q, keys in part.items() for key in keys} for part in (old, new)))


def _on_each(sides: Sides, ask: Callable[[Side], _Answer]) -> tuple[_Answer, _Answer]:
    """What *ask* answers for the old side and for the new one: at the same time, each on workers of its own."""
    answers: dict[str, _Answer] = {}
    failures: list[BaseException] = []

    def one(side: Side) -> None:
        try:
            answers[side.name] = ask(side)
        except BaseException as exc:  # noqa: BLE001 - handed to the caller below
            failures.append(exc)

    threads = [threading.Thread(target=one, args=(side,), daemon=True) for side in sides.both]
    for thread in threads:
        thread.start()
    from .check import judge  # noqa: F401, PLC0415 - wanted where something changes; now there is time for it

    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers["old"], answers["new"]


def _judged(sides: Sides, changes: list[Change]) -> tuple[list[Check], list[Sequence[str]], list[str]]:
    """
    What is to be said of *changes* besides: verdicts that fail on the new side and not on the old one, the order in
    which ``%pGg`` of either side prints names, and what a user should know of it.
    """
    from .check import judge  # noqa: PLC0415 - where nothing changes there is nothing to judge
    from .native.trace import trace_order  # noqa: PLC0415 - ditto

    # What crashes, or does not return, has been waited for once.
    subjects = {c.subject for c in changes if c.change != "broken"}
    rules = any(c.kind in {"flag", "layout", "config"} for c in changes)

    def wanted(subject: str) -> bool:
        return subject in subjects or (rules and "GFP_" not in subject and subject not in WANTED)

    def one(side: Side) -> tuple[list[Check], Sequence[str], list[str]]:
        order, complaints = trace_order(side.session.source, side.row, side.session.build.flag_symbols)
        return [c for c in judge(side.session, side.row, wanted, order) if c.status == "fail"], order, complaints

    (before, *old), (now, *new) = _on_each(sides, one)
    known = {(c.kind, c.subject, c.message) for c in before}
    failing = [c for c in now if (c.kind, c.subject, c.message) not in known]
    return failing, [old[0], new[0]], [*old[1], *new[1]]


def _in_names(sides: Sides, change: Change, orders: list[Sequence[str]]) -> Change:
    """*change* with its example in the names of each side's own trace table."""
    full, example = sides.with_flags(change.config), change.smallest
    tables = [side.table(full) for side in sides.both]
    if example is None or tables[0] is None or tables[1] is None:
        return change
    old, new = (replace(table, trace_order=order) for table, order in zip(tables, orders, strict=True) if table)
    named = replace(
        example,
        input_names=new.format(example.input),
        old_names=mask_names(example.old, old),
        new_names=mask_names(example.new, new),
    )
    return replace(change, smallest=named)


def _notes(sides: Sides, found: Found) -> Iterator[str]:
    yield from found.notes
    for side, other in ((sides.old, sides.new), (sides.new, sides.old)):
        lone = [p.name for p in side.plans.values() if p.unswept and not p.error and p.name not in other.plans]
        if lone:
            what = "functions of several arguments, of which nothing is said"
            yield f"only the {side.name} side has {len(lone)} {what}: {', '.join(lone)}"
    for path in UNCOMPILED:
        if sides.old.session.source.files.get(path) != sides.new.session.source.files.get(path):
            yield f"{path} differs; nothing that is compared rests on it"
    match = sides.matched({})
    if match:
        for side, alone in ((sides.old, match.only_old), (sides.new, match.only_new)):
            if alone:
                yield f"held 0 where inputs are compared, since only the {side.name} side has it: {', '.join(alone)}"


def _built(session: Session) -> int:
    return sum(not s.error for s in session.build.segments)


def _require_unique(changes: list[Change]) -> None:
    """Two changes of one id would hide each other in a report; that is a bug of pygfp."""
    ids = [c.id for c in changes]
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        message = f"ids of changes are not unique: {', '.join(twice)}"
        raise AssertionError(message)
