# SPDX-License-Identifier: GPL-2.0-only
"""
From a subset to compiled objects: preprocess every configuration, merge equal meanings, compile.

What does not compile is narrowed down before anything is given up: a function that fails is blanked
and reported under its own name, a configuration that fails is reported as one that cannot be built, and only
a text of which nothing compiles is a :class:`BuildError`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import config
from ..errors import BuildError
from ..extract import WHOLE, Subset, blank
from ..sources import csrc
from . import compiler as cc
from . import declarations, unit
from .plan import Build, Finding, HelperPlan, Meaning, SegmentPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..config import Assignment, Closure, Selection
    from ..extract import Helper
    from ..scan import Definition

WORD_BITS = 64

#: How the sweep is compiled. -O3 vectorises the block loop; the cache key holds the processor.
OPTIMISE = ("-O3", "-march=native")

_INTEGER = re.compile(r"(?:unsigned |signed )?(?:char|short|int|long|long long)|unsigned|size_t|[us](?:8|16|32|64)|enum \w+|bool|_Bool|gfp_t")
_WIDE = re.compile(r"long|size_t|64|pgoff_t")
_ROUNDS = 12
_BUILD_BUG = re.compile(r"pygfp_build_bug.*BUILD_BUG_ON fires in (\d+)")


@dataclass
class _Attempt:
    """What one pass over the subset has found so far."""

    subset: Subset
    compiler: cc.Compiler
    workdir: Path
    wanted: Mapping[str, str]
    on_command: Callable[[str], None] | None = None
    errors: dict[str, str] = field(default_factory=dict)
    unbuildable: dict[int, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)


def build(
    subset: Subset,
    selection: Selection,
    compiler: cc.Compiler,
    workdir: Path,
    wanted: Mapping[str, str],
    *,
    optimise: Sequence[str] = OPTIMISE,
    link: bool = True,
    on_command: Callable[[str], None] | None = None,
) -> Build:
    """
    Compile *subset* in *workdir* and return what came of it.

    :param selection: the configurations to build
    :param wanted: C return type by name of the helpers that may also be macros
    :param optimise: compiler flags for the sweep
    :param on_command: is told each compiler command before it runs
    :param link: make shared objects; off, ``unit0.c`` is left for another build to compile
    :raises BuildError: the compiler fails on the text as a whole
    """
    state = _Attempt(subset, compiler, workdir, wanted, on_command)
    state.broken.update({name: str(error) for name, error in subset.broken.items()})
    for _ in range(_ROUNDS):
        result = _pass(state, selection, optimise, link=link)
        if result is not None:
            return result
    message = f"the header still does not compile after {_ROUNDS} definitions were left out"
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


def include_flags(shims: Path | None = None) -> list[str]:
    """Return where the compiler may look for headers: the subset, pygfp's shims, the empty ones. Nowhere else."""
    root = csrc() if shims is None else shims
    return ["-I.", "-Iinclude", f"-I{root / 'shim'}", "-Istub", f"-I{root}"]


def _pass(state: _Attempt, selection: Selection, optimise: Sequence[str], *, link: bool) -> Build | None:
    """One whole build; None where a definition had to be blanked and the next pass will do."""
    write_subset(state.subset, state.workdir)
    closure = config.dependencies(state.subset.definitions)
    flag_symbols = closure.symbols(*(n for n in state.subset.constants if n.startswith("__GFP_")))
    plans = [_plan(h, closure, flag_symbols, state) for h in state.subset.helpers]
    symbols = {n: list(closure.symbols(n)) for n in state.subset.constants}
    wishes = [config.assignments(p.symbols, selection, WORD_BITS) for p in plans if not p.unswept]
    wishes += [config.assignments(flag_symbols, selection, WORD_BITS)]
    wishes += [config.assignments(s, selection, WORD_BITS) for s in symbols.values()]
    choices = list(enumerate(config.cover(a for wish in wishes for a in wish)))
    segments = _preprocess(state, choices, closure)
    plans = [_read_signature(p, segments, state) for p in plans]
    plans = [_merge(p, segments, state, closure, flag_symbols, selection) for p in plans]
    objects = _compile(state, plans, segments, optimise, link=link)
    if objects is None:
        return None
    alone = _alone(state, config.assignments(flag_symbols, selection, WORD_BITS))
    every = {s for p in plans for s in p.symbols} | {s for c in symbols.values() for s in c}
    return Build(
        segments=[SegmentPlan(k, a, state.unbuildable.get(k, "")) for k, a in choices],
        helpers=plans,
        objects=objects,
        word_bits=WORD_BITS,
        flag_symbols=list(flag_symbols),
        constant_symbols=symbols,
        unreachable=config.unreachable(every, selection, WORD_BITS),
        places={d.name: (d.path, d.line) for d in reversed(state.subset.definitions) if d.kind in {"macro", "enumerator"}},
        broken=state.broken,
        findings=state.findings,
        alone=alone,
        notes=[*state.subset.notes, *state.notes, *_left_out_notes(state.subset)],
    )


