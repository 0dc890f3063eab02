# SPDX-License-Identifier: GPL-2.0-only
"""
One opened kernel: its build, out of the cache or made now, loaded into workers.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import struct
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import config
from ..errors import BuildError
from ..flags import FlagTable
from ..forms import MaskFilter, departure
from ..sources import csrc
from . import compiler as cc
from .cache import Cache, builder_digest
from .jobs import Tally
from .loops import loops
from .plan import Build, Constant, HelperPlan
from .pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..config import Assignment, Selection
    from ..forms import Form
    from ..sources import Source
    from .jobs import Job
    from .plan import SegmentPlan

    Loader = Callable[[Sequence[tuple[str, str]]], Sequence[Mapping[str, Any]]]

#: What the name of a compiler ends in where the build is the embedded default.
AT_INSTALL = ", at install time"

#: Where the segments of the second of two builds are numbered from.
AFTER = 1 << 16

# Stands for the form in what a proven form is kept under.
_NO_FORM = MaskFilter(0, 0)

#: Wider values do not fit the ABI.
MAX_GFP_T_BITS = 64


@dataclass
class Session:
    """
    A kernel that can be asked.

    :ivar build: what was built
    :ivar pool: the workers that hold it
    :ivar compiler: heading of the compiler, ``"compiled at install time"`` for the embedded default
    :ivar objects: path and sha256 of what is loaded
    :ivar timings: seconds by stage
    :ivar complaints: what a user should be told of the cache
    """

    source: Source
    selection: Selection
    build: Build
    pool: Pool
    compiler: str
    objects: Sequence[tuple[str, str]] = ()
    timings: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    _swept: dict[tuple[str | int, Job], Tally] = field(default_factory=dict)
    _forms: dict[tuple[str | int, Job], Form] = field(default_factory=dict)
    _mined: dict[object, Form | None] = field(default_factory=dict)

    def sweep(self, jobs: Sequence[Job]) -> list[Tally]:
        """
        Compare every input of every job, and return the tallies in order.

        Configurations in which a helper is the same machine code have one tally: it is swept in one of them. What
        has been swept and found to have a form is compared with another form by arithmetic.
        """
        keys = [(self._code(job.segment, job.helper), replace(job, segment=0)) for job in jobs]
        fresh: dict[tuple[str | int, Job], Job] = {}
        for key, job in zip(keys, jobs, strict=True):
            if key not in self._swept and not self._deduce(key):
                fresh.setdefault(key, job)
        for key, tally in zip(fresh, self.pool.sweep(list(fresh.values())), strict=True):
            self._swept[key] = tally
            if key[1].base == 0 and not tally.crash and not tally.mismatches and tally.inputs == key[1].count:
                self._forms[key[0], replace(key[1], form=_NO_FORM)] = key[1].form
        return [replace(self._swept[key]) for key in keys]

    def know(self, jobs: Iterable[Job]) -> None:
        """Take it as proven that each of *jobs* finds no difference."""
        for job in jobs:
            key = self._code(job.segment, job.helper), replace(job, segment=0)
            self._swept[key] = Tally(job.count)
            self._forms[key[0], replace(key[1], form=_NO_FORM)] = job.form

    def _deduce(self, key: tuple[str | int, Job]) -> bool:
        """Enter the tally of a job on code that is known to have another form; whether that could be done."""
        code, job = key
        known = self._forms.get((code, replace(job, form=_NO_FORM)))
        apart = departure(known, job.form, job.count.bit_length() - 1) if known and job.count.bit_count() == 1 else None
        if apart is not None:
            self._swept[key] = Tally(job.count, apart.n_inputs, apart.first, apart.smallest)
        return apart is not None

    def mine(self, segment: int, helper: str, n_bits: int, *, is_filter: bool, ungrouped: bool = False) -> Form | None:
        """
        Return the form that a helper looks like on inputs below ``2**n_bits``; None where none fits.

        :raises HelperCrashed: it crashes or does not return
        """
        key = self._code(segment, helper), helper, n_bits, is_filter, ungrouped
        if key not in self._mined:
            self._mined[key] = self.pool.mine(segment, helper, n_bits, is_filter=is_filter, ungrouped=ungrouped)
        return self._mined[key]

    def _code(self, segment: int, helper: str) -> str | int:
        """What tells the code of a helper from that in other segments; the segment where its code is not known."""
        return self._codes.get((segment, helper)) or segment

    @cached_property
    def _codes(self) -> dict[tuple[int, str], str]:
        return {(m.segment, h.name): m.code for h in self.build.helpers for m in h.meanings}

    def segment(self, assignment: Assignment) -> SegmentPlan | None:
        """Return the segment that has *assignment*, one that was built where there is a choice."""
        homes = [s for s in self.build.segments if assignment.items() <= s.assignment.items()]
        return min(homes, key=lambda s: bool(s.error), default=None)

    def choices(self, symbols: Sequence[str]) -> list[Assignment]:
        """Return the judged combinations of *symbols*."""
        return config.assignments(symbols, self.selection, self.build.word_bits)

    def table(self, segment: SegmentPlan, trace_order: Sequence[str] = ()) -> FlagTable:
        """Return the flags and composites of *segment*."""
        return flag_table(self.build, segment, trace_order)


def flag_table(build: Build, segment: SegmentPlan, trace_order: Sequence[str] = ()) -> FlagTable:
    """Return the flags and composites of one segment of *build*."""
    masks = {n: c.value for n, c in segment.constants.items() if c.is_gfp_t and n.lstrip("_").startswith("GFP_")}
    shift = segment.constants.get("__GFP_BITS_SHIFT")
    return FlagTable(masks, build.gfp_t_bits, shift.value if shift else None, trace_order)


def default_jobs() -> int:
    """Return how many processes run side by side: one a core."""
    return len(os.sched_getaffinity(0))


@contextmanager
def opened(
    source: Source,
    selection: Selection,
    wanted: Mapping[str, str],
    *,
    jobs: int | None = None,
    on_command: Callable[[str], None] | None = None,
) -> Iterator[Session]:
    """
    Build *source*, or take its build from the cache, and yield it loaded into *jobs* workers.

    :param wanted: C return type by name of the helpers to look for in every watched file
    :param jobs: worker processes; default: one a core
    :param on_command: is told what is run
    :raises BuildError: there is no compiler, or the header does not compile
    """
    count = jobs or default_jobs()
    with Pool(count) as pool:
        found = load(source, selection, wanted, pool.load, on_command=on_command)
        yield Session(
            source, selection, found.build, pool, found.compiler, found.objects, found.timings, found.complaints
        )


@dataclass(frozen=True)
class Loaded:
    """
    A build whose objects were given to somebody who loads them.

    :ivar objects: path and sha256 of each object
    :ivar compiler: as :class:`Session` has it, and so are the rest
    """

    build: Build
    objects: list[tuple[str, str]]
    compiler: str
    timings: dict[str, float]
    complaints: list[str] = field(default_factory=list)


def load(
    source: Source,
    selection: Selection,
    wanted: Mapping[str, str],
    loader: Loader,
    *,
    on_command: Callable[[str], None] | None = None,
) -> Loaded:
    """
    Build *source*, or take its build from the cache, and have *loader* load it.

    :param loader: loads objects, given by path and sha256, and returns the segments that they hold
    :raises BuildError: there is no compiler, or the header does not compile
    """
    request = _Request(source, selection, wanted, on_command)
    return _embedded(request, loader) or _cached(request, loader)


@contextmanager
def both(old: Session, new: Session, jobs: int) -> Iterator[Pool]:
    """Yield *jobs* workers that hold both builds; the segments of *new* are numbered from AFTER on."""
    with Pool(jobs) as pool:
        pool.load(old.objects)
        pool.load(new.objects, offset=AFTER)
        yield pool


@dataclass(frozen=True)
class _Request:
    """What :func:`load` was asked for."""

    source: Source
    selection: Selection
    wanted: Mapping[str, str]
    on_command: Callable[[str], None] | None


def _embedded(request: _Request, loader: Loader) -> Loaded | None:
    """The bundled subset as it was compiled at install time, if it is that text and has those configurations."""
    source, selection = request.source, request.selection
    if source.kind != "bundled":
        return None
    try:
        from pygfp import _bundled  # type: ignore[attr-defined] # noqa: PLC0415 - generated by build_ffi.py
    except ImportError:
        return None
    stored = json.loads(_bundled.ffi.string(_bundled.lib.pygfp_bundled_meta))
    if stored["digest"] != text_digest(source):
        return None
    build = Build.from_json(stored["build"])
    symbols = {s for h in build.helpers for s in h.symbols}
    if any(s in build.unreachable and selection.values(s, build.word_bits) != (False,) for s in symbols):
        return None
    started = time.monotonic()
    objects = [("bundled", "")]
    build = loaded(build, loader(objects), selection)
    timings = {"extract_s": 0.0, "compile_s": 0.0, "load_s": time.monotonic() - started}
    return Loaded(build, objects, stored["compiler"] + AT_INSTALL, timings)


def _cached(request: _Request, loader: Loader) -> Loaded:
    """The build of a source out of the cache, or made now."""
    compiler = cc.find()
    cache = Cache()
    timings = {"extract_s": 0.0, "compile_s": 0.0}
    try:
        key = _key(request, compiler)
        with cache.locked(key):
            found = cache.load(key)
            if found and request.on_command:
                request.on_command(f"# nothing is compiled: the build is in {cache.root / key}")
            build, objects = found or _make(request, compiler, cache, key, timings)
            objects = [*loops(compiler, cache, processor(), request.on_command), *objects]
        require_native(objects, compiler)
        started = time.monotonic()
        build = loaded(build, loader(objects), request.selection)
        timings["load_s"] = time.monotonic() - started
    finally:
        cache.close()
    complaints = [cache.complaint] if cache.complaint else []
    return Loaded(build, objects, compiler.name, timings, complaints)


def _make(
    request: _Request, compiler: cc.Compiler, cache: Cache, key: str, timings: dict[str, float]
) -> tuple[Build, list[tuple[str, str]]]:
    from ..extract import extract  # noqa: PLC0415 - a build that is in the cache needs no parser
    from . import build as building  # noqa: PLC0415 - ditto

    started = time.monotonic()
    subset = extract(request.source, tuple(request.wanted))
    extracted = time.monotonic()
    with cache.workdir() as workdir:
        build = building.build(
            subset, request.selection, compiler, workdir, request.wanted, on_command=request.on_command
        )
        objects = cache.store(key, build, workdir)
    timings["extract_s"] = extracted - started
    timings["compile_s"] = time.monotonic() - extracted
    return build, objects


def loaded(build: Build, answer: Sequence[Mapping[str, Any]], selection: Selection) -> Build:
    """Return *build* with the constants that its objects hold, and only the configurations asked for."""
    held = {s["index"]: s for s in answer}
    segments = [
        replace(s, constants={n: Constant(*c) for n, c in held[s.index]["constants"].items()}) if s.index in held else s
        for s in build.segments
    ]
    widths = {s["gfp_t_bytes"] * 8 for s in answer}
    helpers = [_selected(h, selection, build.word_bits) for h in build.helpers]
    if max(widths, default=0) > MAX_GFP_T_BITS:
        message = f"gfp_t has {max(widths)} bits; pygfp compares values of at most {MAX_GFP_T_BITS}"
        raise BuildError(message)
    signed = any(s["gfp_t_signed"] for s in answer)
    return replace(build, segments=segments, helpers=helpers, gfp_t_bits=max(widths, default=0), gfp_t_signed=signed)


def _selected(plan: HelperPlan, selection: Selection, word_bits: int) -> HelperPlan:
    asked = config.assignments(plan.symbols, selection, word_bits)
    meanings = [replace(m, configs=[c for c in m.configs if c in asked]) for m in plan.meanings]
    return replace(
        plan,
        meanings=[m for m in meanings if m.configs],
        missing=[c for c in plan.missing if c in asked],
        losses=[(c, why) for c, why in plan.losses if c in asked],
    )


def text_digest(source: Source) -> str:
    """Return the digest of the texts of a build: the source's, and pygfp's own C."""
    h = hashlib.sha256(source.digest.encode())
    root = csrc()
    for path in sorted((*(root / "shim").rglob("*.h"), *(root / "native").rglob("*.h"))):
        h.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return h.hexdigest()


def _key(request: _Request, compiler: cc.Compiler) -> str:
    parts = [
        builder_digest(),
        text_digest(request.source),
        repr((sorted(request.selection.fixed.items()), request.selection.complete)),
        compiler.identity,
        repr((cc.OPTIMISE, cc.SEMANTIC_FLAGS)),
        repr(sorted(request.wanted.items())),
        processor(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def processor() -> str:
    """Return what -march=native depends on."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    except OSError:
        return platform.processor()
    wanted = ("vendor_id", "model", "cpu family", "flags", "Features", "CPU part", "stepping")
    return "\n".join(line for line in text.splitlines() if line.startswith(wanted))


