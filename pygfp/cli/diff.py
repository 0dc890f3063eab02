# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp diff``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "what an edit changes, flag by flag"
DESCRIPTION = "Compile two sources and say what changes in meaning, on every input."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument("old", metavar="OLD", nargs="?")
    parser.add_argument("new", metavar="NEW", nargs="?")
    options.add_selection(parser)
    group = parser.add_argument_group("what is compared")
    group.add_argument("--helper", metavar="NAME", help="only helpers and composites that match this glob; no layout")
    group.add_argument("--full", action="store_true", help="every value of gfp_t, not only of the defined bits")
    group.add_argument(
        "-j", "--jobs", metavar="N", type=options.positive, help="worker processes (default: one a core)"
    )
    options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..diff import Options, diff  # noqa: PLC0415 - ditto
    from ..render import diff as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    selection = options.selection(arguments)
    old, new = sources.resolve(arguments.old), sources.resolve(arguments.new)
    asked = Options(arguments.helper, arguments.full, arguments.jobs, output.commands_shown(arguments))
    report = diff(old, new, selection, asked)
    if arguments.format == "json":
        text = rendering.json(report)
    else:
        text = rendering.text(report, style=output.style(arguments))
    output.write(text, arguments.output)
    return report.exit_status()
