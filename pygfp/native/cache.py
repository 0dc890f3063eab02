# SPDX-License-Identifier: GPL-2.0-only
"""
The cache of builds: one directory a build, named by the digest of all that went into it.

Private to the user, written whole or not at all, and never believed: every file is hashed again before
it is used, and an entry that does not match is thrown away and built anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .plan import Build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_META = "build.json"
_KEPT = 64
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
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.root = directory() if root is None else root
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._require_private()
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as exc:
            self.complaint = f"{self.root} cannot be used as a cache ({exc.strerror or exc}); this build is not kept"
            self._temporary = tempfile.TemporaryDirectory(prefix="pygfp-")
            self.root = Path(self._temporary.name)

    def _require_private(self) -> None:
        status = os.lstat(self.root)
        if not stat.S_ISDIR(status.st_mode) and not self.root.is_dir():
            raise NotADirectoryError(20, "not a directory")
        status = os.stat(self.root)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(1, "others can write to it; remove it or run chmod go-w")

    def close(self) -> None:
        """Remove what was only temporary."""
        if self._temporary:
            self._temporary.cleanup()

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the entry *key*: of several processes that want it, one builds and the others wait."""
        path = self.root / f"{key}.lock"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_symlink():
            path.unlink()
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
            raw = (entry / _META).read_bytes()
        except FileNotFoundError:
            if entry.exists():
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
            os.utime(entry)
            return Build.from_json(stored["build"]), objects
        except (ValueError, KeyError, TypeError, OSError) as exc:
            self._distrust(entry, str(exc))
            return None

    def _distrust(self, entry: Path, why: str) -> None:
        self.complaint = f"the cached build {entry.name[:12]} is not used, {why}; it is built anew"
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)

    @contextmanager
    def workdir(self) -> Iterator[Path]:
        """Yield a private directory to build in; it is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.root, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def store(self, key: str, build: Build, workdir: Path) -> list[tuple[str, str]]:
        """Keep the objects of *build* from *workdir* under *key*; return (path, sha256) of each."""
        entry = self.root / key
        with tempfile.TemporaryDirectory(prefix="entry-", dir=self.root, ignore_cleanup_errors=True) as name:
            fresh = Path(name) / "entry"
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
            digest, _, body = path.read_bytes().partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != digest:
                return None
            os.utime(path.parent)
            return json.loads(body)
        except (OSError, ValueError):
            return None

    def remember(self, key: str, name: str, value: object) -> None:
        """Keep *value*, which JSON can write, beside the build *key*; where that cannot be done, do not."""
        body = json.dumps(value).encode()
        entry = self.root / key
        with contextlib.suppress(OSError):
            entry.mkdir(mode=0o700, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix="entry-", delete=False) as stream:
                stream.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            try:
                os.replace(stream.name, entry / name)
            except OSError:
                os.unlink(stream.name)
                raise

    def _prune(self) -> None:
        """Drop the builds that were used longest ago, and what killed runs left behind."""
        now = time.time()
        entries = []
        for path in self.root.iterdir():
            try:
                age = now - path.stat().st_mtime
            except OSError:
                continue
            if path.name.startswith(("build-", "entry-")) and age > _STALE_S:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
            elif path.is_dir() and not path.name.startswith(("build-", "entry-")):
                entries.append((age, path))
        for _, path in sorted(entries)[_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
