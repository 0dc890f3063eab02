# SPDX-License-Identifier: GPL-2.0-only
"""
The options that choose a kernel whose flags are spoken of: a source, or a release of the facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import options, output

if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager

    from ..decoding.tables import Tables
    from ..native.session import Session
    from ..sources import Source


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    group = parser.add_argument_group("kernel (default: the tree that the current directory is in, else bundled)")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--release", metavar="X.Y", help="a release as pygfp knows it: no tree and no compiler is needed")
    one.add_argument("--source", metavar="SOURCE", help="'bundled', a kernel tree or headers package, or DIR@REV")
    options.add_selection(parser)


def tables(arguments: argparse.Namespace) -> Tables:
    """Return the flag tables of the kernel that *arguments* name."""
    if arguments.release is not None:
        from ..decoding.tables import of_release  # noqa: PLC0415 - a usage error needs none of this

        return of_release(arguments.release, options.selection(arguments))
    from ..model.helpers import WANTED  # noqa: PLC0415 - a release needs none of this
    from ..native.tables import of_source  # noqa: PLC0415 - ditto

    source = _source(arguments)
    return of_source(source, options.selection(arguments), WANTED, output.commands_shown(arguments))


def without_effect(arguments: argparse.Namespace, tables: Tables) -> list[str]:
    """Return what to say of symbols that are fixed and that no flag of *tables* depends on."""
    if arguments.config is not None:
        return []
    fixed = options.selection(arguments).fixed
    known = tables.assignments[0]
    return [f"--set {s} changes nothing: no flag of this kernel depends on it" for s in fixed if s not in known]


def opened(arguments: argparse.Namespace, jobs: int | None = 1) -> AbstractContextManager[Session]:
    """Return the source that *arguments* name, to be opened in *jobs* processes: its helpers can be called."""
    from ..model.helpers import WANTED  # noqa: PLC0415 - most questions call no helper
    from ..native.session import opened as opening  # noqa: PLC0415 - ditto

    commands = output.commands_shown(arguments)
    return opening(_source(arguments), options.selection(arguments), WANTED, jobs=jobs, on_command=commands)


def _source(arguments: argparse.Namespace) -> Source:
    from .. import sources  # noqa: PLC0415 - a release needs none of this

    return sources.resolve(arguments.source)
