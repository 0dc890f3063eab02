# SPDX-License-Identifier: GPL-2.0-only
"""
The places of a text that may be mutated, and where things stand among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .tokens import Edit, Origin, Token


class Sites:
    """The tokens of an origin that may be mutated, and where things stand among them."""

    def __init__(self, origin: Origin, *, judged: bool = True) -> None:
        """Take the tokens of *origin* that something *judged* rests on, or the others."""
        self.origin = origin
        self.tokens = [t for t in origin.tokens if t.judged == judged]
        self.closing = _pairs(self.tokens)
        self.by_kind: dict[str, list[int]] = {}

    def of(self, kind: str, fits: Callable[[Sites, int], bool]) -> list[int]:
        """Return the places that *kind* fits."""
        if kind not in self.by_kind:
            self.by_kind[kind] = [i for i in range(len(self.tokens)) if fits(self, i)]
        return self.by_kind[kind]

    def at(self, i: int) -> str:
        """Return the text of token *i*; ``""`` where there is none."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def joined(self, i: int, j: int) -> bool:
        """Whether both tokens stand in the same file and definition."""
        if not (0 <= i < len(self.tokens) and 0 <= j < len(self.tokens)):
            return False
        a, b = self.tokens[i], self.tokens[j]
        return (a.path, a.where, a.directive) == (b.path, b.where, b.directive)

    def edit(self, first: int, last: int, new: str) -> Edit:
        """Return the replacement of tokens *first* to *last* by *new*."""
        a, b = self.tokens[first], self.tokens[last]
        return (a.path, a.start, b.end, new)

    def span(self, first: int, last: int) -> str:
        """Return the text from token *first* to *last*, with what stands between."""
        a, b = self.tokens[first], self.tokens[last]
        return self.origin.slices[a.path][a.start : b.end].decode()

    def line_tokens(self, i: int) -> tuple[int, int]:
        """Return the first and last token of the logical line that directive token *i* is on."""
        path, directive = self.tokens[i].path, self.tokens[i].directive
        last = i
        while self._goes_on(last + 1, path, directive):
            last += 1
        return i, last

    def _goes_on(self, j: int, path: str, directive: str) -> bool:
        """Whether token *j* is still in the directive."""
        if j >= len(self.tokens):
            return False
        t = self.tokens[j]
        return t.path == path and t.text != "#" and bool(t.directive) and directive in {t.directive, "#"}

    def until(self, i: int, ends: str) -> int | None:
        """Return the first token from *i* on that is one of *ends* outside of any parenthesis; None: there is none."""
        j = i
        while j < len(self.tokens) and self.joined(i, j):
            if self.at(j) in ends:
                return j
            if self.at(j) in "([{" and j in self.closing:
                j = self.closing[j]
            elif self.at(j) in ")]}":
                return None
            j += 1
        return None


def _pairs(tokens: Sequence[Token]) -> dict[int, int]:
    closing: dict[int, int] = {}
    stack: list[int] = []
    for i, t in enumerate(tokens):
        if t.text in {"(", "[", "{"}:
            stack.append(i)
        elif t.text in {")", "]", "}"} and stack:
            closing[stack.pop()] = i
    return closing
