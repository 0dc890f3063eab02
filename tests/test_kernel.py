# SPDX-License-Identifier: GPL-2.0-only
"""The kernel object: what Python sees of one source in one configuration, against values worked out by hand."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from itertools import product
from typing import TYPE_CHECKING

import pytest

import pygfp
from pygfp.releases import newest

if TYPE_CHECKING:
    from pathlib import Path

    from pygfp.api.kernel import Helper


@pytest.fixture(scope="module")
def kernel() -> pygfp.Kernel:
    return pygfp.load("bundled")


class TestNames:
    """Attributes and items are the names of the header."""

    @pytest.mark.parametrize("name", ["GFP_KERNEL", "GFP_ATOMIC", "__GFP_IO", "__GFP_RECLAIM"])
    def test_masks_are_attributes_and_items(self, kernel: pygfp.Kernel, name: str) -> None:
        pinned = {"GFP_KERNEL": 0xCC0, "GFP_ATOMIC": 0x820, "__GFP_IO": 0x40, "__GFP_RECLAIM": 0xC00}
        assert kernel[name] == getattr(kernel, name) == pinned[name]
        assert isinstance(kernel[name], pygfp.Mask)

    def test_a_flag_is_reached_from_a_class_body_where_python_mangles_its_name(self, kernel: pygfp.Kernel) -> None:
        assert kernel.__GFP_IO == 0x40

    def test_flags_are_single_bits_lowest_first(self, kernel: pygfp.Kernel) -> None:
        values = list(kernel.flags.values())
        assert all(m.bit_count() == 1 for m in values)
        assert values == sorted(values)
        assert set(kernel.flags) == {n for n in newest().flags if newest().gate(n) is None}

    def test_composites_are_the_other_masks(self, kernel: pygfp.Kernel) -> None:
        assert set(newest().composites) | {"__GFP_BITS_MASK"} == set(kernel.composites)

    def test_helpers_are_those_of_one_gfp_t(self, kernel: pygfp.Kernel) -> None:
        assert {"gfp_nested_mask", "gfp_zone", "gfp_migratetype"} <= set(kernel.helpers)
        assert "gfp_has_flags" not in kernel.helpers
        assert kernel.gfp_zone is kernel.helpers["gfp_zone"]

    def test_an_unknown_name_lists_near_ones(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(pygfp.UnknownFlagError, match=r"__GFP_OI is not defined here; near: __GFP_IO"):
            kernel["__GFP_OI"]
        with pytest.raises(AttributeError, match=r"gfp_nestd_mask is not defined here; near: gfp_nested_mask"):
            _ = kernel.gfp_nestd_mask
        with pytest.raises(ValueError, match=r"near: GFP_KERNEL"):
            kernel.parse("GFP_KERNAL|__GFP_ZERO")

    def test_a_helper_of_another_release_is_unavailable_and_no_typing_error(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(pygfp.HelperUnavailableError, match=r"bundled has no gfp_kmemleak_mask\(\)"):
            kernel.call("gfp_kmemleak_mask", 0)
        assert not hasattr(kernel, "gfp_kmemleak_mask")

    def test_a_function_of_two_masks_is_not_called_absent(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(TypeError, match=r"gfp_has_flags.*takes 2 arguments"):
            _ = kernel.gfp_has_flags

    def test_what_is_called_must_be_a_helper(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(ValueError, match="GFP_KERNEL is no helper"):
            kernel.call("GFP_KERNEL", 0)


class TestCalls:
    """A call is the C."""

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
    )
    def test_nested_mask_gives_the_pinned_values(self, kernel: pygfp.Kernel, x: int, nested: int) -> None:
        found = kernel.gfp_nested_mask(x)
        assert found == nested
        assert isinstance(found, pygfp.Mask)

    def test_a_predicate_gives_a_bool(self, kernel: pygfp.Kernel) -> None:
        assert kernel.gfpflags_allow_blocking(kernel.GFP_KERNEL) is True
        assert kernel.gfpflags_allow_blocking(kernel.GFP_ATOMIC) is False

    def test_bug_is_an_exception_and_call_tells_it_without(self, kernel: pygfp.Kernel) -> None:
        both = kernel["__GFP_DMA"] | kernel["__GFP_DMA32"]
        with pytest.raises(pygfp.BugFired, match=r"gfp_zone\(0x5\): BUG fires on GFP_DMA\|GFP_DMA32"):
            kernel.gfp_zone(both)
        assert kernel.call("gfp_zone", both) == (0, True, False)

    def test_warn_goes_on_and_call_tells_it(self, kernel: pygfp.Kernel) -> None:
        both = kernel["__GFP_MOVABLE"] | kernel["__GFP_RECLAIMABLE"]
        assert kernel.gfp_migratetype(both) == 3
        assert kernel.call("gfp_migratetype", both) == (3, False, True)
        assert kernel.call("gfp_migratetype", both, ungrouped=True) == (0, False, True)

    @pytest.mark.parametrize("x", [-1, 1 << 32, 1 << 70])
    def test_a_negative_or_too_wide_mask_names_the_width(self, kernel: pygfp.Kernel, x: int) -> None:
        for use in (kernel.gfp_nested_mask, kernel.mask, kernel.format, kernel.gfp_nested_mask.outcome):
            with pytest.raises(ValueError, match=r"expected 0 <= mask < 2\*\*32, as gfp_t has 32 bits here"):
                use(x)

    def test_anything_but_an_integer_is_a_type_error(self, kernel: pygfp.Kernel) -> None:
        for x in ("GFP_KERNEL", None, 1.0):
            with pytest.raises(TypeError):
                kernel.gfp_nested_mask(x)


class TestMask:
    """An integer that prints as the kernel prints it."""

    def test_it_prints_as_the_kernel_does(self, kernel: pygfp.Kernel) -> None:
        assert repr(kernel.GFP_NOFS | kernel["__GFP_ZERO"]) == "GFP_NOFS|__GFP_ZERO"
        assert repr(kernel.mask(0)) == "none"
        assert f"{kernel.GFP_KERNEL:#x}" == "0xcc0"

    def test_every_value_of_gfp_t_has_a_representation_that_parses_back(self, kernel: pygfp.Kernel) -> None:
        lone = [1 << bit for bit in range(32)]
        for value in (0, (1 << 32) - 1, *lone, *(((1 << 32) - 1) ^ m for m in lone)):
            assert kernel.parse(repr(kernel.mask(value))) == value

    def test_operators_give_masks_within_the_width(self, kernel: pygfp.Kernel) -> None:
        io = kernel["__GFP_IO"]
        for made, value in [(io | 1, 0x41), (1 | io, 0x41), (io & 0xFF, 0x40), (io ^ io, 0), (~io, 0xFFFFFFBF)]:
            assert isinstance(made, pygfp.Mask)
            assert made == value
        assert kernel.GFP_KERNEL & ~0x40 == 0xC80

    @pytest.mark.parametrize("other", [-1, 1 << 32])
    def test_an_operand_that_leads_out_of_gfp_t_is_refused(self, kernel: pygfp.Kernel, other: int) -> None:
        with pytest.raises(ValueError, match="gfp_t has 32 bits"):
            _ = kernel.GFP_KERNEL | other
        with pytest.raises(ValueError, match="gfp_t has 32 bits"):
            _ = other ^ kernel.GFP_KERNEL

    def test_it_compares_hashes_and_counts_as_its_integer(self, kernel: pygfp.Kernel) -> None:
        assert {kernel.GFP_KERNEL: "it"}[0xCC0] == "it"
        assert kernel.GFP_ATOMIC < kernel.GFP_KERNEL == 0xCC0
        assert [10, 20][kernel["__GFP_DMA"]] == 20

    def test_other_operands_are_type_errors(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(TypeError):
            _ = kernel.GFP_KERNEL | "__GFP_IO"

    def test_a_copy_is_the_mask_itself(self, kernel: pygfp.Kernel) -> None:
        mask = kernel.GFP_NOFS
        assert copy.copy(mask) is mask
        assert repr(copy.deepcopy([kernel.GFP_NOFS])) == "[GFP_NOFS]"

    def test_a_pickle_prints_where_no_kernel_is_loaded(self, kernel: pygfp.Kernel) -> None:
        stored = pickle.dumps(kernel.GFP_NOFS)
        code = (
            "import pickle, sys; m = pickle.loads(sys.stdin.buffer.read()); "
            "print(repr(m), int(m), repr(~m & 0xf), 'pygfp.api.kernel' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], input=stored, capture_output=True, check=True)
        names = "GFP_DMA|GFP_DMA32|__GFP_HIGHMEM|__GFP_MOVABLE"
        assert done.stdout.decode().split() == ["GFP_NOFS", "3136", names, "False"]


class TestConfiguration:
    """One configuration a kernel: all symbols off unless they are set."""

    def test_a_flag_whose_symbol_is_off_is_zero_and_no_flag(self, kernel: pygfp.Kernel) -> None:
        assert kernel["__GFP_NOLOCKDEP"] == 0
        assert "__GFP_NOLOCKDEP" not in {*kernel.flags, *kernel.composites}

    def test_lockdep_makes_the_flag_and_nesting_keeps_it(self) -> None:
        kernel = pygfp.load("bundled", "CONFIG_LOCKDEP")
        flag = kernel.flags["__GFP_NOLOCKDEP"]
        assert kernel.gfp_nested_mask(flag) & flag == flag
        assert dict(kernel.config) == {"CONFIG_LOCKDEP": True}

    @pytest.mark.parametrize("on", list(product((False, True), repeat=3)), ids=str)
    def test_zones_are_those_of_the_configuration(self, on: tuple[bool, bool, bool]) -> None:
        symbols = ("CONFIG_ZONE_DMA", "CONFIG_ZONE_DMA32", "CONFIG_ZONE_DEVICE")
        config = dict(zip(symbols, on, strict=True))
        kernel = pygfp.load("bundled", config)
        there = [s.removeprefix("CONFIG_") for s in symbols[:2] if config[s]] + ["ZONE_NORMAL", "ZONE_MOVABLE"]
        there += ["ZONE_DEVICE"] if config["CONFIG_ZONE_DEVICE"] else []
        zones = {n: v for n, v in kernel.constants.items() if n.startswith("ZONE_")}
        assert zones == {zone: n for n, zone in enumerate(there)}
        assert kernel.gfp_zone(kernel["__GFP_DMA"]) == zones.get("ZONE_DMA", zones["ZONE_NORMAL"])

    def test_a_symbol_of_another_word_size_is_forced(self) -> None:
        kernel = pygfp.load("bundled", "CONFIG_HIGHMEM=y")
        assert kernel.gfp_zone(kernel["__GFP_HIGHMEM"]) == kernel.ZONE_HIGHMEM

    def test_a_dotconfig_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_text("CONFIG_LOCKDEP=y\nCONFIG_NR_CPUS=8\n# CONFIG_NUMA is not set\n")
        assert "__GFP_NOLOCKDEP" in pygfp.load("bundled", path).flags

    @pytest.mark.parametrize(
        ("config", "says"),
        [
            ("CONFIG_LOCKDEP=m", "expected CONFIG_NAME=y"),
            ("/nonexistent", "No such file"),
            (["LOCKDEP"], "expected CONFIG_NAME=y"),
            ({"LOCKDEP": True}, "expected names such as CONFIG_LOCKDEP"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, config: object, says: str) -> None:
        with pytest.raises(pygfp.UsageError, match=says):
            pygfp.load("bundled", config)  # type: ignore[arg-type]

    def test_two_kernels_live_side_by_side(self, headers_6_1: Path, headers_6_12: Path) -> None:
        old, new = pygfp.load(headers_6_1), pygfp.load(headers_6_12)
        assert "__GFP_ATOMIC" in old.flags
        assert "__GFP_ATOMIC" not in new.flags
        assert old["__GFP_SKIP_ZERO"] == 0
        assert new.gfp_nested_mask(old.GFP_KERNEL) == 0x92CC0
        with pytest.raises(pygfp.HelperUnavailableError):
            old.gfp_nested_mask(0)


class TestRefusals:
    """What cannot be loaded says so in pygfp's own exceptions."""

    def test_no_such_source(self) -> None:
        with pytest.raises(pygfp.KernelTreeError, match="no such directory"):
            pygfp.load("/nonexistent")

    def test_a_header_that_does_not_compile(self, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp_types.h"
        header.write_text(header.read_text() + "\n#error not finished\n")
        with pytest.raises(pygfp.BuildError, match=r"gfp_types\.h:\d+: #error not finished"):
            pygfp.load(bundled_tree)

    def test_a_helper_that_does_not_compile_is_no_absent_one(self, bundled_tree: Path) -> None:
        header = bundled_tree / "include/linux/gfp.h"
        text = header.read_text()
        assert text.count("return manners | (context & flags);") == 1
        header.write_text(text.replace("return manners | (context & flags);", "return manners | oops;"))
        kernel = pygfp.load(bundled_tree)
        with pytest.raises(pygfp.BuildError, match=r"gfp_nested_mask\(\) cannot be compiled: .*oops"):
            kernel.gfp_nested_mask(0)

    def test_an_object_that_was_altered_is_not_loaded(self, bundled_tree: Path) -> None:
        from pygfp.native.resident import Resident  # noqa: PLC0415 - the one test that goes below the kernel

        path = bundled_tree / "object.so"
        path.write_bytes(b"altered")
        with pytest.raises(pygfp.BuildError, match="does not match its digest"):
            Resident().load([(str(path), "0" * 64)])

    def test_a_kernel_is_not_pickled(self, kernel: pygfp.Kernel) -> None:
        with pytest.raises(TypeError, match="masks can"):
            pickle.dumps(kernel)


class TestPackage:
    """``import pygfp`` costs nothing, and its names are what they are called."""

    def run(self, code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_importing_it_imports_nothing_else_of_it(self) -> None:
        out = self.run("import sys, pygfp; print([m for m in sys.modules if m.startswith(('pygfp.', 'cffi'))])")
        assert out == "[]\n"

    def test_every_public_name_is_there(self) -> None:
        assert all(getattr(pygfp, name) is not None for name in pygfp.__all__)
        assert set(pygfp.__all__) <= set(dir(pygfp))

    def test_a_name_stays_what_it_is_when_a_module_of_that_name_is_imported(self) -> None:
        code = "import pygfp.laws; from pygfp.laws import MaskLaw; print(sorted(pygfp.laws)[0], MaskLaw.__name__)"
        assert self.run(code) == "drops-page-traits MaskLaw\n"
        code = "import pygfp.check; from pygfp.check import Options; print(pygfp.check.__module__, Options.__name__)"
        assert self.run(code) == "pygfp.api.entry Options\n"

    def test_there_is_nothing_else(self) -> None:
        with pytest.raises(AttributeError, match="module 'pygfp' has no attribute 'nothing'"):
            _ = pygfp.nothing


def test_a_helper_says_whose_it_is(kernel: pygfp.Kernel) -> None:
    helper: Helper = kernel.gfp_nested_mask
    assert repr(helper) == "<gfp_nested_mask() of bundled 7.3.4, all symbols off>"
    assert repr(kernel).startswith("<pygfp kernel: bundled 7.3.4, all symbols off, gcc")
