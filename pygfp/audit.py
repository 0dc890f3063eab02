# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp audit``: every place of a tree that derives one GFP mask from another, reduced to keep, drop and force.

Places are found by reading; what each does to a mask is decided by compiling it with the tree's own headers and
comparing every input.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import releases, sources
from .config import Selection
from .extract import extract
from .forms import MaskFilter
from .model.helpers import HELPERS, WANTED, Context
from .model.policy import Policy
from .native.expressions import Expression, Piece, compiled
from .native.session import default_jobs
from .reduce import reduce
from .report import info
from .sites import since as changes
from .sites.masks import ALLOCATES
from .sites.tree import Gathered, files, gather, readers
from .sites.values import INPUT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from .flags import FlagTable
    from .native.expressions import Compiled
    from .reduce import Reduced
    from .releases import Row
    from .report import SourceInfo
    from .sites.values import Site
    from .sources import Source

#: Where records of debug code are allocated from inside an allocation.
_PLACES = re.compile(
    r"mm/(?:kmemleak|page_owner|page_ext|debug_\w+|kasan/\w+|kmsan/\w+|kfence/\w+)\.c"
    r"|lib/(?:stackdepot|debugobjects|ref_tracker|alloc_tag|codetag)\.c|kernel/(?:locking/lockdep|kcsan/\w+)\.c"
)
_NAMES = re.compile(r"nested|kmemleak_mask")


@dataclass(frozen=True)
class Finding:
    """
    One site and what it was shown to do.

    :ivar reduced: its meaning with every flag-gating symbol on; None where it could not be compiled
    :ivar reason: why keep, drop and force are not known, or ``""``
    :ivar nested: ``equal`` to gfp_nested_mask(), ``differs`` or ``unknown``
    :ivar difference: how it differs, flag by flag: ``keeps too``, ``drops``, ``forces too``, ``does not force``
    :ivar suggests: what of its name or place suggests a nested allocation
    :ivar allocates: the mask is given to a function that allocates
    """

    site: Site
    reduced: Reduced | None
    reason: str
    nested: str
    difference: Mapping[str, list[str]] = field(default_factory=dict)
    suggests: tuple[str, ...] = ()
    allocates: bool = False

    @property
    def breaks(self) -> tuple[str, ...]:
        """The ids of the laws of nested allocation that it breaks."""
        return tuple(b.law.id for b in self.reduced.breaches) if self.reduced else ()

    @property
    def forwards(self) -> bool:
        """Whether a caller's mask goes on into an allocation."""
        return self.allocates and self.site.origin == "parameter"

    @property
    def rank(self) -> int:
        """0 for the likeliest moles: sites that are named as nested, then trimmed callers' masks, then the rest."""
        if self.suggests and (self.breaks or self.nested == "unknown"):
            return 0 if self.forwards or self.site.origin == "parameter" else 1
        if self.nested == "unknown":
            return 5
        if self.forwards and not set(self.breaks) & _UNTRIMMED and self.nested == "differs":
            return 2
        if self.nested == "equal":
            return 6
        return 3 if self.forwards else 4


#: A site that keeps what describes the caller's own pages does not make a mask for a record.
_UNTRIMMED = {"no-placement", "drops-page-traits"}


@dataclass(frozen=True)
class AuditReport:
    """
    What an audit found.

    :ivar findings: the likeliest moles first
    :ivar scanned_files: how many C files were read
    :ivar parsed_files: how many of them hold a candidate statement
    :ivar problems: (file, line, what) of text that could not be read; line 0: the whole file
    :ivar since: the revision that the audit is restricted to changes from, or ``""``
    """

    source: SourceInfo
    findings: tuple[Finding, ...]
    scanned_files: int
    parsed_files: int
    compiler: str
    inputs: int
    order: tuple[str, ...]
    problems: tuple[tuple[str, int, str], ...] = ()
    since: str = ""
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def named(self) -> tuple[Finding, ...]:
        """The sites that are named as nested and break a law, or could not be reduced."""
        return tuple(f for f in self.findings if f.suggests and (f.breaks or f.nested == "unknown"))

    def exit_status(self, *, check: bool = False) -> int:
        """
        Return 0; 3 where no file was read; with *check* 1 when a site that is named as nested breaks a law.

        With *check* also 3 when such a site is unknown, or text could not be read.
        """
        if check and any(f.breaks for f in self.named):
            return 1
        if not self.scanned_files and not self.since:
            return 3
        return 3 if check and (self.named or self.problems) else 0


