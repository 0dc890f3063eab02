# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp check``: verdicts on a source, compiled C against the model, on every flag combination.
"""

from __future__ import annotations

import fnmatch
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import releases
from .checking import composites, helpers, laws, layout
from .checking.view import View
from .errors import NoSuchSubjectError
from .model.helpers import HELPERS, WANTED
from .model.policy import Policy
from .native.session import opened
from .native.trace import trace_order
from .report import Check, Report, SourceInfo
from .sources import STANDS_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .config import Selection
    from .native.session import Session
    from .releases import Row
    from .sources import Source


@dataclass(frozen=True)
class Options:
    """
    What a user asked of a check.

    :ivar helper: glob over subjects; only these are judged
    :ivar full: every value of ``gfp_t`` instead of every value of the defined bits
    :ivar jobs: worker processes; None: one a core
    :ivar sparse: have sparse look at the types too
    """

    policy: Policy = field(default_factory=Policy)
    helper: str | None = None
    full: bool = False
    jobs: int | None = None
    on_progress: Callable[[int, int], None] | None = None
    on_command: Callable[[str], None] | None = None
    sparse: bool = False


def check(source: Source, selection: Selection, options: Options | None = None) -> Report:
    """
    Return the verdicts on *source*.

    :raises PygfpError: it cannot be read, cut out or compiled at all
    :raises NoSuchSubjectError: no subject matches ``options.helper``
    """
    options = options or Options()
    started = time.monotonic()
    row = releases.reference(source.release)
    with opened(source, selection, WANTED, jobs=options.jobs, on_command=options.on_command) as session:
        session.pool.on_progress = options.on_progress
        swept = time.monotonic()
        view = View(session, row, options.policy, full=options.full)
        wanted = _wanted(options.helper, session, row)
        verdicts = list(_verdicts(view, wanted))
        if options.sparse:
            from .checking import sparse  # noqa: PLC0415 - few runs ask for it

            verdicts += sparse.check(view, wanted, options.on_command)
        if any(c.smallest or c.first for c in verdicts):
            order, complaint = trace_order(source, row, session.build.flag_symbols)
            verdicts = [view.named(c, order) for c in verdicts]
            session.complaints.extend(c for c in complaint if c not in session.complaints)
        now = time.monotonic()
        timings = {**session.timings, "sweep_s": now - swept, "total_s": now - started}
    _require_unique(verdicts)
    return Report(
        source=SourceInfo(source.kind, source.label, source.release, row.name, row.version, source.digest),
        checks=tuple(verdicts),
        compiler=session.compiler,
        n_configs=sum(not s.error for s in session.build.segments),
        domain_bits=view.domain_bits,
        domain=view.domain,
        left_out=tuple(_left_out(session)),
        warnings=(
            *session.complaints,
            *_unused(selection, options.policy, session),
            *_unproven(source, row),
            *(n for n in session.build.notes if STANDS_IN in n),
        ),
        notes=(*(n for n in session.build.notes if STANDS_IN not in n), *layout.moved(view)),
        layout=tuple(layout.bits(view)),
        timings={k: round(v, 6) for k, v in timings.items()},
    )


def judge(session: Session, row: Row, wanted: Callable[[str], bool], order: Sequence[str] = ()) -> list[Check]:
    """Return the verdicts on the subjects of an opened kernel that are *wanted*; masks print in *order*."""
    view = View(session, row, Policy())
    return [view.named(c, order) for c in _verdicts(view, wanted)]


def _verdicts(view: View, wanted: Callable[[str], bool]) -> Iterable[Check]:
    results = helpers.judge(view, [m for m in HELPERS if wanted(m.name)], wanted)
    yield from results.checks
    yield from laws.check(view, results, wanted)
    yield from composites.check(view, wanted)
    yield from (c for c in layout.check(view) if wanted(c.subject))


def _wanted(pattern: str | None, session: Session, row: Row) -> Callable[[str], bool]:
    """
    Which subjects to judge.

    :raises NoSuchSubjectError: none matches *pattern*
    """
    if pattern is None:
        return lambda _: True
    constants = set(session.build.constant_symbols) - set(row.flags)
    known = {*WANTED, *(h.name for h in session.build.helpers), *row.composites, *constants}
    if not any(fnmatch.fnmatchcase(name, pattern) for name in known):
        message = f"--helper {pattern}: no helper and no composite of this source has such a name"
        raise NoSuchSubjectError(message, pattern=pattern)
    return lambda subject: fnmatch.fnmatchcase(subject, pattern)


def _left_out(session: Session) -> Iterable[str]:
    for symbol in session.build.unreachable:
        yield (
            f"configurations with {symbol}=y: Kconfig ties it to another word size than this compiler's "
            f"{session.build.word_bits} bits (--set {symbol}=y judges them all the same, as no real kernel is built)"
        )
    if session.build.unjudged_symbols:
        yield (
            f"configurations with any of {', '.join(session.build.unjudged_symbols)}: the headers test them, "
            "and nothing that is judged depends on them; that it compiles is all that is known of them"
        )
    unswept = [h for h in session.build.helpers if h.unswept and h.name not in WANTED and not h.error]
    if unswept:
        reasons = ", ".join(f"{h.name} ({h.unswept})" for h in unswept)
        yield f"{len(unswept)} functions that take a gfp_t and are no function of it alone: {reasons}"


def _unproven(source: Source, row: Row) -> Iterable[str]:
    if source.release is None:
        yield f"no Makefile says which release this is; it is compared with the newest that pygfp knows, {row.name}"


def _unused(selection: Selection, policy: Policy, session: Session) -> Iterable[str]:
    """What to say of symbols and flags that were given and that nothing depends on."""
    defined = {name for segment in session.build.segments for name in segment.constants}
    for flag in policy.decided:
        if flag not in defined:
            yield f"the policy file decides {flag}, which this source does not define"
    if selection.complete:
        return
    known = {s for h in session.build.helpers for s in h.symbols} | set(session.build.flag_symbols)
    for symbol in selection.fixed:
        if symbol not in known:
            yield f"--set {symbol} changes nothing: no helper and no flag of this source depends on it"


def _require_unique(checks: list[Check]) -> None:
    """Two verdicts of one id would hide each other in every report; that is a bug of pygfp."""
    ids = [c.id for c in checks]
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        message = f"check ids are not unique: {', '.join(twice)}"
        raise AssertionError(message)
