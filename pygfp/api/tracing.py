# SPDX-License-Identifier: GPL-2.0-only
"""
What a Python callable does with a mask, read off by running it on an operand that records.

A callable that only uses operators, comparisons, branches on these and helpers is followed down each of its paths.
Its meaning is then known for every input: as a form where it is a filter or looks at a few bits only, else as
expressions that an array can be put through. Anything else is :class:`Untraceable`, and nothing is guessed.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..forms import Form

#: More paths than this, or more bits that a table would need, and the callable is not followed.
MAX_PATHS = 64
MAX_TABLE_BITS = 10
#: Wider intermediate values do not fit a lane of an array.
MAX_BITS = 62


class Untraceable(TypeError):  # noqa: N818 - a statement about a callable; it never leaves the package
    """The callable does something with its mask that cannot be followed."""


@dataclass(frozen=True, eq=False)
class Node:
    """
    One step of an expression.

    :ivar apply: what makes the value from the values of *operands*; None: it is the input, or a helper's answer
    :ivar ones: every bit that a value can have; None: it may be negative
    :ivar looks_at: the input bits that the value can depend on
    :ivar offset: bit n of the value depends on no other input bit than n + offset; None: that is not known
    :ivar width: of a mask, within which ``~`` stays; 0: the value is no mask
    :ivar is_truth: the value is a comparison's
    :ivar called: the helper that is called, or None
    """

    apply: Callable[..., Any] | None
    operands: tuple[Node | int, ...] = ()
    ones: int | None = 1
    looks_at: int = 0
    offset: int | None = None
    width: int = 0
    is_truth: bool = False
    called: Any = None


@dataclass(frozen=True)
class Path:
    """
    Conditions that all have the value beside them, and what the callable does then.

    :ivar result: what it returns
    :ivar calls: the helpers that it calls and that may fire, whether it uses what they answer or not
    """

    conditions: tuple[tuple[Node, bool], ...]
    result: Node | int | Outcome
    calls: tuple[Node, ...] = ()


@dataclass
class _Run:
    """
    One run of a callable: which way to go at each branch, which branches there were, and which calls.

    :ivar mask_type: what it is called with
    :ivar forms: gives the form of a helper that is proven for all inputs of so many bits, or None
    """

    decisions: Sequence[bool]
    mask_type: type
    forms: Callable[[Any, int], Form | None]
    taken: list[tuple[Node, bool]] = field(default_factory=list)
    calls: list[Node] = field(default_factory=list)

    def decide(self, condition: Node) -> bool:
        n = len(self.taken)
        way = self.decisions[n] if n < len(self.decisions) else True
        self.taken.append((condition, way))
        return way


class Traced:
    """
    The operand that records. It is no integer, so that nothing can use its value unnoticed.

    Where a callable asks, it says that it is one: the way must be the one that masks take later.
    """

    __hash__ = None  # type: ignore[assignment] # as a key it would be compared in ways that are not seen

    def __init__(self, node: Node, run: _Run) -> None:
        """Stand for the value of *node* in *run*."""
        self._node = node
        self._run = run

    @property  # type: ignore[misc] # read where isinstance() is asked
    def __class__(self) -> type:
        """Return what the value would be."""
        return self._run.mask_type if self._node.width else bool if self._node.is_truth else int

    def _made(self, node: Node) -> Traced:
        return Traced(node, self._run)

    def _bitwise(self, other: Any, apply: Callable[[Any, Any], Any]) -> Any:  # noqa: ANN401 - an operand
        if not isinstance(other, (Traced, int)):
            return NotImplemented
        right = _operand(other)
        return self._made(_bitwise(self._node, right, apply))

    def __and__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._bitwise(other, operator.and_)

    def __or__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._bitwise(other, operator.or_)

    def __xor__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._bitwise(other, operator.xor)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Traced:  # noqa: D105
        if not self._node.width:
            raise Untraceable("~ of a number that is no mask")
        return self._made(_bitwise(self._node, (1 << self._node.width) - 1, operator.xor))

    def __rshift__(self, other: Any) -> Traced:  # noqa: ANN401, D105
        return self._made(_shifted(self._node, other, operator.rshift))

    def __lshift__(self, other: Any) -> Traced:  # noqa: ANN401, D105
        return self._made(_shifted(self._node, other, operator.lshift))

    def _compare(self, other: Any, apply: Callable[[Any, Any], Any]) -> Any:  # noqa: ANN401 - an operand
        if not isinstance(other, (Traced, int)):
            return NotImplemented
        right = _operand(other)
        known = _known(self._node, right, apply)
        if known is not None:
            return known
        looks_at = self._node.looks_at | _looks_at(right)
        return self._made(Node(apply, (self._node, right), looks_at=looks_at, is_truth=True))

    def __eq__(self, other: object) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.eq)

    def __ne__(self, other: object) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.ne)

    def __lt__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> Any:  # noqa: ANN401, D105
        return self._compare(other, operator.ge)

    def __bool__(self) -> bool:
        """Branch: the run says which way to go, and another run goes the other way."""
        if not self._node.is_truth:
            return bool(self != 0)
        return self._run.decide(self._node)

    def pygfp_applied(self, helper: Any) -> Traced:  # noqa: ANN401 - a Helper, which is above this module
        """Return what *helper* makes of the value: its form is taken instead of calling it."""
        node = self._node
        width = helper.kernel.mask_type.every.bit_length()
        if node.ones is None or node.ones.bit_length() > width:
            raise Untraceable("a number that may be no gfp_t")
        form = self._run.forms(helper, node.ones.bit_length())
        if form is None:
            raise Untraceable(f"{helper.name}() has no simple form")
        if isinstance(form, MaskFilter):
            mattering = form.keep
            ones: int | None = (node.ones & form.keep) | form.force
        else:
            width, mattering = 0, form.input(len(form.rows) - 1)
            values = [int(row.value) for row in form.rows]
            ones = (1 << max(v.bit_length() for v in values)) - 1 if min(values) >= 0 else None
        offset = node.offset if width else None
        made = Node(None, (node,), ones, _narrowed(node, mattering), offset, width, called=helper)
        if isinstance(form, MaskTable) and any(row.bug or row.warned for row in form.rows):
            self._run.calls.append(made)
        return self._made(made)


def _operand(other: Traced | int) -> Node | int:
    return other._node if isinstance(other, Traced) else int(other)  # noqa: SLF001 - of its own kind


def _looks_at(node: Node | int | Outcome) -> int:
    return node.looks_at if isinstance(node, Node) else 0


def _known(left: Node, right: Node | int, apply: Callable[[Any, Any], Any]) -> bool | None:
    """The answer of a comparison with a number, where it is the same for every value."""
    if not isinstance(right, int) or left.ones is None:
        return None
    if right < 0 or right > left.ones:
        return bool(apply(0, right))
    if left.ones == 0 or (right == 0 and apply in {operator.ge, operator.lt}):
        return bool(apply(0, right))
    if right == left.ones and apply in {operator.le, operator.gt}:
        return bool(apply(right, right))
    return None


def _bitwise(left: Node, right: Node | int, apply: Callable[[Any, Any], Any]) -> Node:
    """A step of ``& | ^``; a constant narrows what the value depends on."""
    if isinstance(right, int):
        return _with_constant(left, right, apply)
    if left.ones is None or right.ones is None:
        raise Untraceable("a number that may be negative")
    width = max(left.width, right.width)
    ones = left.ones & right.ones if apply is operator.and_ else left.ones | right.ones
    _require_fit(ones, width)
    offset = left.offset if left.offset == right.offset else None
    both = Node(apply, (left, right), ones, left.looks_at | right.looks_at, offset, width)
    # A bit that is never set depends on nothing.
    return replace(both, looks_at=_narrowed(both, ones), is_truth=left.is_truth and right.is_truth)


def _with_constant(left: Node, right: int, apply: Callable[[Any, Any], Any]) -> Node:
    ones, mattering = left.ones, -1
    if ones is None or (right < 0 and apply is not operator.and_):
        raise Untraceable("a number that may be negative")
    if apply is operator.and_:
        ones, mattering = ones & right, right
    else:
        ones, mattering = ones | right, ~right if apply is operator.or_ else -1
    _require_fit(ones, left.width)
    return Node(apply, (left, right), ones, _narrowed(left, mattering), left.offset, left.width)


def _narrowed(node: Node, mattering: int) -> int:
    """The input bits that matter where only some bits of the value of *node* do."""
    if node.offset is None:
        return node.looks_at
    return node.looks_at & (mattering << node.offset if node.offset >= 0 else mattering >> -node.offset)


def _require_fit(ones: int, width: int) -> None:
    if ones.bit_length() > (width or MAX_BITS):
        raise Untraceable("a number that may be wider than gfp_t")


def _shifted(node: Node, by: Any, apply: Callable[[Any, Any], Any]) -> Node:  # noqa: ANN401 - an operand
    if isinstance(by, Traced) or not isinstance(by, int) or node.ones is None or not 0 <= by <= MAX_BITS:
        raise Untraceable("a shift by a number that is not fixed")
    ones = apply(node.ones, by)
    _require_fit(ones, 0)
    moved = int(by) if apply is operator.rshift else -int(by)
    made = Node(apply, (node, int(by)), ones, node.looks_at, None if node.offset is None else node.offset + moved)
    return replace(made, looks_at=_narrowed(made, ones))


def follow(
    function: Callable[[Any], Any],
    bits: int,
    mask_type: type,
    width: int,
    forms: Callable[[Any, int], Form | None],
) -> list[Path]:
    """
    Return every path that *function* takes on inputs below ``2**bits``.

    :param mask_type: what it is called with
    :param width: of the masks that it is called with, within which ``~`` stays; 0: it is called with plain numbers
    :param forms: gives the form of a helper that is proven for all inputs of so many bits, or None
    :raises Untraceable: it does something that cannot be followed
    """
    every = (1 << bits) - 1
    start = Node(None, (), every, every, offset=0, width=width)
    todo: list[tuple[bool, ...]] = [()]
    paths = []
    while todo:
        run = _Run(todo.pop(), mask_type, forms)
        try:
            result = function(Traced(start, run))
        except Exception as exc:
            raise Untraceable(str(exc)) from exc
        fixed = isinstance(result, Outcome) and isinstance(result.value, int)
        if not fixed and not isinstance(result, (Traced, int)):
            raise Untraceable(f"it returns {type(result).__name__}")
        ways = [way for _, way in run.taken]
        todo += [(*ways[:n], False) for n in range(len(run.decisions), len(ways))]
        answer = result if isinstance(result, Outcome) else _operand(result)
        paths.append(Path(tuple(run.taken), answer, tuple(run.calls)))
        if len(paths) + len(todo) > MAX_PATHS:
            raise Untraceable(f"it has more than {MAX_PATHS} paths")
    return paths


def as_form(paths: Sequence[Path], bits: int, scalar: Callable[[int], Outcome]) -> Form | None:
    """
    Return the form that the structure of *paths* proves, or None.

    :param scalar: what the callable answers for one input
    """
    if len(paths) == 1 and not paths[0].calls:
        result = paths[0].result
        if isinstance(result, Node) and result.offset == 0:
            low, high = scalar(0).value, scalar((1 << bits) - 1).value
            return MaskFilter(high & ~low, low & high) if not low & ~high else None
    mattering = looks_at(paths)
    looked_at = tuple(b for b in range(bits) if mattering >> b & 1)
    if len(looked_at) > MAX_TABLE_BITS:
        return None
    empty = MaskTable(looked_at, (Outcome(0),) * (1 << len(looked_at)))
    return MaskTable(looked_at, tuple(scalar(empty.input(n)) for n in range(1 << len(looked_at))))


def looks_at(paths: Sequence[Path]) -> int:
    """Return every input bit that the answer can depend on."""
    found = 0
    for path in paths:
        found |= _looks_at(path.result)
        for node in (*path.calls, *(condition for condition, _ in path.conditions)):
            found |= node.looks_at
    return found


def evaluate(paths: Sequence[Path], xs: Any, lookups: Mapping[Any, Any], where: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays
    """
    Return the values, and the events (1 for BUG, 2 for WARN), for an array *xs*.

    :param paths: none of them with an Outcome for its result
    :param lookups: for each helper that is called, a function from an array to values and events
    :param where: ``numpy.where``
    """
    values, events = xs * 0, xs * 0
    for path in paths:
        here = xs == xs  # noqa: PLR0124 - all true, in the shape of xs
        for condition, way in path.conditions:
            here = here & (_value(condition, xs, lookups) == way)
        assert not isinstance(path.result, Outcome)  # noqa: S101 - for the type checker
        values = where(here, _value(path.result, xs, lookups), values)
        for call in path.calls:
            fired = lookups[call.called](_value(call.operands[0], xs, lookups))[1]
            events = events | where(here, fired, 0)
    # After BUG no WARN means anything.
    return values, where(events & 1, 1, events)


def _value(node: Node | int, xs: Any, lookups: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - arrays
    if isinstance(node, int):
        return node
    if node.called is not None:
        return lookups[node.called](_value(node.operands[0], xs, lookups))[0]
    if node.apply is None:
        return xs
    return node.apply(*(_value(operand, xs, lookups) for operand in node.operands))
