# SPDX-License-Identifier: GPL-2.0-only
"""
Claims between helpers: two functions that must be the same on every input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..forms import MaskFilter
from ..native.expressions import Expression, Piece
from ..sites.find import pieces
from ..sites.values import INPUT
from .report import Claim, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..native.expressions import Compiled
    from ..reduce import Reduced
    from ..sources import Source
    from .report import Filter

_SCHED = "include/linux/sched/mm.h"
_SCOPES = {"PF_MEMALLOC_NOIO": 0x1, "PF_MEMALLOC_NOFS": 0x2, "PF_MEMALLOC_PIN": 0x4}


@dataclass(frozen=True)
class Asked:
    """A claim that is to be checked: *expression* must be 0 on every input."""

    id: str
    subject: str
    text: str
    expression: Expression


def claims(source: Source, filters: Sequence[Filter]) -> Iterable[Asked]:
    """Return the statements between helpers that the source allows, each as an expression that must always be 0."""
    context = _context(source)
    seen = set()
    for one in filters:
        if one.error or one.expression in seen:
            continue
        seen.add(one.expression)
        f, needs = one.expression.text, one.expression.needs

        def of(argument: str, text: str = f) -> str:
            return f"({text.replace(INPUT, f'({argument})')})"

        yield Asked(
            "zone-clear-redundant",
            one.name,
            "clearing GFP_ZONEMASK before the filter changes nothing",
            Expression(f"{of(f'{INPUT} & ~GFP_ZONEMASK')} ^ {of(INPUT)}", needs),
        )
        if "mm/internal.h" in source.files:
            yield Asked(
                "inside-reclaim-mask",
                one.name,
                "the result is a subset of GFP_RECLAIM_MASK",
                Expression(f"{of(INPUT)} & ~GFP_RECLAIM_MASK", needs),
            )
        for scope, pieces_ in context.items():
            yield Asked(
                f"commutes-with-{scope.removeprefix('PF_MEMALLOC_').lower()}",
                one.name,
                f"filtering before or after current_gfp_context() in a {scope.removeprefix('PF_MEMALLOC_')} scope "
                "is the same",
                Expression(
                    f"{of(f'current_gfp_context({INPUT})')} ^ current_gfp_context({of(INPUT)})", (*needs, *pieces_)
                ),
            )


def _context(source: Source) -> dict[str, tuple[Piece, ...]]:
    """What the tree's own current_gfp_context() needs to run in each scope, with a task of our own."""
    text = source.files.get(_SCHED, b"")
    if not text:
        return {}
    found = pieces(text, frozenset({"current_gfp_context"}))
    if not found:
        return {}
    flags = tuple(Piece(n, "macro", f"#define {n} {v:#x}") for n, v in _SCOPES.items())
    result: dict[str, tuple[Piece, ...]] = {}
    for scope in ("PF_MEMALLOC_NOIO", "PF_MEMALLOC_NOFS"):
        current = Piece(
            "current", "macro", f"#define current (&(struct {{ unsigned int flags; }}){{ {scope} }})", flags
        )
        (own,) = found
        result[scope] = (replace(own, needs=(*own.needs, *flags, current)),)
    return result


def claimed(asked: Asked, made: Compiled, results: dict[Expression, list[Reduced]], order: Sequence[str]) -> Claim:
    """Return what came of *asked*."""
    error = made.errors.get(asked.expression, "") or next(
        (r.error for r in results.get(asked.expression, []) if r.error), ""
    )
    if error or asked.expression not in results:
        return Claim(
            asked.id, asked.subject, holds=None, text=f"could not be checked: {error or 'it was not compiled'}"
        )
    for one in results[asked.expression]:
        if one.form != MaskFilter(0, 0):
            x = _difference(one, made, asked)
            table = replace(one.table, trace_order=order)
            return Claim(asked.id, asked.subject, holds=False, text=asked.text, witness=f"{x:#x} {named(table, x)}")
    return Claim(asked.id, asked.subject, holds=True, text=asked.text)


def _difference(one: Reduced, made: Compiled, asked: Asked) -> int:
    """An input on which a claim fails: none or a single flag where that shows it."""
    segment = made.session.segment(one.config)
    inputs = [0, *sorted(one.table.flags.values())]
    if segment is None:
        raise BuildError("a configuration that was judged is not there any more")
    outcomes = made.session.pool.call(segment.index, made.names[asked.expression], inputs)
    return next((x for x, o in zip(inputs, outcomes, strict=True) if o.value), 0)
