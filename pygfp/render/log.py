# SPDX-License-Identifier: GPL-2.0-only
"""
What stands behind the lines of a log, what is said at its end, and the masks of a log as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..decode import fits
from ..explaining.cubes import phrase
from ..releases import reference
from . import json as common
from .decode import mask_json, span
from .style import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..decoding.annotate import Annotator, Finding, Kernel

#: What every added line begins with: without those lines the log is what it was.
MARK = "    pygfp: "
# Different meanings of one mask that are told.
_TOLD = 2
# A difference that is longer than this says no more than that the release is another one.
_SHOWN = 80
# Different masks whose texts are remembered; a log has few.
_REMEMBERED = 4096


class Notes:
    """The lines behind the lines of a log, for people."""

    def __init__(self, kernel: Kernel, *, quiet: bool, colour: bool) -> None:
        """Speak of *kernel*; a quiet one says only what is wrong."""
        self._kernel = kernel
        self._quiet = quiet
        self._colour = colour
        self._said: object = None
        self._texts: dict[Finding, bytes] = {}

    def show(self, finding: Finding, _line: int) -> bytes:
        """Return the lines behind the line that *finding* is in."""
        text = self._texts.get(finding)
        if text is None:
            if len(self._texts) > _REMEMBERED:
                self._texts.clear()
            text = self._texts[finding] = self._note(finding)
        if not text or self._kernel.candidates is self._said:
            return text
        first = self._said is None
        self._said = self._kernel.candidates
        return text if self._quiet or not (first or self._kernel.is_known) else self._heading() + text

    def more(self, untold: int) -> bytes:
        """Return the line that says how many masks of a line are not told."""
        return self._line(f"and {count(untold, 'mask')} more in this line")

    def _heading(self) -> bytes:
        if not self._kernel.is_known and self._kernel.named:
            likely = " and ".join(t.info.reference for t in self._kernel.candidates)
            said = f"the log says {self._kernel.named}, which pygfp does not know"
            return self._line(f"{said}; masks are read as in {likely}")
        if not self._kernel.is_known:
            return self._line("nothing says yet which release this is; masks are read as the releases do that fit")
        info = self._kernel.candidates[0].info
        why = f", as the log says {self._kernel.named}" if self._kernel.named == info.label else ""
        return self._line(f"masks are read as in {info.reference} ({info.reference_version}){why}")

    def _note(self, finding: Finding) -> bytes:
        if self._quiet and not finding.disagrees:
            return b""
        return self._line(_said(finding), wrong=finding.disagrees)

    def _line(self, text: str, *, wrong: bool = False) -> bytes:
        line = MARK + printable(text)
        if self._colour:
            line = f"\x1b[{'31;1' if wrong else '36'}m{line}\x1b[0m"
        return line.encode() + b"\n"


def _said(finding: Finding) -> str:
    mention = finding.mention
    if mention.is_too_wide:
        return f"{mention.text.decode()[:60]}: wider than 64 bits, not read"
    if not finding.decoded:
        return f"{mention.claimed}: {finding.differs}"
    if not finding.disagrees:
        return _means(finding)
    why = f" ({finding.differs})" if len(finding.differs) <= _SHOWN else ""
    fitting = [] if mention.value is None else fits(mention.value, mention.claimed or "")
    hint = span(fitting) or "no known release"
    return f"{_one(finding, -1)}, not {mention.claimed or 'nothing'} as the log says{why}; right in {hint}"


def _means(finding: Finding) -> str:
    """The value and its names; by release where they differ, the newest first."""
    found: dict[object, list[int]] = {}
    for n, (tables, decoded) in enumerate(finding.decoded):
        if tables in finding.fits:
            found.setdefault((decoded.value, decoded.flags, tuple(b.number for b in decoded.moving)), []).append(n)
    groups = list(found.values())[::-1]
    if len(groups) == 1:
        last = groups[0][-1]
        return f"{_one(finding, last)}: {finding.decoded[last][1].readings[0].context.short}"
    told = [f"{_one(finding, g[-1])} in {span(_releases(finding, g))}" for g in groups[:_TOLD]]
    rest = sorted(n for g in groups[_TOLD:] for n in g)
    return "; ".join(told) + (f"; something else in {span(_releases(finding, rest))}" if rest else "")


def _releases(finding: Finding, numbers: Sequence[int]) -> list[str]:
    return [finding.decoded[n][0].info.reference for n in numbers]


def _one(finding: Finding, number: int) -> str:
    """What the mask is on one kernel: names, and the bits that depend on the configuration apart from them."""
    tables, decoded = finding.decoded[number]
    if finding.mention.claimed in {r.names for r in decoded.readings}:
        # The log knows its own configuration.
        return f"{decoded.value:#x} {finding.mention.claimed}"
    steady = decoded.value & ~sum(1 << bit.number for bit in decoded.moving)
    names = tables.configs[0][1].format(steady)
    if not decoded.moving:
        return f"{decoded.value:#x} {names}"
    if not finding.is_known:
        bits = " and ".join(str(b.number) for b in decoded.moving)
        return f"{decoded.value:#x} {names} and what the configuration makes of bit {bits}"
    moving = []
    for bit in decoded.moving:
        for flags, configs in bit.meanings:
            which = " and ".join(n.removeprefix("__GFP_") for n in flags) or "no flag"
            moving.append(f"bit {bit.number} is {which} {phrase(configs, tables.assignments)}")
    return f"{decoded.value:#x} {names}, {'; '.join(moving)}"


def summary(annotator: Annotator) -> Iterator[str]:
    """Return what to tell a user when the log has ended, a line each."""
    counts, kernel = annotator.counts, annotator.kernel
    wrong = f"{counts.disagreements:,} of those wrong" if counts.disagreements else "all of those right"
    names = f", {counts.claims:,} with names, {wrong}" if counts.claims else ""
    yield f"{count(counts.masks, 'mask')}{names}"
    if not kernel.is_known and counts.masks:
        fitting = ", ".join(t.info.reference for t in kernel.candidates)
        unknown = f"the log says {kernel.named}, which pygfp does not know" if kernel.named else ""
        yield f"{unknown or 'no line says which release this is'}; these fit: {fitting} (--release chooses one)"
    elif kernel.named and reference(kernel.named).name != kernel.candidates[0].info.reference:
        info = kernel.candidates[0].info
        yield f"the log says that it is of {kernel.named}; it was read as {info.label} ({info.reference}), as asked"
    if counts.unread:
        yield f"{count(counts.unread, 'line')} of more than 16 MiB went through unread"


class JsonMasks:
    """The masks of a log as JSON, written one by one: a log may have any number of them."""

    def __init__(self, kernel: Kernel) -> None:
        """Speak of *kernel*."""
        self._kernel = kernel
        self._first = True
        self._texts: dict[Finding, bytes] = {}

    def head(self) -> bytes:
        """Return what opens the object."""
        return b'{\n "schema": "pygfp.decode/1",\n "masks": ['

    def show(self, finding: Finding, line: int) -> bytes:
        """Return one member of ``masks``."""
        comma, self._first = (b"" if self._first else b","), False
        text = self._texts.get(finding)
        if text is None:
            if len(self._texts) > _REMEMBERED:
                self._texts.clear()
            text = self._texts[finding] = json.dumps(_finding_json(finding))[1:].encode()
        return b'%b\n  {"line": %d, %b' % (comma, line, text)

    def tail(self, annotator: Annotator, exit_status: int) -> bytes:
        """Return what closes the object."""
        kernel = self._kernel
        info = kernel.candidates[0].info if kernel.is_known else None
        rest = {
            "source": common.source(info) if info else None,
            "exit": exit_status,
            "fits": [t.info.reference for t in kernel.candidates],
            "notes": list(summary(annotator)),
        }
        return b"\n ],\n" + common.dump(rest)[2:].encode()


def _finding_json(finding: Finding) -> dict[str, object]:
    mention = finding.mention
    found: dict[str, object] = {"value": None, "names": None, "flags": [], "unknown": None}
    if finding.decoded:
        # Of several kernels the newest that fits.
        decoded = [d for t, d in finding.decoded if t in finding.fits] or [d for _, d in finding.decoded]
        found = mask_json(decoded[-1])
        del found["readings"]
    return {
        **found,
        "claimed": mention.claimed,
        "agrees": None if mention.claimed is None else not finding.disagrees,
        "differs": finding.differs or None,
        "text": mention.text.decode(),
        "releases": [t.info.reference for t in finding.fits],
    }
