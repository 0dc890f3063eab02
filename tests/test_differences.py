# SPDX-License-Identifier: GPL-2.0-only
"""
What a diff says of flags, composites and the layout, on kernels made of Python: every word is worked out by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from judged import GFP_H, TYPES_H, constants
from sided import OFF, ON, against, failing, one, two
from table import full

from pygfp.changes import Change, Problem
from pygfp.differing import composites, flags, layout
from pygfp.differing.found import Found
from pygfp.flags import FlagTable
from pygfp.native.plan import Constant, Finding, SegmentPlan

IO, FS = "__GFP_IO", "__GFP_FS"
NAMES = full("DMA HIGHMEM DMA32 MOVABLE IO FS DIRECT_RECLAIM KSWAPD_RECLAIM NOWARN NORETRY NOMEMALLOC")
AT = {"places": {IO: (TYPES_H, 7), "__GFP_NEW": (TYPES_H, 9), "GFP_KERNEL": (TYPES_H, 30)}}
NONE: dict[str, bool] = {}
HAND = Constant(16, 4, is_gfp_t=False)

Kernel = dict[str, Any]


def everything(_: str) -> bool:
    return True


def of_flags(old: Kernel, new: Kernel, **both: Any) -> list[Change]:  # noqa: ANN401 - fields of a build
    found = Found()
    flags.compare(against(old, new, **both), found)
    assert not found.problems
    assert not found.notes
    return found.changes


class TestFlags:
    """A flag comes, goes, moves, or exists in other configurations."""

    def test_every_flag_is_compared_and_no_change_is_none(self) -> None:
        found = Found()
        flags.compare(against(one(__GFP_OLD=1 << 12), one(__GFP_NEW=1 << 11)), found)
        assert found.compared == [*NAMES, "__GFP_NEW", "__GFP_OLD"]
        assert of_flags(one(), one()) == []

    def test_one_that_moved(self) -> None:
        text = "bit 4 -> 12"
        assert of_flags(one(), one(__GFP_IO=1 << 12), **AT) == [
            Change(IO, "flag", "moved", text, "", NONE, (NONE,), flags={IO: text}, file=TYPES_H, line=7)
        ]

    def test_one_that_moved_in_one_configuration(self) -> None:
        text = "bit 4 -> 12 when CONFIG_A"
        assert of_flags(two({}, {}), two({}, {IO: 1 << 12})) == [
            Change(IO, "flag", "moved", text, "", ON, (ON,), flags={IO: text})
        ]

    def test_one_that_moved_to_two_places(self) -> None:
        text = "bit 4 -> 11 when not CONFIG_A; bit 4 -> 12 when CONFIG_A"
        assert of_flags(two({}, {}), two({IO: 1 << 11}, {IO: 1 << 12})) == [
            Change(IO, "flag", "moved", text, "", OFF, (OFF, ON), flags={IO: text})
        ]

    def test_one_that_moved_where_it_still_exists(self) -> None:
        guard, moved = of_flags(two({}, {}), two({IO: 0}, {IO: 1 << 12}))
        text = "exists always -> exists when CONFIG_A"
        assert guard == Change(IO, "config", "changed", text, "guard", OFF, (OFF,), flags={IO: text})
        # In the one configuration that has it on both sides there is nothing else to tell.
        assert (moved.text, moved.configs) == ("bit 4 -> 12", (ON,))

    @pytest.mark.parametrize(
        ("old", "new", "text", "configs"),
        [
            (two({}, {IO: 0}), two({IO: 0}, {}), "exists when not CONFIG_A -> exists when CONFIG_A", (OFF, ON)),
            (two({IO: 0}, {IO: 0}), two({IO: 0}, {}), "exists never -> exists when CONFIG_A", (ON,)),
            (two({}, {}), two({IO: 0}, {IO: 0}), "exists always -> exists never", (OFF, ON)),
        ],
    )
    def test_one_that_exists_elsewhere(self, old: Kernel, new: Kernel, text: str, configs: Any) -> None:  # noqa: ANN401
        (change,) = of_flags(old, new)
        assert (change.kind, change.text, change.configs) == ("config", text, configs)

    def test_one_that_is_added(self) -> None:
        assert of_flags(one(), {**one(__GFP_NEW=1 << 11), **AT}) == [
            Change("__GFP_NEW", "flag", "added", "added, bit 11", "", NONE, (NONE,), file=TYPES_H, line=9)
        ]

    @pytest.mark.parametrize(
        ("off", "on", "text", "configs"),
        [
            (0, 1 << 11, "bit 11 when CONFIG_A", (ON,)),
            (1 << 11, 1 << 12, "bit 11 or 12", (OFF, ON)),
            (1 << 12, 1 << 11, "bit 11 or 12", (OFF, ON)),
        ],
    )
    def test_one_that_is_added_or_removed_by_configuration(self, off: int, on: int, text: str, configs: Any) -> None:  # noqa: ANN401
        has = two({"__GFP_NEW": off}, {"__GFP_NEW": on})
        (added,), (removed,) = of_flags(two({}, {}), has), of_flags(has, two({}, {}))
        assert (added.change, added.text, added.configs) == ("added", f"added, {text}", configs)
        assert (removed.change, removed.text, removed.configs) == ("removed", f"removed, {text}", configs)

    def test_one_that_is_added_where_nothing_is_judged(self) -> None:
        (change,) = of_flags(two({}, {}), two({"__GFP_NEW": 0}, {"__GFP_NEW": 1 << 11}), fixed=OFF)
        assert change == Change("__GFP_NEW", "flag", "added", "added, always 0")

    def test_one_that_is_removed_has_the_place_of_the_old_side(self) -> None:
        (change,) = of_flags({**one(), **AT}, one(__GFP_IO=None))
        assert change == Change(IO, "flag", "removed", "removed, bit 4", "", NONE, (NONE,), file=TYPES_H, line=7)

    def test_one_that_is_no_constant_of_its_type_any_more(self) -> None:
        (change,) = of_flags(one(), one(__GFP_IO=HAND), **AT)
        text = "no constant of type gfp_t any more: it does not compile, or has another type"
        assert change == Change(IO, "flag", "broken", text, "", NONE, (NONE,), file=TYPES_H, line=7)
        (change,) = of_flags(two({IO: HAND}, {IO: HAND}), two({IO: 0}, {}), **AT)
        text = "a constant of type gfp_t now; it was none"
        assert change == Change(IO, "flag", "changed", text, "", ON, (ON,), file=TYPES_H, line=7)

    def test_one_that_is_no_single_bit_any_more(self) -> None:
        text = "0x10 -> 0x1800, not a single bit"
        assert of_flags(one(), one(__GFP_IO=0x1800)) == [
            Change(IO, "flag", "changed", text, "value", NONE, (NONE,), flags={IO: text})
        ]
        (change,) = of_flags(two({}, {IO: 0x1800}), two({}, {}))
        assert (change.text, change.configs) == ("0x1800 -> 0x10, not a single bit when CONFIG_A", (ON,))

    def test_one_that_is_a_union_on_a_side_is_no_flag(self) -> None:
        assert of_flags(one(__GFP_PAIR=0x800), one(__GFP_PAIR=0x30)) == []

    @pytest.mark.parametrize("broken", [0, 1])
    def test_where_a_side_cannot_be_built_nothing_is_said(self, broken: int) -> None:
        kernels = [two({}, {}), two({IO: 1 << 11}, {IO: 1 << 12})]
        plans = kernels[broken]["segments"]
        plans[1] = replace(plans[1], error="no such flag")
        (change,) = of_flags(*kernels)
        assert (change.text, change.configs) == ("bit 4 -> 11", (OFF,))


KERNEL = 0xF0


def of_composites(old: Kernel, new: Kernel, **both: Any) -> list[Change]:  # noqa: ANN401 - fields of a build
    found = Found()
    composites.compare(against(old, new, **both), everything, found)
    assert not found.problems
    assert not found.notes
    return found.changes


def of_kernel(old: int, new: int, **both: Any) -> tuple[str, dict[str, str]]:  # noqa: ANN401 - constants
    """The text and the flags of the one change where GFP_KERNEL is *old*, and then *new*."""
    (change,) = of_composites(one(GFP_KERNEL=old, **both), one(GFP_KERNEL=new, **both))
    assert (change.subject, change.kind, change.change) == ("GFP_KERNEL", "composite", "changed")
    return change.text, change.flags


THERE, GONE = "absent -> present", "present -> absent"


class TestComposites:
    """Every mask of several flags, flag by flag."""

    def test_which_names_they_are(self) -> None:
        more: Any = {
            "GFP_KERNEL": KERNEL,
            "GFP_ONE": 0x10,
            "GFP_ZONE_TABLE": 0x123,
            "GFP_ZONE_BAD": 0x18,
            "___GFP_RAW": 0x30,
            "_GFP_ODD": 0x10,
            "__GFP_RECLAIM": 0xC0,
            "__GFP_WIDE": 0x1800,
            "__GFP_OFF": 0,
        }
        both: Any = {**more, "__GFP_TURN": 0x2000, "__GFP_PAIR": 0x10}
        sides = against(one(**both, GFP_OLD=0x30), one(**{**both, "__GFP_TURN": 0x6000, "__GFP_PAIR": 0x30}))
        expected = ["__GFP_BITS_MASK", "GFP_KERNEL", "GFP_ONE", "__GFP_RECLAIM", "__GFP_WIDE", "__GFP_PAIR", "GFP_OLD"]
        assert composites.names_of(sides) == expected
        turned = against(one(__GFP_WIDE=0, __GFP_TURN=0x6000), one(__GFP_WIDE=0x1800, __GFP_TURN=0x2000))
        assert composites.names_of(turned) == ["__GFP_BITS_MASK", "__GFP_WIDE"]
        found = Found()
        composites.compare(sides, lambda name: "KERNEL" in name or "ONE" in name, found)
        assert found.compared == ["GFP_KERNEL", "GFP_ONE"]

    @pytest.mark.parametrize(
        ("masks", "is_union"),
        [
            ({"__GFP_X": 3, "__GFP_A": 1, "__GFP_B": 2}, True),
            ({"__GFP_X": 3, "__GFP_A": 1}, False),
            ({"__GFP_X": 1, "__GFP_A": 1}, False),
            ({"__GFP_X": 0, "__GFP_A": 1}, False),
            ({"__GFP_X": 3, "__GFP_A": 1, "__GFP_C": 1, "__GFP_B": 2}, True),
        ],
    )
    def test_what_a_union_is(self, masks: dict[str, int], *, is_union: bool) -> None:
        assert composites.is_union("__GFP_X", FlagTable(masks)) is is_union

    def test_one_that_is_no_constant(self) -> None:
        names = {"GFP_NEW": "no such flag", "gfp_new": "a helper", "___GFP_RAW": "no mask"}
        broken: Any = {**one(), "broken": names, "places": {"GFP_NEW": (TYPES_H, 5)}}

        def compared(old: Any, new: Any, wanted: Any = lambda _: True) -> Found:  # noqa: ANN401 - kernels
            found = Found()
            composites.compare(against(old, new), wanted, found)
            return found

        new = compared(one(), broken)
        text = "new, and no constant: no such flag"
        assert new.changes == [Change("GFP_NEW", "composite", "broken", text, file=TYPES_H, line=5)]
        assert (new.compared, new.problems) == (["__GFP_BITS_MASK", "GFP_NEW"], [])
        both = compared(broken, broken)
        never = Problem("GFP_NEW", "GFP_NEW compiles on neither side: no such flag", TYPES_H, 5)
        assert (both.changes, both.problems, both.compared) == ([], [never], ["__GFP_BITS_MASK"])
        gone = compared(broken, one())
        assert (gone.changes, gone.problems) == ([], [])
        # What a side has a value for is told once, as what it was there.
        lost = compared({**one(GFP_NEW=0x30), "places": {"GFP_NEW": (TYPES_H, 4)}}, broken)
        assert [(c.change, c.text[:27]) for c in lost.changes] == [("broken", "no constant of type gfp_t a")]
        assert compared(one(), broken, lambda name: name != "GFP_NEW").changes == []

    def test_no_change_is_none(self) -> None:
        assert of_composites(one(GFP_KERNEL=KERNEL), one(GFP_KERNEL=KERNEL)) == []

    def test_a_flag_that_comes(self) -> None:
        (change,) = of_composites(one(GFP_KERNEL=0xD0), one(GFP_KERNEL=KERNEL), **AT)
        said = {FS: THERE}
        assert change == Change(
            "GFP_KERNEL", "composite", "changed", f"+ {FS}", "", NONE, (NONE,), 1, 1, said, None, TYPES_H, 30
        )

    @pytest.mark.parametrize(
        ("old", "new", "text", "said"),
        [
            (KERNEL, 0xD0, f"- {FS}", {FS: GONE}),
            (0xD0, 0xE1, f"+ __GFP_DMA, {FS}; - {IO}", {"__GFP_DMA": THERE, FS: THERE, IO: GONE}),
            (0, 0x30, f"+ {IO}, {FS}", {IO: THERE, FS: THERE}),
            (0x10, 0x810, "+ 0x800", {"0x800": THERE}),
            (0x3010, 0x10, "- 0x3000", {"0x3000": GONE}),
            (0x1000, 0x2000, "+ 0x2000; - 0x1000", {"0x2000": THERE, "0x1000": GONE}),
        ],
    )
    def test_flags_that_come_and_go(self, old: int, new: int, text: str, said: dict[str, str]) -> None:
        assert of_kernel(old, new) == (text, said)

    def test_a_hole_below_the_bits_of_a_sweep(self) -> None:
        assert of_kernel(0x10, 0x30, __GFP_FS=None) == ("+ 0x20", {"0x20": THERE})

    def test_a_flag_that_moved_is_the_same_one(self) -> None:
        moved = one(GFP_KERNEL=0x8E0, __GFP_IO=1 << 11, __GFP_BITS_MASK=0xFFF)
        assert of_composites(one(GFP_KERNEL=KERNEL), moved) == []

    @pytest.mark.parametrize("in_old", [True, False])
    def test_a_flag_that_one_side_alone_has(self, *, in_old: bool) -> None:
        has, lacks = one(GFP_KERNEL=0x8F0, __GFP_NEW=0x800), one(GFP_KERNEL=KERNEL)
        (change,) = of_composites(*((has, lacks) if in_old else (lacks, has)))
        assert change.text == ("- __GFP_NEW" if in_old else "+ __GFP_NEW")
        assert change.flags == {"__GFP_NEW": GONE if in_old else THERE}

    @pytest.mark.parametrize("in_old", [True, False])
    def test_a_flag_that_one_side_alone_has_elsewhere(self, *, in_old: bool) -> None:
        has, lacks = one(GFP_KERNEL=KERNEL, __GFP_NEW=0x800), one(GFP_KERNEL=KERNEL)
        assert of_composites(*((has, lacks) if in_old else (lacks, has))) == []

    def test_in_one_configuration(self) -> None:
        old = two({"GFP_KERNEL": 0xD0}, {"GFP_KERNEL": 0xD0})
        new = two({"GFP_KERNEL": 0xD0}, {"GFP_KERNEL": KERNEL})
        behind = {"constant_symbols": {"GFP_KERNEL": ["CONFIG_A"]}}
        (change,) = of_composites(old, new, **behind)
        assert (change.text, change.config, change.configs) == (f"+ {FS} when CONFIG_A", ON, (ON,))
        assert change.flags == {FS: THERE}
        # Where the symbol is behind one side only it is looked at all the same.
        for kernels in (({**old, **behind}, new), (old, {**new, **behind})):
            assert [c.text for c in of_composites(*kernels)] == [f"+ {FS} when CONFIG_A"]

    def test_one_that_exists_in_some_configurations(self) -> None:
        behind = {"constant_symbols": {"GFP_KERNEL": ["CONFIG_A"]}}
        some, every = two({}, {"GFP_KERNEL": KERNEL}), two({"GFP_KERNEL": KERNEL}, {"GFP_KERNEL": KERNEL})
        (change,) = of_composites(some, every, **behind)
        assert (change.text, change.flags) == ("+ GFP_KERNEL when not CONFIG_A", {"GFP_KERNEL": THERE})
        (change,) = of_composites(every, some, **behind)
        assert (change.text, change.flags) == ("- GFP_KERNEL when not CONFIG_A", {"GFP_KERNEL": GONE})
        assert of_composites(some, some, **behind) == []

    def test_one_whose_symbols_no_flag_has(self) -> None:
        """The flags are looked at where most of them are; where that was not built with it, in its own segment."""
        behind = {"constant_symbols": {"GFP_KERNEL": ["CONFIG_B"]}}

        def kernel(value: int) -> Kernel:
            made = two({}, {})
            b = {"CONFIG_B": True}
            apart = [
                SegmentPlan(2, {"CONFIG_B": False}, constants=constants(GFP_KERNEL=KERNEL)),
                SegmentPlan(3, b, constants=constants(GFP_KERNEL=value)),
            ]
            return {**made, "segments": [*made["segments"], *apart]}

        (change,) = of_composites(kernel(KERNEL), kernel(0xD0), **behind)
        assert (change.text, change.configs) == (f"- {FS} when CONFIG_B", ({"CONFIG_B": True},))

    def test_flags_are_seen_where_most_of_them_exist(self) -> None:
        old = two({"GFP_KERNEL": KERNEL}, {"GFP_KERNEL": KERNEL | 0x800, "__GFP_NEW": 0x800})
        new = two({"GFP_KERNEL": KERNEL}, {"GFP_KERNEL": KERNEL, "__GFP_NEW": 0x800})
        (change,) = of_composites(old, new)
        assert (change.text, change.configs) == ("- __GFP_NEW", (NONE,))

    @pytest.mark.parametrize("broken", [0, 1])
    def test_where_a_side_cannot_be_built_nothing_is_said(self, broken: int) -> None:
        kernels = [one(GFP_KERNEL=KERNEL), one(GFP_KERNEL=0)]
        (segment,) = kernels[broken]["segments"]
        kernels[broken]["segments"] = [replace(segment, error="no such flag")]
        assert of_composites(*kernels) == []

    def test_one_that_is_added(self) -> None:
        plain = two({}, {})
        new = two({"GFP_KERNEL": 0x10}, {"GFP_KERNEL": 0x30})
        new["segments"].append(SegmentPlan(2, {"CONFIG_B": True}, constants=constants()))
        (change,) = of_composites(plain, {**new, **AT})
        assert change == Change("GFP_KERNEL", "composite", "added", f"added: {IO}|{FS}", file=TYPES_H, line=30)
        (change,) = of_composites(one(), one(GFP_NONE=0))
        assert change == Change("GFP_NONE", "composite", "added", "added: 0")

    def test_one_that_is_removed(self) -> None:
        (change,) = of_composites({**one(GFP_KERNEL=KERNEL), **AT}, one())
        text = f"removed; before has it in {TYPES_H}"
        assert change == Change("GFP_KERNEL", "composite", "removed", text, file=TYPES_H, line=30)

    @pytest.mark.parametrize("is_new", [True, False])
    def test_one_whose_file_the_other_side_lacks_is_a_note(self, *, is_new: bool) -> None:
        kernels = [{**one(), "files": {GFP_H: b""}}, {**one(GFP_KERNEL=KERNEL), **AT}]
        found = Found()
        composites.compare(against(*(kernels if is_new else kernels[::-1])), everything, found)
        assert found.changes == []
        other = "before" if is_new else "after"
        assert found.notes == [f"GFP_KERNEL is not compared: {other} lacks {TYPES_H}"]

    def test_one_that_has_the_type_on_one_side(self) -> None:
        typed, untyped = one(GFP_KERNEL=KERNEL), one(GFP_KERNEL=HAND)
        (change,) = of_composites(untyped, typed, **AT)
        text = "a constant of type gfp_t now; it was none"
        assert change == Change("GFP_KERNEL", "composite", "changed", text, file=TYPES_H, line=30)
        (change,) = of_composites(typed, untyped, **AT)
        text = "no constant of type gfp_t any more: it does not compile, or has another type"
        assert change == Change("GFP_KERNEL", "composite", "broken", text, file=TYPES_H, line=30)

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            (0x7FF, 0xFFF, None),
            (0x7FF, 0x7EF, f"+ every bit below the highest; - {IO}"),
            (0x6FF, 0x7FF, "+ __GFP_NOWARN; - every bit below the highest"),
            (0x7FF, 0x17FF, "+ every bit below the highest"),
            (0x17FF, 0x37FF, None),
        ],
    )
    def test_the_mask_of_all_bits(self, old: int, new: int, text: str | None) -> None:
        changes = of_composites(one(__GFP_BITS_MASK=old), one(__GFP_BITS_MASK=new))
        assert [c.text for c in changes] == [text] * (text is not None)

    def test_a_hole_in_the_mask_of_all_bits(self) -> None:
        # Bit 11 has no flag: that the mask has it or not is told once.
        old, new = (one(__GFP_NEW=1 << 12, __GFP_BITS_MASK=mask) for mask in (0x17FF, 0x1FFF))
        assert [c.text for c in of_composites(old, new)] == ["- every bit below the highest"]


class TestLayout:
    """Besides single flags: the shift, shared bits, the type, what builds."""

    def changes(self, old: Kernel, new: Kernel, **both: Any) -> list[Change]:  # noqa: ANN401 - fields of a build
        found = Found()
        layout.compare(against(old, new, **both), found)
        assert not found.problems
        return found.changes

    def test_no_change_is_none(self) -> None:
        assert self.changes(one(), one()) == []

    def test_the_shift(self) -> None:
        name, wide = "__GFP_BITS_SHIFT", one(__GFP_BITS_SHIFT=12)
        assert self.changes(one(), wide) == [
            Change(name, "layout", "changed", "11 -> 12", "", NONE, (NONE,), file=TYPES_H)
        ]
        (change,) = self.changes(one(), {**wide, "places": {name: (GFP_H, 5)}})
        assert (change.file, change.line) == (GFP_H, 5)

    def test_the_shift_by_configuration(self) -> None:
        (change,) = self.changes(two({}, {}), two({"__GFP_BITS_SHIFT": 12}, {"__GFP_BITS_SHIFT": 13}))
        assert change.text == "11 -> 12 when not CONFIG_A; 11 -> 13 when CONFIG_A"
        assert (change.config, change.configs) == (OFF, (OFF, ON))

    def test_flags_that_share_a_bit_on_one_side(self) -> None:
        (change,) = self.changes(one(), one(__GFP_FS=0x10), **AT)
        assert change == Change(
            "GFP_IO-GFP_FS",
            "layout",
            "changed",
            f"{IO}, {FS} share a bit on one side only; inputs are compared by position there, not by name",
            "shared-bit",
            NONE,
            (NONE,),
            file=TYPES_H,
            line=7,
        )
        (change,) = self.changes(two({}, {FS: 0x10}), two({}, {}))
        assert change.text.startswith(f"{IO}, {FS} share a bit on one side only when CONFIG_A; inputs")
        assert (change.config, change.configs, change.file, change.line) == (ON, (ON,), TYPES_H, None)
        (change,) = self.changes(one(__GFP_X=1 << 11), one(__GFP_X=0x10))
        assert change.subject == "GFP_IO-GFP_X"
        (change,) = self.changes(two({FS: 0x10}, {FS: 0x10}), two({}, {}))
        assert change.configs == (OFF, ON)

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            ({}, {"gfp_t_bits": 64}, "unsigned, 32 bits -> unsigned, 64 bits"),
            ({"gfp_t_signed": True}, {}, "signed, 32 bits -> unsigned, 32 bits"),
        ],
    )
    def test_the_type(self, old: Kernel, new: Kernel, text: str) -> None:
        assert self.changes(old, new) == [
            Change("gfp_t", "layout", "changed", text, file="include/linux/types.h"),
        ]

    @pytest.mark.parametrize(
        ("old", "new", "subject", "way", "text"),
        [
            ("", "no u8", "compiles-alone", "broken", "gfp_types.h does not compile by itself: no u8"),
            (None, "no u8", "compiles-alone", "broken", "gfp_types.h does not compile by itself: no u8"),
            ("no u8", "", "compiles-alone", "changed", "gfp_types.h compiles by itself now"),
            (None, "", "gfp_types-h", "added", "added: the flags move out of gfp.h"),
            ("", None, "gfp_types-h", "removed", "removed: the flags move into gfp.h"),
            ("no u8", None, "gfp_types-h", "removed", "removed: the flags move into gfp.h"),
        ],
    )
    def test_the_header_alone(self, old: Any, new: Any, subject: str, way: str, text: str) -> None:  # noqa: ANN401
        expected = Change(subject, "layout", way, text, file=TYPES_H)
        assert self.changes({"alone": old}, {"alone": new}) == [expected]

    @pytest.mark.parametrize(("old", "new"), [("no u8", "no u16"), (None, None), ("", "")])
    def test_the_header_alone_that_is_as_it_was(self, old: Any, new: Any) -> None:  # noqa: ANN401
        assert self.changes({"alone": old}, {"alone": new}) == []

    def test_a_build_check_that_fires_now(self) -> None:
        text = b"one\nBUILD_BUG_ON(x);\n  BUILD_BUG_ON(y);\nfour"
        new = {
            **two({}, {}),
            "files": {GFP_H: text},
            "findings": [
                Finding(GFP_H, 2, 1, "size"),
                Finding(GFP_H, 2, 0, "again"),
                Finding(GFP_H, 4, -1, "end"),
                Finding(GFP_H, 5, 0, "no such line"),
                Finding(GFP_H, 3, 0, "other"),
            ],
        }
        first, last, *rest = self.changes(two({}, {}), new)
        assert first == Change("build-bug-gfp-2", "layout", "broken", "size", "", ON, (ON,), file=GFP_H, line=2)
        assert last == Change("build-bug-gfp-4", "layout", "broken", "end", "", NONE, (NONE,), file=GFP_H, line=4)
        assert [(c.subject, c.config) for c in rest] == [("build-bug-gfp-5", OFF), ("build-bug-gfp-3", OFF)]
        # The old side says so of the same text at another line, and of another text.
        old = {
            **two({}, {}),
            "files": {GFP_H: b"BUILD_BUG_ON(y);\nBUILD_BUG_ON(x);"},
            "findings": [Finding(GFP_H, 1, 0, "other"), Finding(GFP_H, 2, 1, "another"), Finding(TYPES_H, 4, 0, "end")],
        }
        assert [c.subject for c in self.changes(old, new)] == [f"build-bug-gfp-{n}" for n in (2, 4, 5)]
        assert self.changes(new, new) == []

    @pytest.mark.parametrize(
        ("old", "new", "line", "is_new"),
        [
            # What stands above it does not matter, and the last line is one.
            (b"a\nCHECK(x);", b"b\nCHECK(x);", 2, False),
            (b"a\nCHECK(x);", b"a\nCHECK(y);", 2, True),
            (b"CHECK(x);", b"CHECK(y);", 1, True),
            # Lines that do not exist are all alike: 0 is not the last one either.
            (b"x;", b"y;", 0, False),
            (b"x;", b"y;", 2, False),
            (None, b"", 2, False),
            (None, None, 1, False),
        ],
    )
    def test_the_line_of_a_build_check(self, old: bytes | None, new: bytes | None, line: int, *, is_new: bool) -> None:
        kernels = [
            {"files": {} if text is None else {GFP_H: text}, "findings": [Finding(GFP_H, at, 0, "size")]}
            for text, at in ((old, 1 if old is None else line), (new, line))
        ]
        assert [c.text for c in self.changes(*kernels)] == ["size"] * is_new


class TestUnbuilt:
    """Configurations in which a side cannot be built."""

    def compared(self, old: Kernel, new: Kernel) -> tuple[list[Change], list[Problem]]:
        found = Found()
        layout.compare(against(old, new), found)
        return found.changes, found.problems

    def test_a_new_failure_is_a_change(self) -> None:
        text = "cannot be built any more when CONFIG_A: no such flag"
        assert self.compared(failing(), failing(on="no such flag")) == (
            [Change("build", "config", "broken", text, "", ON, (ON,), file=GFP_H)],
            [],
        )

    def test_those_that_fail_alike_are_one(self) -> None:
        text = "cannot be built any more in 2 of the 2 configurations that are compiled: no such flag"
        assert self.compared(failing(), failing(on="no such flag", off="no such flag")) == (
            [Change("build", "config", "broken", text, "", OFF, (OFF, ON), file=GFP_H)],
            [],
        )

    def test_those_that_fail_otherwise_are_two(self) -> None:
        changes, _ = self.compared(failing(), failing(off="no such flag", on="no such zone"))
        assert [(c.subject, c.text) for c in changes] == [
            ("build", "cannot be built any more when not CONFIG_A: no such flag"),
            ("build-1", "cannot be built any more when CONFIG_A: no such zone"),
        ]

    def test_an_old_failure_is_a_problem(self) -> None:
        text = "the old side cannot be built when CONFIG_A: no such flag"
        for new in (failing(), failing(on="no such zone")):
            changes, problems = self.compared(failing(on="no such flag"), new)
            assert changes == []
            assert problems == [Problem("configuration", text)]
        changes, problems = self.compared(failing(on="no such flag", off="no such flag"), failing())
        text = "the old side cannot be built in 2 of the 2 configurations that are compiled: no such flag"
        assert problems == [Problem("configuration", text)]

    def test_a_symbol_that_the_old_side_does_not_know(self) -> None:
        """What it was built in is all that counts: without CONFIG_B there is but one such configuration."""
        b = {"CONFIG_B": True}
        segments = [
            SegmentPlan(0, {**OFF, "CONFIG_B": False}, constants=constants()),
            SegmentPlan(1, {**ON, **b}, error="no such flag"),
        ]
        (change,), _ = self.compared(failing(), {**failing(), "segments": segments})
        assert change.configs == ({**ON, **b},)
        assert self.compared(failing(on="no such zone"), {**failing(), "segments": segments})[0] == []

    def test_one_of_an_assignment_that_the_old_side_has_not(self) -> None:
        new = failing(on="no such flag")
        old = {**failing(), "segments": [SegmentPlan(0, OFF, constants=constants())]}
        assert [c.configs for c in self.compared(old, new)[0]] == [(ON,)]

    @pytest.mark.parametrize(
        ("others", "words"),
        [
            # Told apart by the symbols that all have.
            ([OFF], "when CONFIG_A"),
            ([{**OFF, "CONFIG_B": True}], "when CONFIG_A"),
            # Not told apart by these.
            ([OFF, {**ON, "CONFIG_B": True}], "in 1 of the 3 configurations that are compiled"),
            ([], "in 1 of the 1 configurations that are compiled"),
        ],
    )
    def test_which_of_those_that_are_compiled(self, others: list[Any], words: str) -> None:
        built = [SegmentPlan(n, c, constants=constants()) for n, c in enumerate(others, 1)]
        new = {**failing(), "segments": [SegmentPlan(0, ON, error="no such flag"), *built]}
        (change,), _ = self.compared(failing(), new)
        assert change.text == f"cannot be built any more {words}: no such flag"


class TestUnreached:
    """Flags above the bits that a sweep can visit."""

    def test_none(self) -> None:
        assert list(layout.unreached(against(one(__GFP_NEW=1 << 11), one()))) == []

    def test_some(self) -> None:
        high: Any = {"__GFP_TOP": 1 << 40, "__GFP_EDGE": 1 << 32, "__GFP_LAST": 1 << 31}
        sides = against(one(__GFP_OLD=1 << 33), one(**high), gfp_t_bits=64)
        text = "helpers are compared on values below 2^32, and not for __GFP_EDGE, __GFP_OLD, __GFP_TOP above that"
        assert list(layout.unreached(sides)) == [Problem("gfp_t", text)]
