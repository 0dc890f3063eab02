# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp decode``: what a mask means on one kernel, in every configuration of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .config import Selection
from .decoding.tables import Tables, of_release, of_row
from .errors import UsageError
from .model.reclaim import reclaim_context
from .releases import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .config import Assignment
    from .model.reclaim import ReclaimContext

#: No mask is wider than this.
MAX_BITS = 64

# As much of a bad argument as a message repeats.
_SHOWN = 60

#: What a log claims of a mask, as ``%pGg`` and trace events print it; nothing stands for 0.
CLAIM = r"(?:_{0,3}GFP_[A-Z0-9_]+|0x[0-9a-f]+|none)(?:\|(?:_{0,3}GFP_[A-Z0-9_]+|0x[0-9a-f]+))*"

# Also as it is copied out of a log, with the word in front of it.
_MASK = re.compile(
    r"(?:(?:gfp_mask|gfp_flags|gfp|mode|mask)(?:=|: ?| ))?"
    rf"(?P<value>0[xX][0-9a-fA-F]+|[0-9]+)[ ]?(?:\((?P<claim>{CLAIM}|)\))?"
)


@dataclass(frozen=True)
class Reading:
    """
    One meaning of a mask.

    :ivar names: as the kernel's ``%pGg`` prints it, ``none`` for 0
    :ivar flags: every flag in it, lowest bit first
    :ivar unknown: the bits that no flag stands on
    :ivar configs: the configurations in which it means that
    """

    names: str
    flags: tuple[str, ...]
    unknown: int
    configs: tuple[Assignment, ...]

    @property
    def context(self) -> ReclaimContext:
        """What an allocation with it may do."""
        return reclaim_context(self.flags)


@dataclass(frozen=True)
class Bit:
    """
    A bit that is not the same flag in every configuration.

    :ivar number: 0 is the lowest
    :ivar meanings: its flags (more than one where a header is broken, none for a bit without a flag) and the
        configurations in which it is those
    """

    number: int
    meanings: tuple[tuple[tuple[str, ...], tuple[Assignment, ...]], ...]


@dataclass(frozen=True)
class Decoded:
    """
    A mask, and what it means.

    :ivar value: the mask, ``0 <= value < 2**64``
    :ivar readings: its distinct meanings, at least one
    :ivar flags: the flags that it has in every configuration, lowest bit first
    :ivar moving: its bits that are another flag in another configuration
    :ivar unknown: its bits that are no flag in any configuration
    :ivar unnamed: its flags that the kernel's own table has no name for
    :ivar claimed: the names that came with it, or None
    :ivar agrees: whether those names have that value in some configuration; None without a claim
    :ivar differs: what is wrong with the claim; ``""`` where nothing is
    """

    value: int
    readings: tuple[Reading, ...]
    flags: tuple[str, ...]
    moving: tuple[Bit, ...]
    unknown: int
    unnamed: tuple[str, ...] = ()
    claimed: str | None = None
    agrees: bool | None = None
    differs: str = ""


def parse_mask(text: str) -> tuple[int, str | None]:
    """
    Return the value that *text* gives, and the names that it claims for it, or None.

    >>> parse_mask("0xcc0"), parse_mask("3264"), parse_mask("0xcc0(GFP_KERNEL)")
    ((3264, None), (3264, None), (3264, 'GFP_KERNEL'))

    :raises UsageError: no number, a negative one, or one of more than 64 bits
    """
    match = _MASK.fullmatch(text.strip())
    if not match:
        raise UsageError(_why_no_mask(text.strip()))
    value = number(match["value"])
    if value is None:
        message = f"{_shown(match['value'])}: expected at most {MAX_BITS} bits, found more; nothing is cut off"
        raise UsageError(message)
    return value, match["claim"]


def number(text: str) -> int | None:
    """
    Return the value of a hex number with 0x, or of a decimal one; None where it has more than 64 bits.

    >>> number("0xcc0"), number("3264"), number("1" + 64 * "0")
    (3264, 3264, None)
    """
    is_hex = text[:2] in {"0x", "0X"}
    digits = (text[2:] if is_hex else text).lstrip("0") or "0"
    # Python refuses to read decimal numbers of thousands of digits.
    value = int(digits, 16 if is_hex else 10) if len(digits) <= MAX_BITS else 1 << MAX_BITS
    return value if value < 1 << MAX_BITS else None


