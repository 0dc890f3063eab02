# SPDX-License-Identifier: GPL-2.0-only
"""``pygfp diff`` as it is called: what is compared with what, what is printed, and what never happens."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import readers
from histories import GFP_H, comment, commit, does_not_compile, git, keep_zero, replace, repository, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

TYPES_H = "include/linux/gfp_types.h"
SAID = "__GFP_ZERO drop -> keep"


@pytest.fixture
def repo(bundled_tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the bundled headers, and the current directory."""
    monkeypatch.chdir(repository(bundled_tree))
    return bundled_tree


@pytest.fixture
def patch(repo: Path, tmp_path: Path) -> Path:
    """A plain diff that makes the nested mask keep __GFP_ZERO; the tree is as it was."""
    keep_zero(repo)
    (tmp_path / "0001.diff").write_text(git(repo, "diff"))
    git(repo, "checkout", "-q", ".")
    return tmp_path / "0001.diff"


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Return a function that puts bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


class TestSides:
    """What is compared with what."""

    def test_a_clean_tree_differs_in_nothing(self, run: Run, repo: Path) -> None:
        status, out, err = run("diff")
        assert (status, err) == (0, "")
        assert out.startswith(f"pygfp diff: {repo}@HEAD, 7.3.4\n        to: {repo}, 7.3.4\n")
        assert "NO CHANGE: the watched files are the same, byte for byte; nothing was compiled" in out

    @pytest.mark.parametrize("where", ["staged", "unstaged", "both"])
    def test_without_arguments_head_is_compared_with_what_is_on_disk(self, run: Run, repo: Path, where: str) -> None:
        if where == "both":
            replace(repo, "(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)", "__GFP_KSWAPD_RECLAIM", TYPES_H)
            git(repo, "add", "-A")
        keep_zero(repo)
        if where == "staged":
            git(repo, "add", "-A")
        status, out, _ = run("diff")
        assert status == 1
        assert SAID in out
        assert ("- __GFP_NOWARN" in out) == (where == "both")

    def test_a_staged_edit_that_is_undone_on_disk_is_none(self, run: Run, repo: Path) -> None:
        before = (repo / GFP_H).read_text()
        keep_zero(repo)
        git(repo, "add", "-A")
        (repo / GFP_H).write_text(before)
        assert run("diff")[0] == 0

    def test_from_a_directory_below(self, run: Run, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        keep_zero(repo)
        monkeypatch.chdir(repo / "include/linux")
        status, out, _ = run("diff", "-q")
        assert status == 1
        assert f"{GFP_H}:" in out

    def test_two_sources(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        status, out, _ = run("diff", "bundled", ".")
        assert status == 1
        assert SAID in out
        status, out, _ = run("diff", ".", "bundled")
        assert status == 1
        assert "__GFP_ZERO keep -> drop" in out

    def test_a_directory_is_its_head_against_its_disk(
        self, run: Run, repo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep_zero(repo)
        monkeypatch.chdir(repo.parent)
        status, out, _ = run("diff", "tree")
        assert status == 1
        assert SAID in out

    def test_a_revision_is_compared_with_the_disk(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        assert run("diff")[0] == 0
        status, out, _ = run("diff", ".@good")
        assert status == 1
        assert SAID in out

    @pytest.mark.parametrize("revisions", ["good..main", "good..", "..good", "good...main"])
    def test_a_range(self, run: Run, repo: Path, revisions: str) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        status, out, _ = run("diff", f".@{revisions}")
        assert status == 1
        assert ("keep -> drop" if revisions == "..good" else SAID) in out

    def test_the_working_tree_has_no_part_in_a_range(self, run: Run, repo: Path) -> None:
        commit(repo, "nothing")
        keep_zero(repo)
        assert run("diff", ".@good..main")[0] == 0

    def test_bundled_and_a_revision(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        assert run("diff", "bundled", ".@good")[0] == 0

    def test_a_change_without_meaning(self, run: Run, repo: Path) -> None:
        comment(repo)
        status, out, _ = run("diff")
        assert status == 0
        assert re.search(r"NO CHANGE: no change in meaning of \d+ helpers, composites and flags; every value", out)

    def test_real_releases(self, run: Run, headers_6_1: Path, headers_6_12: Path) -> None:
        status, out, _ = run("diff", headers_6_1, headers_6_12)
        assert status == 1
        for said in (
            "added    include/linux/gfp.h:",
            "gfp_nested_mask",
            "GFP_NOWAIT",
            "+ __GFP_NOWARN",
            "__GFP_ATOMIC",
        ):
            assert said in out


def cover(tree: Path, count: int = 1) -> bytes:
    """``git format-patch --stdout`` of the last *count* commits."""
    return git(tree, "format-patch", "--stdout", f"-{count}").encode()


class TestPatch:
    """--patch: without the patch against with it, whatever form the patch has."""

    def test_a_plain_diff(self, run: Run, repo: Path, patch: Path) -> None:
        before = state(repo)
        status, out, _ = run("diff", "--patch", patch)
        assert status == 1
        assert SAID in out
        assert "with 0001.diff" in out
        assert state(repo) == before

    def test_a_diff_without_ids_and_prefixes(self, run: Run, repo: Path, tmp_path: Path) -> None:
        keep_zero(repo)
        text = git(repo, "diff", "--no-prefix")
        git(repo, "checkout", "-q", ".")
        (tmp_path / "p").write_text(text[text.index("--- ") :])
        status, out, _ = run("diff", "--patch", tmp_path / "p")
        assert status == 1
        assert SAID in out

    def test_on_another_source(self, run: Run, patch: Path) -> None:
        status, out, _ = run("diff", "--patch", patch, "bundled")
        assert status == 1
        assert SAID in out

    def test_on_a_revision(self, run: Run, patch: Path, repo: Path) -> None:
        (repo / GFP_H).write_text("")
        assert run("diff", "--patch", patch, ".@good")[0] == 1

    @pytest.mark.parametrize("applied", [True, False], ids=["applied already", "not applied"])
    def test_a_series_on_stdin(self, run: Run, repo: Path, stdin: Callable[[bytes], None], *, applied: bool) -> None:
        replace(repo, "(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)", "__GFP_KSWAPD_RECLAIM", TYPES_H)
        commit(repo, "gfp: less")
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        stdin(cover(repo, 2))
        if not applied:
            git(repo, "reset", "-q", "--hard", "good")
        status, out, _ = run("diff", "--patch", "-")
        assert status == 1
        assert SAID in out
        assert "- __GFP_NOWARN" in out
        assert "with the patch on stdin" in out

    def test_one_mail_with_crlf(self, run: Run, repo: Path, stdin: Callable[[bytes], None]) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        stdin(cover(repo).replace(b"\n", b"\r\n"))
        assert run("diff", "--patch", "-", "-q")[0] == 1

    def test_a_mail_in_quoted_printable(self, run: Run, repo: Path, stdin: Callable[[bytes], None]) -> None:
        import quopri  # noqa: PLC0415 - only here

        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        head, _, body = cover(repo).partition(b"\n\n")
        head = head.partition(b"\n")[2]
        encoded = quopri.encodestring(body)
        stdin(head + b"\nMIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n" + encoded)
        status, out, _ = run("diff", "--patch", "-")
        assert status == 1
        assert SAID in out

    def test_a_patch_of_other_files(self, run: Run, repo: Path, tmp_path: Path) -> None:
        text = "--- a/mm/slub.c\n+++ b/mm/slub.c\n@@ -1 +1 @@\n-a\n+b\n"
        (tmp_path / "p").write_text(text)
        status, out, err = run("diff", "--patch", tmp_path / "p")
        assert (status, err) == (0, "")
        assert "p changes none of the watched files" in out
        assert run("diff", "-q", "--patch", tmp_path / "p") == (0, "", "")
        assert repo.is_dir()


JSON_KEYS = {"schema", "source", "exit", "old", "new", "changes"}
SOURCE_KEYS = {"kind", "label", "release", "reference", "digest"}
CHANGE_KEYS = {"subject", "kind", "config", "change", "inputs", "differing", "flags", "smallest", "text"}


class TestOutput:
    """Every format, to standard output or to a file."""

    def test_json_has_the_keys_that_are_promised(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        status, out, _ = run("diff", "--format", "json")
        report = json.loads(out)
        assert report.keys() >= JSON_KEYS
        assert (report["schema"], report["exit"]) == ("pygfp.diff/1", status)
        assert [report[side]["kind"] for side in ("old", "new", "source")] == ["revision", "tree", "tree"]
        assert all(report[side].keys() >= SOURCE_KEYS for side in ("old", "new", "source"))
        (change,) = report["changes"]
        assert change.keys() >= CHANGE_KEYS
        assert {k: change[k] for k in ("subject", "kind", "change", "inputs", "differing", "flags")} == {
            "subject": "gfp_nested_mask",
            "kind": "helper",
            "change": "changed",
            "inputs": 1 << 27,
            "differing": 1 << 26,
            "flags": {"__GFP_ZERO": "drop -> keep"},
        }
        assert change["smallest"].keys() >= {"input", "input_names", "old", "new"}
        assert (change["smallest"]["input"], change["smallest"]["input_names"]) == ("0x100", "__GFP_ZERO")
        assert int(change["smallest"]["new"], 16) ^ int(change["smallest"]["old"], 16) == 0x100
        assert all(isinstance(on, bool) for on in change["config"].values())

    def test_json_of_nothing_changed(self, run: Run, repo: Path) -> None:
        comment(repo)
        status, out, _ = run("diff", "--format", "json")
        report = json.loads(out)
        assert (status, report["exit"], report["changes"]) == (0, 0, [])
        assert "gfp_nested_mask" in report["compared"]

    @pytest.mark.parametrize("name", list(readers.READERS))
    @pytest.mark.parametrize("edit", [keep_zero, comment, None])
    def test_every_format_is_read_back(
        self, run: Run, repo: Path, name: str, edit: Callable[[Path], None] | None
    ) -> None:
        if edit:
            edit(repo)
        status, out, _ = run("diff", "--format", name)
        found = readers.READERS[name](out)
        assert found.clean == (status == 0)
        assert status == (1 if edit is keep_zero else 0)
        if edit is keep_zero:
            assert any(SAID in text for text in found.texts.values())

    def test_ktap_is_read_back(self, run: Run, repo: Path, source_6_12: Path) -> None:
        keep_zero(repo)
        status, out, _ = run("diff", "--format", "ktap")
        found = readers.kunit(source_6_12, out)
        assert (status, found.clean) == (1, False)
        assert found.outcomes["helper.gfp_nested_mask.value"] == "failed"
        assert found.outcomes["same.gfp_zone"] == "passed"

    @pytest.mark.parametrize("name", ["text", "json", "ktap", "junit", "sarif", "github"])
    def test_output_to_a_file_is_the_same(self, run: Run, repo: Path, tmp_path: Path, name: str) -> None:
        keep_zero(repo)
        shown = run("diff", "--format", name)[1]
        assert run("diff", "--format", name, "-o", tmp_path / "out")[:2] == (1, "")
        written = (tmp_path / "out").read_text()
        clock = re.compile(r'"\w+_s": [\d.e-]+|time="[\d.]+"')
        assert clock.sub("", written) == clock.sub("", shown)

    def test_quiet_is_a_line_a_change_and_nothing_for_none(self, run: Run, repo: Path) -> None:
        assert run("diff", "-q") == (0, "", "")
        comment(repo)
        assert run("diff", "-q") == (0, "", "")
        keep_zero(repo)
        status, out, err = run("diff", "-q")
        assert (status, err) == (1, "")
        lines = out.splitlines()
        assert all(re.match(r"include/linux/gfp\.h:\d+: (ERROR|WARNING): ", line) for line in lines)
        assert [line.split(": ")[1] for line in lines] == ["ERROR", "ERROR", "WARNING"]
        assert SAID in lines[-1]

    def test_a_place_is_where_the_change_is(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        line = int(run("diff", "-q")[1].split(":")[1])
        assert "gfp_nested_mask" in (repo / GFP_H).read_text().splitlines()[line - 1]

    def test_the_verdict_says_what_fails_newly(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        assert run("diff")[1].splitlines()[-1].startswith("CHANGED: 1 changed, 2 checks fail that did not; ")

    def test_verbose_shows_the_commands(self, run: Run, repo: Path) -> None:
        comment(repo, "verbose, and of a text of its own")
        _, out, err = run("diff", "-v")
        assert "gcc" in err
        assert "timings: " in out


class TestNarrowed:
    def test_a_helper(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        assert run("diff", "--helper", "gfp_nested_mask")[0] == 1
        assert run("diff", "--helper", "gfp_zone*")[0] == 0

    def test_no_such_helper(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        status, out, err = run("diff", "--helper", "gfp_nsted")
        assert (status, out) == (2, "")
        assert "no helper and no composite of either side" in err

    def test_a_configuration(self, run: Run, repo: Path) -> None:
        replace(repo, "| __GFP_NOLOCKDEP;", ";")
        assert run("diff", "--set", "CONFIG_LOCKDEP=n")[0] == 0
        assert run("diff", "--set", "CONFIG_LOCKDEP=y")[0] == 1


class TestUntouched:
    """Nothing but the cache and -o is written."""

    @pytest.mark.parametrize("spec", [[], ["."], [".@good"], [".@good..HEAD"], ["bundled", "."]], ids=" ".join)
    @pytest.mark.parametrize("output", ["text", "sarif"])
    def test_the_tree(self, run: Run, repo: Path, spec: list[str], output: str) -> None:
        replace(repo, "(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)", "__GFP_KSWAPD_RECLAIM", TYPES_H)
        git(repo, "add", "-A")
        keep_zero(repo)
        git(repo, "status")
        before = state(repo)
        assert run("diff", *spec, "--format", output)[0] in {0, 1}
        assert state(repo) == before

    def test_the_current_directory(
        self, run: Run, repo: Path, patch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")
        before = state(repo)
        assert run("diff", "--patch", patch, repo)[0] == 1
        assert run("diff", "--patch", patch, f"{repo}@good", "--format", "junit")[0] == 1
        assert list((tmp_path / "work").iterdir()) == []
        assert state(repo) == before

    def test_a_read_only_repository(self, run: Run, repo: Path) -> None:
        keep_zero(repo)
        subprocess.run(["chmod", "-R", "a-w", repo], check=True)
        try:
            assert run("diff")[0] == 1
        finally:
            subprocess.run(["chmod", "-R", "u+w", repo], check=True)


def failing(run: Run, *arguments: object, status: int = 3) -> str:
    """The one message of a run that cannot be."""
    code, out, err = run("diff", *arguments)
    assert (code, out) == (status, ""), (code, out, err)
    assert err.startswith("pygfp: ")
    assert err.count("\n") == 1, err
    return err


class TestBadPatch:
    """Each says what is wrong, in which file and hunk, and leaves the tree alone."""

    def test_one_that_applies_in_part(self, run: Run, repo: Path, tmp_path: Path) -> None:
        keep_zero(repo)
        text = re.sub(r"index .*\n", "", git(repo, "diff"))
        git(repo, "checkout", "-q", ".")
        second = "@@ -1,2 +1,2 @@\n no such line\n-nor this\n+none\n"
        first = text[text.index("@@") :]
        (tmp_path / "p").write_text(text[: text.index("@@")] + second + first)
        before = state(repo)
        err = failing(run, "--patch", tmp_path / "p")
        assert f"p: {GFP_H}: hunk 1 of 2 (@@ -1,2 +1,2 @@) does not apply to {repo}: at line 1 expected" in err
        assert state(repo) == before

    def test_a_binary_one(self, run: Run, repo: Path, tmp_path: Path) -> None:
        (repo / GFP_H).write_bytes(b"\0\1\2")
        (tmp_path / "p").write_text(git(repo, "diff", "--binary"))
        git(repo, "checkout", "-q", ".")
        assert f"{GFP_H}: a binary patch; expected a text diff" in failing(run, "--patch", tmp_path / "p")

    @pytest.mark.parametrize("text", [b"", b"\n\n", b"From: a@example.org\nSubject: hello\n\nNo diff here.\n"])
    def test_an_empty_mail(self, run: Run, repo: Path, stdin: Callable[[bytes], None], text: bytes) -> None:
        stdin(text)
        assert "the patch on stdin: " in failing(run, "--patch", "-")
        assert repo.is_dir()

    @pytest.mark.parametrize("path", ["../outside.h", "/etc/passwd", "include/../../outside.h"])
    def test_a_path_that_leaves_the_tree(self, run: Run, repo: Path, tmp_path: Path, path: str) -> None:
        (tmp_path / "outside.h").write_text("a\n")
        (tmp_path / "p").write_text(f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-a\n+b\n")
        assert "leaves the tree" in failing(run, "--patch", tmp_path / "p")
        assert (tmp_path / "outside.h").read_text() == "a\n"
        assert repo.is_dir()

    def test_an_endless_one(self, run: Run, repo: Path) -> None:
        err = failing(run, "--patch", "/dev/zero", status=2)
        assert err == "pygfp: --patch /dev/zero: expected a patch of at most 64 MiB, found more\n"
        assert repo.is_dir()

    @pytest.mark.parametrize(("name", "said"), [("gone", "No such file"), (".", "Is a directory")])
    def test_one_that_cannot_be_read(self, run: Run, repo: Path, name: str, said: str) -> None:
        assert said in failing(run, "--patch", repo / name, status=2)

    def test_two_sources_with_one(self, run: Run, repo: Path, patch: Path) -> None:
        err = failing(run, "bundled", repo, "--patch", patch, status=2)
        assert "--patch takes one SOURCE, found two" in err

    def test_a_range_with_one(self, run: Run, repo: Path, patch: Path) -> None:
        assert "--patch takes one SOURCE" in failing(run, ".@good..main", "--patch", patch, status=2)
        assert repo.is_dir()

    def test_a_patched_side_that_does_not_compile(self, run: Run, repo: Path, tmp_path: Path) -> None:
        does_not_compile(repo)
        (tmp_path / "p").write_text(git(repo, "diff"))
        git(repo, "checkout", "-q", ".")
        assert "the new side" in run("diff", "--patch", tmp_path / "p")[2]


class TestBadSource:
    @pytest.mark.parametrize("side", ["old", "new"])
    def test_the_side_that_does_not_compile_is_named(self, run: Run, repo: Path, side: str) -> None:
        does_not_compile(repo)
        arguments = [".", "bundled"] if side == "old" else ["bundled", "."]
        status, out, err = run("diff", *arguments)
        assert (status, out) == (3, "")
        assert err.startswith(f"pygfp: the {side} side, .: ")
        assert "not today" in err

    @pytest.mark.parametrize("name", ["-h", "--all", "--output=x", "v9", ""])
    def test_a_revision_that_is_none(self, run: Run, repo: Path, name: str) -> None:
        before = state(repo)
        failing(run, f".@{name}")
        failing(run, f".@{name}..good") if name else None
        assert state(repo) == before

    def test_a_shallow_clone(self, run: Run, repo: Path, tmp_path: Path) -> None:
        first = git(repo, "rev-parse", "HEAD").strip()
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        git(tmp_path, "clone", "-q", "--depth=1", "--branch=main", f"file://{repo}", "shallow")
        err = failing(run, f"{tmp_path / 'shallow'}@{first}..main")
        assert "fetch --unshallow" in err

    def test_a_bare_clone(self, run: Run, repo: Path, tmp_path: Path) -> None:
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        git(tmp_path, "clone", "-q", "--bare", repo, "bare.git")
        status, out, _ = run("diff", f"{tmp_path / 'bare.git'}@good..main")
        assert status == 1
        assert SAID in out

    def test_a_blobless_clone_is_not_completed_behind_the_users_back(
        self, run: Run, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        git(repo, "config", "uploadpack.allowFilter", "true")
        keep_zero(repo)
        commit(repo, "gfp: keep zero")
        git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{repo}", "blobless")
        before = state(tmp_path / "blobless")
        monkeypatch.chdir(tmp_path)
        err = failing(run, "blobless@good..main")
        assert "pygfp never fetches" in err
        assert state(tmp_path / "blobless") == before

    def test_nowhere(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert "is in no kernel tree; go to one, or name what to compare (OLD NEW)" in failing(run)

    def test_a_tree_without_git(self, run: Run, bundled_tree: Path) -> None:
        (bundled_tree / "Makefile").write_text("")
        assert "not a git repository" in failing(run, bundled_tree)
        assert "name two sources (OLD NEW)" in failing(run, bundled_tree)

    def test_bundled_alone(self, run: Run, repo: Path) -> None:
        assert "name what to compare it with" in failing(run, "bundled", status=2)
        assert repo.is_dir()

    @pytest.mark.parametrize("name", ["json", "junit", "sarif", "github", "ktap"])
    def test_a_side_that_cannot_be_read_is_no_clean_report(
        self, run: Run, repo: Path, name: str, tmp_path: Path
    ) -> None:
        status, out, err = run("diff", ".", tmp_path / "nowhere", "--format", name)
        assert status == 3
        assert "no such directory" in err
        if name in readers.READERS:
            assert not readers.READERS[name](out).clean
        assert repo.is_dir()


def test_as_a_process(repo: Path) -> None:
    keep_zero(repo)
    done = subprocess.run(
        [sys.executable, "-m", "pygfp", "diff", "-q"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert SAID in done.stdout
