# SPDX-License-Identifier: GPL-2.0-only
"""
The sites of one file: its functions and macros, and what of them the file itself defines.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..native.expressions import Piece
from . import syntax
from .evaluate import GFP_NAME, Scope, evaluate
from .flow import _ALLOCATES, Reader
from .values import INPUT, FileSites, Site, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tree_sitter import Node

_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n\\]|\\\r?\n|\\.)*)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
#: What may stand on a definition of the file in turn, at most.
_DEPTH = 4


def find(
    path: str, text: bytes, known: frozenset[str] = frozenset(), *, forwards: re.Pattern[str] | None = None
) -> FileSites:
    """
    Return the sites of the C file *path* with content *text*.

    :param known: what the GFP headers define: calls of these can be compiled
    :param forwards: also report masks that are handed to such functions as they are
    """
    clean = syntax.blanked(text)
    root = syntax.parse(clean)
    found = FileSites()
    macros = _macros(clean)
    functions: dict[str, list[Node]] = {}
    for node in _functions(root):
        name = syntax.declared(node.child_by_field_name("declarator"))
        if name is not None and node.child_by_field_name("body") is not None:
            functions.setdefault(syntax.source(name), []).append(node)
    filters = frozenset(n for n, nodes in functions.items() if any(_returns_mask(node) for node in nodes))
    outer = Scope(filters=filters, known=known | frozenset(macros) | frozenset(functions))
    for spelled, nodes in functions.items():
        for node in nodes:
            if b"gfp" in (node.text or b"") or b"GFP_" in (node.text or b""):
                found.sites += _function(path, spelled, node, outer, forwards)
                found.problems += _broken(node, spelled)
    for macro, definitions in macros.items():
        for line, definition in definitions:
            found.sites += _macro(path, macro, line, definition)
    defined = _Pieces(macros, functions, known)
    found.sites = [replace(s, needs=defined.needed(s.calls | s.names)) for s in sorted(found.sites, key=_place)]
    return found


def _place(site: Site) -> tuple[int, int]:
    return site.line, site.end_line


def _functions(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.type == "function_definition":
            yield child
        elif child.type.startswith("preproc_") or child.type in {"ERROR", "linkage_specification", "declaration_list"}:
            yield from _functions(child)


def pieces(text: bytes, names: frozenset[str]) -> tuple[Piece, ...]:
    """Return the definitions of *names* in C *text*, as far as it has each once."""
    clean = syntax.blanked(text)
    functions: dict[str, list[Node]] = {}
    for node in _functions(syntax.parse(clean)):
        name = syntax.declared(node.child_by_field_name("declarator"))
        if name is not None:
            functions.setdefault(syntax.source(name), []).append(node)
    return _Pieces(_macros(clean), functions, frozenset()).needed(names)


def _function(path: str, name: str, node: Node, outer: Scope, forwards: re.Pattern[str] | None) -> list[Site]:
    reader = Reader(path, name, returns_mask=_returns_mask(node), forwards=forwards)
    scope = outer.copy()
    body = node.child_by_field_name("body") or node
    for parameter in _parameters(node):
        declared = syntax.declared(parameter.child_by_field_name("declarator"))
        if declared is None:
            continue
        spelled = syntax.source(declared)
        if syntax.is_gfp_type(parameter) and not syntax.is_pointer(parameter.child_by_field_name("declarator")):
            scope.variables[spelled] = [Value(INPUT, spelled, "parameter", masks=True)]
        else:
            scope.others.add(spelled)
    reader.block(syntax.children(body), scope)
    return [_with_callee(s, body) for s in reader.finish()]


def _with_callee(site: Site, body: Node) -> Site:
    """What the mask is given to later on, a function that allocates where there is one."""
    if site.callee or site.kind not in {"assignment", "initialiser"}:
        return site
    callees = []
    for node in syntax.walk(body):
        if node.type == "call_expression" and node.end_point[0] + 1 > site.line:
            callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            if callee and arguments and site.variable in {syntax.source(a) for a in syntax.children(arguments)}:
                callees.append(syntax.source(callee))
    best = next((c for c in callees if _ALLOCATES.search(c)), callees[0] if callees else "")
    return replace(site, callee=best)


def _returns_mask(node: Node) -> bool:
    return syntax.is_gfp_type(node) and not _returns_pointer(node)


def _returns_pointer(node: Node) -> bool:
    declarator = node.child_by_field_name("declarator")
    return declarator is not None and declarator.type == "pointer_declarator"


def _parameters(node: Node) -> list[Node]:
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator")
    listed = declarator.child_by_field_name("parameters") if declarator is not None else None
    return [c for c in syntax.children(listed) if c.type == "parameter_declaration"] if listed is not None else []


def _broken(node: Node, name: str) -> Iterator[tuple[int, str]]:
    """Statements that cannot be read and that name a mask."""
    if not node.has_error:
        return
    for one in syntax.walk(node):
        if one.type == "ERROR" and re.search(rb"\bgfp|GFP_", one.text or b""):
            yield syntax.line(one), f"{name}(): {syntax.source(one)[:60]}"


def _macros(text: bytes) -> dict[str, list[tuple[int, str]]]:
    """The macros of a file: line and text of each definition."""
    found: dict[str, list[tuple[int, str]]] = {}
    at, line = 0, 1
    for match in _DEFINE.finditer(text):
        line += text.count(b"\n", at, match.start())
        at = match.start()
        spelled = match.group().decode(errors="replace").lstrip()
        found.setdefault(match.group(1).decode(), []).append((line, spelled))
    return found


def _macro(path: str, name: str, line: int, text: str) -> list[Site]:
    """A function-like macro whose body makes a mask of one of its arguments."""
    match = re.match(rf"#\s*define\s+{name}\(([\w\s,.\\]*)\)(.*)", text, re.DOTALL)
    if not match or "GFP_" not in match[2]:
        return []
    parameters = [p.strip() for p in match[1].replace("\\\n", " ").split(",") if p.strip()]
    body = match[2].replace("\\\n", " ").replace("\\\r\n", " ").strip()
    root = syntax.parse(syntax.blanked(f"int f(void) {{ return {body}; }}".encode()))
    if root.has_error:
        return []
    returned = next((n for n in syntax.walk(root) if n.type == "return_statement"), None)
    if returned is None:
        return []
    scope = Scope({p: [Value(INPUT, p, "parameter", masks=True)] for p in parameters})
    reader = Reader(path, name)
    made = []
    for value in (v for child in syntax.children(returned) for v in evaluate(child, scope)):
        gfp = any(GFP_NAME.match(n) for n in value.names)
        if value.derived and gfp and not value.problem:
            site = reader._site("macro", value, returned, "macro")  # noqa: SLF001 - a function of one statement
            end = line + text.count("\n")
            made.append(
                replace(site, line=line, end_line=end, lines=(line,), text=" ".join(text.replace("\\\n", " ").split()))
            )
    return made


class _Pieces:
    """The definitions of a file, as an expression may need them."""

    def __init__(
        self, macros: Mapping[str, list[tuple[int, str]]], functions: Mapping[str, list[Node]], known: frozenset[str]
    ) -> None:
        self.known = known
        self.macros = macros
        self.functions = functions
        self.made: dict[str, Piece | None] = {}

    def needed(self, names: frozenset[str], depth: int = 0) -> tuple[Piece, ...]:
        """The pieces that *names* stand on, as far as this file defines them once."""
        found = (self._piece(name, depth) for name in sorted(names - self.known))
        return tuple(p for p in found if p is not None)

    def _piece(self, name: str, depth: int) -> Piece | None:
        if name in self.made:
            return self.made[name]
        self.made[name] = None
        texts = [text for _, text in self.macros.get(name, [])]
        kind = "macro"
        if not texts and name in self.functions:
            kind = "function"
            texts = [(n.text or b"").decode(errors="replace") for n in self.functions[name]]
        if len(set(texts)) != 1 or depth > _DEPTH:
            return None
        needs = self.needed(frozenset(_WORD.findall(texts[0])) - {name}, depth + 1)
        self.made[name] = Piece(name, kind, texts[0], needs)
        return self.made[name]
