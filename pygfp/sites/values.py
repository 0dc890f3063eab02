# SPDX-License-Identifier: GPL-2.0-only
"""
Values: what is known of a mask at one point of a function, as C text over the mask that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..native.expressions import Piece

#: Stands for the mask that goes in.
INPUT = "pygfp_x"

#: Characters of the longest text that is made of a mask; what is longer is not followed any further.
_LONGEST = 1 << 14

#: More ways than this to one statement, and it is read by itself.
MAX_VARIANTS = 2


@dataclass(frozen=True)
class Value:
    """
    One value.

    :ivar text: C text, with INPUT for the mask that *root* names
    :ivar root: the mask that it depends on, as the source writes it; None for a constant
    :ivar origin: what *root* is: ``parameter``, ``local``, ``member``, ``global``, ``call``, ``constant``,
        ``unknown``
    :ivar masks: a GFP name or a variable of type gfp_t is in it
    :ivar is_test: it is a truth value
    :ivar problem: why it is no function of one mask, or ``""``
    :ivar calls: functions and macros that it calls
    :ivar names: other names in it, macros and enumerators most likely
    :ivar lines: the statements that made it
    :ivar when: the conditions on the way, as the source writes them
    :ivar constant: C text of what *root* is where that is known to be a constant
    """

    text: str
    root: str | None = None
    origin: str = ""
    masks: bool = False
    is_test: bool = False
    problem: str = ""
    calls: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    lines: tuple[int, ...] = ()
    when: tuple[str, ...] = ()
    constant: str = ""

    @property
    def key(self) -> tuple[str, str | None, str, str]:
        """What makes it another value than others."""
        return self.text, self.root, self.problem, self.constant

    @property
    def plain(self) -> bool:
        """Whether it is the mask that went in, unchanged."""
        return self.text.strip("() ") == INPUT

    @property
    def derived(self) -> bool:
        """Whether it is a mask that was made out of another one."""
        if self.is_test or not self.masks or self.root is None:
            return False
        return bool(self.problem) or not self.plain


@dataclass(frozen=True)
class Site:
    """
    A place that derives a mask.

    :ivar line: 1-based line of the statement after which the mask is complete
    :ivar lines: the lines of every statement that has a part in it
    :ivar function: the function or macro that it is in
    :ivar variable: what holds the result, or ``argument of NAME()``
    :ivar source: the mask that goes in, as the text has it
    :ivar origin: what that is, see :class:`Value`
    :ivar kind: ``assignment``, ``initialiser``, ``argument``, ``return``, ``field`` or ``macro``
    :ivar expression: C text over INPUT; empty where there is none
    :ivar problem: why it cannot be reduced, or ``""``
    :ivar text: the statements as the source has them
    :ivar when: the conditions on the way to this variant
    :ivar callee: the function that the mask is given to here or later on, that allocates where one does
    :ivar calls: functions and macros in *expression*
    :ivar names: other names in *expression*
    :ivar needs: those of them that the same file defines
    """

    file: str
    line: int
    end_line: int
    lines: tuple[int, ...]
    function: str
    variable: str
    source: str
    origin: str
    kind: str
    expression: str
    problem: str
    text: str
    when: tuple[str, ...] = ()
    callee: str = ""
    calls: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    needs: tuple[Piece, ...] = ()


@dataclass
class FileSites:
    """
    What one file holds.

    :ivar problems: (line, what) of text that could not be read
    """

    sites: list[Site] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def distinct(values: Sequence[Value]) -> list[Value]:
    """Return *values*, each once."""
    return list({v.key: v for v in reversed(values)}.values())[::-1]


def merged(values: list[Value], template: str) -> Value:
    """
    Return the value that C text *template* makes of *values*, one ``{}`` for each.

    Beside another mask, one that is a constant is its value.
    """
    main = next((v for v in values if v.root is not None and not v.constant), None)
    main = main or next((v for v in values if v.root is not None), None)
    values = [
        replace(v, text=v.text.replace(INPUT, f"({v.constant})"), root=None)
        if v.constant and main is not None and (v.root, v.constant) != (main.root, main.constant)
        else v
        for v in values
    ]
    problem = next((v.problem for v in values if v.problem), "")
    roots = dict.fromkeys(v.root for v in values if v.root is not None)
    if not problem and len(roots) > 1:
        problem = f"depends on {' and on '.join(roots)}"
    text = template.format(*(v.text for v in values))
    if len(text) > _LONGEST:
        text, problem = INPUT, problem or "is longer than what is read"
    return Value(
        text=text,
        root=main.root if main else None,
        origin=main.origin if main else "",
        constant=main.constant if main else "",
        masks=any(v.masks for v in values),
        problem=problem,
        calls=frozenset().union(*(v.calls for v in values)),
        names=frozenset().union(*(v.names for v in values)),
        lines=tuple(sorted({n for v in values for n in v.lines})),
        when=tuple(dict.fromkeys(w for v in values for w in v.when)),
    )
