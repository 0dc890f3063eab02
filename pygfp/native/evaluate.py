# SPDX-License-Identifier: GPL-2.0-only
"""
Values of constant expressions as the compiler sees them: read from assembly, so that nothing has to be run.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..refuse import refuse
from ..sources import csrc
from . import attempt, compiler
from .cache import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# The two halves of a value: gcc prints no operand of this kind that 32 bits and their sign do not hold.
_SAID = re.compile(r"->pygfp ([0-9]{1,9}) ([0-9]{1,9}) [$#]?(-?[0-9]{1,11}) [$#]?(-?[0-9]{1,11})")
_HALF = 1 << 32
_ASSEMBLY = ("-O0", "-S", "-o", "-")


@dataclass(frozen=True)
class Group:
    """
    Expressions that are evaluated under the same definitions.

    :ivar before: C text, a line each, that stands before them
    :ivar expressions: what to evaluate: C text, and the macro that must be defined for it, or ``""``
    :ivar after: C text that undoes *before*
    """

    before: Sequence[str]
    expressions: Sequence[tuple[str, str]]
    after: Sequence[str] = ()


def evaluate(
    groups: Sequence[Group],
    files: Mapping[str, bytes],
    *,
    stubs: Sequence[str] = (),
    on_command: Callable[[str], None] | None = None,
) -> list[list[int | None]]:
    """
    Return for each group the value of each expression, ``0 <= value < 2**64``; None where its macro is not defined.

    :param files: text to include, by path
    :param stubs: names of includes that are to stand empty
    :raises BuildError: the compiler fails, or an expression is no constant
    :raises ExtractionError: a text holds something that is never compiled
    """
    text = [*_HEAD]
    for k, group in enumerate(groups):
        text += [f"void pygfp_group_{k}(void);", f"void pygfp_group_{k}(void)", "{", *group.before]
        for n, (expression, macro) in enumerate(group.expressions):
            word = f"(unsigned long)({expression})"
            halves = f'"i" ((int){word}), "i" ((int)((unsigned long long){word} >> 32))'
            said = f'__asm__ volatile("\\n.ascii \\"->pygfp {k} {n} %c0 %c1\\"" : : {halves});'
            text += [f"#ifdef {macro}", said, "#endif"] if macro else [said]
        text += ["}", *group.after]
    assembly = _compiled(text, files, stubs, _ASSEMBLY, on_command)
    found = {
        (int(k), int(n)): int(low) % _HALF | int(high) % _HALF << 32 for k, n, low, high in _SAID.findall(assembly)
    }
    return [[found.get((k, n)) for n in range(len(g.expressions))] for k, g in enumerate(groups)]


def enumerators(
    header: bytes,
    path: str,
    flags: Sequence[str],
    assignment: Mapping[str, bool],
    on_command: Callable[[str], None] | None = None,
) -> dict[str, set[str]]:
    """
    Return for each of *flags* the enumerators that its definition in *header* names.

    :raises BuildError: the header cannot be preprocessed
    """
    text = [f"#define {symbol} 1" for symbol, on in assignment.items() if on]
    text += ["#include <pygfp/compiler.h>", f'#include "{path}"']
    for flag in flags:
        text += [f"#ifdef {flag}", f'pygfp_flag "{flag}" {flag}', "#endif"]
    stubs = [n for n in includes(header) if not os.path.isfile(csrc() / "shim" / n)]
    output = _compiled(text, {path: header}, stubs, ["-E", "-P"], on_command)
    found = {}
    for line in output.splitlines():
        if line.startswith("pygfp_flag "):
            _, flag, expansion = line.split('"', 2)
            found[flag] = set(re.findall(r"\b_+GFP_\w+", expansion))
    return found


def includes(text: bytes) -> list[str]:
    """Return what *text* includes in angle brackets."""
    return sorted({m.decode(errors="replace") for m in _INCLUDE.findall(text)})


_HEAD = ("#include <pygfp/compiler.h>",)
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*<([^>\"\n]+)>", re.MULTILINE)


def _compiled(
    text: Sequence[str],
    files: Mapping[str, bytes],
    stubs: Sequence[str],
    arguments: Sequence[str],
    on_command: Callable[[str], None] | None,
) -> str:
    """What the compiler writes for *text* with *arguments*."""
    for path, content in files.items():
        refuse(path, content)
    with scratch() as workdir:
        wanted = {**files, **{f"stub/{stub}": b"" for stub in stubs}}
        for path, content in wanted.items():
            # What can be the name of no file stays away: the compiler misses it, and says so.
            with suppress(OSError, ValueError):
                target = (workdir / path).resolve()
                if target.is_relative_to(workdir.resolve()):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
        (workdir / "values.c").write_text("\n".join(text) + "\n")
        flags = [*compiler.SEMANTIC_FLAGS, "-w", *arguments, *attempt.include_flags(), "values.c"]
        found = compiler.find()
        if on_command:
            on_command(" ".join([*found.command, *flags]))
        done = compiler.run(found.command, flags, cwd=workdir)
    if not done.ok:
        raise done.failure("the tables do not compile")
    return done.stdout
