# SPDX-License-Identifier: GPL-2.0-only
"""
Reading git objects: names to commits, commits to files, ids to contents.

Nothing is written and nothing is fetched: an object that a partial or shallow clone lacks is an error
that says how to get it, never a connection behind the user's back.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import KernelTreeError, NoSuchSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

_TIMEOUT_S = 60
_MAX_BYTES = 16 << 20
_PATHS_AT_ONCE = 100

# Git 2.39 knows no GIT_NO_LAZY_FETCH: there an empty list of allowed protocols keeps it from the network.
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0"}


def commit(path: Path, name: str) -> str:
    """
    Return the id of the commit that revision *name* means in the repository of directory *path*.

    :raises KernelTreeError: no repository, no such revision, or nothing committed yet
    """
    done = _run(path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.decode().strip()
    said = done.stderr.decode(errors="replace").strip().split("\n")[0]
    if said:
        message = f"{path}: git knows no revision {name!r} here: {said}"
    elif name == "HEAD":
        message = f"{path}: git knows no revision 'HEAD': nothing is committed here yet"
    else:
        message = (
            f"{path}: git knows no revision {name!r} here; expected a commit, tag or branch of the "
            f"repository in that directory{_shallow_hint(path)}"
        )
    raise NoSuchSourceError(message, path=path)


def output(path: Path, *arguments: str) -> bytes | None:
    """Return the output of a git command that only reads, or None where it fails."""
    done = _run(path, *arguments)
    return done.stdout if done.returncode == 0 else None


def merge_base(path: Path, one: str, other: str) -> str:
    """
    Return the commit that commits *one* and *other* last had in common.

    :raises KernelTreeError: they have none here
    """
    done = _run(path, "merge-base", "--end-of-options", one, other)
    if done.returncode == 0:
        return done.stdout.decode().strip()
    message = f"{path}: {one[:12]} and {other[:12]} have no commit in common here{_shallow_hint(path)}"
    raise KernelTreeError(message, path=path)


def prefix(path: Path) -> str:
    """Return where *path* lies below the top of its working tree: ``""`` or ``"below/"``; ``""`` without git."""
    try:
        done = _run(path, "rev-parse", "--show-prefix")
    except KernelTreeError:
        return ""
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n") if done.returncode == 0 else ""


def entries(path: Path, tree: str, names: Iterable[str], kind: str = "blob") -> dict[str, str]:
    """
    Return the id of each of *names* that is a *kind* (``blob``, a file, or ``tree``, a directory) in commit *tree*.

    A name that ends in ``/`` stands for everything in that directory. Names are relative to *path*, which may
    lie below the top of the repository. Blobs need not be here.

    :raises KernelTreeError: the directory listings themselves are not here
    """
    found: dict[str, str] = {}
    usable = [n for n in names if "\0" not in n and len(n) < os.pathconf("/", "PC_PATH_MAX")]
    for start in range(0, len(usable), _PATHS_AT_ONCE):
        done = _run(path, "ls-tree", "-z", tree, "--", *usable[start : start + _PATHS_AT_ONCE])
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().split("\n")[0]
            message = (
                f"{path}: git cannot list {tree[:12]}: {said}; pygfp never fetches; "
                f"for all that a partial clone lacks, run: {_hint(path, 'fetch', '--refetch', '--no-filter')}"
            )
            raise KernelTreeError(message, path=path)
        for entry in done.stdout.split(b"\0")[:-1]:
            meta, _, name = entry.partition(b"\t")
            _, its_kind, blob = meta.decode().split()
            if its_kind == kind:
                found[name.decode(errors="surrogateescape")] = blob
    return found


def read(path: Path, revision: str, tree: str, names: Sequence[str]) -> dict[str, bytes]:
    """
    Return the content of each of *names* that is in commit *tree*, named *revision* to the user.

    :raises KernelTreeError: git lists a file and does not have its content
    """
    listed = entries(path, tree, names)
    with Objects(path) as objects:
        contents = {name: objects.get(listed[name]) for name in names if name in listed}
    gone = [name for name, data in contents.items() if data is None]
    if gone:
        message = (
            f"{path}@{revision}: the content of {gone[0]}{_and_more(gone)} is not in this clone, and pygfp "
            f"never fetches; run: {_hint(path, 'archive', '-o', '/dev/null', revision, *gone)}"
        )
        raise KernelTreeError(message, path=path, file=gone[0])
    return {name: data for name, data in contents.items() if data is not None}


class Objects:
    """
    Contents of blobs, from one ``git cat-file --batch`` for all of them.

    >>> with Objects(None) as objects:
    ...     objects.matching("0123456789ab")
    []
    """

    def __init__(self, path: Path | None) -> None:
        """Read in the repository of directory *path*; where there is none, nothing is found."""
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Git is started when it is first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End git."""
        self._end()

    def get(self, blob: str) -> bytes | None:
        """
        Return the content of the blob of that id; None where it is not here, or git is not.

        :raises KernelTreeError: it is larger than any header
        """
        answer = self._ask(blob)
        return answer if isinstance(answer, bytes) else None

    def matching(self, start: str) -> list[bytes]:
        """Return the content of every blob whose id begins with *start*, 4 hex digits or more."""
        answer = self._ask(start)
        if isinstance(answer, bytes) or self._path is None:
            return [answer] if isinstance(answer, bytes) else []
        if answer != "ambiguous":
            return []
        ids = _run(self._path, "rev-parse", f"--disambiguate={start}").stdout.decode().split()
        return [data for i in ids if (data := self.get(i)) is not None]

    # The content of a blob, or git's word for why there is none.
    def _ask(self, name: str) -> bytes | str:
        process = self._process or self._started()
        if process is None or process.stdin is None or process.stdout is None:
            return "missing"
        with suppress(BrokenPipeError):
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
        header = process.stdout.readline().decode(errors="replace").split()
        if not header:
            # Git died: of an object that it would have to fetch, or because this is no repository.
            self._end()
            if _run(self._path or Path(), "rev-parse", "--git-dir").returncode:
                self._path = None
        if len(header) != 3 or not header[2].isdigit():  # noqa: PLR2004 - "ID missing", "ID ambiguous" have two words
            return header[-1] if header else "missing"
        if int(header[2]) > _MAX_BYTES:
            message = f"{self._path}: object {name} is larger than {_MAX_BYTES >> 20} MiB"
            raise KernelTreeError(message, path=self._path or name)
        size = int(header[2])
        data = process.stdout.read(size + 1)[:size]
        return data if header[1] == "blob" and len(data) == size else header[1]

    def _started(self) -> subprocess.Popen[bytes] | None:
        if self._path is None:
            return None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                _command(self._path, "cat-file", "--batch"),
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            self._path = None
            return None
        self._timer = threading.Timer(_TIMEOUT_S, self._process.kill)
        self._timer.daemon = True
        self._timer.start()
        return self._process

    def _end(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError):
                self._process.communicate()
        self._process = None


