# SPDX-License-Identifier: GPL-2.0-only
"""
The system C compiler: which one, and running it within limits.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..sources import csrc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

#: What the kernel compiles with that can change what code means.
SEMANTIC_FLAGS = (
    "-std=gnu11",
    "-nostdinc",
    "-fno-strict-aliasing",
    "-fno-strict-overflow",
    "-funsigned-char",
    "-fshort-wchar",
    "-Werror=implicit-function-declaration",
    "-Werror=implicit-int",
    "-Werror=return-type",
    "-Werror=date-time",
)

#: How the sweep is compiled. -O3 vectorises the block loop; the cache key holds the processor.
OPTIMISE = ("-O3", "-march=native")

#: Seconds of processor time, bytes of address space and bytes of output for one compiler run.
TIME_LIMIT_S = 60
MEMORY_LIMIT = 4 << 30
OUTPUT_LIMIT = 128 << 20

# What a shell exits with where it cannot run a program.
_NOT_RUN = {126, 127}

_DIAGNOSTIC = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>[0-9]{1,9})(?::\d+)?: (?P<level>fatal error|error|warning): (?P<message>.*)$",
    re.MULTILINE,
)


_EXPANSION = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>[0-9]{1,9})(?::\d+)?: note: in expansion of macro ", re.MULTILINE
)


@dataclass(frozen=True)
class Compiler:
    """
    A C compiler.

    :ivar command: program and leading arguments, ``("ccache", "gcc")`` for example
    :ivar version: first line of its ``--version``
    :ivar identity: what the cache key takes of it: path, size, time of change, version
    """

    command: tuple[str, ...]
    version: str
    identity: str

    @property
    def name(self) -> str:
        """Short form for headings: ``gcc 12.2.0``."""
        numbers = re.findall(r"\d+\.\d+(?:\.\d+)?", self.version)
        return f"{' '.join(os.path.basename(c) for c in self.command)} {numbers[-1] if numbers else ''}".strip()


@dataclass(frozen=True)
class Diagnostic:
    """One message of the compiler: kernel-relative file, 1-based line, level and text."""

    file: str
    line: int
    level: str
    message: str

    def __str__(self) -> str:
        """As the compiler prints it."""
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Run:
    """One finished compiler run."""

    command: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.status == 0

    @property
    def errors(self) -> list[Diagnostic]:
        """Its errors, in order."""
        return [d for d in self.diagnostics if d.level != "warning"]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Its errors and warnings, in order."""
        found = list(_DIAGNOSTIC.finditer(self.stderr))
        behind = [*(m.start() for m in found), len(self.stderr)][1:]
        return [
            Diagnostic(*_place(m, self.stderr[m.end() : end]), m["level"], m["message"])
            for m, end in zip(found, behind, strict=True)
        ]

    @property
    def last_words(self) -> str:
        """What a failed run says of itself where no message names a place."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        if self.status < 0:
            return f"the compiler was killed by {signal.Signals(-self.status).name}"
        loud = [line for line in lines if "error" in line.lower()]
        return next(iter([*loud, *lines[:1]]), f"exit status {self.status} and no message")

    def beyond_limits(self) -> str:
        """Return which limit ended the run, ``""`` where none did."""
        if self.ok:
            return ""
        said = "\n".join(line for line in self.stderr[-4096:].splitlines() if not _DIAGNOSTIC.match(line))
        return next((why for number, words, why in _beyond() if words in said or self.status == -number != 0), "")

    def failure(self, what: str) -> BuildError:
        """Return the exception for a run that should have worked."""
        why = str(self.errors[0]) if self.errors else self.last_words
        return BuildError(f"{what}: {why}", command=self.command, stderr=self.stderr)


def _place(diagnostic: re.Match[str], notes: str) -> tuple[str, int]:
    """Where a diagnostic stands: one in a macro of the shims, where that macro is used."""
    place, shims = diagnostic, f"{csrc()}/shim/"
    if diagnostic["file"].startswith(shims):
        place = next((m for m in _EXPANSION.finditer(notes) if not m["file"].startswith(shims)), diagnostic)
    return place["file"].removeprefix("./"), int(place["line"])


def _beyond() -> tuple[tuple[int, str, str], ...]:
    """How a limit shows: by the signal, or by what the driver says of the program that it started."""
    memory = f"needed more than {MEMORY_LIMIT >> 30} GiB of memory"
    return (
        (signal.SIGXCPU, "CPU time limit exceeded", f"took more than {TIME_LIMIT_S} s of processor time"),
        (signal.SIGXFSZ, "File size limit exceeded", f"wrote more than {OUTPUT_LIMIT >> 20} MiB"),
        (0, "out of memory", memory),
        (0, "virtual memory exhausted", memory),
        (0, "Cannot allocate memory", memory),
        (signal.SIGKILL, "Killed", "was killed by SIGKILL"),
    )


def find(env: Mapping[str, str] | None = None) -> Compiler:
    """
    Return the compiler that ``CC`` names, else clang with ``LLVM`` set, else gcc, cc or clang.

    :raises BuildError: there is none, or it does not run
    """
    env = os.environ if env is None else env
    if env.get("CC"):
        try:
            candidates = [shlex.split(env["CC"])]
        except ValueError as exc:
            message = f"CC={env['CC']!r} is not a command line: {exc}"
            raise BuildError(message) from exc
    elif env.get("LLVM") not in {None, "", "0"}:
        candidates = [["clang"]]
    else:
        candidates = [["gcc"], ["cc"], ["clang"]]
    for command in candidates:
        program = shutil.which(command[0]) if command else None
        if program:
            return _identify(command, program)
    if env.get("CC"):
        message = f"CC={env['CC']}: there is no such program; name an installed compiler in CC, or unset it"
    else:
        tried = ", ".join(" ".join(c) for c in candidates)
        message = f"no C compiler found (tried {tried}); install gcc or clang, or name one in CC"
    raise BuildError(message)


def _identify(command: list[str], program: str) -> Compiler:
    # An absolute path: the compiler runs in another directory than we do.
    command = [os.path.abspath(program) if os.sep in command[0] else command[0], *command[1:]]
    words = [program, *command[1:]]
    # "ccache gcc": what compiles is the last program of the leading words.
    programs = [p for w in command if not w.startswith("-") and (p := shutil.which(w))]
    stamps = []
    for path in programs:
        status = os.stat(path)
        stamps.append(f"{os.path.realpath(path)} {status.st_size} {status.st_mtime_ns}")
    version = _version(tuple(words), tuple(stamps), os.environ.get("PATH", ""))
    return Compiler(tuple(command), version, "\n".join([" ".join(command), version, *stamps]))


@cache
def _version(words: tuple[str, ...], _stamps: tuple[str, ...], _path: str) -> str:
    """The first line of ``--version``; asked once for the same files on the same path."""
    done = run(words, ["--version"])
    if not done.ok or not done.stdout.strip():
        raise done.failure(f"the compiler {' '.join(words)!r} does not run ('--version' fails)")
    return done.stdout.splitlines()[0]


def run(command: Sequence[str], arguments: Sequence[str], *, cwd: Path | None = None) -> Run:
    """
    Run one compiler command within the limits; whatever it starts ends with it, or with us.

    :raises BuildError: it cannot be started, or it does not stay within the limits
    """
    full = [*command, *arguments]
    with _buffer() as stdout, _buffer() as stderr:
        try:
            process = subprocess.Popen(  # noqa: S603 - the command is the user's own compiler
                ["/bin/sh", "-c", _guarded(), "sh", *full],
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                env=_environment(cwd),
                start_new_session=True,
            )
        except OSError as exc:
            message = f"{full[0]} cannot be run: {exc.strerror}; name a working compiler in CC"
            raise BuildError(message, command=full) from exc
        _running.add(process)
        try:
            in_time = _ends(process, TIME_LIMIT_S)
        finally:
            _running.discard(process)
            _kill(process)
        done = Run(tuple(full), process.returncode, _text(stdout) if in_time else "", _text(stderr))
    if not in_time:
        message = f"the compiler {' '.join(command)!r} did not finish within {TIME_LIMIT_S} s"
        raise BuildError(message, command=full)
    if done.status in _NOT_RUN and done.stderr.startswith("sh: "):
        message = f"{full[0]} cannot be run: {done.last_words.rpartition(': ')[2]}; name a working compiler in CC"
        raise BuildError(message, command=full)
    beyond = done.beyond_limits()
    if beyond:
        message = f"the compiler {' '.join(command)!r} {beyond}; is there text that grows without end, or a loop?"
        raise BuildError(message, command=full, stderr=done.stderr)
    return done


@contextlib.contextmanager
def _buffer() -> Iterator[int]:
    """A file in memory, under the same limit on size as any other."""
    fd = os.memfd_create("pygfp")
    try:
        yield fd
    finally:
        os.close(fd)


def _text(fd: int) -> str:
    return os.pread(fd, os.fstat(fd).st_size, 0).decode("utf-8", "replace").replace("\r\n", "\n")


def _ends(process: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Whether *process* ends within *limit_s*; it is not reaped, so that its number stays its own."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:  # a kernel before 5.3, or a container that knows none newer
        return _ends_some_time(process, limit_s)
    try:
        return bool(select.select([fd], [], [], limit_s)[0])
    finally:
        os.close(fd)


def _ends_some_time(process: subprocess.Popen[bytes], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _environment(cwd: Path | None) -> dict[str, str]:
    """What a compiler gets to know of ours. Its temporary files go where it works, and with it."""
    kept = {k: v for k, v in os.environ.items() if k in _PASSED or k.startswith(_PASSED_GROUPS)}
    return kept | {"LC_ALL": "C"} | ({"TMPDIR": str(cwd)} if cwd else {})


def run_all(command: Sequence[str], jobs: Sequence[Sequence[str]], *, cwd: Path) -> list[Run]:
    """Run several compiler commands at once, one a core, and return them in order."""
    from concurrent.futures import ThreadPoolExecutor, wait  # noqa: PLC0415 - a build that is kept runs no compiler

    pool = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1))
    futures = [pool.submit(run, command, arguments, cwd=cwd) for arguments in jobs]
    try:
        return [future.result() for future in futures]
    except BaseException:
        # Ctrl-C reaches this thread alone, and a limit one run: the others must not outlive it.
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            for process in list(_running):
                _end(process)
            wait(futures, timeout=0.02)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_running: set[subprocess.Popen[bytes]] = set()


def tidy() -> None:
    """End every compiler that still runs: this process is about to end."""
    for process in list(_running):
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have a compiler end, and all that it started; whoever waits for it reaps it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    _end(process)
    process.wait()
    if process.stdin:
        process.stdin.close()


# What a compiler, a script around it, or ccache in front of it needs. Anything else may be a secret, or a variable
# by which a compiler would read other headers or write elsewhere.
_PASSED = frozenset({"PATH", "HOME", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"})
_PASSED_GROUPS = ("CCACHE_", "NIX_BINTOOLS", "NIX_CC", "NIX_CFLAGS", "NIX_HARDENING", "NIX_LDFLAGS")


def _guarded() -> str:
    """
    Return the shell text that runs a compiler.

    Our end of the pipe on stdin is closed when we are gone, also by SIGKILL: then the whole group goes. The watching
    process was there before, since the compiler starts others that know nothing of us. A limit that is lower already
    stays.
    """
    return f"""
ulimit -t {TIME_LIMIT_S} 2>/dev/null
ulimit -v {MEMORY_LIMIT >> 10} 2>/dev/null
ulimit -f {OUTPUT_LIMIT >> 9} 2>/dev/null
ulimit -c 0 2>/dev/null
exec 3<&0 </dev/null
{{ read -r _ <&3; kill -KILL 0; }} &
exec "$@" 3<&-
"""
