# SPDX-License-Identifier: GPL-2.0-only
"""
Checks of layout: the rules that the bits of the flags obey, in every configuration.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..config import slug
from ..report import Check, check_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Assignment
    from ..flags import FlagTable
    from ..native.plan import SegmentPlan
    from .view import View

_TYPES_H = "include/linux/gfp_types.h"
_LOWEST_FOUR = 0xF
_ZONE_FLAGS = ("__GFP_DMA", "__GFP_HIGHMEM", "__GFP_DMA32", "__GFP_MOVABLE")

#: xarray marks take three bits of a 32-bit word beside the flags.
SHIFT_CEILING = 29


def check(view: View) -> Iterable[Check]:
    """Return the verdict on every rule of layout in every configuration, and on flags that are new."""
    for choice in view.session.choices(view.session.build.flag_symbols):
        yield from _layout(view, choice)
    yield from _alone(view)
    yield from _new_flags(view)
    yield from _build_bugs(view)


def bits(view: View) -> Iterable[tuple[Assignment, dict[str, int]]]:
    """Return the bit of each flag in each configuration that flags depend on and that was built."""
    for choice in view.session.choices(view.session.build.flag_symbols):
        segment = view.session.segment(choice)
        if segment and not segment.error:
            flags = view.session.table(segment).flags
            yield choice, {name: mask.bit_length() - 1 for name, mask in flags.items()}


def moved(view: View) -> Iterable[str]:
    """Say which flags sit on another bit than in the reference row, with every symbol on."""
    on = dict.fromkeys(view.session.build.flag_symbols, True)
    segment = view.session.segment(on)
    if segment is None or segment.error:
        return
    table = view.session.table(segment)
    found = [
        f"{flag}: bit {mask.bit_length() - 1}, was {view.row.flags[flag]['bit']}"
        for flag, mask in table.flags.items()
        if flag in view.row.flags and mask.bit_length() - 1 != view.row.flags[flag]["bit"]
    ]
    if found:
        yield f"moved against {view.row.name}, which changes no meaning: {'; '.join(found)}"


def _flags(view: View, table: FlagTable) -> dict[str, int]:
    """Every name that is a flag: those of the row, and any other ``__GFP_`` name that is no mask of several."""
    special = {"__GFP_BITS_MASK", *view.row.composites}
    return {
        n: m
        for n, m in table.masks.items()
        if n in view.row.flags or (n.startswith("__GFP_") and n not in special and m.bit_count() <= 1)
    }


def _layout(view: View, choice: Assignment) -> Iterable[Check]:
    segment = view.session.segment(choice)
    for rule, judge in _RULES.items():
        base = Check(
            check_id("layout", rule, slug(choice)), rule, "layout", "pass", choice, (choice,), file=view.types_file
        )
        if segment is None or segment.error:
            why = segment.error if segment else "it was not compiled"
            yield replace(base, status="error", message=f"this configuration cannot be built: {why}")
            continue
        flags = _flags(view, view.session.table(segment))
        wrong = judge(view, segment, flags)
        status = "fail" if wrong else "pass"
        yield replace(base, status=status, inputs=len(flags), mismatches=len(wrong), message="; ".join(wrong))


def _distinct(_: View, __: SegmentPlan, flags: dict[str, int]) -> list[str]:
    wide = [f"{n} is {m:#x}, not a single bit" for n, m in flags.items() if m.bit_count() > 1]
    pairs = combinations(((n, m) for n, m in flags.items() if m.bit_count() == 1), 2)
    return wide + [f"{a} and {b} stand on the same bit {m:#x}" for (a, m), (b, k) in pairs if m == k]


def _inside(_: View, segment: SegmentPlan, flags: dict[str, int]) -> list[str]:
    mask = segment.constants.get("__GFP_BITS_MASK")
    if mask is None:
        return ["__GFP_BITS_MASK is not defined"]
    return [
        f"{n} ({m:#x}) is outside __GFP_BITS_MASK ({mask.value:#x}): bits get lost"
        for n, m in flags.items()
        if m & ~mask.value
    ]


def _ceiling(_: View, segment: SegmentPlan, __: dict[str, int]) -> list[str]:
    shift = segment.constants.get("__GFP_BITS_SHIFT")
    if shift is None:
        return ["__GFP_BITS_SHIFT is not defined"]
    if shift.value > SHIFT_CEILING:
        return [f"__GFP_BITS_SHIFT is {shift.value}; xarray marks leave room for {SHIFT_CEILING}"]
    return []


def _zone_bits(_: View, __: SegmentPlan, flags: dict[str, int]) -> list[str]:
    found = 0
    for name in _ZONE_FLAGS:
        found |= flags.get(name, 0)
    return (
        [] if found == _LOWEST_FOUR else [f"the zone flags cover {found:#x}; gfp_zone() looks at the lowest four bits"]
    )


def _gates(view: View, segment: SegmentPlan, flags: dict[str, int]) -> list[str]:
    wrong = []
    for name in view.row.flags:
        gate = view.row.gate(name)
        if gate is None or name not in segment.constants:
            continue
        if gate not in view.session.build.constant_symbols.get(name, ()):
            wrong.append(f"changed: {name} depends on {gate} in {view.row.name}, and does not here")
            continue
        on = segment.assignment.get(gate, False)
        if not on and flags.get(name, 0):
            wrong.append(f"{name} is {flags[name]:#x} although {gate} is off")
        if on and not flags.get(name, 0):
            wrong.append(f"{name} is 0 although {gate} is on")
    return wrong


def _present(view: View, segment: SegmentPlan, flags: dict[str, int]) -> list[str]:
    wrong = []
    for name in view.row.flags:
        gate = view.row.gate(name)
        if gate is not None and not segment.assignment.get(gate, False):
            continue
        constant = segment.constants.get(name)
        if constant is None and name in view.session.build.broken:
            wrong.append(f"{view.session.build.broken[name]} (in one configuration at least)")
        elif constant is None:
            wrong.append(f"removed: {view.row.name} has {name}, this source does not")
        elif not constant.is_gfp_t:
            wrong.append(f"changed: {name} is not of type gfp_t but of another of {constant.bytes} bytes")
        elif not flags.get(name, 0):
            wrong.append(f"changed: {name} is 0, in {view.row.name} it is a bit of its own here")
    return wrong


def _unsigned(view: View, _: SegmentPlan, __: dict[str, int]) -> list[str]:
    return (
        ["gfp_t is a signed type; shifts and comparisons of masks change their meaning"]
        if view.session.build.gfp_t_signed
        else []
    )


_RULES = {
    "gfp_t-unsigned": _unsigned,
    "single-bits": _distinct,
    "inside-mask": _inside,
    "shift-ceiling": _ceiling,
    "zone-bits-lowest": _zone_bits,
    "gates": _gates,
    "present": _present,
}


def _alone(view: View) -> Iterable[Check]:
    alone = view.session.build.alone
    base = Check("layout.compiles-alone", "compiles-alone", "layout", "pass", inputs=1, file=_TYPES_H)
    if alone is None and view.row.split:
        message = f"removed: {view.row.name} has {_TYPES_H}, this source does not"
        yield replace(base, status="fail", mismatches=1, message=message)
    elif alone:
        message = f"gfp_types.h does not compile by itself: {alone}; include what it uses"
        yield replace(base, status="fail", mismatches=1, message=message)
    elif alone is not None:
        yield base


def _new_flags(view: View) -> Iterable[Check]:
    """Flags that neither the row nor the policy knows."""
    build = view.session.build
    found: dict[str, None] = {}
    for segment in build.segments:
        found |= dict.fromkeys(n for n in _flags(view, view.session.table(segment)) if n not in view.row.flags)
    for name in found:
        if view.policy.fate(name) is None:
            file, line = build.places.get(name, (_TYPES_H, None))
            message = f"new: {view.row.name} has no {name}, and the nested policy has no verdict on it"
            yield Check(f"layout.{name}", name, "layout", "undecided", file=file, line=line, message=message)


def _build_bugs(view: View) -> Iterable[Check]:
    """Findings of the compiler that stand in no helper that is judged."""
    build = view.session.build
    claimed = [(h.path, h.line, h.end_line) for h in build.helpers if h.meanings]
    for finding in build.findings:
        if any(p == finding.path and a <= finding.line <= b for p, a, b in claimed):
            continue
        assignment = build.segments[finding.segment].assignment
        yield Check(
            id=f"layout.build-bug.{PurePath(finding.path).stem}-{finding.line}.{finding.segment}",
            subject="build-bug",
            kind="layout",
            status="fail",
            config=assignment,
            configs=(assignment,),
            inputs=1,
            mismatches=1,
            file=finding.path,
            line=finding.line,
            message=finding.text,
        )
