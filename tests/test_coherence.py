# SPDX-License-Identifier: GPL-2.0-only
"""The hand-copied tables of real trees: what they are known to lack, and nothing of a tree that is repaired."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import kernels
import pytest
import readers

from pygfp.cohering import perf
from pygfp.cohering.names import initializer
from pygfp.cohering.values import PROBLEMS
from pygfp.flags import FlagTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Copy = Callable[[Path], Path]
    Run = Callable[..., tuple[int, str, str]]
    Found = dict[str, Any]
    Coherence = Callable[..., Found]

pytestmark = pytest.mark.kernels

MMFLAGS, DEBUG = "include/trace/events/mmflags.h", "mm/debug.c"
PERF, COPY = "tools/perf/builtin-kmem.c", "tools/include/linux/gfp_types.h"
TYPES = "include/linux/gfp_types.h"
LOCKDEP, KASAN, SLAB = "CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS", "CONFIG_SLAB_OBJ_EXT"


#: What is said of the unpacked packages, which no test changes, each made once.
_said: dict[tuple[object, ...], tuple[int, str, str]] = {}


@pytest.fixture
def coherence(run: Run) -> Coherence:
    """Return a function that gives the JSON of ``pygfp coherence``."""

    def call(*arguments: object) -> Found:
        said = _said.get(arguments) or run("coherence", "--format", "json", *arguments)
        if kernels.STORE in getattr(arguments[0], "parents", ()):
            _said[arguments] = said
        status, out, err = said
        assert out, err
        found: Found = json.loads(out)
        assert found["schema"] == "pygfp.coherence/1"
        assert found["exit"] == status
        return found

    return call


def findings(found: Found) -> set[tuple[str, str, str]]:
    return {(f["table"], f["flag"], f["problem"]) for f in found["findings"]}


#: What the kernel's history knows these trees to lack, with the row of the project's list of header bugs.
KASAN_6_1 = ("__GFP_SKIP_ZERO", "__GFP_SKIP_KASAN_UNPOISON", "__GFP_SKIP_KASAN_POISON")
KASAN_6_12 = ("__GFP_SKIP_ZERO", "__GFP_SKIP_KASAN")
ROW_3 = "NOLOCKDEP missing from both tables from 4.19 to 6.14, NO_OBJ_EXT from 6.10 to 6.14"
ROW_4 = "KASAN names in the table of trace events and not in that of %pGg, 6.2 to 6.14"
ROW_18 = "perf kmem lacks NOLOCKDEP, the SKIP flags and ZEROTAGS, and uses NF and R twice"
KNOWN = {
    "source_6_1": {
        ROW_3: {(table, "__GFP_NOLOCKDEP", "missing") for table in ("printk", "tracepoint")},
        ROW_4: {("printk", flag, "missing") for flag in KASAN_6_1},
        ROW_18: {
            *(("perf", flag, "missing") for flag in (*KASAN_6_1, "__GFP_NOLOCKDEP", "__GFP_ZEROTAGS")),
            ("perf", "__GFP_NOFAIL", "ambiguous"),
            ("perf", "__GFP_RECLAIM", "ambiguous"),
        },
    },
    "source_6_12": {
        ROW_3: {(t, f, "missing") for t in ("printk", "tracepoint") for f in ("__GFP_NOLOCKDEP", "__GFP_NO_OBJ_EXT")},
        ROW_4: {("printk", flag, "missing") for flag in KASAN_6_12},
        ROW_18: {
            *(
                ("perf", flag, "missing")
                for flag in (*KASAN_6_12, "__GFP_NOLOCKDEP", "__GFP_ZEROTAGS", "__GFP_NO_OBJ_EXT")
            ),
            ("perf", "__GFP_NOFAIL", "ambiguous"),
            ("perf", "__GFP_RECLAIM", "ambiguous"),
        },
    },
}


class TestKnownOmissions:
    @pytest.mark.parametrize("tree", KNOWN)
    def test_they_are_found_and_nothing_else(
        self, tree: str, request: pytest.FixtureRequest, coherence: Coherence
    ) -> None:
        found = coherence(request.getfixturevalue(tree))
        assert found["exit"] == 1
        assert findings(found) == set().union(*KNOWN[tree].values())

    @pytest.mark.parametrize(("tree", "row"), [(tree, row) for tree, rows in KNOWN.items() for row in rows])
    def test_each_row_of_the_list_is_found(
        self, tree: str, row: str, request: pytest.FixtureRequest, coherence: Coherence
    ) -> None:
        assert KNOWN[tree][row] <= findings(coherence(request.getfixturevalue(tree)))

    def test_a_finding_names_its_configurations_and_place(self, source_6_12: Path, coherence: Coherence) -> None:
        found = coherence(source_6_12)
        assert found["configs"] == 8
        (one,) = [f for f in found["findings"] if f["id"] == "printk.__GFP_NOLOCKDEP.named"]
        assert len(one["configs"]) == 4
        assert all(config[LOCKDEP] for config in one["configs"])
        assert one["config"] == one["configs"][0]
        line = (source_6_12 / one["file"]).read_text().splitlines()[one["line"] - 1]
        assert "__def_gfpflag_names" in line

    def test_a_finding_in_a_row_stands_at_its_line(self, source_6_12: Path, coherence: Coherence) -> None:
        (one,) = [f for f in coherence(source_6_12)["findings"] if f["id"] == "perf.__GFP_NOFAIL.unique"]
        assert '"__GFP_NOFAIL"' in (source_6_12 / PERF).read_text().splitlines()[one["line"] - 1]

    def test_the_copy_for_tools_includes_the_header_there(self, source_6_12: Path, coherence: Coherence) -> None:
        (copy,) = [t for t in coherence(source_6_12)["tables"] if t["table"] == "tools"]
        assert copy["status"] == "compared"
        assert copy["rows"] > 40

    def test_set_narrows_the_configurations(self, source_6_12: Path, coherence: Coherence) -> None:
        found = coherence(source_6_12, "--set", f"{LOCKDEP}=n", "--set", f"{KASAN}=n", "--set", f"{SLAB}=n")
        assert found["configs"] == 1
        assert {f["table"] for f in found["findings"]} == {"perf"}


def replaced(path: Path, *pairs: tuple[str, str]) -> None:
    """Replace each text in the file, exactly once."""
    text = path.read_text()
    for old, new in pairs:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    path.write_text(text)


def under(symbol: str, name: str, flags: str) -> str:
    """Lines that define *name* as rows for *flags* where *symbol* is on, and as nothing elsewhere."""
    rows = "".join(f", gfpflag_string({flag})" for flag in flags.split())
    return f"#ifdef {symbol}\n#define {name} {rows}\n#else\n#define {name}\n#endif\n"


@pytest.fixture(params=["source_6_1", "source_6_12"])
def repaired(request: pytest.FixtureRequest, copy_tree: Copy) -> Path:
    """A tree whose tables name every flag, each once, under the header's own guards."""
    original: Path = request.getfixturevalue(request.param)
    tree = copy_tree(original)
    for file in (DEBUG, PERF, COPY):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original / file, tree / file)
    has_objects = request.param == "source_6_12"
    more = under(LOCKDEP, "names_lockdep", "__GFP_NOLOCKDEP")
    more += under(SLAB, "names_slab", "__GFP_NO_OBJ_EXT") if has_objects else "#define names_slab\n"
    both = "__def_gfpflag_names __def_gfpflag_names_kasan"
    replaced(
        tree / MMFLAGS,
        ("#define show_gfp_flags(flags)", f"{more}#define show_gfp_flags(flags)"),
        (both, f"{both} names_lockdep names_slab"),
    )
    replaced(tree / DEBUG, ("__def_gfpflag_names,", f"{both} names_lockdep names_slab,"))
    lacking = ["__GFP_NOLOCKDEP", "__GFP_ZEROTAGS", *(KASAN_6_12 if has_objects else KASAN_6_1)]
    lacking += ["__GFP_NO_OBJ_EXT"] if has_objects else []
    rows = "".join(f'\t{{ "{flag}", "X{n}" }},\n' for n, flag in enumerate(lacking))
    replaced(
        tree / PERF,
        ('{ "GFP_TRANSHUGE",', rows.lstrip("\t") + '\t{ "GFP_TRANSHUGE",'),
        ('"__GFP_NOFAIL",		"NF"', '"__GFP_NOFAIL", "NFL"'),
        ('"__GFP_RECLAIM",		"R"', '"__GFP_RECLAIM", "RE"'),
    )
    return tree


