# SPDX-License-Identifier: GPL-2.0-only
"""
Blame: which definition is at fault when a text does not compile, and how to go on without it.
"""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..extract import blank
from . import compiler as cc
from . import unit
from .plan import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..extract import Subset
    from ..scan import Definition
    from .attempt import Attempt
    from .unit import Segment, Wrapper

#: A message that begins with a place.
PLACED = re.compile(r"\S+:\d+: ")


def explain(done: cc.Run, stubs: Sequence[str] = ()) -> str:
    """
    Return the first error of a run, with what to do where the cause is known.

    :param stubs: the includes that stand empty, which a missing name may come from
    """
    if not done.errors:
        return done.last_words
    first = done.errors[0]
    if first.file.endswith("native/abi.h"):
        return "the compiler makes code for another kind of machine than this 64-bit one; name one for it in CC"
    missing = re.match(r"(\S+?)(?:: No such file or directory|' file not found)", first.message.removeprefix("'"))
    if missing:
        found = f"{first.file}:{first.line}: includes <{missing[1]}>"
        return f"{found}, which neither the tree nor pygfp has; add the file or remove the include"
    return with_hint(first, stubs)


def with_hint(error: cc.Diagnostic, stubs: Sequence[str]) -> str:
    """Return *error*, and where a missing name may have gone."""
    if stubs and re.search(r"undeclared|implicit declaration|unknown type", error.message):
        return f"{error} (pygfp compiles {', '.join(stubs)} as empty; a name that is defined there is not seen)"
    return str(error)


def other_machine(attempt: Attempt) -> str:
    """Return what to say first where the compiler is one for another machine, else ``""``."""
    made_for = cc.run(attempt.compiler.command, ["-dumpmachine"]).stdout.strip()
    if not made_for or made_for.split("-")[0] == platform.machine():
        return ""
    return f"the compiler makes code for {made_for}, not for {platform.machine()}: name another one in CC; "


def narrow_down(attempt: Attempt, parts: Sequence[tuple[Segment, list[Wrapper]]]) -> bool:
    """
    Compile each configuration by itself, leave out what is to blame, and return whether that was anything.

    :raises BuildError: in no configuration is there anything that could be left out, or a wanted helper
        occurs and has no definition: what does not compile may be it
    """
    for error in attempt.subset.broken.values():
        message = f"the header does not compile: {error}; is a brace missing there?"
        raise BuildError(message)
    jobs = []
    for segment, wrappers in parts:
        text = unit.compile_unit(attempt.subset, [(segment, wrappers)], rename=False)
        name = attempt.write(f"check{segment.index}.c", text)
        jobs.append(["-fsyntax-only", "-DPYGFP_TABLE_NAME=pygfp_table", name])
    runs = attempt.run(*jobs)
    failed = [(segment, done) for (segment, _), done in zip(parts, runs, strict=True) if not done.ok]
    blamed: dict[Definition, dict[int, cc.Diagnostic]] = {}
    # What is left out already is not to blame once more.
    spent = frozenset(attempt.dropped | attempt.errors.keys())
    hopeless = [(segment, done) for segment, done in failed if not _blame(attempt, done, segment.index, blamed, spent)]
    if hopeless and len(hopeless) == len(parts):
        done = hopeless[0][1]
        why = _open_end(attempt, done) or explain(done, attempt.subset.stubs)
        message = f"{other_machine(attempt)}the header does not compile: {why}"
        raise BuildError(message, command=done.command, stderr=done.stderr)
    for segment, done in hopeless:
        why = explain(done, attempt.subset.stubs)
        if not attempt.gives_way(segment.assignment, done, why):
            attempt.refuse(segment.assignment, why)
    for definition, errors in blamed.items():
        if len(errors) == len(parts):
            _leave_out(attempt, definition, next(iter(errors.values())))
            continue
        for segment, _ in failed:
            if segment.index in errors:
                message = with_hint(errors[segment.index], attempt.subset.stubs)
                attempt.lost(segment.assignment)[definition] = message
    return bool(failed)


