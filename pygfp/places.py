# SPDX-License-Identifier: GPL-2.0-only
"""
Where kernel files can be read: a directory, or a commit in git.

A :class:`Place` answers three questions and keeps nothing. What it is read into is a
:class:`~pygfp.sources.Source`.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import git
from .errors import KernelTreeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MAX_BYTES = 16 << 20
_TRIES = 5

# How a Makefile names the directory that it leads to; blanks are those of one line.
_LEADS = re.compile(
    r"^[ \t]*(?:include[ \t]+(\S+)/Makefile[ \t\r]*$|KERNELSRC[ \t]*:?=[ \t]*(\S+)|\$\(MAKE\)[ \t]+-C[ \t]+(\S+))",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Place:
    """
    A tree that can be read. Files are named relative to its top.

    :ivar kind: ``bundled``, ``tree``, ``revision`` or ``patched``
    :ivar label: what the user called it
    :ivar read: the content of each of the given files that is there
    :ivar existing: which of the given files are there
    :ivar arches: the names of the directories in ``arch/``
    :ivar repository: a directory whose git repository may hold earlier and later states of the files, or None
    :ivar release: the release where no Makefile says it, or None
    """

    kind: str
    label: str
    read: Callable[[Sequence[str]], dict[str, bytes]]
    existing: Callable[[Iterable[str]], set[str]]
    arches: Callable[[], list[str]]
    repository: Path | None = None
    release: str | None = None


def directory(root: Path, kind: str, label: str, *, release: str | None = None) -> Place:
    """Return the tree in directory *root*."""

    def read(files: Sequence[str]) -> dict[str, bytes]:
        return {file: data for file in files if (data := _read_file(root, file)) is not None}

    def existing(files: Iterable[str]) -> set[str]:
        return {file for file in files if is_inside(file) and os.path.isfile(root / file)}

    def arches() -> list[str]:
        return [p.name for p in children(root / "arch")]

    repository = None if kind == "bundled" else root
    return Place(kind, label, read, existing, arches, repository, release)


def commit(path: Path, name: str, *, label: str | None = None) -> Place:
    """
    Return the tree in *path* as git revision *name* has it, read from objects alone.

    :raises KernelTreeError: not a git tree, or no such revision
    """
    if not name:
        message = f"{path}@: expected a revision after the @, found none"
        raise KernelTreeError(message, path=path)
    tree = git.commit(path, name)

    def read(files: Sequence[str]) -> dict[str, bytes]:
        return git.read(path, name, tree, files)

    def existing(files: Iterable[str]) -> set[str]:
        return set(git.entries(path, tree, filter(is_inside, files)))

    def arches() -> list[str]:
        return [name.removeprefix("arch/") for name in git.entries(path, tree, ["arch/"], "tree")]

    return Place("revision", label or f"{path}@{name}", read, existing, arches, path)


def is_inside(file: str) -> bool:
    """
    Whether the relative path *file* stays in the tree that it is relative to.

    >>> [is_inside(f) for f in ("mm/slab.h", "../mm/slab.h", "mm/../../x", "/mm/slab.h", "")]
    [True, False, False, False, False]
    """
    return bool(file) and not file.startswith("/") and ".." not in file.split("/") and "\0" not in file


def children(path: Path) -> list[Path]:
    """Return the directories in *path*, sorted; none where it cannot be listed."""
    try:
        return sorted(p for p in path.iterdir() if os.path.isdir(p))
    except OSError:
        return []


def enclosing_tree(cwd: Path) -> Path | None:
    """
    Return the top of the kernel tree that *cwd* is in, or None.

    A kernel's Makefile alone will do: a tree that lost its headers is a broken tree, and not "no tree".
    """
    for path in (cwd, *cwd.parents):
        if (path / "Makefile").is_file() and (
            (path / "include/linux/gfp.h").is_file() or _is_kernel(path / "Makefile")
        ):
            return path
    return None


def _is_kernel(makefile: Path) -> bool:
    try:
        with makefile.open("rb") as stream:
            return re.search(rb"^VERSION\s*=\s*\d+\s*\nPATCHLEVEL\s*=", stream.read(4096), re.MULTILINE) is not None
    except OSError:
        return False


def headers_root(path: Path) -> Path:
    """
    Return *path*, or the tree that has its headers where it is a build directory or half a package.

    :raises KernelTreeError: it holds no ``include/linux/gfp.h`` and leads to none
    """
    if (path / "include/linux/gfp.h").is_file():
        return path
    for other in _other_halves(path):
        if os.path.isfile(other / "include/linux/gfp.h"):
            return other
    others = [str(p) for p in _other_halves(path)]
    if others:
        message = (
            f"{path} leads to {others[0]}, which has no include/linux/gfp.h; "
            "unpack or install that half of the package too, or name it"
        )
    elif (path / "Makefile").is_file() or (path / "include").is_dir():
        message = f"{path} has no include/linux/gfp.h; expected the top directory of a kernel tree or headers package"
    else:
        message = f"{path} is not a kernel tree: it has neither a Makefile nor include/linux/gfp.h"
    raise KernelTreeError(message, path=path, file="include/linux/gfp.h")


def _other_halves(path: Path) -> list[Path]:
    """
    The directories that a build directory refers to: its ``source`` link and what its Makefile includes.

    A package that was unpacked and not installed names absolute paths that do not exist; the
    same path below the place it was unpacked to, or beside that place in a directory of the package's name, and
    the neighbour of that name, are tried too.
    """
    targets: list[Path] = []
    real = path.resolve()
    if (path / "source").is_dir():
        targets.append(path / "source")
    try:
        with open(path / "Makefile", encoding="utf-8", errors="replace") as stream:
            text = stream.read(65536)
    except OSError:
        text = ""
    for match in _LEADS.finditer(text):
        named = Path(next(g for g in match.groups() if g))
        if "$" in str(named):
            continue  # a kernel's own Makefile, which names its parts by variables
        targets.append(real / named)
        targets.append(real.parent / named.name)
        if named.is_absolute():
            # "//" is a root of its own.
            below = named.relative_to(named.anchor)
            targets.extend(p / named.name / below for p in real.parents)
            targets.extend(p / below for p in real.parents if p != Path("/"))
    existing = [p for p in targets if os.path.isdir(p)]
    return existing or targets[:1]


def _read_file(root: Path, file: str) -> bytes | None:
    return read_regular(root, root / file, file)


def read_regular(root: Path, path: Path, file: str) -> bytes | None:
    """
    Return the content of *path*, *file* of the tree *root*, as it was at one moment; None where it is not there.

    :raises KernelTreeError: it is no regular file, or a huge one, or cannot be read, or changes all the time
    """
    try:
        for _ in range(_TRIES):
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                before = os.fstat(stream.fileno())
                content = stream.read(_MAX_BYTES + 1) if stat.S_ISREG(before.st_mode) else None
                after = os.fstat(stream.fileno())
            if content is None or len(content) > _MAX_BYTES:
                message = f"{path} is not a regular file of at most {_MAX_BYTES >> 20} MiB"
                raise KernelTreeError(message, path=root, file=file)
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return content
        message = f"{path} changes while it is read; try again when nobody writes to it"
        raise KernelTreeError(message, path=root, file=file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        message = f"{path} cannot be read: {exc.strerror}"
        raise KernelTreeError(message, path=root, file=file) from exc