def own_copy(tree: Path) -> Path:
    """Make the copy for tools a full one."""
    shutil.copy(tree / TYPES, tree / COPY)
    return tree / COPY


class TestRepairedTree:
    def test_nothing_is_found(self, repaired: Path, coherence: Coherence) -> None:
        found = coherence(repaired)
        assert findings(found) == set()
        assert found["exit"] == 0
        assert {t["status"] for t in found["tables"] if t["table"] != "enums"} == {"compared"}

    def test_a_full_copy_for_tools_agrees(self, repaired: Path, coherence: Coherence) -> None:
        own_copy(repaired)
        assert findings(coherence(repaired)) == set()

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("\tgfpflag_string(__GFP_IO),", "\t", {("__GFP_IO", "missing")}),
            (
                "gfpflag_string(__GFP_IO),",
                '{(unsigned long)__GFP_FS, "__GFP_IO"},',
                {("__GFP_IO", "missing"), ("__GFP_IO", "value")},
            ),
            (
                "gfpflag_string(__GFP_IO),",
                "gfpflag_string(__GFP_IO), gfpflag_string(__GFP_IO),",
                {("__GFP_IO", "ambiguous")},
            ),
            (
                "gfpflag_string(__GFP_IO),",
                'gfpflag_string(__GFP_IO), {(unsigned long)0x200UL, "__GFP_NOSUCH"},',
                {("__GFP_NOSUCH", "extra")},
            ),
        ],
        ids=["missing", "value", "ambiguous", "extra"],
    )
    def test_a_broken_row_of_mmflags_is_found_in_both_tables(
        self, repaired: Path, coherence: Coherence, old: str, new: str, expected: set[tuple[str, str]]
    ) -> None:
        replaced(repaired / MMFLAGS, (old, new))
        assert findings(coherence(repaired)) == {(t, *e) for t in ("printk", "tracepoint") for e in expected}

    def test_a_row_that_does_not_compile_is_found_alone(self, repaired: Path, coherence: Coherence) -> None:
        row = '{(unsigned long)(__GFP_IO + nothing()), "__GFP_IO"},'
        replaced(repaired / MMFLAGS, ("gfpflag_string(__GFP_IO),", row))
        expected = {("__GFP_IO", "missing"), ("__GFP_IO", "value")}
        assert findings(coherence(repaired)) == {(t, *e) for t in ("printk", "tracepoint") for e in expected}

    def test_a_row_under_another_guard_is_found(self, repaired: Path, coherence: Coherence) -> None:
        """As from 6.19 to 7.2: the header has a flag always, the table only with a symbol (row 5 of the list)."""
        text = (repaired / MMFLAGS).read_text()
        (repaired / MMFLAGS).write_text(
            text.replace(f"#ifdef {LOCKDEP}\n#define names", "#ifdef CONFIG_OTHER\n#define names")
        )
        found = coherence(repaired)
        assert findings(found) == {(t, "__GFP_NOLOCKDEP", "guard") for t in ("printk", "tracepoint")}
        by_id = {f["id"]: f for f in found["findings"]}
        lost = by_id["printk.__GFP_NOLOCKDEP.named"]["configs"]
        assert {(c[LOCKDEP], c["CONFIG_OTHER"]) for c in lost} == {(True, False)}
        idle = by_id["printk.__GFP_NOLOCKDEP.guarded"]["configs"]
        assert {(c[LOCKDEP], c["CONFIG_OTHER"]) for c in idle} == {(False, True)}

    def test_only_the_array_of_the_kernel_counts_for_printk(self, repaired: Path, coherence: Coherence) -> None:
        text = (repaired / DEBUG).read_text()
        (repaired / DEBUG).write_text(text.replace(" names_lockdep names_slab,", " names_slab,"))
        assert findings(coherence(repaired)) == {("printk", "__GFP_NOLOCKDEP", "missing")}

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('{ "__GFP_IO",			"I" },', "", ("__GFP_IO", "missing")),
            ('{ "__GFP_IO",			"I" },', '{ "__GFP_IO", "F" },', ("__GFP_FS", "ambiguous")),
            ('{ "__GFP_IO",			"I" },', '{ "__GFP_IO", "I" }, { "__GFP_OLD", "O" },', ("__GFP_OLD", "extra")),
            ('{ "__GFP_IO",			"I" },', '{ "__GFP_IO", "I" }, { "__GFP_IO", "J" },', ("__GFP_IO", "ambiguous")),
        ],
        ids=["missing", "code twice", "extra", "name twice"],
    )
    def test_a_broken_row_of_perf_is_found(
        self, repaired: Path, coherence: Coherence, old: str, new: str, expected: tuple[str, str]
    ) -> None:
        replaced(repaired / PERF, (old, new))
        assert findings(coherence(repaired)) == {("perf", *expected)}

    @pytest.mark.parametrize("form", ["text", "json", "ktap", "junit", "sarif", "github"])
    def test_names_of_any_text_are_shown_and_no_trouble(self, repaired: Path, run: Run, form: str) -> None:
        rows = '{ "a b", "1" }, { "a-b", "2" }, { "", "3" }, { "\x1b[2J", "4" }, { "__GFP_IO", "I" },'
        replaced(repaired / PERF, ('{ "__GFP_IO",			"I" },', rows))
        replaced(repaired / MMFLAGS, ("gfpflag_string(__GFP_IO),", 'gfpflag_string(__GFP_IO), {0x200UL, "a b"},'))
        status, out, _ = run("coherence", "--format", form, repaired)
        assert status == 1
        assert "a b" in out
        assert "\x1b" not in out

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (r"#define __GFP_IO\s.*", "#define __GFP_IO ((gfp_t)0x20u)", {("__GFP_IO", "value")}),
            (r"#define __GFP_IO\s.*", "", {("__GFP_IO", "missing")}),
            (r"#define __GFP_IO\s.*", r"\g<0>\n#define __GFP_EXTRA ((gfp_t)0x200u)", {("__GFP_EXTRA", "extra")}),
            (r"#define __GFP_NOLOCKDEP\s.*", "#define __GFP_NOLOCKDEP ((gfp_t)0)", {("__GFP_NOLOCKDEP", "guard")}),
        ],
        ids=["value", "missing", "extra", "guard"],
    )
    def test_a_copy_that_drifts_is_found(
        self, repaired: Path, coherence: Coherence, old: str, new: str, expected: set[tuple[str, str]]
    ) -> None:
        copy = own_copy(repaired)
        text, n = re.subn(old, new, copy.read_text())
        assert n == 1
        copy.write_text(text)
        found = findings(coherence(repaired))
        assert {("tools", *e) for e in expected} <= found
        # What is made of the flag changes with it, and nothing else.
        assert {table for table, _, _ in found} == {"tools"}
        assert {problem for _, _, problem in found} <= {problem for _, problem in expected} | {"missing", "value"}


