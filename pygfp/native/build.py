# SPDX-License-Identifier: GPL-2.0-only
"""
From a subset to compiled objects: preprocess every configuration, merge equal meanings, compile.

What does not compile is narrowed down before anything is given up: a function that fails is blanked
and reported under its own name, a configuration that fails is reported as one that cannot be built, and only
a text of which nothing compiles is a :class:`BuildError`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import config
from ..errors import BuildError
from ..extract import WHOLE
from ..refuse import outside
from ..sources import csrc
from . import compiler as cc
from . import unit
from .assembly import digests
from .attempt import WORD_BITS, Attempt
from .blame import PLACED, explain, narrow_down, open_call, other_machine
from .meanings import merge, plan_helper, read_signature
from .plan import Build, Finding, HelperPlan, SegmentPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from ..config import Assignment, Closure, Selection
    from ..extract import Subset
    from .unit import Segment, Wrapper

    Part = tuple[Segment, list[Wrapper]]

#: Flags of a shared object that one worker loads, with its table under a fixed name.
_UNIT = ("-fPIC", "-fvisibility=hidden", "-DPYGFP_TABLE_NAME=pygfp_table")
_SHARED = ("-shared", "-nostdlib")

_WIDE = re.compile(r"long|size_t|64|pgoff_t")
_ROUNDS = 12
_SYMBOL = re.compile(rb"\bCONFIG_\w+")
_IS_SYMBOL = re.compile(r"CONFIG_\w+\Z")
_BUILD_BUG = re.compile(r"pygfp_build_bug.*BUILD_BUG_ON fires in ([0-9]{1,9})")


def build(  # noqa: PLR0913 - each is one plain value of an earlier stage
    subset: Subset,
    selection: Selection,
    compiler: cc.Compiler,
    workdir: Path,
    wanted: Mapping[str, str],
    *,
    link: bool = True,
    on_command: Callable[[str], None] | None = None,
) -> Build:
    """
    Compile *subset* in *workdir* and return what came of it.

    :param selection: the configurations to build
    :param wanted: C return type by name of the helpers that may also be macros
    :param link: make shared objects; off, ``unit0.c`` is left for another build to compile
    :param on_command: is told each compiler command before it runs
    :raises BuildError: the compiler fails on the text as a whole
    """
    attempt = Attempt(subset, selection, compiler, workdir, wanted, on_command)
    attempt.broken.update({name: str(error) for name, error in subset.broken.items()})
    for _ in range(_ROUNDS):
        result = _pass(attempt, link=link)
        if result is not None:
            return result
    # What stands at a line of the header says more than what was found behind it.
    why = min(attempt.errors.values(), key=lambda error: not PLACED.match(error), default="")
    message = f"the header still does not compile after {_ROUNDS} rounds of leaving out what fails; first: {why}"
    raise BuildError(message)


def write_subset(subset: Subset, directory: Path) -> None:
    """Write what is compiled of *subset* below *directory*: kernel-relative paths, and ``stub/`` for empty shims."""
    for path, text in subset.files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    for name in subset.stubs:
        target = directory / "stub" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"/* SPDX-License-Identifier: GPL-2.0-only */\n/* {name} - STUB: empty. */\n")


def _pass(attempt: Attempt, *, link: bool) -> Build | None:
    """One whole build; None where something had to be left out and the next pass will do."""
    subset = attempt.subset
    write_subset(subset, attempt.workdir)
    closure = config.dependencies(subset.definitions)
    flag_symbols = closure.symbols(*(n for n in subset.constants if n.startswith("__GFP_")))
    plans = [plan_helper(h, closure, flag_symbols, attempt) for h in subset.helpers]
    constant_symbols = {n: list(closure.symbols(n)) for n in subset.constants}
    judged = {s for p in plans for s in p.symbols} | {s for c in constant_symbols.values() for s in c}
    mentioned = {m.decode() for p in WHOLE if p in subset.scans for m in _SYMBOL.findall(subset.scans[p].code)}
    # Of the other files what is kept of them counts.
    mentioned |= {use for d in subset.definitions if d.path in subset.files for use in d.uses if _IS_SYMBOL.match(use)}
    wishes = [p.symbols for p in plans if not p.unswept] + [list(flag_symbols), *constant_symbols.values()]
    choices = list(enumerate(_choices(attempt, wishes, mentioned | judged)))
    segments = _preprocess(attempt, [(k, a) for k, a in choices if not attempt.refused(a)], closure)
    if segments is None:
        return None
    _require_lines(attempt, segments)
    open_helpers = open_ends(attempt, segments)
    if not open_helpers.keys() <= attempt.errors.keys():
        attempt.errors = {**open_helpers, **attempt.errors}
        return None
    plans = [read_signature(p, segments, attempt) for p in plans]
    plans = [merge(p, segments, attempt, closure, flag_symbols) for p in plans]
    alone = _write_alone(attempt, flag_symbols)
    objects = _compile(attempt, plans, segments, alone, link=link)
    if objects is None:
        return None
    plans = _with_code(plans, [attempt.workdir / o.replace(".so", ".s") for o in objects])
    left_out = _left_out(attempt, plans)
    places = {d.name: (d.path, d.line) for d in reversed(subset.definitions) if d.kind in {"macro", "enumerator"}}
    return Build(
        segments=[SegmentPlan(k, a, attempt.refused(a)) for k, a in choices],
        helpers=plans,
        objects=objects,
        word_bits=WORD_BITS,
        flag_symbols=list(flag_symbols),
        constant_symbols=constant_symbols,
        unjudged_symbols=sorted(mentioned - judged),
        unreachable=config.unreachable(judged, attempt.selection, WORD_BITS),
        places=places,
        broken={**{name: message for name, _, _, message in left_out}, **attempt.broken},
        findings=attempt.findings,
        left_out=left_out,
        alone=attempt.alone,
        notes=[*subset.notes, *attempt.notes, *_left_out_notes(subset)],
    )


def _choices(attempt: Attempt, wishes: Sequence[Sequence[str]], symbols: Collection[str]) -> list[Assignment]:
    """
    The configurations to build, such that each combination of the symbols of each of *wishes* is part of one.

    What nothing judged depends on is compiled as well, on and off, in builds that are there anyway.
    """
    rows = config.cover(a for some in wishes for a in attempt.choices(some))
    values = {s: attempt.selection.values(s, WORD_BITS) for s in symbols}
    # One build shows no symbol both on and off; where each has one value, as in a .config, one is all that there is.
    rows += [{}] if len(rows) == 1 and any(len(values[s]) > 1 for s in values.keys() - rows[0].keys()) else []
    return attempt.filled(rows, values)


def _left_out(attempt: Attempt, plans: Sequence[HelperPlan]) -> list[tuple[str, str, int, str]]:
    """What does not compile and is no helper that says so itself: a kernel with this header would not build."""
    told = {p.name for p in plans if p.error or not p.unswept}
    found = dict(attempt.blanked)
    for lost in attempt.losses.values():
        found = {**lost, **found}
    blanked = [(d.name, d.path, d.line, message) for d, message in found.items() if d.name not in told]
    return blanked + [(name, *what) for name, what in attempt.unbuilt.items()]


def _left_out_notes(subset: Subset) -> list[str]:
    return [f"{left.path}:{left.line}: {left.name} is left out: {left.reason}" for left in subset.left_out if left.line]


def _preprocess(attempt: Attempt, choices: Sequence[tuple[int, Assignment]], closure: Closure) -> list[Segment] | None:
    """
    The segments of *choices*; those that the preprocessor refuses are noted as not buildable.

    None where some can be tried with fewer symbols first.
    """
    zones = count_zones(attempt, choices, closure)
    done = attempt.run(_cpp(attempt, choices, zones, "cpp.c"))[0]
    if done.ok:
        return _segments(attempt, done, choices)
    runs = attempt.run(*[_cpp(attempt, [choice], zones, f"cpp{choice[0]}.c") for choice in choices])
    good = [choice for choice, one in zip(choices, runs, strict=True) if one.ok]
    if not good:
        message = f"the header does not preprocess: {open_call(attempt, runs[0]) or explain(runs[0])}"
        raise BuildError(message, command=runs[0].command, stderr=runs[0].stderr)
    failed = [
        (a, one, open_call(attempt, one) or explain(one))
        for (_, a), one in zip(choices, runs, strict=True)
        if not one.ok
    ]
    plainer = [a for a, one, why in failed if attempt.gives_way(a, one, why)]
    if plainer:
        return None
    for assignment, _, why in failed:
        attempt.refuse(assignment, why)
    survivors = [(one, choice) for one, choice in zip(runs, choices, strict=True) if one.ok]
    return [segment for one, choice in survivors for segment in _segments(attempt, one, [choice])]


def _segments(attempt: Attempt, done: cc.Run, choices: Sequence[tuple[int, Assignment]]) -> list[Segment]:
    """The segments in the output of a run; a compiler that swallows some of them, or that read more, is refused."""
    found = unit.segments(done.stdout, choices, {k: attempt.lost(a) for k, a in choices})
    if len(found) != len(choices):
        command = " ".join(attempt.compiler.command)
        message = f"{command} -E exits with 0 and gives {len(found)} of {len(choices)} texts; name a working one in CC"
        raise BuildError(message, command=done.command, stderr=done.stderr)
    require_alone(found)
    return found


def require_alone(segments: Sequence[Segment]) -> None:
    """
    Refuse a text that is more than the headers and the shims, by the compiler's own list of what it read.

    :raises BuildError: with the first file that is neither
    """
    for file in outside(set().union(*(s.files for s in segments)), [str(csrc())]):
        message = f"the header includes {file}, which is outside of the tree; pygfp compiles the headers alone"
        raise BuildError(message)


def _require_lines(attempt: Attempt, segments: Sequence[Segment]) -> None:
    """Without the compiler's line markers no helper could be told from one that is compiled out."""
    for segment in segments:
        missing = set(attempt.subset.order) & set(WHOLE) - segment.files
        if missing:
            command = " ".join(attempt.compiler.command)
            message = f"{command} -E does not mark the lines of {min(missing)}; name a compiler that does in CC"
            raise BuildError(message)


