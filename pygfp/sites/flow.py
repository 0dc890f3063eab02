# SPDX-License-Identifier: GPL-2.0-only
"""
The statements of one function in order: how the flow parts and joins, and what is known of masks behind it.

A mask is known as an expression of the mask it came from. Where that cannot be followed, in a loop, behind
a label, after its address was taken, it is an input of its own again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import syntax
from .masks import Masks, mentions
from .values import MAX_VARIANTS, Site, distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tree_sitter import Node

    from .evaluate import Scope

_BRANCHES = {"preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef"}
_ENDS = {"return_statement", "goto_statement", "break_statement", "continue_statement"}
_SILENT = {"comment", "preproc_def", "preproc_function_def", "preproc_call", "preproc_include"}
_LABEL = re.compile(rb"^\s*\w+\s*:", re.MULTILINE)
_LOOPS = {"while_statement", "for_statement", "do_statement"}


class Reader(Masks):
    """The reading of one function, statement by statement."""

    def block(self, nodes: Iterable[Node], scope: Scope) -> bool:
        """Read statements in order; return whether the flow can reach their end."""
        reaches = True
        for node in nodes:
            if not reaches:
                # Whoever gets here came from elsewhere.
                self.forget(scope, list(scope.variables))
            reaches = self.statement(node, scope)
        return reaches

    def statement(self, node: Node, scope: Scope) -> bool:
        """Read one statement; return whether the flow can go on behind it."""
        structured = _STRUCTURED.get(node.type)
        if structured and not mentions(node, scope) and not _LABEL.search(node.text or b""):
            return True
        if structured:
            return structured(self, node, scope)
        if node.type == "declaration":
            self.declaration(node, scope)
        elif node.type == "return_statement":
            self.returned(node, scope)
        elif node.type == "expression_statement":
            for child in syntax.children(node):
                self.expression(child, scope, node)
        elif node.type not in _SILENT:
            self.uses(node, scope, node)
        if node.type in _ENDS:
            self.flush()
        return node.type not in _ENDS

    def finish(self) -> list[Site]:
        """Return the sites, runs completed, each once."""
        self.flush()
        return list(dict.fromkeys(self.sites))

    def _labeled(self, node: Node, scope: Scope) -> bool:
        """Behind a label nothing is known: whoever jumps there comes from anywhere."""
        self.flush()
        self.forget(scope, list(scope.variables))
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
        self.flush(touched)
        ends = []
        for condition, read in branches:
            branch = scope.copy()
            if condition:
                for name in touched & set(branch.variables):
                    branch.variables[name] = [replace(v, when=(*v.when, condition)) for v in branch.variables[name]]
            if read(branch):
                ends.append(branch)
            self.flush(touched)
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
            self.uses(condition, scope, node)
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
            self.uses(condition, scope, node)
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
        return True

    def _case(self, statements: Sequence[Node], *, fallen_into: bool) -> Callable[[Scope], bool]:
        touched = {n for s in statements for n in _assigned(s)}

        def read(branch: Scope) -> bool:
            if fallen_into:
                self.forget(branch, list(touched & set(branch.variables)))
            reaches = self.block(statements, branch)
            return reaches or any(s.type == "break_statement" for s in statements)

        return read

    def _loop(self, node: Node, scope: Scope) -> bool:
        """What a loop changes is an input of its own in it and behind it."""
        touched = _assigned(node)
        self.flush()
        self.forget(scope, list(touched & set(scope.variables)))
        inner = scope.copy()
        for child in syntax.children(node):
            if child.type == "declaration":
                self.declaration(child, inner)
            elif child.type.endswith(("statement", "statement_list")):
                self.statement(child, inner)
            else:
                self.expression(child, inner, node)
            self.flush()
        self.forget(scope, list(touched & set(scope.variables)))
        return True


_STRUCTURED: dict[str, Callable[[Reader, Node, Scope], bool]] = {
    "compound_statement": Reader._compound,  # noqa: SLF001 - the table of its own methods
    "if_statement": Reader._if,  # noqa: SLF001 - ditto
    "switch_statement": Reader._switch,  # noqa: SLF001 - ditto
    "labeled_statement": Reader._labeled,  # noqa: SLF001 - ditto
    **dict.fromkeys(_LOOPS, Reader._loop),  # noqa: SLF001 - ditto
    **dict.fromkeys(_BRANCHES, Reader._preprocessor),  # noqa: SLF001 - ditto
}


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
