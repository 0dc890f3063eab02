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
    try:
        from .entry import main as run  # noqa: PLC0415 - Ctrl-C may come now

        return run(argv)
    except KeyboardInterrupt:
        print("pygfp: interrupted; nothing was left behind", file=sys.stderr)
        return 130
