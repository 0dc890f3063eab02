# SPDX-License-Identifier: GPL-2.0-only
"""Baselines: what is accepted passes, what differs from it fails, and the file reads well in review."""

from __future__ import annotations

import difflib
import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import readers
from test_formats import GFP_H, TYPES_H, broken, edit, unbuildable, with_news

from pygfp import sources
from pygfp.baselines.compare import ALWAYS, Baseline, apply, of_report
from pygfp.baselines.text import dump, load
from pygfp.baselines.value import difference, words
from pygfp.check import Options, check
from pygfp.config import Selection
from pygfp.errors import BaselineError
from pygfp.report import Check, Report, SourceInfo, Witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

TREES = ("bundled_tree", "headers_6_1", "headers_6_12")
SOURCE = SourceInfo("tree", "tree", None, "v6.12", "6.12.1", "0")
NONE, LOCKDEP = {"CONFIG_LOCKDEP": False}, {"CONFIG_LOCKDEP": True}
NUMA_TOO = {"CONFIG_LOCKDEP": True, "CONFIG_NUMA": True}


def of_tree(tree: Path) -> Report:
    return check(sources.tree(tree), Selection(), Options())


def louder(root: Path) -> None:
    """Make GFP_NOIO of any release one flag more."""
    headers = [root / "include/linux" / name for name in ("gfp_types.h", "gfp.h")]
    texts = {p: p.read_text() for p in headers if p.is_file()}
    for path, text in texts.items():
        path.write_text(re.sub(r"^(#define GFP_NOIO\s+)(.*)$", r"\1(__GFP_ZERO | \2)", text, flags=re.MULTILINE))
    assert texts != {p: p.read_text() for p in texts}


def flags(*names: str) -> dict[str, Any]:
    return {"flags": [f"__GFP_{n}" for n in names]}


def composite(status: str = "pass", *names: str, config: dict[str, bool] | None = None, **more: Any) -> Check:  # noqa: ANN401
    """A verdict on GFP_X, which is *names*."""
    slug = "" if config is None else "." + ("LOCKDEP" if config.get("CONFIG_LOCKDEP") else "none")
    given = {"form": flags(*names), "inputs": 1, "mismatches": int(status == "fail"), **more}
    return Check(f"composite.GFP_X{slug}", "GFP_X", "composite", status, config or {}, **given)


def report(*checks: Check, layout: tuple[Any, ...] = ()) -> Report:
    return Report(SOURCE, checks, "gcc", 1, 27, "every value", layout=layout)


def judged(was: Report, now: Report, pattern: str | None = None) -> dict[str, Check]:
    """The verdicts on *now* in the light of what *was*, after a round through text."""
    saved = load(dump(of_report(was, "base.toml")), "base.toml")
    return {c.id: c for c in apply(now, saved, pattern).checks}