class TestEnums:
    """Trace events name a flag by its enumerator, and a tool decodes it only if its value is told (row 2)."""

    def test_an_enumerator_that_is_not_told_is_found(
        self, source_6_12: Path, copy_tree: Copy, coherence: Coherence
    ) -> None:
        tree = copy_tree(source_6_12)
        before = findings(coherence(tree))
        replaced(tree / MMFLAGS, ("\tTRACE_GFP_EM(IO)\t\t\t\\\n", ""))
        assert findings(coherence(tree)) - before == {("enums", "__GFP_IO", "missing")}

    def test_flags_that_are_numbers_need_none(self, source_6_1: Path, coherence: Coherence) -> None:
        (enums,) = [t for t in coherence(source_6_1)["tables"] if t["table"] == "enums"]
        assert enums["status"] == "absent"
        assert "no enumerators" in enums["message"]


class TestAbsentFiles:
    """They are named, and are no failures; where none is there, nothing was compared."""

    def test_a_headers_package_has_no_tools(self, headers_6_12: Path, run: Run) -> None:
        out = run("coherence", headers_6_12)[1]
        assert f"absent  {PERF}" in out
        assert f"absent  {COPY}" in out
        assert f"{DEBUG} is not in this source" in " ".join(out.split())

    def test_a_tree_without_any_could_not_be_checked(self, bundled_tree: Path, coherence: Coherence) -> None:
        found = coherence(bundled_tree)
        assert found["exit"] == 3
        assert {t["status"] for t in found["tables"]} == {"absent"}

    @pytest.mark.parametrize("file", [PERF, COPY])
    def test_one_that_is_missing_changes_nothing_else(self, repaired: Path, coherence: Coherence, file: str) -> None:
        (repaired / file).unlink()
        found = coherence(repaired)
        assert found["exit"] == 0
        assert [t["file"] for t in found["tables"] if t["status"] == "absent" and t["table"] != "enums"] == [file]

    @pytest.mark.parametrize(
        ("file", "text"),
        [(PERF, "int main(void) { }\n"), (PERF, "\x00\xff{{{"), (MMFLAGS, "#error no\n"), (COPY, "#error no\n")],
    )
    def test_one_that_cannot_be_read_is_an_error(
        self, repaired: Path, coherence: Coherence, file: str, text: str
    ) -> None:
        (repaired / file).write_text(text)
        found = coherence(repaired)
        assert found["exit"] == 3
        assert findings(found) == set()
        assert file in {t["file"] for t in found["tables"] if t["status"] == "error"}

    def test_one_that_is_a_directory_or_a_pipe_is_an_error(self, repaired: Path, run: Run) -> None:
        (repaired / PERF).unlink()
        (repaired / PERF).mkdir()
        status, _, err = run("coherence", repaired)
        assert status == 3
        assert "builtin-kmem.c" in err

    def test_an_output_that_is_a_directory_is_refused(self, run: Run, tmp_path: Path) -> None:
        assert run("coherence", tmp_path, "-o", tmp_path)[0] == 2

    def test_a_revision_has_its_tools_too(self, repaired: Path, coherence: Coherence) -> None:
        git = ["git", "-C", str(repaired), "-c", "user.name=x", "-c", "user.email=x@y"]
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *arguments], check=True)
        (repaired / PERF).unlink()
        found = coherence(f"{repaired}@HEAD")
        assert found["exit"] == 0
        assert {t["status"] for t in found["tables"] if t["table"] != "enums"} == {"compared"}

    def test_no_tree(self, run: Run, tmp_path: Path) -> None:
        assert run("coherence", tmp_path)[0] == 3


