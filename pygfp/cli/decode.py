# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp decode``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import kernel, options, output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import IO

    from ..decoding.annotate import Annotator

HELP = "names for masks, also inside a log on stdin"
DESCRIPTION = "Say what masks mean on a kernel; with '-', or in a pipe, what the masks of a log mean."

_BLOCK = 1 << 20


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    parser.add_argument(
        "masks",
        metavar="MASK",
        nargs="*",
        help="a hex or decimal number, also as a log has it: '0xcc0(GFP_KERNEL)'; '-' reads a log from stdin",
    )
    kernel.add(parser)
    options.add_output(parser, quiet="masks: value and names alone; a log: only names that are wrong")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    output.require_writable(arguments.output)
    if arguments.masks == ["-"] or (not arguments.masks and not sys.stdin.isatty()):
        return _log(arguments)
    if not arguments.masks or "-" in arguments.masks:
        message = "expected masks, or '-' alone for a log on stdin; for example: pygfp decode 0xcc0"
        raise UsageError(message)
    from ..decode import decode, elsewhere, parse_mask  # noqa: PLC0415 - a usage error needs none of this
    from ..render import decode as rendering  # noqa: PLC0415 - ditto

    parsed = [parse_mask(text) for text in arguments.masks]
    tables = kernel.tables(arguments)
    tables = replace(tables, notes=(*tables.notes, *kernel.without_effect(arguments, tables)))
    masks = [decode(value, tables, claimed) for value, claimed in parsed]
    status = int(any(m.agrees is False for m in masks))
    # Without a word on which kernel is meant, the answer is only as good as the guess.
    guessed = tables.info.kind == "bundled" and not arguments.source
    others = [elsewhere(m.value, tables) if guessed else [] for m in masks]
    if arguments.format == "json":
        text = rendering.json(masks, tables, status, others)
    else:
        text = rendering.text(masks, tables, output.style(arguments), others)
    output.write(text, arguments.output)
    return status


def _log(arguments: argparse.Namespace) -> int:
    """Annotate stdin, or list its masks as JSON."""
    from ..decoding.annotate import Annotator, Kernel  # noqa: PLC0415 - a single mask needs none of this
    from ..render import log as rendering  # noqa: PLC0415 - ditto

    asked = kernel.tables(arguments) if arguments.release or arguments.source else None
    of = Kernel(asked, options.selection(arguments))
    with output.opened(arguments.output) as stream:
        if arguments.format == "json":
            masks = rendering.JsonMasks(of)
            annotator = Annotator(of, lambda finding, line: _written(stream, masks.show(finding, line)))
            stream.write(masks.head())
            for _ in _pieces(annotator):
                pass
            stream.write(masks.tail(annotator, _status(annotator)))
        else:
            notes = rendering.Notes(of, quiet=arguments.quiet, colour=output.is_coloured(arguments))
            annotator = Annotator(of, notes.show, notes.more)
            for piece in _pieces(annotator):
                stream.write(piece) if piece else stream.flush()
    if not arguments.quiet:
        for line in rendering.summary(annotator):
            print(f"pygfp decode: {line}", file=sys.stderr)
    return _status(annotator)


def _written(stream: IO[bytes], data: bytes) -> bytes:
    stream.write(data)
    return b""


def _status(annotator: Annotator) -> int:
    return int(annotator.counts.disagreements > 0)


def _pieces(annotator: Annotator) -> Iterator[bytes]:
    """What *annotator* makes of stdin; an empty piece where everything that could be read has been."""
    while data := os.read(sys.stdin.fileno(), _BLOCK):
        yield from annotator.feed(data)
        yield b""
    yield from annotator.end()
