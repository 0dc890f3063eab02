# SPDX-License-Identifier: GPL-2.0-only
"""
The masks of one function: what each is known to be, and the sites that are found on the way.

A run of statements on one mask is one site, at the statement after which the mask is used or the flow parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import syntax
from .evaluate import GFP_NAME, Scope, evaluate, is_named, narrowed
from .values import INPUT, MAX_VARIANTS, Site, Value, distinct, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tree_sitter import Node

#: Functions that allocate, or hand a mask to something that does.
ALLOCATES = re.compile(
    r"alloc|kstrdup|kmemdup|kasprintf|get_free_page|get_zeroed_page|preload|prealloc|xa_store|xas_nomem|idr_|ida_|_save\w*\Z"
)
#: Functions that ask a mask something: what is given to them is a test.
_ASKS = re.compile(
    r"(?:VM_)?(?:WARN|BUG)\w*|might_\w+|gfpflags_\w+|gfp_has_\w+|gfp_compaction_allowed|lockdep_\w+|fs_reclaim_\w+|IS_ENABLED"
    r"|(?:un)?likely|__builtin_\w+|(?:pr|dev|trace|netdev)_\w+|printk|BUILD_BUG\w*|sizeof|typeof|gfp_zone\w*|gfp_migratetype|ACCESS_ONCE"
)
_COMPOUND = {"if_statement", "while_statement", "for_statement", "do_statement", "case_statement"}


@dataclass
class Masks:
    """
    The reading of one function.

    :ivar file: kernel-relative file
    :ivar function: its name
    :ivar returns_mask: its return type is gfp_t
    :ivar forwards: functions to which a mask may be handed as it is, which is then a site too
    :ivar sites: what was found
    :ivar exposed: masks whose address is kept somewhere: they may change at any time
    """

    file: str
    function: str
    returns_mask: bool = False
    forwards: re.Pattern[str] | None = None
    sites: list[Site] = field(default_factory=list)
    pending: dict[str, tuple[int, list[Site]]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    exposed: set[str] = field(default_factory=set)

    def declaration(self, node: Node, scope: Scope) -> None:
        """Read a declaration: masks that it declares, and what it makes them of."""
        is_mask = syntax.is_gfp_type(node)
        type_node = node.child_by_field_name("type")
        kind = syntax.source(type_node) if type_node is not None else ""
        for declarator in node.children_by_field_name("declarator"):
            name = syntax.declared(declarator)
            value = declarator.child_by_field_name("value")
            if name is None:
                continue
            plain = not syntax.is_pointer(declarator)
            spelled = syntax.source(name)
            if value is not None:
                self.uses(value, scope, node)
            scope.variables.pop(spelled, None)
            if is_mask and plain:
                scope.others.discard(spelled)
                values = evaluate(value, scope) if value is not None else [Value(INPUT, spelled, "local", masks=True)]
                self._assign(spelled, values, node, scope, "initialiser")
                continue
            scope.others.add(spelled)
            if value is not None and plain and kind != "bool":
                self._foreign(spelled, narrowed(evaluate(value, scope), kind), node, "initialiser")

    def _foreign(self, name: str, values: list[Value], node: Node, kind: str) -> None:
        """A mask in a variable of another type."""
        for value in values:
            if value.derived and any(GFP_NAME.match(n) for n in value.names):
                self._emit(self.site(name, value, node, kind))

    def expression(self, node: Node, scope: Scope, statement: Node) -> None:
        """An expression that stands as a statement."""
        if node.type == "comma_expression":
            for child in syntax.children(node):
                self.expression(child, scope, statement)
            return
        if node.type == "assignment_expression":
            self._assignment(node, scope, statement)
        elif node.type != "call_expression" or not self._changed_by_macro(node, scope, statement):
            self.uses(node, scope, statement)

    def _assignment(self, node: Node, scope: Scope, statement: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return
        name = syntax.source(left)
        if right.type == "assignment_expression":
            self.expression(right, scope, statement)
        self.uses(right, scope, statement, but=name)
        sign = syntax.source(operator).removesuffix("=")
        values = evaluate(right, scope)
        is_mask = name in scope.variables or is_named(name)
        names_gfp = any(GFP_NAME.match(n) for v in values for n in v.names)
        if sign and (is_mask or names_gfp):
            origin = "local" if left.type == "identifier" else "member"
            known = scope.variables.get(name) or [Value(INPUT, name, origin, masks=True)]
            made = _combined(known, sign, values)
            values = made if len(made) <= MAX_VARIANTS else _combined(scope.fresh(name), sign, values)
        # What a call gives to a variable that is not called a mask is none: "p = kmalloc(n, gfp | M)".
        given = right.type == "call_expression" and not re.search(r"gfp|flags|mask", name.rpartition("->")[2])
        if is_mask or (names_gfp and (sign or (not given and any(v.derived for v in values)))):
            self._assign(name, values, statement, scope, "assignment")

    def _assign(self, name: str, values: list[Value], node: Node, scope: Scope, kind: str) -> None:
        """Mask *name* becomes *values*."""
        values = [replace(v, masks=True) if v.root is not None else v for v in values]
        at = syntax.line(node)
        self.texts[at] = syntax.source(node)
        before = scope.variables.get(name)
        if name in self.pending and any(v.problem or self.pending[name][0] not in v.lines for v in values):
            self.flush({name})
        self.pending.pop(name, None)
        grown = [replace(v, lines=tuple(sorted({*v.lines, at}))) if _counts(v) else v for v in values]
        found = [self.site(name, v, node, kind) for v in grown if v.derived]
        if found:
            self.pending[name] = (at, found)
        state = [v if self._followed(v, scope) else Value(INPUT, name, "unknown", masks=True) for v in grown]
        state = [
            v if v.root is not None else Value(INPUT, name, "constant", masks=True, names=v.names, constant=v.text)
            for v in state
        ]
        if name in self.exposed:
            self.flush({name})
            state = scope.fresh(name)
        scope.variables[name] = distinct(state) if before is not None or state else scope.fresh(name)

    def _changed_by_macro(self, node: Node, scope: Scope, statement: Node) -> bool:
        """A macro as a statement that assigns to the mask it is given: the value is that of a variable behind it."""
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        name = syntax.source(callee) if callee is not None else ""
        given = [syntax.source(a) for a in syntax.children(arguments)] if arguments is not None else []
        masks = [a for a in given if a in scope.variables]
        if len(masks) != 1 or not scope.changes(name):
            return False
        called = f"{name}({', '.join('pygfp_v' if a in masks else a for a in given)})"
        values = [
            replace(v, text=f"({{ gfp_t pygfp_v = ({v.text}); {called}; pygfp_v; }})", calls=v.calls | {name})
            for v in scope.variables[masks[0]]
        ]
        self._assign(masks[0], values, statement, scope, "assignment")
        return True

    def _followed(self, value: Value, scope: Scope) -> bool:
        """Whether what is made of *value* can be compiled too."""
        return not value.problem and all(scope.defines(n) for n in value.calls - scope.known)

    def returned(self, node: Node, scope: Scope) -> None:
        """Read a return statement."""
        for child in syntax.children(node):
            self.uses(child, scope, node)
            if self.returns_mask:
                for value in (replace(v, masks=v.root is not None) for v in evaluate(child, scope)):
                    plain = value.plain or child.type in {"identifier", "field_expression"}
                    if value.derived and not (plain and not value.problem):
                        self._emit(self.site("return value", value, node, "return"))

    def uses(self, node: Node, scope: Scope, statement: Node, but: str = "") -> None:
        """Masks that *node* reads are complete; those that it gives to a call may be made on the way."""
        if not mentions(node, scope):
            return
        read = {syntax.source(n) for n in syntax.walk(node) if n.type in {"identifier", "field_expression"}}
        self.flush(read - {but})
        given = _given_away(node, scope)
        self.flush(set(given))
        self._arguments(node, scope, statement)
        self.forget(scope, given)
        for one in syntax.walk(node):
            if one.type == "assignment_expression" and one is not node:
                self._nested_assignment(one, scope, statement)
            elif one.type == "pointer_expression" and syntax.source(one).startswith("&"):
                self.forget(scope, [n for n in scope.variables if n == syntax.source(one)[1:].strip("() ")])

    def _nested_assignment(self, node: Node, scope: Scope, statement: Node) -> None:
        left = node.child_by_field_name("left")
        name = syntax.source(left) if left is not None else ""
        if name in scope.variables or is_named(name):
            self.expression(node, scope, statement)

    def _arguments(self, node: Node, scope: Scope, statement: Node) -> None:
        """Masks that are made in the arguments of calls, and in initialiser lists."""
        todo = [node]
        while todo:
            one = todo.pop()
            if one.type == "call_expression":
                todo += self._call(one, scope, statement)
            elif one.type == "initializer_pair":
                value = one.child_by_field_name("value")
                designator = one.child_by_field_name("designator")
                if value is None or not self._field(designator, value, scope, statement):
                    todo += syntax.children(one)
            elif one.type == "initializer_list":
                todo += [c for c in syntax.children(one) if not self._field(None, c, scope, statement)]
            else:
                todo += syntax.children(one)

    def _field(self, designator: Node | None, value: Node, scope: Scope, statement: Node) -> bool:
        name = syntax.source(designator) if designator is not None else "an element"
        if value.type not in _MAKES or value.type == "assignment_expression":
            return False
        found = [v for v in evaluate(value, scope) if v.derived and (not v.problem or is_named(name))]
        for one in found:
            if not one.plain and not _only_named(value):
                self._emit(self.site(name, one, value, "field", at=statement))
        return bool(found)

    def _call(self, node: Node, scope: Scope, statement: Node) -> list[Node]:
        """The sites among the arguments of a call; returns what is left to look at."""
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or arguments is None:
            return []
        name = syntax.source(callee)
        rest = []
        for argument in syntax.children(arguments):
            values = evaluate(argument, scope)
            derived = [v for v in values if v.derived]
            if self.forwards and self.forwards.fullmatch(name) and _only_named(argument):
                for value in values:
                    if value.masks and value.root is not None and value.plain:
                        self._emit(
                            self.site(f"argument of {name}()", value, argument, "forward", at=statement, callee=name)
                        )
            if _ASKS.fullmatch(name) or not derived or _only_named(argument) or argument.type not in _MAKES:
                rest.append(argument)
                continue
            for value in derived:
                self._emit(self.site(f"argument of {name}()", value, argument, "argument", at=statement, callee=name))
        return rest

    def site(  # noqa: PLR0913 - the facts of one site
        self, variable: str, value: Value, node: Node, kind: str, *, at: Node | None = None, callee: str = ""
    ) -> Site:
        """Return the site that *value* is, at *node* or at the statement *at* around it."""
        place = syntax.line(at if at is not None and kind in {"argument", "field", "forward"} else node)
        if kind == "field" or (at is not None and at.type in _COMPOUND):
            place = syntax.line(node)
        lines = tuple(sorted({*value.lines, place}))
        texts = [self.texts.get(n, "") for n in lines if n != place]
        own = syntax.source(node)
        return Site(
            file=self.file,
            line=place,
            end_line=max(node.end_point[0] + 1, place),
            lines=lines,
            function=self.function,
            variable=variable,
            source=value.root or "",
            origin=value.origin,
            kind=kind,
            expression="" if value.problem else value.text,
            problem=value.problem,
            text=" ".join([*(t for t in texts if t), own]),
            when=value.when,
            callee=callee,
            calls=value.calls,
            names=value.names,
        )

    def _emit(self, site: Site) -> None:
        self.sites.append(site)

    def flush(self, names: set[str] | None = None) -> None:
        """The runs on *names*, or on all masks, are complete."""
        for name in [n for n in self.pending if names is None or n in names]:
            _, found = self.pending.pop(name)
            self.sites += found

    def forget(self, scope: Scope, names: Iterable[str]) -> None:
        """Nothing is known of *names* any more: each is an input of its own."""
        for name in names:
            scope.variables[name] = scope.fresh(name)


#: Arguments that may make a mask.
_MAKES = {"binary_expression", "unary_expression", "conditional_expression", "parenthesized_expression"} | {
    "cast_expression",
    "call_expression",
    "assignment_expression",
}


def mentions(node: Node, scope: Scope) -> bool:
    """Return whether a mask occurs in the text of *node*; most statements of a function have none."""
    text = node.text or b""
    return b"gfp" in text or b"GFP_" in text or any(_base(name).encode() in text for name in scope.variables)


def _base(name: str) -> str:
    """
    The variable that a mask is part of.

    >>> _base("sc->gfp_mask"), _base("(*ctx).gfp"), _base("gfp")
    ('sc', 'ctx', 'gfp')
    """
    match = re.search(r"\w+", name)
    return match[0] if match else name


def _given_away(node: Node, scope: Scope) -> list[str]:
    """Masks that are part of what is given to a call: it may read them, and change them."""
    parts = {n: _base(n) for n in scope.variables if not n.isidentifier()}
    if not parts:
        return []
    given = set()
    for one in syntax.walk(node):
        arguments = one.child_by_field_name("arguments") if one.type == "call_expression" else None
        for argument in syntax.children(arguments) if arguments is not None else []:
            whole = argument.child_by_field_name("argument") if argument.type == "pointer_expression" else argument
            if whole is not None and whole.type in {"identifier", "cast_expression", "parenthesized_expression"}:
                given |= {syntax.source(n) for n in syntax.walk(whole) if n.type == "identifier"}
    return [name for name, base in parts.items() if base in given]


def _combined(known: Sequence[Value], sign: str, values: Sequence[Value]) -> list[Value]:
    """What a mask that may be any of *known* becomes."""
    return [replace(merged([a, b], f"(gfp_t)(({{}}) {sign} ({{}}))"), masks=True) for a in known for b in values]


def _counts(value: Value) -> bool:
    """A copy or a constant has no part in what is made of it."""
    return value.root is not None and not value.plain


def _only_named(node: Node) -> bool:
    return node.type in {"identifier", "field_expression", "subscript_expression", "pointer_expression"}
