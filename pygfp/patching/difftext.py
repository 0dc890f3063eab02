# SPDX-License-Identifier: GPL-2.0-only
"""
Reading the text of a unified diff: ``diff -u``, ``git diff``, or the patch part of a mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

from ..errors import PatchError
from ..places import is_inside
from .patches import FileChange, Hunk, is_empty_blob, lines_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: |$)")
_EXTENDED = re.compile(
    rb"(old mode |new mode |deleted file mode |new file mode |copy from |copy to |rename from |rename to "
    rb"|similarity index |dissimilarity index |index |--- |\+\+\+ |GIT binary patch|Binary files )"
)
_BINARY = re.compile(rb"Binary files (.+) differ\Z")
_QUOTED = rb'"(?:[^"\\]|\\.)*"'
_TWO_NAMES = re.compile(rb"(" + _QUOTED + rb"|\S+) (" + _QUOTED + rb"|\S+)")
# How diff -N dates a file that is not there.
_EPOCH = re.compile(rb"\t(?:1970-01-01|1969-12-31) ")
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_NOWHERE = "/dev/null"


def parse(text: bytes) -> tuple[FileChange, ...]:
    """
    Return the changes in the diff *text*; what stands before, between and after them is skipped.

    :param text: where its file headers end in CRLF, all of it is taken as converted to CRLF on the way
    :raises PatchError: cut short, counts that do not match, a path that leaves the tree
    """
    lines = lines_of(text)
    if any(line.startswith((b"diff --git ", b"+++ ")) and line.endswith(b"\r\n") for line in lines):
        lines = [line[:-2] + b"\n" if line.endswith(b"\r\n") else line for line in lines]
    return tuple(_changes(_Cursor(lines)))


class _Cursor:
    """Lines of a patch, and how far they are read."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.at = 0

    def line(self, ahead: int = 0) -> bytes:
        """The line to come, without its newline; ``b""`` at the end."""
        index = self.at + ahead
        return self.lines[index].removesuffix(b"\n") if index < len(self.lines) else b""

    @property
    def done(self) -> bool:
        return self.at >= len(self.lines)

    def here(self) -> str:
        found = shown(self.line() + b"\n") if not self.done else "the end of the patch"
        return f"{found} at line {self.at + 1} of the patch"


def _changes(cursor: _Cursor) -> Iterator[FileChange]:
    while not cursor.done:
        line = cursor.line()
        if line.startswith(b"diff --git "):
            yield _git_change(cursor)
        elif line.startswith((b"diff --cc ", b"diff --combined ")):
            message = f"a merge, {cursor.here()}; expected a diff against one parent, as 'git diff REV^ REV' gives"
            raise PatchError(message)
        elif line.startswith(b"--- ") and cursor.line(1).startswith(b"+++ ") and cursor.line(2).startswith(b"@@ "):
            yield _plain_change(cursor)
        elif (match := _BINARY.match(line)) and b" and " in match[1]:
            before, _, after = match[1].rpartition(b" and ")
            path = _common(_name(before), _name(after))
            yield FileChange(path, path, binary=True)
            cursor.at += 1
        elif _HUNK.match(line):
            message = f"a hunk that belongs to no file: the patch is damaged above {cursor.here()}"
            raise PatchError(message)
        else:
            cursor.at += 1


def _plain_change(cursor: _Cursor) -> FileChange:
    before, after = cursor.line()[4:], cursor.line(1)[4:]
    cursor.at += 2
    path = _common(_name(before), _name(after))
    hunks = tuple(_hunks(cursor, path))
    return FileChange(
        None if _is_nowhere(before) else path,
        None if _is_nowhere(after) else path,
        hunks=hunks,
    )


def _git_change(cursor: _Cursor) -> FileChange:
    names = _names_of_header(cursor.line()[len(b"diff --git ") :])
    facts: dict[bytes, bytes] = {}
    cursor.at += 1
    while match := _EXTENDED.match(cursor.line()):
        facts[match[1]] = cursor.line()[match.end() :]
        cursor.at += 1
    old_path, new_path = _git_paths(names, facts)
    index = _INDEX.match(facts.get(b"index ", b""))
    change = FileChange(
        None if b"new file mode " in facts else old_path,
        None if b"deleted file mode " in facts else new_path,
        old_id=index[1].decode() if index else "",
        new_id=index[2].decode() if index else "",
        copied=b"copy to " in facts,
        binary=b"GIT binary patch" in facts or b"Binary files " in facts,
    )
    change = replace(change, hunks=tuple(_hunks(cursor, new_path)))
    if not change.hunks and _promises_hunks(change, facts):
        message = f"{change.path}: the patch is cut short: expected a hunk, found {cursor.here()}"
        raise PatchError(message, file=change.path)
    return change


def _git_paths(names: tuple[str, str], facts: dict[bytes, bytes]) -> tuple[str, str]:
    for verb in (b"rename ", b"copy "):
        if verb + b"from " in facts and verb + b"to " in facts:
            old, new = (_name(facts[verb + end]) for end in (b"from ", b"to "))
            return _inside(old), _inside(new)
    path = _common(*names)
    for side in (b"--- ", b"+++ "):
        name = _name(facts.get(side, b""))
        if name and name != _NOWHERE and not f"/{_inside(name)}".endswith(f"/{path}"):
            message = (
                f"{path}: the patch is damaged: its 'diff --git' line and {side.decode()}{name} name different files"
            )
            raise PatchError(message, file=path)
    return path, path


def _promises_hunks(change: FileChange, facts: dict[bytes, bytes]) -> bool:
    if change.binary:
        return False
    if b"--- " in facts or not facts:
        return True
    if change.old_path is None:
        return not is_empty_blob(change.new_id)
    # git format-patch --irreversible-delete shows no text of what goes.
    return change.new_path is not None and change.old_id != change.new_id