@dataclass(frozen=True)
class Options:
    """
    What a user asked for.

    :ivar paths: files or directories of the tree; none: all of it
    :ivar since: a git revision: only statements on lines that changed since then
    :ivar jobs: processes; None: one a core
    """

    paths: tuple[str, ...] = ()
    since: str = ""
    jobs: int | None = None
    on_progress: Callable[[int, int], None] | None = None
    on_command: Callable[[str], None] | None = None


def audit(root: Path, options: Options | None = None) -> AuditReport:
    """
    Return every site of the kernel tree in directory *root*.

    :raises PygfpError: it is no kernel tree, a path is not in it, or its headers do not compile
    """
    options = options or Options()
    started = time.monotonic()
    jobs = options.jobs or default_jobs()
    with readers(jobs) as workers:
        source = sources.tree(root)
        row = releases.reference(source.release)
        subset = extract(source, tuple(WANTED))
        known = frozenset(d.name for d in subset.definitions) | _SHIMMED
        gathered = _gathered(root, options, known, workers)
    read_s = time.monotonic() - started
    resolver = _Resolver(known, gathered.macros, frozenset(subset.constants), frozenset(subset.files))
    asked = {site: resolver.expression(site) for site in gathered.sites}
    wanted = [e for e in asked.values() if isinstance(e, Expression)]
    own = Expression(f"gfp_nested_mask({INPUT})")
    with compiled(
        source, Selection(), WANTED, [own, *wanted], all_on=True, jobs=jobs, on_command=options.on_command
    ) as made:
        made.session.pool.on_progress = options.on_progress
        results = reduce(made, row, Policy())
        table = made.session.table(made.session.build.segments[0])
        target = _nested_form(results.get(own), table, row)
        findings = [_finding(site, asked[site], made, results, target, table) for site in gathered.sites]
        order, complaint = _order(source, row, made)
        compiler = made.session.compiler
    findings.sort(key=lambda f: (f.rank, f.site.file, f.site.line, f.site.text))
    total = time.monotonic() - started
    return AuditReport(
        info(source, row),
        tuple(findings),
        gathered.scanned,
        gathered.parsed,
        compiler,
        max((f.reduced.inputs for f in findings if f.reduced), default=0),
        order,
        tuple(gathered.problems),
        options.since,
        (*subset.notes, *complaint),
        {"read_s": round(read_s, 3), "reduce_s": round(total - read_s, 3), "total_s": round(total, 3)},
    )


def _gathered(
    root: Path, options: Options, known: frozenset[str], workers: Sequence[subprocess.Popen[bytes]]
) -> Gathered:
    """What the files that were asked for hold, and the lines that changed where only these were asked for."""
    names, unlisted = files(root, options.paths)
    changed = changes.changed_lines(root, options.since) if options.since else None
    if changed is not None:
        names = [n for n in names if n in changed]
        unlisted = [p for p in unlisted if any(name.startswith(f"{p[0]}/") for name in changed)]
    gathered = gather(root, names, known, workers=workers, on_progress=options.on_progress)
    gathered.problems = sorted([*gathered.problems, *unlisted])
    if changed is not None:
        gathered.sites = [s for s in gathered.sites if changes.touches(s, changed)]
    if (options.paths or changed is not None) and _unresolved(gathered.sites, known, gathered):
        # What the rest of the tree's headers define counts too; it is looked up only where it is needed.
        headers = [n for n in files(root, ()).names if n.endswith(".h")]
        with readers(len(workers)) as again:
            gathered.macros = gather(root, headers, known, workers=again).macros
    return gathered


#: What the shims define besides.
_SHIMMED = frozenset(("IS_ENABLED", "IS_BUILTIN", "likely", "unlikely", "READ_ONCE", "BIT", "WARN_ON_ONCE", "WARN_ON"))


def _order(source: Source, row: Row, made: Compiled) -> tuple[tuple[str, ...], list[str]]:
    from .native.trace import trace_order  # noqa: PLC0415 - imports a compiler run

    order, complaint = trace_order(source, row, made.session.build.flag_symbols)
    return tuple(order), complaint


def _nested_form(own: Sequence[Reduced] | None, table: FlagTable, row: Row) -> MaskFilter:
    """What a site is compared with: the tree's own gfp_nested_mask(), else the filter as documentation has it."""
    if own and own[0].form:
        return own[0].form
    version = releases.version_key(row.version)
    context = Context({}, {}, (version[0], version[1]), Policy())
    form = next(h for h in HELPERS if h.name == "gfp_nested_mask").meaning(context).lower(table)
    assert isinstance(form, MaskFilter)  # noqa: S101 - that is what the model declares
    return form


