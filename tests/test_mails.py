# SPDX-License-Identifier: GPL-2.0-only
"""Patches as they come: one mail in every encoding, an mbox of a series, a thread with answers."""

from __future__ import annotations

import quopri
import re
from email.charset import BASE64, Charset
from email.message import EmailMessage, MIMEPart
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from repositories import GFP_H, commit, edit, git, raw_git, subset_tree

from pygfp.errors import PatchError
from pygfp.patching.difftext import parse
from pygfp.patching.mails import read_series

if TYPE_CHECKING:
    from pathlib import Path


# What the library makes of a plain "utf-8" is a setting of the whole process.
BASE64_UTF_8 = Charset("utf-8")
BASE64_UTF_8.body_encoding = BASE64


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve commits above tag v0."""
    root = subset_tree(tmp_path_factory.mktemp("mails") / "kernel")
    git(root, "init", "-q", "-b", "main")
    commit(root, "zero")
    git(root, "tag", "v0")
    for n in range(1, 13):
        text = f"#define A 10{n}\n#define B 2\n"
        commit(root, f"mm: change {n}\n\nFrom here on A is {n}.\nFrom 1 to 2, ünï.", {"mm/internal.h": text})
    return root


@pytest.fixture(scope="module")
def patch(tree: Path) -> bytes:
    """A patch with tabs, equals signs, and bytes that are not ASCII in its text."""
    edit(
        tree,
        GFP_H,
        "/* True if memory may be compacted:",
        "/* =3D größer: \u2026 */\n\n/* True if memory may be compacted:",
    )
    text = raw_git(tree, "diff")
    git(tree, "checkout", "-q", GFP_H)
    return b"Why.\n---\n x | 2 ++\n\n" + text + b"-- \n2.39.5\n"


def only(text: bytes) -> object:
    (one,) = read_series(text).patches
    return one.changes


def mail(part: object, **headers: str) -> bytes:
    for name, value in {"From": "a@example.org", "Subject": "[PATCH] mm: x", **headers}.items():
        part[name] = value
    return part.as_bytes()


class TestOneMail:
    """Whatever is done to a mail on its way, the patch in it is the same."""

    def test_as_git_format_patch_writes_it(self, tree: Path) -> None:
        text = raw_git(tree, "format-patch", "--stdout", "-1")
        series = read_series(text)
        assert [p.subject for p in series.patches] == ["[PATCH] mm: change 12"]
        assert series.patches[0].changes == parse(raw_git(tree, "diff", "HEAD^", "HEAD"))
        assert only(text.partition(b"\n")[2]) == series.patches[0].changes

    def test_eight_bit(self, patch: bytes) -> None:
        head = b"Received: from x\n by y\nFrom: a@b.org\nSubject: x\nContent-Type: text/plain; charset=UTF-8\n\n"
        assert only(head + patch) == parse(patch)

    @pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
    def test_quoted_printable(self, patch: bytes, newline: bytes) -> None:
        head = b"From: a@b.org\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n"
        text = head + quopri.encodestring(patch)
        assert b"=C3=B6" in text
        assert only(text.replace(b"\n", newline)) == parse(patch)

    def test_base64(self, patch: bytes) -> None:
        text = mail(MIMEText(patch.decode(), "plain", BASE64_UTF_8))
        assert b"diff --git" not in text
        assert only(text) == parse(patch)

    def test_base64_of_crlf(self, patch: bytes) -> None:
        assert only(mail(MIMEText(patch.decode().replace("\n", "\r\n"), "plain", "utf-8"))) == parse(patch)

    @pytest.mark.parametrize("delsp", ["no", "yes"])
    def test_format_flowed(self, patch: bytes, delsp: str) -> None:
        lines = []
        for raw in patch.decode().split("\n"):
            # Stuffed as RFC 3676 asks, and long lines folded at a space.
            line = f" {raw}" if raw.startswith((" ", ">", "From ")) else raw
            line = line if line == "-- " else line.rstrip(" ")
            words = line.split(" ")
            if len(words) > 4 and line[:1] in "+-":
                cut = " ".join(words[:3]) + " "
                lines += [cut + (" " if delsp == "yes" else ""), line[len(cut) :]]
            else:
                lines.append(line)
        body = "\n".join(lines).encode()
        head = f"From: a@b.org\nContent-Type: text/plain; format=flowed; delsp={delsp}\n\n".encode()
        assert body.count(b"\n") > patch.count(b"\n")
        assert only(head + body) == parse(patch)

    @pytest.mark.parametrize("subtype", ["plain", "x-patch", "x-diff"])
    def test_attached(self, patch: bytes, subtype: str) -> None:
        message = MIMEMultipart()
        message.attach(MIMEText("Please see the attachment.\n"))
        message.attach(MIMEText(patch.decode(), subtype, "utf-8"))
        message.attach(MIMEText("____\nlinux-mm mailing list\n"))
        assert only(mail(message)) == parse(patch)

    def test_attached_as_a_file_of_git_format_patch(self, tree: Path) -> None:
        message = MIMEMultipart()
        message.attach(MIMEText("Two of them.\n"))
        for n in (1, 2):
            part = MIMEBase("application", "octet-stream")
            part.set_payload(raw_git(tree, "format-patch", "--stdout", "-1", f"HEAD~{2 - n}"))
            message.attach(part)
        assert [p.subject for p in read_series(mail(message)).patches] == [f"[PATCH] mm: change {n}" for n in (11, 12)]

    def test_with_an_html_copy(self, patch: bytes) -> None:
        message = MIMEMultipart("alternative")
        message.attach(MIMEText(patch.decode(), "plain", "utf-8"))
        message.attach(MIMEText(f"<pre>{patch.decode()}</pre>", "html", "utf-8"))
        assert only(mail(message)) == parse(patch)

    def test_forwarded(self, patch: bytes) -> None:
        inner = EmailMessage()
        inner["Subject"] = "[PATCH] mm: inner"
        inner.set_content(patch.decode())
        message = EmailMessage()
        message.set_content("FYI\n")
        message.add_attachment(inner)
        assert only(mail(message)) == parse(patch)

    def test_signed(self, patch: bytes) -> None:
        message = MIMEMultipart("signed")
        message.attach(MIMEText(patch.decode(), "plain", "utf-8"))
        signature = MIMEPart()
        signature.set_content(b"-----BEGIN PGP SIGNATURE-----", "application", "pgp-signature")
        message.attach(signature)
        assert only(mail(message)) == parse(patch)

    def test_a_from_line_in_the_body(self, patch: bytes) -> None:
        assert only(b"From: a@b.org\nSubject: x\n\nFrom: Author <c@d.org>\n\n" + patch) == parse(patch)

    def test_a_quilt_patch(self, patch: bytes) -> None:
        assert only(b"Index: linux/x\n=====\n" + patch) == parse(patch)
        assert only(b"Subject: x\n\nIndex: linux/x\n=====\n" + patch) == parse(patch)

    @pytest.mark.parametrize(
        "head",
        [
            b"Subject: =?nonsense?b?!!!?=\n",
            b"Subject: \xff\xfe\n",
            b"Content-Type: ;;;=\n",
            b"Content-Type: multipart/mixed\n",
            b"Content-Transfer-Encoding: nonsense\n",
            b"Content-Type: text/plain; charset=nonsense\n",
            b"Message-ID: \xff\n",
        ],
    )
    def test_odd_headers(self, patch: bytes, head: bytes) -> None:
        assert only(b"From: a@b.org\n" + head + b"\n" + patch) == parse(patch)


class TestSeries:
    def mbox(self, tree: Path, *options: str) -> bytes:
        return raw_git(tree, "format-patch", "--stdout", *options, "v0..HEAD")

    def numbers(self, text: bytes) -> list[int]:
        return [int(p.subject.rsplit(" ", 1)[1]) for p in read_series(text).patches]

    @pytest.mark.parametrize(
        "options", [[], ["-n"], ["-n", "--cover-letter"], ["-n", "-v2"], ["--attach"], ["--inline"]]
    )
    @pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
    def test_every_patch_once_and_in_order(self, tree: Path, options: list[str], newline: bytes) -> None:
        text = self.mbox(tree, *options).replace(b"\n", newline)
        series = read_series(text)
        assert self.numbers(text) == list(range(1, 13))
        assert series.notes == ()
        assert {c.path for p in series.patches for c in p.changes} == {"mm/internal.h"}

    def test_numbers_give_the_order(self, tree: Path) -> None:
        mails = raw_git(tree, "format-patch", "--stdout", "-n", "--subject-prefix=RFC PATCH mm-unstable v3", "v0..HEAD")
        starts = [m.start() for m in re.finditer(rb"^From [0-9a-f]{40} ", mails, re.MULTILINE)]
        parts = [mails[s:e] for s, e in pairwise([*starts, len(mails)])]
        assert len(parts) == 12
        assert self.numbers(b"".join(reversed(parts))) == list(range(1, 13))

    def mail(self, n: int, of: int, *, subject: str = "", body: bytes | None = None) -> bytes:
        diff = b"--- a/mm/x.h\n+++ b/mm/x.h\n@@ -1 +1 @@\n-%d\n+%d\n" % (n - 1, n)
        subject = subject or f"[PATCH {n}/{of}] mm: change {n}"
        opening = "From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: a@b.org\n"
        head = f"{opening}Subject: {subject}\nMessage-ID: <{subject}>\n\n"
        return head.encode() + (diff if body is None else body) + b"\n"

    def test_a_cover_letter_and_answers_are_skipped(self) -> None:
        text = (
            self.mail(0, 2, body=b"Cover.\n")
            + self.mail(1, 2)
            + self.mail(1, 2, subject="Re: [PATCH 1/2] mm: change 1", body=b"> --- a/x\n> +++ b/x\nLooks good.\n")
            + self.mail(2, 2)
        )
        assert self.numbers(text) == [1, 2]
        assert read_series(text).notes == ()

    def test_an_answer_with_a_diff_is_left_out_and_said(self) -> None:
        text = self.mail(1, 2) + self.mail(9, 9, subject="Re: [PATCH 1/2] mm: change 1") + self.mail(2, 2)
        assert self.numbers(text) == [1, 2]
        assert read_series(text).notes == ("left out, as an answer: Re: [PATCH 1/2] mm: change 1",)

    def test_a_lone_answer_with_a_diff_counts(self) -> None:
        assert len(read_series(self.mail(1, 1, subject="Re: mm: change 1")).patches) == 1

    def test_the_newest_version_counts(self) -> None:
        old = self.mail(1, 2) + self.mail(2, 2)
        new = b"".join(self.mail(n, 2, subject=f"[PATCH v2 {n}/2] mm: change {n + 4}") for n in (1, 2))
        assert self.numbers(old + new) == [5, 6]
        assert read_series(old + new).notes[0] == "left out, as v2 is newer: [PATCH 1/2] mm: change 1"

    def test_a_mail_that_came_twice_counts_once(self) -> None:
        assert self.numbers(self.mail(1, 2) + self.mail(2, 2) + self.mail(1, 2)) == [1, 2]

    def test_a_gap_is_said(self) -> None:
        series = read_series(self.mail(1, 4) + self.mail(3, 4))
        assert series.notes == ("not in this series: 2/4, 4/4",)

    def test_one_patch_of_a_series_is_no_gap(self) -> None:
        assert read_series(self.mail(2, 7)).notes == ()

    def test_a_folded_and_encoded_subject(self) -> None:
        text = self.mail(1, 1, subject="=?utf-8?q?=5BPATCH_1/1=5D_gr=C3=BC=C3=9Fe?=\n and more")
        assert read_series(text).patches[0].subject == "[PATCH 1/1] grüße and more"


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (b"", "it is empty"),
            (b" \r\n\n", "it is empty"),
            (b"From: a@b.org\nSubject: x\n\n", "no diff in it"),
            (b"From: a@b.org\nSubject: x\n\n> diff --git a/x b/x\n> --- a/x\n", "no diff in it"),
            (b"From x Thu Jan  1 00:00:00 1970\nSubject: x\n\nwords\n", "no diff in it"),
            (b"Content-Type: text/html\nSubject: x\n\n<p>--- a/x</p>\n", "no diff in it"),
            (b"*** a/x\n--- b/x\n***************\n*** 1 ****\n", "no diff in it"),
            (bytes(range(256)), "no diff in it"),
        ],
    )
    def test_no_diff(self, text: bytes, says: str) -> None:
        with pytest.raises(PatchError, match=says):
            read_series(text)

    def test_parts_within_parts(self) -> None:
        head = b"From: a@b.org\n"
        inner = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3000))
        with pytest.raises(PatchError, match=r"nested too deeply|no diff in it"):
            read_series(head + inner)

    @pytest.mark.parametrize(
        "text", [b"From " * 100_000, b"From a 1:11" + b"1" * 3_000_000, b"Subject: " + b"[" * 1_000_000]
    )
    def test_long_lines_do_not_take_long(self, text: bytes) -> None:
        with pytest.raises(PatchError):
            read_series(text + b"\n\n")
