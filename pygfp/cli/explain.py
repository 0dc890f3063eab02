# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp explain``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from . import kernel, options, output

if TYPE_CHECKING:
    import argparse

    from ..decoding.tables import Tables
    from ..encode import Encoded, Helpers
    from ..explain import Explanation

HELP = "what a helper, composite or flag means, and why"
DESCRIPTION = "Say what a helper, a composite or a flag means on a kernel; with a mask, what it does to that mask."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument("name", metavar="NAME", help="gfp_nested_mask, GFP_KERNEL, __GFP_IO, ...")
    parser.add_argument("mask", metavar="MASK", nargs="?", help="a mask to look at: a number or an expression of names")
    kernel.add(parser)
    options.add_output(parser, quiet="no heading, no history and no notes")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from ..decoding.expression import parse  # noqa: PLC0415 - ditto
    from ..explain import is_helper  # noqa: PLC0415 - a usage error needs none of this
    from ..render import explain as rendering  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    arguments.name = arguments.name.removesuffix("()")
    if not arguments.name.isidentifier():
        message = f"{arguments.name!r}: expected the name of a helper, composite or flag: GFP_KERNEL for example"
        raise UsageError(message)
    if arguments.mask is not None:
        parse(arguments.mask)
    tables = kernel.tables(arguments)
    found = _helper(arguments, tables) if is_helper(arguments.name) else _name(arguments, tables)
    if arguments.format == "json":
        text = rendering.json(found, tables)
    else:
        text = rendering.text(found, tables, output.style(arguments))
    output.write(text, arguments.output)
    return 0


def _name(arguments: argparse.Namespace, tables: Tables) -> Explanation:
    from ..encode import NoHelpers, encode  # noqa: PLC0415 - a usage error needs none of this
    from ..explain import explain_name, require  # noqa: PLC0415 - ditto

    require(arguments.name, tables)
    value = encode(arguments.name, tables, NoHelpers()) if arguments.name in tables.names else None
    mask = encode(arguments.mask, tables, NoHelpers()) if arguments.mask is not None else None
    return explain_name(arguments.name, tables, value, mask)


def _helper(arguments: argparse.Namespace, tables: Tables) -> Explanation:
    from ..decoding.tables import row_of  # noqa: PLC0415 - ditto
    from ..explain import explain_helper  # noqa: PLC0415 - ditto
    from ..explaining.calls import CompiledHelpers, ModelHelpers  # noqa: PLC0415 - a usage error needs none of this

    name = arguments.name
    if arguments.release is not None:
        model = ModelHelpers(row_of(arguments.release)[0], options.selection(arguments), tables)
        before, after = _effect(arguments, tables, model)
        proof = "from the model of pygfp; --source TREE shows what the code of a tree does"
        notes = model.notes([name])
        return explain_helper(name, tables, model.meanings(name), proof, before=before, after=after, notes=notes)
    from ..explaining.prove import prove  # noqa: PLC0415 - a release needs no compiler

    with kernel.opened(arguments, jobs=None) as session:
        compiled = CompiledHelpers(session, tables)
        before, after = _effect(arguments, tables, compiled)
        proven = prove(session, name)
        notes = [*proven.notes, *compiled.notes([name])]
        return explain_helper(
            name,
            tables,
            proven.meanings,
            proven.proof,
            place=proven.place,
            before=before,
            after=after,
            proven_bits=proven.domain_bits,
            notes=notes,
        )


def _effect(
    arguments: argparse.Namespace, tables: Tables, helpers: Helpers
) -> tuple[Encoded, Encoded] | tuple[None, None]:
    """The mask before and after, if there is one; in any case the helper must be there."""
    from ..encode import encode  # noqa: PLC0415 - a usage error needs none of this

    after = encode(f"{arguments.name}({arguments.mask or 0})", tables, helpers)
    if arguments.mask is None:
        return None, None
    return encode(arguments.mask, tables, helpers), after