def _unresolved(sites: Sequence[Site], known: frozenset[str], gathered: Gathered) -> bool:
    """Whether a site that could be compiled names something that is not known so far."""
    for site in sites:
        used = (site.calls | site.names).union(*(words(p) for p in site.needs)) - known - _all_names(site.needs)
        if not site.problem and any(n.isupper() or n in site.calls for n in used - set(gathered.macros)):
            return True
    return False


class _Resolver:
    """Finds what an expression stands on: in its own file, in the headers, or once in the tree."""

    def __init__(
        self,
        known: frozenset[str],
        macros: Mapping[str, list[tuple[str, Piece]]],
        constants: frozenset[str],
        headers: frozenset[str],
    ) -> None:
        self.known = known
        self.macros = macros
        self.constants = constants
        self.headers = headers

    def expression(self, site: Site) -> Expression | str:
        """Return what to compile for *site*, or why there is nothing to compile."""
        if site.problem:
            return site.problem
        needs = list(site.needs)
        seen = set(self.known)
        todo = sorted((site.calls | site.names).union(*(words(p) for p in needs)) - seen)
        here = _all_names(needs)
        own = sorted(here & self.constants)
        if own and site.file not in self.headers:
            return f"its file defines {', '.join(own)} itself: the layout of the headers is not its own"
        while todo:
            name = todo.pop()
            if name in seen or name in here:
                continue
            seen.add(name)
            texts = {p.text: p for _, p in self.macros.get(name, [])}
            if len(texts) > 1:
                places = ", ".join(sorted({file for file, _ in self.macros[name]})[:3])
                return f"{name} is defined in {len(texts)} ways in this tree ({places})"
            if texts:
                needs.append(next(iter(texts.values())))
                here |= _all_names(needs[-1:])
                todo += sorted(words(needs[-1]))
            elif name in site.calls:
                return f"calls {name}()"
        return Expression(site.expression, tuple(needs))


def _all_names(pieces: Sequence[Piece]) -> set[str]:
    return {p.name for p in pieces}.union(*(_all_names(p.needs) for p in pieces))


def words(piece: Piece) -> set[str]:
    """Return the identifiers in the text of *piece* and of all that it needs."""
    return set(re.findall(r"[A-Za-z_]\w*", piece.text)).union(*(words(p) for p in piece.needs))


def _finding(  # noqa: PLR0913, PLR0917 - what is known of one site
    site: Site,
    asked: Expression | str,
    made: Compiled,
    results: Mapping[Expression, list[Reduced]],
    target: MaskFilter,
    table: FlagTable,
) -> Finding:
    suggests = _suggests(site)
    allocates = bool(ALLOCATES.search(site.callee))
    reduced = results[asked][0] if isinstance(asked, Expression) and asked in results else None
    reason = asked if isinstance(asked, str) else made.errors.get(asked, "")
    if reduced and reduced.error:
        reason, reduced = reduced.error, None
    if reduced and reduced.form is None:
        reason = "what it does to one flag depends on another: it is no filter of keep, drop and force"
    if reduced is None or reduced.form is None:
        return Finding(site, reduced, reason or "it was not compiled", "unknown", {}, suggests, allocates)
    difference = _difference(reduced.form, target, table)
    nested = "differs" if difference else "equal"
    return Finding(site, reduced, "", nested, difference, suggests, allocates)


def _difference(form: MaskFilter, target: MaskFilter, table: FlagTable) -> dict[str, list[str]]:
    """How *form* differs from *target*, by what it does to flags; empty where it is the same."""
    if form == target:
        return {}
    keep, aim = form.keep & ~form.force, target.keep & ~target.force
    said = {
        "keeps too": keep & ~aim & ~target.force,
        "keeps instead of forcing": keep & target.force,
        "drops": aim & ~keep & ~form.force,
        "drops instead of forcing": target.force & ~form.force & ~keep,
        "forces too": form.force & ~target.force,
    }
    return {what: table.names(mask) for what, mask in said.items() if mask}


def _suggests(site: Site) -> tuple[str, ...]:
    """What suggests that the mask is for a nested allocation."""
    found = []
    for what, name in (("variable", site.variable), ("function", site.function)):
        if _NAMES.search(name):
            found.append(f"{what} {name}")
    called = sorted(c for c in site.calls if _NAMES.search(c))
    found += [f"calls {c}()" for c in called]
    if _PLACES.fullmatch(site.file) and (site.origin == "parameter" or site.kind == "macro"):
        found.append(f"in {site.file}")
    return tuple(found)


def with_order(table: FlagTable, order: Sequence[str]) -> FlagTable:
    """Return *table* with the names in the order of the tree's own trace table."""
    return replace(table, trace_order=order)
