# SPDX-License-Identifier: GPL-2.0-only
"""
The C text of one build: the preprocessed kernel text of every configuration in one unit.

The compiler preprocesses all configurations in one run. The results, *segments*, are then compiled
together: the names that a segment defines get its number as a suffix, by macros around it, so that no
text is edited. Line markers keep every message at its kernel line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ..config import Assignment
    from ..extract import Subset
    from ..scan import Definition

#: What a compiler message names as its file, with a slash and a name, where pygfp's own lines are at fault.
HELPER_PLACE, CONSTANT_PLACE, ALONE_PLACE = "pygfp-helper", "pygfp-constant", "pygfp-alone"

_BUILD_BUG = "pygfp_build_bug_"
_BEGIN, _END, _CONSTANT, _HELPER = "pygfp_begin", "pygfp_end", "pygfp_constant", "pygfp_helper"
_MARKER = re.compile(r'^# ([0-9]{1,9}) "([^"]*)"')
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_ENUMERATOR = re.compile(r"(?:ZONE|ZONELIST|MIGRATE)_\w+|__MAX_NR_ZONES|MAX_ZONELISTS")


@dataclass(frozen=True)
class Segment:
    """
    The preprocessed text of one configuration.

    :ivar index: its number in the build
    :ivar assignment: the CONFIG symbols of it
    :ivar text: what to compile, with line markers
    :ivar lines: the preprocessed lines by (file, line)
    :ivar files: every file that the compiler says it read
    :ivar constants: name to expansion of each object-like macro that is defined at the end
    :ivar macros: expansion of a call of each wanted function-like macro, with ``pygfp_x`` for its argument
    """

    index: int
    assignment: Assignment
    text: str
    lines: Mapping[tuple[str, int], str]
    files: frozenset[str]
    constants: Mapping[str, str]
    macros: Mapping[str, str]

    def piece(self, path: str, line: int, end_line: int) -> str:
        """Return the preprocessed text of a range of lines, white space folded; empty where it is compiled out."""
        found = (self.lines.get((path, n), "") for n in range(line, end_line + 1))
        text = " ".join(" ".join(found).split())
        return text.replace(f"{_BUILD_BUG}{self.index}", _BUILD_BUG)


def zone_unit(choices: Sequence[Assignment]) -> str:
    """
    Return C text whose assembly says how many zones each of *choices* has, as the kernel's bounds.h is made.

    The enum is declared inside a function a choice, so that one compiler run serves all.
    """
    out = ["#include <pygfp/compiler.h>", "#include <pygfp/types.h>", "#define __GENERATING_BOUNDS_H"]
    for n, choice in enumerate(choices):
        out += [*_defines(choice), f"void pygfp_zones_{n}(void)", "{", "#include <linux/mmzone.h>"]
        out += [f'__asm__ volatile("\\n.ascii \\"->pygfp {n} %c0\\"" : : "i" (__MAX_NR_ZONES));', "}"]
        out += [*_undefines(choice), "#undef _LINUX_MMZONE_H"]
    return "\n".join(out) + "\n"


def zone_counts(assembly: str) -> dict[int, int]:
    """Return the zone count by choice from the assembly of :func:`zone_unit`."""
    return {int(n): int(count) for n, count in re.findall(r"->pygfp ([0-9]{1,9}) \$?([0-9]{1,19})", assembly)}


def helper_line(name: str, call: str) -> str:
    """Return the line that makes the preprocessor show what *call*, the text of helper *name*, expands to."""
    return f'{_HELPER} "{name}" {call}'


def preprocess_unit(
    subset: Subset, choices: Sequence[tuple[int, Assignment]], zones: Sequence[int], extra: Sequence[str] = ()
) -> str:
    """
    Return the text that yields the segments of all *choices* when it is preprocessed.

    :param choices: number and assignment of each segment
    :param zones: the number of zones of each
    :param extra: lines that stand behind the headers in each
    """
    defined = sorted({d.name for d in subset.definitions if d.kind == "macro"} | set(_guards(subset)))
    out = []
    for (index, choice), count in zip(choices, zones, strict=True):
        out += _defines(choice)
        out += [f"#define MAX_NR_ZONES {count}", f"#define ZONES_SHIFT {max(count - 1, 0).bit_length()}"]
        # Named here and not in the unit: the compiler's warning then stands at the line of the kernel.
        out += [f"#define pygfp_build_bug {_BUILD_BUG}{index}"]
        out += ["#include <pygfp/compiler.h>", "#include <pygfp/kernel.h>", f"{_BEGIN} {index}"]
        out += [f'#include "{path}"' for path in subset.order]
        for name in subset.constants:
            out += [f"#ifdef {name}", f'{_CONSTANT} "{name}" {name}', "#endif"]
        for helper in subset.helpers:
            if helper.is_macro and all(d.parameters in {1, None} for d in helper.definitions):
                out += [f"#ifdef {helper.name}", helper_line(helper.name, f"{helper.name}(pygfp_x)"), "#endif"]
        out += extra
        out += [f"{_END} {index}", *(f"#undef {name}" for name in defined), *_undefines(choice)]
        out += ["#undef MAX_NR_ZONES", "#undef ZONES_SHIFT", "#undef pygfp_build_bug"]
    return "\n".join(out) + "\n"


def segments(
    preprocessed: str, choices: Sequence[tuple[int, Assignment]], lost: Mapping[int, Collection[Definition]]
) -> list[Segment]:
    """
    Return the segments in the output of the preprocessor for :func:`preprocess_unit`.

    :param lost: the functions to leave out of a segment: they do not compile there
    """
    assignments = dict(choices)
    found: list[Segment] = []
    current: _Builder | None = None
    file, line = "", 0
    for raw in preprocessed.splitlines():
        marker = _MARKER.match(raw)
        if marker:
            line, file = int(marker[1]), marker[2].removeprefix("./")
            if current:
                current.text.append(f'# {line} "{file}"')
                current.files.add(file)
            continue
        # Text of a header stands in a file of its own, and cannot say otherwise: such directives are refused.
        words = raw.split(maxsplit=2) if _is_ours(file) else []
        if words and words[0] == _BEGIN:
            current = _Builder(int(words[1]), lost.get(int(words[1]), ()))
        elif words and words[0] == _END and current:
            found.append(current.segment(assignments))
            current = None
        elif current:
            current.take(words, raw, file, line)
        line += 1
    return found


def _is_ours(file: str) -> bool:
    """Whether *file*, as the preprocessor names it, is a unit that pygfp wrote, and no header in it."""
    return "/" not in file or file.startswith(f"{HELPER_PLACE}/")


class _Builder:
    """Collects the lines of one segment."""

    def __init__(self, index: int, lost: Collection[Definition]) -> None:
        self.index = index
        self.lost = lost
        self.text: list[str] = []
        self.lines: dict[tuple[str, int], str] = {}
        self.files: set[str] = set()
        self.constants: dict[str, str] = {}
        self.macros: dict[str, str] = {}

    def take(self, words: list[str], raw: str, file: str, line: int) -> None:
        if words and words[0] == _CONSTANT:
            self.constants[words[1].strip('"')] = words[2] if len(words) > 2 else ""  # noqa: PLR2004
        elif words and words[0] == _HELPER:
            self.macros[words[1].strip('"')] = words[2] if len(words) > 2 else ""  # noqa: PLR2004
        elif not any(d.path == file and d.line <= line <= d.end_line for d in self.lost):
            self.text.append(raw)
            if raw and not raw.isspace():
                known = self.lines.get((file, line))
                self.lines[file, line] = f"{known} {raw}" if known else raw

    def segment(self, assignments: Mapping[int, Assignment]) -> Segment:
        return Segment(
            index=self.index,
            assignment=assignments[self.index],
            text="\n".join(self.text),
            lines=self.lines,
            files=frozenset(self.files),
            constants=self.constants,
            macros=self.macros,
        )


@dataclass(frozen=True)
class Wrapper:
    """
    A helper to be made callable in one segment.

    :ivar name: C name
    :ivar result: its C return type, as C text
    :ivar expression: C text that calls it with ``pygfp_x``
    :ivar is_filter: it returns ``gfp_t``
    :ivar result_bits: 32 or 64, the lane in which results are compared
    """

    name: str
    result: str
    expression: str
    is_filter: bool
    result_bits: int = 32


def compile_unit(
    subset: Subset,
    parts: Sequence[tuple[Segment, Sequence[Wrapper]]],
    *,
    rename: bool = True,
    more_names: Collection[str] = (),
) -> str:
    """
    Return the C text of a unit that holds *parts*.

    :param parts: the segments and the helpers to make callable in each
    :param rename: give every name the number of its segment; off, a unit holds one segment only
    :param more_names: names that segments define besides those of the subset
    """
    out = ["#include <pygfp/types.h>", '#include "native/abi.h"', '#include "native/sweep.h"']
    kinds = {"function", "enumerator", "tag", "typedef"}
    defined = {*more_names, *(d.name for d in subset.definitions if d.kind in kinds)}
    declared = {d.name for d in subset.definitions if d.kind == "declaration"} - defined
    names = sorted(defined | declared) if rename else []
    enumerators = sorted(
        {d.name for d in subset.definitions if d.kind == "enumerator" and _ENUMERATOR.fullmatch(d.name)}
    )
    for segment, wrappers in parts:
        out += _segment_text(segment, wrappers, [n for n in names if n != "gfp_t"], declared, enumerators)
    rows = ",\n".join(f"\tPYGFP_SEGMENT({segment.index})" for segment, _ in parts)
    out += [
        "#define PYGFP_SEGMENT(k) { k, pygfp_gfp_bytes_##k, pygfp_gfp_signed_##k, 0, \\",
        "\tsizeof(pygfp_constants_##k) / sizeof(pygfp_constants_##k[0]) - 1, \\",
        "\tsizeof(pygfp_helpers_##k) / sizeof(pygfp_helpers_##k[0]) - 1, \\",
        "\tpygfp_constants_##k, pygfp_helpers_##k }",
        f"static const struct pygfp_segment pygfp_segments[] = {{\n{rows}\n}};",
        'extern __attribute__((visibility("default"))) const struct pygfp_table PYGFP_TABLE_NAME;',
        "const struct pygfp_table PYGFP_TABLE_NAME =",
        f"\t{{ PYGFP_ABI, {len(parts)}, pygfp_segments, PYGFP_LOOPS }};",
    ]
    return "\n".join(out) + "\n"


def assembly_unit(segment: Segment, wrappers: Sequence[Wrapper]) -> str:
    """Return a unit of *segment* and of one plain function for each of *wrappers*, to be compared as assembly."""
    out = ["#include <pygfp/types.h>", f"extern void {_BUILD_BUG}{segment.index}(void);", segment.text]
    for wrapper in wrappers:
        head = f"{wrapper.result} {wrapper.name}(const gfp_t pygfp_x)"
        out += [f'# 1 "{HELPER_PLACE}/{wrapper.name}"', f"{head};", f"{head} {{ return {wrapper.expression}; }}"]
    return "\n".join(out) + "\n"


def _segment_text(
    segment: Segment,
    wrappers: Sequence[Wrapper],
    names: Sequence[str],
    declared: Collection[str],
    enumerators: Sequence[str],
) -> list[str]:
    k = segment.index
    present = set(_IDENTIFIER.findall(segment.text))
    renamed = [n for n in names if n in present]
    # What is declared alone is somebody else's: it keeps its name for the linker, and is unknown to the other segments.
    out = [f"#pragma redefine_extname {n}__{k} {n}" for n in renamed if n in declared]
    out += [f"#define {n} {n}__{k}" for n in renamed]
    out += [f'extern void {_BUILD_BUG}{k}(void) __attribute__((weak, warning("pygfp: BUILD_BUG_ON fires in {k}")));']
    # What a pragma of the header says of warnings and of optimising ends with the header.
    kinds = ("diagnostic push", "diagnostic pop"), ("push_options", "pop_options")
    has_pragma = "#pragma" in segment.text
    out += [f"#pragma GCC {before}" for before, _ in kinds if has_pragma]
    out += [segment.text]
    out += [f"#pragma GCC {after}" for _, after in kinds if has_pragma]
    for wrapper in wrappers:
        place = f'# 1 "{HELPER_PLACE}/{wrapper.name}"'
        kind = "FILTER" if wrapper.is_filter else "TABLE"
        bits = "" if wrapper.is_filter else f", {wrapper.result_bits}"
        arguments = f"{wrapper.name}_{k}_w, {wrapper.result}, ({wrapper.expression}), gfp_t{bits}"
        out += [place, f"PYGFP_DEFINE_{kind}({arguments})"]
    out += [
        f'# 1 "pygfp-table/{k}"',
        f"enum {{ pygfp_gfp_bytes_{k} = sizeof(gfp_t), pygfp_gfp_signed_{k} = (gfp_t)-1 < (gfp_t)1 }};",
    ]
    out += [f"static const struct pygfp_constant pygfp_constants_{k}[] = {{"]
    for name, expression in segment.constants.items():
        if expression:
            out += [f'# 1 "{CONSTANT_PLACE}/{name}"', _constant(name, f"({expression})")]
    for name in (n for n in enumerators if n in present):
        out += [f'# 1 "{CONSTANT_PLACE}/{name}"', _constant(name, name)]
    out += ["\t{ 0 } };", f"static const struct pygfp_helper pygfp_helpers_{k}[] = {{"]
    out += [f'\tPYGFP_HELPER({w.name}_{k}_w, "{w.name}"),' for w in wrappers]
    out += ["\t{ 0 } };", f"void {_BUILD_BUG}{k}(void) {{ }}"]
    out += [f"#undef {n}" for n in renamed]
    return out


_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_CLOSES = {")": "(", "]": "[", "}": "{"}


def is_closed(expression: str) -> bool:
    """
    Return whether each bracket of C text is closed, and by its like: what is not would reach into the next line.

    >>> is_closed("((gfp_t)BIT(3)"), is_closed("f(')')"), is_closed("(a]")
    (False, True, False)
    """
    depth: list[str] = []
    for mark in re.findall(r"[()\[\]{}]", _LITERAL.sub("", expression)):
        if mark not in _CLOSES:
            depth.append(mark)
        elif not depth or depth.pop() != _CLOSES[mark]:
            return False
    return not depth


def _constant(name: str, expression: str) -> str:
    """The row of a constant. No macro of ours makes it: what is wrong would be said to stand where that is defined."""
    is_gfp_t = f"__builtin_types_compatible_p(__typeof__({expression}), gfp_t)"
    return f'\t{{ "{name}", (u64)({expression}), (u32)sizeof({expression}), {is_gfp_t} }},'


def alone_unit(subset: Subset, choices: Iterable[Assignment]) -> str:
    """
    Return a unit that includes ``gfp_types.h`` and nothing else, and expands each of its macros.

    What it needs it must include itself: a unit of the kernel that includes only this header must compile.
    """
    path = "include/linux/gfp_types.h"
    macros = [d for d in subset.definitions if d.path == path and d.kind == "macro" and d.parameters is None]
    names = sorted({d.name for d in macros if re.match(r"_{0,3}GFP_\w+\Z", d.name) and not d.name.endswith("_H")})
    defined = sorted(
        {d.name for d in subset.definitions if d.kind == "macro" and d.path == path} | set(_guards(subset))
    )
    out = ["#include <pygfp/compiler.h>", '#include "include/linux/types.h"']
    for n, choice in enumerate(choices):
        out += [*_defines(choice), f"void pygfp_alone_{n}(void);", f"void pygfp_alone_{n}(void)", "{"]
        out += [f'#include "{path}"']
        for name in names:
            out += [f"#ifdef {name}", f'# 1 "{ALONE_PLACE}/{name}"', f"(void)({name});", "#endif"]
        out += ["}", *(f"#undef {name}" for name in (*defined, "BIT")), *_undefines(choice)]
    return "\n".join(out) + "\n"


def _guards(subset: Subset) -> list[str]:
    return [d.name for s in subset.scans.values() for d in s.definitions if d.kind == "macro" and d.name.endswith("_H")]


def _defines(choice: Assignment) -> list[str]:
    return [f"#define {symbol} 1" for symbol, on in sorted(choice.items()) if on]


def _undefines(choice: Assignment) -> list[str]:
    return [f"#undef {symbol}" for symbol in sorted(choice)]
