# SPDX-License-Identifier: GPL-2.0-only
"""Masks to names: on a release without a tree, and on real headers as they are compiled."""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from languages import TRACE

from pygfp import releases, sources
from pygfp.config import Selection
from pygfp.decode import decode, elsewhere, fits, parse_mask, was
from pygfp.decoding.tables import of_release, row_of
from pygfp.encode import NoHelpers, encode
from pygfp.errors import UsageError
from pygfp.model.helpers import WANTED
from pygfp.native import trace
from pygfp.native.session import opened
from pygfp.native.tables import of_source
from pygfp.releases import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygfp.decoding.tables import Tables
    from pygfp.releases import Row

    Run = Callable[..., tuple[int, str, str]]

ALL = Selection()
LOCKDEP, KASAN = "CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS"


def names(release: str, mask: int, selection: Selection = ALL) -> list[str]:
    return [r.names for r in decode(mask, of_release(release, selection)).readings]


class TestRelease:
    """``--release X.Y`` needs no tree and no compiler."""

    @pytest.mark.parametrize(
        ("release", "mask", "text"),
        [
            ("4.19", 0x6000C0, "GFP_KERNEL"),
            ("6.1", 0xCC0, "GFP_KERNEL"),
            ("6.1", 0xDC0, "GFP_KERNEL|__GFP_ZERO"),
            ("6.1", 0x200, "__GFP_ATOMIC"),
            ("6.12", 0x200, "0x200"),
            ("6.12", 0x140CCA, "GFP_HIGHUSER_MOVABLE|__GFP_COMP"),
            ("6.12", 0, "none"),
        ],
    )
    def test_names_are_those_of_the_release(self, run: Run, release: str, mask: int, text: str) -> None:
        status, out, _ = run("decode", "-q", "--release", release, hex(mask))
        assert status == 0
        assert out.splitlines()[0].split()[:2] == [hex(mask), text]

    def test_it_works_where_there_is_no_compiler(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CC", "/nonexistent/cc")
        assert run("decode", "-q", "--release", "6.1", "0xcc0") == (0, "0xcc0  GFP_KERNEL\n", "")

    @pytest.mark.parametrize(
        ("asked", "version"),
        [("6.12", "6.12.107"), ("v6.12", "6.12.107"), ("6.12.5", "6.12.0"), ("6.1", "6.1.176"), ("5.13", "5.10.223")],
    )
    def test_two_numbers_mean_the_newest_of_the_series(self, asked: str, version: str) -> None:
        assert row_of(asked)[0].version == version

    def test_a_release_without_a_row_says_what_stands_in(self, run: Run) -> None:
        assert "v5.10 stands in" in " ".join(run("decode", "--release", "5.13", "1")[1].split())

    @pytest.mark.parametrize("bad", ["", "six", "6", "6.1.2.3", "6.1-rc1", "../6.1", "99999.1"])
    def test_anything_else_is_wrong_usage(self, run: Run, bad: str) -> None:
        status, out, err = run("decode", "--release", bad, "1")
        assert (status, out) == (2, "")
        assert "expected a kernel release" in err

    def test_a_release_and_a_source_exclude_each_other(self, run: Run) -> None:
        assert run("decode", "--release", "6.1", "--source", "bundled", "1")[0] == 2


class TestConfigurations:
    """A bit that moves with the configuration is told flag by flag."""

    def test_a_moving_bit_is_every_flag_that_it_can_be(self) -> None:
        (bit,) = decode(1 << 24, of_release("6.12", ALL)).moving
        assert bit.number == 24
        assert {flags for flags, _ in bit.meanings} == {
            (),
            ("__GFP_SKIP_ZERO",),
            ("__GFP_NOLOCKDEP",),
            ("__GFP_NO_OBJ_EXT",),
        }
        where = dict(bit.meanings)
        assert all(c[KASAN] for c in where["__GFP_SKIP_ZERO",])
        assert all(c[LOCKDEP] and not c[KASAN] for c in where["__GFP_NOLOCKDEP",])

    def test_the_text_names_the_symbols(self, run: Run) -> None:
        out = run("decode", "--release", "6.12", "0x1000cc0")[1]
        assert "NOLOCKDEP with LOCKDEP, without KASAN_HW_TAGS" in out
        assert "SKIP_ZERO with KASAN_HW_TAGS" in out

    def test_set_leaves_one_reading(self) -> None:
        fixed = Selection({LOCKDEP: True, KASAN: False, "CONFIG_SLAB_OBJ_EXT": False})
        (reading,) = decode(1 << 24, of_release("6.12", fixed)).readings
        assert reading.flags == ("__GFP_NOLOCKDEP",)

    def test_a_flag_without_a_name_in_the_kernels_table_is_told(self) -> None:
        decoded = decode(1 << 26, of_release("6.12", Selection({LOCKDEP: True, KASAN: True})))
        assert "__GFP_NOLOCKDEP" in decoded.unnamed
        assert all(r.names == "0x4000000" for r in decoded.readings)

    def test_before_6_9_nothing_moves(self) -> None:
        for bit in decode((1 << 32) - 1, of_release("6.8", ALL)).moving:
            # It is there or not; it is never another flag.
            assert len({flags for flags, _ in bit.meanings if flags}) == 1


class TestEveryName:
    """The kernel's own decoder once read names as numbers: each flag and composite must come out as itself (row 6)."""

    @pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
    def test_each_flag_is_itself(self, row: Row) -> None:
        tables = of_release(row.version, ALL)
        seen = set()
        for config, table in tables.configs:
            for flag, mask in table.flags.items():
                found = [r for r in decode(mask, tables).readings if config in r.configs]
                assert [r.flags for r in found] == [(flag,)], (config, flag)
                seen.add(flag)
        assert seen == set(row.flags)

    @pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
    def test_each_composite_is_its_flags(self, row: Row) -> None:
        tables = of_release(row.version, Selection(dict.fromkeys(row.config_symbols, True)))
        for name, members in row.composites.items():
            (reading,) = decode(tables.configs[0][1].masks[name], tables).readings
            assert set(reading.flags) == set(members), name


class TestUnknownBits:
    """A value is never silently truncated."""

    @pytest.mark.parametrize("mask", [0xFFFFFFFF00000000, 1 << 63, (1 << 64) - 1, 0x100000CC0])
    def test_every_bit_comes_out_again(self, mask: int) -> None:
        tables = of_release("6.12", ALL)
        for reading in decode(mask, tables).readings:
            value = reading.unknown
            for flag in reading.flags:
                value |= tables.table(reading.configs[0]).masks[flag]
            assert value == mask

    def test_a_mask_wider_than_gfp_t_is_said_to_be(self, run: Run) -> None:
        status, out, _ = run("decode", "--release", "6.12", "0x100000cc0")
        assert status == 0
        assert "GFP_KERNEL|0x100000000" in out
        assert "gfp_t has 32 bits" in out

    def test_a_wide_gfp_t_is_as_wide_as_the_compiler_says(self, run: Run, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/types.h"
        header.write_text(header.read_text().replace("typedef unsigned int", "typedef unsigned long"))
        out = run("decode", "--source", bundled_tree, "0x8000000000000cc0")[1]
        assert "GFP_KERNEL|0x8000000000000000" in out
        assert "gfp_t has" not in out
        assert run("encode", "-q", "--source", bundled_tree, "~0")[1] == f"{(1 << 64) - 1:#x}\n"

    def test_a_hole_has_a_history(self, run: Run) -> None:
        assert "bit 9 is ATOMIC in v5.4 to v6.2" in run("decode", "--release", "6.12", "0x200")[1]

    def test_the_history_of_a_bit(self) -> None:
        assert dict(was(5)) == {"__GFP_HIGH": [row.name for row in rows()]}

    def test_elsewhere_tells_the_releases_in_which_it_is_something_else(self) -> None:
        found = elsewhere(0xCC0, of_release("7.3", ALL))
        assert [releases for _, releases in found] == [["v4.19"]]
        assert "__GFP_NOFAIL" in found[0][0]

    def test_without_a_kernel_that_is_told(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        out = run("decode", "0xcc0")[1]
        assert out.startswith("pygfp decode: bundled subset, 7.3.4")
        assert re.search(r"elsewhere +v4\.19: ", out)


class TestArguments:
    @pytest.mark.parametrize(
        ("text", "parsed"),
        [
            ("0xcc0", (0xCC0, None)),
            ("0XCC0", (0xCC0, None)),
            ("3264", (0xCC0, None)),
            ("0", (0, None)),
            ("0x0000000000000000000000cc0", (0xCC0, None)),
            ("18446744073709551615", ((1 << 64) - 1, None)),
            ("0xcc0(GFP_KERNEL)", (0xCC0, "GFP_KERNEL")),
            ("0xcc0 (GFP_KERNEL)", (0xCC0, "GFP_KERNEL")),
            ("0x0()", (0, "")),
            ("gfp_mask=0xcc0(GFP_KERNEL)", (0xCC0, "GFP_KERNEL")),
            ("mode:0xcc0", (0xCC0, None)),
        ],
    )
    def test_numbers_and_claims_are_read(self, text: str, parsed: tuple[int, str | None]) -> None:
        assert parse_mask(text) == parsed

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("cc0", "did you mean 0xcc0"),
            ("xyzzy", "expected a mask"),
            ("GFP_KERNEL", "pygfp encode"),
            ("-1", "not negative"),
            ("-0xcc0", "not negative"),
            ("0x1ffffffffffffffff", "at most 64 bits"),
            ("18446744073709551616", "at most 64 bits"),
            ("9" * 5000, "at most 64 bits"),
            ("0x", "expected a mask"),
            ("1e3", "did you mean 0x1e3"),
            ("", "expected a mask"),
            ("0xcc0(GFP_KERNEL", "encode"),
            ("\u0661\u0662", "expected a mask"),
        ],
    )
    def test_anything_else_is_wrong_usage(self, text: str, says: str) -> None:
        with pytest.raises(UsageError, match=re.escape(says)):
            parse_mask(text)

    @pytest.mark.parametrize("bad", ["cc0", "-1", "0x1ffffffffffffffff", ""])
    def test_the_command_says_so_in_one_line(self, run: Run, bad: str) -> None:
        status, out, err = run("decode", "--release", "6.1", "0xcc0", bad)
        assert (status, out) == (2, "")
        assert err.startswith("pygfp: ")
        assert len(err) < 300

    def test_several_masks_come_in_their_order(self, run: Run) -> None:
        out = run("decode", "-q", "--release", "6.1", "3264", "0xc40", "0x800")[1]
        assert [line.split()[1] for line in out.splitlines()] == ["GFP_KERNEL", "GFP_NOFS", "GFP_NOWAIT"]

    def test_a_dash_stands_alone(self, run: Run) -> None:
        assert run("decode", "--release", "6.1", "0xcc0", "-")[0] == 2

    def test_an_output_that_is_a_directory_is_refused(self, run: Run, tmp_path: Path) -> None:
        status, _, err = run("decode", "--release", "6.1", "0xcc0", "-o", tmp_path)
        assert status == 2
        assert "is a directory" in err


class TestClaims:
    """The names that come with a mask are checked, and a wrong one is a finding."""

    @pytest.mark.parametrize("claim", ["GFP_KERNEL", "__GFP_RECLAIM|__GFP_IO|__GFP_FS", "GFP_NOFS|0x80", "0xcc0"])
    def test_a_right_one_agrees(self, run: Run, claim: str) -> None:
        status, out, _ = run("decode", "--release", "6.1", f"0xcc0({claim})")
        assert status == 0
        assert f"{claim}: agrees" in out

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("0xcc0(GFP_NOFS)", "not named: __GFP_FS"),
            ("0xc40(GFP_KERNEL)", "not set: __GFP_FS"),
            ("0xcc0()", "not named"),
            ("0xcc0(GFP_KERNEL|__GFP_NOSUCH)", "v6.1 has no __GFP_NOSUCH"),
        ],
    )
    def test_a_wrong_one_is_a_finding(self, run: Run, text: str, says: str) -> None:
        status, out, _ = run("decode", "--release", "6.1", text)
        assert status == 1
        assert says in out

    def test_an_old_kernel_tells_itself_by_its_names(self) -> None:
        assert fits(0x6000C0, "GFP_KERNEL") == ["v4.19"]


