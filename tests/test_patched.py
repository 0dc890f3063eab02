# SPDX-License-Identifier: GPL-2.0-only
"""A tree before and after a patch: found by blob ids, applied, or reversed. Git's own checkout is the other witness."""

from __future__ import annotations

import re
import shutil
from atexit import register
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import GFP_H, commit, edit, git, raw_git, subset_tree, write

from pygfp.errors import KernelTreeError, PatchError
from pygfp.git import blob_ids
from pygfp.patching.patched import Patched, patched
from pygfp.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

MMZONE_H = "include/linux/mmzone.h"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history(tmp_path_factory.mktemp("template") / "kernel")


@pytest.fixture
def tree(template: Path, tmp_path: Path) -> Path:
    """Tags v0 to v3: gfp.h is edited twice, Makefile and README once each."""
    return shutil.copytree(template, tmp_path / "kernel")


def history(root: Path, *options: str) -> Path:
    subset_tree(root)
    git(root, "init", "-q", "-b", "main", *options)
    commit(root, "zero")
    git(root, "tag", "v0")
    edit(root, GFP_H, "__GFP_NOWARN | __GFP_NORETRY", "__GFP_NOWARN | __GFP_ZERO | __GFP_NORETRY")
    commit(root, "mm: one")
    git(root, "tag", "v1")
    edit(root, GFP_H, "__GFP_ZERO |", "__GFP_COMP |")
    edit(root, GFP_H, "IS_ENABLED(CONFIG_COMPACTION)", "1")
    commit(root, "mm: two", {"README": "one\n2\n"})
    git(root, "tag", "v2")
    edit(root, "Makefile", "SUBLEVEL = 7", "SUBLEVEL = 8")
    commit(root, "three")
    git(root, "tag", "v3")
    return root


def without_ids(patch: bytes) -> bytes:
    return b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))


def without_git(tree: Path) -> Path:
    shutil.rmtree(tree / ".git")
    return tree


def assert_is(pair: Patched, tree: Path, old: str, new: str) -> None:
    assert pair.is_change
    for source, revision in ((pair.old, old), (pair.new, new)):
        expected = resolve(f"{tree}@{revision}")
        assert source.files == expected.files
        assert (source.kind, source.release) == ("patched", expected.release)


SERIES = [
    ["diff", "v0", "v3"],
    ["format-patch", "--stdout", "v0..v3"],
    ["format-patch", "--stdout", "--cover-letter", "-n", "v0..v3"],
    ["log", "-p", "--reverse", "v0..v3"],
]


