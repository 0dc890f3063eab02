# SPDX-License-Identifier: GPL-2.0-only
"""
The sites of one file: its functions and macros, and what of them the file itself defines.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..native.expressions import Piece
from . import syntax
from .evaluate import GFP_NAME, Scope, evaluate
from .flow import Reader
from .masks import ALLOCATES
from .sift import candidates, returned_masks
from .values import INPUT, FileSites, Site, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tree_sitter import Node

_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n\\]|\\\r?\n|\\.)*)", re.MULTILINE)
_FILTER = re.compile(
    rb"^(?:static[ \t]+|inline[ \t]+|__always_inline[ \t]+)*gfp_t[ \t\n]+(\w+)[ \t]*\([^;{}]*\)\s*\{", re.MULTILINE
)
_FUNCTION = re.compile(
    rb"^(?:static|inline|gfp_t|bool|int|unsigned)\b[\w \t]*?\n?\b(\w+)[ \t]*\([^;{}()]*\)\s*\{", re.MULTILINE
)
_MASK = re.compile(rb"gfp|GFP_")
_WORD = re.compile(r"[A-Za-z_]\w*")
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*(?:include|pragma)", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
#: What may stand on a definition of the file in turn, at most.
_DEPTH = 4
#: Bytes of the longest function that is read, several times the longest that a kernel has of those with a mask, and
#: of what stands in front of a body that a macro opens.
_LONGEST = 64 << 10
_LONGEST_HEAD = 1 << 10


def find(
    path: str,
    text: bytes,
    known: frozenset[str] = frozenset(),
    *,
    forwards: re.Pattern[str] | None = None,
    sifted: bytes | None = None,
) -> FileSites:
    """
    Return the sites of the C file *path* with content *text*.

    :param known: what the GFP headers define: calls of these can be compiled
    :param forwards: also report masks that are handed to such functions as they are
    :param sifted: *text* without what can hold no site, at the same lines
    """
    file = _File(text, known)
    root = syntax.parse(syntax.blanked(text if sifted is None else sifted))
    found = FileSites()
    outer = Scope(
        filters=returned_masks(text), known=known, defines=file.defines, changes=file.changes, makes=file.makes
    )
    for name, node in _functions(root):
        if not _MASK.search(node.text or b""):
            continue
        if node.end_byte - node.start_byte > _LONGEST:
            found.problems.append((syntax.line(node), f"{name}() has more than {_LONGEST >> 10} KiB, and is not read"))
            continue
        try:
            found.sites += _function(path, name, node, outer, forwards)
        except RecursionError:
            found.problems.append((syntax.line(node), f"{name}() is nested too deeply to be read"))
        found.problems += _broken(node, name)
    found.problems += _lost(root)
    for macro in (m for many in file.defined.values() for m in many):
        if macro[2].startswith(b"(") and (b"GFP_" in macro[2] or b"gfp" in macro.group()):
            line = text.count(b"\n", 0, macro.start()) + 1
            spelled = macro.group().decode(errors="replace").lstrip()
            try:
                found.sites += _macro(path, macro[1].decode(), line, spelled)
            except RecursionError:
                found.problems.append((line, f"{macro[1].decode()}() is nested too deeply to be read"))
    found.sites = [replace(s, needs=file.needed(s.calls | s.names)) for s in sorted(found.sites, key=_place)]
    return found


def exported(text: bytes) -> list[Piece]:
    """Return the macros and inline functions of a header that another file may need to say what a mask is."""
    names = {m[1].decode() for m in _DEFINE.finditer(text) if b"GFP_" in m[2] or b"gfp" in m[2]}
    names |= {m[1].decode() for m in _FILTER.finditer(text) if b"static" in m.group()}
    return list(_File(text, frozenset()).needed(frozenset(names)))


def pieces(text: bytes, names: frozenset[str]) -> tuple[Piece, ...]:
    """Return the definitions of *names* in C *text*, as far as it has each once."""
    return _File(text, frozenset()).needed(names)


def _place(site: Site) -> tuple[int, int]:
    return site.line, site.end_line


_OPENED = {"translation_unit", "ERROR", "linkage_specification", "declaration_list"}


def _functions(node: Node) -> Iterator[tuple[str, Node]]:
    """The functions of a file by name, also those whose head is a macro: a body that stands alone."""
    todo = [node]
    while todo:
        child = todo.pop()
        if child.type == "function_definition":
            declared = syntax.declared(child.child_by_field_name("declarator"))
            if declared is not None:
                yield syntax.source(declared), child
        elif child.type == "compound_statement":
            head = child.prev_named_sibling
            yield _spelled(syntax.source(head) if head is not None else ""), child
        elif child.type.startswith("preproc_") or child.type in _OPENED:
            todo += reversed(child.children)


def _spelled(head: str) -> str:
    """The name of a function whose head the grammar does not know, SYSCALL_DEFINE2(name, ...) for one."""
    if len(head) > _LONGEST_HEAD:
        return ""
    match = re.search(r"(\w+)\s*\(\s*(\w*)[^()]*\)\s*;?\Z", head) or re.search(r"(\w+)\s*\(\s*(\w*)", head)
    return "" if match is None else match[2] if match[1].isupper() and match[2] else match[1]


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
    reader.exposed = _exposed(body)
    for mask in reader.exposed & set(scope.variables):
        scope.variables[mask] = [replace(v, origin="local") for v in scope.variables[mask]]
    reader.block(syntax.children(body), scope)
    sites = reader.finish()
    calls = _calls(body) if sites else {}
    return [_with_callee(s, calls) for s in sites]


def _exposed(body: Node) -> set[str]:
    """The variables whose address is kept: in another variable, in a member, in an initialiser."""
    if b"&" not in (body.text or b""):
        return set()
    kept = {"init_declarator", "assignment_expression", "initializer_pair", "initializer_list", "return_statement"}
    return {
        syntax.source(one)[1:].strip("() ")
        for parent in syntax.walk(body)
        if parent.type in kept
        for one in parent.children
        if one.type == "pointer_expression"
    }


def _calls(body: Node) -> dict[str, list[tuple[int, str]]]:
    """The calls of a function by what is given to them, as it is spelled: the last line of each, and the callee."""
    found: dict[str, list[tuple[int, str]]] = {}
    for node in syntax.walk(body):
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if node.type == "call_expression" and callee and arguments:
            for given in dict.fromkeys(syntax.source(a) for a in syntax.children(arguments)):
                found.setdefault(given, []).append((node.end_point[0] + 1, syntax.source(callee)))
    return found


def _with_callee(site: Site, calls: Mapping[str, Sequence[tuple[int, str]]]) -> Site:
    """What the mask is given to later on, a function that allocates where there is one."""
    if site.callee or site.kind not in {"assignment", "initialiser"}:
        return site
    callees = [callee for line, callee in calls.get(site.variable, ()) if line > site.line]
    best = next((c for c in callees if ALLOCATES.search(c)), callees[0] if callees else "")
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


def _lost(root: Node) -> Iterator[tuple[int, str]]:
    """Text outside of any function that was read, and that may hold a site all the same."""
    for node in root.children:
        if node.type == "ERROR" and candidates(node.text or b""):
            yield syntax.line(node), f"cannot be read here: {syntax.source(node)[:60]}"


def _macro(path: str, name: str, line: int, text: str) -> list[Site]:
    """A function-like macro whose body makes a mask of one of its arguments."""
    match = re.match(rf"#\s*define\s+{name}\(([\w\s,.\\]*)\)(.*)", text, re.DOTALL)
    if not match:
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
        gfp = any(GFP_NAME.match(n) for n in value.names) or "gfp" in name or "gfp" in (value.root or "")
        if value.derived and gfp and not value.problem:
            site = reader.site("macro", value, returned, "macro")
            end = line + text.count("\n")
            made.append(
                replace(site, line=line, end_line=end, lines=(line,), text=" ".join(text.replace("\\\n", " ").split()))
            )
    return made


class _File:
    """The definitions of a file, looked up by name as an expression needs them."""

    def __init__(self, text: bytes, known: frozenset[str]) -> None:
        self.text = text
        self.known = known
        self.made: dict[str, Piece | None] = {}

    def defines(self, name: str) -> bool:
        """Whether the file defines macro or function *name*, in one way."""
        return self._piece(name, 0) is not None

    def changes(self, name: str) -> bool:
        """Whether the file defines a macro *name* that assigns to something."""
        return any(re.search(r"[&|^]=|[^=!<>]=[^=]", t) for t in self._macros(name)) and self.defines(name)

    def makes(self, name: str) -> bool:
        """Whether macro *name* makes a mask: in this file one of a single expression, else any spelled as a macro."""
        if name not in self.defined:
            return name.isupper() and not name.startswith(("WARN", "BUG", "VM_", "IS_", "__")) and len(name) > 1
        texts = self._macros(name)
        return any("GFP_" in t and not re.search(r";|\b[a-z]\w*\s*\(", t.partition(")")[2]) for t in texts)

    def needed(self, names: frozenset[str], depth: int = 0) -> tuple[Piece, ...]:
        """The pieces that *names* stand on, as far as this file defines them once."""
        found = (self._piece(n, depth) for n in sorted(names) if n not in self.known or n in self.defined)
        return tuple(p for p in found if p is not None)

    def _piece(self, name: str, depth: int) -> Piece | None:
        if name in self.made:
            return self.made[name]
        self.made[name] = None
        if depth > _DEPTH or name.encode() not in self.text:
            return None
        kind, texts = "macro", self._macros(name)
        if not texts:
            kind, texts = "function", self._functions(name)
        if len(set(texts)) != 1:
            return None
        words = frozenset(w for w in _WORD.findall(texts[0]) if len(w) > 1) - {name} - _KEYWORDS
        self.made[name] = Piece(name, kind, texts[0], self.needed(words, depth + 1))
        return self.made[name]

    @cached_property
    def defined(self) -> dict[str, list[re.Match[bytes]]]:
        """The macros of the file by name."""
        found: dict[str, list[re.Match[bytes]]] = {}
        if b"define" in self.text:
            for match in _DEFINE.finditer(self.text):
                found.setdefault(match[1].decode(), []).append(match)
        return found

    def _macros(self, name: str) -> list[str]:
        return [_piece_text(m.group()) for m in self.defined.get(name, [])]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Where functions start that begin in the first column and return a mask or a number."""
        found: dict[str, list[int]] = {}
        for match in _FUNCTION.finditer(self.text):
            found.setdefault(match[1].decode(), []).append(match.start())
        return found

    def _functions(self, name: str) -> list[str]:
        found = []
        for start in self._places.get(name, []):
            end = self.text.find(b"\n}", start)
            whole = self.text[start : end + 2 if end >= 0 else len(self.text)]
            if not _INCLUDE.search(whole):
                found.append(_piece_text(whole))
        return found


def _piece_text(text: bytes) -> str:
    """The text of a definition without comments, which a macro may have only the beginning of."""
    return _COMMENT.sub(" ", syntax.blanked(text).decode(errors="replace")).strip().rstrip("\\")


_KEYWORDS = frozenset(
    ("if", "else", "while", "for", "do", "return", "static", "inline", "const", "unsigned", "int", "long")
) | {
    *("bool", "gfp_t", "void", "struct", "define", "switch", "case", "break"),
}
