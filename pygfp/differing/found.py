# SPDX-License-Identifier: GPL-2.0-only
"""
What the parts of a diff have found so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..changes import Change, Problem


@dataclass
class Found:
    """
    Changes, what could not be compared, and what was.

    :ivar compared: subjects, in order
    :ivar notes: what a user should know and that is no change in meaning
    """

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
