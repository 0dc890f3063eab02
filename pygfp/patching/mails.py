# SPDX-License-Identifier: GPL-2.0-only
"""
The patches in a mail, in an mbox of a series, or in a plain diff: in order, as decoded text.
"""

from __future__ import annotations

import email
import re
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from itertools import pairwise
from typing import TYPE_CHECKING

from ..errors import PatchError
from .difftext import parse

if TYPE_CHECKING:
    from email.message import Message

    from .patches import FileChange

# The line that opens a mail in an mbox; in a diff no line begins with a letter.
_FROM_LINE = re.compile(rb"^From \S{1,200} [^\n]{0,60}\d:\d\d[^\n]{0,60}\d{4}[^\n]*\n", re.MULTILINE)
_ANY_HEADER = re.compile(rb"[!-9;-~]+:")
_MAIL_HEADER = re.compile(
    rb"^(?:From|Subject|Date|To|Message-ID|MIME-Version|Content-[\w-]+|Received|Return-Path):",
    re.IGNORECASE | re.MULTILINE,
)
_BLANK_LINE = re.compile(rb"\n\r?\n")
_DIFF = re.compile(rb"^(?:diff --git |@@ -\d)", re.MULTILINE)
_NUMBER = re.compile(r"\[[^\]]*?\b(\d{1,4})/(\d{1,4})\b[^\]]*\]")
_VERSION = re.compile(r"\[[^\]]*?\bv(\d{1,3})\b[^\]]*\]", re.IGNORECASE)
_LONGEST_SUBJECT = 998
_REPLY = re.compile(r"\s*(?:re|aw|sv|antw)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Patch:
    """
    One patch of a series.

    :ivar subject: of its mail; ``""`` for a plain diff
    :ivar changes: what it does, file by file
    """

    subject: str
    changes: tuple[FileChange, ...]


@dataclass(frozen=True)
class Series:
    """
    Patches in the order in which they apply.

    :ivar patches: at least one
    :ivar notes: what was left out, and why
    """

    patches: tuple[Patch, ...]
    notes: tuple[str, ...] = ()


def read_series(text: bytes) -> Series:
    """
    Return the patches in *text*: a diff, a mail, or an mbox.

    ``[PATCH n/m]`` numbers give the order; cover letters and answers without a diff are skipped, answers with
    one and older versions are left out and noted.

    :raises PatchError: no diff in it, or a damaged one
    """
    if not text.strip():
        message = "it is empty; expected a diff, a mail with a patch, or an mbox"
        raise PatchError(message)
    notes: list[str] = []
    try:
        mails = _without_replies(_mails(text), notes)
    except RecursionError as exc:
        message = "its parts are nested too deeply to be a patch"
        raise PatchError(message) from exc
    patches = [Patch(subject, changes) for subject, body in mails if (changes := parse(body))]
    if not patches:
        message = "there is no diff in it; expected 'diff --git' lines, or '---', '+++' and '@@' lines"
        raise PatchError(message)
    patches = _newest(patches, notes)
    return Series(tuple(_ordered(patches, notes)), tuple(notes))


def _mails(text: bytes) -> list[tuple[str, bytes]]:
    """Subject and decoded text of each patch that may be in *text*; a plain diff has no subject."""
    text = text.lstrip()
    starts = [m.start() for m in _FROM_LINE.finditer(text)]
    if starts and starts[0] == 0:
        messages = [email.message_from_bytes(text[s:e]) for s, e in pairwise([*starts, len(text)])]
        # A mail that came over two lists is there twice.
        unique = {str(message.get("Message-ID") or n): message for n, message in enumerate(messages)}
        return [part for message in unique.values() for part in _parts(message)]
    head = _BLANK_LINE.split(text, maxsplit=1)[0]
    if _ANY_HEADER.match(head) and _MAIL_HEADER.search(head):
        return _parts(email.message_from_bytes(text))
    return [("", text)]


def _parts(message: Message) -> list[tuple[str, bytes]]:
    """The text parts of a mail, with their transfer encoding undone: attached patches count, HTML does not."""
    subject = _subject(message)
    parts = [p for p in message.walk() if not p.is_multipart() and p.get_content_type() != "text/html"]
    texts = dict.fromkeys(_text(p) for p in parts)
    if len(texts) == 1:
        return [(subject, text) for text in texts]
    # An attachment may be a mail of its own, as git format-patch writes it.
    return [(inner or subject, body) for text in texts if _DIFF.search(text) for inner, body in _mails(text)]


def _subject(message: Message) -> str:
    """The subject, decoded and on one line; what cannot be decoded stays as it is."""
    raw = str(message.get("Subject", ""))
    with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
        raw = str(make_header(decode_header(raw)))
    words = " ".join(raw[:_LONGEST_SUBJECT].split())
    return "".join(c if c.isprintable() else "?" for c in words)


def _text(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    text = payload if isinstance(payload, bytes) else b""
    if str(part.get_param("format", "")).lower() == "flowed":
        return _unflowed(text, delete_space=str(part.get_param("delsp", "")).lower() == "yes")
    return text


def _unflowed(text: bytes, *, delete_space: bool) -> bytes:
    """RFC 3676: lines that end in a space go on in the next, and a leading space is stuffing."""
    done: list[bytes] = []
    open_ended = False
    for raw in text.replace(b"\r\n", b"\n").split(b"\n"):
        line = raw.removeprefix(b" ")
        if open_ended:
            done[-1] = (done[-1][:-1] if delete_space else done[-1]) + line
        else:
            done.append(line)
        open_ended = line.endswith(b" ") and line != b"-- "
    return b"\n".join(done)


def _without_replies(mails: list[tuple[str, bytes]], notes: list[str]) -> list[tuple[str, bytes]]:
    """The mails that are no answers, where one of those has a diff."""
    posted = [(subject, body) for subject, body in mails if not _REPLY.match(subject)]
    if not any(_DIFF.search(body) for _, body in posted):
        return mails
    notes += [f"left out, as an answer: {s}" for s, body in mails if _REPLY.match(s) and _DIFF.search(body)]
    return posted


def _newest(patches: list[Patch], notes: list[str]) -> list[Patch]:
    """The patches of the highest ``[PATCH vN]``."""
    versions = [int(m[1]) if (m := _VERSION.search(p.subject)) else 1 for p in patches]
    newest = max(versions)
    notes += [
        f"left out, as v{newest} is newer: {p.subject}" for p, v in zip(patches, versions, strict=True) if v < newest
    ]
    return [p for p, v in zip(patches, versions, strict=True) if v == newest]


def _ordered(patches: list[Patch], notes: list[str]) -> list[Patch]:
    """By number, where every one of several patches has one."""
    numbers = [(int(m[1]), int(m[2])) for p in patches if (m := _NUMBER.search(p.subject))]
    if len(patches) == 1 or len(numbers) < len(patches):
        return patches
    missing = sorted(set(range(1, numbers[0][1] + 1)) - {n for n, _ in numbers})
    if missing:
        notes.append(f"not in this series: {', '.join(f'{n}/{numbers[0][1]}' for n in missing)}")
    order = sorted(range(len(patches)), key=lambda i: numbers[i][0])
    return [patches[i] for i in order]