def blob_ids(data: bytes) -> tuple[str, str]:
    """
    Return the ids that git gives a file of content *data*: in a sha1 and in a sha256 repository.

    >>> [i[:12] for i in blob_ids(b"")]
    ['e69de29bb2d1', '473a0f4c3be8']
    """
    framed = b"blob %d\0" % len(data) + data
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest(), hashlib.sha256(framed).hexdigest()


def _and_more(names: Sequence[str]) -> str:
    return f" (and of {len(names) - 1} more)" if len(names) > 1 else ""


def _shallow_hint(path: Path) -> str:
    shallow = _run(path, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    return f"; this clone is shallow; for the rest, run: {_hint(path, 'fetch', '--unshallow')}" if shallow else ""


def _hint(path: Path, *arguments: str) -> str:
    return shlex.join(["git", "-C", str(path), *arguments])


def _command(path: Path, *arguments: str) -> list[str]:
    return ["git", "-C", str(path.resolve()), "--no-optional-locks", "-c", "protocol.allow=never", *arguments]


def _environment() -> dict[str, str]:
    # GIT_DIR and kin of a caller (a hook, a bisect run) would lead to another repository.
    kept = {k: v for k, v in os.environ.items() if not re.match("GIT_", k)}
    return kept | _NO_FETCH


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = _command(path, *arguments)
    if any("\0" in word for word in command):
        raise KernelTreeError("a path or revision holds a NUL byte; git knows none such", path=path)
    try:
        return subprocess.run(  # noqa: S603 - an argument list, no shell
            command,
            capture_output=True,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
        )
    except FileNotFoundError as exc:
        message = "git is not installed; DIR@REV needs it"
        raise KernelTreeError(message, path=path) from exc
    except subprocess.TimeoutExpired as exc:
        message = f"git did not answer within {_TIMEOUT_S} s: {' '.join(command)}"
        raise KernelTreeError(message, path=path) from exc
