# SPDX-License-Identifier: GPL-2.0-only
"""Unified diffs: read, applied exactly, reversed. The other witnesses are git, diff and difflib."""

from __future__ import annotations

import difflib
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import GFP_H, commit, edit, git, raw_git, subset_tree

from pygfp.errors import PatchError
from pygfp.patching.difftext import parse
from pygfp.patching.patches import FileChange, apply

HEAD = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"

#: Few different lines, so that hunks fit in several places; texts that a reader of diffs may trip over.
LINES = st.sampled_from(
    ["a", "b", "c", "", " ", "-", "+", "\\ No newline at end of file", "-- ", "@@ -1 +1 @@", "x\r", "\x0c"]
)
TEXTS = st.builds(
    lambda lines, end: ("\n".join(lines) + (end if lines else "")).encode(),
    st.lists(LINES, max_size=30),
    st.sampled_from(["\n", ""]),
)

WHOLE = TEXTS.map(lambda text: text if text.endswith(b"\n") or not text else text + b"\n")


def git_diff(a: bytes, b: bytes, *options: str) -> bytes:
    with TemporaryDirectory() as name:
        root = Path(name)
        (root / "a").write_bytes(a)
        (root / "b").write_bytes(b)
        # 1 is git's word for: they differ.
        return raw_git(root, "diff", "--no-index", "--text", *options, "a", "b", status=(0, 1))


def git_apply(text: bytes, base: bytes, *options: str) -> bytes | None:
    """What git makes of *base*; None where it refuses."""
    with TemporaryDirectory() as name:
        root = Path(name)
        (root / "f").write_bytes(base)
        (root / "patch").write_bytes(text)
        raw_git(root, "apply", "--whitespace=nowarn", *options, "patch", status=(0, 1))
        done = (root / "f").read_bytes()
    return done if done != base else None


def only(text: bytes) -> FileChange:
    (change,) = parse(text)
    return change


class TestApplyUndoesDiff:
    """apply(diff(a, b), a) is b, and reversed it gives a from b."""

    @settings(max_examples=150, deadline=None)
    @given(TEXTS, TEXTS, st.sampled_from(["-U3", "-U1", "-U0", "-U10"]))
    def test_as_git_made_it(self, a: bytes, b: bytes, context: str) -> None:
        if a == b:
            return
        text = git_diff(a, b, context)
        # Names are a/a and b/b: one file for us, whatever it is called.
        change = only(text.replace(b"a/a", b"a/f").replace(b"b/b", b"b/f"))
        assert apply(change, a) == b
        assert apply(change.reversed(), b) == a

    @settings(max_examples=300, deadline=None)
    @given(st.lists(LINES.filter(lambda x: x != "x\r"), max_size=40), st.lists(LINES, max_size=40), st.integers(0, 4))
    def test_as_difflib_made_it(self, a: list[str], b: list[str], context: int) -> None:
        a, b = [f"{x}\n" for x in a], [f"{x}\n" for x in b]
        text = "".join(difflib.unified_diff(a, b, "a/f", "b/f", n=context)).encode()
        if a == b:
            return
        change = only(text)
        assert apply(change, "".join(a).encode()) == "".join(b).encode()
        assert apply(change.reversed(), "".join(b).encode()) == "".join(a).encode()


class TestApplyElsewhere:
    # Git lets a last line without a newline stand for one with it, and then makes of both what it should not.
    @settings(max_examples=60, deadline=None)
    @given(WHOLE, WHOLE, WHOLE)
    def test_it_does_to_another_text_what_git_apply_does(self, a: bytes, b: bytes, other: bytes) -> None:
        """Where git refuses, so does it; where git finds a place, it finds the same."""
        if a == b:
            return
        text = git_diff(a, b).replace(b"a/a", b"a/f").replace(b"b/b", b"b/f")
        for base in (other + b"\n" + a, a + b"\n" + other, other, a + a):
            ours = None
            with suppress(PatchError):
                ours = apply(only(text), base)
            theirs = git_apply(text, base)
            hunks = only(text).hunks
            if not all(h.leading or h.trailing for h in hunks):
                # Git refuses these without a switch; with it, it also takes them to other lines.
                assert ours in (None, git_apply(text, base, "--unidiff-zero"))
            else:
                assert ours == theirs


