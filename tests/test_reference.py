# SPDX-License-Identifier: GPL-2.0-only
"""
The model fact by fact: numbers and sets worked out by hand from the kernel's documentation and the notes on nested
allocation. Fast, so that they can be run against every mutant of the model.
"""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from table import TABLE, full, mask

from pygfp.errors import UnknownFlagError
from pygfp.flags import FlagTable
from pygfp.forms import MaskFilter, Outcome
from pygfp.model import glossary
from pygfp.model.declared import Filter, Lookup, Predicate
from pygfp.model.eras import ERAS, era_of
from pygfp.model.helpers import HELPERS, WANTED, Context
from pygfp.model.laws import LAWS
from pygfp.model.masks import MASKS, NO_MASKS, is_mask
from pygfp.model.policy import Policy
from pygfp.model.reclaim import reclaim_context
from pygfp.sources import csrc

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = {model.name: model for model in HELPERS}

#: Two flags, and one whose CONFIG symbol is off.
A, B, C = 0x1, 0x4, 0x10
SMALL = FlagTable({"__GFP_A": A, "__GFP_B": B, "__GFP_C": C, "__GFP_OFF": 0}, bits_shift=5)


class TestMasksByHand:
    """mm/internal.h of 7.3: bits 5 6 7 10 11, 13 to 17, 19 and 26 say how hard the allocator tries."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("__GFP_BITS_MASK", 0x7FFFFFF),
            ("GFP_RECLAIM_MASK", 0x40BECE0),
            ("GFP_BOOT_MASK", 0x7FFF33F),
            ("GFP_CONSTRAINT_MASK", 0x300000),
            ("GFP_SLAB_BUG_MASK", 0xF8000006),
        ],
    )
    def test_of_7_3(self, name: str, value: int) -> None:
        assert MASKS[name](TABLE, (7, 3)) == value

    def test_there_is_no_other(self) -> None:
        assert len(MASKS) == 5

    @pytest.mark.parametrize(
        ("release", "nolockdep"), [((5, 4), False), ((5, 19), False), ((6, 0), True), ((6, 1), True)]
    )
    def test_nolockdep_is_in_the_reclaim_mask_since_6_0(
        self,
        release: tuple[int, int],
        nolockdep: bool,  # noqa: FBT001 - a column
    ) -> None:
        assert MASKS["GFP_RECLAIM_MASK"](TABLE, release) == 0xBECE0 | (1 << 26 if nolockdep else 0)

    def test_atomic_was_in_the_reclaim_mask(self) -> None:
        old = FlagTable({**TABLE.masks, "__GFP_ATOMIC": 0x200}, bits_shift=24)
        assert MASKS["GFP_RECLAIM_MASK"](old, (5, 4)) == 0xBEEE0

    def test_without_a_shift_there_is_no_room_for_flags(self) -> None:
        bare = FlagTable(TABLE.masks)
        assert MASKS["__GFP_BITS_MASK"](bare, (7, 3)) == 0
        assert MASKS["GFP_BOOT_MASK"](bare, (7, 3)) == 0

    def test_a_wide_gfp_t_has_more_bits_that_slab_cannot_serve(self) -> None:
        wide = replace(TABLE, gfp_t_bits=64)
        assert MASKS["GFP_SLAB_BUG_MASK"](wide, (7, 3)) == 0xFFFFFFFFF8000006

    def test_the_numbers_of_helpers_are_no_masks(self) -> None:
        assert {"GFP_ZONE_TABLE", "GFP_ZONE_BAD", "GFP_ZONES_SHIFT", "GFP_MOVABLE_SHIFT"} == NO_MASKS
        names = ["GFP_KERNEL", "__GFP_IO", "___GFP_IO", "GFP_ZONE_BAD", "_GFP_X", "ZONE_DMA", "A_GFP_X"]
        assert [n for n in names if is_mask(n)] == ["GFP_KERNEL", "__GFP_IO"]


class TestDeclaredForms:
    """Filters, predicates and tables on three flags and one that is off."""

    def same(self, declared: Any, x: int, expected: Outcome) -> None:  # noqa: ANN401 - three kinds
        assert declared.scalar(x, SMALL) == expected
        assert declared.lower(SMALL).outcome(x) == expected
        values, bugs, warnings = declared.array(np.array([x, x]), SMALL)
        assert (values.dtype.kind, values.tolist()) == ("i", [expected.value] * 2)
        assert bugs.tolist() == [expected.bug] * 2
        assert warnings.tolist() == [expected.warned] * 2

    @pytest.mark.parametrize(("x", "value"), [(0, B), (A, A | B), (B, B), (A | C, A | B), (0xFFFFFFEA, B)])
    def test_a_filter_keeps_and_forces(self, x: int, value: int) -> None:
        self.same(
            Filter(("__GFP_A", "__GFP_OFF", "__GFP_NONE"), ("__GFP_B", "__GFP_OFF", "__GFP_NONE")), x, Outcome(value)
        )

    def test_a_flag_that_is_kept_and_forced_is_lowered_as_forced(self) -> None:
        both = Filter(("__GFP_A", "__GFP_B"), ("__GFP_B",))
        assert both.lower(SMALL) == MaskFilter(keep=A, force=B)
        assert both.scalar(A | B, SMALL) == Outcome(A | B)

    def test_two_names_of_one_bit_count_once(self) -> None:
        table = FlagTable({"__GFP_A": 2, "__GFP_ALSO": 2})
        assert Filter(("__GFP_A", "__GFP_ALSO"), ()).scalar(2, table) == Outcome(2)
        assert Filter((), ("__GFP_A", "__GFP_ALSO")).scalar(0, table) == Outcome(2)

    @pytest.mark.parametrize(("x", "value"), [(0, 0), (A, 1), (B, 1), (A | B, 1), (C, 0), (0xEA, 0)])
    def test_any_of(self, x: int, value: int) -> None:
        self.same(Predicate(any_of=("__GFP_A", "__GFP_B", "__GFP_OFF")), x, Outcome(value))

    @pytest.mark.parametrize(("x", "value"), [(0, 0), (A, 0), (B, 0), (A | B, 1), (A | B | C, 1)])
    def test_all_of(self, x: int, value: int) -> None:
        self.same(Predicate(all_of=("__GFP_A", "__GFP_B")), x, Outcome(value))

    @pytest.mark.parametrize("x", [0, A, A | B, 0xFF])
    def test_a_flag_that_is_off_is_never_set(self, x: int) -> None:
        self.same(Predicate(all_of=("__GFP_A", "__GFP_OFF")), x, Outcome(0))
        self.same(Predicate(all_of=("__GFP_A", "__GFP_NONE")), x, Outcome(0))
        self.same(Predicate(any_of=("__GFP_OFF",)), x, Outcome(0))
        self.same(Predicate(any_of=("__GFP_NONE",)), x, Outcome(0))
        self.same(Predicate(none_of=("__GFP_OFF", "__GFP_NONE")), x, Outcome(1))

    @pytest.mark.parametrize(("x", "value"), [(0, 0), (A, 1), (A | C, 0), (C, 0), (A | B, 0), (A | B | C, 0)])
    def test_all_of_some_and_none_of_others(self, x: int, value: int) -> None:
        self.same(Predicate(all_of=("__GFP_A",), none_of=("__GFP_B", "__GFP_C")), x, Outcome(value))

    @pytest.mark.parametrize(("x", "value"), [(0, 0), (A, 0), (B, 0), (A | B, 1), (A | C, 1)])
    def test_all_of_some_and_any_of_others(self, x: int, value: int) -> None:
        self.same(Predicate(all_of=("__GFP_A",), any_of=("__GFP_B", "__GFP_C")), x, Outcome(value))

    @pytest.mark.parametrize("x", [0, A, 0xFF])
    def test_one_that_is_switched_off_is_never_true(self, x: int) -> None:
        self.same(Predicate(any_of=("__GFP_A",), enabled=False), x, Outcome(0))
        self.same(Predicate(enabled=False), x, Outcome(0))

    @pytest.mark.parametrize("x", [0, A, 0xFF])
    def test_one_that_asks_for_nothing_is_always_true(self, x: int) -> None:
        self.same(Predicate(), x, Outcome(1))

    @pytest.mark.parametrize(
        ("x", "outcome"),
        [
            (0, Outcome(7)),
            (A, Outcome(8, warned=True)),
            (C, Outcome(9)),
            (A | C, Outcome(0, bug=True)),
            (B, Outcome(7)),
            (0xEA, Outcome(7)),
            (A | B | C, Outcome(0, bug=True)),
        ],
    )
    def test_a_table_answers_by_the_set_of_flags(self, x: int, outcome: Outcome) -> None:
        answers = {
            frozenset[str](): Outcome(7),
            frozenset({"__GFP_A"}): Outcome(8, warned=True),
            frozenset({"__GFP_C"}): Outcome(9),
            frozenset({"__GFP_A", "__GFP_C"}): Outcome(0, bug=True),
        }
        never = Outcome(55, bug=True, warned=True)
        self.same(
            Lookup(("__GFP_A", "__GFP_OFF", "__GFP_NONE", "__GFP_C"), lambda flags: answers.get(flags, never)),
            x,
            outcome,
        )

    def test_a_lowered_table_has_the_bits_of_its_flags_in_order(self) -> None:
        lowered = Predicate(any_of=("__GFP_C",), all_of=("__GFP_A", "__GFP_OFF"), none_of=("__GFP_C",)).lower(SMALL)
        assert lowered.bits == (0, 4)
        assert len(lowered.rows) == 4
        assert Predicate(any_of=("__GFP_C", "__GFP_NONE")).lower(SMALL).bits == (4,)
        assert Predicate(any_of=("__GFP_A",), enabled=False).lower(SMALL).bits == ()


class TestHelpersByHand:
    """What is said of each helper besides its meaning."""

    def context(self, **over: Any) -> Context:  # noqa: ANN401 - fields of a context
        names = {"ZONE_DMA": 0, "ZONE_NORMAL": 2, "ZONE_MOVABLE": 4, "MIGRATE_UNMOVABLE": 0, "MIGRATE_MOVABLE": 1}
        names |= {"MIGRATE_RECLAIMABLE": 2, "ZONELIST_FALLBACK": 0, "ZONELIST_NOFALLBACK": 1}
        return Context(**{"config": {}, "enumerators": names, "release": (7, 3), "policy": Policy(), **over})

    def test_their_types(self) -> None:
        assert WANTED == {
            "gfp_nested_mask": "gfp_t",
            "gfp_kmemleak_mask": "gfp_t",
            "gfpflags_allow_blocking": "bool",
            "gfpflags_allow_spinning": "bool",
            "gfpflags_normal_context": "bool",
            "gfp_has_io_fs": "bool",
            "gfp_compaction_allowed": "bool",
            "gfp_zone": "enum zone_type",
            "gfp_zonelist": "int",
            "gfp_migratetype": "int",
            "gfpflags_to_migratetype": "int",
        }

    def test_two_of_them_return_masks(self) -> None:
        assert [m.name for m in HELPERS if m.is_filter] == ["gfp_nested_mask", "gfp_kmemleak_mask"]

    def test_only_the_nested_filter_decides_on_new_flags(self) -> None:
        assert [m.name for m in HELPERS if m.decides_flags] == ["gfp_nested_mask"]

    def test_only_the_migrate_type_depends_on_grouping(self) -> None:
        assert [m.name for m in HELPERS if m.states] == ["gfp_migratetype", "gfpflags_to_migratetype"]

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("gfpflags_allow_blocking", {0, 1}),
            ("gfpflags_allow_spinning", {0, 1}),
            ("gfpflags_normal_context", {0, 1}),
            ("gfp_has_io_fs", {0, 1}),
            ("gfp_compaction_allowed", {0, 1}),
            ("gfp_zone", {0, 2, 4}),
            ("gfp_zonelist", {0, 1}),
            ("gfp_migratetype", {0, 1, 2}),
            ("gfpflags_to_migratetype", {0, 1, 2}),
        ],
    )
    def test_the_documented_values_are_those_that_the_configuration_has(self, name: str, values: set[int]) -> None:
        documented = MODELS[name].documented
        assert documented is not None
        assert set(documented(self.context()).values()) == values

    def test_every_zone_that_may_be_asked_for_is_documented(self) -> None:
        zones = {f"ZONE_{z}": n for n, z in enumerate(("DMA", "DMA32", "NORMAL", "HIGHMEM", "MOVABLE", "DEVICE"))}
        documented = MODELS["gfp_zone"].documented
        assert documented is not None
        assert documented(self.context(enumerators=zones)) == {n: v for n, v in zones.items() if n != "ZONE_DEVICE"}

    @pytest.mark.parametrize("name", ["gfp_nested_mask", "gfp_kmemleak_mask"])
    def test_a_filter_may_return_any_mask(self, name: str) -> None:
        assert MODELS[name].documented is None

    def test_an_enumerator_that_a_configuration_lacks_is_told(self) -> None:
        with pytest.raises(UnknownFlagError, match="ZONE_DMA32"):
            self.context(config={"CONFIG_ZONE_DMA32": True}).number("ZONE_DMA32")

    def test_a_symbol_that_is_not_named_is_off(self) -> None:
        context = self.context(config={"CONFIG_NUMA": True, "CONFIG_COMPACTION": False})
        assert context.on("CONFIG_NUMA")
        assert not context.on("CONFIG_COMPACTION")
        assert not context.on("CONFIG_ZONE_DMA")
        assert not context.ungrouped

    @pytest.mark.parametrize(
        ("release", "extra_keep", "extra_force"),
        [
            ((4, 19), "", " NOFAIL"),
            ((5, 2), "", " NOFAIL"),
            ((5, 3), "", ""),
            ((5, 14), "", ""),
            ((5, 15), " NOLOCKDEP", ""),
            ((5, 16), " NOLOCKDEP", ""),
            ((6, 9), " NOLOCKDEP", ""),
        ],
    )
    def test_the_macro_of_kmemleak_through_time(
        self, release: tuple[int, int], extra_keep: str, extra_force: str
    ) -> None:
        filtering = MODELS["gfp_kmemleak_mask"].meaning(self.context(release=release))
        assert isinstance(filtering, Filter)
        keep = f"IO FS DIRECT_RECLAIM KSWAPD_RECLAIM HIGH ATOMIC{extra_keep}"
        assert set(filtering.keep) == set(full(keep))
        assert set(filtering.force) == set(full(f"NORETRY NOMEMALLOC NOWARN{extra_force}"))

    @pytest.mark.parametrize(
        ("name", "caller", "answer"),
        [
            ("gfpflags_allow_blocking", "DIRECT_RECLAIM", 1),
            ("gfpflags_allow_blocking", "KSWAPD_RECLAIM IO FS HIGH", 0),
            ("gfpflags_allow_spinning", "DIRECT_RECLAIM", 1),
            ("gfpflags_allow_spinning", "KSWAPD_RECLAIM", 1),
            ("gfpflags_allow_spinning", "IO FS HIGH MEMALLOC", 0),
            ("gfpflags_normal_context", "DIRECT_RECLAIM", 1),
            ("gfpflags_normal_context", "DIRECT_RECLAIM MEMALLOC", 0),
            ("gfpflags_normal_context", "KSWAPD_RECLAIM", 0),
            ("gfpflags_normal_context", "MEMALLOC", 0),
            ("gfp_has_io_fs", "IO FS", 1),
            ("gfp_has_io_fs", "IO DIRECT_RECLAIM", 0),
            ("gfp_has_io_fs", "FS DIRECT_RECLAIM", 0),
        ],
    )
    def test_a_predicate(self, name: str, caller: str, answer: int) -> None:
        assert MODELS[name].meaning(self.context()).scalar(mask(caller), TABLE) == Outcome(answer)

    @pytest.mark.parametrize(("on", "caller", "answer"), [(1, "IO", 1), (1, "FS", 0), (0, "IO", 0)])
    def test_compaction_needs_io_and_its_symbol(self, on: int, caller: str, answer: int) -> None:
        context = self.context(config={"CONFIG_COMPACTION": bool(on)})
        assert MODELS["gfp_compaction_allowed"].meaning(context).scalar(mask(caller), TABLE) == Outcome(answer)

    @pytest.mark.parametrize(("on", "caller", "answer"), [(1, "THISNODE", 1), (1, "HARDWALL", 0), (0, "THISNODE", 0)])
    def test_the_list_without_fallback_needs_thisnode_and_nodes(self, on: int, caller: str, answer: int) -> None:
        context = self.context(config={"CONFIG_NUMA": bool(on)})
        assert MODELS["gfp_zonelist"].meaning(context).scalar(mask(caller), TABLE) == Outcome(answer)

    @pytest.mark.parametrize(
        ("caller", "grouped", "ungrouped"),
        [
            ("", Outcome(0), Outcome(0)),
            ("MOVABLE", Outcome(1), Outcome(0)),
            ("RECLAIMABLE", Outcome(2), Outcome(0)),
            ("MOVABLE RECLAIMABLE", Outcome(3, warned=True), Outcome(0, warned=True)),
        ],
    )
    @pytest.mark.parametrize("name", ["gfp_migratetype", "gfpflags_to_migratetype"])
    def test_the_migrate_type(self, name: str, caller: str, grouped: Outcome, ungrouped: Outcome) -> None:
        meaning = MODELS[name].meaning
        assert meaning(self.context()).scalar(mask(caller), TABLE) == grouped
        assert meaning(self.context(ungrouped=True)).scalar(mask(caller), TABLE) == ungrouped


class TestLawsByHand:
    """Each law as the masks of 7.3, in numbers: IO FS and both ways of reclaim are 0xcc0, HIGH is 0x20."""

    EXPECTED: ClassVar[dict[str, dict[str, Any]]] = {
        "no-new-context": {"gained": 0xCE0},
        "keeps-context": {"lost": 0xCE0},
        "keeps-nolockdep": {"gained": 1 << 26, "lost": 1 << 26},
        "no-zone": {"clear": 0xF},
        "no-placement": {"clear": 0x10 | 1 << 12 | 7 << 20},
        "fails-fast": {"set": 1 << 16, "clear": 3 << 14},
        "fails-silently": {"set": 1 << 13},
        "spares-reserves": {"set": 1 << 19, "clear": 1 << 17},
        "drops-page-traits": {"clear": 0x100 | 1 << 18 | 7 << 23 | 0x200 | 0x1F << 27},
        "idempotent": {"idempotent": 1},
        "same-class": {"any": (0x400, 0xC00, 0x40, 0), "all": (0xC0, 0, 0, 0)},
    }

    @pytest.mark.parametrize("law", LAWS, ids=lambda law: law.id)
    def test_its_masks(self, law: Any) -> None:  # noqa: ANN401 - a row of LAWS
        lowered = law.lower(TABLE)
        plain = {"gained": 0, "lost": 0, "set": 0, "clear": 0, "any": (0,) * 4, "all": (0,) * 4, "idempotent": 0}
        assert vars(lowered) == {**plain, **self.EXPECTED[law.id]}

    def test_there_is_no_other(self) -> None:
        assert [law.id for law in LAWS] == list(self.EXPECTED)

    @pytest.mark.parametrize("flag", ["SKIP_KASAN_UNPOISON", "SKIP_KASAN_POISON", "NO_OBJ_EXT"])
    def test_traits_of_older_releases_are_dropped_too(self, flag: str) -> None:
        older = FlagTable({**TABLE.masks, f"__GFP_{flag}": 1 << 27}, bits_shift=28)
        law = next(law for law in LAWS if law.id == "drops-page-traits")
        assert law.lower(older).clear == law.lower(TABLE).clear


class TestErasByHand:
    """The three places through time, as the notes on nested allocation tell it."""

    CONTEXT = "IO FS DIRECT_RECLAIM KSWAPD_RECLAIM HIGH"
    QUIET = "NORETRY NOMEMALLOC NOWARN"
    TOLD = (
        ("kmemleak", "up to 5.2", "", CONTEXT, f"{QUIET} NOFAIL", {"fails-fast", "keeps-nolockdep"}, True),
        ("kmemleak", "5.3 to 5.14", "df9576def004", CONTEXT, QUIET, {"keeps-nolockdep"}, True),
        ("kmemleak", "5.15 to 6.9", "79d3705040c3", f"{CONTEXT} NOLOCKDEP", QUIET, set(), True),
        (
            "stack depot",
            "4.19 to 6.8",
            "",
            CONTEXT,
            "NOWARN",
            {"keeps-nolockdep", "fails-fast", "spares-reserves"},
            True,
        ),
        (
            "stack depot",
            "6.9",
            "6fe60465e1d5",
            f"{CONTEXT} NOLOCKDEP",
            "NOWARN",
            {"fails-fast", "spares-reserves"},
            False,
        ),
        (
            "page owner",
            "early 6.9",
            "217b2119b9e2",
            CONTEXT,
            "NOWARN",
            {"keeps-nolockdep", "fails-fast", "spares-reserves"},
            False,
        ),
        ("page owner", "6.9.0", "", f"{CONTEXT} NOLOCKDEP", "NOWARN", {"fails-fast", "spares-reserves"}, False),
        ("all three", "6.10 on", "1c00f9368628", f"{CONTEXT} NOLOCKDEP", QUIET, set(), False),
    )

    def test_they_are_told_in_order(self) -> None:
        told = [(p, r, c, set(full(k)), set(full(f)), b, a) for p, r, c, k, f, b, a in self.TOLD]
        found = [(e.place, e.releases, e.commit, set(e.keep), set(e.force), set(e.breaks), e.atomic) for e in ERAS]
        assert found == told

    def test_each_is_a_function_of_its_own(self) -> None:
        text = (csrc() / "history/filters.h").read_text()
        assert [text.count(f" {era.function}(") for era in ERAS] == [1] * len(ERAS)
        assert len({era.function for era in ERAS}) == len(ERAS)

    @pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told[0]} {told[1]}")
    def test_a_filter_is_found_by_its_place(self, told: Any) -> None:  # noqa: ANN401 - a row
        place, releases, _, keep, force, *_ = told
        assert era_of(place, [*full(keep)], [*full(force)]) == releases
        assert era_of("lockdep", [*full(keep)], [*full(force)]) == ""

    def test_atomic_makes_no_other_era(self) -> None:
        assert era_of("kmemleak", [*full(f"{self.CONTEXT} ATOMIC")], [*full(self.QUIET)]) == "5.3 to 5.14"

    def test_another_filter_is_of_no_era(self) -> None:
        assert era_of("kmemleak", [*full(self.CONTEXT)], [*full("NOWARN")]) == ""
        assert era_of("kmemleak", [*full("IO FS")], [*full(self.QUIET)]) == ""

    def test_what_is_shared_is_of_the_shared_era_only(self) -> None:
        keep, force = [*full(f"{self.CONTEXT} NOLOCKDEP")], [*full(self.QUIET)]
        assert era_of("kmemleak", keep, force, shared=True) == "6.10 on"
        assert era_of("kmemleak", keep, force) == "5.15 to 6.9"
        assert era_of("kmemleak", [*full(self.CONTEXT)], force, shared=True) == ""


class TestReclaimByHand:
    """Everything that is said of a mask, in order."""

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            (
                "IO FS DIRECT_RECLAIM KSWAPD_RECLAIM",
                [
                    "may sleep, do I/O and enter the file system",
                    "wakes kswapd",
                    "no reserve is open to it",
                    "keeps trying for small orders, fails for large ones",
                    "a failure is logged",
                    "zone NORMAL or below",
                ],
            ),
            (
                "DIRECT_RECLAIM FS RETRY_MAYFAIL MEMALLOC NOWARN DMA",
                [
                    "may sleep, not do I/O, enter the file system",
                    "does not wake kswapd",
                    "may use every reserve",
                    "tries as long as there is progress, then fails",
                    "fails silently",
                    "zone DMA or below",
                ],
            ),
            (
                "DIRECT_RECLAIM",
                [
                    "may sleep, not do I/O nor enter the file system",
                    "does not wake kswapd",
                    "no reserve is open to it",
                    "keeps trying for small orders, fails for large ones",
                    "a failure is logged",
                    "zone NORMAL or below",
                ],
            ),
            (
                "KSWAPD_RECLAIM ATOMIC NORETRY HIGHMEM",
                [
                    "may not sleep",
                    "wakes kswapd",
                    "may use part of the reserve",
                    "fails when memory is short",
                    "a failure is logged",
                    "zone HIGHMEM or below",
                ],
            ),
            (
                "IO NOFAIL NORETRY MOVABLE RECLAIMABLE HIGHMEM",
                [
                    "may not sleep, no reclaim",
                    "does not wake kswapd",
                    "no reserve is open to it",
                    "tries for ever",
                    "a failure is logged",
                    "zone MOVABLE or below",
                    "NOFAIL and NORETRY contradict each other",
                    "NOFAIL without DIRECT_RECLAIM cannot be kept",
                    "MOVABLE and RECLAIMABLE contradict each other: gfp_migratetype() leaves its range",
                ],
            ),
            (
                "IO DIRECT_RECLAIM NORETRY NOMEMALLOC DMA DMA32 MOVABLE",
                [
                    "may sleep and do I/O, not enter the file system",
                    "does not wake kswapd",
                    "the emergency reserves stay closed",
                    "gives up early",
                    "a failure is logged",
                    "no zone: DMA and DMA32 exclude each other",
                ],
            ),
            (
                "NOMEMALLOC HIGH DMA32 MOVABLE",
                [
                    "may not sleep, no reclaim",
                    "does not wake kswapd",
                    "the emergency reserves stay closed, part of the reserve is open",
                    "fails when memory is short",
                    "a failure is logged",
                    "zone DMA32 or below, movable pages",
                ],
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_all_of_it(self, flags: str, said: list[str]) -> None:
        assert reclaim_context(full(flags)).words() == said

    def test_one_contradiction_comes_without_the_others(self) -> None:
        assert reclaim_context(full("MOVABLE DIRECT_RECLAIM NOFAIL")).contradictions == ()
        assert reclaim_context(full("RECLAIMABLE NORETRY")).contradictions == ()
        assert len(reclaim_context(full("DIRECT_RECLAIM NOFAIL NORETRY")).contradictions) == 1


@pytest.mark.parametrize(
    "name",
    [*(f"model.{n}" for n in ("declared", "eras", "helpers", "laws", "policy", "reclaim")), "laws", "forms", "report"],
)
def test_what_the_model_says_cannot_be_changed(name: str) -> None:
    """A check that changed it would judge what comes after by something else."""
    module = import_module(f"pygfp.{name}")
    kinds = [k for k in vars(module).values() if isinstance(k, type) and k.__module__ == module.__name__]
    values = [k for k in kinds if is_dataclass(k)]
    assert values
    assert all(k.__dataclass_params__.frozen for k in values)  # type: ignore[attr-defined]


def sentences() -> Iterator[tuple[str, str]]:
    """Every text of the glossary and of the laws, with its name."""
    for table in (glossary.FLAGS, glossary.COMPOSITES, glossary.HELPERS):
        yield from table.items()
    yield from ((name, text) for name, texts in glossary.NOT_PROMISED.items() for text in texts)
    for law in LAWS:
        yield from ((law.id, law.text), (law.id, law.why))


def test_a_text_is_a_sentence_without_its_full_stop() -> None:
    """It is put into others: between words, and before a full stop."""
    for name, text in sentences():
        assert text == text.strip()
        assert not text.endswith((".", ",", ";"))
        assert len(text.split()) >= 3, name
