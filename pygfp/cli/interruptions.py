# SPDX-License-Identifier: GPL-2.0-only
"""
Ctrl-C and the signals that ask a program to end: nothing that it started or made stays behind.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: What ends ``git bisect run``; a status from 128 on does so too, and 1 to 127 would be an answer.
STOP = 255
#: Signals after which a run that is being tidied up is given up.
_PATIENCE = 3
#: Seconds after which a wait is looked up from: a signal that comes just before a thread goes to sleep wakes nobody.
_TICK_S = 0.2


class Interruptions:
    """
    A run that the first signal ends by KeyboardInterrupt; more of them do not disturb the tidying up.

    :ivar number: the signal that came, 0 where none did
    """

    def __init__(self, *, is_program: bool) -> None:
        """Change nothing yet. When a program has done its work it only has to end: signals are ignored then."""
        self.number = 0
        self._count = 0
        self._is_program = is_program
        self._before: list[tuple[int, object]] = []

    def __enter__(self) -> Self:
        """Take the signals; not in a thread, where whoever runs us handles them."""
        try:
            for number in _ENDING:
                self._before.append((number, signal.signal(number, self._end)))
        except ValueError:
            return self
        if self._is_program:
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Give them back."""
        if self._is_program and self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before:
            signal.signal(number, signal.SIG_IGN if self._is_program else handler)  # type: ignore[arg-type]

    def _end(self, number: int, _frame: object) -> None:
        self._count += 1
        if self._count == 1:
            self.number = number
            raise KeyboardInterrupt(number)
        if self._count > _PATIENCE:
            # What is still running ends when it sees that we are gone; the next run removes the rest.
            os._exit(128 + number)

    def tidy(self, words: Sequence[str]) -> int:
        """End all that the run has started, remove what it has made, say so, and return the exit status."""
        for name in ("pool", "compiler", "cache"):
            # What was never imported, or not to its end, has done nothing.
            tidy = getattr(sys.modules.get(f"pygfp.native.{name}"), "tidy", None)
            if tidy:
                tidy()
        # Where the interrupt went through exec() of a text, as a class is made from, Python ends by the signal itself,
        # although it was caught. The next such exec() makes it forget.
        exec("")  # noqa: S102
        print("pygfp: interrupted; nothing was left behind", file=sys.stderr)
        return STOP if is_bisect(words) else 128 + (self.number or signal.SIGINT)


def is_bisect(words: Sequence[str]) -> bool:
    """Whether a command line that cannot be parsed is one for ``git bisect run``, where 2 would mean a bad commit."""
    return any(len(word) > len("--b") and "--bisect".startswith(word) for word in words)
