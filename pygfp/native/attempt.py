# SPDX-License-Identifier: GPL-2.0-only
"""
One attempt at a build: what is compiled, and what has been found out on the way.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import config
from ..sources import csrc
from . import compiler as cc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..config import Assignment, Selection
    from ..extract import Subset
    from ..scan import Definition
    from .plan import Finding

#: Width of ``long`` on the machines that pygfp runs on; csrc/native/abi.h asserts it.
WORD_BITS = 64


#: An assignment that can be the key of a dictionary.
Key = tuple[tuple[str, bool], ...]


def key(assignment: Assignment) -> Key:
    """Return *assignment* as a key."""
    return tuple(sorted(assignment.items()))


@dataclass
class Attempt:
    """
    What is compiled, how, and what did not compile so far.

    :ivar selection: the configurations to build
    :ivar workdir: where the compiler runs
    :ivar wanted: C return type by name of the helpers that may also be macros
    :ivar on_command: is told each compiler command before it runs
    :ivar errors: why a helper was left out, by name
    :ivar alone: why ``gfp_types.h`` does not compile by itself; ``""`` if it does, None where there is none
    :ivar refusals: why a configuration cannot be built, by its assignment
    :ivar broken: wanted names that occur and could not be cut out, with the message
    :ivar losses: functions that do not compile in some configurations only, by assignment, with the message
    :ivar signatures: return type and parameters of each helper, as far as they could be read
    :ivar dropped: macros that are no constant expression
    :ivar blanked: definitions that compile in no configuration and were taken out of the text, with the message
    :ivar rows: what each configuration is built for, by its assignment, which has a value for every other symbol too
    :ivar plain: the rows that do not compile unless these other symbols are off
    :ivar unbuilt: file, line and message of what does not compile there, by the name that it stands in
    """

    subset: Subset
    selection: Selection
    compiler: cc.Compiler
    workdir: Path
    wanted: Mapping[str, str]
    on_command: Callable[[str], None] | None = None
    errors: dict[str, str] = field(default_factory=dict)
    alone: str | None = None
    refusals: dict[Key, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    losses: dict[Key, dict[Definition, str]] = field(default_factory=dict)
    signatures: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    blanked: dict[Definition, str] = field(default_factory=dict)
    rows: dict[Key, Assignment] = field(default_factory=dict)
    plain: set[Key] = field(default_factory=set)
    unbuilt: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    def filled(self, rows: Sequence[Assignment], values: Mapping[str, Sequence[bool]]) -> list[Assignment]:
        """Return *rows* with values for the other symbols of *values*, those that have to do without as they are."""
        full = config.spread(rows, values)
        found = [row if key(row) in self.plain else more for row, more in zip(rows, full, strict=True)]
        self.rows = {key(one): row for one, row in zip(found, rows, strict=True)}
        return found

    def gives_way(self, assignment: Assignment, done: cc.Run, why: str) -> bool:
        """
        Whether *assignment*, which does not compile, has symbols that it is not built for: it does without them.

        A kernel may not have them together, where the header says so; anything else is an error all the same.
        """
        row = self.rows.get(key(assignment), assignment)
        if row == assignment:
            return False
        self.plain.add(key(row))
        others = ", ".join(f"{s}={'y' if on else 'n'}" for s, on in sorted(assignment.items()) if s not in row)
        error = done.errors[0] if done.errors else None
        if error and error.file in self.subset.files and not error.message.startswith("#error"):
            self.unbuilt.setdefault(self._name_at(error), (error.file, error.line, f"{why} (with {others})"))
        else:
            self.notes.append(f"{why}: so it is with {others}, which perhaps no kernel has; compiled without these")
        return True

    def _name_at(self, error: cc.Diagnostic) -> str:
        """What is defined where *error* stands."""
        around = (d for d in self.subset.definitions if d.path == error.file and d.line <= error.line <= d.end_line)
        return next((d.name for d in around), error.file.rpartition("/")[2])

    def choices(self, symbols: Sequence[str]) -> list[Assignment]:
        """Return the judged combinations of *symbols*."""
        return config.assignments(symbols, self.selection, WORD_BITS)

    def refuse(self, assignment: Assignment, why: str) -> None:
        """Note that the configuration *assignment* cannot be built."""
        self.refusals[key(assignment)] = why

    def refused(self, assignment: Assignment) -> str:
        """Return why *assignment* cannot be built, or ``""``."""
        return self.refusals.get(key(assignment), "")

    def lost(self, assignment: Assignment) -> dict[Definition, str]:
        """Return the functions that are left out of the configuration *assignment* alone, with the message."""
        return self.losses.setdefault(key(assignment), {})

    def run(self, *jobs: Sequence[str]) -> list[cc.Run]:
        """Run the compiler once for each of *jobs*, side by side, with the include path of the build."""
        full = [[*cc.SEMANTIC_FLAGS, *include_flags(), *arguments] for arguments in jobs]
        for arguments in full:
            if self.on_command:
                self.on_command(shlex.join([*self.compiler.command, *arguments]))
        return cc.run_all(self.compiler.command, full, cwd=self.workdir)

    def write(self, name: str, text: str) -> str:
        """Write *text* to *name* in the working directory and return *name*."""
        (self.workdir / name).write_text(text)
        return name

    def functions(self, name: str) -> list[Definition]:
        """Return the function definitions of *name* in the text that is compiled."""
        return [d for d in self.subset.definitions if d.name == name and d.kind == "function"]


def include_flags(shims: Path | None = None) -> list[str]:
    """Return where the compiler may look for headers: the subset, pygfp's shims, the empty ones. Nowhere else."""
    root = csrc() if shims is None else shims
    return ["-I.", "-Iinclude", f"-I{root / 'shim'}", "-Istub", f"-I{root}"]