def _hunks(cursor: _Cursor, path: str) -> Iterator[Hunk]:
    number = 0
    while cursor.line().startswith(b"@@ "):
        number += 1
        yield _hunk(cursor, path, number)


@dataclass
class _Sides:
    """The lines of a hunk as they come in."""

    n_old: int
    n_new: int
    kinds: bytes = b""

    def __post_init__(self) -> None:
        self.old: list[bytes] = []
        self.new: list[bytes] = []

    @property
    def complete(self) -> bool:
        return len(self.old) == self.n_old and len(self.new) == self.n_new

    def of(self, kind: bytes) -> list[list[bytes]]:
        """The sides that a line of that first character stands on."""
        return {b" ": [self.old, self.new], b"-": [self.old], b"+": [self.new]}.get(kind, [])

    def add(self, kind: bytes, line: bytes) -> bool:
        """Add a line; False where the counts have no room for it, or it is no line of a hunk."""
        sides = self.of(kind)
        for side in sides:
            side.append(line)
        self.kinds += kind
        return bool(sides) and len(self.old) <= self.n_old and len(self.new) <= self.n_new

    def cut_newline(self) -> None:
        for side in self.of(self.kinds[-1:]):
            side[-1] = side[-1].removesuffix(b"\n")


def _hunk(cursor: _Cursor, path: str, number: int) -> Hunk:
    header = cursor.line()[:200].decode(errors="replace").strip()
    match = _HUNK.match(cursor.line())
    if match is None:
        _refuse(cursor, path, number, "expected '@@ -LINE,COUNT +LINE,COUNT @@'")
    start, n_old, new_start, n_new = (1 if g is None else int(g) for g in match.groups())
    sides = _Sides(n_old, n_new)
    cursor.at += 1
    while not sides.complete or cursor.line().startswith(b"\\"):
        line = cursor.line()
        if cursor.done:
            counts = f"{n_old} old and {n_new} new lines, there are {len(sides.old)} and {len(sides.new)}"
            _refuse(cursor, path, number, f"{header} announces {counts}: the patch is cut short")
        if line.startswith(b"\\"):
            sides.cut_newline()
        # Mail programs trim the one space of an empty line of context.
        elif not sides.add(line[:1] or b" ", line[1:] + b"\n"):
            _refuse(cursor, path, number, f"{header} announces {n_old} old and {n_new} new lines: these do not match")
        cursor.at += 1
    if _runs_on(cursor.line()):
        _refuse(cursor, path, number, f"{header} announces fewer lines than follow")
    context = len(list(takewhile(b" "[0].__eq__, reversed(sides.kinds))))
    leading = len(list(takewhile(b" "[0].__eq__, sides.kinds)))
    return Hunk(number, header, start, new_start, tuple(sides.old), tuple(sides.new), leading, context)


# Whether a line behind a hunk looks like one more of its lines, and not like a signature or the next file.
def _runs_on(line: bytes) -> bool:
    return line.startswith((b"+", b" ")) or (line.startswith(b"-") and not re.match(rb"--(?: |-|$)", line))


def _refuse(cursor: _Cursor, path: str, number: int, what: str) -> NoReturn:
    message = f"{path}: hunk {number}: {what}; found {cursor.here()}"
    raise PatchError(message, file=path, hunk=number)


def _is_nowhere(raw: bytes) -> bool:
    return _name(raw) == _NOWHERE or bool(_EPOCH.search(raw))


def _name(raw: bytes) -> str:
    """A file name as a diff header has it: quoted as in C, or up to a tab."""
    if raw.startswith(b'"'):
        return _unquoted(raw)
    return raw.partition(b"\t")[0].decode(errors="surrogateescape")


def _unquoted(raw: bytes) -> str:
    def plain(match: re.Match[bytes]) -> bytes:
        octal, code = match.groups()
        return bytes([int(octal, 8) & 0xFF]) if octal else _ESCAPES.get(code, code)

    inner = re.match(_QUOTED, raw)
    return re.sub(rb"\\(?:([0-7]{1,3})|(.))", plain, inner[0][1:-1] if inner else raw).decode(errors="surrogateescape")


def _names_of_header(raw: bytes) -> tuple[str, str]:
    """The two names of a ``diff --git`` line; names with spaces are as long as each other."""
    match = _TWO_NAMES.fullmatch(raw)
    if match:
        return _name(match[1]), _name(match[2])
    half = len(raw) // 2
    return _name(raw[:half]), _name(raw[half + 1 :])


def _inside(name: str) -> str:
    """The path *name* without empty and ``.`` components, if it stays in the tree."""
    path = "/".join(part for part in name.split("/") if part not in {"", "."})
    if not is_inside(name) or not path:
        message = f"{name!r} leaves the tree; expected a path below its top"
        raise PatchError(message, file=name)
    return path


def _common(old: str, new: str) -> str:
    """
    The path that both names end in: what differs before it (``a/`` and ``b/``, two directories) is no part of it.

    Of ``x.orig`` and ``x``, it is the second that patch(1) would take. One name alone has one directory in front.
    """
    names = [_inside(name).split("/") for name in (old, new) if name != _NOWHERE]
    if len(names) < 2:  # noqa: PLR2004 - two sides
        return "/".join(names[0][1:] or names[0]) if names else _inside(old)
    before, after = names
    if before == after and before[0] in {"a", "b"} and len(before) > 1:
        return "/".join(before[1:])
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(reversed(before), reversed(after), strict=False))))
    if same:
        return "/".join(after[-same:])
    return "/".join(after[1:] if before[0] != after[0] and len(after) > 1 else after)
