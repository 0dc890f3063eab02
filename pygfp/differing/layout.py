# SPDX-License-Identifier: GPL-2.0-only
"""
What an edit does to the layout besides single flags: the width of a mask, shared bits, what builds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import Change, Problem
from .matching import when

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Assignment
    from ..native.plan import Finding
    from .found import Found
    from .sides import Side, Sides

_TYPES_H = "include/linux/gfp_types.h"


def compare(sides: Sides, found: Found) -> None:
    """Add what changes about the layout to *found*."""
    every = sides.choices(sides.flag_symbols)
    found.changes += _shift(sides, every)
    found.changes += _shared(sides, every)
    found.changes += _type(sides)
    found.changes += _alone(sides)
    found.changes += _build_checks(sides)
    _unbuilt(sides, found)


def _shift(sides: Sides, every: list[Assignment]) -> Iterable[Change]:
    name = "__GFP_BITS_SHIFT"
    moves: dict[str, list[Assignment]] = {}
    for choice in every:
        old, new = (side.table(choice) for side in sides.both)
        if old and new and old.bits_shift != new.bits_shift:
            moves.setdefault(f"{old.bits_shift} -> {new.bits_shift}", []).append(choice)
    if moves:
        file, line = sides.new.session.build.places.get(name, (_TYPES_H, None))
        configs = tuple(c for where in moves.values() for c in where)
        text = "; ".join(f"{move} {when(where, every)}".rstrip() for move, where in moves.items())
        yield Change(name, "layout", "changed", text, "", configs[0], configs, file=file, line=line)


def _shared(sides: Sides, every: list[Assignment]) -> Iterable[Change]:
    """Flags that share a bit on one side only: names do not map one to one, so bits are compared by position."""
    found: dict[tuple[str, ...], list[Assignment]] = {}
    for choice in every:
        match = sides.matched(choice)
        if match and match.shared:
            found.setdefault(match.shared, []).append(choice)
    for names, where in found.items():
        text = f"{', '.join(names)} share a bit on one side only {when(where, every)}".rstrip()
        file, line = sides.new.session.build.places.get(names[0], (_TYPES_H, None))
        yield Change(
            "-".join(n.strip("_") for n in names),
            "layout",
            "changed",
            f"{text}; inputs are compared by position there, not by name",
            "shared-bit",
            where[0],
            tuple(where),
            file=file,
            line=line,
        )


def _type(sides: Sides) -> Iterable[Change]:
    old, new = (
        f"{'' if s.session.build.gfp_t_signed else 'un'}signed, {s.session.build.gfp_t_bits} bits" for s in sides.both
    )
    if old != new:
        yield Change("gfp_t", "layout", "changed", f"{old} -> {new}", file="include/linux/types.h")


def _alone(sides: Sides) -> Iterable[Change]:
    """Whether ``gfp_types.h`` compiles by itself, and whether there is one."""
    old, new = (side.session.build.alone for side in sides.both)
    if new and not old:
        yield Change(
            "compiles-alone", "layout", "broken", f"gfp_types.h does not compile by itself: {new}", file=_TYPES_H
        )
    elif old and new == "":
        yield Change("compiles-alone", "layout", "changed", "gfp_types.h compiles by itself now", file=_TYPES_H)
    elif (old is None) != (new is None):
        way = "added" if old is None else "removed"
        where = "out of gfp.h" if old is None else "into gfp.h"
        yield Change("gfp_types-h", "layout", way, f"{way}: the flags move {where}", file=_TYPES_H)


def _build_checks(sides: Sides) -> Iterable[Change]:
    """Findings of the compiler: a BUILD_BUG_ON or a static assertion that fires on one side only."""
    old = {(f.path, _text_of(sides.old, f), f.text) for f in sides.old.session.build.findings}
    seen: set[tuple[str, int]] = set()
    for f in sides.new.session.build.findings:
        if (f.path, _text_of(sides.new, f), f.text) in old or (f.path, f.line) in seen:
            continue
        seen.add((f.path, f.line))
        subject = f"build-bug-{f.path.rsplit('/', 1)[-1].partition('.')[0]}-{f.line}"
        config = next((s.assignment for s in sides.new.session.build.segments if s.index == f.segment), {})
        yield Change(subject, "layout", "broken", f.text, "", config, (config,), file=f.path, line=f.line)


def _text_of(side: Side, finding: Finding) -> bytes:
    """The line that a finding stands at: its number may change without any meaning."""
    lines = side.session.source.files.get(finding.path, b"").split(b"\n")
    return lines[finding.line - 1].strip() if 0 < finding.line <= len(lines) else b""


def _unbuilt(sides: Sides, found: Found) -> None:
    """Configurations that one side, or neither, can be built in; those that fail alike are one."""
    newly: dict[str, list[Assignment]] = {}
    for segment in sides.new.session.build.segments:
        if segment.error and not _fails(sides.old, segment.assignment):
            newly.setdefault(segment.error, []).append(segment.assignment)
    every = [s.assignment for s in sides.new.session.build.segments]
    for n, (error, where) in enumerate(newly.items()):
        text = f"cannot be built any more {_share(where, every)}: {error}"
        name = f"build-{n}" if n else "build"
        place = {"file": "include/linux/gfp.h"}
        found.changes.append(Change(name, "config", "broken", text, "", where[0], tuple(where), **place))  # type: ignore[arg-type]
    before: dict[str, list[Assignment]] = {}
    segments = sides.old.session.build.segments
    for segment in segments:
        if segment.error:
            before.setdefault(segment.error, []).append(segment.assignment)
    for error, where in before.items():
        text = f"the old side cannot be built {_share(where, [s.assignment for s in segments])}: {error}"
        found.problems.append(Problem("configuration", text))


def unreached(sides: Sides) -> Iterable[Problem]:
    """Flags above the bits that a sweep can visit: what helpers do with these is not compared."""
    tables = [side.table_of(s) for side in sides.both for s in side.session.build.segments]
    high = {n for table in tables for n, mask in table.flags.items() if mask >> sides.n_bits}
    if high:
        names = ", ".join(sorted(high))
        yield Problem("gfp_t", f"helpers are compared on values below 2^{sides.n_bits}, and not for {names} above that")


def _fails(side: Side, choice: Assignment) -> bool:
    """Whether a side cannot be built in *choice*, as far as it knows the symbols."""
    known = {s for segment in side.session.build.segments for s in segment.assignment}
    segment = side.session.segment({s: v for s, v in choice.items() if s in known})
    return segment is not None and bool(segment.error)


def _share(where: list[Assignment], every: list[Assignment]) -> str:
    """Which of the configurations that are compiled: by the symbols that tell, where these are in all of them."""
    known = set(every[0]).intersection(*every)
    some, others = (
        [{s: c[s] for s in sorted(known)} for c in cs] for cs in (where, [c for c in every if c not in where])
    )
    if others and not any(c in others for c in some):
        return when(some, some + others)
    return f"in {len(where)} of the {len(every)} configurations that are compiled"
