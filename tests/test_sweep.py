# SPDX-License-Identifier: GPL-2.0-only
"""The sweep finds one wrong input among all, and names it: deliberate breaks of a copied header."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from pygfp.checking import helpers
from pygfp.checking.view import View
from pygfp.config import Selection
from pygfp.model.helpers import HELPERS, WANTED
from pygfp.model.policy import Policy
from pygfp.native.session import opened
from pygfp.releases import newest
from pygfp.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.report import Check

#: One configuration, in which masks have 27 bits.
ALL_ON = Selection(
    {f"CONFIG_{s}": True for s in ("LOCKDEP", "KASAN_HW_TAGS", "NUMA", "COMPACTION", "ZONE_DMA", "ZONE_DMA32")}
    | {"CONFIG_HIGHMEM": False, "CONFIG_ZONE_DEVICE": False}
)
BITS = 27

#: What to return at the wrong input: no right answer of the helper there, given that none of 0xcc0 is set.
WRONG = {
    "gfp_nested_mask": "(gfp_t)~0u",
    "gfpflags_allow_blocking": "true",
    "gfpflags_allow_spinning": "true",
    "gfp_has_io_fs": "true",
    "gfp_compaction_allowed": "true",
    "gfp_zone": "(enum zone_type)7",
    "gfp_zonelist": "7",
    "gfp_migratetype": "7",
}


def insert(tree: Path, helper: str, statement: str) -> None:
    """Make *statement* the first of *helper*; ``@`` in it stands for the parameter."""
    header = tree / "include/linux/gfp.h"
    pattern = re.compile(rf"(\b{helper}\((?:const )?gfp_t (\w+)\)\n{{\n)")
    text, count = pattern.subn(lambda m: f"{m[1]}\t{statement.replace('@', m[2])}\n", header.read_text())
    assert count == 1, helper
    header.write_text(text)


def substitute(tree: Path, old: str, new: str) -> None:
    header = tree / "include/linux/gfp.h"
    text = header.read_text()
    assert text.count(old) == 1, old
    header.write_text(text.replace(old, new))


def verdicts(tree: Path, *, full: bool = False, only: str = "*") -> dict[str, Check]:
    """The verdict on each helper of *tree* by name, as the checks give it, without laws and layout."""
    with opened(resolve(str(tree)), ALL_ON, WANTED) as session:
        view = View(session, newest(), Policy(), full=full)
        models = [m for m in HELPERS if only in {"*", m.name}]
        checks = helpers.judge(view, models, lambda name: only in {"*", name}).checks
    return {c.subject: c for c in checks if c.kind == "helper" and "ungrouped" not in c.id}


def chooser() -> random.Random:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    return random.Random(seed)


def require_one(check: Check, x: int, inputs: int) -> None:
    assert (check.status, check.inputs, check.mismatches) == ("fail", inputs, 1)
    assert check.first is not None
    assert check.smallest is not None
    assert check.first.input == check.smallest.input == x


class TestOneWrongValue:
    """A check is an exhaustive comparison: one wrong value at a random input is found."""

    def test_in_the_default_domain_of_every_helper(self, bundled_tree: Path) -> None:
        rng = chooser()
        planted = {name: rng.randrange(1 << BITS) & ~0xCC0 for name in WRONG}
        for name, x in planted.items():
            insert(bundled_tree, name, f"if (@ == {x:#x}u) return {WRONG[name]};")
        found = verdicts(bundled_tree)
        for name, x in planted.items():
            require_one(found[name], x, 1 << BITS)

    @pytest.mark.parametrize("x", [0, 2047, 2048, (1 << 23) - 1, 1 << 23, (1 << BITS) - 1], ids=hex)
    def test_at_the_edges_of_blocks_chunks_and_the_domain(self, bundled_tree: Path, x: int) -> None:
        insert(bundled_tree, "gfp_nested_mask", f"if (@ == {x:#x}u) return ~0u;")
        require_one(verdicts(bundled_tree, only="gfp_nested_mask")["gfp_nested_mask"], x, 1 << BITS)

    def test_above_the_default_domain_only_full_sees_it(self, bundled_tree: Path) -> None:
        x = chooser().randrange(1 << BITS, 1 << 32)
        insert(bundled_tree, "gfp_nested_mask", f"if (@ == {x:#x}u) return ~0u;")
        default = verdicts(bundled_tree, only="gfp_nested_mask")["gfp_nested_mask"]
        assert (default.status, default.inputs, default.mismatches) == ("pass", 1 << BITS, 0)
        full = verdicts(bundled_tree, only="gfp_nested_mask", full=True)["gfp_nested_mask"]
        require_one(full, x, 1 << 32)

    def test_the_command_names_it(self, bundled_tree: Path, check_json: Callable[..., dict[str, Any]]) -> None:
        x = 0x1234507
        insert(bundled_tree, "gfp_has_io_fs", f"if (@ == {x:#x}u) return true;")
        report = check_json(bundled_tree, "--helper", "gfp_has_io_fs")
        (check,) = [c for c in report["checks"] if c["status"] == "fail"]
        assert report["exit"] == 1
        assert (check["subject"], check["mismatches"], check["form"]) == ("gfp_has_io_fs", 1, None)
        assert check["first"] == check["smallest"]
        assert int(check["first"]["input"], 16) == x
        assert (check["first"]["expected"], check["first"]["actual"]) == ("0", "1")


class TestWitnesses:
    """The count, the first input, and the smallest: fewest bits, then lowest value."""

    @pytest.mark.parametrize(
        ("wrong", "smallest"),
        [
            ((0x700, 0x8001, 0x4002), 0x4002),
            ((0x700, 0x1000000, 0x4002, 0x6000000), 0x1000000),
            ((0x3, 0x5, 0x6, 0x18000, 0x1800001), 0x3),
            ((0x7000, 0x7001, 0x600800, 0x600000), 0x600000),
        ],
    )
    def test_of_a_few_wrong_inputs(self, bundled_tree: Path, wrong: tuple[int, ...], smallest: int) -> None:
        condition = " || ".join(f"@ == {x:#x}u" for x in wrong)
        insert(bundled_tree, "gfp_nested_mask", f"if ({condition}) return ~0u;")
        check = verdicts(bundled_tree, only="gfp_nested_mask")["gfp_nested_mask"]
        assert check.mismatches == len(wrong)
        assert check.first is not None
        assert check.smallest is not None
        assert (check.first.input, check.smallest.input) == (min(wrong), smallest)

    def test_of_a_helper_that_looks_at_one_bit_too_many(self, bundled_tree: Path) -> None:
        # Bit 9 (0x200) has no flag. Together with IO it must not matter.
        insert(bundled_tree, "gfp_compaction_allowed", "if ((@ & 0x240) == 0x240) return false;")
        check = verdicts(bundled_tree, only="gfp_compaction_allowed")["gfp_compaction_allowed"]
        assert check.mismatches == 1 << (BITS - 2)
        assert check.first is not None
        assert check.smallest is not None
        assert check.first.input == check.smallest.input == 0x240

    def test_a_dropped_keep_flag_is_wrong_on_half_of_all_inputs(self, bundled_tree: Path) -> None:
        substitute(bundled_tree, "__GFP_RECLAIM | __GFP_IO | __GFP_FS |", "__GFP_RECLAIM | __GFP_IO |")
        check = verdicts(bundled_tree, only="gfp_nested_mask")["gfp_nested_mask"]
        assert check.mismatches == 1 << (BITS - 1)
        assert check.first is not None
        assert (check.first.input, check.first.expected, check.first.actual) == (0x80, "0x92080", "0x92000")
        assert "__GFP_FS: expected keep, found drop" in check.message


class TestEvents:
    """A result is (value, bug, warned). After BUG the value means nothing and is not compared; after WARN it is."""

    @pytest.mark.parametrize(
        ("event", "actual"), [("VM_BUG_ON", "BUG fires"), ("BUG_ON", "BUG fires"), ("VM_WARN_ON", " and WARN fires")]
    )
    @pytest.mark.parametrize("helper", ["gfp_nested_mask", "gfp_has_io_fs"])
    def test_one_that_fires_on_one_input_is_found(
        self, bundled_tree: Path, helper: str, event: str, actual: str
    ) -> None:
        x = chooser().randrange(1 << BITS)
        insert(bundled_tree, helper, f"{event}(@ == {x:#x}u);")
        check = verdicts(bundled_tree, only=helper)[helper]
        require_one(check, x, 1 << BITS)
        assert check.first is not None
        assert check.first.actual.endswith(actual)
        assert not check.first.expected.endswith("fires")

    def test_a_bug_that_no_longer_fires_is_found(self, bundled_tree: Path) -> None:
        substitute(bundled_tree, "VM_BUG_ON((chosen & (chosen - 1)) != 0);", "VM_BUG_ON(chosen == 7);")
        check = verdicts(bundled_tree, only="gfp_zone")["gfp_zone"]
        # Of the eight bad combinations of the low four bits two still fire.
        assert check.mismatches == 6 << (BITS - 4)
        assert check.first is not None
        assert (check.first.input, check.first.expected) == (0x3, "BUG fires")

    def test_the_value_after_bug_is_not_compared(self, bundled_tree: Path) -> None:
        substitute(
            bundled_tree, "return (enum zone_type)((slots", "return chosen & (chosen - 1) ? 9 : (enum zone_type)((slots"
        )
        assert verdicts(bundled_tree, only="gfp_zone")["gfp_zone"].status == "pass"

    def test_a_warning_beside_bug_is_not_compared(self, bundled_tree: Path) -> None:
        insert(bundled_tree, "gfp_zone", "VM_WARN_ON((@ & 3) == 3);")
        assert verdicts(bundled_tree, only="gfp_zone")["gfp_zone"].status == "pass"

    def test_the_value_after_warn_is_compared(self, bundled_tree: Path) -> None:
        insert(bundled_tree, "gfp_migratetype", "if ((@ & 0x18) == 0x18) { VM_WARN_ON(1); return 2; }")
        check = verdicts(bundled_tree, only="gfp_migratetype")["gfp_migratetype"]
        assert check.mismatches == 1 << (BITS - 2)
        assert check.first is not None
        assert (check.first.input, check.first.expected) == (0x18, "3 and WARN fires")
        assert check.first.actual == "2 and WARN fires"

    def test_a_warning_that_no_longer_fires_is_found(self, bundled_tree: Path) -> None:
        substitute(bundled_tree, "VM_WARN_ON(gfp_has_flags(gfp_flags, mobility));", "")
        check = verdicts(bundled_tree, only="gfp_migratetype")["gfp_migratetype"]
        assert check.mismatches == 1 << (BITS - 2)


class TestMisbehaviour:
    """A helper that crashes or never returns costs its own verdict, and no other."""

    @pytest.mark.parametrize(
        ("statement", "reason"),
        [
            ("*(volatile int *)8 = (int)@;", "SIGSEGV"),
            ("if (@ == 0x5000u) __builtin_trap();", "SIG"),
        ],
        ids=["every-input", "one-input"],
    )
    def test_a_crash_is_a_fail_of_that_helper_alone(self, bundled_tree: Path, statement: str, reason: str) -> None:
        insert(bundled_tree, "gfp_has_io_fs", statement)
        found = verdicts(bundled_tree)
        assert found["gfp_has_io_fs"].status == "fail"
        assert reason in found["gfp_has_io_fs"].message
        assert {c.status for name, c in found.items() if name != "gfp_has_io_fs"} == {"pass"}

    def test_an_endless_loop_is_a_fail_of_that_helper_alone(self, bundled_tree: Path) -> None:
        insert(bundled_tree, "gfp_zonelist", "for (volatile int i = 0; ; i = 0) if (i) break;")
        found = verdicts(bundled_tree)
        assert found["gfp_zonelist"].status == "fail"
        assert "does not return within" in found["gfp_zonelist"].message
        assert found["gfp_nested_mask"].status == "pass"