class TestJson:
    @pytest.fixture
    def report(self, run: Run) -> Callable[..., dict[str, Any]]:
        def call(*arguments: object) -> dict[str, Any]:
            status, out, _ = run("decode", "--format", "json", *arguments)
            found: dict[str, Any] = json.loads(out)
            assert found["exit"] == status
            return found

        return call

    def test_it_has_the_keys_that_were_promised(self, report: Callable[..., dict[str, Any]]) -> None:
        found = report("--release", "6.1", "0xcc0(GFP_NOFS)", "0x1000")
        assert found["schema"] == "pygfp.decode/1"
        assert found["source"]["reference"] == "v6.1"
        assert found["exit"] == 1
        first, second = found["masks"]
        assert first["value"] == "0xcc0"
        assert first["names"] == "GFP_KERNEL"
        assert first["flags"] == ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]
        assert (first["unknown"], first["claimed"], first["agrees"]) == ("0x0", "GFP_NOFS", False)
        assert (second["claimed"], second["agrees"]) == (None, None)

    def test_readings_name_their_configurations(self, report: Callable[..., dict[str, Any]]) -> None:
        (mask,) = report("--release", "6.12", "0x1000000")["masks"]
        assert sum(len(r["configs"]) for r in mask["readings"]) == 8
        assert {tuple(r["flags"]) for r in mask["readings"]} >= {("__GFP_NOLOCKDEP",), ()}