def _left_out_notes(subset: Subset) -> list[str]:
    return [f"{left.path}:{left.line}: {left.name} is left out: {left.reason}" for left in subset.left_out if left.line]


def _plan(helper: Helper, closure: Closure, flag_symbols: Sequence[str], state: _Attempt) -> HelperPlan:
    """What is known of a helper before any compiler has run."""
    path, line = helper.place
    plan = HelperPlan(helper.name, path, line, helper.definitions[0].end_line, error=state.errors.get(helper.name, ""))
    if helper.name in state.wanted and helper.is_macro:
        plan = replace(plan, result=state.wanted[helper.name], parameters=["gfp_t"])
    arities = {d.parameters for d in helper.definitions}
    function = next((d for d in helper.definitions if d.kind == "function"), None)
    if plan.error:
        return replace(plan, unswept="does not compile")
    if not arities <= {1, None}:
        return replace(plan, unswept=f"takes {max(a or 0 for a in arities)} arguments")
    head = state.subset.scans[path].code[function.start : function.head_end] if function else b""
    returns_gfp = plan.result == "gfp_t" or re.search(rb"\bgfp_t\b[^(]*\b" + helper.name.encode() + rb"\s*\(", head)
    symbols = set(closure.symbols(helper.name)) | (set(flag_symbols) if returns_gfp else set())
    return replace(plan, symbols=sorted(symbols))


def _preprocess(state: _Attempt, choices: Sequence[tuple[int, Assignment]], closure: Closure) -> list[unit.Segment]:
    """The segments of *choices*; those that the preprocessor refuses are noted as not buildable."""
    zones = _count_zones(state, choices, closure)
    good = [(k, a) for k, a in choices if k in zones]
    done = _cpp(state, good, zones, "cpp.c")
    if not done.ok:
        runs = [_cpp(state, [choice], zones, f"cpp{choice[0]}.c") for choice in good]
        for (index, _), one in zip(good, runs, strict=True):
            if not one.ok:
                state.unbuildable[index] = _explain(one)
        if all(not one.ok for one in runs):
            message = f"the header does not preprocess: {_explain(runs[0] if runs else done)}"
            raise BuildError(message, command=done.command, stderr=(runs[0] if runs else done).stderr)
        good = [choice for choice, one in zip(good, runs, strict=True) if one.ok]
        done = _cpp(state, good, zones, "cpp.c")
        if not done.ok:
            raise done.failure("the header does not preprocess")
    return unit.segments(done.stdout, good)


def _cpp(state: _Attempt, choices: Sequence[tuple[int, Assignment]], zones: Mapping[int, int], name: str) -> cc.Run:
    text = unit.preprocess_unit(state.subset, choices, [zones[k] for k, _ in choices])
    (state.workdir / name).write_text(text)
    return _run(state, ["-E", *cc.SEMANTIC_FLAGS, *include_flags(), name])[0]


def _explain(done: cc.Run) -> str:
    """The first error of a run, with what to do where the cause is known."""
    if not done.errors:
        return str(done.failure("compiler"))
    first = done.errors[0]
    missing = re.match(r"(\S+?)(?:: No such file or directory|' file not found)", first.message.removeprefix("'"))
    if missing:
        return f"{first.file}:{first.line}: includes <{missing[1]}>, which neither the tree nor pygfp has; add the file or remove the include"
    return str(first)


