# SPDX-License-Identifier: GPL-2.0-only
"""
Unified diffs as plain values: read, applied exactly, and reversed.

A hunk applies where its context and removed lines stand, byte for byte: at its line or, like ``git apply``,
at the nearest other place. Nothing is guessed: there is no fuzz, and a hunk without context stays at its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from ..errors import PatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_NEXT = "; name the tree that the patch was made for as SOURCE, a directory or DIR@REV"
_SHOWN = 100
_SEARCH_LIMIT = 4_000_000


@dataclass(frozen=True)
class Hunk:
    """
    One hunk.

    :ivar number: 1-based, in its file
    :ivar header: its ``@@`` line
    :ivar start: 1-based line of the first of *old*; where *old* is empty, the line before the place
    :ivar new_start: the same for *new*
    :ivar old: the lines before, with their newlines
    :ivar new: the lines after
    :ivar leading: how many lines of context it begins with
    :ivar trailing: how many lines of context it ends with
    """

    number: int
    header: str
    start: int
    new_start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    leading: int
    trailing: int


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
            message = f"{change.path}: the patch creates this file, and {label} has it already{_NEXT}"
            raise PatchError(message, file=change.path)
    elif text is None:
        message = f"{change.old_path}: the patch changes this file, and {label} does not have it{_NEXT}"
        raise PatchError(message, file=change.old_path)
    if change.old_path is None and not change.hunks and not is_empty_blob(change.new_id):
        message = f"{change.path}: the patch creates this file and does not show its text"
        raise PatchError(message, file=change.path)
    done = _applied(change, lines_of(text or b""), label)
    if change.new_path is not None:
        return b"".join(done)
    if done and change.hunks:
        message = (
            f"{change.path}: the patch deletes this file, and {label} has lines of it that the patch does not{_NEXT}"
        )
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
    old = list(hunk.old)
    last = len(lines) - len(old)
    first, final = used, last
    if not (hunk.leading or hunk.trailing):
        # Without context nothing speaks for another place.
        first, final = max(first, wanted), min(final, wanted)
    else:
        # As in git apply: a hunk of line 1 is the top, one without context at its end is the end of the file.
        final = last if hunk.start > 1 else min(last, 0)
        first = used if hunk.trailing else max(used, last)
    return next((at for at in _nearest(wanted, first, final) if lines[at : at + len(old)] == old), None)


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
    path, at = change.path, _closest(hunk, lines, at)
    there = lines[at : at + len(hunk.old)]
    if there == list(hunk.old):
        reason = f"its lines stand at line {at + 1}, where it cannot be: it is of {_bound_to(hunk)}"
    else:
        there += [b""] * (len(hunk.old) - len(there))
        n = next(n for n, (expected, found) in enumerate(zip(hunk.old, there, strict=True)) if expected != found)
        reason = f"at line {at + n + 1} expected {shown(hunk.old[n])}, found {shown(there[n])}"
    of = f"{hunk.number} of {len(change.hunks)} ({hunk.header[:_SHOWN]})"
    message = f"{path}: hunk {of} does not apply to {label}: {reason}{_NEXT}"
    raise PatchError(message, file=path, hunk=hunk.number)


def _bound_to(hunk: Hunk) -> str:
    if not (hunk.leading or hunk.trailing):
        return f"line {hunk.start}, and has no context that speaks for another place"
    if hunk.start <= 1:
        return "the top of the file"
    return "a place after the hunk before it" if hunk.trailing else "the end of the file"


# Where most of the hunk's lines stand: the place that a message speaks of.
def _closest(hunk: Hunk, lines: list[bytes], at: int) -> int:
    size = len(hunk.old)
    if size * len(lines) > _SEARCH_LIMIT:
        return at

    def likeness(start: int) -> tuple[int, int]:
        there = lines[start : start + size]
        return sum(a == b for a, b in zip(hunk.old, there, strict=False)), -abs(start - at)

    return max(range(len(lines) + 1), key=likeness)


def shown(line: bytes) -> str:
    """Return *line* as messages show it; ``b""`` is the end of the file."""
    if not line:
        return "the end of the file"
    text = line.removesuffix(b"\n")
    ending = " without a newline" if text == line else ""
    return f"{text[:_SHOWN].decode(errors='replace')!r}{ending}"


def is_empty_blob(blob: str) -> bool:
    """Whether *blob*, which may be ``""``, is how the id of an empty file begins."""
    return any(empty.startswith(blob) for empty in _EMPTY_BLOBS)


def paths_of(changes: Iterable[FileChange]) -> set[str]:
    """Return every path that *changes* name."""
    return {p for c in changes for p in (c.old_path, c.new_path) if p is not None}
