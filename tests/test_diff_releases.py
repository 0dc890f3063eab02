# SPDX-License-Identifier: GPL-2.0-only
"""
The distribution's 6.1 and 6.12 headers diffed: every change that the reference data knows of, and nothing else.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import differ
import pytest

import pygfp

#: What the reference data calls a configuration: the symbols that are on.
_SYMBOLS = ("KASAN_HW_TAGS", "LOCKDEP", "SLAB_OBJ_EXT")

#: Helpers of one gfp_t that gfp.h may have; the data also names functions of other files and of more arguments.
_ONE_MASK = {
    *("gfp_migratetype", "gfpflags_allow_blocking", "gfpflags_allow_spinning", "gfpflags_normal_context"),
    *("gfp_zone", "gfp_zonelist", "gfp_nested_mask", "gfp_has_io_fs", "gfp_compaction_allowed"),
}


def rows() -> tuple[dict[str, Any], dict[str, Any]]:
    data = json.loads((Path(pygfp.__file__).parent / "data/releases.json").read_text(encoding="utf-8"))["releases"]
    return data["v6.1"], data["v6.12"]


def configs() -> list[frozenset[str]]:
    return [frozenset(s for s, on in zip(_SYMBOLS, values, strict=True) if on) for values in product((0, 1), repeat=3)]


def bit(row: dict[str, Any], flag: str, on: frozenset[str]) -> int | None:
    """Where *flag* is in a configuration; None where it is off or the release has none."""
    known = row["flags"].get(flag)
    if known is None or ("config" in known and known["config"].removeprefix("CONFIG_") not in on):
        return None
    if "bit_by_config" in known:
        found: int | None = known["bit_by_config"][",".join(s for s in _SYMBOLS if s in on) or "none"]
        return found
    return int(known["bit"])


def shift(row: dict[str, Any], on: frozenset[str]) -> int:
    """The number of bits, by those symbols of a configuration that the release knows."""
    known = [s for s in _SYMBOLS if s in on and f"CONFIG_{s}" in row["config_symbols"]]
    return int(row["bits_shift"][",".join(known) or "none"])


def flag_changes(flag: str) -> set[str]:
    """What becomes of a flag that both releases have: it moves, or exists in other configurations."""
    old, new = rows()
    bits = [(bit(old, flag, on), bit(new, flag, on)) for on in configs()]
    moves = any(a != b for a, b in bits if a is not None and b is not None)
    exists = any((a is None) != (b is None) for a, b in bits)
    return {way for way, is_so in (("moved", moves), ("changed", exists)) if is_so}


def come_and_go(kind: str, old: set[str], new: set[str]) -> set[tuple[str, str, str]]:
    return {(kind, name, "added" if name in new else "removed") for name in old ^ new}


def expected() -> set[tuple[str, str, str]]:
    """(kind, subject, change) of everything that differs between the two rows."""
    old, new = rows()
    found = come_and_go("flag", set(old["flags"]), set(new["flags"]))
    found |= come_and_go("composite", set(old["composites"]), set(new["composites"]))
    helpers = [{n for n in _ONE_MASK if "include/linux/gfp.h" in r["helper_files"].get(n, ())} for r in (old, new)]
    found |= come_and_go("helper", *helpers)
    for flag in set(old["flags"]) & set(new["flags"]):
        found |= {("flag" if way == "moved" else "config", flag, way) for way in flag_changes(flag)}
    for name in set(old["composites"]) & set(new["composites"]):
        if set(old["composites"][name]) != set(new["composites"][name]):
            found.add(("composite", name, "changed"))
    if any(shift(old, on) != shift(new, on) for on in configs()):
        found.add(("layout", "__GFP_BITS_SHIFT", "changed"))
    return found


@pytest.fixture(scope="module")
def report(headers_6_1: Path, headers_6_12: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The diff of the two packages."""
    return differ.report(tmp_path_factory.mktemp("releases"), headers_6_1, headers_6_12)


def on(config: dict[str, bool]) -> frozenset[str]:
    return frozenset(s.removeprefix("CONFIG_") for s, value in config.items() if value)


def test_every_change_and_no_other(report: dict[str, Any]) -> None:
    assert {(c["kind"], c["subject"], c["change"]) for c in report["changes"]} == expected()
    assert len(expected()) > 10
    assert report["exit"] == 1
    assert report["problems"] == []


def test_composites_change_by_the_flags_that_the_data_has(report: dict[str, Any]) -> None:
    old, new = rows()
    changes = {c["subject"]: c["flags"] for c in report["changes"] if c["kind"] == "composite"}
    assert changes
    for name, flags in changes.items():
        before, after = set(old["composites"][name]), set(new["composites"][name])
        assert flags == dict.fromkeys(after - before, "absent -> present") | dict.fromkeys(
            before - after, "present -> absent"
        )


def test_flags_move_where_the_data_has_them_elsewhere(report: dict[str, Any]) -> None:
    old, new = rows()
    for change in (c for c in report["changes"] if c["change"] == "moved"):
        flag = change["subject"]
        moved = {
            on_
            for on_ in configs()
            if bit(old, flag, on_) != bit(new, flag, on_) and None not in {bit(old, flag, on_), bit(new, flag, on_)}
        }
        assert {on(c) for c in change["configs"]} == moved
        for part in change["text"].split("; "):
            words = part.split()
            assert words[0] == "bit"
            assert any((bit(old, flag, c), bit(new, flag, c)) == (int(words[1]), int(words[3])) for c in moved), part


def test_the_shift_changes_where_the_data_has_another(report: dict[str, Any]) -> None:
    old, new = rows()
    (change,) = [c for c in report["changes"] if c["kind"] == "layout"]
    assert {on(c) for c in change["configs"]} == {c for c in configs() if shift(old, c) != shift(new, c)}


def test_what_is_held_0_is_said(report: dict[str, Any]) -> None:
    old, new = rows()
    notes = " ".join(report["notes"])
    for side, flags in (("old", set(old["flags"]) - set(new["flags"])), ("new", set(new["flags"]) - set(old["flags"]))):
        said = notes.partition(f"only the {side} side has it: ")[2].partition(" held 0")[0]
        assert flags <= {name.strip(",") for name in said.split()}
