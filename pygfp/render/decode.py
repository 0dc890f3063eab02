# SPDX-License-Identifier: GPL-2.0-only
"""
Decoded masks: for people, and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..decode import was
from ..explaining.cubes import phrase
from ..releases import rows
from . import json as common
from .style import count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Assignment
    from ..decode import Decoded
    from ..decoding.tables import Tables
    from .style import Style

    Elsewhere = Sequence[tuple[str, list[str]]]

_INDENT = 12
_TOLD_BITS = 32
_TOLD = 4
_RUN = 2


def text(masks: Sequence[Decoded], tables: Tables, style: Style, others: Sequence[Elsewhere]) -> str:
    """Return *masks* as text; *others* are the other releases' readings of each."""
    lines = [] if style.quiet else [heading("decode", tables), *folded(f"note: {n}" for n in tables.notes)]
    for decoded, other in zip(masks, others, strict=True):
        lines += ["", *_mask(decoded, tables, style)] if not style.quiet else [*_names(decoded, tables)]
        head = "elsewhere"
        for names, releases in () if style.quiet else other:
            lines += _row(head, f"{span(releases)}: {names}")
            head = ""
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
    distinct: dict[str, list[Assignment]] = {}
    for reading in decoded.readings:
        distinct.setdefault(reading.names, []).extend(reading.configs)
    head = f"{decoded.value:#x}"
    for names, configs in distinct.items():
        yield f"{head:<{len(hex(decoded.value))}}  {names}" + _where(configs, tables)
        head = ""


def _where(configs: Sequence[Assignment], tables: Tables) -> str:
    words = phrase(list(configs), tables.assignments)
    return f"  ({words})" if words else ""


def _mask(decoded: Decoded, tables: Tables, style: Style) -> Iterable[str]:
    yield from _names(decoded, tables)
    flags = " ".join(n.removeprefix("__GFP_") for n in decoded.flags)
    if flags:
        yield from _row("flags", flags)
    for bit in decoded.moving:
        head = f"bit {bit.number}"
        for flags_here, configs in bit.meanings:
            what = " and ".join(n.removeprefix("__GFP_") for n in flags_here) or "no flag"
            yield from _row(head, f"{what} {phrase(configs, tables.assignments)}")
            head = ""
    if decoded.unknown:
        yield from _row("no flag", f"{decoded.unknown:#x}{_history(decoded.unknown)}")
        if decoded.value >> tables.gfp_t_bits:
            yield from _row("", f"gfp_t has {tables.gfp_t_bits} bits on this kernel: no mask of it can be that wide")
    if decoded.unnamed:
        what = "it, and prints" if len(decoded.unnamed) == 1 else "them, and prints"
        yield from _row("unnamed", f"{', '.join(decoded.unnamed)}: this kernel's %pGg has no name for {what} hex")
    yield from _contexts(decoded, tables)
    if decoded.claimed is not None:
        status = "fail" if decoded.differs else "pass"
        said = f"{decoded.claimed or 'none'}: {decoded.differs or 'agrees'}"
        yield from _row("claim", said, style.status(status, "claim"))


def _row(head: str, body: str, shown: str = "") -> Iterable[str]:
    """A heading of two words at most, and what it is, folded beside it."""
    first, *rest = folded([f"{'':{_INDENT}}{body}"], " " * _INDENT)
    yield f"  {shown or head}{'':{_INDENT - 2 - len(head)}}{first[_INDENT:]}"
    yield from rest


def _contexts(decoded: Decoded, tables: Tables) -> Iterable[str]:
    """What an allocation with the mask may do; a configuration seldom changes it."""
    found: dict[str, list[Assignment]] = {}
    for reading in decoded.readings:
        found.setdefault("; ".join(reading.context.words()), []).extend(reading.configs)
    for words, configs in found.items():
        yield from _row("context", words + _where(configs, tables))


def _history(unknown: int) -> str:
    """What single bits without a flag are in other releases: the release may be the wrong one."""
    told = [
        f"bit {bit} is {name.removeprefix('__GFP_')} in {span(releases)}"
        for bit in range(unknown.bit_length())
        if unknown >> bit & 1 and bit < _TOLD_BITS
        for name, releases in was(bit)
    ]
    return f" ({'; '.join(told)})" if told and len(told) <= _TOLD else ""


def span(releases: Sequence[str]) -> str:
    """
    Return names of releases, those that follow each other as a range.

    >>> span(["v5.4", "v5.10", "v5.15", "v6.2"]), span(["v6.1", "v6.2"])
    ('v5.4 to v5.15, v6.2', 'v6.1, v6.2')
    """
    order = [row.name for row in rows()]
    runs: list[list[str]] = []
    for name in releases:
        follows = runs and name in order and order.index(runs[-1][-1]) + 1 == order.index(name)
        if follows:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > _RUN else ", ".join(run) for run in runs)


def json(masks: Sequence[Decoded], tables: Tables, exit_status: int, others: Sequence[Elsewhere]) -> str:
    """Return *masks* as a JSON object with a newline at the end; *others* as for :func:`text`."""
    return common.dump(
        {
            "schema": "pygfp.decode/1",
            "source": common.source(tables.info),
            "exit": exit_status,
            "masks": [
                {**mask_json(m), "elsewhere": [{"names": names, "releases": releases} for names, releases in other]}
                for m, other in zip(masks, others, strict=True)
            ],
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
        "unnamed": list(decoded.unnamed),
        "context": first.context.words(),
        "readings": [
            {"names": r.names, "flags": list(r.flags), "unknown": hex(r.unknown), "configs": list(r.configs)}
            for r in decoded.readings
        ],
    }
