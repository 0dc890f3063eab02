# SPDX-License-Identifier: GPL-2.0-only
"""
From an expression in the syntax tree to values: C text over the mask that goes in, a variant a branch.

Nothing here decides what C text means. It says what an expression consists of: one mask, constants, calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from . import syntax
from .values import INPUT, Value, distinct, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

#: More ways than this through one expression, and it is not read.
_MAX_WAYS = 8

# Not what is made of masks: a width, a table of zones.
GFP_NAME = re.compile(r"_{0,3}GFP_(?!ZONE_|ZONES_|BITS_SHIFT)[A-Z0-9_]+\Z")
_CONSTANT = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_NAMED = re.compile(r"(?:\b|_)gfp(?:flags?|mask|\d+)?(?:\b|_)")
_MASKLIKE = re.compile(rf"{_NAMED.pattern}|_mask\Z")
_TESTS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"}
_INTEGER_CAST = re.compile(r"(?:unsigned|signed|int|long|short|char|u8|u16|u32|u64|size_t|gfp_t|\s)+\Z")
# A cast to one of these may lose flags; any other leaves a mask as it is.
_NARROW = re.compile(r"char|short|8|16")


@dataclass
class Scope:
    """
    What is known at one point of a function.

    :ivar variables: the values of each mask, by its name as the text has it
    :ivar others: names of parameters and local variables that are no masks
    :ivar filters: functions of the file that return a mask
    :ivar known: functions and macros that can be compiled: those of the headers
    :ivar defines: whether the file defines a function or macro in one way: it can be compiled too
    :ivar changes: whether the file defines a macro of that name that assigns to something
    :ivar makes: whether a macro of that name makes a mask: the file says so, or it looks like one of another file
    """

    variables: dict[str, list[Value]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    filters: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    defines: Callable[[str], bool] = field(default=lambda _: False)
    changes: Callable[[str], bool] = field(default=lambda _: False)
    makes: Callable[[str], bool] = field(default=lambda _: False)

    def copy(self) -> Scope:
        """Return a scope that can go its own way."""
        return replace(self, variables=dict(self.variables), others=set(self.others))

    def fresh(self, name: str) -> list[Value]:
        """Return what to say of a mask of which nothing is known: it is an input."""
        known = self.variables.get(name)
        origin = known[0].origin if known and known[0].root == name else "local"
        return [Value(INPUT, name, origin if origin != "parameter" else "local", masks=True)]


def is_named(name: str) -> bool:
    """
    Return whether a variable or member is called what masks are called.

    >>> is_named("sc->gfp_mask"), is_named("alloc_gfp"), is_named("gfpflags"), is_named("gfpic->base")
    (True, True, True, False)
    """
    return _NAMED.search(name) is not None


def evaluate(node: Node, scope: Scope) -> list[Value]:
    """Return what expression *node* may be, one value a variant."""
    reader = _READERS.get(node.type)
    if reader is None:
        return [_opaque(node, scope)]
    values = reader(node, scope)
    return distinct(values) if len(values) <= _MAX_WAYS else [_too_many(values)]


def _too_many(values: list[Value]) -> Value:
    return replace(values[0], problem=f"has {len(values)} variants", masks=any(v.masks for v in values))


def _opaque(node: Node, scope: Scope) -> Value:
    """What cannot be read: a problem if a mask is in it."""
    inside = (syntax.source(n) for n in syntax.walk(node) if n.type == "identifier")
    root = next((n for n in inside if n in scope.variables), None)
    problem = f"is {node.type.replace('_', ' ')}, which is not read"
    return Value(syntax.source(node), root, "local", masks=root is not None, problem=problem)


def _identifier(node: Node, scope: Scope) -> list[Value]:
    name = syntax.source(node)
    if name in scope.variables:
        return scope.variables[name]
    if name in scope.others:
        return [Value(INPUT, name, "local", masks=is_named(name))]
    if _CONSTANT.match(name) or name in {"true", "false"}:
        return [Value(name, masks=bool(GFP_NAME.match(name)), names=frozenset((name,)))]
    return [Value(INPUT, name, "global", masks=is_named(name))]


def _number(node: Node, _: Scope) -> list[Value]:
    return [Value(syntax.source(node))]


def _member(node: Node, scope: Scope) -> list[Value]:
    """A member, an element or what a pointer points to: an input by the text that names it."""
    name = syntax.source(node)
    if name.startswith("&"):
        return [_opaque(node, scope)]
    if name in scope.variables:
        return scope.variables[name]
    return [Value(INPUT, name, "member", masks=is_named(name))]


def _parentheses(node: Node, scope: Scope) -> list[Value]:
    inner = syntax.children(node)
    if len(inner) != 1 or inner[0].type == "compound_statement":
        return [_opaque(node, scope)]
    return [replace(v, text=f"({v.text})") for v in evaluate(inner[0], scope)]


def _unary(node: Node, scope: Scope) -> list[Value]:
    argument, operator = node.child_by_field_name("argument"), node.child_by_field_name("operator")
    if argument is None or operator is None:
        return [_opaque(node, scope)]
    sign = syntax.source(operator)
    return [replace(v, text=f"{sign}({v.text})", is_test=v.is_test or sign == "!") for v in evaluate(argument, scope)]


def _binary(node: Node, scope: Scope) -> list[Value]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    if left is None or right is None or operator is None:
        return [_opaque(node, scope)]
    sign = syntax.source(operator)
    values = [
        merged([a, b], f"({{}}) {sign} ({{}})") for a, b in product(evaluate(left, scope), evaluate(right, scope))
    ]
    return [replace(v, is_test=True) for v in values] if sign in _TESTS else values


def _conditional(node: Node, scope: Scope) -> list[Value]:
    """A choice by the mask itself stays C; any other one gives a variant for each arm."""
    condition, *arms = (node.child_by_field_name(n) for n in ("condition", "consequence", "alternative"))
    if condition is None or arms[0] is None or arms[1] is None:
        return [_opaque(node, scope)]
    test = evaluate(condition, scope)
    yes, no = evaluate(arms[0], scope), evaluate(arms[1], scope)
    said = syntax.condition(condition)
    if len(test) == 1 and not test[0].problem and test[0].masks and test[0].origin != "global":
        whole = [
            replace(merged([test[0], a, b], "(({}) ? ({}) : ({}))"), masks=a.masks or b.masks)
            for a, b in product(yes, no)
        ]
        if not any(v.problem for v in whole):
            return whole
    return [*(_under(v, said) for v in yes), *(_under(v, f"!({said})") for v in no)]


def _under(value: Value, condition: str) -> Value:
    return replace(value, when=(*value.when, condition))


def narrowed(values: list[Value], kind: str) -> list[Value]:
    """Return what is left of *values* in a variable of type *kind*: one of eight bits loses flags."""
    return [replace(v, text=f"({kind})({v.text})") for v in values] if _NARROW.search(kind) else values


def _cast(node: Node, scope: Scope) -> list[Value]:
    kind, inner = node.child_by_field_name("type"), node.child_by_field_name("value")
    if kind is None or inner is None:
        return [_opaque(node, scope)]
    name = syntax.source(kind)
    values = evaluate(inner, scope)
    mask = name == "gfp_t"
    if name == "bool":
        return [replace(v, is_test=True) for v in values]
    if not _INTEGER_CAST.match(name):
        return [replace(v, problem=v.problem or f"casts to {name}") for v in values]
    return [
        replace(
            v, text=v.text if v.plain and not _NARROW.search(name) else f"({name})({v.text})", masks=v.masks or mask
        )
        for v in values
    ]


def _call(node: Node, scope: Scope) -> list[Value]:
    """
    A call whose arguments are one mask and constants stays C; one without a mask among them is an input itself.
    """
    callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if callee is None or arguments is None:
        return [_opaque(node, scope)]
    name = syntax.source(callee)
    if name in _TRANSPARENT:
        return [v for a in syntax.children(arguments)[:1] for v in evaluate(a, scope)]
    variants = [evaluate(a, scope) for a in syntax.children(arguments)]
    values = []
    for chosen in product(*variants) if len(variants) < _MAX_WAYS else ():
        masked = [v for v in chosen if v.masks and v.root is not None]
        if not masked:
            whole = syntax.source(node)
            constant = merged(list(chosen), name + "(" + ", ".join("{}" for _ in chosen) + ")")
            is_macro = bool(_CONSTANT.match(name))
            if is_macro and constant.root is None:
                values.append(replace(constant, calls=constant.calls | {name}, masks=constant.masks))
                continue
            values.append(Value(INPUT, whole, "call", masks=bool(_MASKLIKE.search(name))))
            continue
        value = merged(list(chosen), name + "(" + ", ".join("{}" for _ in chosen) + ")")
        others = [v.root for v in chosen if v.root is not None and v not in masked]
        if others:
            value = replace(value, problem=f"calls {name}() with {', '.join(map(str, others))}")
        elif value.problem:
            value = replace(value, problem=f"calls {name}(): {value.problem}")
        gives_mask = name in scope.filters or bool(_MASKLIKE.search(name)) or scope.makes(name)
        is_test = bool(_PREDICATE.search(name))
        values.append(replace(value, calls=value.calls | {name}, is_test=is_test, masks=gives_mask))
    return values or [_opaque(node, scope)]


#: A call that is its first argument.
_TRANSPARENT = {"likely", "unlikely", "READ_ONCE"}
_PREDICATE = re.compile(
    r"^(?:is_|has_|IS_ENABLED)|_has_|allow_|_allowed|^VM_|^WARN|^BUG|_is_|normal_context|gfp_(?:zone|migratetype|order)"
)


def _comma(node: Node, scope: Scope) -> list[Value]:
    right = node.child_by_field_name("right")
    return evaluate(right, scope) if right is not None else [_opaque(node, scope)]


def _assignment(node: Node, scope: Scope) -> list[Value]:
    right = node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    if right is None or operator is None or syntax.source(operator) != "=":
        return [_opaque(node, scope)]
    return evaluate(right, scope)


_READERS: dict[str, Callable[[Node, Scope], list[Value]]] = {
    "identifier": _identifier,
    "number_literal": _number,
    "true": _number,
    "false": _number,
    "field_expression": _member,
    "subscript_expression": _member,
    "pointer_expression": _member,
    "parenthesized_expression": _parentheses,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "conditional_expression": _conditional,
    "cast_expression": _cast,
    "call_expression": _call,
    "assignment_expression": _assignment,
    "comma_expression": _comma,
}