class TestTheTwoSides:
    @pytest.mark.parametrize("base", ["v0", "v1", "v2", "v3"])
    @pytest.mark.parametrize("command", SERIES, ids=lambda c: c[0])
    @pytest.mark.parametrize("found_by", ["ids and git", "ids", "git", "text"])
    def test_the_same_whether_applied_in_part_or_whole_or_not_at_all(
        self, tree: Path, tmp_path: Path, base: str, command: list[str], found_by: str
    ) -> None:
        ids, git_is_there = "ids" in found_by, "git" in found_by
        text = raw_git(tree, *command) if ids else without_ids(raw_git(tree, *command))
        copy = tmp_path / "copy"
        shutil.copytree(tree, copy)
        git(copy, "checkout", "-q", base)
        if not git_is_there:
            without_git(copy)
        if command[0] == "diff" and base == "v1" and not (ids and git_is_there):
            # One diff over all of it is neither applied nor to be applied: only its blobs help.
            with pytest.raises(PatchError, match="does not apply"):
                patched(str(copy), text, "x.patch")
            return
        assert_is(patched(str(copy), text, "x.patch"), tree, "v0", "v3")

    @pytest.mark.parametrize("base", ["v0", "v1", "v2", "v3"])
    def test_of_one_patch_of_the_series(self, tree: Path, base: str) -> None:
        pair = patched(f"{tree}@{base}", raw_git(tree, "format-patch", "--stdout", "-1", "v2"), "x.patch")
        assert pair.old.files[GFP_H] == resolve(f"{tree}@v1").files[GFP_H]
        assert pair.new.files[GFP_H] == resolve(f"{tree}@v2").files[GFP_H]
        assert pair.old.release == pair.new.release == resolve(f"{tree}@{base}").release

    def test_a_sha256_repository(self, tmp_path: Path) -> None:
        tree = history(tmp_path / "kernel", "--object-format=sha256")
        text = raw_git(tree, "diff", "--full-index", "v0", "v3")
        assert_is(patched(str(tree), text, "x.patch"), tree, "v0", "v3")
        git(tree, "checkout", "-q", "v0")
        original = history(tmp_path / "original", "--object-format=sha256")
        assert_is(patched(str(without_git(tree)), text, "x.patch"), original, "v0", "v3")

    def test_the_tree_that_the_current_directory_is_in(self, tree: Path) -> None:
        pair = patched(None, raw_git(tree, "diff", "v0", "v3"), "x.patch", cwd=tree / "mm")
        assert_is(pair, tree, "v0", "v3")

    def test_the_bundled_subset(self, tree: Path, tmp_path: Path) -> None:
        pair = patched("bundled", raw_git(tree, "diff", "v0", "v1"), "x.patch", cwd=tmp_path)
        assert pair.old.files == resolve("bundled").files
        assert pair.new.files[GFP_H] == resolve(f"{tree}@v1").files[GFP_H]
        assert pair.new.release == resolve("bundled").release

    def test_a_bare_repository(self, tree: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "-q", "--bare", str(tree), "mirror.git")
        pair = patched(f"{tmp_path / 'mirror.git'}@v3", raw_git(tree, "diff", "v0", "v3"), "x.patch")
        assert_is(pair, tree, "v0", "v3")

    def test_a_tree_below_the_top_of_its_repository(self, tmp_path: Path) -> None:
        top = tmp_path / "top"
        subset_tree(top / "below/linux")
        git(top, "init", "-q", "-b", "main")
        commit(top, "one")
        git(top, "tag", "v0")
        edit(top / "below/linux", GFP_H, "__GFP_NOWARN | __GFP_NORETRY", "__GFP_NOWARN")
        text = raw_git(top, "diff")
        assert b"below/linux/include" in text
        pair = patched(str(top / "below/linux"), text, "x.patch")
        assert pair.new.files == resolve(str(top / "below/linux")).files
        assert pair.old.files == resolve(f"{top / 'below/linux'}@v0").files

    def test_labels(self, tree: Path) -> None:
        text = raw_git(tree, "diff", "v0", "v1")
        pair = patched(f"{tree}@v0", text, "the patch on stdin")
        assert pair.old.label == f"{tree}@v0 before the patch on stdin"
        assert pair.new.label == f"{tree}@v0 with the patch on stdin"

    def test_nothing_in_the_tree_is_touched(self, tree: Path) -> None:
        def state() -> dict[str, tuple[int, bytes]]:
            return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in tree.rglob("*") if p.is_file()}

        text = raw_git(tree, "format-patch", "--stdout", "v0..v3")
        git(tree, "status")
        before = state()
        patched(str(tree), text, "x.patch")
        assert state() == before


class TestNotes:
    """What is not read from the tree as it stands is said."""

    def test_none_where_the_patch_applies_to_what_it_was_made_of(self, tree: Path) -> None:
        assert patched(f"{tree}@v0", raw_git(tree, "format-patch", "--stdout", "v0..v3"), "x.patch").notes == ()

    def test_applied_already(self, tree: Path) -> None:
        (note,) = patched(f"{tree}@v1", raw_git(tree, "diff", "v0", "v1"), "x.patch").notes
        assert note == f"{GFP_H} in {tree}@v1 has x.patch already; what was before is that, reversed"

    def test_applied_in_part(self, tree: Path) -> None:
        (note,) = patched(f"{tree}@v1", raw_git(tree, "format-patch", "--stdout", "v0..v2"), "x.patch").notes
        assert note == f"{GFP_H} in {tree}@v1 has the first 1 of 2 changes already; what was before is that, reversed"

    def test_an_edit_since_then_is_left_aside(self, tree: Path) -> None:
        """The patch is in the tree, and later commits went over the same lines: the repository knows both sides."""
        text = raw_git(tree, "diff", "v0", "v1")
        (note,) = (pair := patched(str(tree), text, "x.patch")).notes
        blob = git(tree, "rev-parse", "--short", f"v0:{GFP_H}").strip()
        assert note == f"{GFP_H} before x.patch is blob {blob} of the repository, not the file in {tree}"
        assert pair.new.files[GFP_H] == resolve(f"{tree}@v1").files[GFP_H]