def open_ends(attempt: Attempt, segments: Sequence[Segment]) -> dict[str, str]:
    """
    Do without constants of which a bracket is not closed: whatever stood behind them would be blamed.

    Return likewise the helpers and expressions of which a bracket is not closed, with what to say of each.
    """
    why = "a bracket of it is not closed, or not opened"
    constants = {n for s in segments for n, text in s.constants.items() if not unit.is_closed(text)} - attempt.dropped
    attempt.dropped |= constants
    attempt.broken.update({n: f"the macro {n} does not compile as a constant: {why}" for n in sorted(constants)})
    helpers = {n for s in segments for n, text in s.macros.items() if not unit.is_closed(text)}
    return dict.fromkeys(sorted(helpers), why)


def _cpp(attempt: Attempt, choices: Sequence[tuple[int, Assignment]], zones: Mapping[int, int], name: str) -> list[str]:
    return ["-E", attempt.write(name, unit.preprocess_unit(attempt.subset, choices, [zones[k] for k, _ in choices]))]


def count_zones(attempt: Attempt, choices: Sequence[tuple[int, Assignment]], closure: Closure) -> dict[int, int]:
    """Return the number of zones in each configuration, from the tree's own enum."""
    symbols = closure.symbols("__MAX_NR_ZONES")
    relevant = {k: {s: a[s] for s in symbols if a.get(s)} for k, a in choices}
    distinct = [dict(items) for items in sorted({tuple(sorted(r.items())) for r in relevant.values()})]
    done = attempt.run(["-S", "-O0", "-o", "-", attempt.write("zones.c", unit.zone_unit(distinct))])[0]
    if not done.ok:
        message = f"{other_machine(attempt)}enum zone_type does not compile: {_in_mmzone(attempt, done)}{explain(done)}"
        raise BuildError(message, command=done.command, stderr=done.stderr)
    counts = unit.zone_counts(done.stdout)
    if len(counts) != len(distinct):
        message = (
            f"{' '.join(attempt.compiler.command)} -S does not show the number of zones; "
            "expected assembly as gcc and clang write it; name a working compiler in CC"
        )
        raise BuildError(message, command=done.command)
    return {k: counts[distinct.index(r)] for k, r in relevant.items()}


