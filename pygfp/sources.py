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
import stat
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import KernelTreeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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

_MAX_BYTES = 16 << 20
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """
    Header text by kernel-relative path.

    :ivar kind: ``bundled``, ``tree`` or ``revision``
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
    if spec is None:
        root = _enclosing_tree(cwd or Path.cwd())
        return tree(root) if root else bundled()
    path = Path(spec)
    if path.is_dir():
        return tree(path)
    if spec == "bundled":
        return bundled()
    directory, at, revision_name = spec.rpartition("@")
    if at and Path(directory or ".").is_dir():
        return revision(Path(directory or "."), revision_name)
    if path.exists():
        message = f"{spec} is a file; expected a kernel tree, a headers package, DIR@REV or 'bundled'"
        raise KernelTreeError(message, path=spec)
    message = (
        f"no such directory: {directory if at else spec}; expected a kernel tree, a headers package, "
        "DIR@REV or 'bundled' ('pygfp sources' lists what this machine has)"
    )
    raise KernelTreeError(message, path=spec)


def bundled() -> Source:
    """Return the subset that pygfp ships: its own words for the newest release of the facts."""
    from .releases import newest  # noqa: PLC0415 - the rows are read only where they are needed

    root = csrc()
    return Source("bundled", "bundled", newest().version, _read_all(_reader(root)))


def tree(path: Path) -> Source:
    """
    Return the source in directory *path*: a source tree, a headers package or a build directory.

    A build directory, and the half of a split package that has no headers, lead to the other half.

    :raises KernelTreeError: the directory holds no ``include/linux/gfp.h`` and leads to none
    """
    root = _headers_root(path)
    files = _read_all(_reader(root))
    return Source("tree", str(path), _release(files), files, _includes(files, _tree_has(root)))


def revision(path: Path, name: str) -> Source:
    """
    Return the source as git revision *name* of the tree in *path* has it, read from objects alone.

    :raises KernelTreeError: not a git tree, no such revision, or no GFP header in it
    """
    if not name:
        message = f"{path}@: expected a revision after the @, found none"
        raise KernelTreeError(message, path=path)
    commit = git(path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        message = (
            f"{path}: git knows no revision {name!r} here; expected a commit, tag or branch of the "
            "repository in that directory"
        )
        raise KernelTreeError(message, path=path)
    rev = commit.decode().strip()
    listing = git(path, "ls-tree", "-r", "-z", "--name-only", rev, "--", "include", "arch") or b""
    present = set(listing.decode(errors="surrogateescape").split("\0"))

    # The tree may lie below the top of the repository; a bare one has no such place.
    prefix = (git(path, "rev-parse", "--show-prefix") or b"").decode(errors="surrogateescape").strip("\n")

    def read(file: str) -> bytes | None:
        return git(path, "cat-file", "blob", f"{rev}:{prefix}{file}")

    files = _read_all(read)
    label = f"{path}@{name}"
    _require_gfp_h(files, label)
    return Source("revision", label, _release(files), files, _includes(files, _any_of(present.__contains__, present)))


def current(cwd: Path | None = None) -> list[tuple[str, str]]:
    """Return (directory, release) of the kernel tree that *cwd* is in, if it is in one."""
    root = _enclosing_tree(cwd or Path.cwd())
    return [(str(root), tree(root).release or "release not known")] if root else []


def installed(roots: Iterable[Path] = (Path("/lib/modules"), Path("/usr/src"))) -> list[tuple[str, str]]:
    """Return (directory, release) of the kernel trees and header packages found on this machine."""
    found: dict[str, str] = {}
    candidates = [p / "build" for p in roots for p in _children(p)] + [p for r in roots for p in _children(r)]
    for path in candidates:
        try:
            source = tree(path)
        except KernelTreeError:
            continue
        found.setdefault(str(path), source.release or "release not known")
    return sorted(found.items())


def _children(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.iterdir() if p.is_dir())
    except OSError:
        return []


def _enclosing_tree(cwd: Path) -> Path | None:
    for path in (cwd, *cwd.parents):
        if (path / "include/linux/gfp.h").is_file() and (path / "Makefile").is_file():
            return path
    return None


def _read_all(read: Callable[[str], bytes | None]) -> dict[str, bytes]:
    return {file: data for file in WATCHED if (data := read(file)) is not None}


def _reader(root: Path) -> Callable[[str], bytes | None]:
    def read(file: str) -> bytes | None:
        path = root / file
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                    message = f"{path} is not a regular file of at most {_MAX_BYTES >> 20} MiB"
                    raise KernelTreeError(message, path=root, file=file)
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            message = f"{path} cannot be read: {exc.strerror}"
            raise KernelTreeError(message, path=root, file=file) from exc

    return read


def _headers_root(path: Path) -> Path:
    """Follow a build directory to the tree that has the headers."""
    if (path / "include/linux/gfp.h").is_file():
        return path
    for other in _other_halves(path):
        if (other / "include/linux/gfp.h").is_file():
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
        text = (path / "Makefile").read_text(errors="replace")[:65536]
    except OSError:
        text = ""
    pattern = r"^\s*(?:include\s+(\S+)/Makefile\s*$|KERNELSRC\s*:?=\s*(\S+)|\$\(MAKE\)\s+-C\s+(\S+))"
    for match in re.finditer(pattern, text, re.MULTILINE):
        named = Path(next(g for g in match.groups() if g))
        targets.append(real / named)
        targets.append(real.parent / named.name)
        targets.extend(p / named.name / named.relative_to("/") for p in real.parents if named.is_absolute())
        targets.extend(p / named.relative_to("/") for p in real.parents if named.is_absolute() and p != Path("/"))
    existing = [p for p in targets if p.is_dir()]
    return existing or targets[:1]


def _release(files: Mapping[str, bytes]) -> str | None:
    """``6.12.117`` out of the Makefile's first lines; None unless all three numbers stand there."""
    head = files.get("Makefile", b"")[:4096].decode(errors="replace")
    numbers = [
        re.search(rf"^{key}\s*=\s*(\d+)\s*$", head, re.MULTILINE) for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    ]
    return ".".join(m.group(1) for m in numbers if m) if all(numbers) else None