class TestFormats:
    def test_text_has_problem_place_and_configuration(self, source_6_12: Path, run: Run) -> None:
        status, out, _ = run("coherence", "-q", source_6_12)
        assert status == 1
        assert re.search(rf"MISSING {MMFLAGS}:\d+: __GFP_NOLOCKDEP\n .*\n  with LOCKDEP\n", out)
        assert out.splitlines()[-1] == "FAIL: 13 findings, 5 tables compared"

    def test_ktap_is_read_by_the_kernels_own_parser(self, source_6_12: Path, run: Run) -> None:
        status, out, _ = run("coherence", "--format", "ktap", source_6_12)
        found = readers.kunit(source_6_12, out)
        failed = {name for name, outcome in found.outcomes.items() if outcome == "failed"}
        assert status == 1
        assert len(failed) == 13
        assert "printk.__GFP_NOLOCKDEP.named" in failed

    def test_ktap_of_a_repaired_tree_passes(self, source_6_12: Path, repaired: Path, run: Run) -> None:
        status, out, _ = run("coherence", "--format", "ktap", repaired)
        assert status == 0
        assert set(readers.kunit(source_6_12, out).outcomes.values()) <= {"passed", "skipped"}

    def test_ids_are_the_same_in_every_format(self, source_6_12: Path, run: Run, coherence: Coherence) -> None:
        ids = {f["id"] for f in coherence(source_6_12)["findings"]}
        for form in ("junit", "sarif", "github"):
            out = run("coherence", "--format", form, source_6_12)[1]
            assert all(i in out or i.split(".", 1)[1] in out for i in ids), form

    def test_problems_are_those_that_were_promised(self, source_6_12: Path, coherence: Coherence) -> None:
        assert {f["problem"] for f in coherence(source_6_12)["findings"]} <= set(PROBLEMS)


class TestReading:
    def test_an_array_is_found_by_its_name(self) -> None:
        text = (
            b"static int a[] = { 1 };\nint f(void) { int b[] = { 2 }; return b[0]; }\nconst struct x b[] = { 3, 4 };\n"
        )
        assert initializer(text, b"b") == (" 3, 4 ", 3)
        assert initializer(text, b"c") is None

    def test_comments_in_a_table_are_no_rows(self) -> None:
        text = b'struct { } gfp_compact_table[] = {\n/* { "__GFP_IO", "I" }, */\n\t{ "__GFP_FS", "F" },\n};\n'
        table = FlagTable({"__GFP_IO": 0x40, "__GFP_FS": 0x80})
        made, sightings = perf.compare(text, [({}, table)])
        assert made.rows == 1
        assert {(s.flag, s.problem, s.line) for s in sightings if s.aspect != "named"} == {("__GFP_FS", "", 3)}
        assert {(s.flag, s.problem) for s in sightings if s.problem} == {("__GFP_IO", "missing")}
