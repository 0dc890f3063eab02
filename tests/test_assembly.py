# SPDX-License-Identifier: GPL-2.0-only
"""
What a compiler made of a helper: one digest for what does the same by itself, another one for everything else.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from pygfp import sources
from pygfp.config import Selection
from pygfp.model.helpers import WANTED
from pygfp.native.assembly import digests
from pygfp.native.session import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: A helper of two configurations; what it stands on is put in front of it.
UNIT = """
typedef unsigned int gfp_t;
int pygfp_warned, pygfp_bug;
{before}
int pygfp_call_one_{number}_w(gfp_t flags);
int pygfp_call_one_{number}_w(gfp_t flags) {{ return {result}; }}
int pygfp_call_two_{number}_w(gfp_t flags);
int pygfp_call_two_{number}_w(gfp_t flags) {{ return flags & 77; }}
"""


@pytest.fixture(params=["gcc", "clang"])
def digest(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., str]:
    """Return a function that compiles a helper and returns its digest."""

    def call(result: str, before: str = "", number: int = 0) -> str:
        text = UNIT.format(result=result, before=before, number=number)
        command = [request.param, "-O2", "-fPIC", "-S", "-xc", "-", "-o", str(tmp_path / "unit.s")]
        subprocess.run(command, input=text, text=True, check=True)
        found = digests((tmp_path / "unit.s").read_text())
        assert found[number, "two"] != found[number, "one"]
        return found[number, "one"]

    return call


NOINLINE = "__attribute__((noinline)) static int"
SWITCH = "static int pick(gfp_t x) {{ switch (x & 7) {{ {} default: return 0; }} }}"
ARMS = "case 0: return 5; case 1: return 17; case 2: return 2; case 3: return {}; case 4: return 31;"

#: What a helper returns and stands on, and an edit of that which changes what it does.
EDITS = {
    "a constant": (("flags & 6", ""), ("flags & 7", "")),
    "an operator": (("flags & 6", ""), ("flags | 6", "")),
    "a global of the same kind": (("pygfp_warned = flags", ""), ("pygfp_bug = flags", "")),
    "a function that is called": (
        ("pick(flags)", f"{NOINLINE} pick(gfp_t x) {{ return x * 5; }}"),
        ("pick(flags)", f"{NOINLINE} pick(gfp_t x) {{ return x * 7; }}"),
    ),
    "a function behind one": (
        ("pick(flags)", f"{NOINLINE} far(gfp_t x) {{ return x / 5; }} {NOINLINE} pick(gfp_t x) {{ return far(x); }}"),
        ("pick(flags)", f"{NOINLINE} far(gfp_t x) {{ return x / 7; }} {NOINLINE} pick(gfp_t x) {{ return far(x); }}"),
    ),
    "a row of a table": (
        ("table[flags & 3]", "static const int table[4] = { 9, 4, 7, 1 };"),
        ("table[flags & 3]", "static const int table[4] = { 9, 4, 8, 1 };"),
    ),
    "an arm of a switch": (
        ("pick(flags)", SWITCH.format(ARMS.format(1))),
        ("pick(flags)", SWITCH.format(ARMS.format(9))),
    ),
    "a variable": (
        ("flags & mask", "static volatile int mask = 3;"),
        ("flags & mask", "static volatile int mask = 4;"),
    ),
    "the sign of a type": (
        ("(type)flags > 9", "typedef int type;"),
        ("(type)flags > 9", "typedef unsigned int type;"),
    ),
}


class TestDigest:
    """One digest means: the same machine code."""

    @pytest.mark.parametrize(("old", "new"), EDITS.values(), ids=list(EDITS))
    def test_another_meaning_has_another_one(
        self, digest: Callable[..., str], old: tuple[str, str], new: tuple[str, str]
    ) -> None:
        assert digest(*old)
        assert digest(*old) != digest(*new)

    @pytest.mark.parametrize(("result", "before"), [old for old, _ in EDITS.values()], ids=list(EDITS))
    def test_what_stands_around_it_does_not_matter(self, digest: Callable[..., str], result: str, before: str) -> None:
        other = "int other(int x); int other(int x) { static const int t[3] = { 1, 5, 2 }; return t[x % 3] * 3; }"
        assert digest(result, before) == digest(result, f"{other}\n{before}")

    def test_the_number_of_the_configuration_does_not_matter(self, digest: Callable[..., str]) -> None:
        def called(number: int) -> str:
            return f"{NOINLINE} pick__{number}(gfp_t x) {{ return x / 7; }}"

        assert digest("pick__0(flags)", called(0), 0) == digest("pick__3(flags)", called(3), 3)

    def test_text_that_does_the_same_is_the_same(self, digest: Callable[..., str]) -> None:
        assert digest("flags & (1u << 3)") == digest("flags & EIGHT", "enum { THREE = 3, EIGHT = 1 << THREE };")


class TestWhatCannotBeFollowed:
    """Where there is nothing to follow there is no digest, and every configuration is compared."""

    @pytest.mark.parametrize("line", ["\tmovl\t.LC7(%rip), %eax", "\tmovl\t.LANCHOR0(%rip), %eax"])
    def test_a_label_that_is_nowhere(self, line: str) -> None:
        assert not digests(f"pygfp_call_one_0_w:\n{line}\n\t.size\tpygfp_call_one_0_w, .-pygfp_call_one_0_w\n")

    def test_a_function_that_goes_on_behind_the_next_label(self) -> None:
        text = "pygfp_call_one_0_w:\nother:\n\tret\n\t.size\tother, .-other\n"
        assert not digests(text)

    @pytest.mark.parametrize("text", ["", "\0", "garbage\n" * 9, "pygfp_call_one_0_w:"])
    def test_no_assembly(self, text: str) -> None:
        assert digests(text) == {}


class TestBuild:
    """What a build knows of the code of a real text."""

    def test_every_meaning_of_the_subset_has_a_digest(self, bundled_tree: Path) -> None:
        with opened(sources.tree(bundled_tree), Selection(), WANTED, jobs=1) as session:
            meanings = {(h.name, m.segment): m.code for h in session.build.helpers for m in h.meanings}
            swept = {key: session.pool.call(key[1], key[0], range(64)) for key in meanings}
        assert all(meanings.values())
        # Of the same helper the same code answers alike.
        for (name, segment), code in meanings.items():
            twins = [s for (n, s), c in meanings.items() if n == name and c == code]
            assert all(swept[name, s] == swept[name, segment] for s in twins)
        assert len({code for (name, _), code in meanings.items() if name == "gfp_zone"}) > 1

    def test_one_code_is_swept_once_and_told_of_each_configuration(
        self, bundled_tree: Path, run: Callable[..., tuple[int, str, str]]
    ) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        header.write_text(header.read_text().replace("__GFP_NOLOCKDEP;", "__GFP_NOLOCKDEP | __GFP_ZERO;"))
        _, out, _ = run("check", bundled_tree, "--helper", "gfp_nested_mask", "--format", "json")
        checks = [c for c in json.loads(out)["checks"] if c["kind"] == "helper"]
        assert len(checks) > 1
        assert {c["status"] for c in checks} == {"fail"}
        assert {c["mismatches"] for c in checks} == {1 << 26}
