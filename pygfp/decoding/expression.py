# SPDX-License-Identifier: GPL-2.0-only
"""
Expressions of flags: names, numbers, ``|``, ``&``, ``~``, parentheses and calls of helpers, as in C.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..decode import MAX_BITS, number
from ..errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Parentheses, calls and complements may stand in each other this deep.
MAX_DEPTH = 100

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d\w*)|(?P<sign>[|&~(),]))", re.ASCII)
_DIGITS = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")


@dataclass(frozen=True)
class Name:
    """A flag or a composite, at 0-based position *at*."""

    text: str
    at: int


@dataclass(frozen=True)
class Number:
    """A number, ``0 <= value < 2**64``."""

    value: int
    at: int


@dataclass(frozen=True)
class Not:
    """The complement of *operand* within ``gfp_t``."""

    operand: Node
    at: int


@dataclass(frozen=True)
class Join:
    """
    Two operands or more and the sign between them, ``|`` or ``&``.

    A run of one sign is one node: thousands of names joined stand no deeper than two.
    """

    sign: str
    operands: tuple[Node, ...]
    at: int


@dataclass(frozen=True)
class Call:
    """A helper and its argument."""

    helper: str
    argument: Node
    at: int


Node = Name | Number | Not | Join | Call


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """
    Return what *text* says.

    As in C, ``~`` binds tighter than ``&`` and ``&`` tighter than ``|``.

    >>> parse("~__GFP_IO").operand.text
    '__GFP_IO'

    :raises ExpressionError: it says nothing; the error knows the place
    """
    reader = _Reader(text)
    node = reader.union(0)
    reader.require_end()
    return node


def calls(node: Node) -> Iterator[Call]:
    """Return every call in *node*."""
    if isinstance(node, Call):
        yield node
        yield from calls(node.argument)
    elif isinstance(node, Not):
        yield from calls(node.operand)
    elif isinstance(node, Join):
        for operand in node.operands:
            yield from calls(operand)


class _Reader:
    """Recursive descent: a method a level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0

    def _split(self) -> Iterator[_Token]:
        at = 0
        end = len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if not match:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                message = (
                    f"unexpected {self._text[at]!r} at column {at + 1}; "
                    "expected names, numbers, |, &, ~, parentheses and calls of helpers"
                )
                raise ExpressionError(message, self._text, at)
            kind = match.lastgroup or ""
            yield _Token(kind, match[kind], match.start(kind))
            at = match.end()
        yield _Token("end", "", end)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, sign: str) -> _Token | None:
        token = self._token
        if token.kind != "sign" or token.text != sign:
            return None
        self._next += 1
        return token

    def union(self, depth: int) -> Node:
        """Operands joined by ``|``."""
        return self._joined("|", self._meet, depth)

    def _meet(self, depth: int) -> Node:
        return self._joined("&", self._operand, depth)

    def _joined(self, sign: str, operand: Callable[[int], Node], depth: int) -> Node:
        operands = [operand(depth)]
        at = self._token.at
        while self._take(sign):
            operands.append(operand(depth))
        return Join(sign, tuple(operands), at) if len(operands) > 1 else operands[0]

    def _operand(self, depth: int) -> Node:
        token = self._token
        if depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} parentheses and complements stand in each other at column {token.at + 1}"
            raise ExpressionError(message, self._text, token.at)
        if self._take("~"):
            return Not(self._operand(depth + 1), token.at)
        if self._take("("):
            node = self.union(depth + 1)
            self._close(token)
            return node
        if token.kind == "number":
            self._next += 1
            return self._number(token)
        if token.kind == "name":
            self._next += 1
            opened = self._take("(")
            if opened is None:
                return Name(token.text, token.at)
            argument = self.union(depth + 1)
            self._close(opened)
            return Call(token.text, argument, token.at)
        raise self._expected("a name, a number, ~ or (")

    def _close(self, opened: _Token) -> None:
        if self._take(")"):
            return
        if self._token.kind == "end":
            message = f"the parenthesis at column {opened.at + 1} is never closed"
            raise ExpressionError(message, self._text, opened.at)
        if self._token.text == ",":
            message = f"a second argument at column {self._token.at + 1}; only helpers of one mask can be called"
            raise ExpressionError(message, self._text, self._token.at)
        raise self._expected("|, & or )")

    def require_end(self) -> None:
        """Complain of what stands behind the expression."""
        if self._token.text == ")":
            message = f"the parenthesis at column {self._token.at + 1} closes nothing"
            raise ExpressionError(message, self._text, self._token.at)
        if self._token.kind != "end":
            raise self._expected("| or &")

    def _expected(self, what: str) -> ExpressionError:
        token = self._token
        found = "the end" if token.kind == "end" else repr(token.text)
        message = f"expected {what} at column {token.at + 1}, found {found}"
        return ExpressionError(message, self._text, token.at, len(token.text) or 1)

    def _number(self, token: _Token) -> Number:
        if not _DIGITS.fullmatch(token.text):
            message = f"{token.text[:40]} at column {token.at + 1} is no number: expected digits, or 0x and hex digits"
            raise ExpressionError(message, self._text, token.at, len(token.text))
        value = number(token.text)
        if value is None:
            message = f"the number at column {token.at + 1} has more than {MAX_BITS} bits; nothing is cut off"
            raise ExpressionError(message, self._text, token.at, len(token.text))
        return Number(value, token.at)
