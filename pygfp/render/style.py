# SPDX-License-Identifier: GPL-2.0-only
"""
What every text for people has in common: colour, folding, numbers, labels.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS = {"fail": "31;1", "error": "35;1", "pass": "32", "undecided": "33", "unmodelled": "33", "absent": "33"}
_WIDTH = 110


@dataclass(frozen=True)
class Style:
    """How to print: with colour or without, and how much."""

    colour: bool = False
    quiet: bool = False
    verbose: bool = False

    def status(self, status: str, text: str | None = None) -> str:
        """Return *text*, or the status itself, in the colour of *status*."""
        shown = text or status
        return f"\x1b[{_COLOURS[status]}m{shown}\x1b[0m" if self.colour else shown


def count(n: int, noun: str) -> str:
    """
    Return *n* things in words.

    >>> count(1, "input"), count(4096, "input")
    ('1 input', '4,096 inputs')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def folded(texts: Iterable[str], indent: str = "  ") -> Iterable[str]:
    """Return *texts* in lines that a terminal holds, those that go on *indent*ed."""
    for text in texts:
        yield from textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def printable(text: str) -> str:
    r"""
    Return *text* with whatever a terminal might act on as an escape.

    >>> printable("tree\x1b[2J")
    'tree\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configuration(config: dict[str, bool]) -> str:
    """
    Return the symbols of *config* that are on.

    >>> configuration({"CONFIG_LOCKDEP": True, "CONFIG_NUMA": False})
    'LOCKDEP'
    """
    on = [symbol.removeprefix("CONFIG_") for symbol, value in config.items() if value]
    return "+".join(on) or "none on"


def configurations(configs: list[dict[str, bool]]) -> str:
    """Return how many *configs* there are, and the first of them."""
    shown = [configuration(c) for c in configs]
    more = f", and {len(shown) - 4} more" if len(shown) > 5 else ""  # noqa: PLR2004 - as many as fit a line
    return f"{count(len(shown), 'configuration')}: {', '.join(shown[:4] if more else shown)}{more}"
