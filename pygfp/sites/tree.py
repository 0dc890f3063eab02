# SPDX-License-Identifier: GPL-2.0-only
"""
A whole tree: which files there are, read by a few processes side by side, and what they hold.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import KernelTreeError, UsageError
from ..native.expressions import Piece
from ..native.mentions import TAIL, mentions
from ..native.watch import end_with_parent
from .values import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: Larger files are generated tables; they are listed and not read.
MAX_BYTES = 64 << 20

_START = (
    "import sys; sys.path[:0] = sys.argv[1:]; sys.dont_write_bytecode = True; "
    "from pygfp.sites.tree import serve; serve()"
)
#: Files between two words of progress.
_STEP = 512


@dataclass
class Gathered:
    """
    What a tree holds.

    :ivar scanned: how many C files were read
    :ivar parsed: how many of them had a candidate statement
    :ivar problems: (file, line, what) of text that could not be read; line 0: the whole file
    :ivar macros: name to (file, text) of the macros in headers that name a mask
    """

    scanned: int = 0
    parsed: int = 0
    sites: list[Site] = field(default_factory=list)
    problems: list[tuple[str, int, str]] = field(default_factory=list)
    macros: dict[str, list[tuple[str, Piece]]] = field(default_factory=dict)


class Listing(NamedTuple):
    """
    Which files there are, kernel-relative and sorted.

    :ivar unread: (directory, 0, why) of each that could not be listed
    """

    names: list[str]
    unread: list[tuple[str, int, str]]


def files(root: Path, paths: Sequence[str]) -> Listing:
    """
    Return the C files of the tree *root* below *paths*; links are not followed.

    :raises UsageError: one of *paths* is not in the tree
    """
    root, given = root.resolve(), root
    unread: list[tuple[str, int, str]] = []
    if not paths:
        return Listing(sorted(_walk(root, root, unread)), sorted(unread))
    found: set[str] = set()
    for path in paths:
        place = next((p for p in (root / path, Path(path)) if p.exists()), None)
        if place is None or not place.resolve().is_relative_to(root):
            message = f"{path}: there is no such file or directory in {given}"
            raise UsageError(message)
        relative = place.resolve()
        found.update(_walk(root, relative, unread) if place.is_dir() else [str(relative.relative_to(root))])
    return Listing(sorted(found), sorted(set(unread)))


def _walk(root: Path, top: Path, unread: list[tuple[str, int, str]]) -> Iterator[str]:
    """The C files below *top*; what cannot be listed is added to *unread*."""
    prefix = len(os.fspath(root)) + 1
    todo = [os.fspath(top)]
    while todo:
        directory = todo.pop()
        try:
            entries = list(os.scandir(directory))
        except OSError as exc:
            unread.append((directory[prefix:] or ".", 0, f"cannot be listed: {exc.strerror or exc}"))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    todo.append(entry.path)
            elif entry.name.endswith((".c", ".h")) and entry.is_file(follow_symlinks=False):
                yield entry.path[prefix:]


def gather(
    root: Path,
    names: Sequence[str],
    known: frozenset[str],
    workers: Sequence[subprocess.Popen[bytes]],
    on_progress: Callable[[int, int], None] | None = None,
) -> Gathered:
    """
    Return what the files *names* of the tree *root* hold.

    :param known: what the GFP headers define
    :param workers: of :func:`readers`, which are done afterwards
    """
    gathered = Gathered()
    lock = threading.Lock()
    failures: list[BaseException] = []
    for n, worker in enumerate(workers):
        _ask(worker, {"root": os.fspath(root.resolve()), "names": names[n :: len(workers)], "known": sorted(known)})

    def listen(process: subprocess.Popen[bytes]) -> None:
        try:
            for answer in _answers(process, root):
                with lock:
                    _take(gathered, answer)
                    if on_progress:
                        on_progress(gathered.scanned, max(len(names), 1))
        except BaseException as exc:  # noqa: BLE001 - handed to the caller below
            failures.append(exc)

    threads = [threading.Thread(target=listen, args=(w,), daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    gathered.sites.sort(key=lambda s: (s.file, s.line, s.end_line, s.text))
    gathered.problems.sort()
    return gathered


def _answers(process: subprocess.Popen[bytes], root: Path) -> Iterator[dict[str, Any]]:
    """What a reading process says, line by line."""
    assert process.stdout is not None  # noqa: S101 - for the type checker
    for line in process.stdout:
        yield json.loads(line)
    if process.wait():
        message = f"a process that reads the tree ended with status {process.returncode}"
        raise KernelTreeError(message, path=root)


@contextlib.contextmanager
def readers(jobs: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Yield *jobs* processes that get ready to read; none outlives the block."""
    workers = [_start() for _ in range(jobs)]
    try:
        yield workers
    finally:
        _end(workers)