def _count_zones(state: _Attempt, choices: Sequence[tuple[int, Assignment]], closure: Closure) -> dict[int, int]:
    """The number of zones in each configuration, from the tree's own enum."""
    symbols = closure.symbols("__MAX_NR_ZONES")
    relevant = {k: {s: a[s] for s in symbols if a.get(s)} for k, a in choices}
    distinct = [dict(items) for items in sorted({tuple(sorted(r.items())) for r in relevant.values()})]
    (state.workdir / "zones.c").write_text(unit.zone_unit(distinct))
    arguments = ["-S", "-O0", "-o", "-", *cc.SEMANTIC_FLAGS, *include_flags(), "zones.c"]
    done = _run(state, arguments)[0]
    if not done.ok:
        message = f"enum zone_type does not compile: {_explain(done)}"
        raise BuildError(message, command=done.command, stderr=done.stderr)
    counts = unit.zone_counts(done.stdout)
    if len(counts) != len(distinct):
        message = "the compiler's assembly does not show the number of zones; expected output of 'gcc -S' or 'clang -S'"
        raise BuildError(message, command=done.command)
    return {k: counts[distinct.index(r)] for k, r in relevant.items()}


def _run(state: _Attempt, *jobs: Sequence[str]) -> list[cc.Run]:
    """Run the compiler once for each of *jobs*, side by side."""
    for arguments in jobs:
        if state.on_command:
            state.on_command(shlex.join([*state.compiler.command, *arguments]))
    return cc.run_all(state.compiler.command, jobs, cwd=state.workdir)


def _definitions(name: str, subset: Subset) -> list[Definition]:
    return [d for d in subset.definitions if d.name == name and d.kind == "function"]


def _read_signature(plan: HelperPlan, segments: Iterable[unit.Segment], state: _Attempt) -> HelperPlan:
    """The declared types of a helper, from the first segment that has it."""
    if plan.result or plan.unswept:
        return plan
    for segment in segments:
        for d in _definitions(plan.name, state.subset):
            body_line = d.line + state.subset.scans[d.path].text.count(b"\n", d.start, d.head_end)
            head = segment.piece(d.path, d.line, body_line).partition("{")[0]
            read = declarations.signature(head, plan.name) if head else None
            if read:
                return _judge_signature(replace(plan, result=read[0], parameters=read[1]))
            if head:
                return replace(plan, unswept=f"its declaration cannot be read: {head}")
    return plan


def _judge_signature(plan: HelperPlan) -> HelperPlan:
    if plan.parameters != ["gfp_t"]:
        return replace(plan, unswept=f"takes ({', '.join(plan.parameters) or 'void'})")
    if not _INTEGER.fullmatch(plan.result):
        return replace(plan, unswept=f"returns {plan.result}")
    return plan


def _merge(  # noqa: PLR0913 - one value from each earlier stage
    plan: HelperPlan,
    segments: Sequence[unit.Segment],
    state: _Attempt,
    closure: Closure,
    flag_symbols: Sequence[str],
    selection: Selection,
) -> HelperPlan:
    """Group the configurations of a helper by what its text and constants are there."""
    if plan.unswept or not segments:
        return plan
    symbols = plan.symbols
    meanings: dict[object, Meaning] = {}
    missing = []
    for choice in config.assignments(symbols, selection, WORD_BITS):
        home = next((s for s in segments if choice.items() <= s.assignment.items()), None)
        if home is None:
            continue  # its segment is in state.unbuildable, and is reported from there
        key = _key(plan, home, state.subset, closure)
        if key is None:
            missing.append(choice)
            continue
        if plan.is_filter:
            key = (key, tuple(sorted((s, choice.get(s)) for s in flag_symbols)))
        meanings.setdefault(key, Meaning(home.index, [])).configs.append(choice)
    return replace(plan, meanings=list(meanings.values()), missing=missing)


