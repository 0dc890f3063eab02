# SPDX-License-Identifier: GPL-2.0-only
"""pygfp's own subset of the newest release: every constant in every configuration, and the embedded module."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from pygfp import _bundled
from pygfp.api.masks import Mask
from pygfp.config import Selection
from pygfp.model.helpers import WANTED
from pygfp.native.session import opened
from pygfp.releases import newest
from pygfp.sources import Source, bundled, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pygfp.api.kernel import Kernel
    from pygfp.native.session import Session

ROW = newest()
ZONES = ("ZONE_DMA", "ZONE_DMA32", "ZONE_NORMAL", "ZONE_HIGHMEM", "ZONE_MOVABLE", "ZONE_DEVICE")
ZONE_SYMBOL = {"ZONE_HIGHMEM": "CONFIG_HIGHMEM"} | {z: f"CONFIG_{z}" for z in ("ZONE_DMA", "ZONE_DMA32", "ZONE_DEVICE")}


def key_of(config: Mapping[str, bool]) -> str:
    """A flag configuration, as bits_shift spells it."""
    return ",".join(s.removeprefix("CONFIG_") for s in ROW.config_symbols if config.get(s, False)) or "none"


def expected_flags(key: str) -> dict[str, int]:
    """Every flag of the row in one configuration; 0 where its symbol is off."""
    on = {f"CONFIG_{s}" for s in key.split(",")}
    values = {}
    for name, flag in ROW.flags.items():
        there = flag.get("config") is None or flag["config"] in on
        values[name] = 1 << flag.get("bit_by_config", {}).get(key, flag["bit"]) if there else 0
    return values


def as_tree() -> Source:
    """The bundled text as any other source: it is compiled here, and the embedded module is not asked."""
    return replace(bundled(), kind="tree", label="copy")


@pytest.fixture(scope="module", params=["embedded", "compiled here", "HIGHMEM forced"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    source = bundled() if request.param == "embedded" else as_tree()
    selection = Selection({"CONFIG_HIGHMEM": True} if request.param == "HIGHMEM forced" else {})
    with opened(source, selection, WANTED, jobs=1) as opening:
        yield opening


class TestBuild:
    """Every configuration is built."""

    def test_every_combination_of_flag_symbols(self, session: Session) -> None:
        assert {key_of(s.assignment) for s in session.build.segments} == set(ROW.bits_shift)
        assert not any(s.error for s in session.build.segments)

    def test_every_reachable_combination_of_zone_symbols(self, session: Session) -> None:
        free = [s for s in ZONE_SYMBOL.values() if s != "CONFIG_HIGHMEM"]
        built = [s.assignment for s in session.build.segments if set(free) <= set(s.assignment)]
        found = {tuple(assignment[f] for f in free) for assignment in built}
        assert found == set(product((False, True), repeat=len(free)))

    def test_gfp_t_has_32_bits(self, session: Session) -> None:
        assert session.build.gfp_t_bits == 32

    def test_every_helper_of_the_row_that_the_model_covers_is_there(self, session: Session) -> None:
        assert {h.name for h in session.build.helpers if h.meanings} >= set(WANTED) & set(ROW.helper_files)


@pytest.fixture(scope="session", params=["embedded", "compiled here"])
def gfp_source(request: pytest.FixtureRequest) -> Source:
    """The fixture of the plugin, for the tests below: the bundled text, by both ways to a build."""
    return bundled() if request.param == "embedded" else as_tree()


@pytest.mark.gfp_configs("CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS")
class TestMasks:
    """Every flag, composite and shift in every configuration is that of releases.json."""

    def test_flags(self, gfp: Kernel) -> None:
        expected = expected_flags(key_of(gfp.config))
        assert {name: gfp[name] for name in expected} == expected

    def test_composites(self, gfp: Kernel) -> None:
        flags = expected_flags(key_of(gfp.config))
        expected = {name: sum(flags[m] for m in set(members)) for name, members in ROW.composites.items()}
        assert {name: gfp[name] for name in expected} == expected

    def test_shift_and_mask(self, gfp: Kernel) -> None:
        shift = ROW.bits_shift[key_of(gfp.config)]
        assert gfp["__GFP_BITS_SHIFT"] == shift
        assert gfp["__GFP_BITS_MASK"] == (1 << shift) - 1

    def test_there_is_no_other_mask_and_each_is_a_gfp_t(self, gfp: Kernel) -> None:
        masks = {name for name in gfp if isinstance(gfp[name], Mask)}
        assert masks == {*ROW.flags, *ROW.composites, "__GFP_BITS_MASK"}


@pytest.mark.gfp_configs(*ZONE_SYMBOL.values())
def test_zones_are_numbered_as_they_stand(gfp: Kernel) -> None:
    there = [zone for zone in ZONES if zone not in ZONE_SYMBOL or ZONE_SYMBOL[zone] in gfp.config]
    assert {n: v for n, v in gfp.constants.items() if n in ZONES} == {zone: n for n, zone in enumerate(there)}
    assert gfp.constants["__MAX_NR_ZONES"] == len(there)


class TestEmbedded:
    """The module that was compiled at install time: no compiler is needed at run time."""

    @pytest.mark.parametrize(
        ("x", "nested"),
        [
            (0, 0x92000),
            (0x820, 0x92820),
            (0xCC0, 0x92CC0),
            (0x2800, 0x92800),
            (0x1C20CA, 0x920C0),
            (0xFFFFFFFF, 0x92CE0),
        ],
        ids=hex,
    )
    def test_it_gives_the_pinned_values(self, x: int, nested: int) -> None:
        assert _bundled.lib.gfp_nested_mask(x) == nested

    @pytest.mark.parametrize(
        ("name", "yes", "no"),
        [
            ("gfpflags_allow_blocking", 0x400, 0xFFFFFBFF),
            ("gfpflags_allow_spinning", 0x800, 0xFFFFF3FF),
            ("gfp_has_io_fs", 0xC0, 0xFFFFFFBF),
        ],
    )
    def test_its_predicates_answer(self, name: str, yes: int, no: int) -> None:
        assert getattr(_bundled.lib, name)(yes) == 1
        assert getattr(_bundled.lib, name)(no) == 0

    def test_it_is_what_bundled_is_checked_with(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        with opened(bundled(), Selection(), WANTED, jobs=1) as session:
            assert session.compiler.endswith("at install time")

    @pytest.mark.parametrize("path", ["include/linux/gfp.h", "include/linux/mmzone.h"])
    def test_a_text_that_is_not_that_of_the_module_is_compiled(self, path: str) -> None:
        source = bundled()
        changed = replace(source, files={**source.files, path: source.files[path] + b"\n/* edited */\n"})
        with opened(changed, Selection(), WANTED, jobs=1) as session:
            assert "at install time" not in session.compiler
            assert session.timings["compile_s"] >= 0
            assert {h.name for h in session.build.helpers if h.meanings} >= {"gfp_nested_mask", "gfp_zone"}

    def test_a_forced_configuration_that_it_lacks_is_compiled(self) -> None:
        with opened(bundled(), Selection({"CONFIG_HIGHMEM": True}), WANTED, jobs=1) as session:
            assert "at install time" not in session.compiler
            assert all(s.assignment.get("CONFIG_HIGHMEM", True) for s in session.build.segments)


@pytest.mark.parametrize("fixture", ["headers_6_12", "headers_6_1"])
def test_the_stand_ins_say_what_a_real_tree_says(fixture: str, request: pytest.FixtureRequest) -> None:
    """types.h and mmzone.h of the bundled subset stand in where a tree lacks them: they are copies of facts."""
    whole = tree(request.getfixturevalue(fixture))
    poor = replace(
        whole,
        files={p: t for p, t in whole.files.items() if p not in {"include/linux/types.h", "include/linux/mmzone.h"}},
    )

    def enumerators(source: Source) -> list[dict[str, int]]:
        with opened(source, Selection(), WANTED, jobs=1) as session:
            return [
                {n: c.value for n, c in s.constants.items() if n.startswith(("ZONE", "MIGRATE", "__MAX_NR"))}
                for s in session.build.segments
            ]

    found = enumerators(poor)
    assert len(found) == 8
    assert all(len(constants) > 6 for constants in found)
    assert found == enumerators(whole)