def _why_no_mask(text: str) -> str:
    shown = _shown(text)
    if re.fullmatch(r"-\s*(?:0[xX][0-9a-fA-F]+|\d+)", text):
        return f"{shown}: a mask is not negative; give its bits as an unsigned number"
    if re.fullmatch(r"[0-9a-fA-F]+", text):
        return f"{shown}: expected a number, decimal or hex with 0x; did you mean 0x{shown.lower()}?"
    if "GFP_" in text:
        return f"{shown}: expected a number; 'pygfp encode' turns names into one"
    return f"{shown or 'nothing'}: expected a mask, a decimal number or a hex one with 0x"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def decode(value: int, tables: Tables, claimed: str | None = None) -> Decoded:
    """
    Return what *value* means on the kernel of *tables*.

    :param value: ``0 <= value < 2**64``; bits beyond ``gfp_t`` are unknown ones, never dropped
    :param claimed: the names that a log gives for it
    """
    found: dict[tuple[str, tuple[str, ...], int], list[Assignment]] = {}
    unnamed: dict[str, None] = {}
    for assignment, table in tables.configs:
        names = table.names(value)
        unknown = int(names.pop(), 16) if names and names[-1].startswith("0x") else 0
        text = table.format(value)
        found.setdefault((text, tuple(names), unknown), []).append(assignment)
        in_hex = int(text.rpartition("|")[2], 16) if text.rpartition("|")[2].startswith("0x") else 0
        unnamed.update(dict.fromkeys(n for n in names if table.flags[n] & in_hex))
    readings = tuple(Reading(*key, tuple(configs)) for key, configs in found.items())
    moving = tuple(_moving(value, tables)) if len(readings) > 1 else ()
    common = [f for f in readings[0].flags if all(f in r.flags for r in readings)]
    decoded = Decoded(
        value=value,
        readings=readings,
        flags=tuple(common),
        moving=moving,
        unknown=value & ~_ever(value, readings, tables),
        unnamed=tuple(unnamed),
    )
    if claimed is None:
        return decoded
    differs = _differs(value, tables, claimed)
    return replace(decoded, claimed=claimed, agrees=not differs, differs=differs)


def _ever(value: int, readings: Sequence[Reading], tables: Tables) -> int:
    """The bits of *value* that are a flag in some configuration."""
    if len(readings) == 1:
        return value & ~readings[0].unknown
    ever = 0
    for _, table in tables.configs:
        ever |= value & ~table.no_flag & ((1 << table.gfp_t_bits) - 1)
    return ever


def _moving(value: int, tables: Tables) -> Iterable[Bit]:
    for bit in range(value.bit_length()):
        if not value >> bit & 1:
            continue
        meanings: dict[tuple[str, ...], list[Assignment]] = {}
        for assignment, table in tables.configs:
            flags = tuple(sorted(n for n, m in table.flags.items() if m == 1 << bit))
            meanings.setdefault(flags, []).append(assignment)
        if len(meanings) > 1:
            yield Bit(bit, tuple((flags, tuple(configs)) for flags, configs in meanings.items()))


def _differs(value: int, tables: Tables, claimed: str) -> str:
    """What is wrong with *claimed* as names of *value*: ``""`` if it is right in some configuration."""
    parts = [p for p in claimed.split("|") if p not in {"", "none"}]
    foreign = [p for p in parts if not p.startswith("0x") and p not in tables.names]
    if foreign:
        return f"{tables.info.reference} has no {', '.join(foreign)}"
    wrong = []
    for _, table in tables.configs:
        meant = 0
        for part in parts:
            meant |= table.masks.get(part, 0) if not part.startswith("0x") else int(part, 16)
        if meant == value:
            return ""
        plus, minus = "|".join(table.names(value & ~meant)), "|".join(table.names(meant & ~value))
        wrong.append("; ".join(filter(None, [plus and f"not named: {plus}", minus and f"not set: {minus}"])))
    return min(wrong, key=len)


def elsewhere(value: int, tables: Tables) -> list[tuple[str, list[str]]]:
    """
    Return what *value* means in the releases in which its flags are others than on the kernel of *tables*.

    :return: names as ``%pGg`` prints them with every symbol on, and the releases, oldest first
    """
    here = {frozenset(r.flags) for r in decode(value, tables).readings}
    found: dict[str, list[str]] = {}
    for row in rows():
        there = Tables(tables.info, of_row(row, Selection()))
        readings = decode(value, there).readings
        if not here & {frozenset(r.flags) for r in readings}:
            found.setdefault(readings[-1].names, []).append(row.name)
    return list(found.items())


def fits(value: int, claimed: str) -> list[str]:
    """
    Return the releases in which *claimed* names *value*.

    >>> fits(0x6000c0, "GFP_KERNEL")
    ['v4.19']
    """
    return [row.name for row in rows() if not _differs(value, of_release(row.version, Selection()), claimed)]


def was(bit: int) -> list[tuple[str, list[str]]]:
    """
    Return the flags that *bit* is in known releases, each with those releases.

    >>> was(9)[-1][0]
    '__GFP_ATOMIC'
    """
    found: dict[str, list[str]] = {}
    for row in rows():
        for _, table in of_row(row, Selection()):
            for name, mask in table.flags.items():
                if mask == 1 << bit and row.name not in found.setdefault(name, []):
                    found[name].append(row.name)
    return list(found.items())
