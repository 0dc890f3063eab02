# SPDX-License-Identifier: GPL-2.0-only
"""
In which order masks are printed: the tree's own trace table, else that of the reference row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .native.trace import trace_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .native.session import Session
    from .releases import Row
    from .sources import Source

_TABLE = "include/trace/events/mmflags.h"


def trace_order(source: Source, row: Row, session: Session) -> tuple[Sequence[str], list[str]]:
    """Return the names in printing order, and what a user should know of where they come from."""
    if _TABLE not in source.files:
        return row.trace_names, []
    found = trace_names(source.files[_TABLE], session.build.flag_symbols)
    if found is None:
        return row.trace_names, [f"{_TABLE} cannot be preprocessed; masks print in the order of {row.name}"]
    # A flag that the table lacks prints as hex in the kernel, and so here.
    return found, []