SEED = int(os.environ.get("PYGFP_TEST_SEED") or random.SystemRandom().randrange(1 << 32))


def random_masks(count: int) -> list[int]:
    """Masks of every width: half within the flags, the rest up to 64 bits, and a few on purpose."""
    draw = random.Random(SEED)
    widths = [27, 27, 28, 32, 40, 64]
    return [0, (1 << 32) - 1, (1 << 64) - 1, *(draw.getrandbits(widths[n % 6]) for n in range(count - 3))]


class TestRoundTrip:
    """Decode, then encode, gives the value back: for every value."""

    @pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
    def test_every_release(self, row: Row) -> None:
        for assignment, table in of_release(row.version, ALL).configs:
            for mask in random_masks(10_000):
                assert table.parse(table.format(mask)) == mask, (hex(mask), assignment, SEED)

    @pytest.mark.parametrize("row", rows()[::4], ids=lambda row: row.name)
    def test_through_both_commands_parsers(self, row: Row) -> None:
        tables = of_release(row.version, ALL)
        for mask in random_masks(300):
            for reading in decode(mask, tables).readings:
                encoded = encode(reading.names, tables, NoHelpers())
                found = {tuple(map(str, v.configs)): v.answer.value for v in encoded.values}
                here = [value for configs, value in found.items() if set(map(str, reading.configs)) & set(configs)]
                assert set(here) == {mask}, (hex(mask), reading, SEED)


