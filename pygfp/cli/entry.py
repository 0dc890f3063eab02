# SPDX-License-Identifier: GPL-2.0-only
"""
Entry point: parse, dispatch, print, exit.

Exit status: 0 everything holds, 1 mismatch or finding, 2 wrong usage, 3 could not be checked.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import BuildError, NoSuchSourceError, NoSuchSubjectError, PygfpError, UsageError
from ..report import SKIP
from . import audit, check, coherence, decode, diff, encode, explain, extract, nested, sources
from .interruptions import STOP, is_bisect

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

_USAGE, _UNCHECKED = 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line *argv* and return the exit status.

    No exception of pygfp gets through, KeyboardInterrupt does: what went wrong is one message on stderr.
    """
    _require_streams()
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser().parse_args(words)
    except SystemExit as exc:
        return STOP if exc.code and is_bisect(words) else int(exc.code or 0)
    bisect = getattr(arguments, "bisect", False)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except PygfpError as exc:
        if isinstance(exc, BuildError) and getattr(arguments, "verbose", False):
            sys.stderr.write(exc.stderr)
        return _complain(str(exc), _status(exc, bisect=bisect))
    except BrokenPipeError:
        # The reader of our output is gone; keep the interpreter from saying so once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STOP if bisect else _UNCHECKED
    except Exception as exc:  # noqa: BLE001 - exit 1 would say that the header is at fault
        status = _give_up(exc)
        return STOP if bisect else status
    return status


def _status(exc: PygfpError, *, bisect: bool) -> int:
    """
    The exit status for *exc*.

    To ``git bisect run`` 2 would mean that the commit is bad: there, a call that cannot be meant ends the
    bisection, and a commit that cannot be judged is skipped.
    """
    if not bisect:
        return _USAGE if isinstance(exc, UsageError) else _UNCHECKED
    is_wrong_call = isinstance(exc, (UsageError, NoSuchSourceError)) and not isinstance(exc, NoSuchSubjectError)
    return STOP if is_wrong_call else SKIP


def _give_up(exc: Exception) -> int:
    """Say why the run ends early, and return the exit status."""
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


def _complain(message: str, status: int) -> int:
    print(f"pygfp: {_printable(message)}", file=sys.stderr)
    return status


def _printable(text: str) -> str:
    return text.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(sys.stderr.encoding or "utf-8")


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
