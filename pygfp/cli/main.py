# SPDX-License-Identifier: GPL-2.0-only
"""
Entry point: parse, dispatch, print, exit.

Exit status: 0 everything holds, 1 mismatch or finding, 2 wrong usage, 3 could not be checked.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import BuildError, PygfpError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..config import Selection

_USAGE, _UNCHECKED, _INTERRUPTED = 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line *argv* and return the exit status.

    No exception of pygfp gets through: what went wrong is one message on stderr.
    """
    _require_streams()
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else _USAGE
    try:
        return _run(arguments)
    except PygfpError as exc:
        if isinstance(exc, BuildError) and getattr(arguments, "verbose", False):
            sys.stderr.write(exc.stderr)
        return _complain(str(exc), _USAGE if isinstance(exc, UsageError) else _UNCHECKED)
    except BrokenPipeError:
        # The reader of our output is gone; keep the interpreter from saying so once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNCHECKED
    except (KeyboardInterrupt, Exception) as exc:  # noqa: BLE001 - exit 1 would say that the header is at fault
        return _give_up(exc)


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
    _add_check(
        commands.add_parser(
            "check",
            help="verdicts on a source against the model",
            description="Compile a source and compare every helper with the model, on every input.",
        )
    )
    _add_extract(
        commands.add_parser(
            "extract",
            help="write the text that is compiled",
            description="Write what pygfp compiles of a source, with the shims that it is compiled with.",
        )
    )
    _add_sources(
        commands.add_parser(
            "sources",
            help="list the kernel trees of this machine",
            description="List kernel trees and header packages on this machine.",
        )
    )
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="'bundled', a kernel tree, headers package or build directory, or DIR@REV; "
        "default: the tree that the current directory is in, else bundled",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configurations (default: every relevant combination)")
    group.add_argument("--config", metavar="FILE", type=Path, help="judge the one configuration of this kernel .config")
    group.add_argument("--set", metavar="CONFIG_X=y|n", action="append", default=[], help="fix one symbol (repeatable)")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=("text", "json"), default="text")
    group.add_argument("-o", "--output", metavar="FILE", type=Path, help="write the result to FILE instead of stdout")
    group = group.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="say only what is wrong, and the verdict")
    group.add_argument(
        "-v", "--verbose", action="store_true", help="show the commands that are run, and what is not judged"
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_check)
    _add_source(parser)
    _add_selection(parser)
    group = parser.add_argument_group("what is judged")
    group.add_argument(
        "--helper", metavar="NAME", help="only helpers and composites that match this glob; no layout rules"
    )
    group.add_argument("--full", action="store_true", help="every value of gfp_t, not only of the defined bits")
    group.add_argument("--strict", action="store_true", help="absent, unmodelled and undecided fail too")
    group.add_argument(
        "--policy", metavar="FILE", type=Path, help='TOML file that decides new flags: __GFP_NEW = "drop"  # reason'
    )
    group.add_argument("-j", "--jobs", metavar="N", type=_positive, help="worker processes (default: one a core)")
    _add_output(parser)


def _add_extract(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_extract)
    _add_source(parser)
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="directory to write to; new or empty"
    )


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_sources)
    _add_output(parser)


def _positive(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= value <= 1024:  # noqa: PLR2004 - more processes than any machine has cores
        message = f"expected a number from 1 to 1024, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _selection(arguments: argparse.Namespace) -> Selection:
    from ..config import Selection, parse_dotconfig, parse_settings  # noqa: PLC0415 - not every command needs it

    fixed = parse_settings(arguments.set)
    if arguments.config is None:
        return Selection(fixed)
    text = _read(arguments.config, "--config")
    if not re.search(r"^(?:# )?CONFIG_\w+[= ]", text, re.MULTILINE) or "\0" in text:
        message = f"--config {arguments.config}: expected a kernel .config, text with CONFIG_ lines, and found none"
        raise UsageError(message)
    return Selection({**parse_dotconfig(text), **fixed}, complete=True)


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        message = f"{option} {path}: {exc.strerror}"
        raise UsageError(message) from exc


def _check(arguments: argparse.Namespace) -> int:
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..check import Options, check  # noqa: PLC0415 - ditto
    from ..model.policy import Policy, parse_policy  # noqa: PLC0415 - ditto

    _require_writable(arguments.output)
    selection = _selection(arguments)
    policy = parse_policy(_read(arguments.policy, "--policy"), str(arguments.policy)) if arguments.policy else Policy()
    source = sources.resolve(arguments.source)
    verbose = arguments.verbose or os.environ.get("V") == "1"
    options = Options(
        policy=policy,
        helper=arguments.helper,
        full=arguments.full,
        jobs=arguments.jobs,
        on_progress=_progress() if sys.stderr.isatty() and not arguments.quiet else None,
        on_command=(lambda command: print(command, file=sys.stderr)) if verbose else None,
    )
    report = check(source, selection, options)
    if options.on_progress:
        print("\r\x1b[K", end="", file=sys.stderr)
    if arguments.format == "json":
        from ..render import json  # noqa: PLC0415 - one renderer is enough

        text = json.check(report, strict=arguments.strict)
    else:
        from ..render import text as rendering  # noqa: PLC0415 - one renderer is enough

        style = rendering.Style(_colour(arguments), arguments.quiet, verbose)
        text = rendering.check(report, strict=arguments.strict, style=style)
    _write(text, arguments.output)
    return report.exit_status(strict=arguments.strict)


def _progress() -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        print(f"\r{100 * done // total:3d} %", end="", file=sys.stderr, flush=True)

    return show


def _colour(arguments: argparse.Namespace) -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and arguments.output is None


def _require_writable(output: Path | None) -> None:
    """
    Complain of an output that cannot be written before anything is computed.

    :raises UsageError: it is a directory, or its directory does not exist or is not writable
    """
    if output is None:
        return
    parent = output.absolute().parent
    if str(output) in {"", "."} or output.is_dir():
        message = f"-o {output}: is a directory; expected the name of a file"
    elif not parent.is_dir():
        message = f"-o {output}: there is no directory {parent}"
    elif not os.access(parent, os.W_OK) and not output.exists():
        message = f"-o {output}: {parent} is not writable"
    else:
        return
    raise UsageError(message)


def _write(text: str, output: Path | None) -> None:
    """Print *text*, or put it into file *output* whole or not at all."""
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    if output.exists() and not output.is_file():
        # A device or a pipe: there is nothing to replace.
        with output.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        return
    import tempfile  # noqa: PLC0415 - most results go to stdout

    with tempfile.NamedTemporaryFile(
        "w", dir=output.absolute().parent, prefix=".pygfp-", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as stream:
        try:
            stream.write(text)
            stream.close()
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(stream.name, 0o666 & ~mask)
            os.replace(stream.name, output)
        except BaseException:
            os.unlink(stream.name)
            raise


def _extract(arguments: argparse.Namespace) -> int:
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..export import export  # noqa: PLC0415 - ditto
    from ..model.helpers import WANTED  # noqa: PLC0415 - ditto

    for line in export(sources.resolve(arguments.source), tuple(WANTED), arguments.output):
        print(line)
    return 0


def _sources(arguments: argparse.Namespace) -> int:
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..render import listing  # noqa: PLC0415 - ditto

    found = [("bundled", sources.bundled().release or ""), *sources.current(), *sources.installed()]
    if arguments.format == "text":
        print("looked at the current directory, /lib/modules and /usr/src", file=sys.stderr)
    _write(listing.sources(found, as_json=arguments.format == "json"), arguments.output)
    return 0
