# SPDX-License-Identifier: GPL-2.0-only
"""
The model against two other witnesses, values worked out by hand and compiled C, and against itself.

Nothing by hand here was computed by pygfp: the values are those of the notes on nested allocation and of the table
of zones.
"""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pygfp.config import Selection
from pygfp.errors import UsageError
from pygfp.flags import FlagTable
from pygfp.forms import MaskTable, Outcome
from pygfp.model.helpers import HELPERS, WANTED, Context, HelperModel
from pygfp.model.policy import NESTED, Fate, Policy, parse_policy
from pygfp.native.session import opened
from pygfp.releases import Row, newest, rows, version_key
from pygfp.sources import bundled, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pygfp.native.session import Session

MODELS = {model.name: model for model in HELPERS}
ALL_ONES = 0xFFFFFFFF

#: Linux 7.3, every CONFIG symbol off: caller's mask to nested mask.
PINNED = {
    "nothing": (0x0, 0x92000),
    "GFP_ATOMIC": (0x820, 0x92820),
    "GFP_KERNEL": (0xCC0, 0x92CC0),
    "GFP_NOWAIT": (0x2800, 0x92800),
    "GFP_TRANSHUGE_LIGHT": (0x1C20CA, 0x920C0),
    "all ones": (ALL_ONES, 0x92CE0),
}
ON = {"CONFIG_LOCKDEP": True, "CONFIG_KASAN_HW_TAGS": True}
ALL_ONES_ON = 0x4092CE0

#: What gfp_zone() answers for the low four bits, MOVABLE DMA32 HIGHMEM DMA; "" where VM_BUG_ON fires.
ZONES = (
    "NORMAL", "DMA", "HIGHMEM", "", "DMA32", "", "", "",
    "NORMAL", "DMA", "MOVABLE", "", "DMA32", "", "", "",
)  # fmt: skip
ZONE_CONFIGS = {
    "all": ("DMA", "DMA32", "NORMAL", "HIGHMEM", "MOVABLE", "DEVICE"),
    "only DMA32": ("DMA32", "NORMAL", "MOVABLE"),
    "none": ("NORMAL", "MOVABLE"),
}
ZONE_VALUES = {
    "all": (2, 0, 3, None, 1, None, None, None, 2, 0, 4, None, 1, None, None, None),
    "only DMA32": (1, 1, 1, None, 0, None, None, None, 1, 1, 2, None, 0, None, None, None),
    "none": (0, 0, 0, None, 0, None, None, None, 0, 0, 1, None, 0, None, None, None),
}
OPTIONAL_ZONES = ("DMA", "DMA32", "HIGHMEM", "DEVICE")


def table_of(row: Row, config: dict[str, bool]) -> FlagTable:
    """The flags of *row* in *config*."""
    key = ",".join(s.removeprefix("CONFIG_") for s in row.config_symbols if config[s]) or "none"
    masks = {}
    for name, flag in row.flags.items():
        on = flag.get("config") is None or config[flag["config"]]
        masks[name] = 1 << flag.get("bit_by_config", {}).get(key, flag["bit"]) if on else 0
    return FlagTable(masks, bits_shift=row.bits_shift[key])


def context_of(row: Row, config: dict[str, bool], *, ungrouped: bool = False) -> Context:
    """A context in which every symbol of the helpers that *config* does not name is on."""
    enumerators = {f"ZONE_{name}": n for n, name in enumerate(ZONE_CONFIGS["all"])}
    enumerators |= {"MIGRATE_UNMOVABLE": 0, "MIGRATE_MOVABLE": 1, "MIGRATE_RECLAIMABLE": 2}
    enumerators |= {"ZONELIST_FALLBACK": 0, "ZONELIST_NOFALLBACK": 1}
    symbols = {f"CONFIG_{s}": True for s in ("NUMA", "COMPACTION", "ZONE_DMA", "ZONE_DMA32", "HIGHMEM", "ZONE_DEVICE")}
    major, minor, _ = version_key(row.version)
    return Context({**symbols, **config}, enumerators, (major, minor), Policy(), ungrouped)


