# SPDX-License-Identifier: GPL-2.0-only
"""
The rough filter: which functions of a file can hold a site at all. Everything else is not parsed.

Text is looked at by statement, as bytes, around each mention of a mask; a function is what stands between two
closing braces in the first column. What is passed over is replaced by its line breaks, so that line numbers stay.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..native.mentions import TAIL, mentions

_EDGE = re.compile(rb"[;{}]")
_NAME = rb"_{0,3}GFP_[A-Z]\w*"
#: Statements that may make one mask out of another, by an operator.
_OPERATES = re.compile(
    rb"[&|^]=[^=]"
    rb"|(?:\b\d\w*|[a-z]\w*|\)|\])\s*[&|^][\s~(]*" + _NAME + rb"|" + _NAME + rb"\)*\s*[&|^][\s~(]*(?:\w*[a-z]|\()"
    rb"|gfp\w*\)*\s*[&|^][\s~(]*\w|[^&]&[\s~(]*\w*gfp|[^|]\|[\s~(]*\w*gfp"
)
#: By a call, or by arithmetic.
_CALLS = re.compile(
    rb"[=(,]\s*\w*(?:gfp|_mask)\w*\(|gfp\w*\s*=[^=;][^;]*\w\(|return\s+\w*(?:gfp|mask)\w*\s*\("
    rb"|\bgfp_t\b[^=;]*=[^;]*\(|[(,=]\s*[A-Z][A-Z0-9_]+\([^()]*gfp"
)
_SUBTRACTS = re.compile(rb"[a-z]\w*\s*[-+]\s*" + _NAME)


def _makes(statement: bytes) -> bool:
    """Whether *statement* may make a mask. Most name a constant and do nothing with it: they are cheap to tell."""
    if (b"&" in statement or b"|" in statement or b"^" in statement) and _OPERATES.search(statement):
        return True
    if (b"gfp" in statement or b"_mask" in statement) and _CALLS.search(statement):
        return True
    return (b"-" in statement or b"+" in statement) and _SUBTRACTS.search(statement) is not None


# A mask that is only asked for, "if (gfp & __GFP_IO)": it is taken out before a statement is looked at again.
_ASKED = re.compile(
    rb"\b(?:if|while|WARN_ON\w*|BUG_ON|VM_BUG_ON)\s*\(\s*(?:un)?(?:likely)?\(?\s*!?\s*\(?[\w.>-]+\s*&\s*\(?\s*"
    + _NAME
    + rb"(?:\s*\|\s*"
    + _NAME
    + rb")*\s*\)"
)
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)\(((?:[^\n\\]|\\\r?\n|\\.)*)")
_RESULT = re.compile(rb"gfp_t[ \t\n]+(\w+)[ \t]*\(")
_DECLARED = re.compile(rb"gfp_t[ \t]+([A-Za-z_]\w*)[ \t]*[,;)=]")
_TOP = re.compile(rb"^\}[^\n]*\n?", re.MULTILINE)
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\\r?\n|\\.)*", re.MULTILINE)
_BODY = re.compile(rb"^\{|^[A-Za-z_][^\n;#]*\{[ \t]*$|^[ \t]+[^\n;#]*\)[ \t]*\{[ \t]*$", re.MULTILINE)
#: How far a statement may reach to either side of the mention.
_REACH = 400


def sift(text: bytes, places: list[int] | None = None) -> tuple[bytes, bool]:
    """
    Return *text* with all but the functions that may hold a site blanked, and whether anything is left.

    :param places: where a mask is mentioned, in order, if that is known already
    """
    wanted = _candidates(text, _mentions(text) if places is None else places)
    if not wanted:
        return b"", False
    out = []
    at = 0
    for start, end in _chunks(text, wanted):
        out.append(b"\n" * text.count(b"\n", at, start))
        out.append(_without_directives(text[start:end]))
        at = end
    return b"".join(out), True


def candidates(text: bytes) -> int:
    """Return how many statements of *text* may hold a site."""
    return len(_candidates(text, _mentions(text)))


def _candidates(text: bytes, places: list[int]) -> list[int]:
    found = []
    done = certain = -1
    filters = [name for at in places if (name := _returned(text, at))]
    filters += _changing(text, places)
    calls = re.compile(rb"(?:^|[(,=])\s*(?:" + b"|".join(filters) + rb")\s*\(") if filters else None
    for at in places:
        # One place in a function is enough: it is parsed whole.
        declared = _DECLARED.match(text, at) if at >= certain else None
        if declared and (place := _used(text, at, declared[1])):
            found.append(place)
            certain = _end(text, at)
        if at < done:
            continue
        start, done = _statement(text, at)
        statement = text[start:done]
        if (_makes(statement) and _makes(_ASKED.sub(b" ", statement))) or (calls and calls.search(statement)):
            found.append(at)
    return sorted(found)


def returned_masks(text: bytes) -> frozenset[str]:
    """Return the names of the functions of *text* that return a mask."""
    return frozenset(name.decode() for at in _mentions(text) if (name := _returned(text, at)))


def _changing(text: bytes, mentions: list[int]) -> list[bytes]:
    """The names of the macros in whose definitions *mentions* are: they may make a mask, or assign to one."""
    found = []
    seen = -1
    for at in mentions:
        start = line = text.rfind(b"\n", 0, at) + 1
        # Up to where the definition begins, or to a line that was looked at before.
        while start > max(seen, 1) and text[start - 2 : start - 1] == b"\\":
            start = text.rfind(b"\n", 0, start - 1) + 1
        match = _DEFINE.match(text, start) if start > seen else None
        if match:
            found.append(match[1])
        seen = line
    return found


def _returned(text: bytes, at: int) -> bytes:
    """The name of the function that returns the ``gfp_t`` at *at*, where that begins one."""
    match = _RESULT.match(text, at)
    if not match:
        return b""
    head = text[text.rfind(b"\n", 0, at) + 1 : at].split()
    return match[1] if set(head) <= {b"static", b"inline", b"__always_inline"} else b""


def _used(text: bytes, at: int, name: bytes) -> int:
    """Where a mask of that name, declared at *at*, is assigned to or combined, up to the end of its function; or 0."""
    match = _combined(name).search(text, at + 5, _end(text, at))
    return match.start() if match else 0


def _end(text: bytes, at: int) -> int:
    end = text.find(b"\n}", at)
    return end if end >= 0 else len(text)


@lru_cache(4096)
def _combined(name: bytes) -> re.Pattern[bytes]:
    combined = rb"\b%b\s*[&|^]?=[^=;][^;]*[(&|^~]|\b%b\)*\s*[|^]\s*[^|]|\b%b\)*\s*&\s*~|\b%b\s*[&|^]="
    return re.compile(combined.replace(b"%b", re.escape(name)))


def _mentions(text: bytes) -> list[int]:
    """Where a mask is mentioned, in order."""
    return mentions(text + TAIL, len(text))


def _statement(text: bytes, at: int) -> tuple[int, int]:
    """Where the statement around *at* starts and ends."""
    low = max(at - _REACH, 0)
    start = max(text.rfind(b";", low, at), text.rfind(b"{", low, at), text.rfind(b"}", low, at), low - 1) + 1
    edge = _EDGE.search(text, at, at + _REACH)
    return start, edge.start() if edge else min(at + _REACH, len(text))


def _chunks(text: bytes, wanted: list[int]) -> list[tuple[int, int]]:
    """The pieces between closing braces in the first column that hold any of *wanted*."""
    found: list[tuple[int, int]] = []
    start = 0
    rest = iter(wanted)
    at = next(rest, None)
    for top in _TOP.finditer(text):
        if at is None:
            break
        if at < top.end():
            found.append((start, top.end()))
            while at is not None and at < top.end():
                at = next(rest, None)
        start = top.end()
    if at is not None:
        found.append((start, len(text)))
    return found


def _without_directives(chunk: bytes) -> bytes:
    """*chunk* with the preprocessor's lines in front of its function blanked: their other half is not here."""
    body = _BODY.search(chunk)
    if body is None:
        return chunk
    head = _DIRECTIVE.sub(lambda m: re.sub(rb"[^\n]", b" ", m.group()), chunk[: body.start()])
    return head + chunk[body.start() :]
