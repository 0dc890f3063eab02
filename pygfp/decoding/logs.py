# SPDX-License-Identifier: GPL-2.0-only
"""
Where masks stand in a log, what the log calls them, and which kernel it says that it is of.

Works on blocks of bytes: a memory search finds the few places that are worth a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from ..decode import CLAIM, number

if TYPE_CHECKING:
    from collections.abc import Iterator

# A decimal number is a mask only behind the keys of a trace.
_NUMBER = r"0x[0-9a-fA-F]+|(?<=_mask=|flags=)[0-9]+"
_CLAIM = rf"(?:[ ]?\((?P<claim>{CLAIM}|)\))?"
# A key that is of a mask, whatever stands around it.
_KEY = re.compile(
    rf"(?<![A-Za-z0-9_])gfp(?:_mask|_flags)?(?:=|: ?| )"
    rf"(?:(?P<value>{_NUMBER})(?![\w.]){_CLAIM}|(?P<names>{CLAIM})(?![\w|]))".encode()
)
# A word that means a mask where names follow, or where an allocation is spoken of.
_WORD = re.compile(rf"(?<![A-Za-z0-9_])(?:mode:|mask )(?P<value>0x[0-9a-fA-F]+)(?![\w.]){_CLAIM}".encode())
# As far as a line is looked at around a place, in bytes: a line of megabytes may hold a million of them.
_NEAR = 1024
_LARGE = 2 << 20
_RELEASE = rb"(?P<release>\d{1,4}\.\d{1,4}\.\d{1,4})(?=[\s+~_-])"
_BANNER = re.compile(rb"Linux version " + _RELEASE)
# The head of a stack trace says it as well.
_TAINT = re.compile(rb"ainted(?:: [A-Z ]+)? " + _RELEASE)
_DEBIAN = re.compile(rb"Debian (?P<series>\d{1,4}\.\d{1,4})\.\d{1,4}(?=-)")

#: What memory is searched for, and the pattern that is tried there.
_SEARCHED = (
    (b"gfp", _KEY),
    (b"mode:0x", _WORD),
    (b"mask 0x", _WORD),
    (b"Linux version ", _BANNER),
    (b"ainted", _TAINT),
)


@dataclass(frozen=True)
class Mention:
    """
    A mask in a log.

    :ivar text: the bytes that it was read from
    :ivar value: the mask; None where only names stand there, and for a number of more than 64 bits
    :ivar claimed: the names that the log gives, ``""`` for an empty pair of brackets, None for none
    :ivar is_too_wide: a number of more than 64 bits stands there
    """

    text: bytes
    value: int | None
    claimed: str | None
    is_too_wide: bool = False


def mention(text: bytes) -> Mention:
    """
    Return the mask that *text* mentions, which :func:`places` found.

    >>> mention(b"mode:0xcc0(GFP_KERNEL)").claimed
    'GFP_KERNEL'
    """
    match = _KEY.fullmatch(text) or _WORD.fullmatch(text)
    if match is None:
        message = f"{text!r} mentions no mask"
        raise ValueError(message)
    names = match.groupdict().get("names")
    if names:
        return Mention(text, None, names.decode())
    value = number(match["value"].decode())
    claim = match["claim"]
    return Mention(text, value, None if claim is None else claim.decode(), is_too_wide=value is None)


def places(block: bytes) -> Iterator[tuple[int, bytes, str | None]]:
    """
    Return what *block* holds in order: the offset, and either the text of a mask or the release that a line names.

    :return: (offset, text of a mask, None), or (offset, ``b""``, release)

    >>> list(places(b"a: page allocation failure: order:0, mode:0x20, b"))
    [(37, b'mode:0x20', None)]
    """
    found = [_found(block, needle, pattern) for needle, pattern in _SEARCHED]
    # Sorting is faster; but a line of megabytes may hold a million of them.
    for at, match in merge(*found) if len(block) > _LARGE else sorted(chain(*found), key=itemgetter(0)):
        pattern = match.re
        if pattern is _BANNER or pattern is _TAINT:
            yield at, b"", _release(block, match)
        elif pattern is _KEY or match["claim"] is not None or _allocates(block, at):
            yield at, match.group(), None


def _found(block: bytes, needle: bytes, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Where *pattern* matches at a *needle*; no two needles begin at one place."""
    at = block.find(needle)
    while at >= 0:
        match = pattern.match(block, at)
        if match:
            yield at, match
        at = block.find(needle, match.end() if match else at + 1)


def _allocates(block: bytes, at: int) -> bool:
    """Whether the line of a number speaks of an allocation before it, not far away."""
    near = max(at - _NEAR, 0)
    start = block.rfind(b"\n", near, at) + 1
    start = start or near
    return block.find(b"order:", start, at) >= 0 or block.find(b"allocat", start, at) >= 0


def _release(block: bytes, match: re.Match[bytes]) -> str:
    """A distribution keeps the number of its interface, and says behind it what it was built from."""
    release = match["release"]
    near = match.end() + _NEAR
    end = block.find(b"\n", match.end(), near)
    for exact in _DEBIAN.finditer(block, match.end(), end if end >= 0 else near):
        if exact["series"] == release.rpartition(b".")[0]:
            return exact.group()[len(b"Debian ") :].decode()
    return release.decode()