def configs(row: Row) -> list[dict[str, bool]]:
    symbols = row.config_symbols
    return [dict(zip(symbols, on, strict=True)) for on in product((False, True), repeat=len(symbols))]


def off(row: Row) -> dict[str, bool]:
    return dict.fromkeys(row.config_symbols, False)


def segment_of(session: Session, helper: str, config: dict[str, bool]) -> int:
    """The segment that holds *helper* with the symbols of *config*, and every other one off."""
    plan = next(h for h in session.build.helpers if h.name == helper)
    wanted = {s: config.get(s, False) for s in plan.symbols}
    return next(m.segment for m in plan.meanings if wanted in m.configs)


def zone_selection(name: str) -> dict[str, bool]:
    zones = ZONE_CONFIGS[name]
    return {f"CONFIG_{z}" if z == "HIGHMEM" else f"CONFIG_ZONE_{z}": z in zones for z in OPTIONAL_ZONES}


@pytest.fixture(scope="module")
def sources(headers_6_12: Path) -> dict[str, Any]:
    return {"bundled": bundled(), "6.12": resolve(str(headers_6_12))}


@pytest.fixture(scope="module", params=["bundled", "6.12"])
def session(request: pytest.FixtureRequest, sources: dict[str, Any]) -> Iterator[Session]:
    with opened(sources[request.param], Selection(), WANTED, jobs=1) as opening:
        yield opening


class TestPinnedValues:
    """nested(0) = 0x92000 and the others: by hand, by the model, by compiled C of pygfp's own and of a real kernel."""

    @pytest.mark.parametrize("name", PINNED)
    def test_the_model_gives_them(self, name: str) -> None:
        x, expected = PINNED[name]
        row = newest()
        nested = MODELS["gfp_nested_mask"].meaning(context_of(row, off(row)))
        assert nested.scalar(x, table_of(row, off(row))) == Outcome(expected)

    @pytest.mark.parametrize("name", PINNED)
    def test_compiled_c_gives_them(self, session: Session, name: str) -> None:
        x, expected = PINNED[name]
        segment = segment_of(session, "gfp_nested_mask", {})
        assert session.pool.call(segment, "gfp_nested_mask", [x]) == [Outcome(expected)]

    def test_the_model_keeps_nolockdep_where_it_is_a_flag(self) -> None:
        nested = MODELS["gfp_nested_mask"].meaning(context_of(newest(), ON))
        assert nested.scalar(ALL_ONES, table_of(newest(), ON)) == Outcome(ALL_ONES_ON)

    def test_compiled_c_keeps_nolockdep_where_it_is_a_flag(self, session: Session) -> None:
        segment = segment_of(session, "gfp_nested_mask", ON)
        assert session.pool.call(segment, "gfp_nested_mask", [ALL_ONES]) == [Outcome(ALL_ONES_ON)]


