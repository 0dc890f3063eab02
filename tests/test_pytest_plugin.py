# SPDX-License-Identifier: GPL-2.0-only
"""The plugin as its users have it: each option, fixture and marker in a pytest run of its own."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from pygfp import testing

# Held here, so that the runs inside this process do not load them anew each.
from pygfp.api import asserting, modelled

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

LOADED = (asserting, modelled, testing)
#: Every combination of the symbols of flags, as ids have it.
SYMBOLS = ("KASAN_HW_TAGS", "LOCKDEP", "SLAB_OBJ_EXT")
FLAG_CONFIGS = ["none", *("-".join(on) for n in (1, 2, 3) for on in combinations(SYMBOLS, n))]
ATOMIC = """
def test_an_atomic_caller_stays_atomic(gfp):
    assert gfp.gfp_nested_mask(gfp.GFP_ATOMIC) & gfp.GFP_ATOMIC == gfp.GFP_ATOMIC
"""
BOTH = pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["alone", "xdist"])


@pytest.fixture(autouse=True)
def _strict(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n")


def broken(tree: Path) -> Path:
    header = tree / "include/linux/gfp_types.h"
    header.write_text(header.read_text() + "\n#error not finished\n")
    return tree


class TestFixtures:
    """gfp, gfp_model, gfp_config and gfp_source."""

    @BOTH
    def test_five_lines_check_a_helper(self, pytester: pytest.Pytester, how: tuple[str, ...]) -> None:
        pytester.makepyfile(ATOMIC)
        pytester.runpytest("--gfp-source=bundled", *how).assert_outcomes(passed=1)

    def test_all_symbols_are_off_unless_they_are_set(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            def test_it(gfp, gfp_config):
                assert gfp_config == {}
                assert gfp["__GFP_NOLOCKDEP"] == 0
            """
        )
        pytester.runpytest().assert_outcomes(passed=1)

    def test_the_model_is_that_of_the_kernel(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            def test_it(gfp, gfp_model):
                assert gfp_model.gfp_nested_mask(gfp.GFP_KERNEL) == 0x92cc0
                gfp.assert_equal_everywhere(gfp.gfp_nested_mask, gfp_model.gfp_nested_mask)
                gfp.assert_law(gfp_model.gfp_nested_mask, "fails-fast")
            """
        )
        pytester.runpytest().assert_outcomes(passed=1)

    def test_a_module_names_its_own_source_and_configuration(
        self, pytester: pytest.Pytester, headers_6_1: Path
    ) -> None:
        pytester.makepyfile(
            f"""
            import pytest
            from pygfp.sources import tree
            from pathlib import Path

            @pytest.fixture(scope="session")
            def gfp_source():
                return tree(Path({str(headers_6_1)!r}))

            @pytest.fixture(scope="session")
            def gfp_config():
                return {{"CONFIG_LOCKDEP": True}}

            def test_it(gfp):
                assert gfp.source.release.startswith("6.1.")
                assert gfp.flags["__GFP_NOLOCKDEP"]
            """
        )
        pytester.runpytest().assert_outcomes(passed=1)

    def test_hypothesis_may_use_them(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            from hypothesis import given, settings, strategies as st

            @given(x=st.integers(0, 2**32 - 1))
            @settings(max_examples=20, database=None)
            def test_it(gfp, x):
                assert gfp.gfp_nested_mask(gfp.gfp_nested_mask(x)) == gfp.gfp_nested_mask(x)
            """
        )
        pytester.runpytest().assert_outcomes(passed=1)


