# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp encode``: the value of an expression of flags on one kernel, in every configuration of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Protocol

from .decoding.expression import Call, Join, Name, Not, Number, calls, parse
from .errors import ExpressionError, UncallableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import Assignment
    from .decoding.expression import Node
    from .decoding.tables import Tables
    from .flags import FlagTable


@dataclass(frozen=True)
class Answer:
    """
    What a helper answers.

    :ivar value: a mask, or another number; None where only its name is known, or a BUG fires
    :ivar is_mask: it returns ``gfp_t``
    :ivar name: what the kernel calls that number, ``ZONE_NORMAL`` for example; ``""`` for none
    :ivar bug: a BUG fires
    :ivar warned: a WARN fires
    """

    value: int | None
    is_mask: bool = True
    name: str = ""
    bug: bool = False
    warned: bool = False


class Helpers(Protocol):
    """Something that can call the helpers of a kernel."""

    def refusal(self, helper: str) -> str:
        """Return why *helper* cannot be called; ``""`` where it can."""

    def near(self) -> Sequence[str]:
        """Return the names of the helpers that can be called."""

    def choices(self, helpers: Sequence[str]) -> list[Assignment]:
        """Return the configurations that masks and *helpers* differ in."""

    def notes(self, helpers: Sequence[str]) -> list[str]:
        """Return what a user should know of the configurations of *helpers*."""

    def call(self, helper: str, argument: int, assignment: Assignment, table: FlagTable) -> Answer:
        """Return what *helper* answers."""


class NoHelpers:
    """For expressions that call none: nothing has to be opened."""

    def refusal(self, helper: str) -> str:
        """Return why *helper* cannot be called."""
        return f"{helper}() cannot be called here"

    def near(self) -> Sequence[str]:
        """Return no names."""
        return []

    def choices(self, helpers: Sequence[str]) -> list[Assignment]:  # noqa: ARG002 - as Helpers has it
        """Return no configurations."""
        return []

    def notes(self, helpers: Sequence[str]) -> list[str]:  # noqa: ARG002 - as Helpers has it
        """Return nothing."""
        return []

    def call(self, helper: str, argument: int, assignment: Assignment, table: FlagTable) -> Answer:
        """Return nothing: it is never asked."""
        raise NotImplementedError


@dataclass(frozen=True)
class Value:
    """
    The value of an expression in some configurations.

    :ivar names: the mask as ``%pGg`` prints it; the name of another number, or ``""``
    :ivar flags: the flags of a mask
    :ivar unknown: the bits of a mask that no flag stands on
    """

    answer: Answer
    names: str
    flags: tuple[str, ...]
    unknown: int
    configs: tuple[Assignment, ...]


@dataclass(frozen=True)
class Encoded:
    """
    An expression and its values.

    :ivar every: every configuration that was judged
    :ivar values: its distinct values, at least one
    """

    expression: str
    values: tuple[Value, ...]
    every: tuple[Assignment, ...]
    notes: tuple[str, ...] = ()


def encode(text: str, tables: Tables, helpers: Helpers) -> Encoded:
    """
    Return the value of *text* on the kernel of *tables*.

    :raises ExpressionError: it cannot be read, or names what that kernel does not have
    """
    node = parse(text)
    called = [call.helper for call in calls(node)]
    evaluator = _Evaluator(text, tables, helpers)
    evaluator.require(node)
    every = helpers.choices(called) if called else tables.assignments
    found: dict[tuple[Answer, str, tuple[str, ...], int], list[Assignment]] = {}
    for assignment in every:
        table = tables.table(assignment)
        answer = evaluator.value(node, assignment, table)
        found.setdefault((answer, *_names(answer, table)), []).append(assignment)
    values = tuple(Value(*key, tuple(configs)) for key, configs in found.items())
    return Encoded(text, values, tuple(every), tuple(helpers.notes(called)))


def _names(answer: Answer, table: FlagTable) -> tuple[str, tuple[str, ...], int]:
    if answer.value is None or not answer.is_mask:
        return answer.name, (), 0
    names = table.names(answer.value)
    unknown = int(names.pop(), 16) if names and names[-1].startswith("0x") else 0
    return table.format(answer.value), tuple(names), unknown


@dataclass(frozen=True)
class _Evaluator:
    text: str
    tables: Tables
    helpers: Helpers

    def require(self, node: Node) -> None:
        """Complain of names and helpers that the kernel lacks in every configuration."""
        if isinstance(node, Name):
            known = self.tables.names
            if node.text not in known and node.text != "none":
                raise self._unknown(node.text, known, node.at)
        elif isinstance(node, Not):
            self.require(node.operand)
        elif isinstance(node, Join):
            for operand in node.operands:
                self.require(operand)
        elif isinstance(node, Call):
            why = self.helpers.refusal(node.helper)
            if why:
                near = get_close_matches(node.helper, self.helpers.near(), n=3)
                hint = f"; near: {', '.join(near)}" if near and node.helper not in near else ""
                raise UncallableError(f"{why}{hint}", self.text, node.at, node.helper)
            self.require(node.argument)

    def _unknown(self, name: str, known: Sequence[str], at: int) -> ExpressionError:
        near = get_close_matches(name, known, n=3) or get_close_matches(name.upper(), known, n=3)
        callable_ = name in self.helpers.near()
        hint = f"; near: {', '.join(near)}" if near else ""
        hint = f"; it is a helper: write {name}(MASK)" if callable_ else hint
        message = f"{name} at column {at + 1} is not defined in {self.tables.label}{hint}"
        return ExpressionError(message, self.text, at, len(name))

    def value(self, node: Node, assignment: Assignment, table: FlagTable) -> Answer:
        """The value of *node*, which may be another number than a mask where it stands alone."""
        if isinstance(node, Name):
            return Answer(table.masks.get(node.text, 0))
        if isinstance(node, Number):
            return Answer(node.value)
        if isinstance(node, Call):
            argument = self._mask(node.argument, assignment, table)
            self._require_width(argument, node.argument, table)
            return self.helpers.call(node.helper, argument, assignment, table)
        if isinstance(node, Not):
            operand = self._mask(node.operand, assignment, table)
            self._require_width(operand, node.operand, table)
            return Answer(operand ^ ((1 << table.gfp_t_bits) - 1))
        operands = (self._mask(operand, assignment, table) for operand in node.operands)
        return Answer(reduce(or_ if node.sign == "|" else and_, operands))

    def _mask(self, node: Node, assignment: Assignment, table: FlagTable) -> int:
        answer = self.value(node, assignment, table)
        if answer.value is None or not answer.is_mask:
            helper = node.helper if isinstance(node, Call) else ""
            message = f"{helper}() at column {node.at + 1} gives no mask: its call can only stand alone"
            raise ExpressionError(message, self.text, node.at, len(helper))
        return answer.value

    def _require_width(self, value: int, node: Node, table: FlagTable) -> None:
        if value >> table.gfp_t_bits:
            message = (
                f"{value:#x} at column {node.at + 1} does not fit in gfp_t, which has {table.gfp_t_bits} bits here"
            )
            raise ExpressionError(message, self.text, node.at)
