# SPDX-License-Identifier: GPL-2.0-only
"""
The verbatim subset: which text of a source is compiled, byte for byte and at its own line numbers.

``gfp_types.h`` and ``gfp.h`` are taken whole. From their neighbours only the wanted definitions are
kept; everything else is blanked in place. No kept line is ever edited.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .errors import ExtractionError
from .refuse import refuse
from .scan import Definition, Scan, scan
from .sources import STANDS_IN, csrc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .sources import Source

#: Compiled whole, in the order in which a unit includes them.
WHOLE = ("include/linux/gfp_types.h", "include/linux/gfp.h")

#: Neighbours, and the names whose definitions are taken from each besides the wanted helpers.
_TYPES = "include/linux/types.h"
_MMZONE = "include/linux/mmzone.h"
_INTERNAL = "mm/internal.h"
_NEEDED = {_TYPES: ("gfp_t",), _MMZONE: ("ZONE_NORMAL", "MIGRATE_MOVABLE", "ZONELIST_FALLBACK")}
_NEIGHBOURS = ("include/linux/sched/mm.h", _INTERNAL, "mm/page_alloc.h", "mm/kmemleak.c")
_INTERNAL_MASK = re.compile(r"GFP_\w+_MASK\Z")
# What the bytes of a text become that is blanked: its lines stay.
_BLANK = bytes(c if c == ord("\n") else ord(" ") for c in range(256))
_MASK_NAME = re.compile(r"(?:__)?GFP_\w+\Z")


@dataclass(frozen=True)
class LeftOut:
    """A piece that is not compiled: where it stands and why it was left out."""

    path: str
    line: int
    name: str
    reason: str


@dataclass(frozen=True)
class Helper:
    """
    A helper of the source, by name and place.

    :ivar name: C name
    :ivar definitions: its definitions, one per branch of the conditionals around them
    :ivar is_macro: it is a macro (also one that stands in front of a function of that name)
    """

    name: str
    definitions: tuple[Definition, ...]
    is_macro: bool

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the first definition."""
        return self.definitions[0].path, self.definitions[0].line


@dataclass(frozen=True)
class Subset:
    """
    What is compiled of a source.

    :ivar files: text to compile by kernel-relative path
    :ivar scans: every scanned file, whole
    :ivar definitions: what the compiled text defines
    :ivar order: the paths that a unit includes, in order
    :ivar helpers: candidates: functions and macros that take a ``gfp_t``
    :ivar constants: names of object-like ``GFP_*`` and ``__GFP_*`` macros
    :ivar stubs: names of includes that the tree has and pygfp does not: they get an empty shim
    :ivar left_out: pieces that are not compiled
    :ivar notes: what a user should know of the extraction
    :ivar broken: wanted names that occur in code and have no definition that can be cut out, with the place
    """

    files: Mapping[str, bytes]
    scans: Mapping[str, Scan]
    definitions: tuple[Definition, ...]
    order: tuple[str, ...]
    helpers: tuple[Helper, ...]
    constants: tuple[str, ...]
    stubs: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    broken: Mapping[str, ExtractionError] = field(default_factory=dict)


def extract(source: Source, wanted: Sequence[str] = ()) -> Subset:
    """
    Return the subset of *source* that is compiled.

    :param wanted: names of helpers to take from any watched file, whatever release they come from
    :raises ExtractionError: a type or enum that every helper needs occurs and cannot be cut out, or the text holds
        something that is never compiled
    """
    scans = {p: scan(p, source.files[p]) for p in (*WHOLE, _TYPES, _MMZONE, *_NEIGHBOURS) if p in source.files}
    notes = _stand_ins(scans)
    files: dict[str, bytes] = {}
    kept: dict[str, list[Definition]] = {path: _need(scans[path], needed) for path, needed in _NEEDED.items()}
    kept |= {path: list(scans[path].definitions) for path in WHOLE if path in scans}
    kept |= {path: chosen for path in _NEIGHBOURS if path in scans and (chosen := _wanted_of(scans[path], wanted))}
    for path, definitions in kept.items():
        files[path] = scans[path].text if path in WHOLE else slice_text(scans[path], definitions)
        refuse(path, _kept_code(scans[path].code, files[path]))
    stubs, missing = _stubs(source)
    return Subset(
        files=files,
        scans=scans,
        definitions=tuple(d for path, definitions in kept.items() for d in _inside(scans[path], definitions)),
        order=tuple(files),
        helpers=_helpers(scans, files, wanted),
        constants=_constants(scans),
        stubs=stubs,
        left_out=_cut_away(scans, files),
        notes=(*notes, *missing),
        broken=_broken(scans, wanted),
    )