def _key(plan: HelperPlan, segment: unit.Segment, subset: Subset, closure: Closure) -> object | None:
    """What a helper is in a segment: its text, and that of all it stands on; None where it is compiled out."""
    functions: dict[str, list[Definition]] = {}
    enumerators = set()
    for d in subset.definitions:
        if d.kind == "function":
            functions.setdefault(d.name, []).append(d)
        elif d.kind == "enumerator":
            enumerators.add(d.name)
    texts: dict[str, object] = {}
    todo = [plan.name]
    while todo:
        name = todo.pop()
        if name in texts:
            continue
        if name == plan.name and name in segment.macros:
            text = segment.macros[name]
        elif name in functions:
            text = " ".join(segment.piece(d.path, d.line, d.end_line) for d in functions[name]).strip()
        elif name in enumerators:
            texts[name] = tuple((s, segment.assignment.get(s, False)) for s in closure.symbols(name))
            continue
        else:
            continue
        texts[name] = text
        todo += [w for w in re.findall(r"[A-Za-z_]\w*", text) if w in functions or w in enumerators]
    return tuple(sorted(texts.items(), key=lambda item: item[0])) if texts.get(plan.name) else None


def _wrappers(state: _Attempt, plans: Sequence[HelperPlan], segment: unit.Segment) -> list[unit.Wrapper]:
    found = []
    for plan in plans:
        if not any(m.segment == segment.index for m in plan.meanings):
            continue
        expression = segment.macros.get(plan.name, f"{plan.name}(pygfp_x)")
        function = bool(_definitions(plan.name, state.subset)) and plan.name not in segment.macros
        result = f"__typeof__({plan.name}((gfp_t)0))" if function else plan.result
        bits = 64 if _WIDE.search(plan.result) else 32
        found.append(unit.Wrapper(plan.name, result, expression, plan.is_filter, bits))
    return found


def _compile(
    state: _Attempt, plans: Sequence[HelperPlan], segments: Sequence[unit.Segment], optimise: Sequence[str], *, link: bool
) -> list[str] | None:
    """The shared objects, or None where something had to be blanked first."""
    parts = [(s, _wrappers(state, plans, s)) for s in segments]
    parts = [(replace(s, constants={n: e for n, e in s.constants.items() if n not in state.dropped}), w) for s, w in parts]
    halves = _balance(parts) if link else [parts]
    names = [f"unit{n}" for n in range(len(halves))]
    for name, half in zip(names, halves, strict=True):
        (state.workdir / f"{name}.c").write_text(unit.compile_unit(state.subset, half))
    if not link:
        return []
    runs = _run(state, *[_link(name, optimise) for name in names])
    if all(r.ok for r in runs):
        _collect_build_bugs(state, runs)
        return [f"{name}.so" for name in names]
    if _narrow_down(state, parts):
        return None
    # The text compiles configuration by configuration: the suffixes are at fault, so do without them.
    names = [f"unit{s.index}" for s, _ in parts]
    for name, part in zip(names, parts, strict=True):
        (state.workdir / f"{name}.c").write_text(unit.compile_unit(state.subset, [part], rename=False))
    runs = _run(state, *[_link(name, optimise) for name in names])
    for done in runs:
        if not done.ok:
            raise done.failure("the header does not compile")
    _collect_build_bugs(state, runs)
    return [f"{name}.so" for name in names]


def _link(name: str, optimise: Sequence[str]) -> list[str]:
    flags = ["-shared", "-fPIC", "-fvisibility=hidden", "-nostdlib", "-DPYGFP_TABLE_NAME=pygfp_table", *optimise]
    return [*flags, *cc.SEMANTIC_FLAGS, *include_flags(), f"{name}.c", "-o", f"{name}.so"]


def _balance(parts: Sequence[tuple[unit.Segment, list[unit.Wrapper]]]) -> list[list[tuple[unit.Segment, list[unit.Wrapper]]]]:
    """Two units of about equal work, for two compiler runs side by side."""
    halves: list[list[tuple[unit.Segment, list[unit.Wrapper]]]] = [[], []]
    loads = [0, 0]
    for part in sorted(parts, key=lambda p: -len(p[1])):
        lighter = loads.index(min(loads))
        halves[lighter].append(part)
        loads[lighter] += 2 + len(part[1])
    return [h for h in halves if h]


