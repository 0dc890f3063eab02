# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp encode``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kernel, options, output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..decoding.expression import Call
    from ..decoding.tables import Tables
    from ..encode import Encoded

HELP = "value of an expression of names"
DESCRIPTION = "Say what value an expression of flags has on a kernel."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument(
        "expressions",
        metavar="EXPR",
        nargs="+",
        help="names, numbers, |, &, ~, parentheses and calls of helpers: 'gfp_nested_mask(GFP_NOFS|__GFP_ZERO)'",
    )
    kernel.add(parser)
    options.add_output(parser, quiet="the value alone")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from ..decoding.expression import calls, parse  # noqa: PLC0415 - a usage error needs none of this
    from ..render import encode as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    called = [call for text in arguments.expressions for call in calls(parse(text))]
    tables = kernel.tables(arguments)
    encoded = _encode(arguments, tables, called)
    if arguments.format == "json":
        text = rendering.json(encoded, tables)
    else:
        text = rendering.text(encoded, tables, output.style(arguments))
    output.write(text, arguments.output)
    return 0


def _encode(arguments: argparse.Namespace, tables: Tables, called: Sequence[Call]) -> list[Encoded]:
    from ..encode import NoHelpers, encode  # noqa: PLC0415 - ditto
    from ..explaining.calls import CompiledHelpers, ModelHelpers  # noqa: PLC0415 - a usage error needs none of this

    selection = options.selection(arguments)
    if arguments.release is not None:
        from ..decoding.tables import row_of  # noqa: PLC0415 - a source has no row of its own

        helpers = ModelHelpers(row_of(arguments.release)[0], selection, tables)
        return [encode(text, tables, helpers) for text in arguments.expressions]
    if not called:
        return [encode(text, tables, NoHelpers()) for text in arguments.expressions]
    with kernel.opened(arguments) as session:
        compiled = CompiledHelpers(session, tables)
        return [encode(text, tables, compiled) for text in arguments.expressions]
