# SPDX-License-Identifier: GPL-2.0-only
"""
Masks in a log: where they stand, what they mean, and whether the names that the log gives them are right.

Works on bytes, a block at a time: every byte of the log comes out again as it came in, and a line that
holds a mask is followed by a line for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .decode import CLAIM, MAX_BITS, number

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a line must hold to be looked at: found by memory search, before any pattern is tried.
_NEEDLES = (b"gfp", b"mode:0x", b"mask 0x", b"Linux version ", b"ainted")

_MENTION = re.compile(
    (
        r"(?<![A-Za-z0-9_])(?:"
        # Keys that are of a mask, whatever stands around them.
        rf"(?P<key>gfp_mask|gfp_flags|gfp)(?:=|: ?| )(?:(?P<value>0x[0-9a-fA-F]+|[0-9]+)(?![\w.])|(?P<names>{CLAIM}))"
        # Words that mean a mask only where names follow, or where an allocation is spoken of.
        r"|(?P<word>mode:|mask )(?P<number>0x[0-9a-fA-F]+)(?![\w.])"
        rf")(?:[ ]?\((?P<claim>{CLAIM}|)\))?"
    ).encode()
)
_ALLOCATION = re.compile(rb"order:\d|allocat")
_BANNER = re.compile(rb"(?:Linux version |Not tainted |Tainted: [A-Z ]+ )(\d{1,4}\.\d{1,4}\.\d{1,4})(?=[\s+~_-])")
_DEBIAN = re.compile(rb"Debian (\d{1,4}\.\d{1,4}\.\d{1,4})-")


@dataclass(frozen=True)
class Mention:
    """
    A mask in a line.

    :ivar text: the bytes that it was read from
    :ivar value: the mask; None where only names stand there
    :ivar claimed: the names that the log gives, or None
    :ivar too_wide: the number has more than 64 bits
    """

    text: bytes
    value: int | None
    claimed: str | None
    too_wide: bool = False


def mentions(line: bytes) -> Iterator[Mention]:
    """Return the masks that *line* mentions, in order."""
    for match in _MENTION.finditer(line):
        if match["word"] and match["claim"] is None and not _ALLOCATION.search(line, 0, match.start()):
            continue
        digits = match["value"] or match["number"]
        claim = match["names"] or match["claim"]
        claimed = None if claim is None else claim.decode()
        if digits is None:
            yield Mention(match.group(), None, claimed)
            continue
        # Python refuses to read decimal numbers of thousands of digits.
        value = number(digits.decode()) if len(digits) <= MAX_BITS else 1 << MAX_BITS
        yield Mention(match.group(), value, claimed, too_wide=value >> MAX_BITS > 0)


def banner(line: bytes) -> str | None:
    """
    Return the release that *line* says the kernel is, or None.

    >>> banner(b"[    0.0] Linux version 6.1.0-18-amd64 (x@y) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)")
    '6.1.76'
    """
    match = _BANNER.search(line)
    if not match:
        return None
    release = match[1].decode()
    exact = _DEBIAN.search(line, match.end())
    # A distribution keeps the number of its interface and says behind it what it was built from.
    if exact and exact[1].split(b".")[:2] == match[1].split(b".")[:2]:
        return exact[1].decode()
    return release


def lines_with_masks(block: bytes) -> list[tuple[int, int]]:
    """Return start and end of each line of *block* that is worth a look, in order; the end is behind the newline."""
    found = set()
    for needle in _NEEDLES:
        at = block.find(needle)
        while at >= 0:
            end = block.find(b"\n", at) + 1 or len(block)
            found.add((block.rfind(b"\n", 0, at) + 1, end))
            at = block.find(needle, end)
    return sorted(found)
