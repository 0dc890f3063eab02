# SPDX-License-Identifier: GPL-2.0-only
"""
A log on its way through: the same bytes, with a line behind each line that holds a mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import logs
from .decode import Decoded, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .logs import Mention
    from .tables import Tables

#: A line may grow to this many bytes while its end is waited for; a longer one goes through unread.
LONGEST_LINE = 16 << 20
#: Different masks that are remembered; a log has few.
_REMEMBERED = 4096


@dataclass
class Counts:
    """
    What was found in a log.

    :ivar masks: masks
    :ivar claims: masks with names
    :ivar disagreements: of those, the ones whose names are wrong
    :ivar unread: lines too long to be read
    """

    masks: int = 0
    claims: int = 0
    disagreements: int = 0
    unread: int = 0


@dataclass
class Annotator:
    """
    One log.

    :ivar tables: the kernel that it is of
    :ivar note: returns the line that stands behind a mask, ``""`` for none
    """

    tables: Tables
    note: Callable[[Finding], str]
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self._rest: list[bytes] = []
        self._held = 0
        self._too_long = False
        self._known: dict[bytes, tuple[Finding, bytes]] = {}

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return what can be written once *data* has been read; a line without its end is held back."""
        end = data.rfind(b"\n") + 1
        if end:
            block = b"".join((*self._rest, data[:end])) if self._rest else data[:end]
            self._rest.clear()
            self._held = 0
            yield from self._lines(block)
        rest = data[end:]
        if not rest:
            return
        self._rest.append(rest)
        self._held += len(rest)
        if self._held > LONGEST_LINE:
            yield from self._rest
            self._rest.clear()
            self._held = 0
            self._too_long = True

    def end(self) -> Iterator[bytes]:
        """Return what is left when the log ends."""
        if self._rest:
            last = b"".join(self._rest)
            self._rest.clear()
            pieces = list(self._lines(last))
            yield from pieces

    def _lines(self, block: bytes) -> Iterator[bytes]:
        start = 0
        if self._too_long:
            # The rest of a line whose start has gone through.
            self.counts.unread += 1
            self._too_long = False
            start = block.find(b"\n") + 1
        done = 0
        for first, end in logs.lines_with_masks(block):
            if first < start:
                continue
            notes = self._notes(block[first:end])
            if notes:
                yield block[done:end]
                if block[end - 1 : end] != b"\n":
                    yield b"\n"
                yield notes
                done = end
        yield block[done:]

    def _notes(self, line: bytes) -> bytes:
        return b"".join(self._note(mention) for mention in logs.mentions(line))

    def _note(self, mention: Mention) -> bytes:
        known = self._known.get(mention.text)
        if known is None:
            finding = find(mention, self.tables)
            text = self.note(finding)
            known = finding, text.encode() if text else b""
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[mention.text] = known
        finding, note = known
        self.counts.masks += 1
        self.counts.claims += finding.mention.claimed is not None
        self.counts.disagreements += finding.disagrees
        return note


@dataclass(frozen=True)
class Finding:
    """
    A mask of a log, read.

    :ivar decoded: what it means; None where only names stand there, or the number is too wide
    :ivar value: what the names mean, where only names stand there
    """

    mention: Mention
    tables: Tables
    decoded: Decoded | None = None

    @property
    def disagrees(self) -> bool:
        """Whether the log gives it names that this kernel does not."""
        return self.decoded is not None and self.decoded.agrees is False


def find(mention: Mention, tables: Tables) -> Finding:
    """Return what *mention* means."""
    if mention.value is None or mention.too_wide:
        return Finding(mention, tables)
    return Finding(mention, tables, decode(mention.value, tables, mention.claimed))