class TestShortIds:
    def test_of_two_blobs_that_begin_alike_it_is_the_one_that_fits(self, tree: Path, tmp_path: Path) -> None:
        wanted = git(tree, "rev-parse", f"v0:{GFP_H}")[:4]
        twin = next(t for n in count() if blob_ids(t := b"%d\n" % n)[0].startswith(wanted))
        (tmp_path / "twin").write_bytes(twin)
        assert git(tree, "hash-object", "-w", str(tmp_path / "twin")).startswith(wanted)
        text = re.sub(rb"(?m)^index .*", f"index {wanted}..{'f' * 7}".encode(), raw_git(tree, "diff", "v0", "v1"))
        with pytest.raises(PatchError, match="another text than blob fffffff"):
            patched(str(tree), text, "x.patch")
        after = git(tree, "rev-parse", f"v1:{GFP_H}")[:4]
        pair = patched(str(tree), text.replace(b"f" * 7, after.encode()), "x.patch")
        assert pair.old.files[GFP_H] == resolve(f"{tree}@v0").files[GFP_H]
        assert pair.new.files[GFP_H] == resolve(f"{tree}@v1").files[GFP_H]


class TestNothingWatched:
    def test_both_sides_are_one_and_the_same(self, tree: Path) -> None:
        text = b"--- a/README\n+++ b/README\n@@ -1 +1 @@\n-not what is there\n+x\n"
        pair = patched(str(tree), text, "x.patch")
        assert pair.old is pair.new
        assert not pair.is_change
        assert (pair.old.kind, pair.notes) == ("tree", ())

    @pytest.mark.parametrize("change", ["chmod", "binary", "rename", "tools", "drivers"])
    def test_nor_do_these_count(self, tree: Path, change: str) -> None:
        write(tree, {"tools/include/linux/gfp.h": "1\n", "drivers/x/Makefile": "1\n", "a.h": "1\n", "logo": "1\n"})
        commit(tree, "four")
        if change == "chmod":
            (tree / GFP_H).chmod(0o755)
        elif change == "binary":
            (tree / "logo").write_bytes(bytes(256))
        elif change == "rename":
            git(tree, "mv", "a.h", "b.h")
        else:
            write(tree, {"tools/include/linux/gfp.h": "2\n", "drivers/x/Makefile": "2\n"})
        text = raw_git(tree, "diff", "HEAD", "--binary", "-M")
        assert text
        assert not patched(str(tree), text, "x.patch").is_change

    def test_a_change_and_its_revert(self, tree: Path) -> None:
        there, back = raw_git(tree, "diff", "v0", "v1"), raw_git(tree, "diff", "v1", "v0")
        assert not patched(f"{tree}@v0", there + back, "x.patch").is_change


class TestFilesThatComeAndGo:
    def move(self, tree: Path) -> bytes:
        commit(tree, "four", {"mm/slab.h": "".join(f"#define S{n} {n}\n" for n in range(30))})
        git(tree, "tag", "v4")
        git(tree, "mv", "mm/slab.h", "mm/page_alloc.h")
        edit(tree, "mm/page_alloc.h", "#define S7 7", "#define S7 77")
        git(tree, "mv", "mm/internal.h", "mm/other.h")
        commit(tree, "five")
        git(tree, "tag", "v5")
        return raw_git(tree, "diff", "-M", "v4", "v5")

    @pytest.mark.parametrize("ids", [True, False])
    @pytest.mark.parametrize("base", ["v4", "v5"])
    def test_renamed_in_and_out_of_what_is_watched(self, tree: Path, base: str, *, ids: bool) -> None:
        text = self.move(tree)
        assert text.count(b"rename from") == 2
        git(tree, "checkout", "-q", base)
        pair = patched(str(tree), text if ids else without_ids(text), "x.patch")
        assert_is(pair, tree, "v4", "v5")
        assert "mm/page_alloc.h" not in pair.old.files
        assert "mm/internal.h" not in pair.new.files

    @pytest.mark.parametrize("base", ["v3", "v4", "v5"])
    @pytest.mark.parametrize("ids", [True, False])
    def test_created_and_deleted(self, tree: Path, base: str, *, ids: bool) -> None:
        commit(tree, "four", {"mm/page_alloc.h": "#define S 7\n"})
        git(tree, "tag", "v4")
        (tree / "mm/page_alloc.h").unlink()
        commit(tree, "five")
        git(tree, "tag", "v5")
        git(tree, "checkout", "-q", base)
        create, delete = (raw_git(tree, "diff", *r) for r in (["v3", "v4"], ["v4", "v5"]))
        if not ids:
            create, delete = without_ids(create), without_ids(delete)
        if base != "v5" or ids:
            assert_is(patched(str(tree), create, "x.patch"), tree, "v3", "v4")
        if base != "v3" or ids:
            assert_is(patched(str(tree), delete, "x.patch"), tree, "v4", "v5")

    def test_a_text_moved_between_two_watched_files(self, tree: Path) -> None:
        git(tree, "mv", "mm/internal.h", "mm/page_alloc.h")
        commit(tree, "four", {"mm/internal.h": "#define NEW 1\n"})
        text = raw_git(tree, "diff", "-B", "-M", "-C", "HEAD^", "HEAD")
        assert_is(patched(f"{tree}@HEAD^", text, "x.patch"), tree, "HEAD^", "HEAD")
        assert_is(patched(f"{tree}@HEAD", text, "x.patch"), tree, "HEAD^", "HEAD")

    def test_the_whole_header_deleted(self, tree: Path) -> None:
        git(tree, "rm", "-q", GFP_H)
        text = raw_git(tree, "diff", "HEAD")
        with pytest.raises(KernelTreeError, match=r"with x\.patch has no include/linux/gfp\.h"):
            patched(f"{tree}@HEAD", text, "x.patch")


