# SPDX-License-Identifier: GPL-2.0-only
"""
A log on its way through: the same bytes, with more behind each line that holds a mask.

Which kernel the log is of is asked for, or read in the log, or narrowed down by the names that the log gives its masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..config import Selection
from ..decode import Decoded, decode
from ..releases import rows, version_key
from . import logs
from .tables import Tables, of_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .logs import Mention

#: A line may grow to this many bytes while its end is waited for; a longer one goes through unread.
LONGEST_LINE = 16 << 20
#: Different masks that are remembered; a log has few.
_REMEMBERED = 4096
_NEWLINE = 10
#: Masks of one line that are told behind it; the rest is counted.
MOST_NOTES = 50


@dataclass(frozen=True, eq=False)
class Finding:
    """
    A mask of a log, read.

    :ivar decoded: what it means on each kernel that the log may be of
    :ivar fits: the kernels on which the names of the log are right; all of them where it gives none
    :ivar differs: what is wrong with those names where no kernel fits
    :ivar is_known: the log is known to be of one kernel
    """

    mention: Mention
    decoded: tuple[tuple[Tables, Decoded], ...]
    fits: tuple[Tables, ...]
    differs: str
    is_known: bool

    @property
    def disagrees(self) -> bool:
        """Whether the log gives it names that the kernel does not."""
        return not self.fits


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


class Kernel:
    """
    The kernel that a log is of, as far as it is known.

    :ivar candidates: the kernels that it can be
    :ivar is_known: it is one, because the user or the log says so
    :ivar named: the release that the log itself says last, or None
    """

    def __init__(self, asked: Tables | None, selection: Selection | None = None) -> None:
        """Begin with the kernel *asked* for, or with every release."""
        self._selection = selection or Selection()
        self._asked = asked is not None
        self.is_known = self._asked
        self.named: str | None = None
        self.candidates: Sequence[Tables] = [asked] if asked else self._every()

    def _every(self) -> list[Tables]:
        return [of_release(row.version, self._selection) for row in rows()]

    def hear(self, release: str) -> bool:
        """Take in that the log says it is of *release*; return whether that changes anything."""
        if release == self.named:
            return False
        self.named = release
        if self._asked:
            return False
        found = of_release(release, self._selection)
        # A release that pygfp does not know may be as the one before it or as the one after.
        after = (
            [row.version for row in rows() if version_key(row.version) > version_key(release)] if found.notes else []
        )
        self.candidates = [found, *(of_release(version, self._selection) for version in after[:1])]
        self.is_known = not found.notes
        return True

    def narrow(self, finding: Finding) -> bool:
        """Keep the candidates that *finding* fits; return whether any is dropped."""
        if self.is_known or finding.disagrees or len(finding.fits) == len(self.candidates):
            return False
        self.candidates = finding.fits
        return True

    def read(self, mention: Mention) -> Finding:
        """Return what *mention* means."""
        decoded = tuple(d for tables in self.candidates for d in _decoded(mention, tables))
        wrong = {id(tables): _wrong(mention, tables) for tables in self.candidates}
        fits = tuple(t for t in self.candidates if not wrong[id(t)])
        if not self.is_known:
            # Releases print in different orders: of those that fit, the ones that print just that.
            exact = {id(t) for t, d in decoded if mention.claimed in {r.names for r in d.readings}}
            fits = tuple(t for t in fits if id(t) in exact) or fits
        differs = "" if fits else min(wrong.values(), key=len)
        return Finding(mention, decoded, fits, differs, self.is_known)


def _decoded(mention: Mention, tables: Tables) -> Iterator[tuple[Tables, Decoded]]:
    if mention.value is not None:
        yield tables, decode(mention.value, tables, mention.claimed)
    elif mention.claimed and not mention.is_too_wide and not _unknown(mention.claimed, tables):
        for value in dict.fromkeys(table.parse(mention.claimed) for _, table in tables.configs):
            yield tables, decode(value, tables)


def _wrong(mention: Mention, tables: Tables) -> str:
    """What is wrong with the names of *mention*; ``""`` where nothing is, or where there are none."""
    if mention.claimed is None or mention.is_too_wide:
        return ""
    if mention.value is not None:
        return decode(mention.value, tables, mention.claimed).differs
    unknown = _unknown(mention.claimed, tables)
    return f"{tables.info.reference} has no {', '.join(unknown)}" if unknown else ""


def _unknown(claimed: str, tables: Tables) -> list[str]:
    known = set(tables.names)
    return [p for p in claimed.split("|") if "GFP_" in p and p not in known]


@dataclass
class Annotator:
    """
    One log.

    :ivar kernel: the kernel that it is of
    :ivar show: returns what stands behind the line of a finding; is told its line number, from 1
    :ivar more: returns what is said of that many findings more in one line
    """

    kernel: Kernel
    show: Callable[[Finding, int], bytes]
    more: Callable[[int], bytes] = lambda _: b""
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self._rest: list[bytes] = []
        self._held = 0
        self._skips = False
        self._line = 1
        self._known: dict[bytes, Finding] = {}

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return what can be written once *data* has been read; a line without its end is held back."""
        if self._skips:
            # The rest of a line whose start has gone through.
            end = data.find(b"\n") + 1
            yield data[: end or len(data)]
            if not end:
                return
            self._skips = False
            self._line += 1
            data = data[end:]
        end = data.rfind(b"\n") + 1
        if end:
            yield from self._lines(b"".join((*self._rest, data[:end])))
            self._rest, self._held = [], 0
        if data[end:]:
            self._rest.append(data[end:])
            self._held += len(data) - end
        if self._held > LONGEST_LINE:
            yield from self._rest
            self._rest, self._held = [], 0
            self._skips = True
            self.counts.unread += 1

    def end(self) -> Iterator[bytes]:
        """Return what is left when the log ends."""
        yield from self._lines(b"".join(self._rest))
        self._rest, self._held = [], 0

    def _lines(self, block: bytes) -> Iterator[bytes]:
        """Whole lines, and what stands behind each."""
        pieces: list[bytes] = []
        notes: list[bytes] = []
        done = counted = end = untold = 0
        for at, text, named in logs.places(block):
            if at >= end:
                pieces += self._behind(block, done, end, notes, untold)
                done, notes, untold = end if notes else done, [], 0
                end = block.find(b"\n", at) + 1 or len(block)
            if named is not None:
                if self.kernel.hear(named):
                    self._known.clear()
                continue
            self._line += block.count(b"\n", counted, at)
            counted = at
            note = self._note(text)
            if note and len(notes) < MOST_NOTES:
                notes.append(note)
            elif note:
                untold += 1
        self._line += block.count(b"\n", counted)
        pieces += self._behind(block, done, end, notes, untold)
        yield b"".join((*pieces, block[end if notes else done :]))

    def _behind(self, block: bytes, done: int, end: int, notes: list[bytes], untold: int) -> list[bytes]:
        """What is not written yet of *block* up to *end*, and *notes*; nothing where there are none."""
        if not notes:
            return []
        # A log may end without a newline.
        newline = [] if block[end - 1] == _NEWLINE else [b"\n"]
        return [block[done:end], *newline, *notes, *([self.more(untold)] if untold else [])]

    def _note(self, text: bytes) -> bytes:
        finding = self._known.get(text)
        if finding is None:
            finding = self._read(text)
        counts = self.counts
        counts.masks += 1
        counts.claims += finding.mention.claimed is not None
        counts.disagreements += finding.disagrees
        return self.show(finding, self._line)

    def _read(self, text: bytes) -> Finding:
        mention = logs.mention(text)
        finding = self.kernel.read(mention)
        if self.kernel.narrow(finding):
            self._known.clear()
            finding = self.kernel.read(mention)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[text] = finding
        return finding
