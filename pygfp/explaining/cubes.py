# SPDX-License-Identifier: GPL-2.0-only
"""
Configurations in words: what a set of them has in common that the others lack.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Assignment

    Cube = tuple[tuple[str, bool], ...]


def phrase(chosen: Sequence[Assignment], every: Sequence[Assignment]) -> str:
    """
    Return in words which of *every* configuration the *chosen* ones are.

    >>> every = [{"CONFIG_A": a, "CONFIG_B": b} for a in (False, True) for b in (False, True)]
    >>> phrase([every[2]], every), phrase(every[1:], every), phrase(every, every)
    ('with A, without B', 'with B, or with A', '')
    """
    if len(chosen) == len(every):
        return ""
    return ", or ".join(_words(cube) for cube in _cover(chosen, every))


def _cover(chosen: Sequence[Assignment], every: Sequence[Assignment]) -> list[Cube]:
    """Few short conjunctions, each true of chosen configurations only, that together are true of all of them."""
    others = [a for a in every if a not in chosen]
    left, cubes = list(chosen), []
    while left:
        cube = max(_cubes(left[0], others), key=lambda c: sum(_holds(c, a) for a in left))
        cubes.append(cube)
        left = [a for a in left if not _holds(cube, a)]
    return cubes


def _cubes(one: Assignment, others: Sequence[Assignment]) -> Iterable[Cube]:
    """The shortest conjunctions that hold for *one* and for none of *others*."""
    items = sorted(one.items(), key=lambda item: not item[1])
    for size in range(len(items) + 1):
        found = [c for c in combinations(items, size) if not any(_holds(c, other) for other in others)]
        if found:
            return found
    return [tuple(items)]


def _holds(cube: Cube, assignment: Assignment) -> bool:
    return all(assignment.get(symbol) == value for symbol, value in cube)


def _words(cube: Cube) -> str:
    on = [s.removeprefix("CONFIG_") for s, value in cube if value]
    off = [s.removeprefix("CONFIG_") for s, value in cube if not value]
    parts = [*(["with " + _listed(on)] if on else []), *(["without " + _listed(off)] if off else [])]
    return ", ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
