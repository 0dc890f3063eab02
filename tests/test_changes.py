# SPDX-License-Identifier: GPL-2.0-only
"""
What ``pygfp diff`` says of edits that change a meaning, each worked out by hand from the edit.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import breaks
import differ as differ_
import pytest
from breaks import GFP, TYPES, _span
from differ import ONE, texts_of
from edits import Edit, sub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Report = dict[str, Any]

#: Every configuration, where the change shows in some only.
ALL: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """
    An edit and what must be said of it.

    :ivar edit: the edit
    :ivar said: for each id, nothing more and nothing less: the flags, or how the text begins
    :ivar share: for each id the part of all inputs that differs, as 1 over the number
    """

    edit: Edit
    said: dict[str, dict[str, str] | str]
    share: dict[str, float] = field(default_factory=dict)
    arguments: tuple[str, ...] = ONE


def lone(name: str, place: str, pattern: str, new: str, said: dict[str, dict[str, str] | str], **more: Any) -> Case:  # noqa: ANN401
    """A case of one helper; its id is that of its value where *said* is flags."""
    share = more.pop("share", {})
    return Case(sub(name, GFP, f"{place}()", (pattern, new)), said, share, **more)


IO, FS = "__GFP_IO", "__GFP_FS"
ON, OFF = "false -> true", "true -> false"
BAD = ("__GFP_DMA|__GFP_HIGHMEM", "__GFP_DMA|__GFP_DMA32", "__GFP_HIGHMEM|__GFP_DMA32")
#: Nothing in the zone table has these: the entry is 0, which is DMA where it is built.
BUGS = dict.fromkeys(BAD, "BUG -> ZONE_DMA")
BOTH_MOBILITIES = {"__GFP_MOVABLE|__GFP_RECLAIMABLE": "WARN -> no WARN"}

V_IO_FS, V_BLOCK, V_COMPACT, V_ZONE, V_LIST, V_TYPE, V_NESTED = (
    f"helper.{name}.value"
    for name in (
        *("gfp_has_io_fs", "gfpflags_allow_blocking", "gfp_compaction_allowed", "gfp_zone", "gfp_zonelist"),
        *("gfp_migratetype", "gfp_nested_mask"),
    )
)

CASES = (
    lone("!= for ==", "gfp_has_io_fs", "==", "!=", {V_IO_FS: {"no flag": ON, f"{IO}|{FS}": OFF}}, share={V_IO_FS: 1}),
    lone("& for ==", "gfp_has_io_fs", "==", "&", {V_IO_FS: {IO: ON, FS: ON}}, share={V_IO_FS: 2}),
    Case(
        sub("HIGH for FS", GFP, "gfp_has_io_fs()", (FS, "__GFP_HIGH"), count=2),
        {V_IO_FS: {f"__GFP_HIGH|{IO}": ON, f"{IO}|{FS}": OFF}},
        {V_IO_FS: 4},
    ),
    lone(
        "another reclaim",
        "gfpflags_allow_blocking",
        "DIRECT",
        "KSWAPD",
        {V_BLOCK: {"__GFP_KSWAPD_RECLAIM": ON, "__GFP_DIRECT_RECLAIM": OFF}},
        share={V_BLOCK: 2},
    ),
    lone(
        "either reclaim",
        "gfpflags_allow_blocking",
        "DIRECT_",
        "",
        {V_BLOCK: {"__GFP_KSWAPD_RECLAIM": ON}},
        share={V_BLOCK: 4},
    ),
    lone(
        "! for !!",
        "gfpflags_allow_blocking",
        "!!",
        "!",
        {V_BLOCK: {"no flag": ON, "__GFP_DIRECT_RECLAIM": OFF}},
        share={V_BLOCK: 1},
    ),
    lone("FS for IO", "gfp_compaction_allowed", "__GFP_IO", FS, {V_COMPACT: {FS: ON, IO: OFF}}, share={V_COMPACT: 2}),
    lone("|| for &&", "gfp_compaction_allowed", "&&", "||", {V_COMPACT: {"no flag": ON}}, share={V_COMPACT: 2}),
    lone(
        "another symbol",
        "gfp_compaction_allowed",
        "CONFIG_COMPACTION",
        "CONFIG_MIGRATION",
        {
            V_COMPACT: {
                IO: f"{ON} when not CONFIG_COMPACTION and CONFIG_MIGRATION; "
                f"{OFF} when CONFIG_COMPACTION and not CONFIG_MIGRATION"
            }
        },
        share={V_COMPACT: 2},
        arguments=ALL,
    ),
    lone(
        "no BUG", "gfp_zone", r"VM_BUG_ON\(.*\);", "", {"helper.gfp_zone.bug": BUGS}, share={"helper.gfp_zone.bug": 2}
    ),
    lone("WARN for BUG", "gfp_zone", "VM_BUG", "VM_WARN", {"helper.gfp_zone.bug": BUGS}),
    lone(
        "one zone higher",
        "gfp_zone",
        r"return z\b",
        "return z + 1",
        {
            V_ZONE: {
                "no flag": "ZONE_NORMAL -> ZONE_MOVABLE",
                "__GFP_DMA": "ZONE_DMA -> ZONE_DMA32",
                "__GFP_DMA32": "ZONE_DMA32 -> ZONE_NORMAL",
                "__GFP_HIGHMEM|__GFP_MOVABLE": "ZONE_MOVABLE -> 4",
            }
        },
        share={V_ZONE: 2},
    ),
    Case(
        sub("movable is a zone", GFP, "GFP_ZONE_TABLE", (r"\(ZONE_NORMAL << ___", "(ZONE_MOVABLE << ___")),
        {V_ZONE: {"__GFP_MOVABLE": "ZONE_NORMAL -> ZONE_MOVABLE"}},
        {V_ZONE: 16},
    ),
    Case(
        sub("DMA and HIGHMEM allowed", GFP, "GFP_ZONE_BAD", (r"1 << \(___GFP_DMA \| ___GFP_HIGHMEM\)", "0")),
        {"helper.gfp_zone.bug": {BAD[0]: "BUG -> ZONE_DMA"}},
        {"helper.gfp_zone.bug": 16},
    ),
    lone(
        "another flag",
        "gfp_zonelist",
        "THISNODE",
        "HARDWALL",
        {
            V_LIST: {
                "__GFP_HARDWALL": "ZONELIST_FALLBACK -> ZONELIST_NOFALLBACK",
                "__GFP_THISNODE": "ZONELIST_NOFALLBACK -> ZONELIST_FALLBACK",
            }
        },
        share={V_LIST: 2},
    ),
    lone(
        "no such list",
        "gfp_zonelist",
        "ZONELIST_NOFALLBACK",
        "2",
        {V_LIST: {"__GFP_THISNODE": "ZONELIST_NOFALLBACK -> 2"}},
        share={V_LIST: 2},
    ),
    lone(
        "no warning",
        "gfp_migratetype",
        r"VM_WARN_ON\(.*\);",
        "",
        {f"helper.gfp_migratetype.warning{state}": BOTH_MOBILITIES for state in ("", "-ungrouped")},
        share={"helper.gfp_migratetype.warning": 4},
    ),
    lone(
        "another type where nothing is grouped",
        "gfp_migratetype",
        "MIGRATE_UNMOVABLE",
        "MIGRATE_MOVABLE",
        {f"{V_TYPE}-ungrouped": {"no flag": "MIGRATE_UNMOVABLE -> MIGRATE_MOVABLE"}},
        share={f"{V_TYPE}-ungrouped": 1},
    ),
    lone(
        "one input",
        "gfp_nested_mask",
        "\treturn",
        "\tif (flags == 0x1200)\n\t\treturn 0;\n\treturn",
        {V_NESTED: "what it returns is no simple function of the flags on the new side"},
        share={V_NESTED: 1 << 28},
    ),
    lone(
        "a warning",
        "gfp_nested_mask",
        "\treturn",
        "\tVM_WARN_ON(flags & __GFP_ZERO);\n\treturn",
        {"helper.gfp_nested_mask.warning": "WARN: on which inputs it fires is no simple function"},
        share={"helper.gfp_nested_mask.warning": 2},
    ),
    lone(
        "a BUG",
        "gfp_nested_mask",
        "\treturn",
        "\tVM_BUG_ON(flags & __GFP_DMA);\n\treturn",
        {"helper.gfp_nested_mask.bug": "BUG: on which inputs it fires is no simple function"},
        share={"helper.gfp_nested_mask.bug": 2},
    ),
    lone(
        "forced for kept",
        "gfp_nested_mask",
        r"\(__GFP_NORETRY",
        "(__GFP_FS | __GFP_NORETRY",
        {V_NESTED: {FS: "keep -> force"}},
        share={V_NESTED: 2},
    ),
    lone(
        "kept, a hole",
        "gfp_nested_mask",
        r"\(GFP_KERNEL",
        "(0x200 | GFP_KERNEL",
        {V_NESTED: {"0x200": "drop -> keep"}},
        share={V_NESTED: 2},
    ),
    lone(
        "forced, above all flags",
        "gfp_nested_mask",
        r"\(__GFP_NORETRY",
        "(0x40000000 | __GFP_NORETRY",
        {V_NESTED: {"0x40000000": "drop -> force"}},
        share={V_NESTED: 1},
    ),
    Case(
        sub("gone", GFP, "", (r"static inline bool gfp_has_io_fs\([^}]*\}\n", "")),
        {"helper.gfp_has_io_fs.removed": "removed; "},
    ),
    Case(
        sub("renamed", GFP, "", (r"gfp_nested_mask\(", "gfp_inner_mask(")),
        {
            "helper.gfp_nested_mask.removed": "removed; ",
            "helper.gfp_inner_mask.added": "added: keep {HIGH IO FS DIRECT_RECLAIM KSWAPD_RECLAIM NOLOCKDEP}, "
            "force {NOWARN NORETRY NOMEMALLOC}",
        },
    ),
    Case(
        sub("takes an int", GFP, "", (r"gfp_nested_mask\(gfp_t", "gfp_nested_mask(int")),
        {"helper.gfp_nested_mask.signature": "signature gfp_t gfp_nested_mask(gfp_t) -> gfp_t gfp_nested_mask(int)"},
    ),
    Case(
        sub("returns an int", GFP, "", (r"bool gfp_has_io_fs", "int gfp_has_io_fs")),
        {"helper.gfp_has_io_fs.signature": "signature bool gfp_has_io_fs(gfp_t) -> int gfp_has_io_fs(gfp_t)"},
    ),
    Case(
        sub("does not compile", GFP, "gfp_has_io_fs()", (r"return", "return return")),
        {"helper.gfp_has_io_fs.broken": "cannot be compiled any more: include/linux/gfp.h:426: expected expression"},
    ),
    Case(
        sub("flag renamed", TYPES, "", (r"define __GFP_WRITE\t", "define __GFP_WROTE\t")),
        {"flag.__GFP_WRITE.removed": "removed, bit 12", "flag.__GFP_WROTE.added": "added, bit 12"},
    ),
    Case(
        sub("a flag that is no gfp_t", TYPES, "", (r"\(__force gfp_t\)___GFP_WRITE\b", "___GFP_WRITE")),
        {"flag.__GFP_WRITE.broken": "no constant of type gfp_t any more"},
    ),
    Case(
        sub("a list that does not compile", TYPES, "", (r"(define GFP_HIGHUSER_MOVABLE\t)\(", r"\1(| ")),
        {
            "composite.GFP_HIGHUSER_MOVABLE.broken": "no constant of type gfp_t any more",
            "composite.GFP_TRANSHUGE_LIGHT.broken": "no constant of type gfp_t any more",
            "composite.GFP_TRANSHUGE.broken": "no constant of type gfp_t any more",
            "layout.compiles-alone.broken": "gfp_types.h does not compile by itself",
        },
    ),
    Case(
        sub("two flags exchanged", TYPES, "", (r"(\t___GFP_IO_BIT,\n)(\t___GFP_FS_BIT,\n)", r"\2\1")),
        {"flag.__GFP_IO.moved": "bit 6 -> 7", "flag.__GFP_FS.moved": "bit 7 -> 6"},
    ),
    Case(
        sub("two bits for one", TYPES, "", (r"BIT\(___GFP_ZERO_BIT\)", "0x300")),
        {"flag.__GFP_ZERO.value": "0x100 -> 0x300, not a single bit"},
    ),
    Case(
        sub("room for one more", TYPES, "__GFP_BITS_SHIFT", ("___GFP_LAST_BIT", "(___GFP_LAST_BIT + 1)")),
        {"layout.__GFP_BITS_SHIFT.changed": "28 -> 29"},
    ),
    Case(
        sub("mask without a bit", TYPES, "__GFP_BITS_MASK", (r"\) - 1\)", ") - 2)")),
        {
            "composite.__GFP_BITS_MASK.changed": {
                "__GFP_DMA": "present -> absent",
                "every bit below the highest": "absent -> present",
            }
        },
    ),
    Case(
        sub("a shared bit", TYPES, "", (r"BIT\(___GFP_WRITE_BIT", "BIT(___GFP_NOWARN_BIT")),
        {
            "layout.GFP_WRITE-GFP_NOWARN.shared-bit": "__GFP_WRITE, __GFP_NOWARN share a bit on one side only",
            "flag.__GFP_WRITE.moved": "bit 12 -> 13",
        },
    ),
    Case(
        sub("wider", "include/linux/types.h", "", (r"unsigned int __bitwise gfp_t", "unsigned long __bitwise gfp_t")),
        {"layout.gfp_t.changed": "unsigned, 32 bits -> unsigned, 64 bits"},
    ),
    Case(
        sub("not alone", TYPES, "", (r"#include <linux/bits.h>\n", "")),
        {"layout.compiles-alone.broken": "gfp_types.h does not compile by itself: include/linux/gfp_types.h:"},
    ),
    Case(
        sub("a build check", GFP, "gfp_zone()", (r"\tz =", "\tBUILD_BUG_ON(1);\n\tz =")),
        {"layout.build-bug-gfp-141.broken": "BUILD_BUG_ON fires: the kernel would not build with this header"},
    ),
    Case(
        sub("not with lockdep", TYPES, "", (r"(#define ___GFP_NOLOCKDEP\tBIT.*)", r"\1\n#error no")),
        {
            "config.build.broken": "cannot be built any more when CONFIG_LOCKDEP: include/linux/gfp_types.h:98: #error",
            "layout.compiles-alone.broken": "gfp_types.h does not compile by itself",
        },
        arguments=ALL,
    ),
)


@pytest.fixture
def differ(tmp_path: Path) -> Callable[..., Report]:
    """Return a function that diffs two sets of texts, or trees, and gives the report."""
    return partial(differ_.report, tmp_path)


def by_id(report: Report) -> dict[str, dict[str, Any]]:
    found = {c["id"]: c for c in report["changes"]}
    assert len(found) == len(report["changes"])
    return found


@pytest.mark.parametrize("case", CASES, ids=[c.edit.id for c in CASES])
def test_an_edit_is_said_exactly(case: Case, headers_6_12: Path, differ: Callable[..., Report]) -> None:
    texts = case.edit.apply(texts_of(headers_6_12), random.Random(0))
    report = differ(headers_6_12, texts, *case.arguments)
    found = by_id(report)
    assert set(found) == set(case.said)
    for name, said in case.said.items():
        if isinstance(said, dict):
            assert found[name]["flags"] == said
        else:
            assert found[name]["text"].startswith(said)
        if name in case.share:
            assert found[name]["differing"] * case.share[name] == found[name]["inputs"] > 1
    assert report["exit"] == 1
    assert not report["problems"]


def guarded(texts: dict[str, str], head: str) -> dict[str, str]:
    """gfp_has_io_fs() under a condition."""
    start, end = _span(texts[GFP], "gfp_has_io_fs()")
    start = texts[GFP].rindex("\n", 0, start) + 1
    text = texts[GFP]
    return {**texts, GFP: f"{text[:start]}{head}\n{text[start:end]}\n#endif\n{text[end:]}"}


class TestConfigurations:
    """What holds in some configurations only is said of these."""

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            ("#if 1", "#ifdef CONFIG_MMU", "compiled out when not CONFIG_MMU"),
            ("#ifdef CONFIG_MMU", "#if 1", "not compiled out any more when not CONFIG_MMU"),
            (
                "#ifdef CONFIG_MMU",
                "#ifndef CONFIG_MMU",
                "compiled out when CONFIG_MMU; not compiled out any more when not CONFIG_MMU",
            ),
        ],
    )
    def test_a_helper_compiled_out(
        self, old: str, new: str, text: str, headers_6_12: Path, differ: Callable[..., Report]
    ) -> None:
        texts = texts_of(headers_6_12)
        report = differ(guarded(texts, old), guarded(texts, new), *ONE)
        (change,) = report["changes"]
        assert (change["id"], change["text"]) == ("config.gfp_has_io_fs.guard", text)

    def test_a_flag_behind_another_symbol(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        edit = sub("symbol", TYPES, "", (r"CONFIG_LOCKDEP\b", "CONFIG_PROVE_LOCKING"), count=2)
        rest = ("--set", "CONFIG_KASAN_HW_TAGS=n", "--set", "CONFIG_SLAB_OBJ_EXT=n")
        report = differ(headers_6_12, edit.apply(texts_of(headers_6_12), random.Random(0)), *rest)
        found = by_id(report)
        assert set(found) == {"config.__GFP_NOLOCKDEP.guard", "layout.__GFP_BITS_SHIFT.changed"}
        guard = found["config.__GFP_NOLOCKDEP.guard"]
        assert guard["text"] == "exists when CONFIG_LOCKDEP -> exists when CONFIG_PROVE_LOCKING"
        assert len(guard["configs"]) == 2
        assert found["layout.__GFP_BITS_SHIFT.changed"]["text"] == (
            "24 -> 25 when not CONFIG_LOCKDEP and CONFIG_PROVE_LOCKING; "
            "25 -> 24 when CONFIG_LOCKDEP and not CONFIG_PROVE_LOCKING"
        )

    def test_a_flag_that_is_kept_with_lockdep_only(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        edit = sub("keep", GFP, "gfp_nested_mask()", (r" \| __GFP_NOLOCKDEP", ""))
        report = differ(headers_6_12, edit.apply(texts_of(headers_6_12), random.Random(0)))
        (change,) = report["changes"]
        assert change["flags"] == {"__GFP_NOLOCKDEP": "keep -> drop"}
        assert change["text"] == "__GFP_NOLOCKDEP keep -> drop when CONFIG_LOCKDEP"
        assert len(change["configs"]) == 4
        assert all(c["CONFIG_LOCKDEP"] for c in change["configs"])

    def test_one_that_neither_side_can_be_built_in_is_no_change(
        self, headers_6_12: Path, differ: Callable[..., Report]
    ) -> None:
        broken = sub("error", TYPES, "", (r"(#define ___GFP_NOLOCKDEP\tBIT.*)", r"\1\n#error no"))
        more = sub(
            "more", GFP, "gfp_has_io_fs()", (r"\treturn", "\tif (IS_ENABLED(CONFIG_MMU))\n\t\tgfp |= 0;\n\treturn")
        )
        old = broken.apply(texts_of(headers_6_12), random.Random(0))
        report = differ(old, more.apply(old, random.Random(0)))
        assert not report["changes"]
        assert [p["text"].partition(": ")[0] for p in report["problems"]] == [
            "the old side cannot be built when CONFIG_LOCKDEP"
        ]
        assert report["exit"] == 3

    def test_a_composite_in_some_configurations(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        texts = texts_of(headers_6_12)
        name = "#define GFP_EXTRA (__GFP_IO | __GFP_FS)\n"
        end = texts[TYPES].rindex("#endif")
        old, new = (
            {**texts, TYPES: texts[TYPES][:end] + text + texts[TYPES][end:]}
            for text in (name, f"#ifdef CONFIG_MMU\n{name}#endif\n")
        )
        (change,) = differ(old, new, *ONE)["changes"]
        assert (change["id"], change["flags"]) == (
            "composite.GFP_EXTRA.changed",
            {"GFP_EXTRA": "present -> absent"},
        )
        assert change["configs"] == [{**change["configs"][0], "CONFIG_MMU": False}]

    def test_set_narrows_what_is_compared(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        edit = sub("keep", GFP, "gfp_nested_mask()", (r" \| __GFP_NOLOCKDEP", ""))
        texts = edit.apply(texts_of(headers_6_12), random.Random(0))
        off = tuple(a.replace("CONFIG_LOCKDEP=y", "CONFIG_LOCKDEP=n") for a in ONE)
        assert differ(headers_6_12, texts, *off)["exit"] == 0
        assert differ(headers_6_12, texts, *ONE)["exit"] == 1

    def test_a_dotconfig_narrows_what_is_compared(
        self, headers_6_12: Path, differ: Callable[..., Report], tmp_path: Path
    ) -> None:
        edit = sub("compaction", GFP, "gfp_compaction_allowed()", ("__GFP_IO", "__GFP_FS"))
        texts = edit.apply(texts_of(headers_6_12), random.Random(0))
        (tmp_path / "off").write_text("# CONFIG_COMPACTION is not set\n")
        (tmp_path / "on").write_text("CONFIG_COMPACTION=y\n")
        assert differ(headers_6_12, texts, "--config", str(tmp_path / "off"))["exit"] == 0
        assert differ(headers_6_12, texts, "--config", str(tmp_path / "on"))["exit"] == 1


MMZONE = "include/linux/mmzone.h"
FORMLESS = r"\tif (__builtin_popcount({}) > 20)\n\t\treturn {};\n\1"


class TestWithoutForm:
    """Where no form fits, the C of both sides is compared, and results are matched as those of forms are."""

    def test_zones_that_are_other_numbers_by_input_zone(self, differ: Callable[..., Report]) -> None:
        add = sub("formless", GFP, "gfp_zone()", (r"(\treturn)", FORMLESS.format("flags", "ZONE_MOVABLE")))
        row = "#ifdef CONFIG_ZONE_DMA32\n\tZONE_DMA32,\n#endif\n"
        old = add.apply(texts_of(breaks.ROOT / "csrc"), random.Random(0))
        zones = old[MMZONE].replace(row, "").replace("enum zone_type {\n", "enum zone_type {\n" + row)
        assert zones != old[MMZONE]
        report = differ(old, {**old, MMZONE: zones}, *ONE)
        assert (report["changes"], report["problems"], report["exit"]) == ([], [], 0)

    def test_results_above_the_inputs(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        add = sub("formless", GFP, "gfp_nested_mask()", (r"(\treturn)", FORMLESS.format("flags", "0x40000000")))
        move = sub("moved", TYPES, "", (r"(\t___GFP_IO_BIT,\n)(\t___GFP_FS_BIT,\n)", r"\2\1"))
        old = add.apply(texts_of(headers_6_12), random.Random(0))
        report = differ(old, move.apply(old, random.Random(0)), *ONE)
        assert {c["id"] for c in report["changes"]} == {"flag.__GFP_IO.moved", "flag.__GFP_FS.moved"}

    def test_a_crash_is_said_once_for_both_states_of_grouping(self, differ: Callable[..., Report]) -> None:
        texts = texts_of(breaks.ROOT / "csrc")
        trap = "\\tif (gfp_flags & __GFP_ZERO)\\n\\t\\t__builtin_trap();\\n\\1"
        edit = sub("crash", GFP, "gfp_migratetype()", (r"(\tVM_WARN)", trap))
        report = differ(texts, edit.apply(texts, random.Random(0)), *ONE)
        (change,) = report["changes"]
        assert (change["id"], change["text"].partition(" crashes")[0]) == (
            "helper.gfp_migratetype.broken",
            "misbehaves: gfp_migratetype",
        )


def test_a_literal_bit_is_another_flag_in_some_configurations_only(
    headers_6_1: Path, headers_6_12: Path, differ: Callable[..., Report]
) -> None:
    """Bit 24 is NOLOCKDEP in 6.12 with LOCKDEP on and KASAN_HW_TAGS off; in 6.1 it is SKIP_ZERO or nothing."""
    odd = "static inline bool gfp_odd(gfp_t x)\n{\n\treturn x & 0x1000000;\n}\n"
    trees = []
    for tree in (headers_6_1, headers_6_12):
        texts = texts_of(tree)
        trees.append(
            {**texts, GFP: texts[GFP].replace("#endif /* __LINUX_GFP_H */", f"{odd}#endif /* __LINUX_GFP_H */")}
        )
    (change,) = differ(*trees, "--helper", "gfp_odd")["changes"]
    assert change["flags"] == {"__GFP_NOLOCKDEP": "false -> true"}
    assert all(c["CONFIG_LOCKDEP"] and not c["CONFIG_KASAN_HW_TAGS"] for c in change["configs"])
    assert (change["inputs"], change["differing"]) == (1 << 26, 1 << 25)


def test_a_flag_above_what_a_sweep_visits_is_not_called_equal(differ: Callable[..., Report]) -> None:
    texts = texts_of(breaks.ROOT / "csrc")
    wide = sub("wide", "include/linux/types.h", "", ("unsigned int __bitwise gfp_t", "unsigned long __bitwise gfp_t"))
    high = sub("high", TYPES, "", (r"BIT\(___GFP_WRITE_BIT\)", "(1UL << 40)"))
    keep = sub("keep", GFP, "gfp_nested_mask()", (r"__GFP_HIGH \|", "__GFP_HIGH | __GFP_WRITE |"))
    old = high.apply(wide.apply(texts, random.Random(0)), random.Random(0))
    report = differ(old, keep.apply(old, random.Random(0)), *ONE)
    assert [p["text"].rpartition(" for ")[2] for p in report["problems"]] == ["__GFP_WRITE above that"]
    assert report["exit"] == 3


class TestOptions:
    """A glob looks at its subjects alone; --full at every value."""

    def test_helper_leaves_out_the_rest(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        texts = texts_of(headers_6_12)
        for edit in (CASES[0].edit, CASES[3].edit):
            texts = edit.apply(texts, random.Random(0))
        report = differ(headers_6_12, texts, *ONE, "--helper", "gfpflags_*")
        assert [c["subject"] for c in report["changes"]] == ["gfpflags_allow_blocking"]
        assert report["compared"] == ["gfpflags_allow_blocking"]
        assert differ(headers_6_12, texts, *ONE, "--helper", "gfp_zone*")["exit"] == 0

    def test_full_sees_above_the_defined_bits(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        edit = sub("above", GFP, "gfp_has_io_fs()", (r"\treturn", "\tif (gfp >> 31)\n\t\treturn false;\n\treturn"))
        texts = edit.apply(texts_of(headers_6_12), random.Random(0))
        assert differ(headers_6_12, texts, *ONE, "--helper", "gfp_has_io_fs")["exit"] == 0
        report = differ(headers_6_12, texts, *ONE, "--helper", "gfp_has_io_fs", "--full")
        (change,) = report["changes"]
        assert change["flags"] == {"__GFP_IO|__GFP_FS|0x80000000": "true -> false"}
        assert (change["inputs"], change["differing"]) == (1 << 32, 1 << 29)
        assert report["domain"] == "every value of gfp_t (2^32 inputs)"


class TestRenumbering:
    """Bits that merely sit elsewhere are moved, and change nothing else."""

    def test_all_but_the_zones_permuted(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        rng, texts = differ_.chooser(), texts_of(headers_6_12)
        rows = re.findall(r"^\t___GFP_\w+_BIT,.*\n", texts[TYPES], re.MULTILINE)
        rows = rows[5 : next(n for n, row in enumerate(rows) if "ZEROTAGS" in row) + 1]
        mixed = rng.sample(rows, len(rows))
        edited = {**texts, TYPES: texts[TYPES].replace("".join(rows), "".join(mixed))}
        expected = {
            "__GFP_" + re.findall(r"___GFP_(\w+)_BIT", row)[0]: f"bit {5 + rows.index(row)} -> {5 + n}"
            for n, row in enumerate(mixed)
            if rows.index(row) != n and "UNUSED" not in row
        }
        report = differ(texts, edited)
        assert {c["subject"]: c["text"] for c in report["changes"]} == expected
        assert {(c["kind"], c["change"]) for c in report["changes"]} == {("flag", "moved")}
        assert report["exit"] == 1

    def test_all_lines_shifted(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        texts = texts_of(headers_6_12)
        report = differ(texts, {p: t if p == "Makefile" else "\n\n\n" + t for p, t in texts.items()})
        assert (report["changes"], report["problems"], report["exit"]) == ([], [], 0)


_WAYS = {"added": "removed", "removed": "added"}


def mirrored(change: dict[str, Any]) -> tuple[object, ...]:
    """A change as the other direction has it."""
    flags = {
        label: "; ".join(_turned(part) for part in text.split("; ")) if " -> " in text else text
        for label, text in change["flags"].items()
    }
    way = _WAYS.get(change["change"], change["change"])
    return (change["kind"], change["subject"], way, change["inputs"], change["differing"], sorted(flags.items()))


def _turned(text: str) -> str:
    """``a -> b when c`` the other way round."""
    change, when, condition = text.partition(" when ") if "exists" not in text else (text, "", "")
    old, _, new = change.removeprefix("bit ").partition(" -> ")
    return f"{'bit ' if change.startswith('bit ') else ''}{new} -> {old}{when}{condition}"


class TestAlgebra:
    """Of itself nothing; back is the mirror of there; two steps are one."""

    def test_of_itself(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        report = differ(headers_6_12, headers_6_12)
        assert report["identical"]
        assert report["exit"] == 0

    def test_there_and_back(self, headers_6_1: Path, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        there, back = differ(headers_6_1, headers_6_12), differ(headers_6_12, headers_6_1)
        assert len(there["changes"]) > 10
        plain = sorted((c["kind"], c["subject"], c["change"], c["inputs"], c["differing"]) for c in back["changes"])
        assert sorted(mirrored(c)[:5] for c in there["changes"]) == plain

    @pytest.mark.parametrize("case", [c for c in CASES if c.share and c.arguments == ONE][::5], ids=lambda c: c.edit.id)
    def test_there_and_back_of_an_edit(self, case: Case, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        texts = texts_of(headers_6_12)
        edited = case.edit.apply(texts, random.Random(0))
        there, back = differ(texts, edited, *ONE), differ(edited, texts, *ONE)
        plain = sorted(
            (c["kind"], c["subject"], c["change"], c["inputs"], c["differing"], sorted(c["flags"].items()))
            for c in back["changes"]
        )
        assert sorted(mirrored(c) for c in there["changes"]) == plain

    def test_two_steps_are_one(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        """keep -> drop, then drop -> force: together keep -> force; what is put back is no change."""
        first = texts_of(headers_6_12)
        second = sub("drop", GFP, "gfp_nested_mask()", (r"GFP_ATOMIC \| ", "")).apply(first, random.Random(0))
        third = sub("force", GFP, "gfp_nested_mask()", (r"\(__GFP_NORETRY", "(__GFP_HIGH | __GFP_NORETRY")).apply(
            second, random.Random(0)
        )
        steps = [(first, second), (second, third), (first, third)]
        flags = [by_id(differ(*step, *ONE))[V_NESTED]["flags"] for step in steps]
        assert flags == [
            {"__GFP_HIGH": f"{a} -> {b}"} for a, b in (("keep", "drop"), ("drop", "force"), ("keep", "force"))
        ]
        assert differ(first, dict(first), *ONE)["identical"]
