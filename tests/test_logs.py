# SPDX-License-Identifier: GPL-2.0-only
"""Logs on their way through pygfp: every byte comes out again, and masks are told behind their lines."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pygfp.config import Selection
from pygfp.decoding.annotate import LONGEST_LINE, Annotator, Kernel
from pygfp.decoding.logs import mention, places
from pygfp.decoding.tables import of_release
from pygfp.render.log import Notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.decoding.annotate import Finding

MARK = b"    pygfp: "
OOM = (
    b"cc1 invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0\n"
)
FAILURE = b"[ 9.1] x: page allocation failure: order:0, mode:0xcc0(GFP_NOFS), nodemask=(null)\n"


def annotated(log: bytes, release: str | None = "6.1", *, step: int = 1 << 20, quiet: bool = False) -> bytes:
    """*log* after it has gone through in pieces of *step* bytes."""
    kernel = Kernel(of_release(release, Selection()) if release else None)
    notes = Notes(kernel, quiet=quiet, colour=False)
    annotator = Annotator(kernel, notes.show, notes.more)
    out = [piece for at in range(0, len(log), step) for piece in annotator.feed(log[at : at + step])]
    return b"".join([*out, *annotator.end()])


def added(log: bytes, release: str | None = "6.1") -> list[str]:
    """The lines that pygfp adds to *log*, but the one that names the kernel."""
    lines = [line[len(MARK) :].decode() for line in annotated(log, release).splitlines() if line.startswith(MARK)]
    return [line for line in lines if "masks are read" not in line]


def without_notes(log: bytes) -> bytes:
    return b"".join(line for line in log.splitlines(keepends=True) if not line.startswith(MARK))


class TestMentions:
    """Where masks stand: the formats of the kernel's own messages and traces."""

    @pytest.mark.parametrize(
        ("line", "texts"),
        [
            (OOM, [b"gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO)"]),
            (FAILURE, [b"mode:0xcc0(GFP_NOFS)"]),
            (b"swapper: page allocation failure. order:1, mode:0x20\n", [b"mode:0x20"]),
            (
                b"page last allocated via order 0, migratetype Movable, gfp_mask 0x100cca(GFP_HIGHUSER_MOVABLE)\n",
                [b"gfp_mask 0x100cca(GFP_HIGHUSER_MOVABLE)"],
            ),
            (b"Page allocated via order 0, mask 0x0(), pid 1, tgid 1\n", [b"mask 0x0()"]),
            (b"Page allocated via order 2, mask 0xd20c0, pid 1\n", [b"mask 0xd20c0"]),
            (b"kmalloc: ptr=00 gfp_flags=GFP_KERNEL|__GFP_ZERO node=-1\n", [b"gfp_flags=GFP_KERNEL|__GFP_ZERO"]),
            (b"kmalloc: ptr=00 gfp_flags=GFP_KERNEL|0x1000000\n", [b"gfp_flags=GFP_KERNEL|0x1000000"]),
            (b"kmem: gfp_flags=3264 x\n", [b"gfp_flags=3264"]),
            (b"SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)\n", [b"gfp=0xa20(GFP_ATOMIC)"]),
            (
                b"Unexpected gfp: 0x2 (__GFP_HIGHMEM). Fixing up to gfp: 0xcc0 (GFP_KERNEL). Fix your code!\n",
                [b"gfp: 0x2 (__GFP_HIGHMEM)", b"gfp: 0xcc0 (GFP_KERNEL)"],
            ),
        ],
    )
    def test_they_are_found(self, line: bytes, texts: list[bytes]) -> None:
        assert [text for _, text, _ in places(line) if text] == texts

    @pytest.mark.parametrize(
        "line",
        [
            b"drive mode:0x1ff\n",
            b"umask 0x12 bits\n",
            b"netmask 0xffffff00\n",
            b"kernel/gfp.c:12: gfp 5.10\n",
            b"gfp: 2 pages\n",
            b"xgfp_mask=0xcc0\n",
            b"gfp_mask=\n",
            b"gfp_mask=0xzz\n",
            b"gfp_mask=0xcc0abcxyz\n",
            b"order:1, mode:0x20.5\n",
            b"order:1, mode:0x20xyz\n",
            b"include/linux/gfp.h\n",
        ],
    )
    def test_other_things_are_not(self, line: bytes) -> None:
        assert list(places(line)) == []

    def test_a_number_of_more_than_64_bits_is_said_to_be_one(self) -> None:
        assert mention(b"gfp_mask=0x1" + b"0" * 16).is_too_wide
        assert added(b"a gfp_mask=0x1" + b"0" * 16 + b"\n") == [
            "gfp_mask=0x10000000000000000: wider than 64 bits, not read"
        ]

    def test_a_number_of_thousands_of_digits_is_no_trouble(self) -> None:
        (line,) = added(b"a gfp_mask=" + b"9" * 6000 + b"\n")
        assert "wider than 64 bits" in line


