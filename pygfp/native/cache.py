# SPDX-License-Identifier: GPL-2.0-only
"""
The cache of builds: one directory a build, named by the digest of all that went into it.

Private to the user, written whole or not at all, and never believed: every file is hashed again before
it is used, and an entry that does not match is thrown away and built anew.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError
from .plan import Build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_META = "build.json"
_KEPT = 64
#: Bytes that must be free for a build.
_ROOM = 8 << 20
#: Names of directories that are worked in, and of those that nobody has locked yet; how long the latter may take.
_WORK, _NEW = "build-", "new-"
_STALE_S = 3600.0


def directory(env: Mapping[str, str] | None = None) -> Path:
    """Return where builds are kept: ``$XDG_CACHE_HOME/pygfp``, else ``~/.cache/pygfp``."""
    env = os.environ if env is None else env
    base = env.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path(os.path.expanduser("~/.cache"))) / "pygfp"


class Cache:
    """
    The builds of one user.

    :ivar root: where they are kept; a temporary directory where the proper place cannot be used
    :ivar complaint: why the proper place is not used, or an entry was thrown away; ``""`` where all is well
    """

    def __init__(self, root: Path | None = None) -> None:
        """Open, and make where it does not exist, the cache in *root*."""
        self.complaint = ""
        self._temporary = contextlib.ExitStack()
        self.root = directory() if root is None else root
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._require_private()
            _require_room(self.root)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            _sweep(self.root, "")
        except OSError as exc:
            self.complaint = f"{self.root} cannot be used as a cache ({exc.strerror or exc}); this build is not kept"
            self.root = self._elsewhere()

    def _elsewhere(self) -> Path:
        """A directory for this run alone, where those for temporary files are."""
        parent = Path(tempfile.gettempdir())
        try:
            _require_room(parent)
            _sweep(parent, "pygfp-")
            return self._temporary.enter_context(_private(parent, "pygfp-"))
        except OSError as exc:
            message = f"there is no place to build in: {self.complaint}, and {parent} cannot be used: {exc.strerror}"
            raise BuildError(f"{message}; free some space, or name a directory in TMPDIR") from exc

    def _require_private(self) -> None:
        status = os.lstat(self.root)
        if not stat.S_ISDIR(status.st_mode) and not self.root.is_dir():
            raise NotADirectoryError(20, "not a directory")
        status = os.stat(self.root)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(1, "others can write to it; remove it or run chmod go-w")

    def close(self) -> None:
        """Remove what was only temporary."""
        self._temporary.close()

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the entry *key*: of several processes that want it, one builds and the others wait."""
        path = self.root / f"{key}.lock"
        if path.is_dir() or path.is_symlink():
            _remove(path)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def load(self, key: str) -> tuple[Build, list[tuple[str, str]]] | None:
        """Return the build *key* with (path, sha256) of its objects, or None where there is none to trust."""
        entry = self.root / key
        try:
            raw = _read(entry / _META)
        except FileNotFoundError:
            if os.path.lexists(entry):
                self._distrust(entry, "it is incomplete")
            return None
        except OSError as exc:
            self._distrust(entry, str(exc.strerror))
            return None
        try:
            digest, _, body = raw.partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != digest:
                raise ValueError("its description was altered")  # noqa: TRY301 - one place to distrust from
            stored = json.loads(body)
            objects = [(str(entry / name), str(sha)) for name, sha in stored["objects"].items()]
            for path, sha in objects:
                if _sha256(Path(path)) != sha:
                    raise ValueError(f"{Path(path).name} was altered")  # noqa: TRY301 - ditto
            with contextlib.suppress(OSError):
                os.utime(entry)
            return Build.from_json(stored["build"]), objects
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as exc:
            self._distrust(entry, str(exc))
            return None

    def _distrust(self, entry: Path, why: str) -> None:
        self.complaint = f"the cached build {entry.name[:12]} is not used, {why}; it is built anew"
        _remove(entry)

    @contextmanager
    def workdir(self) -> Iterator[Path]:
        """Yield a private directory to build in; it is gone afterwards, or after the next run if we are killed."""
        with _private(self.root, "") as path:
            yield path

    def store(self, key: str, build: Build, workdir: Path) -> list[tuple[str, str]]:
        """Keep the objects of *build* from *workdir* under *key*; return (path, sha256) of each."""
        entry = self.root / key
        fresh = workdir / "entry"
        fresh.mkdir(mode=0o700)
        digests = {}
        for file in build.objects:
            os.replace(workdir / file, fresh / file)
            digests[file] = _sha256(fresh / file)
        body = json.dumps({"objects": digests, "build": build.to_json()}).encode()
        (fresh / _META).write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        if entry.exists():
            shutil.rmtree(entry, ignore_errors=True)
        os.replace(fresh, entry)
        self._prune()
        return [(str(entry / file), sha) for file, sha in digests.items()]

    def recall(self, key: str, name: str) -> Any:  # noqa: ANN401 - what JSON holds
        """Return what :meth:`remember` was given; None where there is nothing to trust."""
        path = self.root / key / name
        try:
            digest, _, body = _read(path).partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != digest:
                raise ValueError("it was altered")  # noqa: TRY301 - one place to distrust from
            with contextlib.suppress(OSError):
                os.utime(path.parent)
            return json.loads(body)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as exc:
            self.complaint = f"{name} of the cached build {key[:12]} is not used, {exc}; it is made anew"
            _remove(path)
            return None

    def remember(self, key: str, name: str, value: object) -> None:
        """Keep *value*, which JSON can write, beside the build *key*; where that cannot be done, do not."""
        body = json.dumps(value).encode()
        entry = self.root / key
        with contextlib.suppress(OSError), self.workdir() as workdir:
            fresh = workdir / "value"
            fresh.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            entry.mkdir(mode=0o700, exist_ok=True)
            os.replace(fresh, entry / name)

    def _prune(self) -> None:
        """Drop the builds that were used longest ago."""
        now = time.time()
        entries = []
        for path in self.root.iterdir():
            try:
                age = now - path.stat().st_mtime
            except OSError:
                continue
            if path.is_dir() and not path.name.startswith((_WORK, _NEW)):
                entries.append((age, path))
        for _, path in sorted(entries)[_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


@cache
def builder_digest() -> str:
    """Return the digest of the Python that makes what is kept: another pygfp may make another one of the same text."""
    h = hashlib.sha256()
    package = Path(__file__).resolve().parent
    others = (package.parent / f"{name}.py" for name in ("config", "extract", "refuse", "scan"))
    for path in sorted((*package.glob("*.py"), *others)):
        h.update(path.read_bytes())
    return h.hexdigest()


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a private directory to compile in, where nothing is kept."""
    cache = Cache()
    try:
        with cache.workdir() as path:
            yield path
    finally:
        cache.close()


#: The directories that this process has in use.
_in_use: set[Path] = set()


def tidy() -> None:
    """Remove every directory that this process still has in use: it is about to end."""
    for path in list(_in_use):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _private(parent: Path, prefix: str) -> Iterator[Path]:
    """A new directory in *parent* that is locked for as long as we live, and gone afterwards."""
    token = os.urandom(8).hex()
    new, path = parent / f"{prefix}{_NEW}{token}", parent / f"{prefix}{_WORK}{token}"
    _in_use.update((new, path))
    fd = -1
    try:
        new.mkdir(mode=0o700)
        fd = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX)
        # Nobody sweeps it from now on; it was not to be swept before.
        new.rename(path)
        yield path
    finally:
        for made in (new, path):
            shutil.rmtree(made, ignore_errors=True)
        _in_use.difference_update((new, path))
        if fd >= 0:
            os.close(fd)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove the directories in *parent* that killed runs of this user left behind."""
    for entry in os.scandir(parent):
        is_new = entry.name.startswith(f"{prefix}{_NEW}")
        if not (is_new or entry.name.startswith(f"{prefix}{_WORK}")):
            continue
        with contextlib.suppress(OSError):
            if is_new and time.time() - entry.stat(follow_symlinks=False).st_mtime < _STALE_S:
                continue
            _remove_unlocked(entry.path)


def _remove_unlocked(name: str) -> None:
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if os.fstat(fd).st_uid == os.geteuid():
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(name, ignore_errors=True)
    finally:
        os.close(fd)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _require_room(path: Path) -> None:
    status = os.statvfs(path)
    if status.f_blocks and status.f_bavail * status.f_frsize < _ROOM:
        raise OSError(errno.ENOSPC, f"less than {_ROOM >> 20} MiB are free")


def _read(path: Path) -> bytes:
    """The content of a regular file; never a pipe that nobody writes to, and never what a link leads to."""
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, f"{path.name} is not a regular file")
        return stream.read()


def _sha256(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()
