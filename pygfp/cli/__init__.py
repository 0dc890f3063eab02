# SPDX-License-Identifier: GPL-2.0-only
"""
The command line: options, exit codes, and the only place that prints.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* and return the exit status, also where it is interrupted while it starts."""
    from .interruptions import Interruptions  # noqa: PLC0415 - Ctrl-C may come from here on

    with Interruptions(is_program=argv is None) as interruptions:
        try:
            from .entry import main as run  # noqa: PLC0415 - ditto

            return run(argv)
        except KeyboardInterrupt:
            return interruptions.tidy(sys.argv[1:] if argv is None else argv)
