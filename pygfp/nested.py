# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp nested``: the filters of nested allocations in a source, or through history, against the laws.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import releases, sources
from .config import Selection
from .errors import BuildError
from .forms import MaskFilter
from .model.eras import ERAS, era_of
from .model.helpers import WANTED
from .model.laws import LAWS
from .model.policy import Policy
from .native.expressions import Expression, Piece, compiled
from .native.trace import trace_order
from .reduce import reduce
from .report import SourceInfo
from .sites.find import find, pieces
from .sites.values import INPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .flags import FlagTable
    from .model.eras import Era
    from .native.expressions import Compiled
    from .reduce import Breach, Reduced
    from .releases import Row
    from .sites.values import Site
    from .sources import Source

#: Where nested allocations are made, and what each place is called.
PLACES = {
    "mm/kmemleak.c": "kmemleak",
    "lib/stackdepot.c": "stack depot",
    "mm/page_owner.c": "page owner",
    "mm/kasan/common.c": "KASAN",
}

#: A caller to show chains with: a file system that lockdep must not see.
CALLER = "GFP_NOFS | __GFP_NOLOCKDEP"

_SCHED = "include/linux/sched/mm.h"
_SCOPES = {"PF_MEMALLOC_NOIO": 0x1, "PF_MEMALLOC_NOFS": 0x2, "PF_MEMALLOC_PIN": 0x4}


@dataclass(frozen=True)
class Filter:
    """
    One filter and what came of it.

    :ivar name: what it is called
    :ivar place: ``kmemleak``, ``stack depot``, ``page owner``, ``KASAN`` or ``""``
    :ivar era: the releases that had it, ``""`` where none is known
    :ivar expression: what was compiled
    :ivar reduced: what it was shown to be, one a configuration
    :ivar error: why it could not be checked, or ``""``
    :ivar forwards: it hands the mask on as it is
    :ivar known: the laws that an era is known to break; None for a filter of a source
    """

    name: str
    place: str
    era: str
    file: str
    line: int
    text: str
    expression: Expression
    reduced: tuple[Reduced, ...] = ()
    error: str = ""
    forwards: bool = False
    known: tuple[str, ...] | None = None

    @property
    def shown(self) -> Reduced | None:
        """The configuration with every flag, which is shown first."""
        return max(self.reduced, key=lambda r: len(r.table.flags), default=None)

    def breach(self, law: str) -> Breach | None:
        """Return how *law* is broken, in the configuration with the most flags in which it is."""
        for one in sorted(self.reduced, key=lambda r: -len(r.table.flags)):
            for breach in one.breaches:
                if breach.law.id == law:
                    return breach
        return None

    @property
    def breaks(self) -> tuple[str, ...]:
        """The laws that it breaks in any configuration, in the order of the documentation."""
        return tuple(law.id for law in LAWS if self.breach(law.id))

    def configs(self, law: str) -> tuple[int, int]:
        """Return in how many configurations *law* is broken, and how many there are."""
        return sum(any(b.law.id == law for b in r.breaches) for r in self.reduced), len(self.reduced)


@dataclass(frozen=True)
class Chain:
    """
    Nested in nested: filters one behind the other.

    :ivar steps: name, and the mask behind it for CALLER as value and names
    """

    whole: Filter
    steps: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True)
class Claim:
    """
    A statement about two functions, checked on every input.

    :ivar holds: None where it could not be checked, *text* then says why
    :ivar witness: input and difference where it does not hold
    """

    id: str
    subject: str
    holds: bool | None
    text: str
    witness: str = ""


