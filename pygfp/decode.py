# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp decode``: what a mask means on one kernel, in every configuration of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import UsageError

if TYPE_CHECKING:
    from .config import Assignment
    from .tables import Tables

#: No mask is wider than this.
MAX_BITS = 64

#: What a log claims of a mask, as ``%pGg`` and trace events print it; nothing stands for 0.
CLAIM = r"(?:_{0,3}GFP_[A-Z0-9_]+|0x[0-9a-f]+|none)(?:\|(?:_{0,3}GFP_[A-Z0-9_]+|0x[0-9a-f]+))*"

_MASK = re.compile(rf"(?P<value>0[xX][0-9a-fA-F]+|[0-9]+)[ ]?(?:\((?P<claim>{CLAIM}|)\))?")


@dataclass(frozen=True)
class Reading:
    """
    One meaning of a mask.

    :ivar names: as the kernel's ``%pGg`` prints it
    :ivar flags: every flag in it, lowest bit first
    :ivar unknown: the bits that no flag stands on
    :ivar configs: the configurations in which it means that
    """

    names: str
    flags: tuple[str, ...]
    unknown: int
    configs: tuple[Assignment, ...]


@dataclass(frozen=True)
class Decoded:
    """
    A mask, and what it means.

    :ivar value: the mask, ``0 <= value < 2**64``
    :ivar readings: its distinct meanings, at least one
    :ivar claimed: the names that came with it, or None
    :ivar agrees: whether those names have that value in some configuration; None without a claim
    :ivar differs: what is wrong with the claim; ``""`` where nothing is
    """

    value: int
    readings: tuple[Reading, ...]
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
    if value >> MAX_BITS:
        message = f"{match['value']}: expected at most {MAX_BITS} bits, found {value.bit_length()}; nothing is cut off"
        raise UsageError(message)
    return value, match["claim"]


def number(text: str) -> int:
    """Return the value of a hex number with 0x, or of a decimal one."""
    return int(text, 16) if text[:2] in {"0x", "0X"} else int(text)


def _why_no_mask(text: str) -> str:
    if re.fullmatch(r"-\s*(?:0[xX][0-9a-fA-F]+|\d+)", text):
        return f"{text}: a mask is not negative; give its bits as an unsigned number"
    if re.fullmatch(r"[0-9a-fA-F]+", text):
        return f"{text}: expected a number, decimal or hex with 0x; did you mean 0x{text.lower()}?"
    if "GFP_" in text:
        return f"{text}: expected a number; 'pygfp encode' turns names into one"
    return f"{text or 'nothing'}: expected a mask, a decimal number or a hex one with 0x"


def decode(value: int, tables: Tables, claimed: str | None = None) -> Decoded:
    """
    Return what *value* means on the kernel of *tables*.

    :param value: ``0 <= value < 2**64``; bits beyond ``gfp_t`` are unknown ones, never dropped
    :param claimed: the names that a log gives for it
    """
    found: dict[tuple[str, tuple[str, ...], int], list[Assignment]] = {}
    for assignment, table in tables.configs:
        names = table.names(value)
        unknown = int(names.pop(), 16) if names and names[-1].startswith("0x") else 0
        found.setdefault((table.format(value), tuple(names), unknown), []).append(assignment)
    readings = tuple(Reading(*key, tuple(configs)) for key, configs in found.items())
    if claimed is None:
        return Decoded(value, readings)
    differs = _differs(value, tables, claimed)
    return Decoded(value, readings, claimed, not differs, differs)


def _differs(value: int, tables: Tables, claimed: str) -> str:
    """What is wrong with *claimed* as names of *value*: ``""`` if it is right in some configuration."""
    parts = [p for p in claimed.split("|") if p not in {"", "none"}]
    unknown = [p for p in parts if not p.startswith("0x") and p not in tables.names]
    if unknown:
        return f"{tables.info.reference} has no {', '.join(unknown)}"
    wrong = []
    for _, table in tables.configs:
        meant = 0
        for part in parts:
            meant |= table.masks[part] if part in table.masks else int(part, 16) if part.startswith("0x") else 0
        if meant == value:
            return ""
        plus, minus = table.names(value & ~meant), table.names(meant & ~value)
        wrong.append(
            "; ".join(
                [
                    *([f"not named: {'|'.join(plus)}"] if plus else []),
                    *([f"not set: {'|'.join(minus)}"] if minus else []),
                ]
            )
        )
    return min(wrong, key=len)