class TestRoundTrip:
    """What is saved is what is loaded; the same report gives the same bytes."""

    CASES = (
        *((tree, change) for tree in TREES for change in (None, louder)),
        ("bundled_tree", broken),
        ("bundled_tree", with_news),
    )

    @pytest.mark.parametrize(("tree", "change"), CASES)
    def test_every_report(self, tree: str, change: Any, request: pytest.FixtureRequest) -> None:  # noqa: ANN401
        root = request.getfixturevalue(tree)
        if change:
            root = root if tree == "bundled_tree" else request.getfixturevalue("copy_tree")(root)
            change(root)
            assert of_tree(root).exit_status(strict=True) == 1
        found = of_tree(root)
        saved = of_report(found, "base.toml")
        assert len(saved.values) > 15
        assert load(dump(saved), "base.toml") == saved
        assert dump(load(dump(saved), "base.toml")) == dump(of_report(of_tree(root), "base.toml"))
        again = apply(found, saved)
        assert {c.status for c in again.checks} <= {"pass", "absent"}
        assert again.exit_status() == 0

    def test_the_order_of_checks_does_not_show(self, bundled_tree: Path) -> None:
        found = of_tree(bundled_tree)
        turned = replace(found, checks=found.checks[::-1], layout=found.layout[::-1])
        assert dump(of_report(turned, "b")) == dump(of_report(found, "b"))

    def test_neither_path_nor_time_nor_compiler_shows(self, bundled_tree: Path, tmp_path: Path) -> None:
        moved = shutil.copytree(bundled_tree, tmp_path / "elsewhere")
        assert dump(of_report(of_tree(moved), "b")) == dump(of_report(of_tree(bundled_tree), "a"))

    @pytest.mark.parametrize("text", ['quo"te', "back\\slash", "new\nline", "\x1b[2J", "\x7f", "\U0001f600", "\u2028"])
    def test_any_text_survives(self, text: str) -> None:
        saved = Baseline("b", fails={text: text})
        assert load(dump(saved), "b") == saved

    @pytest.mark.parametrize(
        "configs",
        [
            [""],
            ["A"],
            ["", "A"],
            ["", "A", "B", "A-B"],
            ["", "A", "B"],
            ["B", "A-B", "A-B-C", "C"],
            ["", "A", "B", "C", "A-B", "A-C", "B-C", "A-B-C"],
        ],
        ids="/".join,
    )
    def test_every_condition_is_read_back(self, configs: list[str]) -> None:
        names = [c or "none" for c in configs]
        for chosen in range(1, 1 << len(names)):
            has = {c: {"is": frozenset({"IO"})} if chosen >> n & 1 else {} for n, c in enumerate(names)}
            saved = Baseline("b", values={"composite.GFP_X": dict(has)})
            assert load(dump(saved), "b") == saved, dump(saved)


EDITS = {
    "nested mask keeps a flag": (GFP_H, "| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;", "ZERO"),
    "nested mask keeps no more": (GFP_H, "| __GFP_NOLOCKDEP;", ";", "NOLOCKDEP"),
    "composite gains a flag": (
        TYPES_H,
        "(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)",
        "(__GFP_NOWARN)",
        "KSWAPD_RECLAIM",
    ),
}


class TestText:
    """The file is read by people, in review."""

    @pytest.mark.parametrize("tree", TREES)
    def test_it_is_small_and_narrow(self, tree: str, request: pytest.FixtureRequest) -> None:
        text = dump(of_report(of_tree(request.getfixturevalue(tree)), "b"))
        assert len(text) < 6000
        assert max(map(len, text.splitlines())) <= 120

    def test_the_nested_mask_reads_like_its_policy(self, bundled_tree: Path) -> None:
        text = dump(of_report(of_tree(bundled_tree), "b"))
        assert '["helper.gfp_nested_mask"]\nconfigurations = "none LOCKDEP"\n' in text
        assert 'force = "NOMEMALLOC NORETRY NOWARN"\nkeep = "DIRECT_RECLAIM FS HIGH IO KSWAPD_RECLAIM"\n' in text
        assert '"keep with LOCKDEP" = "NOLOCKDEP"\n' in text

    @pytest.mark.parametrize("change", EDITS)
    def test_one_changed_flag_is_one_or_two_lines_a_subject(self, bundled_tree: Path, change: str) -> None:
        file, old, new, flag = EDITS[change]
        before = dump(of_report(of_tree(bundled_tree), "b"))
        after = dump(of_report(of_tree(edit(bundled_tree, old, new, file)), "b"))
        assert ("accepted failures" in after) == ("nested" in change)
        after = after.split('\n["accepted failures"]')[0]
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
        changed = [line for line in lines if not line.startswith("@@")]
        if change == "nested mask keeps no more":
            # It depends on no symbol any more, and what it depended on goes too.
            assert changed == ['-configurations = "none LOCKDEP"', '-"keep with LOCKDEP" = "NOLOCKDEP"']
        else:
            assert 1 <= len(changed) <= 2
            assert flag in changed[0] + changed[-1]

    def test_nothing_is_said_in_a_word_too(self) -> None:
        none = Check("helper.gfp_x", "gfp_x", "helper", "unmodelled", form={"keep": [], "force": []}, inputs=9)
        text = dump(of_report(report(none, composite("pass")), "b"))
        assert '["helper.gfp_x"]\ndrop = "anything"\n' in text
        assert '["composite.GFP_X"]\nis = 0\n' in text

    def test_a_difference_is_said_flag_by_flag(self) -> None:
        table = {"1": frozenset({"DMA"}), "BUG": frozenset({"DMA|HIGHMEM"})}
        assert difference(table, {"1": frozenset({"DMA", "DMA|HIGHMEM"})}) == "DMA|HIGHMEM BUG -> 1"
        assert difference({"any of": frozenset({"IO"})}, {"any of": frozenset({"FS"})}) == (
            "IO any of -> nothing, FS nothing -> any of"
        )
        many = {"is": frozenset(f"F{n}" for n in range(12))}
        assert difference({"is": frozenset()}, many).endswith("and 4 more")
        assert words({"is": frozenset({"IO", "FS"})}) == "FS IO"