class TestBytes:
    """Lines without a mask pass through unchanged, byte for byte; and so do those with one."""

    @pytest.mark.parametrize("step", [1, 7, 4096])
    @pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n"])
    def test_a_log_without_masks_is_the_same(self, step: int, end: bytes) -> None:
        log = b"one\n\x00\xff\xfe two\r\n\n" + b"Linux version 6.1.0-18-amd64 (x)\nthree" + end
        assert annotated(log, None, step=step) == log

    @pytest.mark.parametrize("step", [1, 13, 100, 1 << 20])
    def test_pieces_make_no_difference(self, step: int) -> None:
        log = b"a\n" + OOM + b"\xff\x00b\n" + FAILURE + b"c"
        assert annotated(log, step=step) == annotated(log)
        assert without_notes(annotated(log, step=step)) == log

    def test_random_bytes_come_out_again(self) -> None:
        seed = random.SystemRandom().randrange(1 << 32)
        draw = random.Random(seed)
        words = [
            b"gfp",
            b"gfp_mask=0x",
            b"mode:0x",
            b"mask 0x",
            b"(",
            b")",
            b"|",
            b"GFP_KERNEL",
            b"\n",
            b"order:1",
            b"ainted",
        ]
        for _ in range(200):
            log = b"".join(draw.choice([*words, draw.randbytes(3)]) for _ in range(60)).replace(MARK, b"") + b"\n"
            assert without_notes(annotated(log, None, step=draw.randrange(1, 80))) == log, seed

    def test_a_mask_in_a_last_line_without_newline(self) -> None:
        log = b"x\n" + OOM.rstrip(b"\n")
        out = annotated(log)
        assert out.startswith(log + b"\n" + MARK)
        assert out.endswith(b"\n")

    def test_a_line_of_ten_megabytes_is_read(self) -> None:
        line = b"x" * (10 << 20)
        log = line + b"\n" + line + b" " + OOM + b"end\n"
        out = annotated(log, step=1 << 16)
        assert without_notes(out) == log
        assert out.count(MARK) == 2

    @pytest.mark.parametrize("piece", [b"mode:0x1 ", b"gfp_mask=0x1 ", b"Linux version 6.1.0 ", b"gfp=", b"mode:0x1x"])
    def test_a_line_of_one_thing_is_not_read_again_and_again(self, piece: bytes) -> None:
        """What looks at the whole line for each place in it would not come back."""
        log = piece * ((2 << 20) // len(piece)) + b"\n"
        out = annotated(log)
        assert without_notes(out) == log
        assert len(out) < len(log) + 10_000

    def test_masks_beyond_the_fiftieth_of_a_line_are_counted(self) -> None:
        log = b"gfp=0xcc0 " * 53 + b"\nb gfp=0xc40\n"
        lines = added(log)
        assert len(lines) == 52
        assert lines[50] == "and 3 masks more in this line"
        assert lines[51].startswith("0xc40")

    def test_a_line_without_end_goes_through_in_constant_memory(self) -> None:
        kernel = Kernel(of_release("6.1", Selection()))
        annotator = Annotator(kernel, Notes(kernel, quiet=False, colour=False).show)
        block, total, most = b"x" * (1 << 20), 0, 0
        for n in range(3 * (LONGEST_LINE >> 20)):
            total += sum(map(len, annotator.feed(block)))
            most = max(most, (n + 1) * len(block) - total)
        assert most <= LONGEST_LINE
        tail = b"".join([*annotator.feed(b"y\n" + OOM), *annotator.end()])
        assert tail.startswith(b"y\n" + OOM + MARK)
        assert annotator.counts.unread == 1

    def test_remembered_masks_are_bounded(self) -> None:
        kernel = Kernel(of_release("6.1", Selection()))
        seen: list[Finding] = []
        annotator = Annotator(kernel, lambda finding, _: seen.append(finding) or b"")  # type: ignore[func-returns-value]
        for n in range(10_000):
            list(annotator.feed(b"gfp_mask=%#x\n" % n))
        assert len(seen) == 10_000
        assert len(annotator._known) <= 4096


class TestNotes:
    def test_names_are_told(self) -> None:
        assert added(b"a: page allocation failure: order:0, mode:0x20, b\n", "6.1")[0].startswith("0x20 __GFP_HIGH: ")

    def test_right_names_are_those_of_the_log(self) -> None:
        assert added(OOM)[0].startswith("0x140dca GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO: may sleep")

    def test_wrong_names_are_said_to_be(self) -> None:
        (line,) = added(FAILURE)
        assert line.startswith("0xcc0 GFP_KERNEL, not GFP_NOFS as the log says (not named: __GFP_FS)")

    def test_names_of_another_release_name_it(self) -> None:
        (line,) = added(b"x gfp_mask=0x6000c0(GFP_KERNEL)\n", "6.1")
        assert line.endswith("right in v4.19")

    def test_names_alone_get_their_value(self) -> None:
        assert added(b"kmalloc: gfp_flags=GFP_KERNEL|__GFP_ZERO\n")[0].startswith("0xdc0 GFP_KERNEL|__GFP_ZERO")

    def test_several_on_a_line_are_told_in_order(self) -> None:
        lines = added(b"gfp: 0x2 (__GFP_HIGHMEM) and gfp: 0xcc0 (GFP_KERNEL), gfp=0xc40\n")
        assert [line.split(":")[0] for line in lines] == ["0x2 __GFP_HIGHMEM", "0xcc0 GFP_KERNEL", "0xc40 GFP_NOFS"]

    def test_a_bit_that_moves_is_told_by_configuration(self) -> None:
        (line,) = added(b"x gfp_mask=0x1000cc0, y\n", "6.12")
        assert "bit 24 is NOLOCKDEP with LOCKDEP, without KASAN_HW_TAGS" in line
        assert "bit 24 is SKIP_ZERO with KASAN_HW_TAGS" in line

    def test_a_quiet_run_tells_only_what_is_wrong(self) -> None:
        out = annotated(OOM + FAILURE, quiet=True)
        assert out.startswith(OOM + FAILURE + MARK)
        assert out.count(MARK) == 1


class TestKernelOfALog:
    """The release is taken from the log's own banner, else the releases that fit are listed."""

    BANNER = b"[ 0.0] Linux version %s (x@y) (gcc (Debian 12.2.0-14) 12.2.0) #1 SMP Debian 6.1.76-1 (2024-02-01)\n"

    @pytest.mark.parametrize(
        ("line", "release"),
        [
            (BANNER % b"6.1.0-18-amd64", "6.1.76"),
            (b"Linux version 4.19.0 (x)\n", "4.19.0"),
            (b"Linux version 6.12.5+ (x)\n", "6.12.5"),
            (b"CPU: 1 PID: 7 Comm: x Not tainted 5.10.0-28-amd64 #1 Debian 5.10.209-2\n", "5.10.209"),
            (b"CPU: 1 PID: 7 Comm: x Tainted: G        W  O      5.4.0 #1\n", "5.4.0"),
        ],
    )
    def test_a_banner_is_read(self, line: bytes, release: str) -> None:
        assert [named for _, _, named in places(line)] == [release]

    def test_masks_behind_it_are_read_by_it(self) -> None:
        old = b"Linux version 4.19.1-x\nx gfp_mask=0x6000c0, y\n"
        assert added(old, None) == ["0x6000c0 GFP_KERNEL: may sleep, do I/O and enter the file system"]

    def test_a_second_boot_changes_it(self) -> None:
        log = b"Linux version 4.19.1-x\na gfp_mask=0x6000c0\nLinux version 6.1.9-x\nb gfp_mask=0x6000c0\n"
        first, second = added(log, None)
        assert first.startswith("0x6000c0 GFP_KERNEL:")
        assert second.startswith("0x6000c0 __GFP_IO|__GFP_FS|")

    def test_what_the_user_says_counts_more(self) -> None:
        assert added(b"Linux version 4.19.1-x\nx gfp_mask=0xcc0, y\n", "6.1")[0].startswith("0xcc0 GFP_KERNEL")

    def test_without_one_the_names_narrow_the_releases_down(self) -> None:
        kernel = Kernel(None)
        annotator = Annotator(kernel, Notes(kernel, quiet=False, colour=False).show)
        assert len(kernel.candidates) == 18
        list(annotator.feed(b"x gfp_mask=0x480020(GFP_ATOMIC)\n"))
        assert [t.info.reference for t in kernel.candidates] == ["v4.19"]
        assert annotator.counts.disagreements == 0

    def test_names_that_fit_no_release_left_are_a_disagreement(self) -> None:
        kernel = Kernel(None)
        annotator = Annotator(kernel, Notes(kernel, quiet=False, colour=False).show)
        list(annotator.feed(b"x gfp_mask=0x480020(GFP_ATOMIC)\ny gfp_mask=0xcc0(GFP_KERNEL)\n"))
        assert annotator.counts.disagreements == 1
        assert [t.info.reference for t in kernel.candidates] == ["v4.19"]

    def test_readings_that_differ_name_their_releases(self) -> None:
        (line,) = added(b"x gfp_mask=0x6000c0, y\n", None)
        assert "GFP_KERNEL in v4.19" in line


def piped(log: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pygfp", "decode", *arguments]
    return subprocess.run(command, input=log, capture_output=True, check=False)


class TestProcess:
    def test_a_pipe_is_a_log(self) -> None:
        done = piped(b"a\n" + OOM + FAILURE, "--release", "6.1")
        assert done.returncode == 1
        assert without_notes(done.stdout) == b"a\n" + OOM + FAILURE
        assert b"2 masks, 2 with names, 1 of those wrong" in done.stderr

    def test_an_empty_log(self) -> None:
        done = piped(b"", "-")
        assert (done.returncode, done.stdout) == (0, b"")

    def test_the_releases_that_fit_are_listed(self) -> None:
        done = piped(b"x gfp_mask=0x480020(GFP_ATOMIC)\n", "-")
        assert b"these fit: v4.19 (" in done.stderr

    def test_the_log_and_the_user_disagree(self) -> None:
        done = piped(b"Linux version 4.19.1-x\nx gfp_mask=0xcc0\n", "-", "--release", "6.1")
        assert b"the log says that it is of 4.19.1; it was read as 6.1" in done.stderr

    def test_a_log_of_the_same_series_is_no_disagreement(self) -> None:
        done = piped(b"Linux version 6.1.0-18-amd64 (x)\nx gfp_mask=0xcc0\n", "-", "--release", "6.1")
        assert b"as asked" not in done.stderr

    def test_a_broken_pipe_is_no_traceback(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "pygfp", "decode", "--release", "6.1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            try:
                process.stdin.write(OOM * 20_000)
                process.stdin.close()
            except BrokenPipeError:
                pass
            err = process.stderr.read()
            assert process.wait(timeout=30) == 3
        assert b"Traceback" not in err

    def test_lines_come_out_as_they_come_in(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "pygfp", "decode", "--release", "6.1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            signal.alarm(30)
            assert process.stdout.readline() == b"hello\n"
            signal.alarm(0)
            process.stdin.close()

    def test_json_lists_masks_with_their_lines(self) -> None:
        done = piped(
            b"a\n" + OOM + b"b\n" + FAILURE + b"c\nkmalloc: gfp_flags=GFP_NOFS", "--format", "json", "--release", "6.1"
        )
        found = json.loads(done.stdout)
        assert found["schema"] == "pygfp.decode/1"
        assert [(m["line"], m["value"], m["agrees"]) for m in found["masks"]] == [
            (2, "0x140dca", True),
            (4, "0xcc0", False),
            (6, "0xc40", True),
        ]
        assert found["exit"] == done.returncode == 1

    def test_json_of_a_log_without_masks(self) -> None:
        done = piped(b"nothing\n", "--format", "json")
        found = json.loads(done.stdout)
        assert (found["masks"], found["exit"], found["source"]) == ([], 0, None)

    def test_an_output_file_appears_whole(self, tmp_path: Path) -> None:
        target = tmp_path / "out.log"
        done = piped(OOM, "--release", "6.1", "-o", str(target))
        assert (done.returncode, done.stdout) == (0, b"")
        assert target.read_bytes() == annotated(OOM)
        assert os.listdir(tmp_path) == ["out.log"]

    def test_an_output_that_is_a_directory_is_refused(self, tmp_path: Path) -> None:
        done = piped(OOM, "--release", "6.1", "-o", str(tmp_path))
        assert done.returncode == 2
        assert b"is a directory" in done.stderr


def test_a_terminal_without_masks_is_wrong_usage(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    status, out, err = run("decode", "--release", "6.1")
    assert (status, out) == (2, "")
    assert "for example" in err


def test_a_release_that_is_not_known_is_read_as_its_neighbours_and_not_called_wrong() -> None:
    """Bits were renumbered somewhere between 4.19 and 5.4: names decide which of the two a 5.3 kernel is like."""
    log = b"Linux version 5.3.0-rc3\nx: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE)\n"
    out = annotated(log, None)
    assert b"the log says 5.3.0, which pygfp does not know; masks are read as in v5.4\n" in out
    assert b"0x100cca GFP_HIGHUSER_MOVABLE: may sleep" in out
    assert b"as the log says" not in out