def _blame(
    attempt: Attempt,
    done: cc.Run,
    segment: int,
    blamed: dict[Definition, dict[int, cc.Diagnostic]],
    spent: Collection[str],
) -> bool:
    """
    Add to *blamed* the functions that the errors of one configuration stand in; whether any error is dealt with.

    :param spent: the names of what was left out before
    """
    dealt_with = False
    for error in done.errors:
        place, _, name = error.file.partition("/")
        if place == unit.CONSTANT_PLACE:
            attempt.dropped.add(name)
            attempt.broken[name] = f"the macro {name} does not compile as a constant: {error.message}"
            dealt_with = dealt_with or name not in spent
        elif place == unit.HELPER_PLACE:
            attempt.errors.setdefault(name, error.message)
            dealt_with = dealt_with or name not in spent
        elif (definition := _around(attempt, error)) is not None:
            blamed.setdefault(definition, {}).setdefault(segment, error)
            dealt_with = True
        if "static assertion failed" in error.message:
            finding = Finding(error.file, error.line, segment, f"a static assertion fails: {error.message}")
            attempt.findings = list(dict.fromkeys([*attempt.findings, finding]))
    return dealt_with


def _around(attempt: Attempt, error: cc.Diagnostic) -> Definition | None:
    """The function or declaration that *error* stands in."""
    for d in attempt.subset.definitions:
        if d.path == error.file and d.line <= error.line <= d.end_line and d.kind in {"function", "declaration"}:
            return d
    return None


def _open_end(attempt: Attempt, done: cc.Run) -> str:
    """Where a brace seems to be missing, if what the compiler complains of stands behind the header."""
    places = {error.file for error in done.errors}
    if not places or places & attempt.subset.files.keys() or any(p.endswith("native/abi.h") for p in places):
        return ""
    for path in attempt.subset.order:
        for d in attempt.subset.scans[path].definitions:
            inner = _swallowed(attempt, d) if d.kind == "function" else []
            if inner:
                return f"{path}:{d.line}: the body of {d.name}() is not closed before {inner[0]}(): is a brace missing?"
    guess = (
        f"{attempt.subset.order[-1]}: something is left open at its end (a brace, a parenthesis, a comment); "
        f"the compiler says: {done.errors[0].message}"
    )
    # What was left out before, at a line of the header, says more than what is found behind it now.
    return next((why for why in attempt.errors.values() if PLACED.match(why)), guess)


def open_call(attempt: Attempt, done: cc.Run) -> str:
    """Where a macro call is not closed, if that is what the compiler complains of: gcc says it without a place."""
    named = re.search(r'unterminated argument list invoking macro "(\w+)"', done.stderr)
    if not named:
        return ""
    for path in attempt.subset.order:
        code = attempt.subset.scans[path].code
        for call in re.finditer(rb"\b%s\s*\(" % named[1].encode(), code):
            if not _is_closed(code, call.end()):
                line = code.count(b"\n", 0, call.start()) + 1
                return f"{path}:{line}: the call of {named[1]}() is not closed: is a parenthesis missing?"
    return ""


def _is_closed(code: bytes, start: int) -> bool:
    """Whether the parenthesis that is open at *start* is closed at all."""
    depth = 1
    for mark in re.finditer(rb"[()]", code[start:]):
        depth += 1 if mark[0] == b"(" else -1
        if not depth:
            return True
    return False


def _leave_out(attempt: Attempt, definition: Definition, error: cc.Diagnostic) -> None:
    message = with_hint(error, attempt.subset.stubs)
    attempt.errors.setdefault(definition.name, message)
    attempt.blanked[definition] = message
    for inner in _swallowed(attempt, definition):
        attempt.broken[inner] = f"{error}; {inner} is swallowed by {definition.name}: is a brace missing there?"
    attempt.subset = _without(attempt.subset, definition, f"does not compile: {error}")


def _swallowed(attempt: Attempt, definition: Definition) -> list[str]:
    code = attempt.subset.scans[definition.path].code[definition.start : definition.end]
    others = {d.name for d in attempt.subset.definitions if d.kind in {"function", "macro"} and d is not definition}
    return [
        name
        for name in attempt.wanted
        if name != definition.name and name not in others and re.search(rf"\b{name}\s*\(".encode(), code)
    ]


def _without(subset: Subset, definition: Definition, reason: str) -> Subset:
    left = blank(subset, definition, reason)
    kept = tuple(
        d for d in left.definitions if not (d.path == definition.path and definition.start <= d.start < definition.end)
    )
    return replace(left, definitions=kept)