class TestAcceptance:
    """A deliberate change is accepted by saving again; a change back then fails."""

    def test_through_the_command_line(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        base, header = tmp_path / "base.toml", bundled_tree / GFP_H
        before = header.read_text()
        assert run("check", bundled_tree, "--save-baseline", base)[0] == 0
        broken(bundled_tree)
        status, out, _ = run("check", "-q", bundled_tree, "--baseline", base)
        assert status == 1
        assert f"changed against {base}: ZERO drop -> keep" in " ".join(out.split())
        assert f"accept it with --save-baseline {base}" in " ".join(out.split())
        status, out, _ = run("check", "-q", bundled_tree, "--save-baseline", base)
        assert status == 0
        assert "pass only since" in out
        assert run("check", bundled_tree, "--baseline", base)[0] == 0
        header.write_text(before)
        status, out, _ = run("check", "-q", bundled_tree, "--baseline", base)
        assert status == 1
        assert "ZERO keep -> drop" in " ".join(out.split())

    def test_what_the_reference_row_calls_changed_is_accepted(
        self, run: Run, bundled_tree: Path, tmp_path: Path
    ) -> None:
        edit(bundled_tree, "(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)", "__GFP_KSWAPD_RECLAIM", TYPES_H)
        assert run("check", bundled_tree)[0] == 1
        assert run("check", bundled_tree, "--save-baseline", tmp_path / "b")[0] == 0
        assert run("check", bundled_tree, "--baseline", tmp_path / "b")[0] == 0

    def test_what_is_mended_is_said(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        before = (bundled_tree / GFP_H).read_text()
        broken(bundled_tree)
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        (bundled_tree / GFP_H).write_text(before)
        _, out, _ = run("check", bundled_tree, "--baseline", tmp_path / "b")
        assert "and not failing any more: law.gfp_nested_mask.drops-page-traits." in " ".join(out.split())

    def test_a_failure_of_another_kind_is_not_accepted(self) -> None:
        was = Check(
            "layout.inside-mask", "inside-mask", "layout", "fail", inputs=26, mismatches=1, message="A is outside"
        )
        now = replace(was, message="B is outside")
        assert judged(report(was), report(was))[was.id].status == "pass"
        assert judged(report(was), report(now))[was.id].status == "fail"

    def test_renumbered_flags_and_a_flag_more_do_not_count(self) -> None:
        seen = Witness(0x100, "__GFP_ZERO", "a law", "0x92100", "", "__GFP_ZERO|__GFP_NOWARN")
        was = Check("law.x", "x", "law", "fail", inputs=1 << 27, mismatches=1 << 26, smallest=seen, message="broken")
        moved = replace(seen, input=0x200, actual="0x92200")
        now = replace(was, inputs=1 << 28, mismatches=1 << 27, smallest=moved)
        assert judged(report(was), report(now))["law.x"].status == "pass"
        other = replace(now, mismatches=1 << 26)
        assert judged(report(was), report(other))["law.x"].status == "fail"
        another = replace(now, smallest=replace(moved, input_names="__GFP_COMP"))
        assert judged(report(was), report(another))["law.x"].status == "fail"

    def test_line_numbers_do_not_count(self) -> None:
        was = Check("law.x", "x", "law", "fail", inputs=9, mismatches=1, message="include/linux/gfp.h:50: no")
        assert judged(report(was), report(replace(was, message="include/linux/gfp.h:60: no")))["law.x"].status == "pass"


class TestDifferences:
    """Everything that a baseline has and a source has otherwise."""

    def test_a_flag_more_or_less(self) -> None:
        found = judged(report(composite("pass", "IO", "FS")), report(composite("pass", "IO", "ZERO")))
        assert found["composite.GFP_X"].status == "fail"
        assert "changed against base.toml: - FS, + ZERO" in found["composite.GFP_X"].message

    def test_another_type_is_not_hidden_by_the_same_flags(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        edit(bundled_tree, "#define GFP_NOIO\t", "#define GFP_NOIO\t(int)", TYPES_H)
        status, out, _ = run("check", "-q", bundled_tree, "--baseline", tmp_path / "b")
        assert status == 1
        assert "expected type gfp_t" in out

    def test_removed_and_added_helper(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        without = shutil.copytree(bundled_tree, tmp_path / "without")
        text = (without / GFP_H).read_text()
        at = text.index("static inline bool gfp_has_io_fs")
        (without / GFP_H).write_text(text[:at] + text[text.index("}\n", at) + 2 :])
        run("check", bundled_tree, "--save-baseline", tmp_path / "with.toml")
        run("check", without, "--save-baseline", tmp_path / "without.toml")
        status, out, _ = run("check", "-q", without, "--baseline", tmp_path / "with.toml")
        assert status == 1
        assert out.count("removed: ") == 1
        assert "helper.gfp_has_io_fs" in out
        status, out, _ = run("check", bundled_tree, "--baseline", tmp_path / "without.toml")
        assert status == 0
        assert "it is all of FS IO" in " ".join(out.split())
        assert run("check", "-q", bundled_tree, "--baseline", tmp_path / "without.toml", "--strict")[0] == 1

    def test_removed_and_added_composite(self) -> None:
        other = Check("composite.GFP_Y", "GFP_Y", "composite", "pass", form=flags("IO"), inputs=1)
        found = judged(report(composite("pass", "IO"), other), report(other))
        assert found["composite.GFP_X.baseline"].status == "fail"
        assert "removed: base.toml has it" in found["composite.GFP_X.baseline"].message
        found = judged(report(other), report(composite("pass", "IO"), other))
        assert found["composite.GFP_X"].status == "undecided"
        assert "new: base.toml has no GFP_X; it is IO" in found["composite.GFP_X"].message

    def test_a_helper_that_the_reference_row_lacks_too_is_missed_all_the_same(self) -> None:
        was = Check("helper.gfp_new", "gfp_new", "helper", "unmodelled", form={"any_of": ["__GFP_IO"]}, inputs=9)
        gone = Check("helper.gfp_new", "gfp_new", "helper", "absent", gone=True, message="neither has it")
        assert judged(report(was), report(gone))["helper.gfp_new"].status == "fail"

    def test_what_the_check_was_not_asked_for_is_not_missed(self) -> None:
        other = Check("composite.GFP_Y", "GFP_Y", "composite", "pass", form=flags("IO"), inputs=1)
        found = judged(report(composite("pass", "IO"), other), report(other), pattern="GFP_Y")
        assert {c.status for c in found.values()} == {"pass"}

    def test_removed_added_and_moved_flags(self) -> None:
        one = composite("pass", "IO")
        was = report(one, layout=(({}, {"__GFP_A": 1, "__GFP_B": 2}),))
        now = report(one, layout=(({}, {"__GFP_B": 3, "__GFP_C": 1}),))
        found = judged(was, now)
        assert found["layout.__GFP_A.baseline"].status == "fail"
        assert found["layout.__GFP_C.baseline"].status == "undecided"
        assert "layout.__GFP_B.baseline" not in found
        notes = apply(now, of_report(was, "base.toml")).notes
        assert notes == ("moved against base.toml, which changes no meaning: __GFP_B: bit 3, was 2",)

    def test_a_flag_that_goes_in_one_configuration_only(self) -> None:
        one = composite("pass", "IO")
        was = report(one, layout=((NONE, {"__GFP_A": 1}), (LOCKDEP, {"__GFP_A": 1})))
        now = report(one, layout=((NONE, {}), (LOCKDEP, {"__GFP_A": 1})))
        gone = judged(was, now)["layout.__GFP_A.baseline"]
        assert (gone.status, gone.gone) == ("fail", False)
        assert gone.message.startswith("removed in none: ")
        assert judged(now, was)["layout.__GFP_A.baseline"].message.startswith("new in none: ")

    def test_a_moved_flag_of_a_real_header_is_a_note(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        edit(bundled_tree, "\t___GFP_IO_BIT,\n\t___GFP_FS_BIT,\n", "\t___GFP_FS_BIT,\n\t___GFP_IO_BIT,\n", TYPES_H)
        status, out, _ = run("check", bundled_tree, "--baseline", tmp_path / "b")
        assert status == 0
        said = " ".join(out.split())
        assert f"moved against {tmp_path / 'b'}, which changes no meaning: __GFP_IO: bit 7, was 6;" in said

    def test_a_meaning_that_comes_to_depend_on_a_symbol(self) -> None:
        was = report(composite("pass", "IO"))
        same = composite("pass", "IO", config=NONE)
        now = report(same, composite("pass", "IO", "FS", config=LOCKDEP))
        found = judged(was, now)
        assert found["composite.GFP_X.none"].status == "pass"
        assert found["composite.GFP_X.LOCKDEP"].status == "fail"
        assert "+ FS" in found["composite.GFP_X.LOCKDEP"].message

    def test_a_meaning_that_depends_on_a_symbol_no_more(self) -> None:
        was = report(composite("pass", "IO", config=NONE), composite("pass", "IO", "FS", config=LOCKDEP))
        found = judged(was, report(composite("pass", "IO", config=NONE, configs=(NONE, LOCKDEP))))
        assert found["composite.GFP_X.none"].status == "fail"
        assert "in LOCKDEP: - FS" in found["composite.GFP_X.none"].message
        found = judged(was, report(composite("pass", "IO")))
        assert found["composite.GFP_X.LOCKDEP.baseline"].status == "fail"

    def test_a_symbol_that_makes_no_difference_is_none(self) -> None:
        was = report(composite("pass", "IO", config=NONE), composite("pass", "IO", config=LOCKDEP))
        assert of_report(was, "b").values == {"composite.GFP_X": {ALWAYS: {"is": frozenset({"IO"})}}}
        assert judged(was, report(composite("pass", "IO")))["composite.GFP_X"].status == "pass"
        assert judged(report(composite("pass", "IO")), was)["composite.GFP_X.LOCKDEP"].status == "pass"

    def test_a_baseline_of_some_configurations_is_not_one_of_all(
        self, run: Run, bundled_tree: Path, tmp_path: Path
    ) -> None:
        run("check", bundled_tree, "--set", "CONFIG_LOCKDEP=y", "--save-baseline", tmp_path / "b")
        assert run("check", bundled_tree, "--set", "CONFIG_LOCKDEP=y", "--baseline", tmp_path / "b")[0] == 0
        status, out, _ = run("check", "-q", bundled_tree, "--baseline", tmp_path / "b")
        assert status == 1
        assert "or the baseline was saved with --set" in " ".join(out.split())

    def test_a_baseline_of_all_configurations_is_one_of_some(
        self, run: Run, bundled_tree: Path, tmp_path: Path
    ) -> None:
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        (tmp_path / "config").write_text("CONFIG_LOCKDEP=y\nCONFIG_ZONE_DMA=y\n# CONFIG_NUMA is not set\n")
        for narrowing in (["--set", "CONFIG_LOCKDEP=n"], ["--config", tmp_path / "config"]):
            status, out, _ = run("check", bundled_tree, *narrowing, "--baseline", tmp_path / "b")
            assert status == 0, out


class TestUnknown:
    """What could not be checked is never accepted, and never saved."""

    CRASH = Check("helper.gfp_x", "gfp_x", "helper", "fail", message="misbehaves: gfp_x SIGSEGV on input 0x1")
    ERROR = Check("helper.gfp_x", "gfp_x", "helper", "error", message="does not compile: no")

    @pytest.mark.parametrize("hopeless", [CRASH, ERROR], ids=["crash", "error"])
    def test_it_is_not_saved(self, hopeless: Check) -> None:
        with pytest.raises(
            BaselineError, match=r"base\.toml is not saved: helper\.gfp_x could not be compared.*(SEGV|no)"
        ):
            of_report(report(hopeless, composite("pass", "IO")), "base.toml")

    @pytest.mark.parametrize("hopeless", [CRASH, ERROR], ids=["crash", "error"])
    def test_it_is_not_accepted(self, hopeless: Check) -> None:
        was = Check("helper.gfp_x", "gfp_x", "helper", "pass", form={"any_of": ["__GFP_IO"]}, inputs=9)
        found = judged(report(was), report(hopeless))
        assert list(found.values()) == [hopeless]

    def test_a_helper_that_no_form_fits_is_not_accepted(self) -> None:
        formless = Check("helper.gfp_x", "gfp_x", "helper", "unmodelled", inputs=9, message="no simple form fits it")
        found = judged(report(formless, composite("pass", "IO")), report(formless, composite("pass", "IO")))
        assert found["helper.gfp_x"].status == "unmodelled"

    def test_no_file_is_written(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        unbuildable(bundled_tree)
        base = tmp_path / "base.toml"
        base.write_text("as it was")
        status, out, err = run("check", bundled_tree, "--save-baseline", base)
        assert status == 3
        assert "ERROR include/linux/gfp.h" in out
        assert err.startswith(f"pygfp: {base} is not saved: helper.gfp_has_io_fs could not be compared")
        assert base.read_text() == "as it was"

    def test_a_crash_of_a_real_helper(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        edit(bundled_tree, "bool gfp_has_io_fs(gfp_t gfp)\n{", "bool gfp_has_io_fs(gfp_t gfp)\n{ __builtin_trap();")
        status, out, _ = run("check", "-q", bundled_tree, "--baseline", tmp_path / "b")
        assert status == 1
        assert "misbehaves" in out
        status, _, err = run("check", bundled_tree, "--save-baseline", tmp_path / "c")
        assert status == 1
        assert "is not saved" in err
        assert not (tmp_path / "c").exists()


DAMAGED = {
    "empty": b"",
    "no TOML": b"<html>",
    "cut short": b'schema = "pygfp.baseline/1"\n["helper.gfp_zone"]\n0 = [',
    "binary": bytes(range(256)) * 4,
    "NUL": b'schema = "pygfp.baseline/1\0"',
    "another version": b'schema = "pygfp.baseline/2"',
    "another schema": b'schema = "pygfp.check/1"',
    "schema of another type": b"schema = 1",
    "release of another type": b'schema = "pygfp.baseline/1"\nrelease = 6.12',
    "a value at the top": b'schema = "pygfp.baseline/1"\nhelper = 1',
    "a list at the top": b'schema = "pygfp.baseline/1"\nhelper = ["x"]',
    "a table in a table": b'schema = "pygfp.baseline/1"\n[helper.gfp_zone]\n0 = "DMA"',
    "a float": b'schema = "pygfp.baseline/1"\n["helper.x"]\nkeep = 1.5',
    "a truth value": b'schema = "pygfp.baseline/1"\n["helper.x"]\nkeep = true',
    "numbers in a list": b'schema = "pygfp.baseline/1"\n["helper.x"]\nkeep = [1]',
    "a configuration that it has not": b'schema = "pygfp.baseline/1"\n["helper.x"]\n"keep in LOCKDEP" = "IO"',
    "a condition that never holds": b'schema = "pygfp.baseline/1"\n["helper.x"]\n"keep with LOCKDEP" = "IO"',
    "an empty key": b'schema = "pygfp.baseline/1"\n["helper.x"]\n"" = "IO"',
    "configurations as a table": b'schema = "pygfp.baseline/1"\n["helper.x".configurations]\na = "b"',
    "bits that are none": b'schema = "pygfp.baseline/1"\n[bits]\n__GFP_IO = "six"',
    "two bits": b'schema = "pygfp.baseline/1"\n[bits]\n__GFP_IO = "6 7"',
    "bits as a list": b'schema = "pygfp.baseline/1"\nbits = [1]',
    "failures that are no text": b'schema = "pygfp.baseline/1"\n["accepted failures"]\nx = 1',
    "failures in a text": b'schema = "pygfp.baseline/1"\n["accepted failures"]\nx = "law.x"',
    "deep": b'schema = "pygfp.baseline/1"\nx = ' + b"[" * 5000 + b"]" * 5000,
}


class TestFile:
    """A bad file is wrong usage, said in one message; a good one is written whole or not at all."""

    @pytest.mark.parametrize("case", DAMAGED)
    def test_a_damaged_file(self, run: Run, tmp_path: Path, case: str) -> None:
        (tmp_path / "b").write_bytes(DAMAGED[case])
        status, out, err = run("check", "bundled", "--helper", "GFP_NOIO", "--baseline", tmp_path / "b")
        assert (status, out) == (2, "")
        assert err.startswith(f"pygfp: --baseline {tmp_path / 'b'}: ")
        assert "save it again with --save-baseline" in err
        assert err.count("\n") == 1

    @pytest.mark.parametrize("name", ["gone", ".", "gone/deeper"])
    def test_no_file(self, run: Run, tmp_path: Path, name: str) -> None:
        status, out, err = run("check", "bundled", "--baseline", tmp_path / name)
        assert (status, out) == (2, "")
        assert str(tmp_path / name) in err

    @pytest.mark.parametrize("name", [".", "gone/deeper"])
    def test_nowhere_to_save_is_said_before_anything_is_compiled(self, run: Run, tmp_path: Path, name: str) -> None:
        status, out, err = run("check", tmp_path / "no tree", "--save-baseline", tmp_path / name)
        assert (status, out) == (2, "")
        assert err.startswith(f"pygfp: --save-baseline {tmp_path / name}: ")

    def test_it_replaces_the_old_one_whole(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        base = tmp_path / "b"
        base.write_text("as it was")

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.replace", fail)
        status, _, err = run("check", "bundled", "--helper", "GFP_NOIO", "--save-baseline", base)
        assert status == 3
        assert "No space left" in err
        assert base.read_text() == "as it was"
        assert [p.name for p in tmp_path.iterdir()] == ["b"]

    @pytest.mark.parametrize("name", list(readers.READERS))
    def test_what_is_missed_is_in_every_format(self, run: Run, bundled_tree: Path, tmp_path: Path, name: str) -> None:
        run("check", bundled_tree, "--save-baseline", tmp_path / "b")
        text = (tmp_path / "b").read_text().replace("GFP_NOIO", "GFP_GONE").replace("__GFP_ZERO = 8", "__GFP_GONE = 9")
        (tmp_path / "b").write_text(text.replace("helper.gfp_has_io_fs", "helper.gfp_gone"))
        status, out, _ = run("check", bundled_tree, "--baseline", tmp_path / "b", "--format", name)
        found = readers.READERS[name](out)
        assert (status, found.clean) == (1, False)
        missed = {"composite.GFP_GONE.baseline", "helper.gfp_gone.baseline", "layout.__GFP_GONE.baseline"}
        assert missed | {"composite.GFP_NOIO", "helper.gfp_has_io_fs", "layout.__GFP_ZERO.baseline"} <= set(
            found.outcomes
        )

    def test_both_at_once_cannot_be_meant(self, run: Run, tmp_path: Path) -> None:
        status, out, err = run("check", "--baseline", tmp_path / "a", "--save-baseline", tmp_path / "b")
        assert (status, out) == (2, "")
        assert "not allowed with argument --baseline" in err

    def test_a_format_for_machines_goes_with_it(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        broken(bundled_tree)
        status, out, _ = run("check", bundled_tree, "--save-baseline", tmp_path / "b", "--format", "json")
        assert status == 0
        found = {c["status"] for c in json.loads(out)["checks"]}
        assert found == {"pass"}
