# SPDX-License-Identifier: GPL-2.0-only
"""Hostile headers and trees: a clear refusal, a verdict about the helper at fault, or no effect at all."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hostile
import pytest

from pygfp import places, sources
from pygfp.errors import BuildError, ExtractionError, KernelTreeError
from pygfp.extract import extract
from pygfp.native import build as building
from pygfp.native import compiler

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

GFP_H = hostile.GFP_H
FIRST = 12  # the line behind the first include of the bundled gfp.h


def attack(tree: Path, edit: Callable[[bytes], bytes], file: str = GFP_H) -> Path:
    """Edit a header of *tree* and return the tree."""
    path = tree / file
    path.write_bytes(edit(path.read_bytes()))
    return tree


def is_gone(pid: int) -> bool:
    """Whether process *pid* ends; a signal needs a moment to arrive."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


class TestRefused:
    """The compiler sees the compiled text and the shims, and nothing else."""

    @staticmethod
    def edited(edit: Callable[[bytes], bytes]) -> sources.Source:
        bundled = sources.bundled()
        return replace(bundled, files={**bundled.files, GFP_H: edit(bundled.files[GFP_H])})

    @pytest.mark.parametrize(("text", "line", "words"), [pytest.param(*a[1:], id=a[0]) for a in hostile.REFUSED])
    def test_with_file_line_and_reason(self, text: str, line: int, words: str) -> None:
        with pytest.raises(ExtractionError, match=re.escape(words)) as caught:
            extract(self.edited(hostile.top(text)))
        assert (caught.value.file, caught.value.line) == (GFP_H, FIRST - 1 + line)

    @pytest.mark.parametrize("first", ["", "\ufeff"])
    def test_on_the_first_line_too(self, first: str) -> None:
        with pytest.raises(ExtractionError, match="outside") as caught:
            extract(self.edited(lambda header: f'{first}#include "/dev/zero"\n'.encode() + header))
        assert caught.value.line == 1

    @pytest.mark.parametrize(
        "text",
        [
            "/* #include </etc/passwd>, __has_include(<x>), pygfp_end 0, .incbin */",
            "#define MANY(a, b) \\\n\tdo { } \\\nwhile (0)",
            '#pragma GCC diagnostic ignored "-Wunused-function"',
            '#include "gfp_types.h"',
            '#include "../../include/linux/gfp_types.h"',
            "// %:include is no more than a comment",
        ],
    )
    def test_what_only_looks_like_it_is_not(self, text: str) -> None:
        extract(self.edited(hostile.top(text)))

    def test_text_that_is_cut_away_is_not_looked_at(self) -> None:
        bundled = sources.bundled()
        mmzone = bundled.files["include/linux/mmzone.h"] + b'\n#include "/dev/zero"\nint pygfp_versus;\n'
        extract(replace(bundled, files={**bundled.files, "include/linux/mmzone.h": mmzone}))

    @pytest.mark.parametrize(
        "command", ["check", "diff", "nested", "audit", "extract", "coherence", "decode", "explain"]
    )
    def test_by_every_command(self, run: Run, bundled_tree: Path, tmp_path: Path, command: str) -> None:
        attack(bundled_tree, hostile.top('#include "/dev/zero"'))
        arguments = {
            "diff": ["bundled", bundled_tree],
            "extract": [bundled_tree, "-o", tmp_path / "out"],
            "decode": ["--source", bundled_tree, "0xcc0"],
            "explain": ["gfp_nested_mask", "--source", bundled_tree],
        }
        status, out, err = run(command, *arguments.get(command, [bundled_tree]))
        assert (status, out) == (3, "")
        assert re.fullmatch(
            rf"pygfp: (the new side, .*: )?{GFP_H}:{FIRST}: this is not compiled: it includes '/dev/zero'.*\n", err
        )
        assert [p.name for p in tmp_path.iterdir()] == ["tree"]

    @pytest.mark.parametrize("command", ["decode", "coherence"])
    def test_in_the_trace_header_too(self, run: Run, bundled_tree: Path, command: str) -> None:
        trace = "include/trace/events/mmflags.h"
        (bundled_tree / trace).parent.mkdir(parents=True)
        (bundled_tree / trace).write_text('#include "/dev/zero"\n#define __def_gfpflag_names {1, "a"}\n')
        arguments = ["--source", bundled_tree, "0xcc0"] if command == "decode" else [bundled_tree]
        status, out, err = run(command, *arguments)
        assert (status, out) == (3, "")
        assert f"{trace}:1: this is not compiled" in err

    def test_an_include_that_gets_past_the_rules_is_seen_in_what_the_compiler_read(
        self, run: Run, bundled_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other.h"
        other.write_text("\n")
        attack(bundled_tree, hostile.top(f'#include "{other}"'))
        monkeypatch.setattr("pygfp.extract.refuse", lambda *_: None)
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert f"the header includes {other}, which is outside of the tree" in err
        assert building.outside([str(other)], []) == [str(other)]

    def test_an_expression_of_a_tree_costs_no_other_its_place(self, run: Run, bundled_tree: Path) -> None:
        (bundled_tree / "mm").mkdir()
        (bundled_tree / "mm/hostile.c").write_text(
            "void f(gfp_t flags)\n{\n\tg(flags & ~__GFP_IO);\n"
            '\th(flags & ({ __asm__(".incbin \\"/etc/passwd\\""); __GFP_FS; }));\n}\n'
        )
        status, out, _ = run("audit", "-v", bundled_tree, "mm")
        assert status == 0
        assert "mm/hostile.c:3" in out
        assert "/etc/passwd" not in out.replace('.incbin \\"/etc/passwd\\"', "")


class TestTextsThatMeanTheSame:
    """Neither names nor encodings of a header change what its helpers mean, or reach pygfp's own code."""

    @pytest.mark.parametrize(
        "edit",
        [
            pytest.param(lambda h: h.rstrip(), id="no-last-newline"),
            pytest.param(lambda h: h.replace(b"\n#", b"\n\f\v#"), id="form-feeds"),
            pytest.param(lambda h: h + b"\n/* \xe9\xff\xfe \xf0\x9f */\n", id="no-utf8"),
            pytest.param(hostile.top(hostile.KEYWORDS), id="keywords"),
            pytest.param(hostile.top(hostile.PRAGMAS), id="pragmas"),
            pytest.param(hostile.top(f"/* {'x' * 1_000_000} */"), id="a-megabyte-in-a-line"),
            pytest.param(hostile.top("\n" * 100_000), id="a-hundred-thousand-lines"),
        ],
    )
    def test_no_change(self, run: Run, bundled_tree: Path, edit: Callable[[bytes], bytes]) -> None:
        attack(bundled_tree, edit)
        status, out, err = run("check", "-q", *hostile.ONE_CONFIG, "--helper", "gfp_nested_mask", bundled_tree)
        assert (status, err) == (0, "")
        assert re.search(r"^PASS: \d+ pass;", out, re.MULTILINE)

    def test_helpers_may_have_any_name(self, check_json: Callable[..., dict[str, object]], bundled_tree: Path) -> None:
        made = [
            f"static inline unsigned int {name}(gfp_t x) {{ return x & {n}; }}"
            for n, name in enumerate(hostile.CLASHING)
        ]
        attack(bundled_tree, hostile.top("\n".join(made)))
        report = check_json(*hostile.ONE_CONFIG, bundled_tree)
        assert report["exit"] == 0
        status = {c["subject"]: c["status"] for c in report["checks"] if c["kind"] == "helper"}  # type: ignore[attr-defined]
        assert {name for name, s in status.items() if s == "unmodelled"} == set(hostile.CLASHING)

    @pytest.mark.parametrize(
        ("edit", "words"),
        [
            pytest.param(hostile.top("#pragma GCC poison gfp_t"), 'poisoned "gfp_t"', id="poison"),
            pytest.param(hostile.top('_Pragma("GCC error \\"no\\"")'), "no", id="error"),
            pytest.param(hostile.top("enum { WHEN = __LINE__, NOW = sizeof(__TIME__) };"), "__TIME__", id="clock"),
            pytest.param(hostile.top("#if 1"), "unterminated", id="open-if"),
            pytest.param(lambda h: h + b"\n/*", "unterminated comment", id="open-comment"),
            pytest.param(lambda _: b"", "include/linux/gfp.h", id="empty"),
            pytest.param(lambda h: h.replace(b"\n", b"\r"), "include/linux/gfp.h", id="carriage-returns-only"),
            pytest.param(hostile.top("#ifndef Q\n" * 100_000 + "#endif\n" * 100_000), "conditionals", id="deep-ifs"),
            pytest.param(hostile.top("int i;\n" * 100_000), "at most 4000 definitions", id="many-definitions"),
            pytest.param(
                hostile.top(f"enum {{ Q = {'(' * 100_000}1{')' * 100_000} }};"),
                "does not compile",
                id="deep-parentheses",
            ),
            pytest.param(
                hostile.top('#define P(a, b) a##b\nP(pyg,fp_constant) "__GFP_FORGED" 0x1u'),
                f"{GFP_H}:",
                id="pasted-marker",
            ),
        ],
    )
    def test_what_cannot_be_compiled_is_no_pass(
        self, run: Run, bundled_tree: Path, edit: Callable[[bytes], bytes], words: str
    ) -> None:
        attack(bundled_tree, edit)
        status, out, err = run("check", "-q", *hostile.ONE_CONFIG, bundled_tree)
        assert status in {1, 3}
        assert "PASS" not in out
        assert words in out + err
        assert status == 1 or len(err.splitlines()) == 1


class TestCodeThatRuns:
    """Compiled code runs in a child that was started by exec, with limits, and with nothing of ours."""

    ONE = (*hostile.ONE_CONFIG, "--helper", "gfp_nested_mask")

    @pytest.mark.parametrize(("edit", "words"), [pytest.param(*a[1:], id=a[0]) for a in hostile.CONSTRUCTORS])
    def test_a_header_that_does_not_load_gives_no_verdict(
        self, run: Run, bundled_tree: Path, edit: Callable[[bytes], bytes], words: str
    ) -> None:
        status, out, err = run("check", *self.ONE, attack(bundled_tree, edit))
        assert (status, out) == (3, "")
        assert words in err

    @pytest.mark.parametrize(("edit", "words"), [pytest.param(*a[1:], id=a[0]) for a in hostile.HELPERS])
    def test_a_helper_that_misbehaves_fails(
        self, run: Run, bundled_tree: Path, edit: Callable[[bytes], bytes], words: str
    ) -> None:
        status, out, _ = run("check", *self.ONE, attack(bundled_tree, edit))
        assert status == 1
        assert re.search(f"misbehaves: gfp_nested_mask .*{re.escape(words)}", out)

    @pytest.mark.parametrize(("letters", "expected"), [("PY", 0), ("LC", 1)])
    def test_it_sees_nothing_of_our_environment(
        self, run: Run, bundled_tree: Path, monkeypatch: pytest.MonkeyPatch, letters: str, expected: int
    ) -> None:
        """A helper that answers 0 when it finds a variable: one of ours, and one that the child has."""
        monkeypatch.setenv("PYGFP_SECRET", "token")
        found = f"e[0][0] == '{letters[0]}' && e[0][1] == '{letters[1]}'"
        edit = hostile.helper(f"for (char **e = environ; e && *e; e++) if ({found}) return 0;")
        assert run("check", *self.ONE, attack(bundled_tree, edit))[0] == expected

    def test_it_has_none_of_our_files(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        edit = hostile.helper('for (int i = 0; i < 256; i++) write(i, "x", 1);')
        with (tmp_path / "ours").open("wb") as stream:
            os.set_inheritable(stream.fileno(), True)  # noqa: FBT003 - its only parameter
            assert run("check", *self.ONE, attack(bundled_tree, edit))[0] == 1
        assert (tmp_path / "ours").read_bytes() == b""

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has a filter on system calls so far")
    @pytest.mark.parametrize(
        ("statement", "expected"),
        [
            ('unlink("{}/kept") == 0', 0),
            ('rename("{}/kept", "{}/moved") == 0', 0),
            ('open("{}/made", 0101, 0600) >= 0', 0),
            ('open("{}/kept", 1) >= 0', 0),
            ("kill(getppid(), 9) == 0", 0),
            ("socket(2, 1, 0) >= 0", 0),
            ('execl("/bin/touch", "touch", "{}/made", (char *)0) == 0', 0),
            ("(fork() == 0 && setsid() > 0)", 0),
            # Not prevented, and said so in the documentation: what a user can read, code can read.
            ('open("{}/kept", 0) >= 0', 1),
        ],
        ids=["unlink", "rename", "make", "write", "kill", "socket", "exec", "fork", "read"],
    )
    def test_it_changes_nothing_outside(
        self, run: Run, bundled_tree: Path, tmp_path: Path, statement: str, expected: int
    ) -> None:
        """A helper that answers 0 where it succeeds, and is as it should be where it does not."""
        (tmp_path / "kept").write_text("kept")
        edit = hostile.helper(f"if ((unsigned)flags == 0x40 && {statement.replace('{}', str(tmp_path))}) return 0;")
        assert run("check", *self.ONE, attack(bundled_tree, edit))[0] == expected
        assert (tmp_path / "kept").read_text() == "kept"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "tree"]


class TestCompilers:
    """A compiler has limits on time, memory and output, and gets to know little."""

    @pytest.fixture
    def fake(self, tmp_path: Path) -> Callable[[str], str]:
        def make(script: str) -> str:
            path = tmp_path / "cc"
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
            return str(path)

        return make

    def test_it_gets_no_secret_and_no_descriptor(
        self, fake: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("GITHUB_TOKEN", "CPATH", "C_INCLUDE_PATH", "SUNPRO_DEPENDENCIES", "LD_PRELOAD_NOT", "CCACHE_DIR"):
            monkeypatch.setenv(name, "/secret")
        with (tmp_path / "ours").open("wb") as stream:
            os.set_inheritable(stream.fileno(), True)  # noqa: FBT003 - its only parameter
            done = compiler.run([fake("env; ls -l /proc/$$/fd")], [], cwd=tmp_path)
        assert done.ok
        names = {line.partition("=")[0] for line in done.stdout.splitlines() if re.match(r"\w+=", line)}
        allowed = {"PATH", "HOME", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}
        assert names - allowed - {"PWD", "OLDPWD", "SHLVL", "_"} == {"LC_ALL", "TMPDIR", "CCACHE_DIR"}
        assert f"TMPDIR={tmp_path}\n" in done.stdout
        assert "/ours" not in done.stdout

    def test_output_without_end(self, fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compiler, "OUTPUT_LIMIT", 1 << 20)
        with pytest.raises(BuildError, match="wrote more than 1 MiB"):
            compiler.run([fake("exec head -c 2000000 /dev/zero")], [])

    def test_work_without_end(self, fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compiler, "TIME_LIMIT_S", 1)
        with pytest.raises(BuildError, match=r"did not finish within 1 s|took more than 1 s"):
            compiler.run([fake("while :; do :; done")], [])

    def test_macros_that_grow_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """2^30 tokens, by real compilers: the limits of one run end the build."""
        monkeypatch.setattr(compiler, "MEMORY_LIMIT", 1 << 28)
        doubled = "\n".join(f"#define E{i} E{i - 1} E{i - 1}" for i in range(1, 31))
        (tmp_path / "grow.c").write_text(f"#define E0 x\n{doubled}\nE30\n")
        with pytest.raises(BuildError, match=r"needed more than|wrote more than|did not finish|took more"):
            compiler.run(["gcc"], ["-E", "grow.c"], cwd=tmp_path)

    @pytest.mark.parametrize("script", ["exit 3", "exec sleep 1000"])
    def test_an_old_kernel_will_do(
        self, fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, script: str
    ) -> None:
        def missing(_: int) -> int:
            raise OSError(38, "Function not implemented")

        monkeypatch.setattr(compiler, "TIME_LIMIT_S", 1)
        monkeypatch.setattr(compiler.os, "pidfd_open", missing)
        if script == "exit 3":
            assert compiler.run([fake(script)], []).status == 3
        else:
            with pytest.raises(BuildError, match="did not finish"):
                compiler.run([fake(script)], [])

    def test_what_it_leaves_running_is_ended_and_not_waited_for(
        self, fake: Callable[[str], str], tmp_path: Path
    ) -> None:
        done = compiler.run([fake("sleep 1000 & echo $!")], [], cwd=tmp_path)
        assert done.ok
        assert is_gone(int(done.stdout))

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ('case "$*" in *-shared*) gcc "$@"; truncate -s 100 unit*.so;; *) exec gcc "$@";; esac', "does not load"),
            ('case "$*" in *-shared*) for o in 0 1; do : > unit$o.so; done;; *) exec gcc "$@";; esac', "does not"),
            ('case "$*" in *-shared*) kill -9 $$;; *) exec gcc "$@";; esac', "was killed by SIGKILL"),
            ('case "$*" in *-shared*) head -c 10000 /dev/urandom;; *) exec gcc "$@";; esac', "writes no object"),
            ('case "$*" in *" -E "*) head -c 10000 /dev/urandom;; *) exec gcc "$@";; esac', "texts"),
        ],
        ids=["cut", "empty", "killed", "garbage", "garbage-text"],
    )
    def test_one_that_gives_rubbish_gives_no_verdict(  # noqa: PLR0913, PLR0917 - fixtures
        self,
        run: Run,
        bundled_tree: Path,
        fake: Callable[[str], str],
        monkeypatch: pytest.MonkeyPatch,
        script: str,
        words: str,
    ) -> None:
        monkeypatch.setenv("CC", fake(f'case "$1" in --version) echo "cc 1.0"; exit 0;; esac\n{script}'))
        status, out, err = run("check", *hostile.ONE_CONFIG, bundled_tree)
        assert (status, out) == (3, "")
        assert words in err
        assert len(err.splitlines()) == 1


