# SPDX-License-Identifier: GPL-2.0-only
"""
Checks of composites: every ``GFP_KERNEL`` and kin against the reference row, every derived mask against its rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import slug
from ..model.masks import MASKS, is_mask
from ..releases import version_key
from ..report import Check, check_id
from .standing import ACCEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..native.plan import SegmentPlan
    from .view import View


def check(view: View, wanted: Callable[[str], bool]) -> Iterable[Check]:
    """Return the verdict on every composite that is *wanted*, in every configuration that it depends on."""
    for name in _composites(view):
        if wanted(name):
            yield from _composite(view, name)


def _composites(view: View) -> list[str]:
    """Names to check: those of the row, and every other multi-flag mask of the source, also one that is no constant."""
    names = dict.fromkeys(view.row.composites)
    names |= dict.fromkeys(n for n in view.session.build.broken if n not in view.row.flags and is_mask(n))
    for segment in view.session.build.segments:
        for name, constant in segment.constants.items():
            if constant.is_gfp_t and name not in view.row.flags and _is_composite(name, constant.value):
                names[name] = None
    return list(names)


def _is_composite(name: str, value: int) -> bool:
    return is_mask(name) and (not name.startswith("__GFP_") or value.bit_count() > 1)


def _composite(view: View, name: str) -> Iterable[Check]:
    build = view.session.build
    gates = {g for f in view.row.composites.get(name, ()) if (g := view.row.gate(f))}
    symbols = sorted({*build.constant_symbols.get(name, ()), *(gates & set(build.flag_symbols))})
    if name in MASKS:
        symbols = sorted({*symbols, *build.flag_symbols})
    file, line = build.places.get(name, (view.types_file, None))
    for choice in view.session.choices(symbols):
        segment = view.session.segment(choice)
        status, message = _judge_composite(view, name, segment)
        yield Check(
            id=check_id("composite", name, slug(choice)),
            subject=name,
            kind="composite",
            status=status,
            config=choice,
            configs=(choice,),
            inputs=int(status in {"pass", "fail"}),
            mismatches=int(status == "fail"),
            form={"flags": view.session.table(segment).names(segment.constants[name].value)}
            if segment and name in segment.constants
            else None,
            file=file,
            line=line,
            message=message,
            gone=bool(segment and not segment.error and name not in {**segment.constants, **build.broken}),
        )


def _missing(view: View, name: str) -> tuple[str, str]:
    """What to say of a composite that is not there: it does not compile, or is not defined."""
    broken = view.session.build.broken.get(name)
    if broken:
        return "error", f"not compared: {broken} (in one configuration at least)"
    text = f"removed: {view.row.name} defines it, this source does not; its users would not build; {ACCEPT}"
    return "fail", text


def _judge_composite(view: View, name: str, segment: SegmentPlan | None) -> tuple[str, str]:
    if segment is None or segment.error:
        return "error", f"this configuration cannot be built: {segment.error if segment else 'it was not compiled'}"
    table = view.session.table(segment)
    constant = segment.constants.get(name)
    if constant is None:
        return _missing(view, name)
    if not constant.is_gfp_t:
        return "fail", f"changed: expected type gfp_t, found another type of {constant.bytes} bytes"
    if name in MASKS:
        release = version_key(view.row.version)[:2]
        expected = MASKS[name](table, release)
    elif name in view.row.composites:
        expected = table.mask(view.row.composites[name])
    else:
        return (
            "undecided",
            f"new: {view.row.name} has no {name}; here it is {'|'.join(table.names(constant.value)) or '0'}",
        )
    if constant.value == expected:
        return "pass", ""
    plus = [f"+{n}" for n in table.names(constant.value & ~expected)]
    minus = [f"-{n}" for n in table.names(expected & ~constant.value)]
    gone = [f"-{n}" for n in view.row.composites.get(name, ()) if n not in table.masks and not view.row.gate(n)]
    difference = " ".join([*plus, *minus, *gone])
    found = f"expected {expected:#x}, found {constant.value:#x}"
    return "fail", f"changed against {view.row.name}: {difference}; {found}; {ACCEPT}"