def _end(workers: Iterable[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this interpreter, our own code
        [sys.executable, "-I", "-c", _START, str(Path(__file__).resolve().parent.parent.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the parent, which ends its children.
        start_new_session=True,
    )


def _ask(process: subprocess.Popen[bytes], request: Mapping[str, Any]) -> None:
    threading.Thread(target=_feed, args=(process, json.dumps(request).encode()), daemon=True).start()


def _feed(process: subprocess.Popen[bytes], request: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    try:
        # It stays open: when we are gone, the process that reads notices.
        process.stdin.write(request + b"\n")
        process.stdin.flush()
    except OSError:
        return


def _take(gathered: Gathered, answer: Mapping[str, Any]) -> None:
    gathered.scanned += answer.get("scanned", 0)
    gathered.parsed += answer.get("parsed", 0)
    gathered.sites += [_site(raw) for raw in answer.get("sites", ())]
    gathered.problems += [(p[0], p[1], p[2]) for p in answer.get("problems", ())]
    for file, raw in answer.get("macros", ()):
        piece = _piece(raw)
        gathered.macros.setdefault(piece.name, []).append((file, piece))


def _piece(raw: Mapping[str, Any]) -> Piece:
    return Piece(raw["name"], raw["kind"], raw["text"], tuple(_piece(p) for p in raw["needs"]))


def _site(raw: Mapping[str, Any]) -> Site:
    return Site(
        **{
            **raw,
            "lines": tuple(raw["lines"]),
            "when": tuple(raw["when"]),
            "calls": frozenset(raw["calls"]),
            "names": frozenset(raw["names"]),
            "needs": tuple(_piece(p) for p in raw["needs"]),
        }
    )


def serve() -> None:
    """Read one request on stdin and answer it: a JSON object a line. What a reading process runs."""
    # There is time for it while our parent looks which files there are.
    from . import find, sift  # noqa: F401, PLC0415 - a parser, which only this process needs

    line = sys.stdin.readline()
    if not line:
        return
    request = json.loads(line)
    end_with_parent(0)
    known = frozenset(request["known"])
    waiting = 0
    for name in request["names"]:
        waiting += 1
        try:
            answer = _read(request["root"], name, known)
        except Exception as exc:  # noqa: BLE001 - one file must not cost the others their place
            what = f"pygfp fails on it, which is a bug of pygfp or a very odd file ({type(exc).__name__}: {exc})"
            answer = {"problems": [(name, 0, what)]}
        if answer or waiting >= _STEP:
            print(json.dumps({**answer, "scanned": waiting}), flush=True)  # noqa: T201 - the answer
            waiting = 0
    if waiting:
        print(json.dumps({"scanned": waiting}), flush=True)  # noqa: T201 - the answer


#: Files are read into one buffer: most of them hold nothing, and are forgotten at once.
_buffer = bytearray(1 << 20)


def _mentioning(path: str) -> tuple[bytes, list[int]]:
    """The content of a file that names a mask, and where it does; nothing where it does not."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        length = _fill(fd)
    finally:
        os.close(fd)
    places = mentions(_buffer, length)
    if not places:
        return b"", []
    with memoryview(_buffer) as view:
        return view[:length].tobytes(), places


def _fill(fd: int) -> int:
    """Read a file into the buffer and return its length; most files fit, and are read at once."""
    length = 0
    while True:
        if length + len(TAIL) >= len(_buffer):
            if max(length, os.fstat(fd).st_size) > MAX_BYTES:
                raise OSError(0, f"it is larger than {MAX_BYTES >> 20} MiB")
            _buffer.extend(bytes(len(_buffer)))
        with memoryview(_buffer) as view:
            got = os.readv(fd, [view[length : -len(TAIL)]])
        length += got
        if not got:
            _buffer[length : length + len(TAIL)] = TAIL
            return length


def _read(root: str, name: str, known: frozenset[str]) -> dict[str, Any]:
    """What one file holds; empty where that is nothing."""
    try:
        text, places = _mentioning(os.path.join(root, name))
    except OSError as exc:
        return {"problems": [(name, 0, f"cannot be read: {exc.strerror or exc}")]}
    if not places:
        return {}
    from .find import exported, find  # noqa: PLC0415 - most files need no parser
    from .sift import sift  # noqa: PLC0415 - ditto

    answer: dict[str, Any] = {}
    if name.endswith(".h"):
        answer["macros"] = [(name, asdict(piece)) for piece in exported(text)]
    sifted, found = sift(text, places)
    if found:
        here = find(name, text, known, sifted=sifted)
        answer["parsed"] = 1
        answer["problems"] = [(name, line, what) for line, what in here.problems]
        answer["sites"] = [{**asdict(s), "calls": sorted(s.calls), "names": sorted(s.names)} for s in here.sites]
    return {k: v for k, v in answer.items() if v}
