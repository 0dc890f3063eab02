# SPDX-License-Identifier: GPL-2.0-only
"""The verbatim subset: own snippets, and slices of real headers against their originals."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pygfp.errors import ExtractionError
from pygfp.extract import WHOLE, blank, extract, slice_text
from pygfp.model.helpers import WANTED
from pygfp.scan import scan
from pygfp.sources import Source, csrc, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.extract import Subset

COMPILERS = ("gcc", "clang")
NAMES = tuple(WANTED)


def sliced(text: str, *names: str) -> str:
    found = scan("mm/x.h", text.encode())
    return slice_text(found, [d for d in found.definitions if d.name in names]).decode()


def kept(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def with_files(**files: str) -> Source:
    """The bundled subset as a tree, with some files replaced; ``gfp_h`` for include/linux/gfp.h, and so on."""
    paths = {"gfp_h": WHOLE[1], "types_h": "include/linux/types.h", "mmzone_h": "include/linux/mmzone.h"}
    paths |= {"page_alloc_h": "mm/page_alloc.h", "kmemleak_c": "mm/kmemleak.c", "internal_h": "mm/internal.h"}
    bundled = resolve("bundled")
    changed = {paths[name]: text.encode() for name, text in files.items()}
    return Source("tree", "tree", "7.3.4", {**bundled.files, **changed})


def require_verbatim(subset: Subset, source: Source) -> int:
    """Assert that each line of each file is that of the original, or blank; return how many slices there are."""
    sliced_files = 0
    for path, text in subset.files.items():
        original = source.files[path].split(b"\n")
        lines = text.split(b"\n")
        assert len(lines) == len(original), path
        if path in WHOLE:
            assert text == source.files[path]
            continue
        sliced_files += 1
        wrong = [n for n, (a, b) in enumerate(zip(lines, original, strict=True), 1) if a.strip() and a != b]
        assert not wrong, f"{path}: lines {wrong} were edited"
        assert any(line.strip() for line in lines), path
    return sliced_files


class TestSlice:
    """Of a neighbour only the wanted definitions stay, with the directives around them."""

    def test_a_definition_stays_at_its_line_and_its_neighbours_go(self) -> None:
        text = "int a;\n\nint f(int x)\n{\n\treturn x;\n}\n\nint b;\n"
        assert sliced(text, "f").splitlines()[2:6] == text.splitlines()[2:6]
        assert kept(sliced(text, "f")) == ["int f(int x)", "{", "\treturn x;", "}"]

    def test_lines_and_offsets_stay(self) -> None:
        text = "int a; /* ä\n */\nint f(int x) { return x; }\nint b;\n"
        result = sliced(text, "f").encode()
        assert len(result) == len(text.encode())
        assert [n for n, c in enumerate(result) if c == 10] == [n for n, c in enumerate(text.encode()) if c == 10]

    def test_conditions_around_it_stay_with_both_branches(self) -> None:
        text = "#ifdef CONFIG_X\n#define A 1\nint b;\n#else\n#define A 0\n#endif\n#ifdef CONFIG_Y\nint c;\n#endif\n"
        assert kept(sliced(text, "A")) == ["#ifdef CONFIG_X", "#define A 1", "#else", "#define A 0", "#endif"]

    def test_every_branch_of_a_chain_stays(self) -> None:
        text = "#if defined(X)\nint a;\n#elif defined(Y)\nint b;\n#elif Z\nint c;\n#else\n#define A 1\n#endif\n"
        expected = ["#if defined(X)", "#elif defined(Y)", "#elif Z", "#else", "#define A 1", "#endif"]
        assert kept(sliced(text, "A")) == expected

    def test_nested_conditions_stay(self) -> None:
        text = "#ifdef X\n#ifndef Y\n#define A 1\n#endif /* Y */\nint a;\n#endif /* X */\n"
        assert kept(sliced(text, "A")) == ["#ifdef X", "#ifndef Y", "#define A 1", "#endif /* Y */", "#endif /* X */"]

    def test_an_include_guard_stays_whole(self) -> None:
        text = "#ifndef __MM_X_H\n#define __MM_X_H\nint a;\nint f(int x) { return x; }\n#endif\n"
        expected = ["#ifndef __MM_X_H", "#define __MM_X_H", "int f(int x) { return x; }", "#endif"]
        assert kept(sliced(text, "f")) == expected

    def test_a_continued_macro_stays_whole(self) -> None:
        text = "int a;\n#define F(x) \\\n\t((x) & \\\n\t 7)\nint b;\n"
        assert kept(sliced(text, "F")) == ["#define F(x) \\", "\t((x) & \\", "\t 7)"]

    def test_a_continued_condition_stays_whole(self) -> None:
        text = "#if defined(X) || \\\n    defined(Y)\n#define A 1\n#endif\n"
        assert sliced(text, "A") == text

    def test_a_comment_that_begins_on_its_line_stays_to_its_end(self) -> None:
        text = "#define A 1 /* one\n * more */\nint b;\n"
        assert kept(sliced(text, "A")) == ["#define A 1 /* one", " * more */"]

    def test_a_comment_on_a_directive_that_goes_on_stays_to_its_end(self) -> None:
        text = "#ifdef X /* one\n * more */\n#define A 1\n#endif /* X,\n and the end */\nint b;\n"
        assert kept(sliced(text, "A")) == kept(text)[:-1]

    def test_a_decoy_in_a_comment_stays_out(self) -> None:
        text = "/* int f(int x) { return 0; } */\nint f(int x) { return x; }\n"
        assert kept(sliced(text, "f")) == ["int f(int x) { return x; }"]

    def test_nothing_wanted_leaves_nothing(self) -> None:
        assert sliced("int a;\n#define B 1\n", "absent").strip() == ""


class TestExtract:
    def test_gfp_headers_are_taken_whole(self) -> None:
        source = resolve("bundled")
        subset = extract(source, NAMES)
        assert {path: subset.files[path] for path in WHOLE} == {path: source.files[path] for path in WHOLE}

    def test_a_helper_is_found_by_name_in_a_neighbour(self) -> None:
        text = (
            "#define MASK 3\nint other(gfp_t g) { return 0; }\n"
            "static inline int gfp_migratetype(gfp_t g)\n{\n\treturn g & MASK;\n}\n"
        )
        moved = resolve("bundled").files[WHOLE[1]].decode().replace("gfp_migratetype", "gfp_elsewhere")
        subset = extract(with_files(page_alloc_h=text, gfp_h=moved), NAMES)
        helper = next(h for h in subset.helpers if h.name == "gfp_migratetype")
        assert helper.place == ("mm/page_alloc.h", 3)
        assert kept(subset.files["mm/page_alloc.h"].decode()) == [text.splitlines()[n] for n in (0, 2, 3, 4, 5)]

    def test_a_helper_may_be_a_macro_of_a_c_file(self) -> None:
        text = "#include <x.h>\nint a;\n#define gfp_kmemleak_mask(gfp) (((gfp) & __GFP_IO) | \\\n\t__GFP_NOWARN)\n"
        subset = extract(with_files(kmemleak_c=text), NAMES)
        assert next(h for h in subset.helpers if h.name == "gfp_kmemleak_mask").is_macro
        assert kept(subset.files["mm/kmemleak.c"].decode()) == text.splitlines()[2:]

    def test_masks_of_internal_h_are_taken_and_nothing_else(self) -> None:
        text = "#define GFP_BOOT_MASK (__GFP_BITS_MASK & ~__GFP_IO)\n#define PAGE_THING 1\nvoid f(void);\n"
        subset = extract(with_files(internal_h=text), NAMES)
        assert "GFP_BOOT_MASK" in subset.constants
        assert kept(subset.files["mm/internal.h"].decode()) == text.splitlines()[:1]

    def test_a_new_static_inline_with_a_gfp_t_is_a_candidate(self) -> None:
        new = (
            "static inline int gfp_new(gfp_t g) { return 1; }\nint gfp_extern(gfp_t g);\n"
            "static inline int no(int g) { return g; }\n#endif /* __LINUX_GFP_H"
        )
        text = resolve("bundled").files[WHOLE[1]].decode().replace("#endif /* __LINUX_GFP_H", new)
        names = {h.name for h in extract(with_files(gfp_h=text), NAMES).helpers}
        assert "gfp_new" in names
        assert not {"gfp_extern", "no"} & names

    def test_a_missing_types_h_is_stood_in_for_and_said(self) -> None:
        source = with_files()
        files = {p: t for p, t in source.files.items() if p != "include/linux/types.h"}
        subset = extract(Source("tree", "here", None, files), NAMES)
        assert any("include/linux/types.h is not in this source" in note for note in subset.notes)

    def test_a_type_that_cannot_be_cut_out_is_an_error_with_its_place(self) -> None:
        with pytest.raises(ExtractionError, match=r"include/linux/types\.h:2: gfp_t is not defined here") as caught:
            extract(with_files(types_h="\nstruct gfp_t { int x; };\n"), NAMES)
        assert (caught.value.file, caught.value.line) == ("include/linux/types.h", 2)

    def test_a_wanted_name_without_a_definition_is_broken_and_not_absent(self) -> None:
        text = resolve("bundled").files[WHOLE[1]].decode()
        text = text.replace("static inline gfp_t gfp_nested_mask(gfp_t flags)", "DEFINE_FILTER(gfp_nested_mask, flags)")
        broken = extract(with_files(gfp_h=text), NAMES).broken
        assert "gfp_nested_mask occurs here" in str(broken["gfp_nested_mask"])

    def test_blanking_leaves_every_other_byte(self) -> None:
        subset = extract(resolve("bundled"), NAMES)
        definition = next(d for d in subset.definitions if d.name == "gfp_nested_mask")
        before, after = subset.files[definition.path], blank(subset, definition, "why").files[definition.path]
        assert len(before) == len(after)
        assert before.count(b"\n") == after.count(b"\n")
        assert after[: definition.start] == before[: definition.start]
        assert after[definition.end :] == before[definition.end :]
        assert not after[definition.start : definition.end].strip()

    def test_what_is_blanked_is_listed_with_the_reason(self) -> None:
        subset = extract(resolve("bundled"), NAMES)
        definition = next(d for d in subset.definitions if d.name == "gfp_zone")
        left = blank(subset, definition, "why").left_out[-1]
        assert (left.path, left.line, left.name, left.reason) == (WHOLE[1], definition.line, "gfp_zone", "why")


class TestVerbatim:
    """Kept lines are those of the original, byte for byte, at their own line numbers."""

    def test_bundled(self) -> None:
        assert require_verbatim(extract(resolve("bundled"), NAMES), resolve("bundled")) == 2

    def test_6_12_headers(self, headers_6_12: Path) -> None:
        source = resolve(str(headers_6_12))
        assert require_verbatim(extract(source, NAMES), source) >= 2

    def test_6_1_headers(self, headers_6_1: Path) -> None:
        source = resolve(str(headers_6_1))
        assert require_verbatim(extract(source, NAMES), source) >= 2

    def test_6_1_source_with_its_mm_neighbours(self, source_6_1: Path) -> None:
        source = resolve(str(source_6_1))
        subset = extract(source, NAMES)
        assert require_verbatim(subset, source) >= 4
        assert {"mm/internal.h", "mm/kmemleak.c"} <= set(subset.files)

    def test_the_6_1_kmemleak_macro_is_all_that_is_kept_of_its_file(self, source_6_1: Path) -> None:
        text = extract(resolve(str(source_6_1)), NAMES).files["mm/kmemleak.c"].decode()
        lines = kept(text)
        assert lines[0].startswith("#define gfp_kmemleak_mask(gfp)")
        assert len(lines) <= 6


def compile_at(directory: Path, compiler: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [compiler, "@flags", "-Wall", "-Werror", *more, "-c", "unit.c", "-o", "unit.o"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("compiler", COMPILERS)
class TestExtractCommand:
    """What `pygfp extract` writes compiles with the shims alone, with the flags that it prints."""

    def require_compiles(
        self, run: Callable[..., tuple[int, str, str]], source: object, out: Path, compiler: str
    ) -> None:
        if shutil.which(compiler) is None:
            pytest.skip(f"{compiler} is not installed; install it to run this")
        status, _, err = run("extract", source, "-o", out)
        assert status == 0, err
        for more in ((), ("-DCONFIG_LOCKDEP=1", "-DCONFIG_ZONE_DMA=1", "-DCONFIG_NUMA=1")):
            done = compile_at(out, compiler, *more)
            assert done.returncode == 0, done.stderr

    def test_bundled(self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, compiler: str) -> None:
        self.require_compiles(run, "bundled", tmp_path / "out", compiler)

    def test_6_12(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, compiler: str, headers_6_12: Path
    ) -> None:
        self.require_compiles(run, headers_6_12, tmp_path / "out", compiler)

    def test_6_1(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, compiler: str, headers_6_1: Path
    ) -> None:
        self.require_compiles(run, headers_6_1, tmp_path / "out", compiler)

    def test_6_1_source(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, compiler: str, source_6_1: Path
    ) -> None:
        self.require_compiles(run, source_6_1, tmp_path / "out", compiler)


class TestExtractOutput:
    def test_a_directory_with_files_is_refused_and_left_alone(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path
    ) -> None:
        (tmp_path / "mine").write_text("x")
        status, _, err = run("extract", "bundled", "-o", tmp_path)
        assert status == 2
        assert "expected a new or empty directory" in err
        assert [p.name for p in tmp_path.iterdir()] == ["mine"]

    @pytest.mark.parametrize("name", ["out", "o u t", "it's"])
    def test_the_command_that_is_printed_works(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, name: str
    ) -> None:
        printed = run("extract", "bundled", "-o", tmp_path / name)[1]
        command = printed.partition("compile it: ")[2]
        assert subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode == 0

    def test_what_is_written_is_the_original_text(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path
    ) -> None:
        run("extract", "bundled", "-o", tmp_path / "out")
        for path in WHOLE:
            assert (tmp_path / "out" / path).read_bytes() == (csrc() / path).read_bytes()


class TestShims:
    """What stands for the kernel's macros gives what they give."""

    @pytest.mark.parametrize("hint", ["likely", "unlikely"])
    def test_a_branch_hint_makes_a_truth_value_of_a_mask(
        self, check_json: Callable[..., dict[str, Any]], bundled_tree: Path, hint: str
    ) -> None:
        header = bundled_tree / WHOLE[1]
        text = header.read_text()
        helper = f"static inline int gfp_hint(gfp_t gfp)\n{{\n\treturn {hint}(gfp & (__GFP_IO | __GFP_FS));\n}}\n\n"
        header.write_text(text.replace("static inline bool gfp_has_io_fs", f"{helper}static inline bool gfp_has_io_fs"))
        (found,) = (c for c in check_json("--helper", "gfp_hint", bundled_tree)["checks"])
        assert found["form"] == {"any_of": ["__GFP_IO", "__GFP_FS"]}


