# SPDX-License-Identifier: GPL-2.0-only
"""
Option groups that commands share, one function a group, and what their values are read into.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Selection


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument SOURCE to *parser*."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="'bundled', a kernel tree, headers package or build directory, or DIR@REV; "
        "default: the tree that the current directory is in, else bundled",
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose configurations to *parser*."""
    group = parser.add_argument_group("configurations (default: every relevant combination)")
    group.add_argument("--config", metavar="FILE", type=Path, help="judge the one configuration of this kernel .config")
    group.add_argument("--set", metavar="CONFIG_X=y|n", action="append", default=[], help="fix one symbol (repeatable)")


def add_bisect(parser: argparse.ArgumentParser) -> None:
    """Add ``--bisect`` to *parser*."""
    parser.add_argument(
        "--bisect",
        action="store_true",
        help="exit for 'git bisect run': 125 where a commit cannot be judged, or lacks what --helper names",
    )


def add_output(
    parser: argparse.ArgumentParser,
    formats: Sequence[str] = ("text", "json"),
    quiet: str = "say only what is wrong, and the verdict",
) -> None:
    """Add the options that say how a result is shown and where it goes; *formats* are those that there are."""
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=formats, default=formats[0])
    group.add_argument("-o", "--output", metavar="FILE", type=Path, help="write the result to FILE instead of stdout")
    group = group.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help=quiet)
    group.add_argument(
        "-v", "--verbose", action="store_true", help="show the commands that are run, and what is not judged"
    )


def positive(text: str) -> int:
    """
    Return the number that *text* is.

    :raises argparse.ArgumentTypeError: it is none from 1 to 1024
    """
    value = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= value <= 1024:  # noqa: PLR2004 - more processes than any machine has cores
        message = f"expected a number from 1 to 1024, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def selection(arguments: argparse.Namespace) -> Selection:
    """
    Return the configurations that *arguments* ask for.

    :raises UsageError: a value cannot be meant
    """
    from ..config import Selection, parse_settings, read_dotconfig  # noqa: PLC0415 - not every command needs it

    fixed = parse_settings(arguments.set)
    if arguments.config is None:
        return Selection(fixed)
    return Selection({**read_dotconfig(arguments.config, "--config"), **fixed}, complete=True)


def read(path: Path, option: str) -> str:
    """
    Return the text of the file *path* that *option* names.

    :raises UsageError: it cannot be read
    """
    from ..outside import read_text  # noqa: PLC0415 - few runs read a file of the user

    return read_text(path, option)
