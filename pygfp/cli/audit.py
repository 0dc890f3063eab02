# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp audit``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "every place that derives a mask, as keep, drop and force"
DESCRIPTION = (
    "Find every place in the C files of a kernel tree that derives one GFP mask from another, and show what each does "
    "to every flag, proven on every input. Exit status: 0 when it ran; with --check, 1 when a site that is named as "
    "nested breaks a law, 3 when one could not be reduced or read."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument("tree", metavar="TREE", type=Path, help="top directory of a kernel tree")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files or directories of it (default: all of it)")
    group = parser.add_argument_group("what is judged")
    group.add_argument("--check", action="store_true", help="exit 1 when a site named as nested breaks a law")
    group.add_argument(
        "--since", metavar="REV", default="", help="only statements on lines that changed since this git revision"
    )
    group.add_argument("-j", "--jobs", metavar="N", type=options.positive, help="processes (default: one a core)")
    options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from ..audit import Options, audit  # noqa: PLC0415 - a usage error needs none of this
    from ..render import audit as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    progress = output.progress(arguments)
    asked = Options(tuple(arguments.paths), arguments.since, arguments.jobs, progress, output.commands_shown(arguments))
    report = audit(arguments.tree, asked)
    output.progress_ends(progress)
    if arguments.format == "json":
        text = rendering.json(report, check=arguments.check)
    else:
        text = rendering.text(report, check=arguments.check, style=output.style(arguments))
    output.write(text, arguments.output)
    return report.exit_status(check=arguments.check)
