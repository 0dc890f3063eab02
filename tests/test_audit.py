# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp audit``: real trees, options, and every kind of bad input.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from test_sites import tree_with

from pygfp.sites import tree as reading
from pygfp.sites.find import find
from pygfp.sites.sift import sift

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

SITE = "void *{name}(gfp_t gfp)\n{{\n\treturn take(8, gfp & ~__GFP_ZERO);\n}}\n"


def read_as_anybody() -> None:
    """What root executes after this reads no file that its mode forbids: two capabilities are gone for good."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
            raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def audit_json(run: Run) -> Callable[..., dict[str, Any]]:
    def call(*arguments: object) -> dict[str, Any]:
        status, out, err = run("audit", "--format", "json", *arguments)
        assert out, err
        report: dict[str, Any] = json.loads(out)
        assert report["exit"] == status
        return report

    return call


def site(report: dict[str, Any], file: str) -> dict[str, Any]:
    (found,) = (s for s in report["sites"] if s["file"] == file)
    return found  # type: ignore[no-any-return]


class TestJson:
    def test_a_site_has_the_keys_of_the_contract(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        report = audit_json(tree_with(tmp_path / "tree", one=SITE.format(name="one")), "mm")
        assert report["schema"] == "pygfp.audit/1"
        assert report["scanned_files"] == 1
        one = site(report, "mm/one.c")
        assert (one["line"], one["function"], one["nested"]) == (3, "one", "differs")
        assert one["drop"] == ["__GFP_ZERO"]
        assert one["force"] == []
        assert "__GFP_IO" in one["keep"]
        assert "no-zone" in one["breaks"]
        assert one["text"] == "gfp & ~__GFP_ZERO"

    def test_how_a_site_differs_is_said_flag_by_flag(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        text = "void f(gfp_t gfp)\n{\n\ttake(gfp & (GFP_KERNEL | __GFP_NORETRY | __GFP_ZERO));\n}\n"
        one = site(audit_json(tree_with(tmp_path / "tree", one=text), "mm"), "mm/one.c")
        assert one["difference"] == {
            "keeps too": ["__GFP_ZERO"],
            "keeps instead of forcing": ["__GFP_NORETRY"],
            "drops": ["__GFP_HIGH", "__GFP_NOLOCKDEP"],
            "drops instead of forcing": ["__GFP_NOWARN", "__GFP_NOMEMALLOC"],
        }


class TestCheck:
    NESTED = "void f(gfp_t gfp)\n{\n\tgfp_t nested_gfp = gfp & GFP_KERNEL;\n\n\ttake(nested_gfp);\n}\n"

    def test_a_site_named_as_nested_that_breaks_a_law(self, run: Run, tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", one=self.NESTED)
        assert run("audit", tree, "mm")[0] == 0
        status, out, _ = run("audit", "--check", tree, "mm")
        assert status == 1
        assert "looks nested: variable nested_gfp" in out
        assert out.splitlines()[-1].startswith("BROKEN")

    def test_a_site_in_a_place_of_nested_allocations(self, run: Run, tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", page_owner=SITE.format(name="one"), other=SITE.format(name="two"))
        assert run("audit", "--check", tree, "mm/other.c")[0] == 0
        assert run("audit", "--check", tree, "mm/page_owner.c")[0] == 1

    def test_one_that_obeys_them(self, run: Run, tmp_path: Path) -> None:
        text = "void f(gfp_t gfp)\n{\n\ttake(gfp_nested_mask(gfp));\n}\n"
        status, out, _ = run("audit", "--check", tree_with(tmp_path / "tree", one=text), "mm")
        assert status == 0
        assert "equal to gfp_nested_mask()" in out

    def test_one_that_cannot_be_reduced_is_no_pass(self, run: Run, tmp_path: Path) -> None:
        text = "void f(gfp_t gfp, gfp_t more)\n{\n\tgfp_t nested_gfp = gfp & more;\n\n\ttake(nested_gfp);\n}\n"
        status, out, _ = run("audit", "--check", tree_with(tmp_path / "tree", one=text), "mm")
        assert status == 3
        assert "unknown: depends on gfp and on more" in out

    def test_the_likeliest_moles_come_first(self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
        tree = tree_with(
            tmp_path / "tree",
            a_flag="void f(struct s *s)\n{\n\ts->gfp |= __GFP_ZERO;\n}\n",
            b_trim="void f(gfp_t gfp)\n{\n\tkmalloc(8, gfp & GFP_KERNEL);\n}\n",
            c_equal="void f(gfp_t gfp)\n{\n\tkmalloc(8, gfp_nested_mask(gfp));\n}\n",
            d_nested=self.NESTED,
        )
        files = [s["file"] for s in audit_json(tree, "mm")["sites"]]
        assert files == ["mm/d_nested.c", "mm/b_trim.c", "mm/a_flag.c", "mm/c_equal.c"]


class TestSince:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        tree = tree_with(tmp_path / "tree", old=SITE.format(name="old"), both=SITE.format(name="first"))
        self.git(tree, "init", "-q")
        self.git(tree, "add", "-A")
        self.git(tree, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "base")
        return tree

    def git(self, tree: Path, *arguments: str) -> None:
        subprocess.run(["git", "-C", tree, *arguments], check=True)

    def test_only_changed_statements_are_listed(
        self, audit_json: Callable[..., dict[str, Any]], repository: Path
    ) -> None:
        with (repository / "mm/both.c").open("a") as stream:
            stream.write(SITE.format(name="second"))
        (repository / "mm/new.c").write_text(SITE.format(name="new"))
        report = audit_json("--since", "HEAD", repository)
        assert [(s["file"], s["function"]) for s in report["sites"]] == [("mm/both.c", "second"), ("mm/new.c", "new")]

    def test_nothing_changed_is_no_site(self, audit_json: Callable[..., dict[str, Any]], repository: Path) -> None:
        assert audit_json("--since", "HEAD", repository)["sites"] == []

    def test_a_part_of_a_run_that_changed_counts(
        self, audit_json: Callable[..., dict[str, Any]], repository: Path
    ) -> None:
        run_of_two = "void f(gfp_t gfp)\n{\n\tgfp &= GFP_KERNEL;\n\tgfp |= __GFP_NOWARN;\n\ttake(gfp);\n}\n"
        (repository / "mm/old.c").write_text(run_of_two)
        self.git(repository, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-a", "-m", "run")
        (repository / "mm/old.c").write_text(run_of_two.replace("GFP_KERNEL", "GFP_NOFS"))
        (one,) = audit_json("--since", "HEAD", repository)["sites"]
        assert one["lines"] == [3, 4]

    def test_a_tree_that_git_ignores(self, run: Run, repository: Path) -> None:
        (repository / ".gitignore").write_text("inner\n")
        status, _, err = run("audit", "--since", "HEAD", tree_with(repository / "inner", one=SITE.format(name="one")))
        assert status == 3
        assert "git does not track the tree" in err

    def test_a_revision_that_git_does_not_know(self, run: Run, repository: Path) -> None:
        status, _, err = run("audit", "--since", "v99", repository)
        assert status == 3
        assert "git knows no such revision" in err


class TestBadInput:
    def test_a_file_that_cannot_be_read_by_the_grammar_is_listed(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        broken = "void f(gfp_t gfp)\n{\n\tif (gfp & ( {{{ gfp |= __GFP_ZERO; @@ take(gfp & ~__GFP_IO)\n"
        report = audit_json(tree_with(tmp_path / "tree", broken=broken, good=SITE.format(name="good")), "mm")
        assert site(report, "mm/good.c")["function"] == "good"
        assert "mm/broken.c" in {u["file"] for u in report["unread"]} | {s["file"] for s in report["sites"]}

    def test_bytes_that_are_no_text(self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree")
        head = b'/* \xff\xfe\xe9 */\n#define NAME "\xc3\x28"\n'
        (tree / "mm/latin.c").write_bytes(head + SITE.format(name="one").encode())
        (tree / "mm/noise.c").write_bytes(bytes(range(256)) * 64 + b"gfp & ~__GFP_IO")
        assert site(audit_json(tree, "mm"), "mm/latin.c")["line"] == 5

    def test_a_file_that_is_too_large_is_listed(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        with (tree / "mm/table.c").open("wb") as stream:
            stream.truncate(reading.MAX_BYTES + 1)
        report = audit_json(tree, "mm")
        assert [u["file"] for u in report["unread"]] == ["mm/table.c"]
        assert len(report["sites"]) == 1

    def test_a_generated_file_of_many_statements(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        text = "".join(SITE.format(name=f"f{n}") for n in range(2000))
        assert len(audit_json(tree_with(tmp_path / "tree", many=text), "mm")["sites"]) == 2000

    def test_deep_nesting_is_survived(self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
        deep = f"void f(gfp_t gfp)\n{{\n\ttake({'(' * 3000}gfp & ~__GFP_IO{')' * 3000});\n}}\n"
        blocks = f"void f(gfp_t gfp)\n{{\n{'{' * 3000}gfp &= ~__GFP_IO;{'}' * 3000}\n}}\n"
        macro = f"#define DEEP(gfp) {'(' * 3000}(gfp) & ~__GFP_IO{')' * 3000}\n"
        tree = tree_with(tmp_path / "tree", deep=deep, blocks=blocks, macro=macro, good=SITE.format(name="good"))
        report = audit_json(tree, "mm")
        said = {u["file"] for u in report["unread"]} | {s["file"] for s in report["sites"]}
        assert said == {"mm/deep.c", "mm/blocks.c", "mm/macro.c", "mm/good.c"}

    def test_links_are_not_followed(self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        (tree / "mm/loop").symlink_to(tree)
        (tree / "mm/self.c").symlink_to("self.c")
        (tree / "mm/again.c").symlink_to("good.c")
        report = audit_json(tree)
        assert len([s for s in report["sites"] if s["function"] == "good"]) == 1

    def test_a_file_that_vanishes_is_listed(self, tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        with reading.readers(2) as workers:
            gathered = reading.gather(tree, ["mm/good.c", "mm/gone.c"], frozenset(), workers=workers)
        assert [p[0] for p in gathered.problems] == ["mm/gone.c"]
        assert len(gathered.sites) == 1

    def test_a_file_that_may_not_be_read_is_listed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if os.geteuid() == 0:
            monkeypatch.setattr(reading.subprocess, "Popen", partial(subprocess.Popen, preexec_fn=read_as_anybody))
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        (tree / "mm/good.c").chmod(0)
        with reading.readers(1) as workers:
            gathered = reading.gather(tree, ["mm/good.c"], frozenset(), workers=workers)
        assert [p[0] for p in gathered.problems] == ["mm/good.c"]

    @pytest.mark.parametrize("paths", [[], ["mm"], ["mm/locked", "mm"]])
    def test_a_directory_that_may_not_be_listed_is_named(self, tmp_path: Path, paths: list[str]) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        (tree / "mm/locked").mkdir(mode=0)
        command = [sys.executable, "-m", "pygfp", "audit", "--format", "json", tree, *paths]
        as_anybody = read_as_anybody if os.geteuid() == 0 else None
        done = subprocess.run(command, capture_output=True, check=False, preexec_fn=as_anybody)
        report = json.loads(done.stdout)
        assert report["unread"] == [
            {"file": "mm/locked", "line": None, "message": "cannot be listed: Permission denied"}
        ]
        assert "good" in [s["function"] for s in report["sites"]]

    def test_a_pipe_in_the_tree_does_not_hang(self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        os.mkfifo(tree / "mm/pipe.c")
        assert len(audit_json(tree, "mm")["sites"]) == 1

    @pytest.mark.parametrize(
        "expression",
        ["(gfp << 33) | __GFP_ZERO", "gfp / (gfp & __GFP_IO) | __GFP_ZERO", "gfp % 0 | __GFP_ZERO"],
        ids=["overflow", "division", "constant"],
    )
    def test_what_has_no_value_is_unknown(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path, expression: str
    ) -> None:
        text = f"void f(gfp_t gfp)\n{{\n\ttake({expression});\n}}\n" + SITE.format(name="good")
        report = audit_json(tree_with(tmp_path / "tree", one=text), "mm")
        found = {s["function"]: s for s in report["sites"]}
        assert found["f"]["nested"] == "unknown"
        assert found["f"]["reason"]
        assert found["good"]["nested"] == "differs"

    def test_a_macro_that_the_tree_defines_once_is_resolved(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        tree = tree_with(tmp_path / "tree", one="void f(gfp_t gfp)\n{\n\ttake(gfp & RECORD_GFP);\n}\n")
        (tree / "include/linux/record.h").write_text("#define RECORD_GFP (__GFP_IO | RECORD_MORE_GFP)\n")
        (tree / "include/linux/more.h").write_text("#define RECORD_MORE_GFP __GFP_FS\n")
        for paths in ((), ("mm/one.c",)):
            one = site(audit_json(tree, *paths), "mm/one.c")
            assert (one["nested"], one["keep"]) == ("differs", ["__GFP_IO", "__GFP_FS"])

    def test_a_macro_with_two_meanings_is_unknown(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        tree = tree_with(tmp_path / "tree", one="void f(gfp_t gfp)\n{\n\ttake(gfp & RECORD_GFP);\n}\n")
        (tree / "include/linux/a.h").write_text("#define RECORD_GFP __GFP_IO\n")
        (tree / "include/linux/b.h").write_text("#define RECORD_GFP __GFP_FS\n")
        one = site(audit_json(tree), "mm/one.c")
        assert one["nested"] == "unknown"
        assert "RECORD_GFP is defined in 2 ways" in one["reason"]

    @pytest.mark.parametrize(
        "macro",
        [
            "#define BAD_GFP (__GFP_IO",
            "#define BAD_GFP __GFP_IO /* open",
            "#define BAD_GFP __GFP_IO ; } int x ;",
            "#define BAD_GFP \\",
        ],
        ids=["parenthesis", "comment", "brace", "continuation"],
    )
    def test_a_macro_that_spoils_a_unit_costs_no_other_site(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path, macro: str
    ) -> None:
        text = f"{macro}\n\nvoid f(gfp_t gfp)\n{{\n\ttake(gfp & BAD_GFP);\n}}\n"
        report = audit_json(tree_with(tmp_path / "tree", bad=text, good=SITE.format(name="good")), "mm")
        found = {s["function"]: s for s in report["sites"]}
        assert found["good"]["nested"] == "differs"
        assert found["f"]["nested"] == "unknown" or found["f"]["keep"] == ["__GFP_IO"]

    def test_a_path_outside_of_the_tree_is_wrong_usage(self, run: Run, tmp_path: Path) -> None:
        status, _, err = run("audit", tree_with(tmp_path / "tree"), "..")
        assert status == 2
        assert "there is no such file or directory in" in err

    def test_a_directory_that_is_no_tree(self, run: Run, tmp_path: Path) -> None:
        assert run("audit", tmp_path)[0] == 3
        assert run("audit", tmp_path / "none")[0] == 3

    def test_the_tree_may_be_the_current_directory(
        self, audit_json: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree_with(tmp_path / "tree", good=SITE.format(name="good")))
        for paths in ((), ("mm",), ("mm/good.c",), ("./mm/../mm",)):
            report = audit_json(".", *paths)
            assert "mm/good.c" in {s["file"] for s in report["sites"]}
            assert not report["unread"]

    def test_without_any_file_nothing_was_checked(self, run: Run, tmp_path: Path) -> None:
        status, out, _ = run("audit", tree_with(tmp_path / "tree"), "mm")
        assert status == 3
        assert out.splitlines()[-1].startswith("COULD NOT BE CHECKED")

    def test_text_that_could_not_be_read_is_no_pass_of_a_check(self, run: Run, tmp_path: Path) -> None:
        tree = tree_with(tmp_path / "tree", good=SITE.format(name="good"))
        with (tree / "mm/table.c").open("wb") as stream:
            stream.truncate(reading.MAX_BYTES + 1)
        assert run("audit", tree, "mm")[0] == 0
        assert run("audit", "--check", tree, "mm")[0] == 3

    def test_a_tree_without_any_site(self, run: Run, tmp_path: Path) -> None:
        status, out, _ = run("audit", tree_with(tmp_path / "tree", empty=""), "mm")
        assert status == 0
        assert "0 sites in 1 file read" in out


class TestSift:
    def test_what_is_passed_over_keeps_the_lines(self) -> None:
        text = ("int a(void)\n{\n\treturn 1;\n}\n\n" + SITE.format(name="one")).encode()
        sifted, found = sift(text)
        assert found
        assert b"int a" not in sifted
        assert find("x.c", text, sifted=sifted).sites == find("x.c", text).sites

    def test_a_file_without_a_site_is_not_parsed(self) -> None:
        assert sift(b"void *f(gfp_t gfp)\n{\n\tif (gfp & __GFP_IO)\n\t\tready();\n\treturn kmalloc(8, gfp);\n}\n") == (
            b"",
            False,
        )


@pytest.mark.kernels
class TestRealTrees:
    def test_the_four_calls_of_6_12_are_equal(
        self, audit_json: Callable[..., dict[str, Any]], source_6_12: Path
    ) -> None:
        report = audit_json(source_6_12, "mm/kmemleak.c", "mm/page_owner.c", "lib/stackdepot.c")
        calls = [s for s in report["sites"] if "gfp_nested_mask" in s["text"]]
        assert [(s["nested"], s["breaks"]) for s in calls] == [("equal", [])] * 4
        lines = {s["file"]: (source_6_12 / s["file"]).read_text().splitlines() for s in calls}
        for s in calls:
            assert "gfp_nested_mask" in " ".join(lines[s["file"]][s["line"] - 1 : s["end_line"]])

    def test_stack_depot_of_6_1_is_the_run_of_three(
        self, audit_json: Callable[..., dict[str, Any]], source_6_1: Path
    ) -> None:
        one = site(audit_json(source_6_1, "lib/stackdepot.c"), "lib/stackdepot.c")
        assert one["force"] == ["__GFP_NOWARN"]
        fixed = {"__GFP_NOLOCKDEP"} & set(one["keep"])
        context = {"__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH", "__GFP_ATOMIC"}
        assert set(one["keep"]) - fixed == context
        assert one["breaks"] == [*([] if fixed else ["keeps-nolockdep"]), "fails-fast", "spares-reserves"]
        assert len(one["lines"]) == 3
        assert one["suggests"] == ["in lib/stackdepot.c"]