def require_native(objects: Sequence[tuple[str, str]], compiler: cc.Compiler) -> None:
    """
    Refuse objects for another machine before anything tries to load them.

    :raises BuildError: the ELF header names another machine or word size than this interpreter's
    """
    here = _elf(Path(sys.executable))
    for path, _ in objects:
        found = _elf(Path(path))
        if here and found and found != here:
            message = (
                f"{' '.join(compiler.command)} makes code for another machine (ELF class and machine {found}, "
                f"this machine: {here}); name a compiler for {platform.machine()} in CC"
            )
            raise BuildError(message, command=compiler.command)


def _elf(path: Path) -> tuple[int, int] | None:
    with path.open("rb") as stream:
        head = stream.read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:  # noqa: PLR2004 - the part of an ELF header that is read
        return None
    return head[4], struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])[0]


def build_key(source: Source, selection: Selection, wanted: Mapping[str, str], compiler: cc.Compiler) -> str:
    """Return the name that the build of :func:`opened` has in the cache."""
    return _key(_Request(source, selection, wanted, None), compiler)


def embedded_key(source: Source, selection: Selection) -> str:
    """Return the name in the cache for what is known of the bundled subset as it was compiled at install time."""
    parts = [builder_digest(), text_digest(source), repr((sorted(selection.fixed.items()), selection.complete))]
    return hashlib.sha256("\0".join(["embedded", *parts]).encode()).hexdigest()