def _in_mmzone(attempt: Attempt, done: cc.Run) -> str:
    """Where the zones are defined, if what the compiler complains of is that they are not."""
    scanned = attempt.subset.scans["include/linux/mmzone.h"]
    if not done.errors or done.errors[0].file in attempt.subset.files:
        return ""
    line = scanned.line_of("__MAX_NR_ZONES")
    there = f"{scanned.path}:{line}: the zones are compiled out"
    return f"{there if line else f'{scanned.path}: __MAX_NR_ZONES is not defined here'}, "


def _wrappers(plans: Sequence[HelperPlan], segment: Segment) -> list[Wrapper]:
    """What is made callable in *segment*."""
    found = []
    for plan in plans:
        if any(m.segment == segment.index for m in plan.meanings):
            macro = segment.macros.get(plan.name)
            # A macro may stand in front of a function; the text of its call cannot be asked for its type.
            result = plan.result if macro else f"__typeof__({plan.name}((gfp_t)0))"
            lane = 64 if _WIDE.search(plan.result) else 32
            found.append(unit.Wrapper(plan.name, result, macro or f"{plan.name}(pygfp_x)", plan.is_filter, lane))
    return found


def _compile(
    attempt: Attempt, plans: Sequence[HelperPlan], segments: Sequence[Segment], alone: list[list[str]], *, link: bool
) -> list[str] | None:
    """The shared objects, or None where something had to be left out first."""
    parts = [(without_dropped(s, attempt), _wrappers(plans, s)) for s in segments]
    halves = _balance(parts) if link else [parts]
    names = [attempt.write(f"unit{n}.c", unit.compile_unit(attempt.subset, half)) for n, half in enumerate(halves)]
    runs, lone = _objects(attempt, names if link else [], alone)
    attempt.alone = next(("" if one.ok else _of_macro(attempt, explain(one)) for one in lone), None)
    if any(not one.ok and not one.errors for one in lone):
        raise lone[0].failure("the compiler fails on gfp_types.h and does not say why")
    if not link:
        return []
    if not all(r.ok for r in runs):
        if narrow_down(attempt, parts):
            return None
        # It compiles configuration by configuration: the suffixes are at fault, so do without them.
        names = [
            attempt.write(f"unit{p[0].index}.c", unit.compile_unit(attempt.subset, [p], rename=False)) for p in parts
        ]
        runs, _ = _objects(attempt, names, [])
    for done in runs:
        if not done.ok:
            raise done.failure(f"{other_machine(attempt)}the header does not compile")
        attempt.findings = list(dict.fromkeys([*attempt.findings, *_build_bugs(done)]))
    objects = [name.replace(".c", ".so") for name in names]
    for name in objects:
        if not (attempt.workdir / name).is_file():
            command = " ".join(attempt.compiler.command)
            message = f"{command} exits with 0 and writes no object; name a working compiler in CC"
            raise BuildError(message, command=runs[0].command, stderr=runs[0].stderr)
    return objects


