# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp diff``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import KernelTreeError, UsageError
from ..render.formats import COMMON, FORMATS
from . import options, output

if TYPE_CHECKING:
    import argparse

    from ..changes import DiffReport
    from ..sources import Source

HELP = "what an edit changes, flag by flag"
DESCRIPTION = (
    "Compile two sources and say what changes in meaning, for every input; by default HEAD and the working tree."
)

#: More than this is no patch.
_MAX_PATCH = 64 << 20


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument(
        "old",
        metavar="OLD",
        nargs="?",
        help="a source as 'pygfp check' takes it, or DIR@A..B; default: HEAD of the kernel tree around here",
    )
    parser.add_argument(
        "new", metavar="NEW", nargs="?", help="a source; default: the working tree of OLD's directory, as it is on disk"
    )
    parser.add_argument(
        "--patch",
        metavar="FILE",
        help="compare the one SOURCE without and with this patch, mail or mbox of a series; - reads standard input",
    )
    options.add_selection(parser)
    group = parser.add_argument_group("what is compared")
    group.add_argument("--helper", metavar="NAME", help="only helpers and composites that match this glob; no layout")
    group.add_argument("--full", action="store_true", help="every value of gfp_t, not only of the defined bits")
    group.add_argument(
        "-j", "--jobs", metavar="N", type=options.positive, help="worker processes (default: one a core)"
    )
    options.add_bisect(parser)
    options.add_output(parser, FORMATS, quiet="say nothing where nothing changes, else a line for each change")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    output.require_writable(arguments.output)
    report = _report(arguments)
    output.write(_rendered(report, arguments), arguments.output)
    if arguments.bisect:
        return report.bisect_status(named=arguments.helper is not None)
    return report.exit_status()


def _report(arguments: argparse.Namespace) -> DiffReport:
    selection = options.selection(arguments)
    output.warm(arguments.jobs)
    from ..diff import Options, diff  # noqa: PLC0415 - a usage error needs none of this, and workers start meanwhile

    asked = Options(arguments.helper, arguments.full, arguments.jobs, output.commands_shown(arguments))
    label = " ".join(a for a in (arguments.old, arguments.new, arguments.patch) if a) or "HEAD and the working tree"
    with output.failures_reported("diff", label, arguments):
        old, new, notes = _patched(arguments) if arguments.patch is not None else (*_sides(arguments), ())
        report = diff(old, new, selection, asked)
    return replace(report, notes=(*notes, *report.notes))


def _sides(arguments: argparse.Namespace) -> tuple[Source, Source]:
    """The two sources that are named, or meant."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this

    old, new = arguments.old, arguments.new
    if old is None:
        return sources.head_and_worktree()
    if new is not None:
        return sources.resolve(old), sources.resolve(new)
    if sources.is_range(old):
        return sources.resolve_range(old)
    if os.path.isdir(old):
        try:
            return sources.head_and_worktree(Path(old))
        except KernelTreeError as exc:
            message = f"{exc}; name two sources (OLD NEW) to compare it with another"
            raise KernelTreeError(message, path=exc.path, file=exc.file) from exc
    directory, at, _ = old.rpartition("@")
    if at and os.path.isdir(directory or "."):
        return sources.resolve(old), sources.resolve(directory or ".")
    if old == "bundled":
        message = "bundled has no working tree to be compared with; name what to compare it with (OLD NEW)"
        raise UsageError(message)
    return sources.resolve(old), sources.resolve(None)


def _patched(arguments: argparse.Namespace) -> tuple[Source, Source, tuple[str, ...]]:
    """A source without and with the patch."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..patching.patched import patched  # noqa: PLC0415 - ditto
    from ..places import enclosing_tree  # noqa: PLC0415 - ditto

    if arguments.new is not None:
        message = f"--patch takes one SOURCE, found two: {arguments.old} and {arguments.new}"
        raise UsageError(message)
    if arguments.old is not None and sources.is_range(arguments.old):
        message = f"--patch takes one SOURCE, found a range: {arguments.old}"
        raise UsageError(message)
    if arguments.old is None and enclosing_tree(Path.cwd()) is None:
        message = f"{Path.cwd()} is in no kernel tree; go to one, or name the SOURCE that the patch is for"
        raise KernelTreeError(message, path=Path.cwd())
    path = arguments.patch
    label = "the patch on stdin" if path == "-" else Path(path).name
    found = patched(arguments.old, _read_patch(path), label)
    notes = found.notes if found.is_change else (*found.notes, f"{label} changes none of the watched files")
    return found.old, found.new, notes


def _read_patch(path: str) -> bytes:
    try:
        if path == "-":
            text = sys.stdin.buffer.read(_MAX_PATCH + 1)
        else:
            with open(path, "rb") as stream:
                text = stream.read(_MAX_PATCH + 1)
    except OSError as exc:
        message = f"--patch {path}: {exc.strerror}"
        raise UsageError(message) from exc
    if len(text) > _MAX_PATCH:
        message = f"--patch {path}: expected a patch of at most {_MAX_PATCH >> 20} MiB, found more"
        raise UsageError(message)
    return text


def _rendered(report: DiffReport, arguments: argparse.Namespace) -> str:
    from ..render import diff as rendering  # noqa: PLC0415 - a usage error needs none of this
    from ..render.formats import rendered  # noqa: PLC0415 - ditto
    from ..render.items import of_diff  # noqa: PLC0415 - ditto

    if arguments.format in COMMON:
        return rendered(of_diff(report), arguments.format)
    if arguments.format == "json":
        return rendering.json(report)
    return rendering.text(report, style=output.style(arguments))
