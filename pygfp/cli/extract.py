# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp extract``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import options

if TYPE_CHECKING:
    import argparse

HELP = "write the text that is compiled"
DESCRIPTION = "Write what pygfp compiles of a source, with the shims that it is compiled with."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    options.add_source(parser)
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="directory to write to; new or empty"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..export import export  # noqa: PLC0415 - ditto
    from ..model.helpers import WANTED  # noqa: PLC0415 - ditto

    for line in export(sources.resolve(arguments.source), tuple(WANTED), arguments.output):
        print(line)
    return 0
