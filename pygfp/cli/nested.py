# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp nested``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "the nested-allocation laws and the places that must obey them"
DESCRIPTION = (
    "Show the filters of nested allocations (kmemleak, stack depot, page owner, KASAN) against the laws, on every "
    "input. "
    "Exit status: 0 all hold, 1 a filter breaks a law, 3 could not be checked; with --history, 1 only if an era breaks "
    "other laws than it is known to."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    options.add_source(parser)
    options.add_selection(parser)
    parser.add_argument(
        "--history",
        action="store_true",
        help="the filters of every known era instead, side by side; needs no kernel tree",
    )
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=options.positive, help="worker processes (default: one a core)"
    )
    options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..nested import Options, nested  # noqa: PLC0415 - ditto
    from ..nesting.history import history  # noqa: PLC0415 - ditto
    from ..render import nested as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    if arguments.history and (arguments.source or arguments.set or arguments.config):
        message = "--history judges the known eras and takes no SOURCE, --config or --set"
        raise UsageError(message)
    progress = output.progress(arguments)
    shown = output.commands_shown(arguments)
    if arguments.history:
        report = history(arguments.jobs, shown)
    else:
        asked = Options(arguments.jobs, shown, progress)
        report = nested(sources.resolve(arguments.source), options.selection(arguments), asked)
    output.progress_ends(progress)
    if arguments.format == "json":
        output.write(rendering.json(report), arguments.output)
    else:
        output.write(rendering.text(report, style=output.style(arguments)), arguments.output)
    return report.exit_status()