class TestIncludes:
    """An include that the tree has and pygfp lacks stands empty, with a note; one that the tree lacks is an error."""

    def add_include(self, tree: Path, name: str) -> None:
        header = tree / WHOLE[1]
        known = "#include <linux/mmzone.h>\n"
        header.write_text(header.read_text().replace(known, f"{known}#include <{name}>\n"))

    def test_one_that_the_tree_has_gets_a_stub_and_a_note(
        self, run: Callable[..., tuple[int, str, str]], bundled_tree: Path
    ) -> None:
        self.add_include(bundled_tree, "linux/brand_new.h")
        (bundled_tree / "include/linux/brand_new.h").write_text("#error the real text must not be compiled\n")
        assert extract(resolve(str(bundled_tree)), NAMES).stubs == ("linux/brand_new.h",)
        status, out, _ = run("check", bundled_tree)
        assert status == 0
        assert "note: linux/brand_new.h, which the header includes, is unknown to pygfp and stands empty" in out

    def test_one_that_the_tree_lacks_is_named_with_its_place_and_exit_3(
        self, run: Callable[..., tuple[int, str, str]], bundled_tree: Path
    ) -> None:
        self.add_include(bundled_tree, "linux/lost.h")
        line = (bundled_tree / WHOLE[1]).read_text().split("<linux/lost.h>")[0].count("\n") + 1
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert f"include/linux/gfp.h:{line}: includes <linux/lost.h>" in err

    @pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed; install it to run this")
    def test_clang_names_it_too(
        self, run: Callable[..., tuple[int, str, str]], bundled_tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CC", "clang")
        self.add_include(bundled_tree, "linux/lost.h")
        status, _, err = run("check", bundled_tree)
        assert status == 3
        assert "includes <linux/lost.h>" in err
