# SPDX-License-Identifier: GPL-2.0-only
"""
The rough filter: which functions of a file can hold a site at all. Everything else is not parsed.

Text is looked at by statement, as bytes, around each mention of a mask; a function is what stands between two
closing braces in the first column. What is passed over is replaced by its line breaks, so that line numbers stay.
"""

from __future__ import annotations

import re

_MENTION = re.compile(rb"gfp|GFP_")
_EDGE = re.compile(rb"[;{}]")
_NAME = rb"_{0,3}GFP_[A-Z]\w*"
#: Statements that may make one mask out of another.
_MAKES = re.compile(
    rb"[&|^]=[^=]"
    rb"|(?:[a-z]\w*|\))\s*[&|^]\s*~?\(*\s*" + _NAME + rb"|" + _NAME + rb"\)*\s*[&|^]\s*~?\(*\s*(?:\w*[a-z]|\()"
    rb"|gfp\w*\)*\s*[&|^]\s*~?\(*\s*\w|[^&]&\s*~?\(*\w*gfp|[^|]\|\s*~?\(*\w*gfp"
    rb"|=\s*[\w.>-]*(?:gfp|_mask)\w*\(|[(,]\s*\w*gfp\w*mask\w*\(|return\s+\w*(?:gfp|mask)\w*\s*\(|\bgfp_t\b[^=;]*=[^;]*\("
    rb"|[a-z]\w*\s*-\s*" + _NAME
)
# A mask that is only asked for: "if (gfp & __GFP_IO)" with nothing more to it.
_ASKED = re.compile(
    rb"\s*(?:\}?\s*else\s+)?(?:if|while|WARN_ON(?:_ONCE)?|BUG_ON|VM_BUG_ON)?\s*\(?\s*(?:un)?(?:likely)?\(?\s*!?\s*\(?[\w.>-]+\s*&\s*\(?"
    + _NAME
    + rb"\)*\s*(?:\)|&&|\|\||\?|==|\{)?\s*\Z"
)
_TOP = re.compile(rb"^\}[^\n]*\n?", re.MULTILINE)
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\\r?\n|\\.)*", re.MULTILINE)
_BODY = re.compile(rb"^\{|^[A-Za-z_][^\n;#]*\{[ \t]*$|^[ \t]+[^\n;#]*\)[ \t]*\{[ \t]*$", re.MULTILINE)
#: How far a statement may reach to either side of the mention.
_REACH = 400


def sift(text: bytes) -> tuple[bytes, bool]:
    """Return *text* with all but the functions that may hold a site blanked, and whether anything is left."""
    wanted = list(_candidates(text))
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
    return len(list(_candidates(text)))


def _candidates(text: bytes) -> list[int]:
    found = []
    done = -1
    for mention in _MENTION.finditer(text):
        at = mention.start()
        if at < done:
            continue
        start, done = _statement(text, at)
        statement = text[start:done]
        if _MAKES.search(statement) and not _ASKED.match(statement):
            found.append(at)
    return found


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