class TestFiles:
    """A tree is read, never followed into a pipe, a device or a file without end."""

    @pytest.mark.parametrize("command", ["check", "decode", "audit", "coherence"])
    @pytest.mark.parametrize("kind", ["fifo", "device", "huge", "proc"])
    def test_what_is_no_plain_file_is_named(self, run: Run, bundled_tree: Path, kind: str, command: str) -> None:
        path = bundled_tree / "include/linux/mmzone.h"
        path.unlink()
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "huge":
            with path.open("wb") as stream:
                stream.truncate(10 << 30)
        else:
            path.symlink_to({"device": "/dev/zero", "proc": "/proc/self/pagemap"}[kind])
        arguments = ["--source", bundled_tree, "0xcc0"] if command == "decode" else [bundled_tree]
        status, out, err = run(command, *arguments)
        assert (status, out) == (3, "")
        assert re.fullmatch(
            r"pygfp: \S+/include/linux/mmzone.h (is not a regular file of at most 16 MiB|cannot be read: .*)\n", err
        )

    @pytest.mark.parametrize("make", ["directory", "fifo", "loop", "dangling"])
    def test_a_tree_whose_gfp_h_is_none(self, run: Run, bundled_tree: Path, make: str) -> None:
        path = bundled_tree / GFP_H
        path.unlink()
        {
            "directory": path.mkdir,
            "fifo": lambda: os.mkfifo(path),
            "loop": lambda: path.symlink_to("gfp.h"),
            "dangling": lambda: path.symlink_to("nowhere"),
        }[make]()
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert len(err.splitlines()) == 1

    def test_links_that_lead_round_are_not_followed(self, run: Run, bundled_tree: Path) -> None:
        (bundled_tree / "mm").mkdir()
        (bundled_tree / "mm/round").symlink_to("..")
        (bundled_tree / "mm/self.c").symlink_to("self.c")
        os.mkfifo(bundled_tree / "mm/pipe.c")
        status, out, _ = run("audit", bundled_tree)
        assert status == 0
        assert "mm/" not in out

    @pytest.mark.parametrize(("writes", "expected"), [(1, b"12"), (99, None)])
    def test_a_file_that_changes_while_it_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int, expected: bytes | None
    ) -> None:
        path = tmp_path / "gfp.h"
        path.write_bytes(b"1")
        left = [writes]
        fstat = os.fstat

        def written_to(fd: int) -> os.stat_result:
            status = fstat(fd)
            if left[0]:
                left[0] -= 1
                with path.open("ab") as stream:
                    stream.write(b"2")
            return status

        monkeypatch.setattr("pygfp.places.os.fstat", written_to)
        if expected is None:
            with pytest.raises(KernelTreeError, match="changes while it is read"):
                places.read_regular(tmp_path, path, "gfp.h")
        else:
            assert places.read_regular(tmp_path, path, "gfp.h") == expected

    @pytest.mark.parametrize("closed", [GFP_H, "include/linux", "include/linux/types.h"])
    def test_what_may_not_be_read_is_named(self, run: Run, closed: str) -> None:
        """As another user where the tests run as root, who reads everything; the imports are root's."""
        assert run("extract", "bundled", "-o", "/")[0] == 2
        with tempfile.TemporaryDirectory() as name:
            tree = Path(name) / "tree"
            shutil.copytree(sources.csrc() / "include", tree / "include")
            Path(name).chmod(0o755)
            (tree / closed).chmod(0)
            user = os.geteuid()
            os.seteuid(user or 65534)
            try:
                status, out, err = run("extract", tree, "-o", tree / "out")
            finally:
                os.seteuid(user)
                (tree / closed).chmod(0o755)
        assert (status, out) == (3, "")
        assert re.fullmatch(rf"pygfp: {re.escape(str(tree))}\S*{GFP_H.rpartition('/')[0]}.*: Permission denied\n", err)


def test_each_attack_changes_the_header() -> None:
    header = sources.bundled().files[GFP_H]
    edits = [hostile.top(a[1]) for a in hostile.REFUSED] + [a[1] for a in (*hostile.CONSTRUCTORS, *hostile.HELPERS)]
    assert all(edit(header) != header for edit in edits)
