# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp coherence``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..render.formats import COMMON, FORMATS
from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "the hand-copied flag tables against the header"
DESCRIPTION = (
    "Compare the tables that name GFP flags (mmflags.h, perf kmem, the copy of gfp_types.h for tools) with the header, "
    "in every configuration."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    options.add_source(parser)
    options.add_selection(parser)
    options.add_output(parser, FORMATS)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..coherence import coherence  # noqa: PLC0415 - ditto
    from ..render import coherence as rendering  # noqa: PLC0415 - ditto
    from ..render.formats import rendered  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    selection = options.selection(arguments)
    with output.failures_reported("coherence", arguments.source or "the default source", arguments):
        source = sources.resolve(arguments.source)
        report = coherence(source, selection, output.commands_shown(arguments))
    if arguments.format in COMMON:
        text = rendered(rendering.items(report), arguments.format)
    elif arguments.format == "json":
        text = rendering.json(report)
    else:
        text = rendering.text(report, output.style(arguments))
    output.write(text, arguments.output)
    return report.exit_status