@dataclass(frozen=True)
class NestedReport:
    """What ``pygfp nested`` found."""

    source: SourceInfo
    filters: tuple[Filter, ...]
    chains: tuple[Chain, ...]
    claims: tuple[Claim, ...]
    compiler: str
    n_configs: int
    inputs: int
    order: tuple[str, ...]
    history: bool = False
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def exit_status(self) -> int:
        """
        Return 0, 1 or 3.

        A source: 1 if a filter, a chain or a claim does not hold, else 3 if one could not be checked or there is none.
        History: known breaks are no finding; 1 if an era breaks other laws than it is known to.
        """
        every = [*self.filters, *(c.whole for c in self.chains)]
        if any(self._wrong(f) for f in every) or any(c.holds is False for c in self.claims):
            return 1
        if any(f.error for f in every) or not self.filters:
            return 3
        return 0

    def _wrong(self, one: Filter) -> bool:
        if one.error:
            return False
        return one.breaks != one.known if one.known is not None else bool(one.breaks) and not one.forwards


@dataclass(frozen=True)
class Options:
    """
    What a user asked for.

    :ivar jobs: worker processes; None: one a core
    """

    jobs: int | None = None
    on_command: Callable[[str], None] | None = None
    on_progress: Callable[[int, int], None] | None = None


def nested(source: Source, selection: Selection, options: Options | None = None) -> NestedReport:
    """
    Return the filters of *source*, their chains, and the claims about them.

    :raises PygfpError: the source cannot be read or its headers do not compile
    """
    options = options or Options()
    started = time.monotonic()
    row = releases.reference(source.release)
    filters = [*_helpers(source), *_sites(source)]
    chains = [(steps, _composed(steps)) for steps in _chains(filters)]
    claims = list(_claims(source, [f for f in filters if not f.forwards]))
    wanted = [f.expression for f in (*filters, *(c for _, c in chains)) if not f.error]
    with compiled(
        source,
        selection,
        WANTED,
        [*wanted, *(c.expression for c in claims)],
        jobs=options.jobs,
        on_command=options.on_command,
    ) as made:
        made.session.pool.on_progress = options.on_progress
        results = reduce(made, row, Policy())
        order, complaint = trace_order(source, row, made.session.build.flag_symbols)
        done = [_settled(f, made, results) for f in filters]
        shown = [_shown(steps, _settled(c, made, results), made, order) for steps, c in chains]
        settled = tuple(_claimed(c, made, results, order) for c in claims)
        build = made.session.build
        return NestedReport(
            _info(source, row),
            tuple(done),
            tuple(shown),
            settled,
            made.session.compiler,
            len(build.segments),
            max((r.inputs for f in done for r in f.reduced), default=0),
            tuple(order),
            notes=(*build.notes, *complaint, *_absent(source, done), *_unused(selection, build.flag_symbols)),
            timings={"total_s": round(time.monotonic() - started, 3)},
        )


def history(options: Options | None = None) -> NestedReport:
    """Return the filters of every known era, each judged on a layout that has its flags. Needs no kernel tree."""
    options = options or Options()
    started = time.monotonic()
    found: dict[str, Filter] = {}
    claims: list[Claim] = []
    report = None
    for atomic in (True, False):
        source = _historic(atomic=atomic)
        filters = [_era_filter(e) for e in ERAS if e.atomic == atomic]
        asked = list(_claims(source, filters))
        row = releases.newest()
        with compiled(
            source,
            Selection(),
            WANTED,
            [*(f.expression for f in filters), *(c.expression for c in asked)],
            jobs=options.jobs,
            on_command=options.on_command,
        ) as made:
            results = reduce(made, row, Policy())
            order, _ = trace_order(source, row, made.session.build.flag_symbols)
            order = [*order, *(["__GFP_ATOMIC"] if atomic else [])]
            found |= {f.name: _settled(f, made, results) for f in filters}
            claims += [_claimed(c, made, results, order) for c in asked]
            report = (made.session.compiler, len(made.session.build.segments), tuple(order))
    assert report is not None  # noqa: S101 - the loop above runs
    eras = tuple(found[_era_name(e)] for e in ERAS)
    return NestedReport(
        _info(sources.bundled(), releases.newest()),
        eras,
        (),
        tuple(claims),
        report[0],
        report[1],
        max((r.inputs for f in eras for r in f.reduced), default=0),
        report[2],
        history=True,
        notes=("eras that began before 6.3 are judged with bit 9 as the flag that it was then, ATOMIC",),
        timings={"total_s": round(time.monotonic() - started, 3)},
    )


