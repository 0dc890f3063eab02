# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp sources``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "list the kernel trees of this machine"
DESCRIPTION = "List kernel trees and header packages on this machine."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..render import sources as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    found = [("bundled", sources.bundled().release or ""), *sources.current(), *sources.installed()]
    if arguments.format == "text":
        print("looked at the current directory, /lib/modules and /usr/src", file=sys.stderr)
    output.write(rendering.json(found) if arguments.format == "json" else rendering.text(found), arguments.output)
    return 0