def _collect_build_bugs(state: _Attempt, runs: Sequence[cc.Run]) -> None:
    for done in runs:
        for diagnostic in done.diagnostics:
            match = _BUILD_BUG.search(diagnostic.message)
            if match:
                text = "BUILD_BUG_ON fires: the kernel would not build with this header"
                finding = Finding(diagnostic.file, diagnostic.line, int(match[1]), text)
                if finding not in state.findings:
                    state.findings.append(finding)


def _narrow_down(state: _Attempt, parts: Sequence[tuple[unit.Segment, list[unit.Wrapper]]]) -> bool:
    """
    Compile each configuration by itself and blame what does not compile; whether anything was blamed.

    :raises BuildError: an error stands outside every function, in every configuration
    """
    jobs = []
    for segment, wrappers in parts:
        name = f"check{segment.index}.c"
        (state.workdir / name).write_text(unit.compile_unit(state.subset, [(segment, wrappers)], rename=False))
        jobs.append(["-fsyntax-only", "-DPYGFP_TABLE_NAME=pygfp_table", *cc.SEMANTIC_FLAGS, *include_flags(), name])
    runs = _run(state, *jobs)
    blamed = False
    hopeless = []
    for (segment, _), done in zip(parts, runs, strict=True):
        if done.ok:
            continue
        fixed = [_blame(state, error, segment.index) for error in done.errors]
        if any(fixed):
            blamed = True
        else:
            hopeless.append((segment.index, done))
    if not blamed:
        for index, done in hopeless:
            state.unbuildable[index] = _explain(done)
        if len(hopeless) == len(parts) and hopeless:
            message = f"the header does not compile: {_explain(hopeless[0][1])}"
            raise BuildError(message, command=hopeless[0][1].command, stderr=hopeless[0][1].stderr)
        if hopeless:
            message = f"the header does not compile in every configuration: {_explain(hopeless[0][1])}"
            raise BuildError(message, command=hopeless[0][1].command, stderr=hopeless[0][1].stderr)
    return blamed


def _blame(state: _Attempt, error: cc.Diagnostic, segment: int) -> bool:
    """Leave out the definition that *error* stands in; False where it stands in none."""
    place, _, name = error.file.rpartition(":")
    if place == "pygfp:constant":
        state.dropped.add(name)
        state.notes.append(f"{name} is not a constant expression here and is left out: {error.message}")
        return True
    if place == "pygfp:helper":
        state.errors[name] = error.message
        return True
    if "static assertion failed" in error.message:
        state.findings.append(Finding(error.file, error.line, segment, f"a static assertion fails: {error.message}"))
    around = [
        d
        for d in state.subset.definitions
        if d.path == error.file and d.line <= error.line <= d.end_line and d.kind in {"function", "declaration"}
    ]
    for definition in around:
        if definition.name not in state.errors:
            state.errors[definition.name] = str(error)
            swallowed = _swallowed(state, definition)
            for inner in swallowed:
                state.broken[inner] = f"{error}; {inner} is swallowed by {definition.name}: is a brace missing there?"
            state.subset = _without(state.subset, definition, f"does not compile: {error}")
        return True
    return False


def _swallowed(state: _Attempt, definition: Definition) -> list[str]:
    code = state.subset.scans[definition.path].code[definition.start : definition.end]
    others = {d.name for d in state.subset.definitions if d.kind in {"function", "macro"} and d is not definition}
    return [
        name
        for name in state.wanted
        if name != definition.name and name not in others and re.search(rf"\b{name}\s*\(".encode(), code)
    ]


def _without(subset: Subset, definition: Definition, reason: str) -> Subset:
    left = blank(subset, definition, reason)
    kept = tuple(d for d in left.definitions if not (d.path == definition.path and definition.start <= d.start < definition.end))
    return replace(left, definitions=kept)


def _alone(state: _Attempt, choices: Sequence[Assignment]) -> str | None:
    """Why ``gfp_types.h`` does not compile by itself; ``""`` if it does, None where the tree has none."""
    if WHOLE[0] not in state.subset.files:
        return None
    (state.workdir / "alone.c").write_text(unit.alone_unit(state.subset, choices))
    arguments = ["-fsyntax-only", *cc.SEMANTIC_FLAGS, *include_flags(), "alone.c"]
    done = _run(state, arguments)[0]
    return "" if done.ok else _explain(done)
