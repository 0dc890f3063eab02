# SPDX-License-Identifier: GPL-2.0-only
"""
Where header text comes from: the bundled subset, a directory, or a revision in git.

A :class:`Source` is a plain value, the bytes of the watched kernel files by kernel-relative path with
a label and a release. Nothing is written to, and nothing is checked out of, the user's tree.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import git, places
from .errors import KernelTreeError, NoSuchSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .places import Place

#: How a note says that something of pygfp's own is compiled in place of a file that a verdict may depend on.
STANDS_IN = "stands in"

#: The text that a verdict may depend on (a tree may lack some of it).
WATCHED = (
    "include/linux/gfp_types.h",
    "include/linux/gfp.h",
    "include/linux/types.h",
    "include/linux/mmzone.h",
    "include/linux/sched/mm.h",
    "include/trace/events/mmflags.h",
    "mm/internal.h",
    "mm/page_alloc.h",
    "mm/kmemleak.c",
    "mm/page_owner.c",
    "mm/kasan/common.c",
    "lib/stackdepot.c",
    "Makefile",
)

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """
    Header text by kernel-relative path.

    :ivar kind: ``bundled``, ``tree``, ``revision`` or ``patched``
    :ivar label: what the user called it
    :ivar release: ``6.12.117`` as the tree's Makefile says, or None where that cannot be proven
    :ivar files: content of each watched file that the source has
    :ivar includes: for each ``<...>`` that a watched header includes, whether the source has it
    :ivar config_text: the ``.config`` beside the tree, if any (used only on request)
    """

    kind: str
    label: str
    release: str | None
    files: Mapping[str, bytes]
    includes: Mapping[str, bool] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Sha256 over paths and contents, in hex."""
        h = hashlib.sha256()
        for path in sorted(self.files):
            h.update(f"{path}\0{len(self.files[path])}\0".encode())
            h.update(self.files[path])
        h.update(repr(sorted(self.includes.items())).encode())
        return h.hexdigest()


def csrc() -> Path:
    """Return the directory of pygfp's own C text: beside the package when installed, else in the checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "csrc"
    return installed if installed.is_dir() else here.parent / "csrc"


def resolve(spec: str | None, *, cwd: Path | None = None) -> Source:
    """
    Return the source that *spec* names.

    :param spec: ``bundled``, a directory, ``DIR@REV``, or None for the kernel tree that *cwd* is in,
        else ``bundled``; an existing directory wins over the other readings
    :raises KernelTreeError: no such directory, no kernel tree, no such revision
    """
    return read(place(spec, cwd=cwd))


def place(spec: str | None, *, cwd: Path | None = None) -> Place:
    """Return the place that *spec* names, as :func:`resolve` reads it."""
    if spec is None:
        root = places.enclosing_tree(cwd or Path.cwd())
        return _tree(root) if root else _bundled()
    path = Path(spec)
    # Unlike those of pathlib, these take a name that is too long for the name of nothing.
    if os.path.isdir(spec):
        return _tree(path)
    if spec == "bundled":
        return _bundled()
    directory, at, revision_name = spec.rpartition("@")
    if at and os.path.isdir(directory or "."):
        return places.commit(Path(directory or "."), revision_name)
    if os.path.exists(spec):
        message = f"{spec} is a file; expected a kernel tree, a headers package, DIR@REV or 'bundled'"
        raise NoSuchSourceError(message, path=spec)
    message = (
        f"no such directory: {directory if at else spec}; expected a kernel tree, a headers package, "
        "DIR@REV or 'bundled' ('pygfp sources' lists what this machine has)"
    )
    raise NoSuchSourceError(message, path=spec)


def is_range(spec: str) -> bool:
    """
    Whether *spec* is ``DIR@A..B`` or ``DIR@A...B``, which :func:`resolve_range` reads; an existing directory is none.

    >>> [is_range(s) for s in (".@v1..v2", ".@v1...", "..", "../linux@v1", "bundled")]
    [True, True, False, False, False]
    """
    directory, at, revisions = spec.rpartition("@")
    return bool(at) and ".." in revisions and not os.path.isdir(spec) and os.path.isdir(directory or ".")


def resolve_range(spec: str) -> tuple[Source, Source]:
    """
    Return the two sources of ``DIR@A..B``, as ``git diff A..B`` compares them.

    An empty side is HEAD. ``A...B`` compares B with the last commit that it has in common with A.

    :raises KernelTreeError: *spec* is no range, or a side of it cannot be read
    """
    directory, _, revisions = spec.rpartition("@")
    if not is_range(spec):
        message = f"{spec}: expected DIR@A..B or DIR@A...B with an existing directory DIR"
        raise KernelTreeError(message, path=spec)
    path = Path(directory or ".")
    one, dots, other = re.split(r"(\.{2,3})", revisions, maxsplit=1)
    one, other = one or "HEAD", other or "HEAD"
    if dots == "...":
        # The label can be given as a SOURCE again.
        one = git.merge_base(path, git.commit(path, one), git.commit(path, other))[:16]
    return revision(path, one), revision(path, other)


def head_and_worktree(path: Path | None = None) -> tuple[Source, Source]:
    """
    Return the kernel tree that *path* (default: the current directory) is in: as HEAD has it, and as it is on disk.

    :raises KernelTreeError: no kernel tree, no git repository, or nothing committed yet
    """
    start = path or Path.cwd()
    root = places.enclosing_tree(start.resolve())
    if root is None and path is None:
        message = f"{start} is in no kernel tree; go to one, or name what to compare (OLD NEW)"
        raise KernelTreeError(message, path=start)
    root = root or places.headers_root(start)
    return revision(root, "HEAD"), tree(root)


def bundled() -> Source:
    """Return the subset that pygfp ships: its own words for the newest release of the facts."""
    return read(_bundled())


def tree(path: Path) -> Source:
    """
    Return the source in directory *path*: a source tree, a headers package or a build directory.

    A build directory, and the half of a split package that has no headers, lead to the other half.

    :raises KernelTreeError: the directory holds no ``include/linux/gfp.h`` and leads to none
    """
    return read(_tree(path))


def revision(path: Path, name: str) -> Source:
    """
    Return the source as git revision *name* of the tree in *path* has it, read from objects alone.

    :raises KernelTreeError: not a git tree, no such revision, or no GFP header in it
    """
    return read(places.commit(path, name))


def read(place: Place) -> Source:
    """
    Return what is watched in *place*.

    :raises KernelTreeError: it has no ``include/linux/gfp.h``, or a file cannot be read
    """
    files = place.read(WATCHED)
    if "include/linux/gfp.h" not in files:
        message = f"{place.label} has no include/linux/gfp.h; expected the top directory of a kernel tree"
        raise KernelTreeError(message, path=place.label, file="include/linux/gfp.h")
    # The bundled subset is complete with pygfp's own shims.
    includes = {} if place.kind == "bundled" else _includes(files, place)
    return Source(place.kind, place.label, release_of(files) or place.release, files, includes)


def release_of(files: Mapping[str, bytes]) -> str | None:
    """Return ``6.12.117`` out of the Makefile's first lines; None unless all three numbers stand there."""
    head = files.get("Makefile", b"")[:4096].decode(errors="replace")
    keys = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    numbers = [re.search(rf"^{key}\s*=\s*([0-9]{{1,5}})\s*$", head, re.MULTILINE) for key in keys]
    return ".".join(m.group(1) for m in numbers if m) if all(numbers) else None


