# SPDX-License-Identifier: GPL-2.0-only
"""
Every status is reachable through the real command, and says in every format what its exit code says.

A run is made once for each edit of a header and shown in each format. That nothing was compared never passes.
"""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import readers
from test_formats import GFP_H, TYPES_H, broken, edit, unbuildable, with_news
from test_sites import tree_with

from pygfp.cli import main
from pygfp.native import pool
from pygfp.render.formats import COMMON, FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]
    Edit = Callable[[Path], object]

#: What says of a whole report that all is well.
GOOD = re.compile(r"\b(?:PASS|NO CHANGE|ALL HOLD|AS KNOWN|DONE)\b|^ok\b", re.MULTILINE)
WORDS = {0: ("PASS", "NO CHANGE"), 1: ("FAIL", "CHANGED"), 3: ("COULD NOT BE",)}


def honest(name: str, out: str, status: int) -> None:
    """What *out*, in format *name*, says of the whole run is what *status* says."""
    if name == "json":
        assert json.loads(out)["exit"] == status
        return
    lines = out.splitlines()
    if name == "text":
        # The heading and the verdict; what stands between is about one subject each.
        assert lines[-1].startswith(WORDS[status]), lines[-1]
        assert bool(GOOD.search(lines[-1].partition(":")[0])) == (status == 0)
        assert not GOOD.search(lines[0])
    elif name == "ktap":
        assert lines[-1].removeprefix("# ").startswith(WORDS[status]), lines[-1]
        suites = [line for line in lines if re.match(r"(?:not )?ok ", line)]
        assert all(line.startswith("ok ") for line in suites) == (status == 0), suites
        assert suites
    else:
        found = readers.READERS[name](out)
        assert found.clean == (status == 0)
        if name == "sarif":
            (invocation,) = json.loads(out)["runs"][0]["invocations"]
            assert (invocation["exitCode"], invocation["executionSuccessful"]) == (status, status != 3)
        verdicts = {
            "junit": lambda: re.search(r'name="verdict" value="([^"]*)"', out)[1],  # type: ignore[index]
            "sarif": lambda: json.loads(out)["runs"][0]["invocations"][0]["exitCodeDescription"],
            "github": lambda: lines[-1],
        }
        assert verdicts[name]().startswith(WORDS[status])


