# SPDX-License-Identifier: GPL-2.0-only
"""
Reading C as it stands with tree-sitter: what no grammar knows is blanked first, at equal length.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import tree_sitter_c
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_ANNOTATION = re.compile(
    rb"\b(?:__force|__bitwise__|__bitwise|__meminit|__init|__exit|__must_check|__pure|__malloc|__user|__iomem"
    rb"|__maybe_unused|__always_inline|noinline_for_stack|noinline|__ref|__cold|__sched|notrace|asmlinkage|__percpu"
    rb"|__rcu|__read_mostly|__always_unused|__noreturn|noinstr|__kprobes|__cpuidle|__visible|__weak|__net_init)\b"
    rb"|\b(?:__alloc_size|__realloc_size|__printf|__assume_aligned|__counted_by|__section|__acquires|__releases"
    rb"|__must_hold|__cond_acquires|__nonstring|__aligned|__attribute__)[ \t]*\((?:[^()\n]|\([^()\n]*\))*\)"
)
# A loop that a macro opens: "list_for_each_entry(a, b, c) {" is no C; "while (a, b, c) {" is.
_LOOP = re.compile(rb"\b(?=\w*for_each)(\w+)(?=[ \t]*\()")
# A type where a value should be, as in "alloc_percpu_gfp(struct one *, gfp)": the star goes, and the keyword.
_TYPE = re.compile(rb"\b(?:struct|union|enum)[ \t]+(?=\w+[ \t]*\*+[ \t]*,)|(?<!\*)\*+(?=[ \t]*,)")
_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)


def blanked(text: bytes) -> bytes:
    """Return *text* with annotations blanked and loop macros spelled as loops; offsets agree."""
    text = _ANNOTATION.sub(lambda m: b" " * len(m.group()), text)
    text = _TYPE.sub(lambda m: b" " * len(m.group()), text)
    return _LOOP.sub(lambda m: b"while".ljust(len(m.group(1))), text)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_c.language()))


def parse(text: bytes) -> Node:
    """Return the root of the syntax tree of *text*."""
    return _parser().parse(text).root_node


def source(node: Node) -> str:
    """Return the text of *node*, comments and line breaks folded."""
    text = (node.text or b"").decode(errors="replace")
    if node.type in {"identifier", "field_identifier"}:
        return text
    if "\n" not in text and "\t" not in text and "  " not in text and "/" not in text:
        return text.strip()
    return _SPACE.sub(" ", _COMMENT.sub(" ", text)).strip()


def condition(node: Node | None) -> str:
    """Return the text of a condition without the parentheses around it."""
    while node is not None and node.type == "parenthesized_expression" and len(children(node)) == 1:
        node = children(node)[0]
    return source(node) if node is not None else ""


def line(node: Node) -> int:
    """Return the 1-based line on which *node* starts."""
    return int(node.start_point[0]) + 1


def children(node: Node) -> list[Node]:
    """Return what *node* consists of besides punctuation and comments."""
    return [c for c in node.named_children if c.type != "comment"]


def walk(node: Node) -> Iterator[Node]:
    """Yield *node* and all below it, outermost first."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo.extend(reversed(one.children))


def declared(node: Node | None) -> Node | None:
    """Return the identifier at the bottom of a declarator."""
    while node is not None and node.type not in {"identifier", "field_identifier"}:
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next((c for c in children(node) if "declarator" in c.type or c.type == "identifier"), None)
        node = inner
    return node


def is_gfp_type(node: Node) -> bool:
    """Return whether declaration, parameter or function *node* names the type ``gfp_t``."""
    kind = node.child_by_field_name("type")
    return kind is not None and kind.text == b"gfp_t"


def is_pointer(declarator: Node | None) -> bool:
    """Return whether *declarator* declares a pointer, an array or a function."""
    while declarator is not None and declarator.type == "init_declarator":
        declarator = declarator.child_by_field_name("declarator")
    return declarator is not None and declarator.type != "identifier"