class TestZoneTable:
    """One of DMA, DMA32, HIGHMEM is that zone, or NORMAL where it is off; two or more are a bug."""

    @pytest.mark.parametrize("bits", range(16), ids=bin)
    @pytest.mark.parametrize("config", ZONE_CONFIGS)
    def test_the_two_tables_by_hand_agree(self, config: str, bits: int) -> None:
        zones, zone = ZONE_CONFIGS[config], ZONES[bits]
        expected = (zones.index(zone) if zone in zones else zones.index("NORMAL")) if zone else None
        assert ZONE_VALUES[config][bits] == expected

    @pytest.mark.parametrize("config", ZONE_CONFIGS)
    def test_the_model_gives_it(self, config: str) -> None:
        row = newest()
        enumerators = {f"ZONE_{name}": n for n, name in enumerate(ZONE_CONFIGS[config])}
        context = Context(zone_selection(config), enumerators, (7, 3), Policy())
        found = [MODELS["gfp_zone"].meaning(context).scalar(x, table_of(row, off(row))) for x in range(16)]
        assert [None if o.bug else o.value for o in found] == list(ZONE_VALUES[config])
        assert not any(o.warned for o in found)

    # Forced to have six zones, which no 64-bit kernel has, 6.12's own table overflows an int; pygfp's does not.
    @pytest.mark.parametrize(
        ("source", "config"), [(s, c) for s in ("bundled", "6.12") for c in ZONE_CONFIGS if (s, c) != ("6.12", "all")]
    )
    def test_compiled_c_gives_it(self, sources: dict[str, Any], source: str, config: str) -> None:
        fixed = zone_selection(config)
        with opened(sources[source], Selection(fixed), WANTED, jobs=1) as session:
            found = session.pool.call(segment_of(session, "gfp_zone", fixed), "gfp_zone", range(16))
        assert [None if o.bug else o.value for o in found] == list(ZONE_VALUES[config])
        assert not any(o.warned for o in found)

    @pytest.mark.parametrize("config", ["only DMA32", "none"])
    def test_higher_bits_change_nothing(self, session: Session, config: str) -> None:
        segment = segment_of(session, "gfp_zone", zone_selection(config))
        low = session.pool.call(segment, "gfp_zone", range(16))
        high = session.pool.call(segment, "gfp_zone", [ALL_ONES & ~15 | x for x in range(16)])
        assert all(a.agrees(b) for a, b in zip(low, high, strict=True))


class TestOtherHelpersByHand:
    """Single answers from the documentation, against model and compiled C."""

    CASES = (
        ("gfpflags_allow_blocking", 0xCC0, Outcome(1)),
        ("gfpflags_allow_blocking", 0x820, Outcome(0)),
        ("gfp_has_io_fs", 0xCC0, Outcome(1)),
        ("gfp_has_io_fs", 0xC40, Outcome(0)),
        ("gfp_has_io_fs", 0xC80, Outcome(0)),
        ("gfp_compaction_allowed", 0x40, Outcome(0)),
        ("gfp_zonelist", 0x200000, Outcome(0)),
        ("gfp_migratetype", 0x0, Outcome(0)),
        ("gfp_migratetype", 0x8, Outcome(1)),
        ("gfp_migratetype", 0x10, Outcome(2)),
        ("gfp_migratetype", 0x18, Outcome(3, warned=True)),
    )

    @pytest.mark.parametrize(("name", "x", "expected"), CASES, ids=[f"{c[0]}-{c[1]:#x}" for c in CASES])
    def test_compiled_c_with_every_symbol_off(self, session: Session, name: str, x: int, expected: Outcome) -> None:
        assert session.pool.call(segment_of(session, name, {}), name, [x]) == [expected]

    @pytest.mark.parametrize(("name", "x", "expected"), CASES, ids=[f"{c[0]}-{c[1]:#x}" for c in CASES])
    def test_the_model_with_every_symbol_off(self, name: str, x: int, expected: Outcome) -> None:
        enumerators = {"ZONELIST_FALLBACK": 0, "MIGRATE_UNMOVABLE": 0, "MIGRATE_MOVABLE": 1, "MIGRATE_RECLAIMABLE": 2}
        context = Context({}, enumerators, (7, 3), Policy())
        assert MODELS[name].meaning(context).scalar(x, table_of(newest(), off(newest()))) == expected

    @pytest.mark.parametrize(
        ("name", "symbol", "x"), [("gfp_compaction_allowed", "COMPACTION", 0x40), ("gfp_zonelist", "NUMA", 0x200000)]
    )
    def test_a_symbol_that_is_on_makes_it_1(self, session: Session, name: str, symbol: str, x: int) -> None:
        segment = segment_of(session, name, {f"CONFIG_{symbol}": True})
        assert session.pool.call(segment, name, [x, 0]) == [Outcome(1), Outcome(0)]
        context = context_of(newest(), off(newest()))
        assert MODELS[name].meaning(context).scalar(x, table_of(newest(), off(newest()))) == Outcome(1)

    @pytest.mark.parametrize("x", [0x0, 0x8, 0x10])
    def test_where_pages_are_not_grouped_all_are_unmovable(self, session: Session, x: int) -> None:
        segment = segment_of(session, "gfp_migratetype", {})
        assert session.pool.call(segment, "gfp_migratetype", [x], ungrouped=True) == [Outcome(0)]

    def test_where_pages_are_not_grouped_both_still_warn(self, session: Session) -> None:
        segment = segment_of(session, "gfp_migratetype", {})
        assert session.pool.call(segment, "gfp_migratetype", [0x18], ungrouped=True) == [Outcome(0, warned=True)]


