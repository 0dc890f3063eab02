# SPDX-License-Identifier: GPL-2.0-only
"""
The system C compiler: which one, and running it within limits.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
)

#: How the sweep is compiled. -O3 vectorises the block loop; the cache key holds the processor.
OPTIMISE = ("-O3", "-march=native")

#: Seconds of processor time, bytes of address space and bytes of output for one compiler run.
TIME_LIMIT_S = 60
MEMORY_LIMIT = 4 << 30
OUTPUT_LIMIT = 256 << 20

_DIAGNOSTIC = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>[0-9]{1,9})(?::\d+)?: (?P<level>fatal error|error|warning): (?P<message>.*)$",
    re.MULTILINE,
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
        return [
            Diagnostic(m["file"].removeprefix("./"), int(m["line"]), m["level"], m["message"])
            for m in _DIAGNOSTIC.finditer(self.stderr)
        ]

    @property
    def last_words(self) -> str:
        """What a failed run says of itself where no message names a place."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        if self.status < 0:
            return f"the compiler was killed by {signal.Signals(-self.status).name}"
        loud = [line for line in lines if "error" in line.lower()]
        return next(iter([*loud, *lines[:1]]), f"exit status {self.status} and no message")

    def failure(self, what: str) -> BuildError:
        """Return the exception for a run that should have worked."""
        why = str(self.errors[0]) if self.errors else self.last_words
        return BuildError(f"{what}: {why}", command=self.command, stderr=self.stderr)


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
    done = run(words, ["--version"])
    if not done.ok or not done.stdout.strip():
        raise done.failure(f"the compiler {' '.join(command)!r} does not run ('--version' fails)")
    version = done.stdout.splitlines()[0]
    return Compiler(tuple(command), version, "\n".join([" ".join(command), version, *stamps]))


def run(command: Sequence[str], arguments: Sequence[str], *, cwd: Path | None = None) -> Run:
    """
    Run one compiler command within the limits.

    :raises BuildError: it cannot be started, or does not end in time
    """
    full = [*command, *arguments]
    env = {k: v for k, v in os.environ.items() if k not in _DIVERTING} | {"LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is the user's own compiler
            full,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=env,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - nothing but setrlimit happens between fork and exec
        )
    except OSError as exc:
        message = f"{full[0]} cannot be run: {exc.strerror}; name a working compiler in CC"
        raise BuildError(message, command=full) from exc
    _running.add(process)
    try:
        stdout, stderr = process.communicate(timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired as exc:
        message = f"the compiler {' '.join(command)!r} did not finish within {TIME_LIMIT_S} s"
        raise BuildError(message, command=full) from exc
    finally:
        _running.discard(process)
        if process.poll() is None:
            _kill(process)
    return Run(tuple(full), process.returncode, stdout, stderr)


def run_all(command: Sequence[str], jobs: Sequence[Sequence[str]], *, cwd: Path) -> list[Run]:
    """Run several compiler commands at once, one a core, and return them in order."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a build that is kept runs no compiler

    pool = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1))
    try:
        return list(pool.map(lambda arguments: run(command, arguments, cwd=cwd), jobs))
    except BaseException:
        # Ctrl-C reaches this thread alone: the others wait for compilers that must not outlive us.
        for process in list(_running):
            _kill(process)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_running: set[subprocess.Popen[str]] = set()


def _kill(process: subprocess.Popen[str]) -> None:
    """End a compiler and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# Variables by which a compiler would read other headers, or write elsewhere.
_DIVERTING = {
    "CPATH",
    "C_INCLUDE_PATH",
    "GCC_EXEC_PREFIX",
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
    "COMPILER_PATH",
}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_LIMIT_S, TIME_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_LIMIT, OUTPUT_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
