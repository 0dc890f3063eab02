# SPDX-License-Identifier: GPL-2.0-only
"""
Decoded masks: for people, and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cubes import phrase
from . import json as common
from .style import count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..annotate import Finding
    from ..decode import Decoded, Reading
    from ..tables import Tables
    from .style import Style


def text(masks: Sequence[Decoded], tables: Tables, style: Style) -> str:
    """Return *masks* as text."""
    lines = [] if style.quiet else [heading("decode", tables), *folded(f"note: {n}" for n in tables.notes)]
    for decoded in masks:
        lines += ["", *_mask(decoded, tables, style)] if not style.quiet else [*_names(decoded, tables)]
    return "\n".join(lines) + "\n"


def heading(command: str, tables: Tables) -> str:
    """Return the first line of a text: what kernel it speaks of."""
    info = tables.info
    if info.kind == "release":
        what = f"release {info.label}, from the facts of {info.reference} ({info.reference_version})"
    else:
        label = "bundled subset" if info.kind == "bundled" else printable(info.label)
        what = f"{label}, {info.release or 'release not known'}, reference {info.reference} ({info.reference_version})"
    compiler = f", {tables.compiler}" if tables.compiler else ""
    return f"pygfp {command}: {what}, {count(len(tables.configs), 'configuration')}{compiler}"


def _names(decoded: Decoded, tables: Tables) -> Iterable[str]:
    """The mask and its names; a line for each configuration in which the names are others."""
    distinct: dict[str, list[Any]] = {}
    for reading in decoded.readings:
        distinct.setdefault(reading.names, []).extend(reading.configs)
    head = f"{decoded.value:#x}"
    for names, configs in distinct.items():
        yield f"{head:<{len(hex(decoded.value))}}  {names}" + _where(configs, tables)
        head = ""


def _where(configs: Sequence[Any], tables: Tables) -> str:
    words = phrase(list(configs), tables.assignments)
    return f"  ({words})" if words else ""


def _mask(decoded: Decoded, tables: Tables, style: Style) -> Iterable[str]:
    yield from _names(decoded, tables)
    for reading in decoded.readings:
        yield from _flags(reading, tables)
    if decoded.differs:
        yield f"  {style.status('fail', 'claim')}    {decoded.claimed or 'none'}: {decoded.differs}"
    elif decoded.claimed is not None:
        yield f"  {style.status('pass', 'claim')}    {decoded.claimed or 'none'}: agrees"


def _flags(reading: Reading, tables: Tables) -> Iterable[str]:
    names = [n.removeprefix("__GFP_") for n in reading.flags]
    if reading.unknown:
        names.append(f"no flag: {reading.unknown:#x}")
    if names:
        yield from folded([f"  flags    {' '.join(names)}{_where(reading.configs, tables)}"], "           ")


def note(finding: Finding) -> str:
    """Return the line that stands behind a line of a log, with its newline."""
    mention, decoded = finding.mention, finding.decoded
    if mention.too_wide:
        return f"    pygfp: {printable(mention.text.decode())}: wider than 64 bits, not read\n"
    if decoded is None:
        return ""
    names = " or ".join(dict.fromkeys(r.names for r in decoded.readings))
    if finding.disagrees:
        return (
            f"    pygfp: {decoded.value:#x} is {names} in {finding.tables.info.reference}, "
            f"not {decoded.claimed}: {decoded.differs}\n"
        )
    return f"    pygfp: {decoded.value:#x} {names}\n"


def json(masks: Sequence[Decoded], tables: Tables, exit_status: int) -> str:
    """Return *masks* as a JSON object with a newline at the end."""
    return common.dump(
        {
            "schema": "pygfp.decode/1",
            "source": common.source(tables.info),
            "exit": exit_status,
            "masks": [mask_json(m) for m in masks],
            "notes": list(tables.notes),
        }
    )


def mask_json(decoded: Decoded) -> dict[str, Any]:
    """Return one mask as JSON shows it: the first reading on top, and every one with its configurations."""
    first = decoded.readings[0]
    return {
        "value": hex(decoded.value),
        "names": first.names,
        "flags": list(first.flags),
        "unknown": hex(first.unknown),
        "claimed": decoded.claimed,
        "agrees": decoded.agrees,
        "differs": decoded.differs or None,
        "readings": [
            {"names": r.names, "flags": list(r.flags), "unknown": hex(r.unknown), "configs": list(r.configs)}
            for r in decoded.readings
        ],
    }
