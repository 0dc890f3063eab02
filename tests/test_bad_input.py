# SPDX-License-Identifier: GPL-2.0-only
"""Bad input: one clear message, the right exit status, no traceback, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

GFP_H = "include/linux/gfp.h"
TYPES_H = "include/linux/gfp_types.h"


def edit(tree: Path, pattern: str, replacement: str, file: str = GFP_H) -> None:
    """Replace *pattern*, which occurs once, in a header of *tree*."""
    path = tree / file
    text, n = re.subn(pattern, replacement, path.read_text(), flags=re.DOTALL)
    assert n == 1, f"{pattern} occurs {n} times in {file}"
    path.write_text(text)


def body_of(name: str, statement: str) -> tuple[str, str]:
    """A pattern and a replacement that put *statement* first into the body of *name*."""
    return rf"(\b{name}\([^)]*\)\s*{{)", rf"\1 {statement}"


class TestSources:
    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ("/nonexistent", "no such directory"),
            ("/nonexistent@v1", "no such directory: /nonexistent;"),
            ("{tmp}", "not a kernel tree"),
            ("{tmp}@v1", "git knows no revision 'v1'"),
            ("{tmp}/file", "is a file"),
        ],
    )
    def test_what_is_no_source_is_named(self, run: Run, tmp_path: Path, spec: str, words: str) -> None:
        (tmp_path / "file").write_text("")
        status, out, err = run("check", spec.format(tmp=tmp_path))
        assert (status, out) == (3, "")
        assert words in err
        assert len(err.splitlines()) == 1

    def test_a_tree_without_gfp_h(self, run: Run, bundled_tree: Path) -> None:
        (bundled_tree / GFP_H).unlink()
        status, _, err = run("check", bundled_tree)
        assert status == 3
        assert "has no include/linux/gfp.h" in err

    @pytest.mark.parametrize("name", ["two words", "it's", 'a "quote"', "at@sign", "-dash", "ümläut", "new\nline"])
    def test_odd_paths_are_read(self, run: Run, bundled_tree: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        odd = bundled_tree.rename(bundled_tree.parent / name)
        monkeypatch.chdir(odd.parent)
        spec = f"./{name}" if name.startswith("-") else name
        status, out, _ = run("check", "-q", spec)
        assert status == 0
        assert out.splitlines()[0].endswith("8 configurations, " + out.splitlines()[0].rsplit(", ", 1)[1])


class TestHeaders:
    def test_cut_in_half(self, run: Run, bundled_tree: Path) -> None:
        path = bundled_tree / GFP_H
        text = path.read_text()
        path.write_text(text[: len(text) // 2])
        status, out, err = run("check", "-q", bundled_tree)
        assert status in {1, 3}
        assert "PASS" not in out
        assert out or len(err.splitlines()) == 1

    def test_an_error_directive_says_where(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, r"(#include <linux/gfp_types.h>)", r"\1\n#error no way")
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert re.search(r"include/linux/gfp.h:\d+: #error no way", err)

    def test_an_error_in_some_configurations_leaves_the_others(
        self, check_json: Callable[..., dict[str, object]], bundled_tree: Path
    ) -> None:
        edit(bundled_tree, r"(#include <linux/gfp_types.h>)", r"\1\n#ifdef CONFIG_LOCKDEP\n#error no way\n#endif")
        report = check_json(bundled_tree)
        assert report["exit"] == 3
        checks = [c for c in report["checks"] if c["subject"] == "gfp_nested_mask" and c["kind"] == "helper"]  # type: ignore[attr-defined]
        assert sorted(c["status"] for c in checks) == ["error", "error", "pass", "pass"]
        assert all(c["config"]["CONFIG_LOCKDEP"] == (c["status"] == "error") for c in checks)

    def test_a_syntax_error_costs_one_helper_its_verdict(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, *body_of("gfp_has_io_fs", "return & ;"))
        status, out, _ = run("check", bundled_tree)
        assert status == 3
        assert "COULD NOT BE CHECKED: 1 error" in out
        assert re.search(r"pass +gfp_nested_mask", out)
        assert "helper.gfp_has_io_fs\n  does not compile: include/linux/gfp.h:" in out

    def test_a_helper_that_fails_in_some_configurations_is_judged_in_the_others(
        self, check_json: Callable[..., dict[str, object]], bundled_tree: Path
    ) -> None:
        """A name that is undefined when its symbol is off: the kernel would not build there, and is wrong elsewhere."""
        edit(bundled_tree, r"#ifdef CONFIG_NUMA\n(\treturn \(flags & __GFP_THISNODE)", r"#ifndef CONFIG_NUMA\n\1")
        report = check_json(bundled_tree)
        assert report["exit"] == 1
        checks = [c for c in report["checks"] if c["subject"] == "gfp_zonelist" and c["kind"] == "helper"]  # type: ignore[attr-defined]
        assert {c["config"]["CONFIG_NUMA"]: c["status"] for c in checks} == {True: "fail", False: "error"}
        assert "ZONELIST_NOFALLBACK" in next(c["message"] for c in checks if c["status"] == "error")

    def test_a_build_bug_is_a_finding_at_its_line(
        self, check_json: Callable[..., dict[str, object]], bundled_tree: Path
    ) -> None:
        edit(bundled_tree, *body_of("gfp_has_io_fs", "BUILD_BUG_ON(sizeof(gfp_t) == 4);"))
        report = check_json(bundled_tree)
        assert report["exit"] == 1
        (check,) = (c for c in report["checks"] if c["status"] == "fail")  # type: ignore[attr-defined]
        line = (bundled_tree / GFP_H).read_text().split("BUILD_BUG_ON(sizeof")[0].count("\n") + 1
        assert (check["id"], check["file"], check["line"]) == ("helper.gfp_has_io_fs", GFP_H, line)
        assert "BUILD_BUG_ON fires" in check["message"]

    def test_a_missing_brace_names_the_helper(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, r"(return manners \| \(context & flags\);\n)}", r"\1")
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert "gfp_nested_mask" in err
        assert "is a brace missing" in err

    def test_a_macro_call_that_is_not_closed_is_named(self, run: Run, bundled_tree: Path) -> None:
        # The call before it, with an argument that is a call itself, is a good one.
        edit(bundled_tree, *body_of("gfp_zone", "VM_BUG_ON((!(flags)));\n"))
        edit(bundled_tree, r"\(chosen - 1\)\) != 0\)", "(chosen - 1)) != 0")
        status, out, err = run("check", bundled_tree)
        line = (bundled_tree / GFP_H).read_text().split("VM_BUG_ON((chosen")[0].count("\n") + 1
        assert (status, out) == (3, "")
        assert f"{GFP_H}:{line}: " in err
        assert "VM_BUG_ON" in err

    def test_a_wrong_use_of_a_macro_of_the_kernel_stands_where_it_is_used(
        self, check_json: Callable[..., dict[str, object]], bundled_tree: Path
    ) -> None:
        # The compiler complains of the shim's own line, and says behind it where that is used.
        edit(bundled_tree, r"VM_BUG_ON\(\(chosen & \(chosen - 1\)\) != 0\);", "VM_BUG_ON(chosen & (chosen - 1)) != 0;")
        line = (bundled_tree / GFP_H).read_text().split("VM_BUG_ON(chosen")[0].count("\n") + 1
        report = check_json(bundled_tree)
        (error,) = (c for c in report["checks"] if c["status"] != "pass")  # type: ignore[attr-defined]
        assert (error["id"], error["status"]) == ("helper.gfp_zone", "error")
        assert f"{GFP_H}:{line}: void value not ignored" in error["message"]

    def test_one_that_never_compiles_says_what_failed_first(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, "#ifndef _LINUX_TYPES_H", "#if 0", "include/linux/types.h")
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert re.search(rf"{GFP_H}:\d+: unknown type name 'gfp_t'", err), err

    def test_zones_that_are_compiled_out_are_named(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, "#ifndef _LINUX_MMZONE_H", "#if 0", "include/linux/mmzone.h")
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert re.search(r"include/linux/mmzone.h:\d+: the zones are compiled out", err), err

    def test_a_missing_include_is_named(self, run: Run, bundled_tree: Path) -> None:
        edit(bundled_tree, r"(#include <linux/gfp_types.h>)", r"\1\n#include <linux/no_such.h>")
        status, _, err = run("check", bundled_tree)
        assert status == 3
        assert "includes <linux/no_such.h>, which neither the tree nor pygfp has" in err

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            ("*(volatile int *)0 = 1;", "crashes with SIGSEGV"),
            ("__builtin_trap();", "crashes with SIGILL"),
            ("if (flags == 0x123456) *(volatile int *)0 = 1;", "crashes with SIGSEGV on input 0x123456"),
            ('for (;;) __asm__ volatile ("");', "does not return"),
        ],
    )
    def test_a_helper_that_misbehaves_fails_and_the_others_pass(
        self, run: Run, bundled_tree: Path, statement: str, words: str
    ) -> None:
        edit(bundled_tree, *body_of("gfp_nested_mask", statement.replace("\\", r"\\")))
        status, out, _ = run("check", bundled_tree)
        assert status == 1
        assert f"misbehaves: gfp_nested_mask {words}" in out
        # What was seen in one configuration is not said of the others.
        assert "not compared: in another configuration gfp_nested_mask" in " ".join(out.split())
        assert re.search(r"pass +gfp_zone", out)

    @pytest.mark.parametrize(
        ("pattern", "replacement", "words"),
        [
            (r"\bgfp_nested_mask\(", "gfp_other_mask(", "removed"),
            (r"gfp_t gfp_nested_mask\(gfp_t flags\)", "gfp_t gfp_nested_mask(gfp_t flags, int n)", "takes 2 arguments"),
            (r"gfp_t gfp_nested_mask\(", "bool gfp_nested_mask(", "found bool gfp_nested_mask(gfp_t)"),
            (r"gfp_nested_mask\(gfp_t flags\)", "gfp_nested_mask(int flags)", "found gfp_t gfp_nested_mask(int)"),
        ],
    )
    def test_another_nested_mask_is_a_fail(
        self, run: Run, bundled_tree: Path, pattern: str, replacement: str, words: str
    ) -> None:
        edit(bundled_tree, pattern, replacement)
        status, out, _ = run("check", "-q", bundled_tree)
        assert status == 1
        assert "helper.gfp_nested_mask" in out
        assert words in out

    def test_compiled_out_is_a_fail_in_those_configurations(
        self, check_json: Callable[..., dict[str, object]], bundled_tree: Path
    ) -> None:
        edit(bundled_tree, r"(static inline gfp_t gfp_nested_mask.*?\n}\n)", r"#ifdef CONFIG_NUMA\n\1#endif\n")
        report = check_json(bundled_tree)
        checks = [c for c in report["checks"] if c["subject"] == "gfp_nested_mask" and c["kind"] == "helper"]  # type: ignore[attr-defined]
        assert {c["config"]["CONFIG_NUMA"]: c["status"] for c in checks} == {True: "pass", False: "fail"}

    @pytest.mark.parametrize("ending", ["\r\n", "\n"])
    def test_line_ends_and_a_byte_order_mark_change_nothing(self, run: Run, bundled_tree: Path, ending: str) -> None:
        path = bundled_tree / GFP_H
        path.write_bytes(b"\xef\xbb\xbf" + path.read_text().rstrip().replace("\n", ending).encode())
        assert run("check", "-q", bundled_tree)[0] == 0

    def test_a_helper_that_prints_forges_no_answer(self, run: Run, bundled_tree: Path) -> None:
        path = bundled_tree / GFP_H
        path.write_text(
            path.read_text().replace("#endif", "", 0) + "\nextern long write(int, const void *, unsigned long);\n"
        )
        edit(
            bundled_tree,
            r"(static inline gfp_t gfp_nested_mask)",
            r"extern long write(int, const void *, unsigned long);\n\1",
        )
        forged = 'for (int fd = 1; fd < 20; fd++) write(fd, \\\\"{}\\\\\\\\n\\\\", 3);'.replace('\\\\"', '"').replace(
            "\\\\\\\\n", "\\\\n"
        )
        edit(bundled_tree, *body_of("gfp_nested_mask", forged))
        status, out, _ = run("check", bundled_tree)
        assert status == 1
        assert "writes over the answers" in out


class TestCompilers:
    @pytest.fixture
    def tree(self, bundled_tree: Path) -> Path:
        """A tree that no other test has compiled: each test gives it a text of its own."""
        path = bundled_tree / GFP_H
        path.write_text(f"{path.read_text()}\n/* {time.time_ns()} */\n")
        return bundled_tree

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("/nonexistent/cc", "there is no such program"),
            ("/bin/false", "does not run"),
            ("'", "is not a command line"),
            ("gcc -m32", "another kind of machine"),
            ("clang --target=aarch64-linux-gnu", "makes code for aarch64"),
        ],
    )
    def test_an_unusable_one_is_named(
        self, run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
    ) -> None:
        monkeypatch.setenv("CC", value)
        status, out, err = run("check", tree)
        assert (status, out) == (3, "")
        assert words in err
        assert len(err.splitlines()) == 1

    def test_none_at_all(self, run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        status, _, err = run("check", tree)
        assert status == 3
        assert "install gcc or clang, or name one in CC" in err

    @pytest.mark.parametrize(
        "script",
        [
            "exit 0",
            "echo garbage; exit 0",
            'case "$*" in *" -E "*) exit 0;; esac; exec gcc "$@"',
            'case "$*" in *-shared*) exit 0;; esac; exec gcc "$@"',
            'case "$*" in *alone.c*) exit 1;; esac; exec gcc "$@"',
            "kill -9 $$",
        ],
    )
    def test_one_that_lies_gives_no_verdict(
        self, run: Run, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
    ) -> None:
        fake = tmp_path / "cc"
        fake.write_text(f'#!/bin/sh\ncase "$1" in --version) echo "cc 1.0"; exit 0;; esac\n{script}\n')
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("CC", str(fake))
        status, out, err = run("check", tree)
        assert (status, out) == (3, "")
        assert len(err.splitlines()) == 1


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["check", "--set", "CONFIG_LOCKDEP"],
            ["check", "--set", "CONFIG_LOCKDEP=maybe"],
            ["check", "--set", "LOCKDEP=y"],
            ["check", "--set", "CONFIG_LOCKDEP=y", "--set", "CONFIG_LOCKDEP=n"],
            ["check", "--config", "/nonexistent"],
            ["check", "--policy", "/nonexistent"],
            ["check", "--helper", "no_such_*"],
            ["check", "-j", "0"],
            ["check", "-o", "/nonexistent/file"],
            ["check", "-o", "/"],
            ["check", "--format", "xml"],
            ["extract", "bundled", "-o", "/"],
            ["frobnicate"],
            [],
        ],
        ids=" ".join,
    )
    def test_nonsense_is_wrong_usage(self, run: Run, arguments: list[str]) -> None:
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err

    def test_a_symbol_that_changes_nothing_is_said_to(self, run: Run) -> None:
        status, out, _ = run("check", "bundled", "--set", "CONFIG_LOCKDEPP=y")
        assert status == 0
        assert "note: --set CONFIG_LOCKDEPP changes nothing" in out

    def test_an_output_appears_whole_or_not_at_all(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        target = tmp_path / "out.json"
        target.write_text("before")
        assert run("check", "/nonexistent", "-o", target)[0] == 3
        assert target.read_text() == "before"
        assert run("check", bundled_tree, "-o", target)[0] == 0
        assert target.read_text().endswith("inputs)\n")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out.json", "tree"]


class TestProcess:
    """The command line as a process of its own."""

    @staticmethod
    def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pygfp", *map(str, arguments)]
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
        )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_and_all_it_started(
        self, bundled_tree: Path, tmp_path: Path, number: signal.Signals
    ) -> None:
        fake = tmp_path / "cc"
        fake.write_text('#!/bin/sh\ncase "$1" in --version) echo "cc 1.0"; exit 0;; esac\nsleep 1000\n')
        fake.chmod(0o755)
        cache = tmp_path / "cache"
        env = {**os.environ, "CC": str(fake), "XDG_CACHE_HOME": str(cache)}
        process = self.start("check", bundled_tree, env=env)
        deadline = time.monotonic() + 20
        while not list(cache.glob("pygfp/build-*/zones.c")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 128 + number
        assert err == "pygfp: interrupted; nothing was left behind\n"
        assert [p.name for p in cache.glob("pygfp/*") if not p.name.endswith(".lock")] == []
        assert subprocess.run(["pgrep", "-f", str(fake)], capture_output=True, check=False).stdout == b""

    def test_a_reader_that_goes_away_is_no_error_of_ours(self, bundled_tree: Path) -> None:
        process = self.start("check", bundled_tree)
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        with process.stderr as stderr:
            assert stderr.read() == ""
        assert process.wait() in {0, 3}

    def test_closed_standard_streams_change_no_status(self) -> None:
        closed = f"{sys.executable} -m pygfp check bundled"
        assert subprocess.run(["sh", "-c", f"{closed} >&- 2>&- <&-"], check=False).returncode == 0
        wrong = f"{sys.executable} -m pygfp check /nonexistent"
        assert subprocess.run(["sh", "-c", f"{wrong} >&- 2>&-"], check=False).returncode == 3

    def test_several_at_once_compile_once(self, bundled_tree: Path, tmp_path: Path) -> None:
        env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "V": "1"}
        processes = [self.start("check", "-q", bundled_tree, env=env) for _ in range(4)]
        results = [p.communicate(timeout=100) for p in processes]
        assert [p.returncode for p in processes] == [0] * 4
        assert sum("-shared" in err for _, err in results) == 1


class TestCache:
    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return tmp_path / "cache" / "pygfp"

    @staticmethod
    def entry(cache: Path, holds: str) -> Path:
        (entry,) = (p for p in cache.iterdir() if (p / holds).is_file())
        return entry

    @pytest.mark.parametrize("file", ["unit0.so/unit0.so", "unit0.so/build.json", "loops.so/loops.so"])
    @pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
    def test_an_altered_build_is_never_loaded(
        self, run: Run, bundled_tree: Path, cache: Path, file: str, damage: str
    ) -> None:
        assert run("check", "-q", bundled_tree)[0] == 0
        holds, name = file.split("/")
        path = self.entry(cache, holds) / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.unlink()
        if damage != "remove":
            path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
        status, out, _ = run("check", bundled_tree)
        assert status == 0
        assert "is not used" in " ".join(out.split())
        assert "built anew" in " ".join(out.split())
        assert "is not used" not in run("check", bundled_tree)[1]

    def test_garbage_in_its_place_is_worked_around(self, run: Run, bundled_tree: Path, cache: Path) -> None:
        cache.parent.mkdir()
        cache.write_text("not a directory")
        status, out, _ = run("check", bundled_tree)
        assert status == 0
        assert "cannot be used as a cache" in " ".join(out.split())
        assert cache.read_text() == "not a directory"

    def test_one_that_others_can_write_to_is_not_trusted(self, run: Run, bundled_tree: Path, cache: Path) -> None:
        cache.mkdir(parents=True)
        cache.chmod(0o777)
        status, out, _ = run("check", bundled_tree)
        assert status == 0
        assert "others can write to it" in " ".join(out.split())
        assert list(cache.iterdir()) == []

    def test_nothing_but_the_build_stays(self, run: Run, bundled_tree: Path, cache: Path) -> None:
        assert run("check", "-q", bundled_tree)[0] == 0
        entries = [self.entry(cache, holds).name for holds in ("unit0.so", "loops.so")]
        assert sorted(p.name for p in cache.iterdir()) == sorted([*entries, *(f"{entry}.lock" for entry in entries)])
        assert stat.S_IMODE(cache.stat().st_mode) == 0o700