def _info(source: Source, row: Row) -> SourceInfo:
    return SourceInfo(source.kind, source.label, source.release, row.name, row.version, source.digest)


def _text(source: Source, path: str) -> bytes:
    return source.files.get(path, b"")


def _helpers(source: Source) -> Iterable[Filter]:
    """The named filters that the source has."""
    for name, path in (("gfp_nested_mask", "include/linux/gfp.h"), ("gfp_kmemleak_mask", "mm/kmemleak.c")):
        text = _text(source, path)
        match = re.search(rf"\b{name}\s*\(".encode(), text)
        if match:
            line = text.count(b"\n", 0, match.start()) + 1
            place = "kmemleak" if "kmemleak" in name else ""
            yield Filter(name, place, "", path, line, f"{name}()", Expression(f"{name}({INPUT})"))


def _sites(source: Source) -> Iterable[Filter]:
    """What the known places do to a caller's mask before they allocate, or hand it on."""
    known = frozenset(WANTED)
    for path, place in PLACES.items():
        text = _text(source, path)
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


def _settled(one: Filter, made: Compiled, results: dict[Expression, list[Reduced]]) -> Filter:
    """*one* with what it was shown to be."""
    if one.error:
        return one
    error = made.errors.get(one.expression, "")
    reduced = tuple(results.get(one.expression, ()))
    error = error or next((r.error for r in reduced if r.error), "")
    done = replace(one, reduced=reduced, error=error)
    shown = done.shown
    if shown and shown.form and not one.era and not one.forwards:
        done = replace(done, era=era_of(one.place, shown.keep, shown.force, shared="gfp_nested_mask" in one.text))
    return done


def _chains(filters: Sequence[Filter]) -> list[tuple[Filter, ...]]:
    """What a record's own allocation goes through: filters one behind the other, stack depot last."""
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


def _composed(steps: Sequence[Filter]) -> Filter:
    """The filter that *steps* are one behind the other."""
    text, needs = INPUT, dict[Piece, None]()
    for step in steps:
        text = step.expression.text.replace(INPUT, f"({text})")
        needs |= dict.fromkeys(step.expression.needs)
    name = " -> ".join(("caller", *(s.name for s in steps)))
    return Filter(name, "", "", steps[-1].file, steps[-1].line, "", Expression(text, tuple(needs)))


def _shown(steps: Sequence[Filter], whole: Filter, made: Compiled, order: Sequence[str]) -> Chain:
    """The chain with the masks of CALLER step by step, as the compiled code answers."""
    if whole.error or not whole.reduced:
        return Chain(whole)
    session = made.session
    segment = max(session.build.segments, key=lambda s: sum(s.assignment.values()))
    table = session.table(segment, order)
    mask = table.parse(CALLER)
    shown = [("caller", mask, named(table, mask))]
    for step in steps:
        mask = session.pool.call(segment.index, made.names[step.expression], [mask])[0].value
        shown.append((step.name, mask, named(table, mask)))
    return Chain(whole, tuple(shown))


def named(table: FlagTable, mask: int) -> str:
    """
    Return *mask* as ``%pGg`` prints it, then the flags that the tree's own table has no name for.

    >>> from pygfp.flags import FlagTable
    >>> named(FlagTable({"__GFP_IO": 1, "__GFP_FS": 2}, trace_order=["__GFP_IO"]), 3)
    '__GFP_IO|0x2 (0x2 is __GFP_FS)'
    """
    text = table.format(mask)
    rest = int(text.rpartition("|")[2], 16) if text.rpartition("|")[2].startswith("0x") else 0
    unnamed = [n for n in table.names(rest) if n in table.flags]
    if not unnamed:
        return text
    return f"{text} ({', '.join(f'{table.masks[n]:#x} is {n}' for n in unnamed)})"