def greedy(mask: int, table: list[tuple[str, int]]) -> str:
    """What the kernel's printing does, worked out again: the first name whose bits are all there takes them."""
    parts = []
    for name, value in table:
        if value and mask & value == value:
            parts.append(name)
            mask -= value
    return "|".join([*parts, *([hex(mask)] if mask else [])]) or "none"


def order_by_eye(header: str) -> list[str]:
    """The names of the %pGg table as they stand in the text, up to the part that only tracepoints use."""
    table = header[header.index("define __def_gfpflag_names") : header.index("define __def_gfpflag_names_kasan")]
    return re.findall(r"gfpflag_string\((\w+)\)", table)


@pytest.fixture(params=["headers_6_1", "headers_6_12", "source_6_1", "source_6_12"])
def tree(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.mark.kernels
class TestSource:
    """On a real tree, decode agrees with the compiled constants in every configuration."""

    def test_the_tables_are_the_compiled_constants(self, tree: Path) -> None:
        source = sources.tree(tree)
        tables = of_source(source, ALL, WANTED)
        with opened(source, ALL, WANTED, jobs=1) as session:
            symbols = session.build.flag_symbols
            assert len(tables.configs) == 2 ** len(symbols)
            for assignment, table in tables.configs:
                segment = session.segment({s: assignment[s] for s in symbols})
                assert segment is not None
                compiled = {n: c.value for n, c in segment.constants.items() if c.is_gfp_t}
                assert {n: m for n, m in table.masks.items() if compiled.get(n) != m} == {}
                assert len(table.flags) >= 23

    def test_decoding_agrees_with_the_compiled_constants(self, tree: Path) -> None:
        source = sources.tree(tree)
        tables = of_source(source, ALL, WANTED)
        printed = order_by_eye((tree / "include/trace/events/mmflags.h").read_text())
        with opened(source, ALL, WANTED, jobs=1) as session:
            values = {
                str(sorted(a.items())): {n: c.value for n, c in segment.constants.items()}
                for a, _ in tables.configs
                if (segment := session.segment(a)) is not None
            }
        for mask in random_masks(500):
            for reading in decode(mask, tables).readings:
                for config in reading.configs:
                    known = values[str(sorted(config.items()))]
                    order = [(n, known.get(n, 0)) for n in printed]
                    assert reading.names == greedy(mask, order), (hex(mask), config, SEED)
                    single = {n for n, v in known.items() if n.startswith("__GFP_") and v.bit_count() == 1 and v & mask}
                    assert set(reading.flags) == single

    def test_an_answer_that_is_kept_is_the_one_that_was_made(self, tree: Path) -> None:
        source = sources.tree(tree)
        first = of_source(source, ALL, WANTED)
        said: list[str] = []
        again = of_source(source, ALL, WANTED, said.append)
        assert again == first
        assert len(said) == 1
        assert said[0].startswith("# nothing is compiled")


class TestKeptAnswers:
    """The constants of a source are kept beside its build, and never believed without their digest."""

    def test_an_altered_one_is_made_anew(self, bundled_tree: Path) -> None:
        source = sources.tree(bundled_tree)
        first = of_source(source, ALL, WANTED)
        said: list[str] = []
        of_source(source, ALL, WANTED, said.append)
        kept = Path(said[0].rpartition(" ")[2])
        assert kept.name == "names.json"
        for text in (kept.read_bytes().replace(b"__GFP_IO", b"__GFP_OI"), b"", b"\xff\n{}", b"{"):
            kept.write_bytes(text)
            again = of_source(source, ALL, WANTED)
            assert replace(again, notes=first.notes) == first
            assert [n for n in again.notes if "names.json" in n and "made anew" in n]

    def test_the_order_of_names_is_read_off_a_header_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        bundled, (header,) = sources.bundled(), TRACE
        row = releases.reference(bundled.release)

        def order(text: bytes, *symbols: str) -> tuple[list[str], list[str]]:
            found, complaints = trace.trace_order(
                replace(bundled, files={**bundled.files, trace.TABLE: text}), row, symbols
            )
            return list(found), complaints

        first = order(header)
        assert first == (["GFP_KERNEL", "__GFP_IO"], [])
        (kept,) = tmp_path.glob("pygfp/*/order.json")
        kept.write_bytes(kept.read_bytes().replace(b"__GFP_IO", b"__GFP_OI"))
        names, (complaint,) = order(header)
        assert names == first[0]
        assert "order.json" in complaint
        assert "made anew" in complaint
        monkeypatch.setattr(trace, "name_tables", lambda *_: None)
        assert order(header) == first
        # Whatever it may depend on makes it another question, which nobody answers any more.
        for unknown in (order(header + b"\n"), order(header, "CONFIG_LOCKDEP")):
            assert unknown[0] == list(row.trace_names)
            assert "cannot be preprocessed" in unknown[1][0]

    def test_an_edit_of_the_header_is_seen(self, bundled_tree: Path, run: Run) -> None:
        assert run("encode", "-q", "--source", bundled_tree, "GFP_NOFS")[1] == "0xc40\n"
        header = bundled_tree / "include/linux/gfp_types.h"
        text, n = re.subn(r"(#define GFP_NOFS\s+\()", r"\1__GFP_ZERO | ", header.read_text())
        assert n == 1
        header.write_text(text)
        assert run("encode", "-q", "--source", bundled_tree, "GFP_NOFS")[1] == "0xd40\n"

    def test_a_configuration_that_does_not_compile_is_left_out_and_said_to_be(
        self, bundled_tree: Path, run: Run
    ) -> None:
        header = bundled_tree / "include/linux/gfp_types.h"
        header.write_text(header.read_text() + "#ifdef CONFIG_LOCKDEP\n#error not this one\n#endif\n")
        status, out, _ = run("decode", "--source", bundled_tree, "0x1000cc0")
        assert status == 0
        assert "2 configurations" in out
        assert "a configuration cannot be built" in out
        assert "NOLOCKDEP" not in out
        assert run("encode", "-q", "--source", bundled_tree, "gfp_nested_mask(0)")[1] == "0x92000\n"
        assert run("explain", "gfp_nested_mask", "--source", bundled_tree)[0] == 0


def printed_by_the_kunit_test(tables: Tables, release: tuple[int, int]) -> list[tuple[int, str]]:
    """
    The five masks that the kernel's printf test prints with %pGg, and what it expects.

    Up to 6.2 the lone flag is __GFP_ATOMIC, since then __GFP_HIGH. The last two are all bits outside __GFP_BITS_MASK.
    """
    table = tables.configs[0][1]
    lone = "__GFP_HIGH" if release >= (6, 3) else "__GFP_ATOMIC"
    outside = ~((1 << (table.bits_shift or 0)) - 1) & 0xFFFFFFFF
    return [
        (table.masks["GFP_TRANSHUGE"], "GFP_TRANSHUGE"),
        (table.masks["GFP_ATOMIC"] | table.masks["__GFP_DMA"], "GFP_ATOMIC|GFP_DMA"),
        (table.masks[lone], lone),
        (outside, hex(outside)),
        (outside | table.masks[lone], f"{lone}|{outside:#x}"),
    ]


class TestKernelsOwnAnswers:
    """The five GFP cases of the kernel's printf test."""

    @pytest.mark.parametrize("release", ["4.19", "5.10", "6.1", "6.2", "6.5", "6.12", "6.14"])
    def test_a_release_prints_as_the_kernel_expects(self, release: str) -> None:
        off = of_release(release, Selection(complete=True))
        major, minor = release.split(".")
        for mask, text in printed_by_the_kunit_test(off, (int(major), int(minor))):
            assert [r.names for r in decode(mask, off).readings] == [text]

    @pytest.mark.kernels
    @pytest.mark.parametrize(("fixture", "release"), [("source_6_1", (6, 1)), ("source_6_12", (6, 12))])
    def test_a_tree_prints_as_its_own_test_expects(
        self, fixture: str, release: tuple[int, int], request: pytest.FixtureRequest
    ) -> None:
        path = request.getfixturevalue(fixture)
        tables = of_source(sources.tree(path), Selection(complete=True), WANTED)
        expected = printed_by_the_kunit_test(tables, release)
        text = (path / "lib/test_printf.c").read_text()
        body = text[text.index("GFP_TRANSHUGE") :]
        literal = {t for _, t in expected[:3]}
        assert literal <= set(re.findall(r'test\("([A-Z_|]+)", "%pGg"', body))
        for mask, names_ in expected:
            assert [r.names for r in decode(mask, tables).readings] == [names_]