def blank(subset: Subset, definition: Definition, reason: str) -> Subset:
    """Return *subset* with *definition* blanked in place: it does not compile in userspace."""
    text = bytearray(subset.files[definition.path])
    text[definition.start : definition.end] = re.sub(rb"[^\n]", b" ", bytes(text[definition.start : definition.end]))
    left = LeftOut(definition.path, definition.line, definition.name, reason)
    return replace(
        subset,
        files={**subset.files, definition.path: bytes(text)},
        left_out=(*subset.left_out, left),
    )


def slice_text(scanned: Scan, kept: Iterable[Definition]) -> bytes:
    """
    Return the text of *scanned* with all but *kept*, and the directives around it, blanked.

    A macro that such a directive tests, an include guard most often, is kept with it.
    """
    out = bytearray(scanned.text.translate(_BLANK))
    kept = list(kept)
    tested = {u for d in kept for u in d.uses}
    guards = [d for d in scanned.definitions if d.kind == "macro" and d.name in tested and d.name.endswith("_H")]
    for definition in (*kept, *guards):
        for start, end in ((definition.start, definition.end), *definition.directives):
            start_line = scanned.text.rfind(b"\n", 0, start) + 1
            stop = _whole_line(scanned, end)
            out[start_line:stop] = scanned.text[start_line:stop]
    return bytes(out) if kept else b""


def _kept_code(code: bytes, text: bytes) -> bytes:
    """The lines of *code* that are not blank in *text*, which was cut out of it."""
    pairs = zip(code.split(b"\n"), text.split(b"\n"), strict=False)
    return b"\n".join(line if kept.strip(b" ") else b"" for line, kept in pairs)


def _inside(scanned: Scan, kept: Sequence[Definition]) -> list[Definition]:
    """Every definition that stands in the text of *kept*: all enumerators of an enum, for one."""
    spans = {(d.start, d.end) for d in kept}
    return [d for d in scanned.definitions if (d.start, d.end) in spans]


def _whole_line(scanned: Scan, end: int) -> int:
    """Where the line that ends a definition ends, with the comment that may begin on it."""
    text = scanned.text
    if end and text[end - 1 : end] == b"\n":
        end -= 1
    stop = text.find(b"\n", end)
    stop = len(text) if stop < 0 else stop
    opened = text.rfind(b"/*", text.rfind(b"\n", 0, end) + 1, stop)
    # What a comment covers is blank in the code.
    if opened >= 0 and scanned.code[opened : opened + 2] == b"  " and text.find(b"*/", opened, stop) < 0:
        closed = text.find(b"*/", opened)
        stop = len(text) if closed < 0 else closed + 2
    return stop


def _stand_ins(scans: dict[str, Scan]) -> list[str]:
    """Where a tree lacks types.h or mmzone.h, pygfp's own text of them stands in, and is said to."""
    notes = []
    for path in _NEEDED:
        if path not in scans:
            scans[path] = scan(path, (csrc() / path).read_bytes())
            notes.append(f"{path} is not in this source; pygfp's own {STANDS_IN} for it")
    return notes


def _need(scanned: Scan, names: Sequence[str]) -> list[Definition]:
    kept = []
    for name in names:
        found = [d for d in scanned.definitions if d.name == name and d.kind in {"enumerator", "typedef"}]
        if not found:
            line = scanned.line_of(name)
            message = f"{name} is not defined here in a way that can be cut out; every GFP helper needs it"
            raise ExtractionError(message, file=scanned.path, line=line)
        kept += found
    return kept


