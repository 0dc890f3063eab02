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

# As much of an expression as a message shows.
_SHOWN = 100


class PygfpError(Exception):
    """Base of every exception of pygfp; never raised itself."""


class UsageError(PygfpError):
    """The caller asked for something that cannot be meant: a bad option value, a bad policy file."""


class NoSuchSubjectError(UsageError):
    """
    No helper and no composite of a source matches what was asked for.

    :ivar pattern: the glob
    """

    def __init__(self, message: str, *, pattern: str) -> None:
        """Keep *pattern* beside the message."""
        super().__init__(message)
        self.pattern = pattern


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


class PatchError(PygfpError):
    """
    A patch cannot be read, or does not apply.

    :ivar file: the kernel-relative file at fault, or None
    :ivar hunk: 1-based number of the hunk in that file, or None
    """

    def __init__(self, message: str, *, file: str | None = None, hunk: int | None = None) -> None:
        """Keep *file* and *hunk* beside the message, of which a patch from a stranger may make no more than a line."""
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message))
        self.file = file
        self.hunk = hunk


class BaselineError(PygfpError):
    """A report holds something that was not compared, so that no baseline can be made of it."""


class NoSuchSourceError(KernelTreeError):
    """What names a source names nothing: no such directory, no such revision."""


class ExtractionError(PygfpError):
    """
    A wanted definition occurs in the text and cannot be cut out.

    :ivar file: kernel-relative path
    :ivar line: 1-based line, 0 where the whole file is at fault
    :ivar reason: the message without the place
    """

    def __init__(self, message: str, *, file: str, line: int = 0) -> None:
        """Put the place in front of *message*."""
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.reason = message


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


class ExpressionError(UsageError):
    """
    An expression of flags that cannot be read, or that means nothing on a kernel.

    :ivar text: the expression
    :ivar at: 0-based position of what is wrong
    :ivar length: how many characters are
    """

    def __init__(self, message: str, text: str, at: int, length: int = 1) -> None:
        """Show the place below *message*."""
        start = max(0, at - _SHOWN // 2)
        line = "".join(c if c.isprintable() else "?" for c in text[start : start + _SHOWN])
        mark = "^" + "~" * (min(length, len(line) - (at - start)) - 1)
        super().__init__(f"{message}\n  {line}\n  {'':{at - start}}{mark}")
        self.text = text
        self.at = at
        self.length = length


class UncallableError(ExpressionError):
    """
    An expression calls a helper that the kernel lacks, or that cannot be called.

    :ivar helper: the C name
    """

    def __init__(self, message: str, text: str, at: int, helper: str) -> None:
        """Keep the name beside the message."""
        super().__init__(message, text, at, len(helper))
        self.helper = helper


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
