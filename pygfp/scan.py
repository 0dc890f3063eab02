# SPDX-License-Identifier: GPL-2.0-only
"""
What a C file defines, and under which conditions: the map that slices, closures and messages use.

tree-sitter reads the text as it stands, before any preprocessing. Nothing here decides what the text
means: that is the compiler's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import tree_sitter_c
from tree_sitter import Language, Parser, Query, QueryCursor

from .errors import ExtractionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

# Annotations that no C grammar knows; blanked to spaces of equal length, so that offsets stay.
_ANNOTATION = re.compile(
    rb"\b(?:__force|__bitwise__|__bitwise|__meminit|__init|__must_check|__pure|__malloc|__user|__iomem|__maybe_unused"
    rb"|__always_inline|noinline)\b"
    rb"|\b(?:__alloc_size|__realloc_size|__printf|__assume_aligned|__counted_by|__section)[ \t]*\([^()\n]*\)"
)
#: The longest file that is scanned has 400 in Linux 6.12; what is done for each of them adds up.
_MOST = 4000
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_CONDITIONALS = {"preproc_ifdef", "preproc_if", "preproc_else", "preproc_elif", "preproc_elifdef"}
_ALTERNATIVES = {"preproc_else", "preproc_elif", "preproc_elifdef"}
_CONTAINERS = {*_CONDITIONALS, "translation_unit", "linkage_specification", "declaration_list", "ERROR"}
# What is known of a definition grows with the conditionals around it. Those of real headers stand four deep.
_DEEPEST = 400


@dataclass(frozen=True)
class Definition:
    """
    One thing that a file defines.

    :ivar name: the identifier
    :ivar kind: ``function``, ``macro``, ``undef``, ``enumerator``, ``tag``, ``typedef`` or ``declaration``
    :ivar path: kernel-relative file
    :ivar line: 1-based first line
    :ivar end_line: 1-based last line
    :ivar start: first byte
    :ivar end: one past the last byte
    :ivar uses: identifiers in it, and in the conditions around it
    :ivar directives: byte ranges of the ``#if``, ``#else``, ``#endif`` lines around it
    :ivar parameters: how many parameters a function or function-like macro takes; else None
    :ivar head_end: for a function, the byte at which its body starts
    """

    name: str
    kind: str
    path: str
    line: int
    end_line: int
    start: int
    end: int
    uses: frozenset[str]
    directives: tuple[tuple[int, int], ...] = ()
    parameters: int | None = None
    head_end: int = 0


@dataclass(frozen=True)
class Scan:
    """
    One scanned file.

    :ivar path: kernel-relative file
    :ivar text: its bytes
    :ivar code: the same with comments and annotations blanked; offsets agree
    :ivar definitions: what it defines, in order
    """

    path: str
    text: bytes
    code: bytes
    definitions: tuple[Definition, ...]

    def line_of(self, name: str) -> int:
        """Return the 1-based line on which identifier *name* first occurs in code, or 0."""
        match = re.search(rf"\b{re.escape(name)}\b".encode(), self.code)
        return self.code.count(b"\n", 0, match.start()) + 1 if match else 0


# Most files of the two sides of a diff are the same.
@lru_cache(maxsize=32)
def scan(path: str, text: bytes) -> Scan:
    """
    Return what the C file *path* with content *text* defines.

    :raises ExtractionError: conditionals or enumerations are nested deeper than anybody could follow
    """
    blanked = _ANNOTATION.sub(lambda m: re.sub(rb"[^\n]", b" ", m.group()), text)
    root = _parser().parse(blanked).root_node
    code = bytearray(blanked)
    for node in _comments(root):
        code[node.start_byte : node.end_byte] = re.sub(rb"[^\n]", b" ", blanked[node.start_byte : node.end_byte])
    done = bytes(code)
    try:
        definitions = tuple(islice(_walk(root, _Context(path, done, frozenset(), ())), _MOST + 1))
    except RecursionError:
        raise ExtractionError("conditionals are nested hundreds deep; pygfp follows no such text", file=path) from None
    if len(definitions) > _MOST:
        raise ExtractionError(
            f"expected at most {_MOST} definitions, found more: this is no header of a kernel", file=path
        )
    return Scan(path, text, done, definitions)


@dataclass(frozen=True)
class _Context:
    path: str
    code: bytes
    conditions: frozenset[str]
    directives: tuple[tuple[int, int], ...]

    def identifiers(self, start: int, end: int) -> frozenset[str]:
        return frozenset(m.decode() for m in _IDENTIFIER.findall(self.code, start, end))

    def definition(
        self, node: Node, name: Node, kind: str, uses: frozenset[str] | None = None, **more: int | None
    ) -> Definition:
        uses = (self.identifiers(node.start_byte, node.end_byte) if uses is None else uses) | self.conditions
        end = node.end_byte
        # A directive's node ends behind its newline.
        end_line = node.end_point[0] + (0 if node.end_point[1] == 0 else 1)
        return Definition(
            name=_text(name),
            kind=kind,
            path=self.path,
            line=node.start_point[0] + 1,
            end_line=max(end_line, node.start_point[0] + 1),
            start=node.start_byte,
            end=end,
            uses=uses - {_text(name)},
            directives=self.directives,
            **more,  # type: ignore[arg-type]
        )

    def inside(self, node: Node) -> _Context:
        """The context of what stands inside conditional *node*."""
        first_line_end = self.code.find(b"\n", node.start_byte)
        condition = node.child_by_field_name("condition") or node.child_by_field_name("name")
        end = condition.end_byte if condition else first_line_end
        spans = [(node.start_byte, self.code.find(b"\n", end) if end >= 0 else node.end_byte)]
        spans += [(c.start_byte, c.end_byte) for c in node.children if c.type == "#endif"]
        spans += [_else_span(c, self.code) for c in node.children if c.type in _ALTERNATIVES]
        return _Context(
            self.path,
            self.code,
            self.conditions | self.identifiers(node.start_byte, end),
            (*self.directives, *spans),
        )


def _else_span(node: Node, code: bytes) -> tuple[int, int]:
    condition = node.child_by_field_name("condition") or node.child_by_field_name("name")
    return node.start_byte, code.find(b"\n", condition.end_byte if condition else node.start_byte)


def _walk(root: Node, context: _Context) -> Iterator[Definition]:
    for node, inner in _within(root, context, _CONTAINERS):
        define = _DEFINING.get(node.type)
        if define:
            yield from define(node, inner)


def _within(root: Node, context: _Context, opened: set[str]) -> Iterator[tuple[Node, _Context]]:
    """What stands in *root*, and in all of the types *opened* below it, in order, with the conditions around it."""
    todo = [(iter(root.children), context)]
    while todo:
        nodes, inner = todo[-1]
        node = next(nodes, None)
        if node is None:
            todo.pop()
        elif node.type not in opened:
            yield node, inner
        elif len(todo) > _DEEPEST:
            message = f"more than {_DEEPEST} conditionals stand in each other here; that is no header of a kernel"
            raise ExtractionError(message, file=context.path, line=node.start_point[0] + 1)
        else:
            todo.append((iter(node.children), inner.inside(node) if node.type in _CONDITIONALS else inner))


def _macro(node: Node, context: _Context) -> Iterator[Definition]:
    name = node.child_by_field_name("name")
    parameters = node.child_by_field_name("parameters")
    if name:
        count = len(parameters.named_children) if parameters else None
        yield context.definition(node, name, "macro", parameters=count)


def _undef(node: Node, context: _Context) -> Iterator[Definition]:
    argument = node.child_by_field_name("argument")
    if argument and _text(node.children[0]) == "#undef":
        yield context.definition(node, argument, "undef")


def _typedef(node: Node, context: _Context) -> Iterator[Definition]:
    for declarator in node.children_by_field_name("declarator"):
        yield context.definition(node, declarator, "typedef")
    yield from _tags(node, node, context)


def _declaration(node: Node, context: _Context) -> Iterator[Definition]:
    declared = _declared_name(node)
    if declared:
        yield context.definition(node, declared, "declaration")
    yield from _tags(node, node, context)


def _bare_tag(node: Node, context: _Context) -> Iterator[Definition]:
    yield from _tag(node, node, context)


def _function(node: Node, context: _Context) -> Iterator[Definition]:
    name = _declared_name(node)
    body = node.child_by_field_name("body")
    if name and body:
        yield context.definition(node, name, "function", head_end=body.start_byte, parameters=_arity(node))


def _arity(node: Node) -> int:
    """How many parameters a function takes; an unnamed ``void`` is none."""
    declarator = node.child_by_field_name("declarator")
    while declarator and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters") if declarator else None
    if parameters is None:
        return 0
    listed = [c for c in parameters.named_children if c.type in {"parameter_declaration", "variadic_parameter"}]
    return 0 if len(listed) == 1 and _text(listed[0]) == "void" else len(listed)


def _declared_name(node: Node) -> Node | None:
    """The identifier at the bottom of a declarator."""
    current = node.child_by_field_name("declarator")
    while current and current.type != "identifier":
        inner = current.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (c for c in current.named_children if c.type.endswith("declarator") or c.type == "identifier"), None
            )
        current = inner
    return current


def _tags(node: Node, outer: Node, context: _Context) -> Iterator[Definition]:
    for child in node.children:
        if child.type in {"enum_specifier", "struct_specifier", "union_specifier"}:
            yield from _tag(child, outer, context)


def _tag(node: Node, outer: Node, context: _Context) -> Iterator[Definition]:
    """A struct, union or enum that has a body; *outer* is the statement to cut out."""
    body = node.child_by_field_name("body")
    if body is None:
        return
    name = node.child_by_field_name("name")
    if name:
        yield context.definition(outer, name, "tag")
    if node.type == "enum_specifier":
        yield from _enumerators(body, outer, context)


def _enumerators(body: Node, outer: Node, context: _Context) -> Iterator[Definition]:
    """
    The enumerators of a list. What stands after one cannot change its value; what stands before can.

    Each uses the one before it, and through that whatever stands before that one.
    """
    start, before = body.start_byte, frozenset[str]()
    for child, _ in _within(body, context, _CONDITIONALS):
        name = child.child_by_field_name("name") if child.type == "enumerator" else None
        if name:
            uses = context.identifiers(start, child.end_byte) | before
            yield context.definition(outer, name, "enumerator", uses)
            start, before = child.end_byte, frozenset({_text(name)})


_DEFINING: dict[str, Callable[[Node, _Context], Iterator[Definition]]] = {
    "preproc_def": _macro,
    "preproc_function_def": _macro,
    "preproc_call": _undef,
    "function_definition": _function,
    "type_definition": _typedef,
    "declaration": _declaration,
    "enum_specifier": _bare_tag,
    "struct_specifier": _bare_tag,
    "union_specifier": _bare_tag,
}


def _comments(root: Node) -> list[Node]:
    parser_query = _comment_query()
    return QueryCursor(parser_query).captures(root).get("c", [])


@cache
def _language() -> Language:
    return Language(tree_sitter_c.language())


@cache
def _parser() -> Parser:
    return Parser(_language())


@cache
def _comment_query() -> Query:
    return Query(_language(), "(comment) @c")


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
