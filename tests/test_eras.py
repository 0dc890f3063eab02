# SPDX-License-Identifier: GPL-2.0-only
"""Headers in the style of every release of the facts: found, cut out, compiled, judged."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import eras
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Report = dict[str, Any]
ROWS: dict[str, eras.Row] = json.loads(files("pygfp").joinpath("data/releases.json").read_text())["releases"]

NESTED, SPIN = "gfp_nested_mask", "gfpflags_allow_spinning"
IO_FS, COMPACTION = "gfp_has_io_fs", "gfp_compaction_allowed"
#: Helpers of the newest release that a tree of that time has not, by hand.
ABSENT = {
    "v4.19": {NESTED, SPIN, IO_FS, COMPACTION, "gfp_migratetype"},
    "v5.4": {NESTED, SPIN, IO_FS, COMPACTION, "gfp_migratetype"},
    "v5.10": {NESTED, SPIN, IO_FS},
    "v5.15": {NESTED, SPIN, IO_FS, COMPACTION},
    "v6.1": {NESTED, SPIN, IO_FS},
    "v6.2": {NESTED, SPIN, IO_FS},
    "v6.5": {NESTED, SPIN, COMPACTION},
    "v6.6": {NESTED, SPIN, COMPACTION},
    "v6.8": {NESTED, SPIN},
    "v6.9": {NESTED, SPIN},
    **{name: {SPIN} for name in ("v6.10", "v6.12.0", "v6.12", "v6.14")},
    **{name: set() for name in ("v6.18", "v6.19", "v7.2", "v7.3")},
}
#: In how many configurations that gate flags gfp_nested_mask() is judged.
NESTED_CONFIGS = dict.fromkeys(("v6.10", "v6.12.0", "v6.12", "v6.14", "v6.18"), 8) | dict.fromkeys(
    ("v6.19", "v7.2", "v7.3"), 4
)
#: What kmemleak's macro keeps and forces, in three eras, with every symbol on.
KEEP = ["__GFP_HIGH", "__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]
FORCE = ["__GFP_NOWARN", "__GFP_NORETRY", "__GFP_NOMEMALLOC"]
KMEMLEAK = {
    "v4.19": ([*KEEP, "__GFP_ATOMIC"], [*FORCE, "__GFP_NOFAIL"]),
    "v5.4": ([*KEEP, "__GFP_ATOMIC"], FORCE),
    "v5.15": ([*KEEP, "__GFP_ATOMIC", "__GFP_NOLOCKDEP"], FORCE),
    **dict.fromkeys(("v6.6", "v6.8", "v6.9"), ([*KEEP, "__GFP_NOLOCKDEP"], FORCE)),
}


@pytest.fixture(params=ROWS)
def row(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def report(row: str, tmp_path: Path, check_json: Callable[..., Report]) -> Report:
    return check_json(eras.write_tree(ROWS[row], tmp_path / "tree"))


def test_a_tree_of_its_time_holds(row: str, report: Report) -> None:
    """One check of one tree, and everything that is to be said of it: a tree takes a second."""
    assert report["exit"] == 0, [c for c in report["checks"] if c["status"] in {"fail", "error"}]
    assert report["source"]["release"] == ROWS[row]["version"]
    assert (report["source"]["reference"], report["source"]["reference_version"]) == (row, ROWS[row]["version"])
    by_status = {s: {c["subject"] for c in report["checks"] if c["status"] == s} for s in ("absent", "unmodelled")}
    assert by_status["absent"] == ABSENT[row]
    assert by_status["unmodelled"] == set()
    nested = [c for c in report["checks"] if c["subject"] == NESTED and c["kind"] == "helper"]
    assert [c["status"] for c in nested] == (["pass"] * NESTED_CONFIGS[row] if row in NESTED_CONFIGS else ["absent"])
    rest = {c["subject"] for c in report["checks"] if c["kind"] != "helper" and c["status"] != "pass"}
    # The table of bad zones is no mask; eras.py writes it as an unsigned number, which is the type of one.
    assert rest <= {"GFP_ZONE_BAD"}
    require_kmemleak(row, [c for c in report["checks"] if c["subject"] == "gfp_kmemleak_mask"])


def require_kmemleak(row: str, checks: list[Report]) -> None:
    """The forerunner is judged wherever the row has it, also where it is a macro of a .c file."""
    listed = "gfp_kmemleak_mask" in eras.helper_files(ROWS[row])
    assert bool(checks) is listed
    assert {c["status"] for c in checks} <= {"pass"}
    if row in KMEMLEAK:
        on = max(checks, key=lambda c: sum(c["config"].values()))
        keep, force = KMEMLEAK[row]
        assert set(on["form"]["keep"]) == set(keep)
        assert set(on["form"]["force"]) == set(force)


def test_the_tables_by_hand_know_every_row() -> None:
    assert set(ABSENT) == set(ROWS)
    assert set(KMEMLEAK) <= {name for name, row in ROWS.items() if "gfp_kmemleak_mask" in row["helper_files"]}


@pytest.mark.parametrize("name", ["v5.4", "v6.1", "v6.12", "v7.3"])
def test_a_flag_dropped_from_a_composite_of_the_era_is_found(
    name: str, tmp_path: Path, check_json: Callable[..., Report]
) -> None:
    tree = eras.write_tree(ROWS[name], tmp_path / "tree")
    header = tree / (eras.GFP_TYPES_H if ROWS[name]["gfp_types_h"] else eras.GFP_H)
    text = header.read_text()
    line = next(line for line in text.splitlines() if line.startswith("#define GFP_ATOMIC"))
    assert "__GFP_HIGH | " in line
    header.write_text(text.replace(line, line.replace("__GFP_HIGH | ", "")))
    report = check_json(tree, "--helper", "GFP_ATOMIC")
    assert report["exit"] == 1
    assert all("-__GFP_HIGH" in c["message"] for c in report["checks"])