class TestIncludes:
    @pytest.mark.parametrize("base", ["v3", "HEAD"])
    def test_a_header_that_the_patch_brings_is_there_with_it_and_not_before(self, tree: Path, base: str) -> None:
        edit(
            tree,
            GFP_H,
            line := "#include <linux/mmzone.h>\n",
            f"{line}#include <linux/brought.h>\n#include <asm/x.h>\n",
        )
        commit(tree, "four", {"include/linux/brought.h": "", "arch/new/include/asm/x.h": "/* */\n"})
        pair = patched(f"{tree}@{base}", raw_git(tree, "diff", "v3", "HEAD"), "x.patch")
        there = resolve(f"{tree}@HEAD").includes
        assert pair.new.includes == there
        assert (there["linux/brought.h"], there["asm/x.h"]) == (True, True)
        assert pair.old.includes == resolve(f"{tree}@v3").includes

    def test_a_header_that_the_patch_removes_is_gone_with_it(self, tree: Path) -> None:
        (tree / MMZONE_H).unlink()
        commit(tree, "four")
        text = (
            raw_git(tree, "diff", "v3", "HEAD")
            + b"--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-# SPDX-License-Identifier: GPL-2.0\n+#\n"
        )
        pair = patched(f"{tree}@v3", text, "x.patch")
        assert pair.old.includes["linux/mmzone.h"]
        assert not pair.new.includes["linux/mmzone.h"]

    def test_an_include_of_nowhere(self, tree: Path) -> None:
        edit(tree, GFP_H, "#include <linux/mmzone.h>", "#include <linux/nowhere.h>")
        pair = patched(str(tree), raw_git(tree, "diff"), "x.patch")
        assert not pair.new.includes["linux/nowhere.h"]