class TestRead:
    """What git and diff write is read as what was done."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        tree = subset_tree(tmp_path / "kernel")
        git(tree, "init", "-q", "-b", "main")
        commit(tree, "one")
        return tree

    @pytest.mark.parametrize("option", ["--patch", "--no-prefix", "--src-prefix=i/", "--full-index", "-U0", "-M"])
    def test_however_git_is_set_up(self, tree: Path, option: str) -> None:
        edit(tree, GFP_H, "__GFP_NORETRY |", "__GFP_ZERO |")
        change = only(raw_git(tree, "diff", option))
        assert (change.old_path, change.new_path, len(change.hunks)) == (GFP_H, GFP_H, 1)
        assert git(tree, "rev-parse", f"HEAD:{GFP_H}").startswith(change.old_id)
        assert git(tree, "hash-object", GFP_H).startswith(change.new_id)
        (old,), (new,) = (
            [line for line in side if b"manners =" in line] for side in (change.hunks[0].old, change.hunks[0].new)
        )
        assert new == old.replace(b"__GFP_NORETRY |", b"__GFP_ZERO |")

    def test_created_deleted_renamed_mode_binary(self, tree: Path) -> None:
        (tree / "new.h").write_text("x\n")
        (tree / "README").unlink()
        git(tree, "mv", "mm/internal.h", "mm/page_alloc.h")
        (tree / "Makefile").chmod(0o755)
        (tree / "logo").write_bytes(bytes(range(256)))
        (tree / "empty.h").write_text("")
        git(tree, "add", "-A")
        for options in ([], ["--binary"]):
            found = {c.path: c for c in parse(raw_git(tree, "diff", "--cached", "-M", *options))}
            assert {p: (c.old_path, c.new_path, len(c.hunks), c.binary) for p, c in found.items()} == {
                "new.h": (None, "new.h", 1, False),
                "README": ("README", None, 1, False),
                "mm/page_alloc.h": ("mm/internal.h", "mm/page_alloc.h", 0, False),
                "Makefile": ("Makefile", "Makefile", 0, False),
                "logo": (None, "logo", 0, True),
                "empty.h": (None, "empty.h", 0, False),
            }
            assert apply(found["new.h"], None) == b"x\n"
            assert apply(found["empty.h"], None) == b""
            assert apply(found["README"], b"one\ntwo\n") is None

    def test_a_copy_leaves_the_first_where_it_is(self, tree: Path) -> None:
        (tree / "mm/page_alloc.h").write_bytes((tree / GFP_H).read_bytes() + b"/* more */\n")
        git(tree, "add", "-A")
        change = only(raw_git(tree, "diff", "--cached", "-C", "--find-copies-harder"))
        assert (change.old_path, change.path, change.copied) == (GFP_H, "mm/page_alloc.h", True)

    @pytest.mark.parametrize("name", ["with space.h", "ta\tb.h", 'quo"te.h', "ünï.h", "new\nline.h", "back\\slash.h"])
    def test_any_name(self, tree: Path, name: str) -> None:
        (tree / name).write_text("x\n")
        git(tree, "add", "-A")
        assert only(raw_git(tree, "diff", "--cached")).new_path == name
        commit(tree, "two")
        (tree / name).chmod(0o755)
        assert only(raw_git(tree, "diff")).new_path == name

    @pytest.mark.parametrize(("old", "new"), [("a", "b"), ("linux-6.12", "linux-6.12-mine"), ("x.orig", "x")])
    def test_diff_of_two_trees(self, tmp_path: Path, old: str, new: str) -> None:
        for name in (old, new):
            subset_tree(tmp_path / name)
        edit(tmp_path / new, GFP_H, "__GFP_NORETRY |", "__GFP_ZERO |")
        (tmp_path / new / "mm/new.h").write_text("x\n")
        (tmp_path / new / "README").unlink()
        for command in (["diff", "-ruN"], ["git", "diff", "--no-index"], ["git", "diff", "--no-index", "--no-prefix"]):
            done = subprocess.run([*command, old, new], cwd=tmp_path, capture_output=True, check=False)
            changes = {c.path: c for c in parse(done.stdout)}
            before, after = ((tmp_path / n / GFP_H).read_bytes() for n in (old, new))
            assert apply(changes[GFP_H], before) == after
            if command[0] == "diff":
                assert (changes["mm/new.h"].old_path, changes["README"].new_path) == (None, None)

    @pytest.mark.parametrize("suffix", [".orig", "~", ".new"])
    def test_diff_of_a_file_and_its_copy(self, tmp_path: Path, suffix: str) -> None:
        tree = subset_tree(tmp_path / "kernel")
        other = tree / f"{GFP_H}{suffix}"
        other.write_bytes((tree / GFP_H).read_bytes() + b"x\n")
        names = [GFP_H, f"{GFP_H}{suffix}"]
        for pair in (names, names[::-1]):
            done = subprocess.run(["diff", "-u", *pair], cwd=tree, capture_output=True, check=False)
            assert only(done.stdout).path == pair[1]

    def test_words_around_the_diff_do_not_matter(self, tree: Path) -> None:
        edit(tree, GFP_H, "__GFP_NORETRY |", "__GFP_ZERO |")
        text = raw_git(tree, "diff")
        assert parse(b"Some words\n---\n file | 2 +-\n\n" + text + b"-- \n2.39.5\n\n___\nlist\n") == parse(text)

    def test_crlf_on_the_way_is_undone(self, tree: Path) -> None:
        edit(tree, GFP_H, "__GFP_NORETRY |", "__GFP_ZERO |")
        text = raw_git(tree, "diff")
        assert parse(text.replace(b"\n", b"\r\n")) == parse(text)

    def test_crlf_in_the_file_stays(self) -> None:
        a, b = b"one\r\ntwo\r\n", b"one\r\n2\r\n"
        assert apply(only(git_diff(a, b).replace(b"a/a", b"a/f").replace(b"b/b", b"b/f")), a) == b

    def test_trimmed_spaces_of_empty_context_are_put_back(self) -> None:
        text = HEAD + b"@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n"
        assert apply(only(text), b"a\n\nb\n") == b"a\n\nc\n"


class TestRefused:
    """Each is one PatchError that says what is wrong and where."""

    GOOD = HEAD + b"@@ -1,3 +1,3 @@ fn\n a\n-b\n+B\n c\n@@ -10,2 +10,3 @@\n x\n+y\n z\n"

    def test_the_good_one_is_good(self) -> None:
        text = b"".join(b"%s\n" % c for c in (b"a", b"b", b"c", *b"1 2 3 4 5 6".split(), b"x", b"z"))
        assert apply(only(self.GOOD), text) == text.replace(b"b\n", b"B\n").replace(b"x\n", b"x\ny\n")

    def test_cut_short_anywhere_in_a_hunk(self) -> None:
        lines = self.GOOD.splitlines(keepends=True)
        whole_hunks = {8, 12}
        for n in range(1, len(lines)):
            if n not in whole_hunks:
                with pytest.raises(PatchError, match=r"cut short|LINE,COUNT"):
                    parse(b"".join(lines[:n]))

    @pytest.mark.parametrize(
        ("counts", "says"),
        [
            (b"-1,2 +1,3", "do not match"),
            (b"-1,3 +1,2", "do not match|fewer"),
            (b"-1,4 +1,3", "do not match"),
            (b"-1,2 +1,2", "fewer lines than follow"),
            (b"-1,99 +1,99", "do not match"),
            (b"-1,3 +1,9999999999", "LINE,COUNT"),
            (b"-1,3 +x", "LINE,COUNT"),
        ],
    )
    def test_counts_that_do_not_match(self, counts: bytes, says: str) -> None:
        with pytest.raises(PatchError, match=says) as caught:
            parse(self.GOOD.replace(b"-1,3 +1,3", counts))
        assert (caught.value.file, caught.value.hunk) == ("f", 1)
        assert "of the patch" in str(caught.value)

    def test_a_wrapped_line(self) -> None:
        with pytest.raises(PatchError, match=r"hunk 1: .* do not match; found 'wrapped' at line 8 of the patch"):
            parse(self.GOOD.replace(b"+B\n", b"+B\nwrapped\n"))
        with pytest.raises(PatchError, match="belongs to no file"):
            parse(self.GOOD.replace(b" c\n@@", b" c\nwrapped\n@@"))

    @pytest.mark.parametrize(
        "name", ["../x", "a/../../x", "a/b/../x", "/etc/passwd", "a/..", "..", '"a/\\056./x"', "./../x"]
    )
    @pytest.mark.parametrize(
        "form",
        [
            "--- {0}\n+++ {0}\n@@ -1 +1 @@\n-a\n+b\n",
            "diff --git {0} {0}\nold mode 1\nnew mode 2\n",
            "diff --git a/x b/x\nrename from x\nrename to {0}\n",
            "diff --git a/x b/x\n--- a/x\n+++ {0}\n@@ -1 +1 @@\n-a\n+b\n",
            "--- /dev/null\n+++ {0}\n@@ -0,0 +1 @@\n+b\n",
            "Binary files {0} and {0} differ\n",
        ],
    )
    def test_a_path_that_leaves_the_tree(self, name: str, form: str) -> None:
        with pytest.raises(PatchError, match=r"leaves the tree|different files"):
            parse(form.format(name).encode())

    def test_two_names_for_one_change(self) -> None:
        with pytest.raises(PatchError, match="name different files"):
            parse(self.GOOD.replace(b"+++ b/f", b"+++ b/g"))

    def test_a_merge(self, tmp_path: Path) -> None:
        tree = subset_tree(tmp_path / "kernel")
        git(tree, "init", "-q", "-b", "main")
        commit(tree, "one")
        git(tree, "branch", "side")
        commit(tree, "two", {"README": "1\ntwo\n"})
        git(tree, "checkout", "-q", "side")
        commit(tree, "three", {"README": "uno\ntwo\n"})
        raw_git(tree, "merge", "-q", "main", status=(1,))
        commit(tree, "merge", {"README": "eins\ntwo\n"})
        with pytest.raises(PatchError, match="a merge"):
            parse(raw_git(tree, "show", "--cc"))

    def test_a_hunk_that_does_not_apply_names_line_expected_and_found(self) -> None:
        text = b"a\nb\nc\n1\n2\n3\nx\nQ\n"
        with pytest.raises(PatchError) as caught:
            apply(only(self.GOOD), text, "there")
        assert str(caught.value) == (
            "f: hunk 2 of 2 (@@ -10,2 +10,3 @@) does not apply to there: at line 8 expected 'z', found 'Q'; "
            "name the tree that the patch was made for as SOURCE, a directory or DIR@REV"
        )
        assert (caught.value.file, caught.value.hunk) == ("f", 2)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (b"", "at line 1 expected 'a', found the end of the file"),
            (b"a\nb\nc", "at line 3 expected 'c', found 'c' without a newline"),
            (b"a\r\nb\r\nc\r\n", r"at line 1 expected 'a', found 'a\\r'"),
            (b"A\nb\nc\n", "at line 1 expected 'a', found 'A'"),
            (b"a\nb \nc\n", "at line 2 expected 'b', found 'b '"),
        ],
    )
    def test_what_is_there_instead(self, text: bytes, says: str) -> None:
        with pytest.raises(PatchError, match=says):
            apply(only(self.GOOD), text)

    @pytest.mark.parametrize(
        ("hunk", "text", "says"),
        [
            (b"@@ -1,2 +1,2 @@\n-a\n+A\n b\n", b"x\na\nb\n", "stand at line 2, .*: it is of the top of the file"),
            (b"@@ -5,2 +5,2 @@\n a\n-b\n+B\n", b"a\nb\nx\n", "stand at line 1, .*: it is of the end of the file"),
            (b"@@ -5 +5 @@\n-b\n+B\n", b"a\nb\n", "stand at line 2, .*: it is of line 5, and has no context"),
            (b"@@ -9,0 +9 @@\n+B\n", b"a\nb\n", "stand at line 3, .*: it is of line 9, and has no context"),
        ],
    )
    def test_a_place_where_it_cannot_be(self, hunk: bytes, text: bytes, says: str) -> None:
        with pytest.raises(PatchError, match=says):
            apply(only(HEAD + hunk), text)

    def test_a_message_is_one_short_line(self) -> None:
        text = self.GOOD.replace(b"-b\n", b"-\x1b[2J" + b"b" * 10_000 + b"\n").replace(b"@@ fn", b"@@ " + b"f" * 10_000)
        with pytest.raises(PatchError) as caught:
            apply(only(text), b"a\n\xff\x1b[2J\nc\n")
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()
        with pytest.raises(PatchError) as caught:
            parse(b'diff --git "a/x\\n\\033" "b/x\\n\\033"\nindex 1111111..2222222\n')
        assert str(caught.value).isprintable()

    def test_there_is_no_fuzz(self) -> None:
        text = HEAD + b"@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n"
        with pytest.raises(PatchError, match="hunk 1 of 1"):
            apply(only(text), b"one\n2\n3\n4\n5\n6\n7\n")
