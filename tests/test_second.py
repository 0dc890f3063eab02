# SPDX-License-Identifier: GPL-2.0-only
"""
Second opinions: the verdicts do not depend on the compiler or on how hard it optimises, and nothing that runs to get
them has undefined behaviour or touches memory that is not its own. ``trust/second.py`` does the same on every input.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sanitize
from breaks import BUNDLED, GFP, REAL, Break
from sanitize import SANITIZERS, SanitizerError, answers, expected, opened, program, tasks

from pygfp.config import Selection
from pygfp.forms import MaskTable
from pygfp.model.helpers import WANTED
from pygfp.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    CheckJson = Callable[..., dict[str, Any]]

COMPILERS = ("gcc", "clang")

#: What of a verdict has to be the same; the rest is where it came from.
SAME = ("id", "status", "config", "configs", "inputs", "mismatches", "first", "smallest", "form", "line", "message")

#: As many inputs from either end of the domain: 2 * 2**16 of 2**27 or 2**28 of each meaning of each helper.
SHARE = 1 << 16

#: Not of our text: parameters of the kernel's functions, and functions that no helper of one configuration calls.
NOT_OURS = ("-Wno-unused-parameter", "-Wno-unused-function")


def require(program: str, package: str) -> None:
    """Skip, or fail where everything has to be there, without *program*."""
    if shutil.which(program) is None:
        lacking(f"{program} is not installed; run 'apt-get install {package}'")


def lacking(reason: str) -> None:
    if os.environ.get("PYGFP_REQUIRE_KERNELS") == "1":
        pytest.fail(f"PYGFP_REQUIRE_KERNELS=1 and {reason}")
    pytest.skip(reason)


def require_sanitizers(compiler: str, directory: Path) -> None:
    """Skip, or fail likewise, where *compiler* has no runtime of its sanitizers."""
    require(compiler, compiler)
    (directory / "empty.c").write_text("int main(void) { return 0; }\n")
    command = [compiler, *SANITIZERS, directory / "empty.c", "-o", directory / "empty"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        package = {"gcc": "libasan8 libubsan1", "clang": "libclang-rt-14-dev"}[compiler]
        lacking(f"{compiler} cannot link its sanitizers; on Debian 12 run 'apt-get install {package}'")


def verdicts(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: check[key] for key in SAME} for check in report["checks"]]


def firing(tree: Path) -> Path:
    """*tree* with a BUG and a warning more, and a mask that differs."""
    path, text = tree / GFP, (tree / GFP).read_text()
    allow = "gfpflags_allow_blocking()"
    for edit in (
        ("a BUG", GFP, "gfp_zone()", r"\n\{\n", "\n{\n\tVM_BUG_ON(!(~flags & (__GFP_IO | __GFP_ZERO)));\n"),
        ("a warning", GFP, allow, r"\n\{\n", "\n{\n\tWARN_ON_ONCE((gfp_flags & __GFP_COMP) && gfp_flags & 7);\n"),
        ("a mask", GFP, "gfp_nested_mask()", r"__GFP_NOLOCKDEP", "__GFP_NOLOCKDEP | __GFP_ZERO"),
    ):
        text = Break("", *edit).apply(text)
    path.write_text(text)
    return tree


class TestVerdicts:
    """One compiler's verdicts are the other's: ids, statuses, counts, witnesses, forms and words."""

    @pytest.fixture(params=[BUNDLED, REAL, "broken"])
    def tree(self, request: pytest.FixtureRequest, bundled_tree: Path, copy_tree: Callable[[Path], Path]) -> Path:
        if request.param == BUNDLED:
            return bundled_tree
        tree = copy_tree(request.getfixturevalue("headers_6_12"))
        return firing(tree) if request.param == "broken" else tree

    def test_clang_gives_the_same(
        self, check_json: CheckJson, tree: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        require("clang", "clang")
        with_gcc = check_json(tree)
        monkeypatch.setenv("CC", "clang")
        with_clang = check_json(tree)
        assert (with_gcc["compiler"].split()[0], with_clang["compiler"].split()[0]) == COMPILERS
        assert verdicts(with_clang) == verdicts(with_gcc)
        failing = {c["subject"] for c in with_gcc["checks"] if c["status"] == "fail"}
        broken = "broken" in request.node.callspec.params.values()
        assert failing == ({"gfp_zone", "gfpflags_allow_blocking", "gfp_nested_mask"} if broken else set())

    def compiled(self, check_json: CheckJson, directory: Path, level: str, *arguments: object) -> dict[str, Any]:
        """The verdicts of gcc at another level."""
        slow = directory / "slow-cc"
        # Of several -O the last one counts.
        slow.write_text(f'#!/bin/sh\nexec gcc "$@" {level}\n')
        slow.chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CC", str(slow))
            report = check_json(*arguments)
        assert report["compiler"].startswith("slow-cc ")
        return report

    def test_less_optimised_code_gives_the_same(
        self, check_json: CheckJson, copy_tree: Callable[[Path], Path], headers_6_12: Path, tmp_path: Path
    ) -> None:
        some = ("--helper", "gfp_[zn]*", firing(copy_tree(headers_6_12)))
        assert verdicts(self.compiled(check_json, tmp_path, "-O1", *some)) == verdicts(check_json(*some))

    def test_code_that_is_not_optimised_gives_the_same(
        self, check_json: CheckJson, bundled_tree: Path, tmp_path: Path
    ) -> None:
        plain = self.compiled(check_json, tmp_path, "-O0", bundled_tree)
        assert verdicts(plain) == verdicts(check_json(bundled_tree))
        assert plain["exit"] == 0


class TestWarnings:
    """Our C compiles without a warning, in the very unit that is loaded."""

    @pytest.mark.parametrize("compiler", COMPILERS)
    def test_every_warning_is_an_error(self, tmp_path: Path, compiler: str) -> None:
        require(compiler, compiler)
        try:
            program(resolve("bundled"), tmp_path, compiler, ("-Wall", "-Wextra", "-Werror", *NOT_OURS, "-O1"))
        except subprocess.CalledProcessError as exc:
            pytest.fail(exc.stderr)


@pytest.mark.parametrize("compiler", COMPILERS)
class TestSanitizers:
    """Helpers and sweeps in a program built with ASan and UBSan, on both ends of the domain."""

    def require_same(self, source: str, directory: Path, compiler: str, flags: tuple[str, ...]) -> None:
        made = program(resolve(source), directory, compiler, flags)
        with opened(resolve(source), Selection(), WANTED) as session:
            wanted = list(tasks(session, 27, [(0, SHARE), ((1 << 27) - SHARE, SHARE)]))
            found = answers(made, wanted)
            assert [(t.what, t.job) for t, f in zip(wanted, found, strict=True) if f != expected(session, t)] == []
        differing = {t.what for t, f in zip(wanted, found, strict=True) if f[0].mismatches}
        assert {t.what for t in wanted} == {"right", "wrong", "laws", "versus"}
        assert {"wrong", "laws"} <= differing <= {"wrong", "laws"}

    def test_bundled(self, tmp_path: Path, compiler: str) -> None:
        require_sanitizers(compiler, tmp_path)
        self.require_same("bundled", tmp_path, compiler, SANITIZERS)

    def test_real_6_12(self, tmp_path: Path, compiler: str, headers_6_12: Path) -> None:
        require_sanitizers(compiler, tmp_path)
        self.require_same(str(headers_6_12), tmp_path, compiler, SANITIZERS)

    def test_unoptimised_6_12(self, tmp_path: Path, compiler: str, headers_6_12: Path) -> None:
        require(compiler, compiler)
        self.require_same(str(headers_6_12), tmp_path, compiler, ("-O0",))

    def test_what_is_undefined_is_told_with_its_line(self, tmp_path: Path, compiler: str, bundled_tree: Path) -> None:
        """Without this, clean would mean nothing."""
        require_sanitizers(compiler, tmp_path)
        path = bundled_tree / GFP
        edit = Break("", "", GFP, "gfp_has_io_fs()", r"\n\{\n", "\n{\n\tif (1 << (gfp & 63) == 5)\n\t\treturn true;\n")
        path.write_text(edit.apply(path.read_text()))
        line = 1 + path.read_text()[: path.read_text().index("1 << (gfp & 63)")].count("\n")
        (tmp_path / "made").mkdir()
        made = program(resolve(str(bundled_tree)), tmp_path / "made", compiler)
        with opened(resolve(str(bundled_tree)), Selection(), WANTED) as session:
            wanted = list(tasks(session, 27, [(0, sanitize.BLOCK)]))
        hit = [t for t in wanted if t.job.helper == "gfp_has_io_fs"]
        with pytest.raises(SanitizerError, match=rf"{GFP}:{line}:\d+: runtime error: (shift exponent|left shift of 1)"):
            answers(made, hit)
        rest = [t for t in wanted if t not in hit]
        assert len(answers(made, rest)) == len(rest)
        # A table that is one answer too short: the sweep reads past its end.
        task = next(t for t in rest if t.job.helper == "gfp_zone")
        short = MaskTable(task.job.form.bits, task.job.form.rows[:-1])
        with pytest.raises(SanitizerError, match="heap-buffer-overflow"):
            answers(made, [replace(task, job=replace(task.job, form=short))])
