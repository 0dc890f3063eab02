# SPDX-License-Identifier: GPL-2.0-only
"""
The text that is compiled as a plain list of tokens, each with its place and what it belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from pygfp.extract import extract
from pygfp.model.helpers import WANTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pygfp.extract import Subset
    from pygfp.scan import Definition
    from pygfp.sources import Source

GFP, TYPES = "include/linux/gfp.h", "include/linux/gfp_types.h"

_LEXER = re.compile(
    rb"(?P<blank>/\*.*?\*/|//[^\n]*|\\\n|[ \t\r]+)|(?P<line>\n)|(?P<string>\"[^\"\n]*\"|<[\w/.]+\.h>)"
    rb"|(?P<number>\d\w*)|(?P<word>[A-Za-z_]\w*)"
    rb"|(?P<operator><<=|>>=|##|<<|>>|==|!=|<=|>=|&&|\|\||->|\+\+|--|[-+*/|&^]=|.)",
    re.DOTALL,
)
_ONE_MASK = re.compile(rb"\bstatic\b[^(){};]*\b(\w+)\s*\(\s*(?:const\s+)?gfp_t\s+(?:const\s+)?\w+\s*\)\s*\{")
_WORD = re.compile(r"[A-Za-z_]\w*")
_MASK = re.compile(r"_*GFP_\w+\Z")


@dataclass(frozen=True)
class Token:
    """
    One token of the text that is compiled.

    :ivar path: kernel-relative file
    :ivar start: first byte; :ivar end: one past the last
    :ivar kind: ``word``, ``number``, ``string`` or ``operator``
    :ivar line: 1-based
    :ivar directive: the word after the ``#`` of the directive that it stands in, or ``""``
    :ivar where: the function, macro, enumeration or type that it stands in, or ``""``
    :ivar judged: something that pygfp judges may rest on it
    """

    path: str
    start: int
    end: int
    text: str
    kind: str
    line: int
    directive: str = ""
    where: str = ""
    judged: bool = True


#: One replacement: path, first byte, one past the last byte, text to put there.
Edit = tuple[str, int, int, str]


@dataclass(frozen=True)
class Origin:
    """
    A source to make mutants of.

    :ivar name: what the table calls it
    :ivar slices: the text that is compiled, by path, at the offsets of the whole file
    :ivar tokens: of all of it, in order
    """

    name: str
    source: Source
    subset: Subset
    tokens: tuple[Token, ...] = field(repr=False)

    @cached_property
    def slices(self) -> Mapping[str, bytes]:
        """The text that is compiled, by path, at the offsets of the whole file."""
        return self.subset.files

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Names to put in place of others, by class."""
        ds = self.subset.definitions
        masks = sorted({d.name for d in ds if d.kind == "macro" and _MASK.match(d.name) and d.parameters is None})
        return {
            "typed": tuple(n for n in masks if n.startswith("__GFP_")),
            "plain": tuple(n for n in masks if n.startswith("___GFP_")),
            "composite": tuple(n for n in masks if n.startswith("GFP_")),
            "enumerator": tuple(sorted({d.name for d in ds if d.kind == "enumerator"})),
            "symbol": tuple(sorted({t.text for t in self.tokens if t.text.startswith("CONFIG_")})),
        }

    def functions(self) -> list[Definition]:
        """Return the functions of ``gfp.h`` that are judged."""
        judged = one_mask(self.slices)
        return [d for d in self.subset.definitions if d.path == GFP and d.kind == "function" and d.name in judged]


def origin(name: str, source: Source) -> Origin:
    """Return *source* as something to make mutants of."""
    subset = extract(source, tuple(WANTED))
    belongs = _Belongs(subset)
    tokens = [belongs.placed(t) for path, text in subset.files.items() for t in lexed(path, text)]
    return Origin(name, source, subset, tuple(tokens))


def one_mask(texts: Mapping[str, bytes]) -> set[str]:
    """Return the names of the functions of one ``gfp_t``, as their text says."""
    return {m.decode() for text in texts.values() for m in _ONE_MASK.findall(text)}


def lexed(path: str, text: bytes) -> Iterator[Token]:
    """Yield the tokens of *text*; comments and white space are none."""
    line, directive, fresh = 1, "", True
    hash_seen = False
    for found in _LEXER.finditer(text):
        kind, word = found.lastgroup or "", found.group().decode(errors="replace")
        if kind == "line":
            directive, fresh, hash_seen = "", True, False
        elif kind != "blank":
            if fresh and word == "#":
                hash_seen, directive = True, "#"
            elif hash_seen:
                directive, hash_seen = word, False
            yield Token(path, found.start(), found.end(), word, kind, line, directive)
            fresh = False
        line += found.group().count(b"\n")


class _Belongs:
    """What each token stands in, and whether something judged rests on it."""

    def __init__(self, subset: Subset) -> None:
        kinds = {"function", "macro", "undef", "enumerator", "typedef", "tag", "declaration"}
        self.definitions = [d for d in subset.definitions if d.kind in kinds]
        start = one_mask(subset.files) | set(WANTED) | {d.name for d in self.definitions if _MASK.match(d.name)}
        uses: dict[str, set[str]] = {}
        for d in self.definitions:
            if d.kind != "declaration":
                uses.setdefault(d.name, set()).update(d.uses)
        self.reached: set[str] = set()
        todo = list(start)
        while todo:
            name = todo.pop()
            if name not in self.reached:
                self.reached.add(name)
                todo += uses.get(name, ())
        self.around = {
            (d.path, span) for d in self.definitions if d.path != GFP or d.name in self.reached for span in d.directives
        }

    def placed(self, token: Token) -> Token:
        inside = [d for d in self.definitions if d.path == token.path and d.start <= token.start < d.end]
        if inside:
            named = next((d for d in inside if d.name == token.text), inside[0])
            judged = token.path != GFP or any(d.name in self.reached for d in inside)
            return replace(token, where=named.name, judged=judged)
        around = any(p == token.path and a <= token.start < b for p, (a, b) in self.around)
        return replace(token, judged=around or (token.path != GFP and not token.directive))


def applied(texts: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """Return *texts* with *edits* in them; those of files that are not there are passed over."""
    out = dict(texts)
    for path, start, end, new in sorted(edits, key=lambda e: (e[0], -e[1])):
        if path in out:
            out[path] = out[path][:start] + new.encode() + out[path][end:]
    return out


def words(texts: Iterable[str]) -> set[str]:
    """Return every identifier in *texts*."""
    return {w for text in texts for w in _WORD.findall(text)}


def overlapping(edits: Sequence[Edit]) -> bool:
    """Whether two of *edits* touch the same text."""
    ordered = sorted(edits)
    return any(a[0] == b[0] and b[1] < max(a[2], a[1] + 1) for a, b in pairwise(ordered))
