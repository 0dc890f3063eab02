# SPDX-License-Identifier: GPL-2.0-only
"""
What a build holds, as plain values: helpers, meanings, constants, findings. Kept as JSON in the cache.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..config import Assignment


@dataclass(frozen=True)
class Meaning:
    """
    One meaning of a helper: the configurations in which its preprocessed text and constants are the same.

    :ivar segment: the segment that it is compiled in
    :ivar configs: the assignments that share it
    :ivar code: digest of what the compiler made of it (:mod:`.assembly`); ``""`` where that is not known
    """

    segment: int
    configs: list[Assignment]
    code: str = ""


@dataclass(frozen=True)
class HelperPlan:
    """
    A helper of a source.

    :ivar name: C name
    :ivar path: kernel-relative file of its definition
    :ivar line: 1-based first line
    :ivar end_line: 1-based last line
    :ivar result: C return type as declared; empty where it could not be read
    :ivar parameters: C types of the parameters as declared
    :ivar symbols: the CONFIG symbols that its meaning may depend on
    :ivar meanings: its distinct meanings; empty where it is not swept
    :ivar missing: configurations in which the tree compiles it out
    :ivar losses: configurations in which it does not compile, with the message
    :ivar unswept: why it is not swept, or ``""``
    :ivar grouping: its meaning may depend on grouping by mobility, a global of the kernel
    :ivar text: digest of its definitions as they stand, comments and white space aside
    :ivar error: why it could not be compiled, or ``""``
    """

    name: str
    path: str
    line: int
    end_line: int = 0
    result: str = ""
    parameters: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    missing: list[Assignment] = field(default_factory=list)
    losses: list[tuple[Assignment, str]] = field(default_factory=list)
    unswept: str = ""
    error: str = ""
    grouping: bool = False
    text: str = ""

    @property
    def is_filter(self) -> bool:
        """Whether it returns ``gfp_t``."""
        return self.result == "gfp_t"


@dataclass(frozen=True)
class Constant:
    """
    A named constant as one segment has it.

    :ivar value: as unsigned
    :ivar bytes: size of the expression
    :ivar is_gfp_t: its type is compatible with ``gfp_t``
    """

    value: int
    bytes: int
    is_gfp_t: bool


@dataclass(frozen=True)
class Finding:
    """A statement of the compiler about the header: file, line, segment (-1: any) and text."""

    path: str
    line: int
    segment: int
    text: str


@dataclass(frozen=True)
class SegmentPlan:
    """
    One configuration that was compiled, or could not be.

    :ivar assignment: the CONFIG symbols of it
    :ivar error: why it could not be compiled, or ``""``
    :ivar constants: the constants of it, as the compiled object says
    """

    index: int
    assignment: Assignment
    error: str = ""
    constants: dict[str, Constant] = field(default_factory=dict)


@dataclass(frozen=True)
class Build:
    """
    Everything that is known of one build.

    :ivar objects: file names of the shared objects
    :ivar gfp_t_bits: width of ``gfp_t``
    :ivar gfp_t_signed: ``gfp_t`` is a signed type
    :ivar word_bits: width of ``long``
    :ivar flag_symbols: the CONFIG symbols that flags depend on
    :ivar constant_symbols: for each constant the CONFIG symbols that it may depend on
    :ivar unjudged_symbols: symbols in the headers that nothing judged depends on: compiled on and off, and not judged
    :ivar unreachable: symbols left off because Kconfig ties them to another word size
    :ivar places: file and line of each constant's first definition
    :ivar broken: wanted names that occur and could not be cut out, with the message
    :ivar left_out: (name, file, line, message) of each function and declaration that is not judged and was left out
        since it does not compile, in some configuration at least
    :ivar alone: why ``gfp_types.h`` does not compile alone, ``""`` if it does, None where there is none
    :ivar notes: what a user should know
    """

    segments: list[SegmentPlan]
    helpers: list[HelperPlan]
    objects: list[str] = field(default_factory=list)
    gfp_t_bits: int = 0
    gfp_t_signed: bool = False
    word_bits: int = 64
    flag_symbols: list[str] = field(default_factory=list)
    constant_symbols: dict[str, list[str]] = field(default_factory=dict)
    unjudged_symbols: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left_out: list[tuple[str, str, int, str]] = field(default_factory=list)
    alone: str | None = None
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the build as values that :mod:`json` can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Build:
        """Return the build that :meth:`to_json` gave *raw* for."""
        return cls(
            **{
                **raw,
                "segments": [
                    SegmentPlan(**{**s, "constants": {n: Constant(**c) for n, c in s["constants"].items()}})
                    for s in raw["segments"]
                ],
                "helpers": [
                    HelperPlan(**{**h, "meanings": [Meaning(**m) for m in h["meanings"]]}) for h in raw["helpers"]
                ],
                "findings": [Finding(**f) for f in raw["findings"]],
                "left_out": [(name, path, line, why) for name, path, line, why in raw["left_out"]],
                "places": {n: (p[0], p[1]) for n, p in raw["places"].items()},
            }
        )
