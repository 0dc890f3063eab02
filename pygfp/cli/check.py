# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp check``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BaselineError
from ..render.formats import COMMON, FORMATS
from . import options, output

if TYPE_CHECKING:
    import argparse

    from ..baselines.compare import Baseline
    from ..report import Report

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
    group.add_argument("--sparse", action="store_true", help="have sparse look at the __bitwise types too")
    group.add_argument("--strict", action="store_true", help="absent, unmodelled and undecided fail too")
    group.add_argument(
        "--policy", metavar="FILE", type=Path, help='TOML file that decides new flags: __GFP_NEW = "drop"  # reason'
    )
    group.add_argument(
        "-j", "--jobs", metavar="N", type=options.positive, help="worker processes (default: one a core)"
    )
    _add_baseline(parser)
    options.add_bisect(parser)
    options.add_output(parser, FORMATS)


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("baseline").add_mutually_exclusive_group()
    group.add_argument(
        "--baseline", metavar="FILE", type=Path, help="what FILE holds passes, and what differs from it fails"
    )
    group.add_argument(
        "--save-baseline", metavar="FILE", type=Path, help="accept everything that is found, and write it to FILE"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from ..baselines import compare as baseline  # noqa: PLC0415 - a usage error needs none of this
    from ..baselines import text as baseline_text  # noqa: PLC0415 - ditto

    output.require_writable(arguments.output)
    output.require_writable(arguments.save_baseline, "--save-baseline")
    accepted = None
    if arguments.baseline:
        accepted = baseline_text.load(options.read(arguments.baseline, "--baseline"), str(arguments.baseline))
    report = _report(arguments)
    if arguments.save_baseline:
        accepted = _saved(report, arguments.save_baseline)
    if accepted:
        report = baseline.apply(report, accepted, arguments.helper)
    output.write(_rendered(report, arguments), arguments.output)
    if arguments.bisect:
        return report.bisect_status(strict=arguments.strict, named=arguments.helper is not None)
    return report.exit_status(strict=arguments.strict)


def _saved(report: Report, path: Path) -> Baseline | None:
    """What is accepted from now on; None where the report, which says why and fails, cannot be."""
    from ..baselines import compare as baseline  # noqa: PLC0415 - a usage error needs none of this
    from ..baselines import text as baseline_text  # noqa: PLC0415 - ditto

    try:
        accepted = baseline.of_report(report, str(path))
    except BaselineError as exc:
        print(f"pygfp: {exc}", file=sys.stderr)
        return None
    output.write(baseline_text.dump(accepted), path)
    return accepted


def _report(arguments: argparse.Namespace) -> Report:
    output.warm(arguments.jobs)
    from .. import sources  # noqa: PLC0415 - a usage error needs none of this, and workers start meanwhile
    from ..check import Options, check  # noqa: PLC0415 - ditto
    from ..model.policy import Policy, parse_policy  # noqa: PLC0415 - ditto

    selection = options.selection(arguments)
    policy = Policy()
    if arguments.policy:
        policy = parse_policy(options.read(arguments.policy, "--policy"), str(arguments.policy))
    progress = output.progress(arguments)
    asked = Options(
        policy=policy,
        helper=arguments.helper,
        full=arguments.full,
        sparse=arguments.sparse,
        jobs=arguments.jobs,
        on_progress=progress,
        on_command=output.commands_shown(arguments),
    )
    with output.failures_reported("check", arguments.source or "the default source", arguments):
        report = check(sources.resolve(arguments.source), selection, asked)
    output.progress_ends(progress)
    return report


def _rendered(report: Report, arguments: argparse.Namespace) -> str:
    from ..render import check as rendering  # noqa: PLC0415 - a usage error needs none of this
    from ..render.formats import rendered  # noqa: PLC0415 - ditto
    from ..render.items import of_check  # noqa: PLC0415 - ditto

    if arguments.format in COMMON:
        return rendered(of_check(report, strict=arguments.strict), arguments.format)
    if arguments.format == "json":
        return rendering.json(report, strict=arguments.strict)
    return rendering.text(report, strict=arguments.strict, style=output.style(arguments))
