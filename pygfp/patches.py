# SPDX-License-Identifier: GPL-2.0-only
"""
Unified diffs as plain values: read, applied exactly, and reversed.

A hunk applies where its context and removed lines stand, byte for byte: at its line or, like ``git apply``,
at the nearest other place. Nothing is guessed: there is no fuzz.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from .errors import PatchError
from .places import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: |$)")
_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_NOWHERE = "/dev/null"
_SEARCH_LIMIT = 4_000_000


@dataclass(frozen=True)
class Hunk:
    """
    One hunk.

    :ivar number: 1-based, in its file
    :ivar header: its ``@@`` line
    :ivar start: 1-based line of the first of *old*; where *old* is empty, the line before the place
    :ivar old: the lines before, with their newlines
    :ivar new: the lines after
    :ivar leading: how many lines of context it begins with
    :ivar trailing: how many lines of context it ends with
    :ivar new_start: as *start*, for *new*
    """

    number: int
    header: str
    start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    leading: int
    trailing: int
    new_start: int


@dataclass(frozen=True)
class FileChange:
    """
    What a patch does to one file. Paths are kernel-relative.

    :ivar old_path: None where the file is created
    :ivar new_path: None where it is deleted
    :ivar old_id: start of the blob id before, in hex; all zeros where there is no file; ``""`` where the patch has none
    :ivar new_id: ditto after
    :ivar hunks: in order; none for a mere rename or change of mode
    :ivar copied: *new_path* is a copy, and *old_path* stays
    :ivar binary: the patch shows no text
    """

    old_path: str | None
    new_path: str | None
    old_id: str = ""
    new_id: str = ""
    hunks: tuple[Hunk, ...] = ()
    copied: bool = False
    binary: bool = False

    @property
    def path(self) -> str:
        """Return the path to call the file by."""
        return self.new_path or self.old_path or ""

    def reversed(self) -> FileChange:
        """Return the change that undoes this one."""
        hunks = tuple(replace(h, start=h.new_start, new_start=h.start, old=h.new, new=h.old) for h in self.hunks)
        old_path = None if self.copied else self.old_path
        return replace(
            self, old_path=self.new_path, new_path=old_path, old_id=self.new_id, new_id=self.old_id, hunks=hunks
        )


def lines_of(text: bytes) -> list[bytes]:
    r"""
    Return the lines of *text* with their newlines; only ``\n`` ends one.

    >>> lines_of(b"a\r\nb\x0c\nc")
    [b'a\r\n', b'b\x0c\n', b'c']
    """
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def parse(text: bytes) -> tuple[FileChange, ...]:
    """
    Return the changes in the diff *text*; what stands before, between and after them is skipped.

    :param text: output of ``diff -u`` or ``git diff``; where the headers end in CRLF, so does all of it
    :raises PatchError: cut short, counts that do not match, a path that leaves the tree
    """
    lines = lines_of(text)
    if any(line.startswith((b"diff --git ", b"+++ ")) and line.endswith(b"\r\n") for line in lines):
        lines = [line[:-2] + b"\n" if line.endswith(b"\r\n") else line for line in lines]
    return tuple(_changes(_Cursor(lines)))


def apply(change: FileChange, text: bytes | None, label: str = "the tree") -> bytes | None:
    """
    Return *text* as *change* leaves it; None stands for no file.

    :param label: what *text* is called in messages
    :raises PatchError: a hunk does not apply; names file, hunk, what was expected and what was found
    """
    if change.binary:
        message = f"{change.path}: a binary patch; expected a text diff of this file"
        raise PatchError(message, file=change.path)
    if change.old_path is None:
        if text is not None:
            message = f"{change.path}: the patch creates this file, and {label} has it already"
            raise PatchError(message, file=change.path)
    elif text is None:
        message = f"{change.old_path}: the patch changes this file, and {label} does not have it"
        raise PatchError(message, file=change.old_path)
    if change.old_path is None and not change.hunks and not _is_empty(change.new_id):
        message = f"{change.path}: the patch creates this file and does not show its text"
        raise PatchError(message, file=change.path)
    done = _applied(change, lines_of(text or b""), label)
    if change.new_path is not None:
        return b"".join(done)
    if done and change.hunks:
        message = f"{change.path}: the patch deletes this file, and {label} has lines of it that the patch does not"
        raise PatchError(message, file=change.path)
    return None


def _applied(change: FileChange, lines: list[bytes], label: str) -> list[bytes]:
    done: list[bytes] = []
    used = shift = 0
    for hunk in change.hunks:
        wanted = hunk.start - (1 if hunk.old else 0) + shift
        at = _place(hunk, lines, used, wanted)
        if at is None:
            _refuse(change, hunk, lines, min(max(wanted, used), len(lines)), label)
        done += lines[used:at]
        done += hunk.new
        used = at + len(hunk.old)
        shift += at - wanted
    return done + lines[used:]


# Where the hunk applies, the nearest to the wanted index; None where it does not.
def _place(hunk: Hunk, lines: list[bytes], used: int, wanted: int) -> int | None:
    size = len(hunk.old)
    context = hunk.leading or hunk.trailing
    last = len(lines) - size
    # As in git apply: a hunk of line 1 is the top, one without context at its end is the end of the file.
    first, final = used, last
    if context and hunk.start <= 1:
        final = min(final, 0)
    if context and not hunk.trailing:
        first = max(first, last)
    if not hunk.old:
        first, final = max(first, wanted), min(final, wanted)
    old = list(hunk.old)
    for at in _nearest(wanted, first, final):
        if lines[at : at + size] == old:
            return at
    return None


def _nearest(wanted: int, first: int, final: int) -> Iterator[int]:
    if first > final:
        return
    centre = min(max(wanted, first), final)
    yield centre
    for distance in range(1, max(final - centre, centre - first) + 1):
        if centre + distance <= final:
            yield centre + distance
        if centre - distance >= first:
            yield centre - distance


def _refuse(change: FileChange, hunk: Hunk, lines: list[bytes], at: int, label: str) -> NoReturn:
    path = change.old_path or change.path
    at = _closest(hunk, lines, at)
    matched = 0
    while matched < len(hunk.old) and at + matched < len(lines) and lines[at + matched] == hunk.old[matched]:
        matched += 1
    expected = _shown(hunk.old[matched]) if matched < len(hunk.old) else "the end of the file"
    found = _shown(lines[at + matched]) if at + matched < len(lines) else "the end of the file"
    message = (
        f"{path}: hunk {hunk.number} of {len(change.hunks)} ({hunk.header}) does not apply to {label}: "
        f"at line {at + matched + 1} expected {expected}, found {found}"
    )
    raise PatchError(message, file=path, hunk=hunk.number)


# Where most of the hunk's lines stand: the place that a message speaks of.
def _closest(hunk: Hunk, lines: list[bytes], at: int) -> int:
    if len(hunk.old) * len(lines) > _SEARCH_LIMIT:
        return at

    def likeness(start: int) -> tuple[int, int]:
        return sum(a == b for a, b in zip(hunk.old, lines[start:], strict=False)), -abs(start - at)

    return max(range(len(lines) + 1), key=likeness)


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace")
    return repr(text[:-1]) if text.endswith("\n") else f"{text!r} without a newline"


class _Cursor:
    """Lines of a patch and how far they are read."""

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


def _changes(cursor: _Cursor) -> Iterator[FileChange]:
    while not cursor.done:
        line = cursor.line()
        if line.startswith(b"diff --git "):
            yield _git_change(cursor)
        elif line.startswith((b"diff --cc ", b"diff --combined ")):
            message = f"line {cursor.at + 1}: a combined diff of a merge; expected one against a single parent"
            raise PatchError(message)
        elif _is_plain(cursor):
            yield _plain_change(cursor)
        elif _HUNK.match(line):
            message = (
                f"line {cursor.at + 1}: a hunk ({_header(line)}) that belongs to no file: the patch is damaged here"
            )
            raise PatchError(message)
        else:
            cursor.at += 1


def _is_plain(cursor: _Cursor) -> bool:
    return (
        cursor.line().startswith(b"--- ") and cursor.line(1).startswith(b"+++ ") and cursor.line(2).startswith(b"@@ ")
    )


def _plain_change(cursor: _Cursor) -> FileChange:
    old, new = _name(cursor.line()[4:]), _name(cursor.line(1)[4:])
    cursor.at += 2
    old_path, new_path = _paths(old, new, stripped=_has_prefix(old, new))
    return FileChange(old_path, new_path, hunks=tuple(_hunks(cursor, new_path or old_path or "")))


def _git_change(cursor: _Cursor) -> FileChange:
    start = cursor.at
    old, new = _names_of_header(cursor.line()[len(b"diff --git ") :])
    stripped = _has_prefix(old, new)
    facts: dict[bytes, bytes] = {}
    cursor.at += 1
    while (match := _EXTENDED.match(cursor.line())) and not cursor.done:
        facts[match[1]] = cursor.line()[match.end() :]
        cursor.at += 1
    if b"rename from " in facts or b"copy from " in facts:
        old, new = (_name(facts.get(b"rename " + k) or facts.get(b"copy " + k) or b"") for k in (b"from ", b"to "))
        stripped = False
    elif b"--- " in facts and b"+++ " in facts:
        old, new = _name(facts[b"--- "]), _name(facts[b"+++ "])
    old_path, new_path = _paths(
        _NOWHERE if b"new file mode " in facts else old,
        _NOWHERE if b"deleted file mode " in facts else new,
        stripped=stripped,
    )
    index = _INDEX.match(b"index " + facts.get(b"index ", b""))
    change = FileChange(
        old_path,
        new_path,
        old_id=index[1].decode() if index else "",
        new_id=index[2].decode() if index else "",
        copied=b"copy from " in facts,
        binary=b"GIT binary patch" in facts or b"Binary files " in facts,
    )
    change = replace(change, hunks=tuple(_hunks(cursor, change.path)))
    if not change.hunks and _promises_hunks(change, facts):
        message = (
            f"{change.path}: the patch is cut short after line {cursor.at}: expected a hunk (from line {start + 1})"
        )
        raise PatchError(message, file=change.path)
    return change


_EXTENDED = re.compile(
    rb"(old mode |new mode |deleted file mode |new file mode |copy from |copy to |rename from |rename to "
    rb"|similarity index |dissimilarity index |index |--- |\+\+\+ |GIT binary patch|Binary files )"
)


def _promises_hunks(change: FileChange, facts: dict[bytes, bytes]) -> bool:
    if change.binary:
        return False
    if b"--- " in facts or not facts:
        return True
    if change.old_path is None:
        return not _is_empty(change.new_id)
    # git format-patch --irreversible-delete shows no text of what goes.
    return change.new_path is not None and change.old_id != change.new_id


def _is_empty(blob: str) -> bool:
    return any(empty.startswith(blob) for empty in _EMPTY_BLOBS)


def _hunks(cursor: _Cursor, path: str) -> Iterator[Hunk]:
    number = 0
    while cursor.line().startswith(b"@@ "):
        number += 1
        yield _hunk(cursor, path, number)


def _hunk(cursor: _Cursor, path: str, number: int) -> Hunk:
    line = cursor.line()
    match = _HUNK.match(line)
    if match is None:
        _damaged(cursor, path, number, "expected '@@ -LINE,COUNT +LINE,COUNT @@'")
    start, n_old, new_start, n_new = (int(g) if g is not None else 1 for g in match.groups())
    cursor.at += 1
    kinds: list[bytes] = []
    sides: dict[bytes, list[bytes]] = {b"-": [], b"+": []}
    while len(sides[b"-"]) < n_old or len(sides[b"+"]) < n_new or cursor.line().startswith(b"\\"):
        # Mail programs trim the one space of an empty line of context.
        kind, rest = (cursor.line()[:1] or b" "), cursor.line()[1:] + b"\n"
        if cursor.done:
            counts = f"{n_old} old and {n_new} new lines, found {len(sides[b'-'])} and {len(sides[b'+'])}"
            _damaged(cursor, path, number, f"{_header(line)} announces {counts}: the patch is cut short")
        if kind == b"\\" and kinds:
            for side in b"-+" if kinds[-1] == b" " else kinds[-1]:
                lines = sides[bytes([side])]
                lines[-1] = lines[-1].removesuffix(b"\n")
        elif kind in b" -+" and _fits(kind, sides, n_old, n_new):
            kinds.append(kind)
            for side in b"-+" if kind == b" " else kind:
                sides[bytes([side])].append(rest)
        else:
            counts = f"{n_old} old and {n_new} new lines"
            _damaged(cursor, path, number, f"{_header(line)} announces {counts}, which the lines do not match")
        cursor.at += 1
    if _runs_on(cursor.line()) and not cursor.done:
        _damaged(cursor, path, number, f"{_header(line)} announces fewer lines than follow")
    joined = b"".join(kinds)
    return Hunk(
        number=number,
        header=_header(line),
        start=start,
        old=tuple(sides[b"-"]),
        new=tuple(sides[b"+"]),
        leading=len(joined) - len(joined.lstrip(b" ")),
        trailing=len(joined) - len(joined.rstrip(b" ")),
        new_start=new_start,
    )


def _fits(kind: bytes, sides: dict[bytes, list[bytes]], n_old: int, n_new: int) -> bool:
    return (kind == b"+" or len(sides[b"-"]) < n_old) and (kind == b"-" or len(sides[b"+"]) < n_new)


# Whether a line behind a hunk looks like one more of its lines, and not like a signature or the next file.
def _runs_on(line: bytes) -> bool:
    return line.startswith((b"+", b" ")) or (line.startswith(b"-") and not re.match(rb"--(?: |-|$)", line))


def _damaged(cursor: _Cursor, path: str, number: int, what: str) -> NoReturn:
    found = _shown(cursor.lines[cursor.at]) if not cursor.done else "the end of the patch"
    message = f"{path}: hunk {number}: {what}; found {found} at line {cursor.at + 1} of the patch"
    raise PatchError(message, file=path, hunk=number)


def _header(line: bytes) -> str:
    return line.decode(errors="replace").strip()


def _name(raw: bytes) -> str:
    """A file name as a diff header has it: quoted as C does, or up to a tab."""
    if raw.startswith(b'"'):
        return _unquoted(raw)
    return raw.partition(b"\t")[0].decode(errors="surrogateescape")


_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


def _unquoted(raw: bytes) -> str:
    inner = re.match(rb'"((?:[^"\\]|\\.)*)"', raw)

    def plain(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 0xFF]) if code.isdigit() else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|.)", plain, inner[1] if inner else raw).decode(errors="surrogateescape")


def _names_of_header(raw: bytes) -> tuple[str, str]:
    """The two names of a ``diff --git`` line; names with spaces are told apart by being the same."""
    quoted = re.fullmatch(rb'("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)', raw)
    if quoted:
        return _name(quoted[1]), _name(quoted[2])
    half = len(raw) // 2
    return _name(raw[:half]), _name(raw[half + 1 :])


def _has_prefix(old: str, new: str) -> bool:
    """Whether the first component tells the sides apart (``a/`` and ``b/``) and is no part of the path."""
    if _NOWHERE in (old, new):
        return True
    return old.split("/", maxsplit=1)[0] != new.split("/", maxsplit=1)[0] and "/" in old and "/" in new


def _paths(old: str, new: str, *, stripped: bool) -> tuple[str | None, str | None]:
    return tuple(_kernel_path(n, stripped=stripped) for n in (old, new))  # type: ignore[return-value]


def _kernel_path(name: str, *, stripped: bool) -> str | None:
    if name == _NOWHERE:
        return None
    path = name.partition("/")[2] if stripped and "/" in name else name
    if not (is_inside(name) and is_inside(path)):
        message = f"{name!r} leaves the tree; expected a path below its top"
        raise PatchError(message, file=name)
    return path


def paths_of(changes: Iterable[FileChange]) -> set[str]:
    """Return every path that *changes* name."""
    return {p for c in changes for p in (c.old_path, c.new_path) if p is not None}
