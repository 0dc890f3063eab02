# SPDX-License-Identifier: GPL-2.0-only
"""
The value of an expression: for people, and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..explaining.cubes import phrase
from . import json as common
from .decode import heading
from .style import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..decoding.tables import Tables
    from ..encode import Encoded, Value
    from .style import Style


def text(expressions: Sequence[Encoded], tables: Tables, style: Style) -> str:
    """Return *expressions* as text; a quiet one is the values alone."""
    lines: list[str] = []
    if not style.quiet:
        lines = [heading("encode", tables), *folded(f"note: {n}" for n in tables.notes), ""]
    for encoded in expressions:
        lines += [f"{encoded.expression}"] if len(expressions) > 1 and not style.quiet else []
        lines += _values(encoded, tables, style)
    return "\n".join(lines) + "\n"


def _values(encoded: Encoded, tables: Tables, style: Style) -> Iterable[str]:
    """A line for each value, and for each spelling of one; what is the same as in the line before is not said again."""
    found: dict[tuple[str, str], list[Value]] = {}
    for value in encoded.values:
        names = "" if style.quiet or value.answer.value is None else value.names
        found.setdefault((_head(value), names), []).append(value)
    width = max(len(head) for head, _ in found)
    said = ""
    for (head, names), values in found.items():
        words = phrase([c for v in values for c in v.configs], encoded.every)
        parts = filter(None, [names, f"({words})" if words else ""])
        yield f"{'' if head == said else head:<{width}}  {'  '.join(parts)}".rstrip()
        if not style.quiet and values[0].answer.is_mask and (values[0].answer.value or 0) >> tables.gfp_t_bits:
            yield f"{'':{width}}  wider than gfp_t, which has {tables.gfp_t_bits} bits on this kernel"
        said = head
    if not style.quiet:
        yield from folded(f"note: {note}" for note in encoded.notes)


def _head(value: Value) -> str:
    answer = value.answer
    if answer.bug:
        return "BUG fires"
    number = f"{answer.value:#x}" if answer.is_mask and answer.value is not None else str(answer.value)
    shown = answer.name if answer.value is None else number
    return f"{shown} and WARN fires" if answer.warned else shown


def json(expressions: Sequence[Encoded], tables: Tables) -> str:
    """Return *expressions* as a JSON object with a newline at the end."""
    return common.dump(
        {
            "schema": "pygfp.encode/1",
            "source": common.source(tables.info),
            "exit": 0,
            "expressions": [_expression_json(e) for e in expressions],
            "notes": list(tables.notes),
        }
    )


def _expression_json(encoded: Encoded) -> dict[str, Any]:
    values = [value_json(v) for v in encoded.values]
    return {"expression": encoded.expression, "values": values, "notes": list(encoded.notes)}


def value_json(value: Value) -> dict[str, Any]:
    """Return one value as JSON shows it."""
    answer = value.answer
    number = answer.value if answer.value is None or not answer.is_mask else hex(answer.value)
    return {
        "value": number,
        "is_mask": answer.is_mask,
        "names": value.names or None,
        "flags": list(value.flags),
        "unknown": hex(value.unknown),
        "bug": answer.bug,
        "warned": answer.warned,
        "configs": list(value.configs),
    }
