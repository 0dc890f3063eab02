# SPDX-License-Identifier: GPL-2.0-only
"""
What a diff found, as plain values: the report that renderers turn into text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .report import SKIP, UNCHECKED, check_id

if TYPE_CHECKING:
    from .config import Assignment
    from .report import Check, SourceInfo

#: Every kind of subject, and every way in which one can change.
KINDS = ("helper", "composite", "flag", "layout", "config")
WAYS = ("added", "removed", "changed", "moved", "broken")


@dataclass(frozen=True)
class Example:
    """
    One input that shows a change.

    :ivar input: the input, as the new side has it
    :ivar input_old: as the old side has it: another number where flags moved
    :ivar input_names: as ``%pGg`` of the new side prints it
    :ivar old: what the old side makes of it
    :ivar new: what the new side makes of it
    :ivar old_names: *old* as ``%pGg`` of the old side prints it, where it is a mask; else ``""``
    :ivar new_names: *new* likewise, of the new side
    """

    input: int
    input_old: int
    input_names: str
    old: str
    new: str
    old_names: str = ""
    new_names: str = ""


@dataclass(frozen=True)
class Change:
    """
    One difference in meaning.

    :ivar subject: the helper, composite, flag, symbol or rule
    :ivar kind: one of KINDS
    :ivar change: one of WAYS
    :ivar aspect: what of the subject changes, where it could be several things: ``value``, ``bug``,
        ``warning``, ``signature``, ``file``, ``guard``
    :ivar config: the first configuration in which it shows
    :ivar configs: every one
    :ivar inputs: how many inputs both sides have in *config*
    :ivar differing: how many of them differ
    :ivar flags: flag name (or names, ``|`` between) to what changes for it, ``"drop -> keep"``
    :ivar smallest: of the inputs that differ, one with the fewest flags
    :ivar file: kernel-relative, of the new side where it has the subject, else of the old one
    :ivar text: the change in words
    """

    subject: str
    kind: str
    change: str
    text: str
    aspect: str = ""
    config: Assignment = field(default_factory=dict)
    configs: tuple[Assignment, ...] = ()
    inputs: int = 0
    differing: int = 0
    flags: dict[str, str] = field(default_factory=dict)
    smallest: Example | None = None
    file: str | None = None
    line: int | None = None

    @property
    def id(self) -> str:
        """What the change is called in every format; the same subject has the same id in every run."""
        return check_id(self.kind, self.subject, self.aspect or self.change)

    @property
    def is_presence(self) -> bool:
        """Whether one side does not have the helper or composite at all."""
        return self.kind in {"helper", "composite"} and self.change in {"added", "removed"}


@dataclass(frozen=True)
class Problem:
    """
    Something that could not be compared.

    :ivar subject: the helper, composite or configuration
    :ivar text: why not, and on which side
    """

    subject: str
    text: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class DiffReport:
    """
    What an edit changes.

    :ivar old: the source before
    :ivar new: the source after
    :ivar changes: what differs in meaning
    :ivar problems: what could not be compared
    :ivar broken: verdicts that fail on the new side and not on the old one
    :ivar compared: the subjects that were compared
    :ivar identical: the text is the same, byte for byte, and nothing was compiled
    :ivar compiler: what compiled both; ``""`` where nothing was compiled
    :ivar n_configs: how many configurations were compiled on either side
    :ivar domain: the inputs, in words
    :ivar warnings: what a user should know, also of a quiet run
    :ivar notes: what a user should know besides
    :ivar timings: seconds by stage
    """

    old: SourceInfo
    new: SourceInfo
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: tuple[Check, ...] = ()
    compared: tuple[str, ...] = ()
    identical: bool = False
    compiler: str = ""
    n_configs: tuple[int, int] = (0, 0)
    domain: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def exit_status(self) -> int:
        """Return 0, 1 or 3: any change, or new failure, gives 1; else anything that could not be compared 3; else 0."""
        if self.changes or self.broken:
            return 1
        if self.problems or not (self.compared or self.identical):
            return UNCHECKED
        return 0

    def bisect_status(self, *, named: bool = False) -> int:
        """
        Return the status for ``git bisect run``: 0 good, 1 bad, 125 where this commit cannot be judged.

        What does not compile any more cannot be judged: that is no change in meaning.

        :param named: certain helpers were asked for: that one does not exist on a side is no change
        """
        found = [c for c in self.changes if c.change != "broken" and not (named and c.is_presence)]
        if found:
            return 1
        return SKIP if self.changes or self.exit_status() == UNCHECKED else 0
