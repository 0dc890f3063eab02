# SPDX-License-Identifier: GPL-2.0-only
"""Where header text comes from: directories, build directories, split packages, revisions."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from repositories import GFP_H, MAKEFILE, git, raw_git, write

from pygfp import sources
from pygfp.errors import KernelTreeError
from pygfp.patching.patched import patched
from pygfp.sources import Source, head_and_worktree, is_range, resolve, resolve_range

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    return write(tmp_path / "kernel", {GFP_H: "#include <linux/mmzone.h>\n#define GFP_X 1\n", "Makefile": MAKEFILE})


@pytest.fixture
def repository(kernel: Path) -> Path:
    """Two commits: tag v1 has GFP_X 1, the branch head has GFP_X 2."""
    git(kernel, "init", "-q", "-b", "main")
    git(kernel, "add", "-A")
    git(kernel, "commit", "-qm", "one")
    git(kernel, "tag", "v1")
    (kernel / GFP_H).write_text("#define GFP_X 2\n")
    git(kernel, "commit", "-qam", "two")
    return kernel


def gfp_h(source: Source) -> str:
    return source.files[GFP_H].decode()


class TestBundled:
    def test_it_is_the_newest_release(self) -> None:
        source = resolve("bundled")
        assert (source.kind, source.label, source.release) == ("bundled", "bundled", "7.3.4")

    def test_a_directory_of_that_name_wins(self, kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kernel.rename(kernel.parent / "bundled")
        monkeypatch.chdir(kernel.parent)
        assert resolve("bundled").kind == "tree"


class TestTree:
    def test_it_reads_watched_files_and_the_release(self, kernel: Path) -> None:
        write(kernel, {"mm/page_alloc.h": "/* here */\n", "mm/slub.c": "/* not watched */\n"})
        source = resolve(str(kernel))
        assert (source.kind, source.label, source.release) == ("tree", str(kernel), "6.12.7")
        assert set(source.files) == {GFP_H, "Makefile", "mm/page_alloc.h"}
        assert source.files[GFP_H] == (kernel / GFP_H).read_bytes()

    def test_without_a_makefile_the_release_is_not_known(self, kernel: Path) -> None:
        (kernel / "Makefile").unlink()
        assert resolve(str(kernel)).release is None

    @pytest.mark.parametrize("missing", ["VERSION", "PATCHLEVEL", "SUBLEVEL"])
    def test_without_all_three_numbers_the_release_is_not_known(self, kernel: Path, missing: str) -> None:
        (kernel / "Makefile").write_text(MAKEFILE.replace(f"\n{missing} =", f"\n{missing} = $(shell x) #"))
        assert resolve(str(kernel)).release is None

    def test_it_knows_which_includes_the_tree_has(self, kernel: Path) -> None:
        write(
            kernel,
            {
                GFP_H: "#include <linux/here.h>\n# include <linux/gone.h>\n#include <asm/a.h>\n#include <linux/u.h>\n",
                "include/linux/here.h": "",
                "include/uapi/linux/u.h": "",
                "arch/x86/include/asm/a.h": "",
            },
        )
        expected = {"linux/here.h": True, "linux/gone.h": False, "asm/a.h": True, "linux/u.h": True}
        assert resolve(str(kernel)).includes == expected

    def test_an_include_cannot_climb_out_of_the_tree(self, kernel: Path) -> None:
        write(kernel, {GFP_H: "#include <../../outside.h>\n"})
        (kernel.parent / "outside.h").write_text("")
        assert resolve(str(kernel)).includes == {"../../outside.h": False}

    def test_the_digest_changes_with_any_byte_and_with_nothing_else(self, kernel: Path) -> None:
        before = resolve(str(kernel)).digest
        assert resolve(str(kernel) + "/").digest == before
        (kernel / GFP_H).write_text((kernel / GFP_H).read_text() + " ")
        assert resolve(str(kernel)).digest != before

    @pytest.mark.parametrize("name", ["with space", "qu'ote\"s", "a@b", "-dash", "ünï", "new\nline", "$(x)"])
    def test_any_name_will_do(self, kernel: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        kernel.rename(kernel.parent / name)
        monkeypatch.chdir(kernel.parent)
        assert resolve(name).release == "6.12.7"

    def test_without_a_spec_it_is_the_tree_around_the_current_directory(self, kernel: Path) -> None:
        (kernel / "mm/deep").mkdir(parents=True)
        assert resolve(None, cwd=kernel / "mm/deep").files[GFP_H] == (kernel / GFP_H).read_bytes()

    def test_without_a_spec_and_a_tree_it_is_bundled(self, tmp_path: Path) -> None:
        assert resolve(None, cwd=tmp_path).kind == "bundled"


class TestNoTree:
    """Each gives one message with what was expected, what was found and what to do."""

    def test_no_such_directory(self, tmp_path: Path) -> None:
        with pytest.raises(KernelTreeError, match=r"no such directory: .*/nowhere; expected .*pygfp sources"):
            resolve(str(tmp_path / "nowhere"))

    def test_a_file(self, kernel: Path) -> None:
        with pytest.raises(KernelTreeError, match=r"Makefile is a file; expected a kernel tree"):
            resolve(str(kernel / "Makefile"))

    def test_an_empty_directory(self, tmp_path: Path) -> None:
        with pytest.raises(KernelTreeError, match=r"is not a kernel tree: it has neither a Makefile nor include"):
            resolve(str(tmp_path))

    def test_a_tree_without_gfp_h(self, kernel: Path) -> None:
        (kernel / GFP_H).unlink()
        with pytest.raises(KernelTreeError, match=r"has no include/linux/gfp\.h; expected the top directory") as caught:
            resolve(str(kernel))
        assert (caught.value.path, caught.value.file) == (kernel, GFP_H)

    @pytest.mark.parametrize("file", [GFP_H, "include/linux/gfp_types.h", "Makefile"])
    def test_a_fifo_in_place_of_a_file_is_refused_and_not_waited_for(self, kernel: Path, file: str) -> None:
        (kernel / file).unlink(missing_ok=True)
        os.mkfifo(kernel / file)
        with pytest.raises(KernelTreeError):
            resolve(str(kernel))

    def test_a_directory_in_place_of_a_file(self, kernel: Path) -> None:
        (kernel / "include/linux/gfp_types.h").mkdir()
        with pytest.raises(KernelTreeError, match=r"gfp_types\.h .*"):
            resolve(str(kernel))

    def test_the_exit_status_is_3_with_one_message(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from pygfp.cli import main  # noqa: PLC0415 - only this test goes through the command line

        assert main(["check", str(tmp_path / "nowhere")]) == 3
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("pygfp: no such directory")
        assert captured.err.count("\n") == 1


class TestBuildDirectory:
    """An O= build directory leads to the tree that it was made from."""

    def test_its_source_link_is_followed(self, kernel: Path, tmp_path: Path) -> None:
        build = write(tmp_path / "out", {".config": "", "include/generated/autoconf.h": ""})
        (build / "source").symlink_to(kernel)
        assert gfp_h(resolve(str(build))) == (kernel / GFP_H).read_text()

    def test_its_generated_makefile_is_followed(self, kernel: Path, tmp_path: Path) -> None:
        text = f"# Automatically generated by {kernel}/Makefile: don't edit\ninclude {kernel}/Makefile\n"
        build = write(tmp_path / "out", {"Makefile": text})
        source = resolve(str(build))
        assert (gfp_h(source), source.release) == ((kernel / GFP_H).read_text(), "6.12.7")

    def test_an_older_generated_makefile_is_followed(self, kernel: Path, tmp_path: Path) -> None:
        text = f"VERSION = 4\nall:\n\t$(MAKE) -C {kernel} O=$(CURDIR) $@\n"
        assert resolve(str(write(tmp_path / "out", {"Makefile": text}))).release == "6.12.7"

    def test_the_label_is_what_the_user_said(self, kernel: Path, tmp_path: Path) -> None:
        build = write(tmp_path / "out", {"Makefile": f"include {kernel}/Makefile\n"})
        assert resolve(str(build)).label == str(build)

    def test_a_source_that_is_gone_is_named(self, tmp_path: Path) -> None:
        build = write(tmp_path / "out", {"Makefile": "include /gone/away/linux/Makefile\n"})
        with pytest.raises(KernelTreeError, match=r"leads to /gone/away/linux, .*unpack or install that half"):
            resolve(str(build))


class TestSplitPackage:
    """Debian splits a package: the -amd64 half has a Makefile that includes the -common half by absolute path."""

    COMMON = "/usr/src/linux-headers-6.12.7-common"

    def halves(self, root: Path, kernel: Path) -> Path:
        (root / "usr/src").mkdir(parents=True)
        kernel.rename(root / self.COMMON[1:])
        half = root / "usr/src/linux-headers-6.12.7-amd64"
        return write(half, {"Makefile": f"include {self.COMMON}/Makefile\n", "include/config/auto.conf": ""})

    def test_the_other_half_below_the_same_unpack_root_is_followed(self, kernel: Path, tmp_path: Path) -> None:
        half = self.halves(tmp_path / "unpacked", kernel)
        assert resolve(str(half)).release == "6.12.7"

    def test_a_relative_path_into_the_unpack_root_will_do(
        self, kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.halves(tmp_path / "unpacked", kernel)
        monkeypatch.chdir(tmp_path / "unpacked/usr")
        assert resolve("src/linux-headers-6.12.7-amd64").release == "6.12.7"

    def test_halves_unpacked_into_roots_of_their_own_side_by_side_fail_with_the_name_of_the_other(
        self, kernel: Path, tmp_path: Path
    ) -> None:
        half = self.halves(tmp_path / "unpacked", kernel)
        (tmp_path / "elsewhere").mkdir()
        moved = half.rename(tmp_path / "elsewhere/linux-headers-6.12.7-amd64")
        with pytest.raises(KernelTreeError, match=f"leads to .*{self.COMMON}.*unpack or install that half"):
            resolve(str(moved))

    def test_a_neighbour_of_that_name_is_followed(self, kernel: Path, tmp_path: Path) -> None:
        half = self.halves(tmp_path / "unpacked", kernel)
        flat = tmp_path / "flat"
        flat.mkdir()
        (tmp_path / "unpacked" / self.COMMON[1:]).rename(flat / "linux-headers-6.12.7-common")
        assert resolve(str(half.rename(flat / "amd64"))).release == "6.12.7"


class TestRevision:
    """DIR@REV is read from git objects, with no checkout."""

    @pytest.mark.parametrize(("name", "value"), [("v1", 1), ("HEAD~1", 1), ("main", 2), ("HEAD", 2), ("main~1", 1)])
    def test_each_revision_has_its_own_text(self, repository: Path, name: str, value: int) -> None:
        source = resolve(f"{repository}@{name}")
        assert f"GFP_X {value}\n" in gfp_h(source)
        assert (source.kind, source.label, source.release) == ("revision", f"{repository}@{name}", "6.12.7")

    def test_an_uncommitted_edit_is_not_seen(self, repository: Path) -> None:
        (repository / GFP_H).write_text("#define GFP_X 3\n")
        assert gfp_h(resolve(f"{repository}@HEAD")) == "#define GFP_X 2\n"
        assert gfp_h(resolve(str(repository))) == "#define GFP_X 3\n"

    def test_the_working_tree_and_the_index_stay_untouched(self, repository: Path) -> None:
        def state() -> dict[str, tuple[int, bytes]]:
            return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in repository.rglob("*") if p.is_file()}

        assert git(repository, "status", "--porcelain") == ""
        before = state()
        resolve(f"{repository}@v1")
        assert state() == before
        assert git(repository, "status", "--porcelain") == ""

    def test_includes_are_looked_up_in_that_revision(self, repository: Path) -> None:
        write(repository, {"include/linux/mmzone.h": "", "Makefile": MAKEFILE})
        assert resolve(f"{repository}@v1").includes == {"linux/mmzone.h": False}

    def test_odd_includes_are_looked_up_alike_on_disk_and_in_git(self, repository: Path) -> None:
        odd = [
            b"n" * 300,
            b"n/" * 3000,
            b"*",
            b"linux/*.h",
            b":(glob)**",
            b"-x",
            b"\xff.h",
            b"a\0b",
            b"../Makefile",
            b"/etc/passwd",
        ]
        odd += [
            b"linux/../linux/gfp.h",
            b".",
            b"asm",
            b"asm/",
            b"asm/n" + b"n" * 300,
            b"linux",
            b"linux/gfp.h",
            b"sp ace.h",
        ]
        write(repository, {"include/sp ace.h": "", "arch/x86/include/asm/x.h": ""})
        (repository / GFP_H).write_bytes(b"".join(b"#include <%s>\n" % name for name in odd))
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", "odd")
        found = resolve(str(repository)).includes
        assert resolve(f"{repository}@HEAD").includes == found
        assert {name for name, there in found.items() if there} == {"linux/gfp.h", "sp ace.h"}

    def test_a_directory_is_no_include(self, repository: Path) -> None:
        write(repository, {GFP_H: "#include <sched>\n#include <asm/y>\n", "include/sched/x.h": ""})
        write(repository, {"arch/a/include/asm/y/z.h": "", "arch/Kconfig": ""})
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", "odd")
        for spec in (str(repository), f"{repository}@HEAD"):
            assert resolve(spec).includes == {"sched": False, "asm/y": False}

    def test_a_tree_below_the_top_of_the_repository_will_do(self, kernel: Path) -> None:
        outer = kernel.parent
        git(outer, "init", "-q")
        git(outer, "add", "-A")
        git(outer, "commit", "-qm", "one")
        assert "GFP_X 1\n" in gfp_h(resolve(f"{kernel}@HEAD"))

    def test_a_bare_repository_will_do(self, repository: Path) -> None:
        git(repository.parent, "clone", "-q", "--bare", str(repository), "mirror.git")
        assert resolve(f"{repository.parent / 'mirror.git'}@v1").files == resolve(f"{repository}@v1").files

    @pytest.mark.parametrize("name", ["v9", "--all", "-h", "HEAD:Makefile", "HEAD^{tree}", "a b", "v1..main"])
    def test_a_bad_revision_is_named(self, repository: Path, name: str) -> None:
        with pytest.raises(KernelTreeError, match="git knows no revision") as caught:
            resolve(f"{repository}@{name}")
        assert repr(name) in str(caught.value)

    def test_no_revision_after_the_at_is_said(self, repository: Path) -> None:
        with pytest.raises(KernelTreeError, match="expected a revision after the @"):
            resolve(f"{repository}@")

    def test_a_directory_without_git_has_no_revisions(self, kernel: Path) -> None:
        with pytest.raises(KernelTreeError, match="git knows no revision 'v1'"):
            resolve(f"{kernel}@v1")

    def test_a_revision_without_gfp_h_is_refused(self, repository: Path) -> None:
        git(repository, "rm", "-q", GFP_H)
        git(repository, "commit", "-qm", "three")
        with pytest.raises(KernelTreeError, match=r"@HEAD has no include/linux/gfp\.h"):
            resolve(f"{repository}@HEAD")

    def test_a_directory_named_with_at_wins(self, repository: Path) -> None:
        twin = write(repository.parent / "kernel@v1", {GFP_H: "#define GFP_X 7\n"})
        source = resolve(str(twin))
        assert (source.kind, gfp_h(source)) == ("tree", "#define GFP_X 7\n")

    def test_the_last_at_is_the_one_that_counts(self, repository: Path) -> None:
        moved = repository.rename(repository.parent / "a@b")
        assert "GFP_X 1\n" in gfp_h(resolve(f"{moved}@v1"))

    def test_git_variables_of_the_caller_lead_nowhere_else(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
        assert "GFP_X 1\n" in gfp_h(resolve(f"{repository}@v1"))


class TestRange:
    """DIR@A..B are two revisions, as git diff compares them."""

    @pytest.fixture
    def forked(self, repository: Path) -> Path:
        """Branch side goes off v1 and has GFP_X 9."""
        git(repository, "checkout", "-q", "-b", "side", "v1")
        (repository / GFP_H).write_text("#define GFP_X 9\n")
        git(repository, "commit", "-qam", "side")
        git(repository, "checkout", "-q", "main")
        return repository

    @pytest.mark.parametrize(
        ("revisions", "values"),
        [
            ("v1..main", (1, 2)),
            ("main..v1", (2, 1)),
            ("v1..", (1, 2)),
            ("..v1", (2, 1)),
            ("side..main", (9, 2)),
            ("side...main", (1, 2)),
            ("main...side", (1, 9)),
            ("...side", (1, 9)),
            ("side...", (1, 2)),
            ("..", (2, 2)),
        ],
    )
    def test_two_sides(self, forked: Path, revisions: str, values: tuple[int, int]) -> None:
        spec = f"{forked}@{revisions}"
        assert is_range(spec)
        found = resolve_range(spec)
        for source, value in zip(found, values, strict=True):
            assert f"#define GFP_X {value}\n" in gfp_h(source)
            # What a side is called can be given again.
            assert resolve(source.label) == source

    def test_labels(self, forked: Path) -> None:
        assert [s.label for s in resolve_range(f"{forked}@v1..")] == [f"{forked}@v1", f"{forked}@HEAD"]
        base = git(forked, "merge-base", "side", "main")[:16]
        assert [s.label for s in resolve_range(f"{forked}@side...main")] == [f"{forked}@{base}", f"{forked}@main"]

    def test_in_the_current_directory(self, forked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(forked)
        assert [s.label for s in resolve_range(".@v1..side")] == [".@v1", ".@side"]
        assert [s.label for s in resolve_range("@v1..side")] == [".@v1", ".@side"]

    def test_what_is_none(self, forked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(forked / "include")
        for spec in ("bundled", "..", "../@v1", "../../kernel@v1", "nowhere@v1..v2", str(forked)):
            assert not is_range(spec)
            with pytest.raises(KernelTreeError, match=r"expected DIR@A\.\.B"):
                resolve_range(spec)

    def test_a_directory_of_that_name_is_none(self, forked: Path) -> None:
        twin = write(forked.parent / "kernel@v1..main", {GFP_H: "#define GFP_X 7\n"})
        assert not is_range(str(twin))
        assert gfp_h(resolve(str(twin))) == "#define GFP_X 7\n"

    @pytest.mark.parametrize(
        "revisions", ["v9..main", "v1..v9", "v1...v9", "--all..main", "v1..-h", "v1..v1..v1", "v1....v1"]
    )
    def test_a_bad_side_is_named(self, forked: Path, revisions: str) -> None:
        with pytest.raises(KernelTreeError, match="git knows no revision"):
            resolve_range(f"{forked}@{revisions}")

    def test_nothing_in_common(self, forked: Path) -> None:
        git(forked, "checkout", "-q", "--orphan", "alone")
        git(forked, "commit", "-qm", "alone")
        with pytest.raises(KernelTreeError, match=r"have no commit in common here$"):
            resolve_range(f"{forked}@main...alone")


class TestHeadAndWorktree:
    @pytest.mark.parametrize("staged", [True, False])
    def test_what_is_on_disk_counts_staged_or_not(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, *, staged: bool
    ) -> None:
        write(repository, {GFP_H: "#define GFP_X 3\n", "mm/page_alloc.h": "/* new */\n", "mm/x": ""})
        if staged:
            git(repository, "add", "-A")
        monkeypatch.chdir(repository / "mm")
        head, disk = head_and_worktree()
        assert (head.label, disk.label) == (f"{repository}@HEAD", str(repository))
        assert head == resolve(f"{repository}@HEAD")
        assert disk == resolve(str(repository))
        assert set(disk.files) - set(head.files) == {"mm/page_alloc.h"}
        assert head_and_worktree(repository) == (head, disk)

    def test_with_nothing_changed_they_hold_the_same(self, repository: Path) -> None:
        head, disk = head_and_worktree(repository)
        assert (head.files, head.includes, head.release) == (disk.files, disk.includes, disk.release)

    def test_a_build_directory_leads_to_its_tree(self, repository: Path, tmp_path: Path) -> None:
        build = write(tmp_path / "out", {"Makefile": f"include {repository}/Makefile\n"})
        assert head_and_worktree(build)[0].files == resolve(f"{repository}@HEAD").files

    def test_no_tree_around(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(KernelTreeError, match=r"is in no kernel tree; go to one, or name what to compare"):
            head_and_worktree()
        with pytest.raises(KernelTreeError, match="is not a kernel tree"):
            head_and_worktree(tmp_path)

    def test_no_repository(self, kernel: Path) -> None:
        with pytest.raises(KernelTreeError, match=r"git knows no revision 'HEAD' here: fatal: not a git repository"):
            head_and_worktree(kernel)

    def test_no_commit_yet(self, kernel: Path) -> None:
        git(kernel, "init", "-q")
        with pytest.raises(KernelTreeError, match="nothing is committed here yet"):
            head_and_worktree(kernel)

    def test_a_tree_that_git_does_not_track(self, repository: Path) -> None:
        inner = write(repository / "headers", {GFP_H: "", "Makefile": MAKEFILE})
        with pytest.raises(KernelTreeError, match=r"headers@HEAD has no include/linux/gfp\.h"):
            head_and_worktree(inner)

    def test_git_is_not_installed(self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(KernelTreeError, match="git is not installed"):
            head_and_worktree(repository)


class TestCloneThatLacksObjects:
    """Nothing is fetched; the error says what is not here, and the command in it gets it."""

    @pytest.fixture
    def origin(self, repository: Path) -> Path:
        git(repository, "config", "uploadpack.allowFilter", "true")
        git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
        return repository

    def clone(self, origin: Path, *options: str) -> Path:
        git(origin.parent, "clone", "-q", *options, origin.as_uri(), "clone")
        return origin.parent / "clone"

    def objects(self, clone: Path) -> str:
        return git(clone, "count-objects", "-v") + git(clone, "rev-list", "--objects", "--all", "--missing=print")

    def run_hint(self, message: str) -> None:
        (command,) = re.findall(r"; .*run: (git .*)$", message)
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        subprocess.run(command, shell=True, check=True, env=environment)  # noqa: S602 - what a user would do

    @pytest.mark.parametrize("allow", ["", "always"])
    def test_without_blobs(self, origin: Path, monkeypatch: pytest.MonkeyPatch, allow: str) -> None:
        clone = self.clone(origin, "--filter=blob:none", "--no-checkout")
        if allow:
            git(clone, "config", "protocol.file.allow", allow)
            monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
        before = self.objects(clone)
        with pytest.raises(KernelTreeError, match="is not in this clone, and pygfp never fetches") as caught:
            resolve(f"{clone}@v1")
        assert self.objects(clone) == before
        assert str(caught.value).startswith(f"{clone}@v1: the content of {GFP_H} (and of 1 more)")
        self.run_hint(str(caught.value))
        assert resolve(f"{clone}@v1").files == resolve(f"{origin}@v1").files

    def test_without_some_blobs(self, origin: Path) -> None:
        clone = self.clone(origin, "--filter=blob:none")
        assert resolve(f"{clone}@HEAD").files == resolve(f"{origin}@HEAD").files
        with pytest.raises(KernelTreeError, match=f"the content of {GFP_H} is not in this clone"):
            resolve(f"{clone}@v1")

    def test_without_trees(self, origin: Path) -> None:
        clone = self.clone(origin, "--filter=tree:0", "--no-checkout")
        before = git(clone, "count-objects", "-v")
        with pytest.raises(KernelTreeError, match=r"git cannot list .* pygfp never fetches") as caught:
            resolve(f"{clone}@v1")
        assert git(clone, "count-objects", "-v") == before
        self.run_hint(str(caught.value))
        assert resolve(f"{clone}@v1").files == resolve(f"{origin}@v1").files

    def test_shallow(self, origin: Path) -> None:
        clone = self.clone(origin, "--depth=1")
        assert resolve(f"{clone}@HEAD").files == resolve(f"{origin}@HEAD").files
        with pytest.raises(KernelTreeError, match="this clone is shallow") as caught:
            resolve(f"{clone}@HEAD~1")
        self.run_hint(str(caught.value))
        assert resolve(f"{clone}@HEAD~1").files == resolve(f"{origin}@v1").files

    def test_bare(self, origin: Path) -> None:
        clone = self.clone(origin, "--bare", "--filter=blob:none")
        with pytest.raises(KernelTreeError, match="is not in this clone") as caught:
            resolve(f"{clone}@v1")
        self.run_hint(str(caught.value))
        one, two = resolve_range(f"{clone}@v1..v1")
        assert one == two == replace(resolve(f"{origin}@v1"), label=one.label)

    def test_a_patch_whose_blob_is_not_here_is_applied_to_the_tree(self, origin: Path) -> None:
        patch = raw_git(origin, "diff", "--full-index", "v1", "main")
        clone = self.clone(origin, "--filter=blob:none")
        before = self.objects(clone)
        pair = patched(str(clone), patch, "x.patch")
        assert (gfp_h(pair.old), gfp_h(pair.new)) == tuple(gfp_h(resolve(f"{origin}@{r}")) for r in ("v1", "main"))
        assert self.objects(clone) == before

    def test_a_damaged_object(self, repository: Path) -> None:
        blob = git(repository, "rev-parse", f"v1:{GFP_H}").strip()
        path = repository / ".git/objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"damage")
        with pytest.raises(KernelTreeError, match=f"the content of {GFP_H} is not in this clone"):
            resolve(f"{repository}@v1")


class TestInstalled:
    def test_it_lists_trees_and_skips_everything_else(self, kernel: Path, tmp_path: Path) -> None:
        modules = tmp_path / "modules/6.12.7"
        modules.mkdir(parents=True)
        (modules / "build").symlink_to(kernel)
        (tmp_path / "modules/empty").mkdir()
        assert sources.installed([tmp_path / "modules", tmp_path / "gone"]) == [(str(modules / "build"), "6.12.7")]


class TestBrokenTree:
    """A kernel tree that lost its headers is an error, not the bundled subset."""

    @pytest.mark.parametrize("arguments", [("check",), ("diff",), ("check", "--bisect")], ids=" ".join)
    def test_without_gfp_h(self, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from pygfp.cli import main  # noqa: PLC0415 - only this test goes through the command line

        (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n")
        (tmp_path / "include").mkdir()
        monkeypatch.chdir(tmp_path)
        assert main(list(arguments)) == (125 if "--bisect" in arguments else 3)