@dataclass(frozen=True)
class _Asked:
    """A claim that is to be checked: *expression* must be 0 on every input."""

    id: str
    subject: str
    text: str
    expression: Expression


def _claims(source: Source, filters: Sequence[Filter]) -> Iterable[_Asked]:
    """The statements between helpers that the source allows, each as an expression that must always be 0."""
    context = _context(source)
    seen = set()
    for one in filters:
        if one.error or one.expression in seen:
            continue
        seen.add(one.expression)
        f, needs = one.expression.text, one.expression.needs

        def of(argument: str, text: str = f) -> str:
            return f"({text.replace(INPUT, f'({argument})')})"

        yield _Asked(
            "zone-clear-redundant",
            one.name,
            "clearing GFP_ZONEMASK before the filter changes nothing",
            Expression(f"{of(f'{INPUT} & ~GFP_ZONEMASK')} ^ {of(INPUT)}", needs),
        )
        if "mm/internal.h" in source.files:
            yield _Asked(
                "inside-reclaim-mask",
                one.name,
                "the result is a subset of GFP_RECLAIM_MASK",
                Expression(f"{of(INPUT)} & ~GFP_RECLAIM_MASK", needs),
            )
        for scope, pieces_ in context.items():
            yield _Asked(
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
    text = _text(source, _SCHED)
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


def _claimed(asked: _Asked, made: Compiled, results: dict[Expression, list[Reduced]], order: Sequence[str]) -> Claim:
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


def _difference(one: Reduced, made: Compiled, asked: _Asked) -> int:
    """An input on which a claim fails: none or a single flag where that shows it."""
    segment = made.session.segment(one.config)
    inputs = [0, *sorted(one.table.flags.values())]
    if segment is None:
        raise BuildError("a configuration that was judged is not there any more")
    outcomes = made.session.pool.call(segment.index, made.names[asked.expression], inputs)
    return next((x for x, o in zip(inputs, outcomes, strict=True) if o.value), 0)


def _unused(selection: Selection, symbols: Sequence[str]) -> Iterable[str]:
    if not selection.complete:
        for symbol in selection.fixed:
            if symbol not in symbols:
                yield f"--set {symbol} changes nothing: no flag of this source depends on it"


def _absent(source: Source, filters: Sequence[Filter]) -> Iterable[str]:
    for path, place in PLACES.items():
        if path not in source.files:
            yield f"{path} is not in this source: {place} is not judged"
        elif not any(f.place == place and not f.forwards and f.file == path for f in filters):
            handed = [f for f in filters if f.place == place and f.forwards]
            passes = f"; it hands its caller's mask on ({', '.join(f.name for f in handed)})" if handed else ""
            yield f"{place} has no filter of its own in this source{passes}"


def _historic(*, atomic: bool) -> Source:
    """The bundled subset with the historic filters at its end, and with ATOMIC where that was a flag."""
    bundled = sources.bundled()
    root = sources.csrc() / "history"
    files = dict(bundled.files)
    types, gfp = "include/linux/gfp_types.h", "include/linux/gfp.h"
    if atomic:
        files[types] = _before_guard(files[types], (root / "atomic.h").read_bytes())
    files[gfp] = _before_guard(files[gfp], (root / "filters.h").read_bytes())
    return replace(bundled, kind="tree", files=files)


def _before_guard(text: bytes, more: bytes) -> bytes:
    head, guard, tail = text.rpartition(b"#endif")
    return head + more + guard + tail


def _era_name(era: Era) -> str:
    return f"{era.place}, {era.releases}"


def _era_filter(era: Era) -> Filter:
    text = (sources.csrc() / "history/filters.h").read_text()
    line = text[: text.index(f" {era.function}(")].count("\n") + 1
    return Filter(
        _era_name(era),
        era.place,
        era.releases,
        "csrc/history/filters.h",
        line,
        f"{era.function}()",
        Expression(f"{era.function}({INPUT})"),
        known=era.breaks,
    )
