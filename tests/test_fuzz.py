# SPDX-License-Identifier: GPL-2.0-only
"""
Whatever is given to a reader of outside text: no exception but pygfp's own, no hang, bounded memory, nothing altered.

A few values of each property; ``python trust/fuzz.py --minutes N`` draws many of the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import attacks
import commanding
import differ
import fuzzing
import holding
import languages
import pytest
from hypothesis import strategies as st

from pygfp.baselines.compare import Baseline
from pygfp.baselines.text import dump, load
from pygfp.cli import main
from pygfp.config import Selection, parse_dotconfig
from pygfp.decoding.tables import of_release
from pygfp.encode import NoHelpers, encode
from pygfp.errors import ExtractionError, PatchError, PygfpError, UnknownFlagError, UsageError
from pygfp.model.policy import parse_policy
from pygfp.native.compiler import Run
from pygfp.native.trace import name_tables
from pygfp.patching.mails import read_series
from pygfp.scan import scan
from pygfp.sites.find import find
from pygfp.sources import resolve, tree

if TYPE_CHECKING:
    from pathlib import Path

#: A guard against hangs, many times what the whole takes.
GUARD_S = 500


@pytest.mark.parametrize("prop", fuzzing.PROPERTIES, ids=lambda p: p.name)
def test_property(prop: fuzzing.Property) -> None:
    print(f"seed {differ.SEED}")  # noqa: T201 - pytest shows it where a test fails
    tried, _ = fuzzing.run(prop, prop.examples, zlib.crc32(f"{differ.SEED} {prop.name}".encode()))
    assert tried >= min(prop.examples, 10)


@pytest.mark.parametrize(
    ("size", "readers"),
    [(100_000, [r for r in attacks.READERS if r != "audit"]), (2_000, ["audit"])],
    ids=["each reader", "audit"],
)
def test_no_attack_makes_a_reader_hang_or_grow(size: int, readers: list[str]) -> None:
    command = [sys.executable, attacks.__file__, str(size), *readers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    finished = {(line["reader"], line["attack"]) for line in lines if "seconds" in line}
    assert finished == {(r, a) for r in readers for a in attacks.READERS[r][1]}


class TestFuzzedOut:
    """What fuzzing found once, each by the shortest input that shows it."""

    def test_thousands_of_names_have_a_value(self) -> None:
        tables = holding.tables()
        (value,) = encode("|".join(["__GFP_IO"] * 5000), tables, NoHelpers()).values
        assert value.answer.value == tables.configs[0][1].masks["__GFP_IO"]
        (value,) = encode("&".join(["6", "5"] * 5000), tables, NoHelpers()).values
        assert value.answer.value == 4

    def test_a_number_of_thousands_of_digits_is_no_name(self) -> None:
        with pytest.raises(UnknownFlagError):
            of_release("6.12", Selection()).configs[0][1].parse("1" * 5000)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a=" + "[" * 5000, "nested too deeply"),
            ("a=" + "{a=" * 5000, "nested too deeply"),
            ("a=" + "1" * 5000, "digits"),
            ("a." * 1000 + "a=1", "at most 400 dots in a line"),
            ("#" * (1 << 20) + "\n", "at most 1 MiB"),
        ],
        ids=["lists", "tables", "number", "key", "size"],
    )
    def test_toml_that_no_reader_of_it_survives(self, text: str, words: str) -> None:
        with pytest.raises(UsageError, match=words):
            parse_policy(text, "p")
        with pytest.raises(UsageError, match=words):
            load(f'schema = "pygfp.baseline/1"\n{text}', "b")

    @pytest.mark.parametrize(
        "text",
        [
            '["no name"]\nkeep = "IO"\n',
            '["law.gfp_zone.x"]\nkeep = "IO"\n',
            '["helper.f"]\nconfigurations = "a.b:c"\n',
            '[bits]\n"a b" = 1\n',
            "[bits]\n__GFP_IO = 64\n",
            '["helper.f"]\n"keep\\n" = "IO"\n',
        ],
    )
    def test_a_baseline_of_names_that_are_none_is_damaged(self, text: str) -> None:
        with pytest.raises(UsageError, match="damaged"):
            load(f'schema = "pygfp.baseline/1"\n{text}', "b")

    def test_a_baseline_that_says_a_million_things_in_a_few_lines(self) -> None:
        flags = " ".join(f"F{n}" for n in range(2000))
        configs = " ".join(f"A{n}" for n in range(2000))
        with pytest.raises(UsageError, match="more than 1,000,000"):
            load(f'schema = "pygfp.baseline/1"\n["helper.f"]\nconfigurations = "{configs}"\nkeep = "{flags}"\n', "b")

    def test_an_octal_escape_of_an_eight(self) -> None:
        with pytest.raises(PatchError):
            read_series(b'diff --git "a/\\8" "b/\\8"\n')

    @pytest.mark.parametrize("line", ["CONFIG_A=y \t", "CONFIG_A=y\r", "CONFIG_A=y"])
    def test_blanks_behind_a_value_are_none_of_it(self, line: str) -> None:
        assert parse_dotconfig(f"CONFIG_B=yes\n{line}\nCONFIG_C=y x\n") == {"CONFIG_A": True}

    @pytest.mark.parametrize(
        "text", [b"#if 1\n" * 500 + b"#endif\n" * 500, b"#if 1\n" + b"#elif 1\n" * 500 + b"#endif\n"]
    )
    def test_conditionals_in_conditionals(self, text: bytes) -> None:
        with pytest.raises(ExtractionError, match=r"x\.h:401: more than 400 conditionals"):
            scan("x.h", text)

    def test_a_line_number_that_is_none(self) -> None:
        assert Run(("cc",), 1, "", f"a.h:{'9' * 5000}: error: x\nb.h:7: error: y\n").errors[0].line == 7

    @pytest.mark.parametrize("spec", ["@\x00HEAD", ".@\x00", ".@a\x00b..c"])
    def test_a_revision_with_a_byte_that_no_name_has(self, spec: str) -> None:
        with pytest.raises(PygfpError, match="NUL byte"):
            resolve(spec)

    def test_a_makefile_that_leads_to_another_root(self, tmp_path: Path) -> None:
        (tmp_path / "Makefile").write_text("KERNELSRC := //Makefilex\n$(MAKE) -C /y\n")
        with pytest.raises(PygfpError):
            resolve(str(tmp_path))

    @pytest.mark.parametrize("name", ["00", "0", "12", "007", "\u0663", "1" * 30])
    def test_a_number_in_a_baseline_is_itself(self, name: str) -> None:
        baseline = Baseline("b", "", {"helper.0": {"none": {"keep": frozenset({name})}}}, {}, (), {})
        assert load(dump(baseline), "b").values == baseline.values

    def test_an_include_that_can_be_no_file(self) -> None:
        header = languages.TRACE[0]
        assert name_tables(header, [{}]) is not None
        assert name_tables(b"#include <" + b"x" * 300 + b">\n" + header, [{}]) is None

    @pytest.mark.parametrize("name", [b"\0", b"a/\0/b"])
    def test_an_include_with_a_byte_that_no_name_has(self, name: bytes) -> None:
        with pytest.raises(ExtractionError, match="NUL byte"):
            name_tables(b"#include <" + name + b">\n" + languages.TRACE[0], [{}])

    def test_a_function_larger_than_any_is_named_and_not_read(self) -> None:
        text = b"void f(gfp_t gfp)\n{\n" + b"\tgfp |= GFP_A;\n" * 5000 + b"}\n"
        found = find("mm/x.c", text)
        assert found.sites == []
        assert found.problems == [(1, "f() has more than 64 KiB, and is not read")]

    def test_a_macro_nested_too_deeply_is_named(self) -> None:
        text = b"#define F(gfp) (gfp | GFP_A " + b"| gfp " * 2000 + b")\n"
        assert find("mm/x.c", text).problems == [(1, "F() is nested too deeply to be read")]

    @pytest.mark.parametrize("option", ["--config", "--policy", "--baseline"])
    def test_a_file_without_an_end(self, option: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "bundled", option, "/dev/zero"]) == 2
        assert "expected a text of at most 16 MiB" in capsys.readouterr().err

    @pytest.mark.parametrize("command", [["check"], ["diff", "bundled"], ["audit"], ["diff"]])
    def test_a_name_longer_than_any_file_has(self, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*command, "x" * 5000]) == 3
        assert "Traceback" not in capsys.readouterr().err

    def test_makefiles_lead_on_in_lines_of_their_own(self, tmp_path: Path) -> None:
        other = commanding.good_tree(tmp_path / "other")
        (tmp_path / "build").mkdir()
        (tmp_path / "build/Makefile").write_text(f"\n\n\t include {other}/Makefile \r\n")
        assert tree(tmp_path / "build").files["include/linux/gfp.h"]


def test_an_error_of_ours_is_told_from_a_bug() -> None:
    """The driver lets pygfp's own errors pass, and nothing else."""

    def raises(kind: type[Exception]) -> fuzzing.Property:
        def holds(_: object) -> None:
            raise kind("said")

        return fuzzing.Property("x", st.integers, holds)

    assert fuzzing.run(raises(type("OurError", (PygfpError,), {})), 3, 1) == (3, 3)
    with pytest.raises(ValueError, match="said"):
        fuzzing.run(raises(ValueError), 3, 1)
    assert os.environ.get("PYGFP_SEED", differ.SEED) == differ.SEED