def current(cwd: Path | None = None) -> list[tuple[str, str]]:
    """Return (directory, release) of the kernel tree that *cwd* is in, if it is in one."""
    root = places.enclosing_tree(cwd or Path.cwd())
    return [(str(root), tree(root).release or "release not known")] if root else []


def installed(roots: Iterable[Path] = (Path("/lib/modules"), Path("/usr/src"))) -> list[tuple[str, str]]:
    """Return (directory, release) of the kernel trees and header packages found on this machine."""
    found: dict[str, str] = {}
    candidates = [p / "build" for r in roots for p in places.children(r)]
    candidates += [p for r in roots for p in places.children(r)]
    for path in candidates:
        try:
            source = tree(path)
        except KernelTreeError:
            continue
        found.setdefault(str(path), source.release or "release not known")
    return sorted(found.items())


def _tree(path: Path) -> Place:
    return places.directory(places.headers_root(path), "tree", str(path))


def _bundled() -> Place:
    from .releases import newest  # noqa: PLC0415 - the rows are read only where they are needed

    root = csrc()
    plain = places.directory(root, "bundled", "bundled", release=newest().version)

    def existing(files: Iterable[str]) -> set[str]:
        return {f for f in files if plain.existing([f, f"shim/{f.removeprefix('include/')}"])}

    return replace(plain, existing=existing)


def _includes(files: Mapping[str, bytes], place: Place) -> dict[str, bool]:
    """Whether the place has each file that the whole-compiled headers include."""
    names: set[str] = set()
    for file in ("include/linux/gfp_types.h", "include/linux/gfp.h"):
        names.update(m.decode(errors="replace") for m in _INCLUDE.findall(files.get(file, b"")))
    found = _found(place, {name: _include_places(name) for name in names})
    machine = [name for name in names - found if name.startswith("asm/")]
    if machine:
        found |= _found(place, {n: [f"arch/{a}/include/{n}" for a in place.arches()] for n in machine})
    return {name: name in found for name in sorted(names)}


def _found(place: Place, candidates: Mapping[str, list[str]]) -> set[str]:
    existing = place.existing(sorted({c for group in candidates.values() for c in group}))
    return {name for name, group in candidates.items() if not existing.isdisjoint(group)}


def _include_places(name: str) -> list[str]:
    """Where an included *name* may be in a tree: a build generates some, so their generic form counts."""
    found = [f"include/{name}", f"include/uapi/{name}", f"include/linux/{name}"]
    if name.startswith("asm/"):
        found.append(f"include/asm-generic/{name[4:]}")
    return found
