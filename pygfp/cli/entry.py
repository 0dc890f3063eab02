# SPDX-License-Identifier: GPL-2.0-only
"""
Entry point: parse, dispatch, print, exit.

Exit status: 0 everything holds, 1 mismatch or finding, 2 wrong usage, 3 could not be checked.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import BuildError, NoSuchSourceError, NoSuchSubjectError, PygfpError, UsageError
from ..report import SKIP
from . import audit, check, coherence, decode, diff, encode, explain, extract, nested, sources

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "check": check,
    "diff": diff,
    "decode": decode,
    "encode": encode,
    "explain": explain,
    "nested": nested,
    "audit": audit,
    "coherence": coherence,
    "extract": extract,
    "sources": sources,
}

_USAGE, _UNCHECKED, _INTERRUPTED, _STOP = 2, 3, 130, 255


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line *argv* and return the exit status.

    No exception of pygfp gets through: what went wrong is one message on stderr.
    """
    _require_streams()
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser().parse_args(words)
    except SystemExit as exc:
        return _STOP if exc.code and _is_bisect(words) else int(exc.code or 0)
    bisect = getattr(arguments, "bisect", False)
    try:
        return _run(arguments)
    except PygfpError as exc:
        if isinstance(exc, BuildError) and getattr(arguments, "verbose", False):
            sys.stderr.write(exc.stderr)
        return _complain(str(exc), _status(exc, bisect=bisect))
    except BrokenPipeError:
        # The reader of our output is gone; keep the interpreter from saying so once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _STOP if bisect else _UNCHECKED
    except (KeyboardInterrupt, Exception) as exc:  # noqa: BLE001 - exit 1 would say that the header is at fault
        status = _give_up(exc)
        return _STOP if bisect else status


def _is_bisect(words: Sequence[str]) -> bool:
    """Whether a command line that cannot be parsed is one for ``git bisect run``, where 2 would mean a bad commit."""
    return any(len(word) > len("--b") and "--bisect".startswith(word) for word in words)


def _status(exc: PygfpError, *, bisect: bool) -> int:
    """
    The exit status for *exc*.

    To ``git bisect run`` 2 would mean that the commit is bad: there, a call that cannot be meant ends the
    bisection, and a commit that cannot be judged is skipped.
    """
    if not bisect:
        return _USAGE if isinstance(exc, UsageError) else _UNCHECKED
    is_wrong_call = isinstance(exc, (UsageError, NoSuchSourceError)) and not isinstance(exc, NoSuchSubjectError)
    return _STOP if is_wrong_call else SKIP


def _give_up(exc: BaseException) -> int:
    """Say why the run ends early, and return the exit status."""
    if isinstance(exc, KeyboardInterrupt):
        return _complain("interrupted; nothing was left behind", _INTERRUPTED)
    if isinstance(exc, OSError):
        return _complain(f"{exc.filename or 'stdout'}: {exc.strerror or exc}", _UNCHECKED)
    traceback.print_exception(exc)
    return _complain("this is a bug of pygfp, not of the header; please report it with the lines above", _UNCHECKED)


def _require_streams() -> None:
    """Open what the caller has closed: a file of ours must not end up as standard output."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:
                os.dup2(fd, number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


def _run(arguments: argparse.Namespace) -> int:
    with _ending_on_signals():
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status


def _complain(message: str, status: int) -> int:
    print(f"pygfp: {_printable(message)}", file=sys.stderr)
    return status


def _printable(text: str) -> str:
    return text.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(sys.stderr.encoding or "utf-8")


class _ending_on_signals(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """SIGTERM and SIGHUP end the run as Ctrl-C does, so that children and temporary files go with it."""

    def __enter__(self) -> None:
        def end(number: int, _frame: object) -> None:
            raise KeyboardInterrupt(number)

        with contextlib.suppress(ValueError):  # not in the main thread: whoever runs us handles signals
            self._before = [(s, signal.signal(s, end)) for s in (signal.SIGTERM, signal.SIGHUP)]

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in getattr(self, "_before", ()):
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pygfp",
        description="Compile the real GFP headers of a Linux kernel and check them on every flag combination.",
        epilog="Exit status: 0 everything holds, 1 mismatch or finding, 2 wrong usage, 3 could not be checked.",
    )
    parser.add_argument("--version", action="version", version=f"pygfp {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        added = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        added.set_defaults(run=command.run)
        command.add(added)
    return parser