class TestThreeMeanings:
    """One declaration gives the scalar meaning, the array meaning and the lowered form: they are the same."""

    @pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
    @pytest.mark.parametrize("model", HELPERS, ids=lambda model: model.name)
    def test_scalar_array_and_lowered_form_agree(self, model: HelperModel, row: Row) -> None:
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
        rng = random.Random(seed)
        sample = [rng.getrandbits(32) for _ in range(200)]
        sample += [0, ALL_ONES, *(1 << bit for bit in range(32)), *(ALL_ONES & ~(1 << bit) for bit in range(32))]
        for config in configs(row):
            for other in (False, True):
                fewer = dict.fromkeys(("CONFIG_NUMA", "CONFIG_COMPACTION", "CONFIG_ZONE_DMA32"), not other)
                meaning = model.meaning(context_of(row, {**config, **fewer}, ungrouped=other))
                self.require_same(meaning, table_of(row, config), sample)

    def require_same(self, meaning: Any, table: FlagTable, sample: list[int]) -> None:  # noqa: ANN401 - three kinds
        lowered = meaning.lower(table)
        rows_of_table = range(len(lowered.rows)) if isinstance(lowered, MaskTable) else ()
        inputs = [*sample, *map(lowered.input, rows_of_table)] if rows_of_table else sample
        scalar = [meaning.scalar(x, table) for x in inputs]
        assert scalar == [lowered.outcome(x) for x in inputs]
        values, bugs, warnings = meaning.array(np.array(inputs, dtype=np.int64), table)
        array = [Outcome(int(v), bool(b), bool(w)) for v, b, w in zip(values, bugs, warnings, strict=True)]
        assert all(a.agrees(b) for a, b in zip(scalar, array, strict=True))

    @pytest.mark.parametrize("model", HELPERS, ids=lambda model: model.name)
    def test_a_lowered_table_looks_at_the_flags_of_the_declaration_only(self, model: HelperModel) -> None:
        row = newest()
        on = dict.fromkeys(row.config_symbols, True)
        lowered = model.meaning(context_of(row, on)).lower(table_of(row, on))
        assert not isinstance(lowered, MaskTable) or len(lowered.bits) <= 4


