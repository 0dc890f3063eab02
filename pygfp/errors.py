# SPDX-License-Identifier: GPL-2.0-only
"""
The exceptions that pygfp raises on purpose.

Each message says what was expected, what was found and what to do next; the facts stay on the
exception as attributes.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class PygfpError(Exception):
    """Base of every exception of pygfp; never raised itself."""


class UsageError(PygfpError):
    """The caller asked for something that cannot be meant: a bad option value, a bad policy file."""


class KernelTreeError(PygfpError):
    """
    A source is not a kernel tree, or a file in it is missing or unreadable.

    :ivar path: the directory that was given
    :ivar file: the kernel-relative file at fault, or None
    """

    def __init__(self, message: str, *, path: Path | str, file: str | None = None) -> None:
        """Keep *path* and *file* beside the message."""
        super().__init__(message)
        self.path = path
        self.file = file


class ExtractionError(PygfpError):
    """
    A wanted definition occurs in the text and cannot be cut out.

    :ivar file: kernel-relative path
    :ivar line: 1-based line, 0 where the whole file is at fault
    """

    def __init__(self, message: str, *, file: str, line: int = 0) -> None:
        """Put the place in front of *message*."""
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line


class BuildError(PygfpError):
    """
    The compiler failed, or there is none.

    :ivar command: the command line, empty where no compiler was found
    :ivar stderr: what the compiler said
    """

    def __init__(self, message: str, *, command: Sequence[str] = (), stderr: str = "") -> None:
        """Keep the command line and the compiler's words."""
        super().__init__(message)
        self.command = tuple(command)
        self.stderr = stderr


class HelperCrashed(PygfpError):  # noqa: N818 - a statement about the helper, not an error of pygfp
    """
    The C code of a helper crashed or ran out of time.

    :ivar helper: the C name
    :ivar reason: "SIGSEGV", "time", ...
    :ivar first: lowest input of the range that was being compared
    :ivar last: highest input of that range
    """

    def __init__(self, helper: str, reason: str, first: int, last: int) -> None:
        """Say what happened to *helper* somewhere in *first*..*last*."""
        where = f"input {first:#x}" if first == last else f"an input in {first:#x}..{last:#x}"
        super().__init__(f"{helper} {reason} on {where}")
        self.helper = helper
        self.reason = reason
        self.first = first
        self.last = last


class UnknownFlagError(PygfpError, ValueError):
    """
    A name that the build does not define.

    :ivar name: the name
    :ivar near: defined names that look like it
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Look for names near *name* among *known*."""
        self.name = name
        self.near = get_close_matches(name, list(known), n=3)
        hint = f"; near: {', '.join(self.near)}" if self.near else ""
        super().__init__(f"{name} is not defined here{hint}")


class HelperUnavailableError(PygfpError, AttributeError):
    """
    A helper that other releases have and this source lacks.

    :ivar helper: the C name
    :ivar label: the source
    """

    def __init__(self, helper: str, label: str, config: str) -> None:
        """Say that *label* has no *helper* in configuration *config*."""
        super().__init__(f"{label} has no {helper}() ({config})")
        self.helper = helper
        self.label = label


class BugFired(PygfpError):  # noqa: N818 - what the C did, not an error of pygfp
    """
    A helper's BUG fired: a kernel would have died, and there is no value.

    :ivar helper: the C name
    :ivar input: the mask that it was called with
    """

    def __init__(self, helper: str, value: int, names: str) -> None:
        """Say that *helper* fires BUG on *value*."""
        super().__init__(f"{helper}({value:#x}): BUG fires on {names}; kernel.call() tells without an exception")
        self.helper = helper
        self.input = value
