# SPDX-License-Identifier: GPL-2.0-only
"""CONFIG symbols: settings, .config files, and which combinations are judged."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygfp.config import (
    MAX_SYMBOLS,
    Assignment,
    Closure,
    Selection,
    assignments,
    cover,
    dependencies,
    parse_dotconfig,
    parse_settings,
    slug,
    spread,
    unreachable,
)
from pygfp.errors import UsageError
from pygfp.scan import scan

SYMBOLS = [f"CONFIG_{letter}" for letter in "ABCDE"]
ANY_ASSIGNMENT = st.dictionaries(st.sampled_from(SYMBOLS), st.booleans())


class TestParseSettings:
    def test_y_is_on_and_n_is_off(self) -> None:
        assert parse_settings(["CONFIG_A=y", "CONFIG_B=n"]) == {"CONFIG_A": True, "CONFIG_B": False}

    def test_the_same_setting_twice_is_one(self) -> None:
        assert parse_settings(["CONFIG_A=n", "CONFIG_A=n"]) == {"CONFIG_A": False}

    @pytest.mark.parametrize(
        "setting",
        [
            "CONFIG_A",
            "CONFIG_A=",
            "CONFIG_A=m",
            "CONFIG_A=1",
            "CONFIG_A=Y",
            "CONFIG_A=y ",
            "CONFIG_A=y\n",
            "A=y",
            "=y",
            "CONFIG_=y=n",
            "config_A=y",
            "CONFIG_A-B=y",
            "",
        ],
    )
    def test_anything_else_is_refused_and_quoted(self, setting: str) -> None:
        with pytest.raises(UsageError, match="expected CONFIG_NAME=y or CONFIG_NAME=n") as caught:
            parse_settings([setting])
        assert f"--set {setting}:" in str(caught.value)

    def test_one_symbol_with_two_values_is_refused(self) -> None:
        with pytest.raises(UsageError, match="CONFIG_A is given both as y and as n"):
            parse_settings(["CONFIG_A=y", "CONFIG_A=n"])


class TestParseDotconfig:
    TEXT = (
        "# Linux/x86 6.12.107 Kernel Configuration\nCONFIG_LOCKDEP=y\n# CONFIG_NUMA is not set\nCONFIG_EXT4_FS=m\n"
        'CONFIG_NR_CPUS=64\nCONFIG_HOSTNAME="y"\nCONFIG_TRAILING=y  \r\n#CONFIG_COMMENTED=y\n  CONFIG_INDENTED=y\n'
    )

    def test_only_what_is_y_is_on(self) -> None:
        assert parse_dotconfig(self.TEXT) == {"CONFIG_LOCKDEP": True, "CONFIG_TRAILING": True}

    @pytest.mark.parametrize("symbol", ["CONFIG_NUMA", "CONFIG_EXT4_FS", "CONFIG_NR_CPUS", "CONFIG_NEVER_HEARD_OF"])
    def test_every_other_symbol_is_off(self, symbol: str) -> None:
        selection = Selection(parse_dotconfig(self.TEXT), complete=True)
        assert selection.values(symbol, 64) == (False,)


class TestAssignments:
    def test_all_off_comes_first_and_none_is_missing(self) -> None:
        found = assignments(["CONFIG_A", "CONFIG_B"], Selection(), 64)
        assert found[0] == {"CONFIG_A": False, "CONFIG_B": False}
        assert {tuple(a.values()) for a in found} == set(product((False, True), repeat=2))
        assert len(found) == 4

    def test_no_symbol_is_one_combination(self) -> None:
        assert assignments([], Selection(), 64) == [{}]

    def test_a_fixed_symbol_has_its_value_only(self) -> None:
        found = assignments(["CONFIG_A", "CONFIG_B"], Selection({"CONFIG_A": True}), 64)
        assert found == [{"CONFIG_A": True, "CONFIG_B": False}, {"CONFIG_A": True, "CONFIG_B": True}]

    def test_a_complete_configuration_leaves_one(self) -> None:
        selection = Selection({"CONFIG_A": True}, complete=True)
        assert assignments(["CONFIG_A", "CONFIG_B"], selection, 64) == [{"CONFIG_A": True, "CONFIG_B": False}]

    @pytest.mark.parametrize(
        ("symbol", "word_bits", "values"),
        [
            ("CONFIG_HIGHMEM", 64, (False,)),
            ("CONFIG_HIGHMEM", 32, (False, True)),
            ("CONFIG_ZONE_DMA32", 64, (False, True)),
            ("CONFIG_ZONE_DMA32", 32, (False,)),
            ("CONFIG_ZONE_DMA", 32, (False, True)),
        ],
    )
    def test_kconfig_ties_some_to_a_word_size(self, symbol: str, word_bits: int, values: tuple[bool, ...]) -> None:
        assert Selection().values(symbol, word_bits) == values

    def test_set_forces_a_symbol_of_another_word_size(self) -> None:
        assert Selection({"CONFIG_HIGHMEM": True}).values("CONFIG_HIGHMEM", 64) == (True,)

    def test_as_many_symbols_as_allowed_are_all_combined(self) -> None:
        symbols = [f"CONFIG_{n}" for n in range(MAX_SYMBOLS)]
        assert len(assignments(symbols, Selection(), 64)) == 2**MAX_SYMBOLS

    def test_one_symbol_more_is_refused_and_they_are_named(self) -> None:
        symbols = [f"CONFIG_S{n}" for n in range(MAX_SYMBOLS + 1)]
        with pytest.raises(UsageError, match=r"9 CONFIG symbols stand behind one meaning .*CONFIG_S8.*--set") as caught:
            assignments(symbols, Selection(), 64)
        assert all(s in str(caught.value) for s in symbols)

    def test_fixed_symbols_do_not_count(self) -> None:
        symbols = [f"CONFIG_S{n}" for n in range(MAX_SYMBOLS + 1)]
        assert len(assignments(symbols, Selection({"CONFIG_S0": False}), 64)) == 2**MAX_SYMBOLS


class TestUnreachable:
    def test_it_names_what_the_word_size_rules_out(self) -> None:
        symbols = ["CONFIG_ZONE_DMA32", "CONFIG_HIGHMEM", "CONFIG_LOCKDEP"]
        assert unreachable(symbols, Selection(), 64) == ["CONFIG_HIGHMEM"]
        assert unreachable(symbols, Selection(), 32) == ["CONFIG_ZONE_DMA32"]

    def test_a_symbol_that_the_user_fixed_is_not_left_out(self) -> None:
        assert unreachable(["CONFIG_HIGHMEM"], Selection({"CONFIG_HIGHMEM": True}), 64) == []

    def test_a_complete_configuration_leaves_nothing_out(self) -> None:
        assert unreachable(["CONFIG_HIGHMEM"], Selection(complete=True), 64) == []


class TestCover:
    @settings(deadline=None)
    @given(st.lists(ANY_ASSIGNMENT, max_size=24))
    def test_each_wanted_assignment_is_part_of_one_result(self, wanted: list[Assignment]) -> None:
        packed = cover(wanted)
        assert all(any(one.items() <= home.items() for home in packed) for one in wanted)

    @settings(deadline=None)
    @given(st.lists(ANY_ASSIGNMENT, max_size=24))
    def test_it_never_makes_more_than_it_was_given(self, wanted: list[Assignment]) -> None:
        assert len(cover(wanted)) <= len(wanted)

    def test_the_arguments_stay_as_they_are(self) -> None:
        wanted: list[Assignment] = [{"CONFIG_A": True}, {"CONFIG_B": True}]
        cover(wanted)
        assert wanted == [{"CONFIG_A": True}, {"CONFIG_B": True}]

    def test_meanings_that_share_no_symbol_are_built_together(self) -> None:
        flags = assignments(["CONFIG_A", "CONFIG_B"], Selection(), 64)
        zones = assignments(["CONFIG_C", "CONFIG_D", "CONFIG_E"], Selection(), 64)
        assert len(cover([*flags, *zones])) == 8


class TestSpread:
    """What is built anyway shows the other symbols as well, and any two of them together."""

    @settings(deadline=None)
    @given(st.lists(ANY_ASSIGNMENT, max_size=8), st.sets(st.sampled_from(SYMBOLS)))
    def test_what_a_row_has_stays_and_the_rest_is_given(self, rows: list[Assignment], symbols: set[str]) -> None:
        filled = spread(rows, dict.fromkeys(symbols, (False, True)))
        assert len(filled) == len(rows)
        for row, full in zip(rows, filled, strict=True):
            assert row.items() <= full.items()
            assert full.keys() == row.keys() | symbols

    def test_a_symbol_has_no_value_that_it_may_not_have(self) -> None:
        rows = spread([{}, {}, {}], {"CONFIG_A": (False,), "CONFIG_B": (True,), "CONFIG_C": (False, True)})
        assert {row["CONFIG_A"] for row in rows} == {False}
        assert {row["CONFIG_B"] for row in rows} == {True}
        assert {row["CONFIG_C"] for row in rows} == {False, True}

    def test_eight_builds_show_any_two_of_eleven_symbols(self) -> None:
        # As 6.12 has them: three of flags, three of zones, and what few or none depend on.
        flags, zones, others = (("F1", "F2", "F3"), ("Z1", "Z2", "Z3"), ("NUMA", "COMPACTION", "CMA", "SMP", "PM"))
        wanted = [
            dict(zip(part, on, strict=True)) for part in (flags, zones) for on in product((False, True), repeat=3)
        ]
        rows = spread(cover(wanted), dict.fromkeys((*flags, *zones, *others), (False, True)))
        assert len(rows) == 8
        for one, other in combinations((*flags, *zones, *others), 2):
            assert len({(row[one], row[other]) for row in rows}) == 4, (one, other)

    def test_thousands_of_symbols_are_each_on_and_off(self) -> None:
        symbols = [f"CONFIG_{n}" for n in range(3000)]
        rows = spread(
            cover({s: on} for s in symbols[:1000] for on in (False, True)), dict.fromkeys(symbols, (False, True))
        )
        assert all({row[s] for row in rows} == {False, True} for s in symbols)


class TestSlug:
    @pytest.mark.parametrize(
        ("assignment", "text"),
        [
            ({}, ""),
            ({"CONFIG_NUMA": False}, "none"),
            ({"CONFIG_LOCKDEP": True, "CONFIG_NUMA": False}, "LOCKDEP"),
            ({"CONFIG_ZONE_DMA": True, "CONFIG_LOCKDEP": True}, "LOCKDEP-ZONE_DMA"),
        ],
    )
    def test_it_names_what_is_on(self, assignment: Assignment, text: str) -> None:
        assert slug(assignment) == text

    @settings(deadline=None)
    @given(st.permutations(SYMBOLS))
    def test_order_changes_nothing(self, symbols: list[str]) -> None:
        assert slug(dict.fromkeys(symbols, True)) == "A-B-C-D-E"

    def test_two_assignments_of_the_same_symbols_differ(self) -> None:
        found = [slug(a) for a in assignments(SYMBOLS, Selection(), 64)]
        assert len(set(found)) == len(found) == 32


class TestClosure:
    """Which symbols stand behind a name, through macros, enumerators, functions and conditions."""

    def test_it_goes_through_any_number_of_names(self) -> None:
        closure = Closure({"a": {"b"}, "b": {"c", "CONFIG_X"}, "c": {"a", "CONFIG_Y"}, "d": {"CONFIG_Z"}})
        assert closure.symbols("a") == ("CONFIG_X", "CONFIG_Y")
        assert closure.symbols("a", "d") == ("CONFIG_X", "CONFIG_Y", "CONFIG_Z")
        assert closure.symbols("unknown") == ()

    def test_a_helper_reaches_symbols_behind_macros_and_conditions(self) -> None:
        text = (
            b"#ifdef CONFIG_A\n#define BIT_A 1\n#else\n#define BIT_A 0\n#endif\n#define WRAP(x) ((x) | BIT_A)\n"
            b"#if defined(CONFIG_B)\nstatic inline int f(int x) { return WRAP(x); }\n#endif\n#define LONE CONFIG_C\n"
        )
        closure = dependencies(scan("x.h", text).definitions)
        assert closure.symbols("f") == ("CONFIG_A", "CONFIG_B")
        assert closure.symbols("LONE") == ("CONFIG_C",)

    @pytest.mark.parametrize("computed", ["MAX_NR_ZONES", "ZONES_SHIFT"])
    def test_what_the_build_computes_of_the_zones_depends_on_their_symbols(self, computed: str) -> None:
        text = b"enum zone_type {\n#ifdef CONFIG_ZONE_DMA\n\tZONE_DMA,\n#endif\n\tZONE_NORMAL,\n\t__MAX_NR_ZONES\n};\n"
        assert dependencies(scan("x.h", text).definitions).symbols(computed) == ("CONFIG_ZONE_DMA",)