class TestOptions:
    """Each option, on the command line and in an ini file."""

    @pytest.mark.parametrize("where", ["option", "ini"])
    @BOTH
    def test_source(self, pytester: pytest.Pytester, headers_6_12: Path, where: str, how: tuple[str, ...]) -> None:
        pytester.makepyfile("def test_it(gfp): assert gfp.source.release.startswith('6.12.')")
        if where == "ini":
            pytester.makeini(f"[pytest]\ngfp_source = {headers_6_12}\n")
        result = pytester.runpytest(*([f"--gfp-source={headers_6_12}"] if where == "option" else []), *how)
        result.assert_outcomes(passed=1)
        result.stdout.re_match_lines(
            [r"pygfp: .*linux-headers-6\.12\S*, 6\.12\.\d+, reference v6\.12, all symbols off, gcc"]
        )

    @BOTH
    def test_source_given_twice_runs_every_test_on_each(
        self, pytester: pytest.Pytester, headers_6_12: Path, how: tuple[str, ...]
    ) -> None:
        pytester.makepyfile(ATOMIC)
        result = pytester.runpytest("--gfp-source=bundled", f"--gfp-source={headers_6_12}", "-v", *how)
        result.assert_outcomes(passed=2)
        result.stdout.re_match_lines_random([r".*atomic\[bundled\].*", rf".*atomic\[{headers_6_12.name[:19]}.*"])

    @pytest.mark.parametrize("where", ["option", "ini"])
    def test_config(self, pytester: pytest.Pytester, where: str) -> None:
        # Not named after this test: the project has a test_config.py of its own.
        pytester.makepyfile(test_it="def test_it(gfp): assert dict(gfp.config) == {'CONFIG_LOCKDEP': True}")
        if where == "ini":
            pytester.makeini("[pytest]\ngfp_config =\n    CONFIG_LOCKDEP=y\n    CONFIG_NUMA=n\n")
        pytester.runpytest(*(["--gfp-config=CONFIG_LOCKDEP"] if where == "option" else [])).assert_outcomes(passed=1)

    def test_config_takes_a_file_and_symbols_overrule_it(self, pytester: pytest.Pytester) -> None:
        pytester.makefile(".config", kernel="CONFIG_LOCKDEP=y\nCONFIG_NUMA=y\n")
        pytester.makepyfile("def test_it(gfp): assert dict(gfp.config) == {'CONFIG_LOCKDEP': True}")
        pytester.runpytest("--gfp-config=kernel.config", "--gfp-config=CONFIG_NUMA=n").assert_outcomes(passed=1)

    @pytest.mark.parametrize("where", ["option", "ini"])
    def test_full(self, pytester: pytest.Pytester, where: str) -> None:
        pytester.makepyfile("def test_it(gfp): assert gfp.sweep(gfp.gfp_zone, gfp.gfp_zone).inputs == 1 << 32")
        if where == "ini":
            pytester.makeini("[pytest]\ngfp_full = true\n")
        pytester.runpytest(*(["--gfp-full"] if where == "option" else [])).assert_outcomes(passed=1)

    def test_paths_in_an_ini_file_start_there(
        self, pytester: pytest.Pytester, headers_6_12: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytester.makeini("[pytest]\ngfp_source =\n    kernel\n    bundled\ngfp_config = kernel.config\n")
        (pytester.path / "kernel").symlink_to(headers_6_12)
        pytester.makefile(".config", kernel="CONFIG_LOCKDEP=y\n")
        (pytester.mkdir("below") / "test_it.py").write_text("def test_it(gfp): assert '__GFP_NOLOCKDEP' in gfp.flags")
        monkeypatch.chdir("below")
        pytester.runpytest().assert_outcomes(passed=2)

    ABSENT = "def test_it(gfp): assert gfp.gfp_nested_mask(0) == 0x92000"

    @BOTH
    def test_a_helper_that_the_source_lacks_skips_with_the_reason(
        self, pytester: pytest.Pytester, headers_6_1: Path, how: tuple[str, ...]
    ) -> None:
        pytester.makepyfile(self.ABSENT)
        result = pytester.runpytest(f"--gfp-source={headers_6_1}", "-rs", *how)
        result.assert_outcomes(skipped=1)
        result.stdout.re_match_lines([r"SKIPPED.*linux-headers-6\.1\S* has no gfp_nested_mask\(\) \(all symbols off\)"])

    def test_in_a_fixture_too(self, pytester: pytest.Pytester, headers_6_1: Path) -> None:
        pytester.makepyfile(
            """
            import pytest

            @pytest.fixture
            def nested(gfp):
                return gfp.gfp_nested_mask

            def test_it(nested):
                assert nested(0)
            """
        )
        pytester.runpytest(f"--gfp-source={headers_6_1}").assert_outcomes(skipped=1)

    @pytest.mark.parametrize("where", ["option", "ini"])
    def test_require_makes_it_a_failure(self, pytester: pytest.Pytester, headers_6_1: Path, where: str) -> None:
        pytester.makepyfile(self.ABSENT)
        if where == "ini":
            pytester.makeini("[pytest]\ngfp_require = true\n")
        options = ["--gfp-require"] if where == "option" else []
        pytester.runpytest(f"--gfp-source={headers_6_1}", *options).assert_outcomes(failed=1)

    def test_a_name_that_no_release_has_is_a_failure_and_no_skip(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it(gfp): gfp.gfp_nestd_mask(0)")
        result = pytester.runpytest()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*gfp_nestd_mask is not defined here; near: gfp_nested_mask*"])

    def test_help_names_them(self, pytester: pytest.Pytester) -> None:
        text = pytester.runpytest("--help").stdout.str()
        assert all(f"--gfp-{name}" in text for name in ("source", "config", "full", "require"))
        assert all(f"gfp_{name} (" in text for name in ("source", "config", "full", "require"))


class TestMarker:
    """gfp_configs multiplies a test, and nothing else does."""

    TEXT = """
        import pytest

        @pytest.mark.gfp_configs("CONFIG_LOCKDEP", "CONFIG_NUMA")
        def test_it(gfp, gfp_config):
            assert gfp.config.get("CONFIG_LOCKDEP", False) == gfp_config["CONFIG_LOCKDEP"]
            assert bool(gfp["__GFP_NOLOCKDEP"]) == gfp_config["CONFIG_LOCKDEP"]
        """

    @BOTH
    def test_every_combination_with_an_id_of_its_own(self, pytester: pytest.Pytester, how: tuple[str, ...]) -> None:
        pytester.makepyfile(self.TEXT)
        result = pytester.runpytest("-v", *how)
        result.assert_outcomes(passed=4)
        result.stdout.re_match_lines_random(
            [rf".*test_it\[{i}\].*" for i in ("none", "NUMA", "LOCKDEP", "LOCKDEP-NUMA")]
        )

    def test_together_with_two_sources(self, pytester: pytest.Pytester, headers_6_12: Path) -> None:
        pytester.makepyfile(self.TEXT)
        pytester.runpytest("--gfp-source=bundled", f"--gfp-source={headers_6_12}").assert_outcomes(passed=8)

    def test_over_a_class(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import pytest

            @pytest.mark.gfp_configs("CONFIG_LOCKDEP")
            class TestIt:
                def test_one(self, gfp):
                    assert gfp.gfp_nested_mask(gfp.__GFP_NOLOCKDEP) & gfp.__GFP_NOLOCKDEP == gfp.__GFP_NOLOCKDEP
            """
        )
        pytester.runpytest().assert_outcomes(passed=2)

    @pytest.mark.parametrize("symbols", ["'LOCKDEP'", "", "'CONFIG_LOCKDEP=y'"])
    def test_what_is_no_symbol_is_refused(self, pytester: pytest.Pytester, symbols: str) -> None:
        pytester.makepyfile(f"import pytest\n@pytest.mark.gfp_configs({symbols})\ndef test_it(gfp): pass")
        result = pytester.runpytest()
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.re_match_lines([r"E?\s*test_what\S*::test_it: .*expected .*CONFIG_(LOCKDEP|NAME)"])

    def test_on_a_test_without_a_kernel_it_is_refused(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("import pytest\n@pytest.mark.gfp_configs('CONFIG_NUMA')\ndef test_it(): pass")
        result = pytester.runpytest()
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["*test_it: gfp_configs on a test without the fixture gfp"])


class TestMessages:
    """What a failure says, to the letter."""

    def test_masks_that_are_not_equal(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it(gfp):\n    assert gfp.gfp_nested_mask(gfp.GFP_ATOMIC) == gfp.GFP_KERNEL")
        pytester.runpytest().stdout.fnmatch_lines(
            [
                "E       assert GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC == GFP_KERNEL",
                "E           left   0x92820  GFP_ATOMIC|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC",
                "E           right  0xcc0  GFP_KERNEL",
                "E           missing on the left: __GFP_IO __GFP_FS __GFP_DIRECT_RECLAIM",
                "E           extra on the left: __GFP_HIGH __GFP_NOWARN __GFP_NORETRY __GFP_NOMEMALLOC",
            ],
            consecutive=True,
        )

    def test_a_mask_and_a_number(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it(gfp):\n    assert 0xc40 == gfp.GFP_KERNEL")
        pytester.runpytest().stdout.fnmatch_lines(
            [
                "E       assert GFP_NOFS == GFP_KERNEL",
                "E           left   0xc40  GFP_NOFS",
                "E           right  0xcc0  GFP_KERNEL",
                "E           missing on the left: __GFP_FS",
            ],
            consecutive=True,
        )

    def test_other_comparisons_are_left_to_others(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it(gfp):\n    assert gfp.GFP_KERNEL == 'GFP_KERNEL'\n")
        result = pytester.runpytest()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["E       AssertionError: assert GFP_KERNEL == 'GFP_KERNEL'"])

    def test_a_difference_shows_the_line_of_the_test_and_none_of_ours(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it(gfp):\n    gfp.assert_equal_everywhere(gfp.gfp_nested_mask, lambda x: x)\n")
        result = pytester.runpytest()
        result.stdout.fnmatch_lines(
            [
                ">       gfp.assert_equal_everywhere(gfp.gfp_nested_mask, lambda x: x)",
                "E       AssertionError: gfp_nested_mask() of bundled 7.3.4, all symbols off",
                "E         differs from the lambda at test_a_difference_shows_*.py:2",
                "E         on 134,217,696 of 134,217,728 inputs: every value of the defined bits (2^27 inputs)",
                "E         smallest input  0x0  none",
            ]
        )
        assert "asserting.py" not in result.stdout.str()

    def test_a_callable_that_raises_names_the_input(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            def mine(mask):
                return {0: 1, 1: 2}[int(mask)]

            def test_it(gfp):
                gfp.assert_equal_everywhere(gfp.gfp_nested_mask, mine, [0, 1, 2])
            """
        )
        result = pytester.runpytest()
        result.stdout.fnmatch_lines(["E*KeyError: 2", "E*pygfp: mine() was called with 0x2 (__GFP_HIGHMEM)"])


class TestSourceThatCannotBeTested:
    """One clear error for the whole run, and an exit code that no failing test has."""

    @BOTH
    def test_one_that_does_not_build(self, pytester: pytest.Pytester, bundled_tree: Path, how: tuple[str, ...]) -> None:
        pytester.makepyfile(ATOMIC + "def test_more(gfp): pass\ndef test_other(): pass\n")
        result = pytester.runpytest(f"--gfp-source={broken(bundled_tree)}", "-q", *how)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        text = result.stdout.str() + result.stderr.str()
        assert text.count("not finished") == 1
        assert "ERROR: pygfp: nothing was tested: " in text
        assert "gfp_types.h:" in text
        assert "Traceback" not in text

    def test_the_header_line_says_so_too(self, pytester: pytest.Pytester, bundled_tree: Path) -> None:
        pytester.makepyfile(ATOMIC)
        result = pytester.runpytest(f"--gfp-source={broken(bundled_tree)}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.re_match_lines([r"ERROR: pygfp: .*gfp_types\.h:\d+: #error not finished"])

    @BOTH
    def test_one_that_no_test_asks_for_is_not_built(
        self, pytester: pytest.Pytester, bundled_tree: Path, how: tuple[str, ...]
    ) -> None:
        pytester.makeini(f"[pytest]\ngfp_source = {broken(bundled_tree)}\n")
        pytester.makepyfile("def test_it(): pass")
        pytester.runpytest(*how).assert_outcomes(passed=1)

    def test_collecting_builds_nothing(self, pytester: pytest.Pytester, bundled_tree: Path) -> None:
        pytester.makepyfile(ATOMIC)
        assert pytester.runpytest(f"--gfp-source={broken(bundled_tree)}", "-q", "--collect-only").ret == 0

    @pytest.mark.parametrize("options", [("--gfp-source=/nonexistent",), ("--gfp-config=/nonexistent",)])
    def test_one_that_is_not_there(self, pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
        pytester.makepyfile(ATOMIC)
        result = pytester.runpytest(*options)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: pygfp: *nonexistent*"])


class TestUnused:
    """Installed and not asked for, it costs nothing; switched off, it is not there."""

    PROBE = """
        import sys

        def test_it():
            ours = {m for m in sys.modules if m.startswith("pygfp") or m.startswith("_cffi")}
            assert ours <= {"pygfp", "pygfp.pytest_plugin"}, ours
        """

    @BOTH
    def test_nothing_else_of_it_is_imported(self, pytester: pytest.Pytester, how: tuple[str, ...]) -> None:
        pytester.makepyfile(self.PROBE)
        result = pytester.runpytest_subprocess("-p", "no:pytester", *how)
        result.assert_outcomes(passed=1)
        assert "pygfp:" not in result.stdout.str()

    def test_switched_off_there_are_neither_options_nor_fixtures(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(ATOMIC)
        result = pytester.runpytest_subprocess("-p", "no:pygfp")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["E       fixture 'gfp' not found"])
        assert pytester.runpytest_subprocess("-p", "no:pygfp", "--gfp-full").ret == pytest.ExitCode.USAGE_ERROR

    def test_it_is_found_by_its_entry_point(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--trace-config", "--co", "-q", "--rootdir=/", "/dev/null"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "pygfp.pytest_plugin" in done.stdout


class TestColdCache:
    """Any number of workers, and one compiler run."""

    def test_four_workers_compile_once(
        self, pytester: pytest.Pytester, bundled_tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        log, compiler = tmp_path / "log", tmp_path / "cc"
        compiler.write_text(f'#!/bin/sh\ncase "$*" in *-shared*) echo "$*" >> {log};; esac\nexec gcc "$@"\n')
        compiler.chmod(0o755)
        monkeypatch.setenv("CC", str(compiler))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        pytester.makepyfile(
            """
            import pytest

            @pytest.mark.gfp_configs("CONFIG_LOCKDEP", "CONFIG_NUMA")
            @pytest.mark.parametrize("n", range(4))
            def test_it(gfp, n):
                assert gfp.gfp_nested_mask(0) == 0x92000
            """
        )
        result = pytester.runpytest_subprocess(f"--gfp-source={bundled_tree}", "-q", "-n", "4")
        result.assert_outcomes(passed=16)
        # A build links two objects, one a core of the machines that it was made for; and there are the loops.
        assert len(log.read_text().splitlines()) == 3


class TestConformance:
    """The standard checks as ordinary tests."""

    def run(self, pytester: pytest.Pytester, *options: object) -> pytest.RunResult:
        return pytester.runpytest("--pyargs", "pygfp.conformance", *map(str, options))

    @BOTH
    def test_bundled_and_real_headers_conform(
        self, pytester: pytest.Pytester, headers_6_12: Path, how: tuple[str, ...]
    ) -> None:
        result = self.run(pytester, "--gfp-source=bundled", f"--gfp-source={headers_6_12}", *how)
        assert result.ret == 0
        assert result.parseoutcomes()["passed"] > 50

    def test_a_broken_header_fails_and_junit_has_the_ids(self, pytester: pytest.Pytester, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        text = header.read_text()
        header.write_text(text.replace("| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;"))
        result = self.run(pytester, f"--gfp-source={bundled_tree}", "--junit-xml=out.xml")
        assert result.ret == 1
        cases = ET.parse(pytester.path / "out.xml").getroot().iter("testcase")  # noqa: S314 - our own file
        failed = {c.get("name") for c in cases if c.find("failure") is not None}
        assert failed == {
            *(f"test_filter_means_what_is_documented[{c}-gfp_nested_mask]" for c in FLAG_CONFIGS),
            *(f"test_nested_mask_obeys_the_law[{c}-drops-page-traits]" for c in FLAG_CONFIGS),
        }

    def test_a_new_flag_is_named_and_not_judged(self, pytester: pytest.Pytester, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp_types.h"
        header.write_text(header.read_text() + "\n#define __GFP_NEW ((__force gfp_t)0x200u)\n")
        other = bundled_tree / "include/linux/gfp.h"
        other.write_text(other.read_text().replace("| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_NEW;"))
        result = self.run(pytester, f"--gfp-source={bundled_tree}", "-rs", "-k", "none")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["SKIPPED*undecided: __GFP_NEW (the header: keep); *"])

    def test_a_run_that_skips_everything_is_no_pass(self, pytester: pytest.Pytester, headers_6_1: Path) -> None:
        result = self.run(pytester, f"--gfp-source={headers_6_1}", "-k", "gfp_nested_mask")
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
        result.stdout.fnmatch_lines(
            ["pygfp: all * standard checks were skipped: nothing was shown, and this is no pass"]
        )

    def test_a_run_that_shows_something_is_one(self, pytester: pytest.Pytester, headers_6_1: Path) -> None:
        result = self.run(pytester, f"--gfp-source={headers_6_1}")
        assert result.ret == 0
        outcomes = result.parseoutcomes()
        assert outcomes["passed"] > 30
        assert outcomes["skipped"] > 0


def test_the_fixture_of_a_kernel_may_be_asked_for_by_name(
    request: pytest.FixtureRequest,
) -> None:
    assert request.getfixturevalue("gfp").gfp_nested_mask(0) == 0x92000