class TestRefused:
    def refuse(self, tree: Path, text: bytes, match: str) -> PatchError:
        with pytest.raises(PatchError, match=match) as caught:
            patched(str(tree), text, "x.patch")
        assert str(caught.value).startswith("x.patch: ")
        assert "\n" not in str(caught.value)
        return caught.value

    @pytest.mark.parametrize("text", [b"", b" \n\n", b"hello\n", b"From: a@b.org\nSubject: [PATCH] x\n\nno diff\n"])
    def test_no_diff(self, tree: Path, text: bytes) -> None:
        self.refuse(tree, text, "is empty|no diff in it")

    def test_a_hunk_that_does_not_apply(self, tree: Path) -> None:
        git(tree, "checkout", "-q", "v0")
        text = without_ids(raw_git(tree, "diff", "v1", "v2")).replace(b"\n-\treturn (gfp_mask", b"\n-\treturn (mask", 1)
        caught = self.refuse(tree, text, rf"{GFP_H}: hunk 1 of 2 \(@@ .* @@.*\) does not apply to .*expected .*, found")
        assert (caught.file, caught.hunk) == (GFP_H, 1)

    def test_a_patch_that_applies_only_in_part(self, tree: Path) -> None:
        git(tree, "checkout", "-q", "v1")
        edit(tree, GFP_H, "__GFP_ZERO |", "__GFP_WRITE |")
        caught = self.refuse(tree, without_ids(raw_git(tree, "diff", "v1", "v2")), "hunk 2 of 2")
        assert (caught.file, caught.hunk) == (GFP_H, 2)

    def test_a_second_file_that_does_not_fit(self, tree: Path) -> None:
        text = raw_git(tree, "diff", "v0", "v1") + b"--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-no\n+yes\n"
        assert self.refuse(tree, text, "hunk 1 of 1").file == "Makefile"

    def test_a_binary_patch_of_a_watched_file(self, tree: Path) -> None:
        (tree / GFP_H).write_bytes(bytes(range(256)))
        for options in ([], ["--binary"]):
            assert self.refuse(tree, raw_git(tree, "diff", *options), "binary patch").file == GFP_H
        self.refuse(tree, f"Binary files a/{GFP_H} and b/{GFP_H} differ\n".encode(), "binary patch")

    @pytest.mark.parametrize("base", ["v0", "v1"])
    @pytest.mark.parametrize("sign", [b"-", b"+"])
    def test_one_that_was_edited(self, tree: Path, base: str, sign: bytes) -> None:
        git(tree, "checkout", "-q", base)
        text = re.sub(rb"(?m)^(\%b.*__GFP_NORETRY)" % sign, rb"\1 | 0", raw_git(tree, "diff", "v0", "v1"))
        self.refuse(tree, text, "another text than blob|does not apply")

    def test_one_cut_short_between_two_hunks(self, tree: Path) -> None:
        text = raw_git(tree, "diff", "v1", "v2", "--", GFP_H)
        cut = text[: text.rindex(b"@@ -")]
        self.refuse(tree, cut, "another text than blob .*cut short, or was edited")

    def test_one_cut_short_anywhere(self, tree: Path) -> None:
        lines = raw_git(tree, "diff", "v1", "v2", "--", GFP_H).splitlines(keepends=True)
        for n in range(len(lines)):
            with pytest.raises(PatchError):
                patched(str(tree), b"".join(lines[:n]), "x.patch")

    @pytest.mark.parametrize("path", ["linux/gfp.h", "gfp.h", "linux-6.12/include/linux/gfp.h", "sched/mm.h"])
    def test_a_diff_made_elsewhere_than_at_the_top(self, tree: Path, path: str) -> None:
        text = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n".encode()
        self.refuse(tree, text, "expected a path from the top of the tree, such as include/linux/")

    def test_an_unwatched_path_that_leaves_the_tree(self, tree: Path) -> None:
        text = raw_git(tree, "diff", "v0", "v1") + b"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n"
        self.refuse(tree, text, "leaves the tree")

    def test_a_file_that_is_not_there(self, tree: Path) -> None:
        text = b"--- a/mm/kmemleak.c\n+++ b/mm/kmemleak.c\n@@ -1 +1 @@\n-a\n+b\n"
        self.refuse(tree, text, "the patch changes this file, and .* does not have it")

    def test_a_file_that_is_there_already(self, tree: Path) -> None:
        text = b"--- /dev/null\n+++ b/mm/internal.h\n@@ -0,0 +1 @@\n+b\n"
        self.refuse(tree, text, "the patch creates this file, and .* has it already")


class TestWithoutGit:
    def test_a_directory_needs_no_git_program(
        self, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = raw_git(tree, "diff", "v0", "v3")
        copy = tmp_path / "copy"
        shutil.copytree(tree, copy)
        expected = resolve(f"{tree}@v0").files
        monkeypatch.setenv("PATH", str(tmp_path))
        assert patched(str(copy), text, "x.patch").old.files == expected


class TestDamage:
    """Whatever happens to a patch on its way: one PatchError, or the two sides that it gives undamaged."""

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_it_is_refused_or_does_not_matter(self, data: st.DataObject) -> None:
        tree, good, old, new = damaged_things()
        lines = good.splitlines(keepends=True)
        for _ in range(data.draw(st.integers(1, 3))):
            n = data.draw(st.integers(0, len(lines) - 1))
            other = data.draw(st.sampled_from(lines) | st.binary(max_size=8))
            lines[n : n + 1] = data.draw(
                st.sampled_from([[], [lines[n], other], [other], [lines[n][1:]], [lines[n][:-1]]])
            )
            if not lines:
                break
        try:
            pair = patched(str(tree), b"".join(lines), "x.patch")
        except PatchError as exc:
            assert str(exc).startswith("x.patch: ")  # noqa: PT017 - both outcomes are judged
            return
        # Without a file's header the reader cannot know of its ids, or of the file at all.
        if good[(start := good.index(b"diff --git")) : good.index(b"@@", start)] not in b"".join(lines):
            return
        for path, (before, after) in {p: (pair.old.files[p], pair.new.files[p]) for p in pair.old.files}.items():
            assert (before, after) in [(old[path], new[path]), (old[path], old[path]), (new[path], new[path])]


@cache
def damaged_things() -> tuple[Path, bytes, Mapping[str, bytes], Mapping[str, bytes]]:
    tree = history(Path(mkdtemp(prefix="pygfp-test-")) / "kernel")
    register(shutil.rmtree, tree.parent)
    git(tree, "checkout", "-q", "v1")
    good = raw_git(tree, "format-patch", "--stdout", "--full-index", "v1..v2")
    return tree, good, resolve(f"{tree}@v1").files, resolve(f"{tree}@v2").files