def _of_macro(attempt: Attempt, message: str) -> str:
    """*message* with the place of a macro of the header where it stands in a use of ours."""
    found = re.match(rf"{unit.ALONE_PLACE}/(\w+):\d+: ", message)
    places = [f"{d.path}:{d.line}: {d.name}: " for d in attempt.subset.definitions if found and d.name == found[1]]
    return places[0] + message[found.end() :] if found and places else message


def _objects(attempt: Attempt, names: Sequence[str], more: list[list[str]]) -> tuple[list[cc.Run], list[cc.Run]]:
    """The runs that make a shared object of each unit by way of its assembly, which stays; and those of *more*."""
    jobs = [["-S", *_UNIT, *cc.OPTIMISE, name, "-o", name.replace(".c", ".s")] for name in names]
    every = attempt.run(*jobs, *more)
    runs, others = every[: len(names)], every[len(names) :]
    if not all(done.ok for done in runs):
        return runs, others
    linked = attempt.run(*[[*_SHARED, n.replace(".c", ".s"), "-o", n.replace(".c", ".so")] for n in names])
    # What the compiler warns of, it warns of in the first run.
    return [replace(b, stderr=a.stderr + b.stderr) for a, b in zip(runs, linked, strict=True)], others


def _with_code(plans: Sequence[HelperPlan], assembly: Sequence[Path]) -> list[HelperPlan]:
    """*plans* with what the compiler made of each meaning."""
    code: dict[tuple[int, str], str] = {}
    for path in assembly:
        code |= digests(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else {}
    return [
        replace(p, meanings=[replace(m, code=code.get((m.segment, p.name), "")) for m in p.meanings]) for p in plans
    ]


def without_dropped(segment: Segment, attempt: Attempt) -> Segment:
    """Return *segment* without the macros that turned out to be no constants."""
    return replace(segment, constants={n: e for n, e in segment.constants.items() if n not in attempt.dropped})


def link_command(name: str) -> list[str]:
    """Return the compiler's arguments that make a shared object of unit *name*."""
    return [*_SHARED, *_UNIT, *cc.OPTIMISE, name, "-o", name.replace(".c", ".so")]


def _balance(parts: Sequence[Part]) -> list[list[Part]]:
    """Two units of about equal work, for two compiler runs side by side."""
    halves: list[list[Part]] = [[], []]
    loads = [0, 0]
    for part in sorted(parts, key=lambda p: -len(p[1])):
        lighter = loads.index(min(loads))
        halves[lighter].append(part)
        loads[lighter] += 2 + len(part[1])
    return [h for h in halves if h]


def _build_bugs(done: cc.Run) -> list[Finding]:
    """The BUILD_BUG_ONs that fire, as the compiler's warnings tell."""
    text = "BUILD_BUG_ON fires: the kernel would not build with this header"
    found = [(d, _BUILD_BUG.search(d.message)) for d in done.diagnostics]
    return [Finding(d.file, d.line, int(match[1]), text) for d, match in found if match]


def _write_alone(attempt: Attempt, flag_symbols: Sequence[str]) -> list[list[str]]:
    """The compiler job that shows whether ``gfp_types.h`` compiles by itself; none where there is no such file."""
    if WHOLE[0] not in attempt.subset.files:
        return []
    return [["-fsyntax-only", attempt.write("alone.c", unit.alone_unit(attempt.subset, attempt.choices(flag_symbols)))]]
