# SPDX-License-Identifier: GPL-2.0-only
"""
The statements of one function in order: what each mask is at each point, and where one is made out of another.

A mask is known as an expression of the mask it came from. Where that cannot be followed, in a loop, behind
a label, after its address was taken, it is an input of its own again. A run of statements on one mask is
one site, at the statement after which the mask is used or the flow parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import syntax
from .evaluate import GFP_NAME, Scope, evaluate, is_named
from .values import INPUT, MAX_VARIANTS, Site, Value, distinct, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tree_sitter import Node

_BRANCHES = {"preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef"}
_ENDS = {"return_statement", "goto_statement", "break_statement", "continue_statement"}
_SILENT = {"comment", "preproc_def", "preproc_function_def", "preproc_call", "preproc_include"}
_LOOPS = {"while_statement", "for_statement", "do_statement"}
_ALLOCATES = re.compile(
    r"alloc|kstrdup|kmemdup|kasprintf|get_free_page|get_zeroed_page|preload|prealloc|xa_store|xas_nomem|idr_|ida_|_save\w*\Z"
)
#: Functions that ask a mask something: what is given to them is a test.
_ASKS = re.compile(
    r"(?:VM_)?(?:WARN|BUG)\w*|might_\w+|gfpflags_\w+|gfp_has_\w+|gfp_compaction_allowed|lockdep_\w+|fs_reclaim_\w+|IS_ENABLED"
    r"|(?:un)?likely|__builtin_\w+|(?:pr|dev|trace|netdev)_\w+|printk|BUILD_BUG\w*|sizeof|typeof|gfp_zone\w*|gfp_migratetype|ACCESS_ONCE"
)


@dataclass
class Reader:
    """
    The reading of one function.

    :ivar file: kernel-relative file
    :ivar function: its name
    :ivar returns_mask: its return type is gfp_t
    :ivar forwards: functions to which a mask may be handed as it is, which is then a site too
    :ivar sites: what was found
    """

    file: str
    function: str
    returns_mask: bool = False
    forwards: re.Pattern[str] | None = None
    sites: list[Site] = field(default_factory=list)
    pending: dict[str, tuple[int, list[Site]]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    # Statements

    def block(self, nodes: Iterable[Node], scope: Scope) -> bool:
        """Read statements in order; return whether the flow can reach their end."""
        reaches = True
        for node in nodes:
            if not reaches:
                # Whoever gets here came from elsewhere.
                self._forget(scope, list(scope.variables))
            reaches = self.statement(node, scope)
        return reaches

    def statement(self, node: Node, scope: Scope) -> bool:
        """Read one statement; return whether the flow can go on behind it."""
        structured = _STRUCTURED.get(node.type)
        if structured:
            return structured(self, node, scope)
        if node.type == "declaration":
            self._declaration(node, scope)
        elif node.type == "return_statement":
            self._return(node, scope)
        elif node.type == "expression_statement":
            for child in syntax.children(node):
                self._expression(child, scope, node)
        elif node.type not in _SILENT:
            self._uses(node, scope, node)
        if node.type in _ENDS:
            self._flush()
        return node.type not in _ENDS

    def finish(self) -> list[Site]:
        """Return the sites, runs completed, each once."""
        self._flush()
        return list(dict.fromkeys(self.sites))

    def _labeled(self, node: Node, scope: Scope) -> bool:
        """Behind a label nothing is known: whoever jumps there comes from anywhere."""
        self._flush()
        self._forget(scope, list(scope.variables))
        return self.block([c for c in syntax.children(node) if c.type != "statement_identifier"], scope)

    def _compound(self, node: Node, scope: Scope) -> bool:
        inner = scope.copy()
        hidden = {n: v for n, v in scope.variables.items() if n in _declares(node)}
        reaches = self.block(syntax.children(node), inner)
        for name in set(inner.variables) & set(scope.variables) - set(hidden):
            scope.variables[name] = inner.variables[name]
        for name in set(inner.variables) - set(scope.variables):
            if not re.fullmatch(r"\w+", name):
                scope.variables[name] = inner.variables[name]
        return reaches

    def _branches(
        self, branches: Sequence[tuple[str, Callable[[Scope], bool]]], scope: Scope, touched: set[str]
    ) -> bool:
        """Read each branch by itself; behind them a mask may be what any of them made of it."""
        self._flush(touched)
        ends = []
        for condition, read in branches:
            branch = scope.copy()
            if condition:
                for name in touched & set(branch.variables):
                    branch.variables[name] = [replace(v, when=(*v.when, condition)) for v in branch.variables[name]]
            if read(branch):
                ends.append(branch)
            self._flush(touched)
        for name in {n for e in ends for n in e.variables}:
            before = scope.variables.get(name)
            joined = distinct([v for e in ends for v in e.variables.get(name, before or [])])
            if name not in touched and before:
                continue
            scope.variables[name] = joined if len(joined) <= MAX_VARIANTS else scope.fresh(name)
        return bool(ends)

    def _if(self, node: Node, scope: Scope) -> bool:
        condition = node.child_by_field_name("condition")
        yes, no = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if condition is not None:
            self._uses(condition, scope, node)
        said = syntax.condition(condition)
        touched = _assigned(node)

        def read(body: Node | None) -> Callable[[Scope], bool]:
            statements = _statements(body)
            return lambda branch: self.block(statements, branch)

        return self._branches([(said, read(yes)), (f"!({said})", read(no))], scope, touched)

    def _preprocessor(self, node: Node, scope: Scope) -> bool:
        """A conditional of the preprocessor: with it and without."""
        first = node.child_by_field_name("name") or node.child_by_field_name("condition")
        other = node.child_by_field_name("alternative")
        body = [c for c in syntax.children(node) if c not in (first, other)]
        said = syntax.source(first) if first is not None else ""
        return self._branches(
            [
                (said, lambda branch: self.block(body, branch)),
                (f"!{said}", lambda branch: self.block([other] if other else [], branch)),
            ]
            if node.type != "preproc_else"
            else [("", lambda branch: self.block(body, branch))],
            scope,
            _assigned(node),
        )

    def _switch(self, node: Node, scope: Scope) -> bool:
        """Each case starts as the switch does; one that is fallen into starts anew."""
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is not None:
            self._uses(condition, scope, node)
        branches: list[tuple[str, Callable[[Scope], bool]]] = []
        falls = False
        for case in syntax.children(body) if body is not None else []:
            if case.type != "case_statement":
                continue
            value = case.child_by_field_name("value")
            said = f"case {syntax.source(value)}" if value is not None else "default"
            statements = [c for c in syntax.children(case) if c != value]
            branches.append((said, self._case(statements, fallen_into=falls)))
            falls = bool(statements) and not _leaves(statements)
        touched = _assigned(node)
        self._branches([*branches, ("", lambda _: True)], scope, touched)
        if falls:
            self._forget(scope, list(touched & set(scope.variables)))
        return True

    def _case(self, statements: Sequence[Node], *, fallen_into: bool) -> Callable[[Scope], bool]:
        touched = {n for s in statements for n in _assigned(s)}

        def read(branch: Scope) -> bool:
            if fallen_into:
                self._forget(branch, list(touched & set(branch.variables)))
            reaches = self.block(statements, branch)
            return reaches or any(s.type == "break_statement" for s in statements)

        return read

    def _loop(self, node: Node, scope: Scope) -> bool:
        """What a loop changes is an input of its own in it and behind it."""
        touched = _assigned(node)
        self._flush()
        self._forget(scope, list(touched & set(scope.variables)))
        inner = scope.copy()
        for child in syntax.children(node):
            if child.type == "declaration":
                self._declaration(child, inner)
            elif child.type.endswith(("statement", "statement_list")):
                self.statement(child, inner)
            else:
                self._expression(child, inner, node)
            self._flush()
        self._forget(scope, list(touched & set(scope.variables)))
        return True

    # Expressions

    def _declaration(self, node: Node, scope: Scope) -> None:
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
                self._uses(value, scope, node)
            scope.variables.pop(spelled, None)
            if is_mask and plain:
                scope.others.discard(spelled)
                values = evaluate(value, scope) if value is not None else [Value(INPUT, spelled, "local", masks=True)]
                self._assign(spelled, values, node, scope, "initialiser")
                continue
            scope.others.add(spelled)
            if value is not None and plain and kind != "bool":
                self._foreign(spelled, evaluate(value, scope), node, "initialiser")

    def _foreign(self, name: str, values: list[Value], node: Node, kind: str) -> None:
        """A mask in a variable of another type."""
        for value in values:
            if value.derived and any(GFP_NAME.match(n) for n in value.names):
                self._emit(self._site(name, value, node, kind))

    def _expression(self, node: Node, scope: Scope, statement: Node) -> None:
        """An expression that stands as a statement."""
        if node.type == "comma_expression":
            for child in syntax.children(node):
                self._expression(child, scope, statement)
            return
        if node.type == "assignment_expression":
            self._assignment(node, scope, statement)
        elif node.type != "call_expression" or not self._changed_by_macro(node, scope, statement):
            self._uses(node, scope, statement)

    def _assignment(self, node: Node, scope: Scope, statement: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return
        name = syntax.source(left)
        if right.type == "assignment_expression":
            self._expression(right, scope, statement)
        self._uses(right, scope, statement, but=name)
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
            self._flush({name})
        self.pending.pop(name, None)
        grown = [replace(v, lines=tuple(sorted({*v.lines, at}))) if _counts(v) else v for v in values]
        found = [self._site(name, v, node, kind) for v in grown if v.derived]
        if found:
            self.pending[name] = (at, found)
        state = [v if self._followed(v, scope) else Value(INPUT, name, "unknown", masks=True) for v in grown]
        state = [
            v if v.root is not None else Value(INPUT, name, "constant", masks=True, names=v.names, constant=v.text)
            for v in state
        ]
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

    def _return(self, node: Node, scope: Scope) -> None:
        for child in syntax.children(node):
            self._uses(child, scope, node)
            if self.returns_mask:
                for value in (replace(v, masks=v.root is not None) for v in evaluate(child, scope)):
                    plain = value.plain or child.type in {"identifier", "field_expression"}
                    if value.derived and not (plain and not value.problem):
                        self._emit(self._site("return value", value, node, "return"))

    def _uses(self, node: Node, scope: Scope, statement: Node, but: str = "") -> None:
        """Masks that *node* reads are complete; those that it gives to a call may be made on the way."""
        read = {syntax.source(n) for n in syntax.walk(node) if n.type in {"identifier", "field_expression"}}
        self._flush(read - {but})
        self._arguments(node, scope, statement)
        for one in syntax.walk(node):
            if one.type == "assignment_expression" and one is not node:
                self._nested_assignment(one, scope, statement)
            elif one.type == "pointer_expression" and syntax.source(one).startswith("&"):
                self._forget(scope, [n for n in scope.variables if n == syntax.source(one)[1:].strip("() ")])

    def _nested_assignment(self, node: Node, scope: Scope, statement: Node) -> None:
        left = node.child_by_field_name("left")
        name = syntax.source(left) if left is not None else ""
        if name in scope.variables or is_named(name):
            self._expression(node, scope, statement)

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
            else:
                todo += syntax.children(one)

    def _field(self, designator: Node | None, value: Node, scope: Scope, statement: Node) -> bool:
        name = syntax.source(designator) if designator is not None else ""
        if value.type in {"initializer_list", "compound_literal_expression"}:
            return False
        found = [v for v in evaluate(value, scope) if v.derived and (not v.problem or is_named(name))]
        for one in found:
            if not one.plain and not _only_named(value):
                self._emit(self._site(name, one, value, "field", at=statement))
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
                            self._site(f"argument of {name}()", value, argument, "forward", at=statement, callee=name)
                        )
            if _ASKS.fullmatch(name) or not derived or _only_named(argument) or argument.type not in _MAKES:
                rest.append(argument)
                continue
            for value in derived:
                self._emit(self._site(f"argument of {name}()", value, argument, "argument", at=statement, callee=name))
        return rest

    # Bookkeeping

    def _site(  # noqa: PLR0913 - the facts of one site
        self, variable: str, value: Value, node: Node, kind: str, *, at: Node | None = None, callee: str = ""
    ) -> Site:
        place = syntax.line(at if at is not None and kind in {"argument", "field", "forward"} else node)
        if kind == "field" or (at is not None and at.type in {"if_statement", *_LOOPS, "case_statement"}):
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

    def _flush(self, names: set[str] | None = None) -> None:
        """The runs on *names*, or on all masks, are complete."""
        for name in [n for n in self.pending if names is None or n in names]:
            _, found = self.pending.pop(name)
            self.sites += found

    def _forget(self, scope: Scope, names: Iterable[str]) -> None:
        for name in names:
            scope.variables[name] = scope.fresh(name)


_STRUCTURED: dict[str, Callable[[Reader, Node, Scope], bool]] = {
    "compound_statement": Reader._compound,  # noqa: SLF001 - the table of its own methods
    "if_statement": Reader._if,  # noqa: SLF001 - ditto
    "switch_statement": Reader._switch,  # noqa: SLF001 - ditto
    "labeled_statement": Reader._labeled,  # noqa: SLF001 - ditto
    **dict.fromkeys(_LOOPS, Reader._loop),  # noqa: SLF001 - ditto
    **dict.fromkeys(_BRANCHES, Reader._preprocessor),  # noqa: SLF001 - ditto
}

#: Arguments that may make a mask.
_MAKES = {"binary_expression", "unary_expression", "conditional_expression", "parenthesized_expression"} | {
    "cast_expression",
    "call_expression",
    "assignment_expression",
}


def _combined(known: Sequence[Value], sign: str, values: Sequence[Value]) -> list[Value]:
    """What a mask that may be any of *known* becomes."""
    return [replace(merged([a, b], f"(gfp_t)(({{}}) {sign} ({{}}))"), masks=True) for a in known for b in values]


def _counts(value: Value) -> bool:
    """A copy or a constant has no part in what is made of it."""
    return value.root is not None and not value.plain


def _only_named(node: Node) -> bool:
    return node.type in {"identifier", "field_expression", "subscript_expression", "pointer_expression"}


def _statements(body: Node | None) -> list[Node]:
    if body is None:
        return []
    return syntax.children(body) if body.type == "else_clause" else [body]


def _leaves(statements: Sequence[Node]) -> bool:
    last = statements[-1]
    if last.type == "compound_statement":
        inner = syntax.children(last)
        return bool(inner) and _leaves(inner)
    return last.type in _ENDS


def _assigned(node: Node) -> set[str]:
    """The names of all that *node* assigns to, or takes the address of."""
    found = set()
    for one in syntax.walk(node):
        if one.type == "assignment_expression":
            left = one.child_by_field_name("left")
            if left is not None:
                found.add(syntax.source(left))
        elif one.type == "pointer_expression" and syntax.source(one).startswith("&"):
            found.add(syntax.source(one)[1:].strip("() "))
    return found


def _declares(node: Node) -> set[str]:
    names = set()
    for child in syntax.children(node):
        if child.type == "declaration":
            for declarator in child.children_by_field_name("declarator"):
                name = syntax.declared(declarator)
                if name is not None:
                    names.add(syntax.source(name))
    return names
