# SPDX-License-Identifier: GPL-2.0-only
"""
Expressions of one ``gfp_t``, compiled with a tree's own headers and made callable like helpers.

What a call site does to a mask is an expression over its input. Many are compiled in few units; one that
does not compile is left out and reported, and costs no other its place.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .. import config
from ..errors import BuildError, ExtractionError
from ..extract import extract
from ..refuse import refuse
from . import build as building
from . import compiler as cc
from . import unit
from .attempt import WORD_BITS, Attempt
from .blame import narrow_down, other_machine
from .cache import Cache
from .loops import loops
from .plan import Build, HelperPlan, Meaning, SegmentPlan
from .pool import Pool
from .session import Session, default_jobs, loaded, processor, require_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..config import Assignment, Selection
    from ..forms import MaskFilter
    from ..sources import Source
    from .unit import Segment, Wrapper

    Named = tuple["Expression", str]

#: How often what fails is left out before the rest is given up.
_ROUNDS = 12
#: What has no defined value, a shift by 40 or a division by zero, must not pass for a value.
_TRAPS = ("-fsanitize=shift,integer-divide-by-zero", "-fsanitize-undefined-trap-on-error")
#: A pointer is no mask, though C would let it pass.
_SYNTAX = ("-fsyntax-only", "-Werror=int-conversion", "-DPYGFP_TABLE_NAME=pygfp_table")
_UNDECLARED = re.compile(
    r"['\u2018](\w+)['\u2019] undeclared|undeclared (?:identifier|function) ['\u2018](\w+)['\u2019]"
)
_IMPLICIT = re.compile(r"implicit declaration of function ['\u2018](\w+)['\u2019]")
_BODY = re.compile(r"^(pygfp_e\d+):\n(.*?)^\s*\.size\s+\1,", re.MULTILINE | re.DOTALL)
#: What shows the machine code of an expression.
_ASSEMBLY = ("-S", "-O2", "-fno-ipa-icf", "-fno-asynchronous-unwind-tables", *_TRAPS, "-o", "-")
_EVERY = (1 << 32) - 1
_FUNCTION_PLACE = "pygfp-function"


@dataclass(frozen=True)
class Piece:
    """
    A definition that an expression stands on and that the headers lack: a macro or a function of the tree.

    :ivar name: what it defines
    :ivar kind: ``macro`` or ``function``
    :ivar text: its own text
    :ivar needs: what it stands on in turn
    """

    name: str
    kind: str
    text: str
    needs: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Expression:
    """
    C text of a value, with ``pygfp_x`` for the mask that goes in.

    :ivar text: one expression
    :ivar needs: definitions that the headers lack
    """

    text: str
    needs: tuple[Piece, ...] = ()


@dataclass
class Compiled:
    """
    What came of a set of expressions.

    :ivar session: the build, loaded; each expression is a helper, by the name in *names*
    :ivar names: the helper of each expression
    :ivar errors: why an expression could not be compiled
    :ivar same_code: given filters by helper, and the bits of an input: the helpers of which the compiler makes the code
        that it makes of the filter
    """

    session: Session
    names: Mapping[Expression, str]
    errors: Mapping[Expression, str]
    same_code: Callable[[Mapping[str, MaskFilter], int], frozenset[str]]


@contextmanager
def compiled(  # noqa: PLR0913 - each is one plain value
    source: Source,
    selection: Selection,
    wanted: Mapping[str, str],
    expressions: Sequence[Expression],
    *,
    all_on: bool = False,
    jobs: int | None = None,
    on_command: Callable[[str], None] | None = None,
) -> Iterator[Compiled]:
    """
    Compile *expressions* with the headers of *source* and yield them loaded into *jobs* workers.

    :param wanted: C return type by name of the helpers that an expression may call from any watched file
    :param all_on: one configuration, with every flag that there is; else every combination that the flags depend on
    :raises BuildError: there is no compiler, or the headers do not compile
    """
    started = time.monotonic()
    compiler = cc.find()
    cache = Cache()
    try:
        with cache.workdir() as workdir:
            attempt = Attempt(extract(source, tuple(wanted)), selection, compiler, workdir, wanted, on_command)
            names = {e: f"pygfp_e{n}" for n, e in enumerate(dict.fromkeys(expressions))}
            attempt.errors.update(_refused(names))
            work = _Work(attempt, names, all_on=all_on)
            build = work.build()
            objects = [(str(workdir / name), _digest(workdir / name)) for name in build.objects]
            objects = [*loops(compiler, cache, processor(), on_command), *objects]
            require_native(objects, compiler)
            made = time.monotonic() - started
            with Pool(jobs or default_jobs()) as pool:
                build = loaded(build, pool.load(objects), selection)
                session = Session(source, selection, build, pool, compiler.name, objects, {"compile_s": made})
                errors = {e: attempt.errors[n] for e, n in names.items() if n in attempt.errors}
                yield Compiled(session, {e: work.same.get(n, n) for e, n in names.items()}, errors, work.same_code)
    finally:
        cache.close()


def _refused(names: Mapping[Expression, str]) -> dict[str, str]:
    """The reason by name of each expression that stands on text that is never compiled."""
    found = {}
    for expression, name in names.items():
        try:
            # The names that pygfp put in itself are no business of the tree.
            text = re.sub(r"\bpygfp_[xv]\b", "x", expression.text)
            for one in (text, *(p.text for p in _flat(expression.needs))):
                refuse("", one.encode(errors="replace"))
        except ExtractionError as exc:
            found[name] = exc.reason
    return found


def _digest(path: Path) -> str:
    import hashlib  # noqa: PLC0415 - one call

    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class _Work:
    """One build of expressions."""

    attempt: Attempt
    names: Mapping[Expression, str]
    all_on: bool
    users: dict[str, list[str]] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    #: Where all stand in one segment: it, its expressions, and the machine code of each.
    segment: Segment | None = None
    alone: Sequence[Wrapper] = ()
    bodies: dict[str, str] = field(default_factory=dict)

    def build(self) -> Build:
        """Compile until nothing fails any more."""
        attempt = self.attempt
        for _ in range(_ROUNDS):
            building.write_subset(attempt.subset, attempt.workdir)
            closure = config.dependencies(attempt.subset.definitions)
            symbols = closure.symbols(*(n for n in attempt.subset.constants if n.startswith("__GFP_")))
            choices = list(enumerate(self._choices(symbols)))
            segments = self._preprocess(choices, closure)
            attempt.errors = {**building.open_ends(attempt, segments), **attempt.errors}
            parts = [(s, self._wrappers(s)) for s in segments]
            objects = self._objects(parts)
            if objects is not None:
                return self._plan(choices, objects, symbols)
        message = f"the expressions still do not compile after {_ROUNDS} rounds of leaving out what fails"
        raise BuildError(message)

    def _choices(self, symbols: Sequence[str]) -> list[Assignment]:
        every = self.attempt.choices(symbols)
        return [max(every, key=lambda a: sum(a.values()))] if self.all_on else every

    def _live(self) -> list[Named]:
        return [(e, n) for e, n in self.names.items() if n not in self.attempt.errors]

    def _preprocess(self, choices: Sequence[tuple[int, Assignment]], closure: config.Closure) -> list[Segment]:
        attempt = self.attempt
        zones = building.count_zones(attempt, choices, closure)
        for _ in range(_ROUNDS):
            self.users.clear()
            done = self._expand(choices, zones, self._live())
            if done.ok:
                found = unit.segments(done.stdout, choices, {k: attempt.lost(a) for k, a in choices})
                building.require_alone(found)
                for _, name in self._live():
                    if any(not segment.macros.get(name) for segment in found):
                        attempt.errors[name] = "does not come out of the preprocessor"
                return found
            if not self._blame_own(done):
                self._isolate(lambda live: self._expand(choices, zones, live))
        raise done.failure(f"{other_machine(attempt)}the expressions do not preprocess")

    def _expand(
        self, choices: Sequence[tuple[int, Assignment]], zones: Mapping[int, int], live: Sequence[Named]
    ) -> cc.Run:
        """Run the preprocessor on the headers and the expressions *live*."""
        text = unit.preprocess_unit(
            self.attempt.subset, choices, [zones[k] for k, _ in choices], list(self._lines(live))
        )
        return self.attempt.run(["-E", self.attempt.write("cpp.c", text)])[0]

    def _isolate(self, run: Callable[[Sequence[Named]], cc.Run]) -> None:
        """
        Leave out the expression without which the ones before it compile; no message names its place.

        :raises BuildError: the headers do not compile without any
        """
        live = self._live()
        done = run([])
        if not done.ok or not live:
            raise done.failure(f"{other_machine(self.attempt)}the header does not compile")
        low, high = 0, len(live)
        while high - low > 1:
            middle = (low + high) // 2
            if run(live[:middle]).ok:
                low = middle
            else:
                high = middle
        self.attempt.errors[live[high - 1][1]] = "does not compile by itself, and spoils what stands behind it"

    def _lines(self, live: Sequence[Named]) -> Iterator[str]:
        """What the preprocessor gets of the expressions, behind the headers."""
        aliases: dict[Piece, str] = {}
        for expression, name in live:
            for piece in _functions(expression.needs):
                if piece not in aliases:
                    aliases[piece] = f"{piece.name}__p{len(aliases)}"
                    yield from self._function(piece, aliases)
                self.users.setdefault(aliases[piece], []).append(name)
            needs = _flat(expression.needs)
            yield f'# 1 "{unit.HELPER_PLACE}/{name}"'
            yield from _defined(needs, aliases)
            yield unit.helper_line(name, " ".join(expression.text.split()))
            yield from _restored(needs)

    def _function(self, piece: Piece, aliases: Mapping[Piece, str]) -> Iterator[str]:
        needs = [p for p in _flat(piece.needs) if p.name != piece.name]
        yield f'# 1 "{_FUNCTION_PLACE}/{aliases[piece]}"'
        yield from _defined(needs, aliases)
        yield f"#define {piece.name} {aliases[piece]}"
        yield "__attribute__((unused))"
        yield piece.text
        yield f"#undef {piece.name}"
        yield from _restored(needs)

    def _wrappers(self, segment: Segment) -> list[Wrapper]:
        return [
            unit.Wrapper(name, "gfp_t", text, is_filter=True)
            for _, name in self._live()
            if (text := segment.macros.get(name))
        ]

    def _objects(self, parts: Sequence[tuple[Segment, list[Wrapper]]]) -> list[str] | None:
        """The shared objects, or None where something had to be left out first."""
        attempt = self.attempt
        if len(parts) == 1:
            self._merge(*parts[0])
            parts = [(s, [w for w in ws if w.name not in self.same]) for s, ws in parts]
        halves = _balance([(building.without_dropped(s, attempt), ws) for s, ws in parts])
        texts = [
            unit.compile_unit(attempt.subset, half, rename=len(half) > 1, more_names=self.users) for half in halves
        ]
        names = [attempt.write(f"unit{n}.c", text) for n, text in enumerate(texts)]
        probes = attempt.run(*[[*_SYNTAX, name] for name in names])
        failed = [done for done in probes if not done.ok]
        if failed:
            if not any([self._blame_own(done) for done in failed]):  # noqa: C419 - each run has its own to blame
                self._blame_headers(parts)
            return None
        for done in attempt.run(*[[*building.link_command(name), *_TRAPS] for name in names]):
            if not done.ok:
                raise done.failure(f"{other_machine(attempt)}the expressions do not compile")
        return [name.replace(".c", ".so") for name in names]

    def same_code(self, filters: Mapping[str, MaskFilter], n_bits: int) -> frozenset[str]:
        """See :class:`Compiled`. What becomes of the bits above an input is tried both ways."""
        if self.segment is None:
            return frozenset()
        jobs = []
        for n, above in enumerate((0, ~((1 << n_bits) - 1) & _EVERY)):
            texts = {name: f"((pygfp_x & {f.keep | above:#x}u) | {f.force:#x}u)" for name, f in filters.items()}
            wrappers = [replace(w, expression=texts[w.name]) for w in self.alone if w.name in texts]
            jobs.append([*_ASSEMBLY, self.attempt.write(f"filters{n}.c", unit.assembly_unit(self.segment, wrappers))])
        found = [body for done in self.attempt.run(*jobs) if done.ok for body in _BODY.findall(done.stdout)]
        return frozenset(name for name, body in found if self.bodies.get(name) == body)

    def _merge(self, segment: Segment, wrappers: Sequence[Wrapper]) -> None:
        """Note which expressions the compiler makes the same code of: one of them is compared for all."""
        self.segment, self.alone, self.bodies = segment, wrappers, {}
        done = self.attempt.run([*_ASSEMBLY, self.attempt.write("same.c", unit.assembly_unit(segment, wrappers))])[0]
        self.same.clear()
        if not done.ok:
            return  # what is wrong shows when it is compiled in earnest
        first: dict[str, str] = {}
        self.bodies = dict(_BODY.findall(done.stdout))
        for name, body in self.bodies.items():
            if first.setdefault(body, name) != name:
                self.same[name] = first[body]

    def _blame_own(self, done: cc.Run) -> bool:
        """Leave out the expressions that the errors of a run stand in; whether there was any."""
        found = False
        for error in done.errors:
            place, _, name = error.file.partition("/")
            blamed = [name] if place == unit.HELPER_PLACE else self.users.get(name, [])
            if place not in {unit.HELPER_PLACE, _FUNCTION_PLACE}:
                continue
            for one in blamed:
                found = found or one not in self.attempt.errors
                said = reason(error.message)
                if place == _FUNCTION_PLACE:
                    said = f"calls {name.rpartition('__p')[0]}(), which {said}"
                self.attempt.errors.setdefault(one, said)
        return found

    def _blame_headers(self, parts: Sequence[tuple[Segment, list[Wrapper]]]) -> None:
        if narrow_down(self.attempt, [(s, []) for s, _ in parts]):
            return

        def run(live: Sequence[Named]) -> cc.Run:
            names = {name for _, name in live}
            runs = self.attempt.run(
                *[self._probe([(s, [w for w in ws if w.name in names])], n) for n, (s, ws) in enumerate(parts)]
            )
            return next((done for done in runs if not done.ok), runs[0])

        self._isolate(run)

    def _probe(self, unit_parts: Sequence[tuple[Segment, list[Wrapper]]], number: int) -> list[str]:
        text = unit.compile_unit(self.attempt.subset, unit_parts, rename=False)
        name = self.attempt.write(f"probe{number}.c", text)
        return [*_SYNTAX, name]

    def _plan(self, choices: Sequence[tuple[int, Assignment]], objects: list[str], symbols: Sequence[str]) -> Build:
        live = self._live()
        helpers = [
            HelperPlan(
                name,
                "",
                0,
                result="gfp_t",
                parameters=["gfp_t"],
                symbols=list(symbols),
                meanings=[Meaning(k, [a]) for k, a in choices],
            )
            for _, name in live
            if name not in self.same
        ]
        return Build(
            segments=[SegmentPlan(k, a) for k, a in choices],
            helpers=helpers,
            objects=objects,
            word_bits=WORD_BITS,
            flag_symbols=list(symbols),
            unreachable=config.unreachable(symbols, self.attempt.selection, WORD_BITS),
            broken=self.attempt.broken,
            notes=list(self.attempt.subset.notes),
        )


def reason(message: str) -> str:
    """
    Return what a compiler's complaint says of an expression, in words.

    >>> reason("'order' undeclared (first use in this function)")
    'depends on order'
    """
    match = _UNDECLARED.search(message)
    if match:
        return f"depends on {match[1] or match[2]}"
    match = _IMPLICIT.search(message)
    return f"calls {match[1]}()" if match else f"does not compile by itself: {message}"


def _flat(pieces: Sequence[Piece]) -> list[Piece]:
    """*pieces* with all that they need, each once."""
    found: dict[Piece, None] = {}
    todo = list(pieces)
    while todo:
        piece = todo.pop(0)
        if piece not in found:
            found[piece] = None
            todo += piece.needs
    return list(found)


def _functions(pieces: Sequence[Piece]) -> list[Piece]:
    """The functions among all that *pieces* need, those first that others stand on."""
    return [p for p in reversed(_flat(pieces)) if p.kind == "function"]


def _restored(pieces: Sequence[Piece]) -> Iterator[str]:
    """What a file defines by a name of the headers must not outlive its expression."""
    return (f'#pragma pop_macro("{p.name}")' for p in reversed(pieces))


def _defined(pieces: Sequence[Piece], aliases: Mapping[Piece, str]) -> Iterator[str]:
    for piece in pieces:
        yield f'#pragma push_macro("{piece.name}")'
        yield f"#undef {piece.name}"
        yield piece.text if piece.kind == "macro" else f"#define {piece.name} {aliases.get(piece, piece.name)}"


def _balance(parts: Sequence[tuple[Segment, list[Wrapper]]]) -> list[list[tuple[Segment, list[Wrapper]]]]:
    """Units of about equal work, as many as run side by side; one segment may stand in several."""
    count = default_jobs()
    if len(parts) >= count:
        return [list(parts[n::count]) for n in range(count)]
    return [
        [(segment, wrappers[n::count])]
        for segment, wrappers in parts
        for n in range(count)
        if wrappers[n::count] or not n
    ]