class Shown:
    """One run of a command, shown in as many ways as are asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, run: Run, makes: str, *words: object) -> None:
        """*makes* is the function that makes the report; it is called once, by the first command."""
        self.run, self.words = run, words
        made: list[object] = []
        name, _, function = makes.rpartition(".")
        # By its name as a module: the package has functions of some of these names.
        module = importlib.import_module(name)
        original = getattr(module, function)

        def once(*arguments: object, **more: object) -> object:
            if not made:
                made.append(original(*arguments, **more))
            return made[0]

        monkeypatch.setattr(module, function, once)

    def __call__(self, *options: str) -> tuple[int, str]:
        status, out, _ = self.run(*self.words, *options)
        return status, out

    def everywhere(self, status: int, *options: str) -> dict[str, str]:
        """The text in each format, after looking whether each is honest."""
        texts = {}
        for name in FORMATS:
            code, out = self(*options, "--format", name)
            assert code == status, (name, out)
            honest(name, out, status)
            texts[name] = out
        return texts


def whole(_: Path) -> None:
    """No edit at all."""


def without_nested(tree: Path) -> None:
    """A tree of a release that had no nested filter yet, and has none."""
    (tree / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 1\n")
    edit(tree, "gfp_t gfp_nested_mask(gfp_t flags)", "gfp_t gfp_quite_another(gfp_t flags, int n)")


@dataclass(frozen=True)
class Case:
    """
    An edit, and what a check has to say of it.

    :ivar helper: what is judged
    :ivar found: a status that must be among those found
    :ivar exit: the exit code, and that of ``--strict``
    """

    edit: Edit
    helper: str
    found: str
    exit: int
    strict: int


CHECKS = {
    "pass": Case(whole, "gfp_nested_mask", "pass", 0, 0),
    "fail": Case(broken, "gfp_nested_mask", "fail", 1, 1),
    "error": Case(unbuildable, "gfp_has_io_fs", "error", 3, 3),
    "error-beside-passes": Case(unbuildable, "gfp_*", "error", 3, 3),
    "absent-alone": Case(without_nested, "gfp_nested_mask", "absent", 3, 1),
    "absent-beside-passes": Case(without_nested, "gfp_[nz]*", "absent", 0, 1),
    "unmodelled": Case(with_news, "gfp_[iz]*", "unmodelled", 0, 1),
    "unmodelled-alone": Case(with_news, "gfp_is_new", "unmodelled", 3, 1),
    "undecided": Case(with_news, "gfp_nested_mask", "undecided", 0, 1),
}


class TestCheck:
    @pytest.mark.parametrize("name", CHECKS)
    def test_each_status_is_reached_and_said(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path, name: str
    ) -> None:
        case = CHECKS[name]
        case.edit(bundled_tree)
        shown = Shown(monkeypatch, run, "pygfp.cli.check._report", "check", bundled_tree, "--helper", case.helper)
        for status, options in ((case.exit, ()), (case.strict, ("--strict",))):
            texts = shown.everywhere(status, *options)
            counts = Counter(c["status"] for c in json.loads(texts["json"])["checks"])
            assert case.found in counts
            verdict = texts["text"].splitlines()[-1]
            said = {s: int(n) for n, s in re.findall(r"(\d+) ([a-z]+)\b", verdict.partition(";")[0])}
            assert said == counts
            code, out = shown(*options, "-q")
            assert code == status
            honest("text", out, status)
            # A quiet run tells what counts against the source, and nothing else.
            told = set(re.findall(r"^([A-Z]+) \S", out.rpartition("\n" + out.splitlines()[-1])[0], re.MULTILINE))
            against = {"fail", "error", *(("undecided", "unmodelled", "absent") if options else ())}
            assert told == {s.upper() for s in counts if s in against}

    def test_every_status_there_is_has_a_case(self) -> None:
        from pygfp.report import STATUSES  # noqa: PLC0415 - the list that the cases must cover

        assert {c.found for c in CHECKS.values()} == set(STATUSES)


def moved(tree: Path) -> None:
    """Two flags change places."""
    path = tree / TYPES_H
    text = path.read_text()
    swapped = text.replace("\t___GFP_IO_BIT,\n\t___GFP_FS_BIT,", "\t___GFP_FS_BIT,\n\t___GFP_IO_BIT,")
    assert swapped != text
    path.write_text(swapped)


def removed(tree: Path) -> None:
    """A helper is gone."""
    edit(tree, "bool gfp_has_io_fs(gfp_t gfp)", "bool gfp_has_io_fs(gfp_t gfp, int n)")
    text = (tree / GFP_H).read_text().replace("gfp_has_io_fs(gfp_t gfp, int n)", "gfp_no_more(int n, int gfp)")
    (tree / GFP_H).write_text(text)


#: An edit, the kind of change that must be found, the exit code, and that of bisect.
DIFFS: dict[str, tuple[Edit, str, int, int]] = {
    "changed": (broken, "changed", 1, 1),
    "added": (with_news, "added", 1, 1),
    "removed": (removed, "removed", 1, 1),
    "moved": (moved, "moved", 1, 1),
    "broken": (unbuildable, "broken", 1, 125),
    "none": (lambda tree: edit(tree, "/* The zone that", "/* Once more: the zone that"), "", 0, 0),
}


class TestDiff:
    @pytest.mark.parametrize("name", DIFFS)
    def test_each_kind_of_change_is_reached_and_said(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path, name: str
    ) -> None:
        change, kind, status, bisect = DIFFS[name]
        change(bundled_tree)
        shown = Shown(monkeypatch, run, "pygfp.cli.diff._report", "diff", "bundled", bundled_tree)
        texts = shown.everywhere(status)
        report = json.loads(texts["json"])
        assert {c["change"] for c in report["changes"]} >= ({kind} if kind else set())
        assert bool(report["changes"]) == bool(kind)
        ways = Counter(c["change"] for c in report["changes"])
        verdict = texts["text"].splitlines()[-1]
        assert all(f"{n} {way}" in verdict for way, n in ways.items())
        # What b4 and editors read: a line for each change, and nothing where nothing changes.
        code, out = shown("-q")
        lines = out.splitlines()
        assert code == status
        assert all(re.match(r"\S+:\d+: (?:ERROR|WARNING): \S", line) for line in lines), out
        assert len(lines) >= len(report["changes"])
        assert bool(lines) == bool(status)
        assert not GOOD.search(out)
        assert shown("--bisect")[0] == bisect

    def test_the_same_text_is_no_change_and_says_that_nothing_was_compiled(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path
    ) -> None:
        shown = Shown(monkeypatch, run, "pygfp.cli.diff._report", "diff", bundled_tree, bundled_tree)
        texts = shown.everywhere(0)
        assert json.loads(texts["json"])["identical"] is True
        assert "nothing was compiled" in texts["text"].splitlines()[-1]

    def test_a_change_that_cannot_be_compared_is_no_change_in_no_format(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path
    ) -> None:
        # It crashes on both sides, in another way on each: there is nothing to compare.
        edit(bundled_tree, "\treturn manners | (context & flags);", "\t__builtin_trap();")
        shown = Shown(
            monkeypatch,
            run,
            "pygfp.cli.diff._report",
            "diff",
            bundled_tree,
            crashing(bundled_tree),
            "--helper",
            "gfp_nested_mask",
        )
        texts = shown.everywhere(3)
        assert json.loads(texts["json"])["problems"]
        code, out = shown("-q")
        assert code == 3
        assert re.search(r": ERROR: not compared: ", out)


def crashing(tree: Path) -> Path:
    """A copy of *tree* that crashes where it does, in another way."""
    copy = tree.with_name("copy")
    for path in sorted(tree.rglob("*.h")):
        target = copy / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text().replace("__builtin_trap();", "*(volatile int *)8 = 1;\n\treturn flags;"))
    return copy


def stackdepot(body: str) -> Edit:
    """The edit that gives a tree a stack depot of our own, with *body*."""

    def change(tree: Path) -> None:
        (tree / "lib").mkdir()
        text = f"void *stack_depot_save_flags(gfp_t alloc_flags, int how)\n{{\n\treturn alloc_pages({body}, 2);\n}}\n"
        (tree / "lib/stackdepot.c").write_text(text)

    return change


def without_filters(tree: Path) -> None:
    """No filter of its own, and places that hand their mask on: there is nothing to judge."""
    edit(tree, "gfp_nested_mask(", "gfp_other_mask(")


#: An edit, the exit code, the word, and how many filters break a law.
NESTED: dict[str, tuple[Edit, int, str]] = {
    "holds": (whole, 0, "ALL HOLD"),
    "breaks": (lambda tree: edit(tree, "__GFP_HIGH | __GFP_NOLOCKDEP;", "__GFP_HIGH | __GFP_DMA;"), 1, "BROKEN"),
    "error": (stackdepot("gfp_nested_mask(alloc_flags) & how"), 3, "COULD NOT BE CHECKED: 1 of"),
    "no-filter": (without_filters, 3, "COULD NOT BE CHECKED: there is no filter"),
    "claim": (
        lambda tree: edit(tree, "#define GFP_ZONEMASK", "#define GFP_ZONEMASKS", TYPES_H),
        3,
        "COULD NOT BE CHECKED: 1 claim",
    ),
}


class TestNested:
    @pytest.mark.parametrize("name", NESTED)
    def test_each_verdict_is_reached_and_said(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path, name: str
    ) -> None:
        change, status, word = NESTED[name]
        change(bundled_tree)
        shown = Shown(monkeypatch, run, "pygfp.nested.nested", "nested", bundled_tree)
        code, out = shown("--format", "json")
        assert (code, json.loads(out)["exit"]) == (status, status)
        for options in ((), ("-q",)):
            code, out = shown(*options)
            assert code == status
            assert out.splitlines()[-1].startswith(word), out.splitlines()[-1]
            assert not (status and GOOD.search(out.splitlines()[0] + out.splitlines()[-1]))


AUDITED = "void *nested_{name}(gfp_t gfp)\n{{\n\treturn take(8, {what});\n}}\n"
SITES = {
    "equal": ("gfp_nested_mask(gfp)", 0, "DONE"),
    "differs": ("gfp & ~__GFP_ZERO", 1, "BROKEN"),
    "unknown": ("strange(gfp, 1) & ~__GFP_ZERO", 3, "COULD NOT BE CHECKED"),
}


class TestAudit:
    @pytest.mark.parametrize("name", SITES)
    def test_each_verdict_on_a_site_is_reached_and_said(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path, name: str
    ) -> None:
        what, status, word = SITES[name]
        tree = tree_with(tmp_path / "tree", one=AUDITED.format(name=name, what=what))
        shown = Shown(monkeypatch, run, "pygfp.audit.audit", "audit", tree, "mm")
        code, out = shown("--check", "--format", "json")
        report = json.loads(out)
        assert (code, report["exit"]) == (status, status)
        assert [s["nested"] for s in report["sites"]] == [name]
        for options in ((), ("-q",)):
            code, out = shown("--check", *options)
            assert code == status
            assert out.splitlines()[-1].startswith(word)
        # Without --check a site is no failure.
        code, out = shown()
        assert (code, out.splitlines()[-1][:5]) == (0, "DONE:")

    def test_no_file_at_all_is_not_done(self, run: Run, bundled_tree: Path) -> None:
        (bundled_tree / "mm").mkdir()
        code, out, _ = run("audit", bundled_tree, "mm")
        assert code == 3
        assert out.splitlines()[-1].startswith("COULD NOT BE CHECKED")


ALL_ON = tuple(w for s in ("LOCKDEP", "KASAN_HW_TAGS", "SLAB_OBJ_EXT") for w in ("--set", f"CONFIG_{s}=y"))


def named(tree: Path, *, but: str = "", more: str = "") -> None:
    """A table of names for *tree*, in our own words: a row for every flag of its header."""
    found = re.findall(r"^#define\s+((?:__)?GFP_[A-Z0-9_]+)\s+(?!\d)", (tree / TYPES_H).read_text(), re.MULTILINE)
    names = [n for n in dict.fromkeys(found) if n != but and "BITS" not in n and not n.endswith("_H")]
    rows = [f'{{(unsigned long){n}, "{n}"}}' for n in names] + ([more] if more else [])
    (tree / "include/trace/events").mkdir(parents=True, exist_ok=True)
    bits = re.findall(r"^\t(___GFP_\w+_BIT)\b", (tree / TYPES_H).read_text(), re.MULTILINE)
    (tree / "include/trace/events/mmflags.h").write_text(
        "".join(f"TRACE_DEFINE_ENUM({bit});\n" for bit in bits)
        + "#define __def_gfpflag_names "
        + ", \\\n\t".join(rows)
        + "\n"
        '#define show_gfp_flags(flags) (flags) ? __print_flags(flags, "|", __def_gfpflag_names) : "none"\n'
    )


#: What is done to a table that fits, the problem that must be found, and the exit code.
TABLES: dict[str, tuple[Edit, str, int]] = {
    "agrees": (named, "", 0),
    "missing": (lambda tree: named(tree, but="__GFP_IO"), "missing", 1),
    "value": (lambda tree: named(tree, but="__GFP_IO", more='{0x1UL, "__GFP_IO"}'), "value", 1),
    "extra": (lambda tree: named(tree, more='{0x2UL, "__GFP_NOPE"}'), "extra", 1),
    "no-table": (whole, "", 3),
}


class TestCoherence:
    @pytest.mark.parametrize("name", TABLES)
    def test_each_problem_is_reached_and_said(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, bundled_tree: Path, name: str
    ) -> None:
        change, problem, status = TABLES[name]
        change(bundled_tree)
        shown = Shown(monkeypatch, run, "pygfp.coherence.coherence", "coherence", bundled_tree, *ALL_ON)
        for form in FORMATS:
            code, out = shown("--format", form)
            assert code == status, (form, out)
            honest(form, out, status)
            if form == "json":
                found = {f["problem"] for f in json.loads(out)["findings"]}
                assert problem in found if problem else not found
            elif problem and form == "text":
                assert problem.upper() in out
            elif problem:
                assert problem in out


#: Workers that answer, and compare nothing, or half of what they are asked.
_LYING = (
    "import sys; sys.path[:0] = sys.argv[1:]; sys.dont_write_bytecode = True; from pygfp.native import worker; "
    "true = worker._tally; worker._tally = lambda t: {{**true(t), {}}}; worker.main()"
)
WORKERS = {
    "compares nothing": (_LYING.format("'inputs': 0, 'mismatches': 0"), r"0 inputs were compared, and not"),
    "compares half": (_LYING.format("'inputs': true(t)['inputs'] // 2"), r"inputs were compared, and not"),
    "ends": ("pass", r"ends the process with status 0"),
    "says nothing that can be read": ("print('[' * 100000, flush=True); input()", r"writes over the answers"),
    "says something else": ("print('{}', flush=True); input()", r"writes over the answers"),
    "never ends a line": ("import sys\nwhile 1: sys.stdout.write('x' * 65536)", r"writes over the answers"),
}


class TestNothingCompared:
    """That nothing was compared is never shown as a pass."""

    @pytest.mark.parametrize("name", WORKERS)
    def test_workers_that_lie_or_die(self, run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        start, words = WORKERS[name]
        pool._stop_spares()
        monkeypatch.setattr(pool, "_START", start)
        status, out, err = run("check", "bundled", "--helper", "gfp_nested_mask", "-j", "1")
        pool._stop_spares()
        assert status == 3, out
        assert re.search(words, err), err
        assert not GOOD.search(out)

    @pytest.mark.parametrize("command", ["diff", "nested", "audit", "explain"])
    def test_no_other_command_takes_an_empty_sweep_for_a_proof(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
    ) -> None:
        # No filter: one that is would be known by its machine code, and need no sweep.
        choice = "(gfp & __GFP_IO ? gfp & ~__GFP_ZERO : gfp & ~__GFP_FS)"
        tree = tree_with(tmp_path / "other", one=AUDITED.format(name="x", what=choice))
        words = {
            "diff": ("diff", "bundled", tree),
            "nested": ("nested", tree),
            "audit": ("audit", tree, "mm", "--check"),
            "explain": ("explain", "gfp_nested_mask", "--source", tree),
        }
        edit(tree, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;")
        pool._stop_spares()
        monkeypatch.setattr(pool, "_START", WORKERS["compares nothing"][0])
        status, out, err = run(*words[command])
        pool._stop_spares()
        assert status == 3, out
        assert "0 inputs were compared, and not" in err + out
        assert not GOOD.search(out)

    @pytest.mark.parametrize(
        ("arguments", "status", "words"),
        [
            (("--helper", "no_such_*"), 2, "no_such_"),
            (("--helper", ""), 2, "helper"),
            (("--set", "CONFIG_LOCKDEP=y", "--set", "CONFIG_LOCKDEP=n"), 2, "both"),
        ],
        ids=["no-such-helper", "empty-helper", "both-values"],
    )
    def test_what_selects_nothing_is_wrong_usage(
        self, run: Run, arguments: tuple[str, ...], status: int, words: str
    ) -> None:
        for name in FORMATS:
            code, out, err = run("check", "bundled", *arguments, "--format", name)
            assert (code, out) == (status, "")
            assert words in err

    def test_a_configuration_that_cannot_be_is_no_pass(self, run: Run, bundled_tree: Path) -> None:
        edit(
            bundled_tree,
            "#include <linux/gfp_types.h>",
            "#include <linux/gfp_types.h>\n#ifdef CONFIG_NUMA\n#error no\n#endif",
        )
        status, out, err = run("check", bundled_tree, "--set", "CONFIG_NUMA=y")
        assert status == 3
        assert "no" in out + err
        assert not GOOD.search(out)

    def test_a_header_that_shrinks_its_mask_does_not_shrink_the_check(
        self, check_json: Callable[..., dict[str, Any]], bundled_tree: Path
    ) -> None:
        path = bundled_tree / TYPES_H
        text, n = re.subn(r"#define __GFP_BITS_SHIFT\t.*", "#define __GFP_BITS_SHIFT 0", path.read_text())
        assert n == 1
        path.write_text(text)
        report = check_json(bundled_tree)
        assert report["exit"] == 1
        assert {c["inputs"] for c in report["checks"] if c["kind"] == "helper" and c["status"] == "pass"} == {1 << 27}

    @pytest.mark.parametrize("name", [*COMMON, "text", "json"])
    def test_a_source_that_cannot_be_read_says_nothing_good(
        self, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for command in ("check", "diff", "coherence"):
            more = [str(tmp_path / "neither")] if command == "diff" else []
            assert main([command, str(tmp_path / "nothing"), *more, "--format", name]) == 3
            captured = capsys.readouterr()
            assert captured.err
            if captured.out:
                honest(name, captured.out, 3)
