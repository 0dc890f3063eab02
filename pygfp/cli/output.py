# SPDX-License-Identifier: GPL-2.0-only
"""
Where results go: standard output or a file, in colour or plain, and progress while they are made.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import PygfpError, UsageError
from ..render.formats import COMMON

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO

    from ..render.style import Style


def progress(arguments: argparse.Namespace) -> Callable[[int, int], None] | None:
    """Return what shows progress on stderr; None where that is no terminal, or the run is a quiet one."""
    if arguments.quiet or not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        print(f"\r{100 * done // total:3d} %", end="", file=sys.stderr, flush=True)

    return show


def warm(jobs: int | None) -> None:
    """Start *jobs* workers, or one a core, while the rest of the program is still being imported."""
    from ..native.pool import warm as start  # noqa: PLC0415 - a usage error needs none

    start(jobs)


def progress_ends(shown: Callable[[int, int], None] | None) -> None:
    """Take progress that was *shown* off the terminal again."""
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr)


def commands_shown(arguments: argparse.Namespace) -> Callable[[str], None] | None:
    """Return what shows each command that is run on stderr; None without ``-v`` and ``V=1``."""
    return (lambda command: print(command, file=sys.stderr)) if is_verbose(arguments) else None


def style(arguments: argparse.Namespace) -> Style:
    """Return how a text is to be shown."""
    from ..render.style import Style  # noqa: PLC0415 - a usage error needs none of this

    return Style(is_coloured(arguments), arguments.quiet, is_verbose(arguments))


def is_verbose(arguments: argparse.Namespace) -> bool:
    """Return whether ``-v`` or ``V=1`` is given."""
    return bool(arguments.verbose) or os.environ.get("V") == "1"


def is_coloured(arguments: argparse.Namespace) -> bool:
    """Return whether the result goes to a terminal that may show colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and arguments.output is None


def require_writable(output: Path | None, option: str = "-o") -> None:
    """
    Complain of an output that cannot be written before anything is computed.

    :raises UsageError: it is a directory, or its directory does not exist or is not writable
    """
    if output is None:
        return
    parent = output.absolute().parent
    if str(output) in {"", "."} or output.is_dir():
        message = f"{option} {output}: is a directory; expected the name of a file"
    elif not parent.is_dir():
        message = f"{option} {output}: there is no directory {parent}"
    elif not os.access(parent, os.W_OK) and not output.exists():
        message = f"{option} {output}: {parent} is not writable"
    else:
        return
    raise UsageError(message)


@contextmanager
def failures_reported(command: str, label: str, arguments: argparse.Namespace) -> Iterator[None]:
    """
    Write a report also where what *label* names cannot be looked at, in the formats of COMMON.

    A bot that finds no report, or that of the run before, may take it for "no findings".
    """
    try:
        yield
    except UsageError:
        raise
    except PygfpError as exc:
        if arguments.format in COMMON:
            from ..render.formats import rendered  # noqa: PLC0415 - most runs end well
            from ..render.items import of_failure  # noqa: PLC0415 - ditto

            place = {"file": getattr(exc, "file", None), "line": getattr(exc, "line", None) or None}
            write(rendered(of_failure(command, label, str(exc), **place), arguments.format), arguments.output)
        raise


def write(text: str, output: Path | None) -> None:
    """Print *text*, or put it into file *output* whole or not at all."""
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    with opened(output) as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))


@contextmanager
def opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Yield the stream that a result goes to: standard output, or file *output*, which appears whole or not at all."""
    if output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():
        # A device or a pipe: there is nothing to replace.
        with output.open("wb") as stream:
            yield stream
        return
    import tempfile  # noqa: PLC0415 - most results go to stdout

    with tempfile.NamedTemporaryFile(dir=output.absolute().parent, prefix=".pygfp-", delete=False) as temporary:
        try:
            yield temporary.file
            temporary.close()
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary.name, 0o666 & ~mask)
            os.replace(temporary.name, output)
        except BaseException:
            os.unlink(temporary.name)
            raise
