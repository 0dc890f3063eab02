# SPDX-License-Identifier: GPL-2.0-only
"""
The places that filter a mask for a nested allocation, and the chains that they make.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..model.eras import era_of
from ..model.helpers import WANTED
from ..native.expressions import Expression, Piece
from ..sites.find import find
from ..sites.values import INPUT
from .report import CALLER, Chain, Filter, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..native.expressions import Compiled
    from ..reduce import Reduced
    from ..sites.values import Site
    from ..sources import Source

#: Where nested allocations are made, and what each place is called.
PLACES = {
    "mm/kmemleak.c": "kmemleak",
    "lib/stackdepot.c": "stack depot",
    "mm/page_owner.c": "page owner",
    "mm/kasan/common.c": "KASAN",
}


def helpers(source: Source) -> Iterable[Filter]:
    """Return the named filters that *source* has."""
    for name, path in (("gfp_nested_mask", "include/linux/gfp.h"), ("gfp_kmemleak_mask", "mm/kmemleak.c")):
        text = source.files.get(path, b"")
        match = re.search(rf"\b{name}\s*\(".encode(), text)
        if match:
            line = text.count(b"\n", 0, match.start()) + 1
            place = "kmemleak" if "kmemleak" in name else ""
            yield Filter(name, place, "", path, line, f"{name}()", Expression(f"{name}({INPUT})"))


def sites(source: Source) -> Iterable[Filter]:
    """Return what the known places of *source* do to a caller's mask before they allocate, or hand it on."""
    """What the known places do to a caller's mask before they allocate, or hand it on."""
    known = frozenset(WANTED)
    for path, place in PLACES.items():
        text = source.files.get(path, b"")
        if not text:
            continue
        found = find(path, text, known, forwards=_RECEIVERS)
        yield from (_unread(path, place, line, what) for line, what in found.problems)
        for site in found.sites:
            if site.kind == "macro" or (site.origin != "parameter" and not site.problem):
                continue
            if site.kind == "forward" and place == "stack depot" and _DEPOT.fullmatch(site.callee):
                continue
            yield _site_filter(site, place)


_DEPOT = re.compile(r"_*stack_depot_save\w*")
_ALLOCATORS = (
    r"(?:kmem_cache_z?alloc|k[mzc]alloc|kvz?alloc|kvmalloc|vmalloc|alloc_pages?|_*get_free_pages?|get_zeroed_page)\w*"
)
#: To whom a mask may be handed as it is: stack depot, which filters it, and allocators, which do not.
_RECEIVERS = re.compile(f"{_DEPOT.pattern}|{_ALLOCATORS}")


def _unread(path: str, place: str, line: int, what: str) -> Filter:
    return Filter(
        f"{place}: {what}", place, "", path, line, what, Expression(""), error="the text cannot be read there"
    )


def _site_filter(site: Site, place: str) -> Filter:
    forwards = site.kind == "forward" and _DEPOT.fullmatch(site.callee) is not None
    target = f" to {site.callee}()" if site.kind == "forward" else ""
    return Filter(
        f"{place}: {site.function}(){target}",
        place,
        "",
        site.file,
        site.line,
        site.text,
        Expression(site.expression, site.needs),
        error=site.problem,
        forwards=forwards,
    )


def settled(one: Filter, made: Compiled, results: dict[Expression, list[Reduced]]) -> Filter:
    """Return *one* with what it was shown to be."""
    if one.error:
        return one
    error = made.errors.get(one.expression, "")
    reduced = tuple(results.get(one.expression, ()))
    error = error or next((r.error for r in reduced if r.error), "")
    done = replace(one, reduced=reduced, error=error)
    first = done.shown
    if first and first.form and not one.era and not one.forwards:
        done = replace(done, era=era_of(one.place, first.keep, first.force, shared="gfp_nested_mask" in one.text))
    return done


def chains(filters: Sequence[Filter]) -> list[tuple[Filter, ...]]:
    """Return what a record's own allocation goes through: filters one behind the other, stack depot last."""
    whole = [f for f in filters if not f.error and f.line]
    depot = next((f for f in whole if f.place == "stack depot"), None)
    kasan = next((f for f in whole if f.place == "KASAN" and f.forwards), None)
    if depot is None:
        return []
    between = (kasan,) if kasan else ()
    found: list[tuple[Filter, ...]] = [(kasan, depot)] if kasan else []
    found += [(f, depot) for f in whole if f.place == "page owner" and f.forwards]
    for place in ("page owner", "kmemleak"):
        first = next((f for f in whole if f.place == place and not f.forwards and "(" in f.name), None)
        if first:
            found.append((first, *between, depot))
    return found


def composed(steps: Sequence[Filter]) -> Filter:
    """Return the filter that *steps* are one behind the other."""
    text, needs = INPUT, dict[Piece, None]()
    for step in steps:
        text = step.expression.text.replace(INPUT, f"({text})")
        needs |= dict.fromkeys(step.expression.needs)
    name = " -> ".join(("caller", *(s.name for s in steps)))
    return Filter(name, "", "", steps[-1].file, steps[-1].line, "", Expression(text, tuple(needs)))


def shown(steps: Sequence[Filter], whole: Filter, made: Compiled, order: Sequence[str]) -> Chain:
    """Return the chain with the masks of CALLER step by step, as the compiled code answers."""
    if whole.error or not whole.reduced:
        return Chain(whole)
    session = made.session
    segment = max(session.build.segments, key=lambda s: sum(s.assignment.values()))
    table = session.table(segment, order)
    mask = table.parse(CALLER)
    masks = [("caller", mask, named(table, mask))]
    for step in steps:
        mask = session.pool.call(segment.index, made.names[step.expression], [mask])[0].value
        masks.append((step.name, mask, named(table, mask)))
    return Chain(whole, tuple(masks))