def _wanted_of(scanned: Scan, wanted: Sequence[str]) -> list[Definition]:
    """The wanted helpers of a neighbour, its GFP masks, and the macros of that file that they use."""
    chosen = [
        d
        for d in scanned.definitions
        if (d.name in wanted and d.kind in {"function", "macro"})
        or (scanned.path == _INTERNAL and d.kind == "macro" and d.parameters is None and _INTERNAL_MASK.match(d.name))
    ]
    names = {d.name for d in chosen}
    todo = [u for d in chosen for u in d.uses]
    while todo:
        name = todo.pop()
        if name in names:
            continue
        more = [d for d in scanned.definitions if d.name == name and d.kind in {"macro", "undef"}]
        names.add(name)
        chosen += more
        todo += [u for d in more for u in d.uses]
    # A neighbour that only has masks of its own, or nothing, is not worth an include.
    return chosen


def _helpers(scans: Mapping[str, Scan], files: Mapping[str, bytes], wanted: Sequence[str]) -> tuple[Helper, ...]:
    found: dict[str, list[Definition]] = {}
    for path in files:
        for d in scans[path].definitions:
            if _is_candidate(d, scans[path], wanted):
                found.setdefault(d.name, []).append(d)
    return tuple(Helper(name, tuple(ds), any(d.kind == "macro" for d in ds)) for name, ds in found.items())


def _is_candidate(d: Definition, scanned: Scan, wanted: Sequence[str]) -> bool:
    if d.kind == "function":
        head = scanned.code[d.start : d.head_end]
        parameters = head[head.find(b"(") :]
        inline = re.search(rb"\bstatic\b", head) is not None
        if scanned.path in WHOLE:
            return d.name in wanted or (inline and re.search(rb"\bgfp_t\b", parameters) is not None)
        return d.name in wanted
    return d.kind == "macro" and d.name in wanted


def _constants(scans: Mapping[str, Scan]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for path in (*WHOLE, _INTERNAL):
        if path in scans:
            for d in scans[path].definitions:
                in_scope = path in WHOLE or _INTERNAL_MASK.match(d.name)
                if d.kind == "macro" and d.parameters is None and _MASK_NAME.match(d.name) and in_scope:
                    names[d.name] = None
    return tuple(names)


def _stubs(source: Source) -> tuple[tuple[str, ...], list[str]]:
    """The includes that get an empty shim, and notes on those that the tree lacks and pygfp has."""
    shims = csrc() / "shim"
    stubs, notes, shimmed = [], [], []
    for name, present in source.includes.items():
        if any(path in WHOLE or path in _NEEDED for path in (f"include/{name}", f"include/linux/{name}")):
            continue
        if os.path.isfile(shims / name):
            if not present:
                shimmed.append(f"include/{name}")
        elif present:
            stubs.append(name)
            notes.append(f"{name}, which the header includes, is unknown to pygfp and stands empty")
    if shimmed:
        notes.append(f"not in this source, so that pygfp's shims stand in: {', '.join(shimmed)}")
    return tuple(stubs), notes


def _cut_away(scans: Mapping[str, Scan], files: Mapping[str, bytes]) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(path, 0, "", "a neighbour: only the wanted definitions are kept")
        for path in files
        if path not in WHOLE and path in scans
    )


def _broken(scans: Mapping[str, Scan], wanted: Sequence[str]) -> dict[str, ExtractionError]:
    """Wanted names that occur in GFP header code and that no definition could be found for."""
    broken = {}
    defined = {d.name for s in scans.values() for d in s.definitions if d.kind in {"function", "macro"}}
    for name in wanted:
        if name in defined:
            continue
        for path in (*WHOLE, "mm/page_alloc.h"):
            if path in scans and (line := scans[path].line_of(name)):
                message = f"{name} occurs here, but no definition of it can be cut out of the watched files"
                broken[name] = ExtractionError(message, file=path, line=line)
                break
    return broken