def _require_gfp_h(files: Mapping[str, bytes], label: str) -> None:
    if "include/linux/gfp.h" not in files:
        message = f"{label} has no include/linux/gfp.h; expected the top directory of a kernel tree"
        raise KernelTreeError(message, path=label, file="include/linux/gfp.h")


def _includes(files: Mapping[str, bytes], has: Callable[[str], bool]) -> dict[str, bool]:
    """Whether the source has each file that the whole-compiled headers include."""
    names: set[str] = set()
    for file in ("include/linux/gfp_types.h", "include/linux/gfp.h"):
        names.update(m.decode(errors="replace") for m in _INCLUDE.findall(files.get(file, b"")))
    return {name: has(name) for name in sorted(names)}


def _include_places(name: str) -> list[str]:
    """Where an included *name* may be in a tree: a build generates some, so their generic form counts."""
    places = [f"include/{name}", f"include/uapi/{name}", f"include/linux/{name}"]
    if name.startswith("asm/"):
        places.append(f"include/asm-generic/{name[4:]}")
    return places


def _tree_has(root: Path) -> Callable[[str], bool]:
    def exists(place: str) -> bool:
        return not place.startswith(("/", "../")) and "/../" not in place and (root / place).is_file()

    def has(name: str) -> bool:
        if any(exists(place) for place in _include_places(name)):
            return True
        return name.startswith("asm/") and any(root.glob(f"arch/*/include/{name}"))

    return has


def _any_of(exists: Callable[[str], bool], listing: Iterable[str]) -> Callable[[str], bool]:
    def has(name: str) -> bool:
        if any(exists(place) for place in _include_places(name)):
            return True
        return name.startswith("asm/") and any(p.endswith(f"/include/{name}") for p in listing)

    return has


def git(path: Path, *arguments: str) -> bytes | None:
    """Return the output of a git command that only reads, or None where it fails."""
    command = ["git", "-C", str(path.resolve()), "--no-optional-locks", *arguments]
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=env, stdin=subprocess.DEVNULL, timeout=60)  # noqa: S603
    except FileNotFoundError as exc:
        message = "git is not installed; DIR@REV needs it"
        raise KernelTreeError(message, path=path) from exc
    except subprocess.TimeoutExpired as exc:
        message = f"git did not answer within 60 s: {' '.join(command)}"
        raise KernelTreeError(message, path=path) from exc
    return done.stdout if done.returncode == 0 else None
