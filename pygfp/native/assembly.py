# SPDX-License-Identifier: GPL-2.0-only
"""
What the compiler made of each helper, so that two builds can be told to do the same without running either.

The digest of a helper is that of every instruction of the function that calls it, and of all that these name within
the unit: other functions, tables, variables. Names that the compiler makes up are numbered as they occur, and the
number of the configuration is taken off a name; nothing else is left out. What cannot be followed has no digest.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field

_LABEL = re.compile(r"([\w.$]+):")
_SET = re.compile(r"\s*\.set\s+([\w.$]+)\s*,\s*(.*)")
_SIZE = re.compile(r"\s*\.size\s+([\w.$]+),")
_FUNCTION = re.compile(r"\s*\.type\s+([\w.$]+)\s*,\s*[@%]function")
# What places, names or describes: no instruction and no data.
_ASIDE = re.compile(
    r"\s*(?:#|//|\.(?:cfi_\w+|loc|file|type|size|p2align|align|balign|globl|local|weak|hidden|ident|addrsig\w*)\b)"
)
_SECTION = re.compile(r"\s*\.(?:section\b.*|text|data|bss)\s*$")
_SYMBOL = re.compile(r"[A-Za-z_.$][\w.$]*")
_CALL = re.compile(r"pygfp_call_(\w+)_(\d+)_w\Z")
_CONFIGURATION = re.compile(r"__\d+\Z|_\d+_w\Z|(?<=pygfp_build_bug)_\d+\Z")


@dataclass
class _Unit:
    """
    The assembly of a unit.

    :ivar blocks: lines by the symbol that they define; the first says in which section
    :ivar inside: the symbol in whose block a local label stands
    """

    blocks: dict[str, list[str]] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)


def digests(assembly: str) -> dict[tuple[int, str], str]:
    """
    Return the digest of what each helper of a unit does, by segment and name.

    :param assembly: of a unit of :func:`.unit.compile_unit`, as gcc and clang write it for ELF
    """
    unit = _read(assembly)
    found = {}
    for symbol in unit.blocks:
        match = _CALL.match(symbol)
        digest = _digest(symbol, unit) if match else ""
        if match and digest:
            found[int(match[2]), match[1]] = digest
    return found


def _read(assembly: str) -> _Unit:
    unit = _Unit()
    functions = set(_FUNCTION.findall(assembly))
    owner, section = "", ".text"
    for line in assembly.splitlines():
        if label := _LABEL.match(line):
            if label[1].startswith(".L") and owner in functions:
                unit.inside[label[1]] = owner
                unit.blocks[owner].append(line)
            else:
                owner = label[1]
                unit.blocks[owner] = [section]
        elif _SECTION.match(line):
            # A function goes on behind the table of a switch that stands in the middle of it.
            section = line.strip()
            owner = owner if owner in functions else ""
        elif alias := _SET.match(line):
            unit.blocks[alias[1]] = ["alias", alias[2]]
        elif size := _SIZE.match(line):
            owner = "" if size[1] == owner else owner
        elif owner and not _ASIDE.match(line):
            unit.blocks[owner].append(line)
    return unit


def _digest(symbol: str, unit: _Unit) -> str:
    """The digest of *symbol* and of all that it reaches; ``""`` where something cannot be followed."""
    names: dict[str, str] = {}
    todo, done, text = deque([symbol]), {symbol}, []

    def named(match: re.Match[str]) -> str:
        word = match[0]
        home = unit.inside.get(word, word)
        if home not in unit.blocks:
            return word
        if home not in done:
            done.add(home)
            todo.append(home)
        if word not in names:
            made_up = "." in word or word == symbol
            names[word] = f"@{len(names)}" if made_up else f"{_CONFIGURATION.sub('', word)}@"
        return names[word]

    while todo:
        lines = unit.blocks[todo.popleft()]
        if len(lines) < 2:  # noqa: PLR2004 - a section and nothing in it: it goes on behind the next label
            return ""
        text += [lines[0], *(_SYMBOL.sub(named, line) for line in lines[1:]), "--"]
    unknown = any(re.search(r"(?<![\w.$])\.L", line) for line in text)
    if unknown or len(set(names.values())) != len(names):
        return ""
    return hashlib.sha256("\n".join(text).encode()).hexdigest()
