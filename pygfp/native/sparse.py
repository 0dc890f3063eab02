# SPDX-License-Identifier: GPL-2.0-only
"""
What sparse says of the compiled text: ``__bitwise`` types, which no value can show.

The kernel's own checker reads the text that is compiled, configuration by configuration. It looks at no inline function
that nobody calls, so that ``inline`` is defined away; at no macro that nobody uses, so that each is used once; and it
ends with 0 whatever it finds, so that it has to find something that is wrong on purpose each time.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import config
from ..errors import BuildError
from ..extract import blank
from . import compiler as cc
from .attempt import include_flags
from .build import write_subset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..config import Assignment
    from ..extract import Subset

#: The kernel's CHECKFLAGS, what it tells its compiler that sparse understands, and no limit on what is shown.
FLAGS = (
    *("-D__linux__", "-Dlinux", "-D__STDC__", "-Dunix", "-D__unix__"),
    *("-Wbitwise", "-Wno-return-void", "-Wno-unknown-attribute", "-Wno-decl"),
    *("-std=gnu11", "-nostdinc", "-funsigned-char", "-fshort-wchar"),
    *("-Dinline=", "-D__inline=", "-D__inline__="),
    *("-fmax-warnings=unlimited", "-fmax-errors=unlimited"),
)

_MESSAGE = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?P<level>error|warning): (?P<text>.*)\Z")
_MORE = re.compile(r"[^:\n]+:\d+:\d+:    (?P<text>.*)\Z")
#: Words of sparse that only say how a symbol was declared.
_STORAGE = re.compile(r" \[(?:usertype|assigned|addressable|toplevel|unused|noderef)\]")

#: How often wrong macros are put right to see what else is wrong: as deep as macros stand on each other.
_ROUNDS = 16


@dataclass(frozen=True)
class Look:
    """
    One configuration to look at.

    :ivar assignment: the CONFIG symbols of it
    :ivar zones: how many zones it has
    :ivar constants: the value of each macro that is a constant expression, as unsigned
    :ivar masks: those of *constants* whose type has to be ``gfp_t``
    """

    assignment: Assignment
    zones: int
    constants: Mapping[str, int]
    masks: frozenset[str]


@dataclass(frozen=True)
class Remark:
    """
    Something that sparse says of a line of the source.

    :ivar name: the function or macro that the line is part of, or ``""``
    :ivar bitwise: it is about a ``__bitwise`` type
    """

    path: str
    line: int
    name: str
    text: str
    bitwise: bool


@dataclass
class Said:
    """
    What sparse says of one configuration.

    :ivar error: why nothing can be said, or ``""``
    :ivar restricted: whether it tells ``gfp_t`` from an integer
    """

    remarks: list[Remark] = field(default_factory=list)
    error: str = ""
    restricted: bool = True


@dataclass(frozen=True)
class _Unit:
    """The text of one run, and what its own lines, 1-based, are there for."""

    text: str
    lines: Mapping[int, str]


#: Lines that are wrong on purpose: any restricted type, and the source's gfp_t.
_PROBE, _GFP_T = "probe", "gfp_t"


def version() -> str:
    """
    Return the version of the sparse that is installed.

    :raises BuildError: there is none, or it does not run
    """
    if shutil.which("sparse") is None:
        message = "sparse is not installed; install it (on Debian: apt-get install sparse), or leave --sparse out"
        raise BuildError(message)
    done = cc.run(["sparse"], ["--version"])
    words = (done.stdout or done.stderr).split()
    if not done.ok or not words:
        raise done.failure("sparse does not run ('--version' fails)")
    return words[0]


def examine(
    subset: Subset, looks: Sequence[Look], workdir: Path, on_command: Callable[[str], None] | None = None
) -> list[Said]:
    """
    Return what sparse says of *subset* in each of *looks*; files are written to *workdir*.

    A macro that is wrong is told at its own definition, and then put right, so that what stands on it is judged as if
    it were.

    :raises BuildError: sparse cannot be run, or does not end in time
    """
    closure = config.dependencies(subset.definitions)
    found: list[list[Remark]] = [[] for _ in looks]
    mended: set[str] = set()
    for _ in range(_ROUNDS):
        said = _run(subset, looks, mended, workdir, on_command)
        wrong = {r.name for s in said for r in s.remarks if r.bitwise and r.name in mended.union(*_macros(looks))}
        lowest = {n for n in wrong if not (closure.names(closure.uses.get(n, ())) - {n}) & wrong}
        if not lowest:
            return [Said([*f, *s.remarks], s.error, s.restricted) for f, s in zip(found, said, strict=True)]
        for remarks, one in zip(found, said, strict=True):
            remarks += [r for r in one.remarks if r.name in lowest]
        mended |= lowest
        for definition in (d for d in subset.definitions if d.name in lowest and d.kind == "macro"):
            subset = blank(subset, definition, "sparse has said what is wrong with it")
    message = f"sparse still finds macros that are wrong after {_ROUNDS} rounds of putting them right"
    raise BuildError(message)


def _macros(looks: Sequence[Look]) -> list[set[str]]:
    return [set(look.constants) for look in looks]


def _run(
    subset: Subset,
    looks: Sequence[Look],
    mended: set[str],
    workdir: Path,
    on_command: Callable[[str], None] | None,
) -> list[Said]:
    """One run of sparse for each of *looks*, side by side."""
    write_subset(subset, workdir)
    units = [_unit(subset, look, mended) for look in looks]
    jobs = []
    for n, one in enumerate(units):
        (workdir / f"sparse{n}.c").write_text(one.text)
        jobs.append([*FLAGS, *include_flags(), f"sparse{n}.c"])
        if on_command:
            on_command(shlex.join(["sparse", *jobs[-1]]))
    runs = cc.run_all(["sparse"], jobs, cwd=workdir)
    return [_said(subset, one, f"sparse{n}.c", done) for n, (one, done) in enumerate(zip(units, runs, strict=True))]


def _unit(subset: Subset, look: Look, mended: set[str]) -> _Unit:
    out = [f"#define {symbol} 1" for symbol, on in sorted(look.assignment.items()) if on]
    out += [f"#define MAX_NR_ZONES {look.zones}", f"#define ZONES_SHIFT {max(look.zones - 1, 0).bit_length()}"]
    out += [f"#include <pygfp/{name}.h>" for name in ("compiler", "kernel", "types")]
    out += ["extern void pygfp_build_bug(void);"]
    for name in sorted(mended & look.constants.keys()):
        cast = "(__force gfp_t)" if name in look.masks else ""
        out.append(f"#define {name} ({cast}{look.constants[name]:#x})")
    out += [f'#include "{path}"' for path in subset.order]
    out += ["typedef unsigned int __bitwise pygfp_probe_t;"]
    lines = {}
    for what, text in (
        (_PROBE, "static int pygfp_probe(pygfp_probe_t x) { return x; }"),
        (_GFP_T, "static int pygfp_gfp_t(gfp_t x) { return x; }"),
        *_uses(subset, look, mended),
    ):
        out.append(text)
        lines[len(out)] = what
    return _Unit("\n".join(out) + "\n", lines)


def _uses(subset: Subset, look: Look, mended: set[str]) -> list[tuple[str, str]]:
    """A use of each macro, by its name."""
    found = []
    for n, name in enumerate(sorted(look.constants.keys() - mended)):
        use = f"gfp_t x = ({name})" if name in look.masks else f"(void)({name})"
        found.append((name, f"static void pygfp_use_{n}(void) {{ {use}; }}"))
    for helper in subset.helpers:
        if helper.is_macro and all(d.parameters == 1 for d in helper.definitions if d.kind == "macro"):
            call = f"static void pygfp_call_{helper.name}(gfp_t x) {{ (void)({helper.name}(x)); }}"
            found += [("", f"#ifdef {helper.name}"), (helper.name, call), ("", "#endif")]
    return found


def _said(subset: Subset, made: _Unit, file: str, done: cc.Run) -> Said:
    messages = _messages(done.stderr)
    errors = [f"{m['file']}:{m['line']}: {text}" for m, text in messages if m["level"] == "error"]
    if errors or not done.ok:
        return Said(error=f"sparse cannot read the text: {errors[0] if errors else done.last_words}")
    told = {made.lines.get(int(m["line"]), "") for m, _ in messages if m["file"] == file}
    if _PROBE not in told:
        return Said(error="sparse does not warn of what is wrong on purpose: it looked at nothing, or has no -Wbitwise")
    remarks = [r for m, text in messages if (r := _remark(subset, made, file, m, text))]
    return Said(list(dict.fromkeys(remarks)), restricted=_GFP_T in told)


def _messages(stderr: str) -> list[tuple[re.Match[str], str]]:
    """Each message with its text, which may go on for lines: ``expected int``, ``got restricted gfp_t``."""
    found: list[tuple[re.Match[str], str]] = []
    for line in stderr.splitlines():
        match, more = _MESSAGE.match(line), _MORE.match(line)
        if match:
            found.append((match, match["text"]))
        elif more and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}, {_STORAGE.sub('', more['text'])}")
    return found


def _remark(subset: Subset, made: _Unit, file: str, message: re.Match[str], text: str) -> Remark | None:
    """A message at its place in the source; None for what is wrong on purpose."""
    bitwise = "restricted" in text
    path, line = message["file"].removeprefix("./"), int(message["line"])
    if path != file:
        around = (d for d in subset.definitions if d.path == path and d.line <= line <= d.end_line)
        return Remark(path, line, next((d.name for d in around if d.kind in {"function", "macro"}), ""), text, bitwise)
    name = made.lines.get(line, "")
    if name in {_PROBE, _GFP_T}:
        return None
    places = [(d.path, d.line) for d in subset.definitions if d.name == name and d.kind == "macro"]
    return Remark(*(places or [(file, line)])[0], name, text, bitwise)