class TestPolicy:
    """Every flag has a verdict: the table of the notes on nested allocation, written out by hand."""

    KEEP = frozenset({"IO", "FS", "DIRECT_RECLAIM", "KSWAPD_RECLAIM", "HIGH", "NOLOCKDEP", "ATOMIC"})
    FORCE = frozenset({"NORETRY", "NOMEMALLOC", "NOWARN"})
    DROP = frozenset(
        {"DMA", "HIGHMEM", "DMA32", "MOVABLE"}
        | {"RECLAIMABLE", "WRITE", "HARDWALL", "THISNODE", "ACCOUNT"}
        | {"NOFAIL", "RETRY_MAYFAIL", "MEMALLOC"}
        | {"ZERO", "COMP", "ZEROTAGS", "SKIP_ZERO", "SKIP_KASAN", "SKIP_KASAN_UNPOISON", "SKIP_KASAN_POISON"}
        | {"NO_OBJ_EXT"}
    )

    @pytest.mark.parametrize(("fate", "names"), [(Fate.KEEP, KEEP), (Fate.FORCE, FORCE), (Fate.DROP, DROP)])
    def test_it_is_that_of_the_notes(self, fate: Fate, names: frozenset[str]) -> None:
        assert {n.removeprefix("__GFP_") for n in Policy().flags(fate)} == names

    def test_no_flag_has_two_verdicts(self) -> None:
        assert len(self.KEEP) + len(self.FORCE) + len(self.DROP) == len(NESTED)

    @pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
    def test_every_flag_of_every_release_is_decided(self, row: Row) -> None:
        assert [f for f in row.flags if Policy().fate(f) is None] == []

    def test_a_flag_that_is_not_in_it_is_undecided(self) -> None:
        assert Policy().fate("__GFP_NEW") is None
        assert Policy().reason("__GFP_NEW") == "undecided"

    @pytest.mark.parametrize("flag", NESTED)
    def test_every_verdict_has_a_reason(self, flag: str) -> None:
        assert len(Policy().reason(flag).split()) >= 5


class TestParsePolicy:
    def test_it_decides_new_flags(self) -> None:
        policy = parse_policy('__GFP_NEW = "keep"  # why\n__GFP_CMA = "drop"\n', "p.toml")
        assert (policy.fate("__GFP_NEW"), policy.fate("__GFP_CMA")) == (Fate.KEEP, Fate.DROP)
        assert "__GFP_NEW" in policy.flags(Fate.KEEP)
        assert policy.reason("__GFP_NEW") == "decided by the policy file"

    @pytest.mark.parametrize(("word", "fate"), [("keep", Fate.KEEP), ("drop", Fate.DROP), ("force", Fate.FORCE)])
    def test_each_word_is_a_fate(self, word: str, fate: Fate) -> None:
        assert parse_policy(f'__GFP_NEW = "{word}"', "p.toml").fate("__GFP_NEW") is fate

    def test_it_overrules_what_pygfp_knows(self) -> None:
        policy = parse_policy('__GFP_HIGH = "drop"\n', "p.toml")
        assert policy.fate("__GFP_HIGH") is Fate.DROP
        assert "__GFP_HIGH" not in policy.flags(Fate.KEEP)
        assert policy.fate("__GFP_IO") is Fate.KEEP

    def test_an_empty_file_decides_nothing(self) -> None:
        assert parse_policy("# nothing yet\n", "p.toml") == Policy()

    @pytest.mark.parametrize(
        "text",
        [
            '__GFP_NEW = "Keep"',
            '__GFP_NEW = ""',
            "__GFP_NEW = true",
            "__GFP_NEW = 1",
            '__GFP_NEW = ["keep"]',
            '[__GFP_NEW]\nfate = "keep"',
            'GFP_KERNEL = "keep"',
            'NEW = "keep"',
            '"__GFP_NEW " = "keep"',
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match=r'^p\.toml: .*expected a __GFP_ flag and "keep", "drop" or "force"'):
            parse_policy(text, "p.toml")

    def test_what_is_refused_is_shown(self) -> None:
        with pytest.raises(UsageError) as caught:
            parse_policy("__GFP_NEW = 7", "p.toml")
        assert str(caught.value) == 'p.toml: __GFP_NEW = 7: expected a __GFP_ flag and "keep", "drop" or "force"'

    @pytest.mark.parametrize("text", ["__GFP_NEW = keep", "__GFP_NEW: drop", '__GFP_A = "keep"\n__GFP_A = "drop"'])
    def test_what_is_no_toml_says_so_and_shows_a_line(self, text: str) -> None:
        with pytest.raises(UsageError, match=r"^p\.toml: .*expected lines such as __GFP_NEW"):
            parse_policy(text, "p.toml")
