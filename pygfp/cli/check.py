# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp check``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..render.formats import COMMON, FORMATS
from . import options, output

if TYPE_CHECKING:
    import argparse

HELP = "verdicts on a source against the model"
DESCRIPTION = "Compile a source and compare every helper with the model, on every input."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to *parser*."""
    options.add_source(parser)
    options.add_selection(parser)
    group = parser.add_argument_group("what is judged")
    group.add_argument(
        "--helper", metavar="NAME", help="only helpers and composites that match this glob; no layout rules"
    )
    group.add_argument("--full", action="store_true", help="every value of gfp_t, not only of the defined bits")
    group.add_argument("--strict", action="store_true", help="absent, unmodelled and undecided fail too")
    group.add_argument(
        "--policy", metavar="FILE", type=Path, help='TOML file that decides new flags: __GFP_NEW = "drop"  # reason'
    )
    group.add_argument(
        "-j", "--jobs", metavar="N", type=options.positive, help="worker processes (default: one a core)"
    )
    options.add_output(parser, FORMATS)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this
    from ..check import Options, check  # noqa: PLC0415 - ditto
    from ..model.policy import Policy, parse_policy  # noqa: PLC0415 - ditto
    from ..render import check as rendering  # noqa: PLC0415 - ditto
    from ..render.formats import rendered  # noqa: PLC0415 - ditto
    from ..render.items import of_check  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    selection = options.selection(arguments)
    policy = Policy()
    if arguments.policy:
        policy = parse_policy(options.read(arguments.policy, "--policy"), str(arguments.policy))
    progress = output.progress(arguments)
    asked = Options(
        policy=policy,
        helper=arguments.helper,
        full=arguments.full,
        jobs=arguments.jobs,
        on_progress=progress,
        on_command=output.commands_shown(arguments),
    )
    with output.failures_reported("check", arguments.source or "the default source", arguments):
        report = check(sources.resolve(arguments.source), selection, asked)
    output.progress_ends(progress)
    if arguments.format in COMMON:
        text = rendered(of_check(report, strict=arguments.strict), arguments.format)
    elif arguments.format == "json":
        text = rendering.json(report, strict=arguments.strict)
    else:
        text = rendering.text(report, strict=arguments.strict, style=output.style(arguments))
    output.write(text, arguments.output)
    return report.exit_status(strict=arguments.strict)
