# SPDX-License-Identifier: GPL-2.0-only
"""
Fixtures: real header packages, a private cache, and trees to break.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "trust"))

import kernels

from pygfp.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

# No test fails on a clock, however busy the machine is; everything else is as the environment has it.
settings.register_profile("pygfp", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pygfp")

ROOT = Path(__file__).resolve().parent.parent

#: The files of a tree that a verdict may depend on, as far as a header package has them.
HEADERS = ("gfp_types.h", "gfp.h", "types.h", "mmzone.h")


def _or_skip(get: Callable[[], Path]) -> Path:
    try:
        return get()
    except kernels.Unavailable as exc:
        if os.environ.get("PYGFP_REQUIRE_KERNELS") == "1":
            pytest.fail(f"PYGFP_REQUIRE_KERNELS=1 and {exc}")
        pytest.skip(str(exc))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what a module says does not apply to what it is parametrized with (``source_has``)."""
    items[:] = [i for i in items if getattr(getattr(i, "module", None), "source_has", lambda _: True)(i)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a module says what applies, a test that skips itself fails: what it is about was said to be there."""
    report = yield
    if report.skipped and report.when == "call" and hasattr(getattr(item, "module", None), "source_has"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def headers_6_12() -> Path:
    """The 6.12 series: has gfp_nested_mask(), enum bits, eight flag configurations."""
    return _or_skip(lambda: kernels.headers("6.12"))


@pytest.fixture(scope="session")
def headers_6_1() -> Path:
    """The 6.1 series: before gfp_nested_mask(), literal bits."""
    return _or_skip(lambda: kernels.headers("6.1.0"))


@pytest.fixture(scope="session")
def source_6_1() -> Path:
    """A full 6.1 tree, as far as mm/, lib/ and include/ go."""
    return _or_skip(lambda: kernels.sources("6.1"))


@pytest.fixture(scope="session")
def source_6_12() -> Path:
    """A full 6.12 tree, as far as mm/, lib/ and include/ go."""
    return _or_skip(lambda: kernels.sources("6.12"))


@pytest.fixture(scope="session", autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Builds of the tests stay among themselves, and are shared by all of them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    os.environ["XDG_CACHE_HOME"] = str(shared / "cache")
    for name in ("CC", "LLVM", "V", "NO_COLOR"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def _one_worker_a_sweep() -> Iterator[None]:
    """
    With xdist every core has a test already: what a test does in this process it does as on one core.

    Processes that a test starts, and tests that say how many workers they want, have them.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") != "1":
            patch.setattr(os, "sched_getaffinity", lambda _pid: {0})
        yield


@pytest.fixture
def copy_tree(tmp_path: Path) -> Callable[[Path], Path]:
    """Return a function that copies the watched files of a tree, to be broken by hand."""

    def copy(tree: Path) -> Path:
        target = tmp_path / "tree"
        for path in ("Makefile", *(f"include/linux/{h}" for h in HEADERS), "include/trace/events/mmflags.h"):
            if (tree / path).is_file():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(tree / path, target / path)
        return target

    return copy


@pytest.fixture
def bundled_tree(copy_tree: Callable[[Path], Path]) -> Path:
    """A copy of the bundled subset as a tree of its own, to be broken by hand."""
    return copy_tree(ROOT / "csrc")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command line and gives (status, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err, captured.err
        return status, captured.out, captured.err

    return call


@pytest.fixture
def check_json(run: Callable[..., tuple[int, str, str]]) -> Callable[..., dict[str, Any]]:
    """Return a function that runs ``pygfp check --format json`` and gives the parsed report."""

    def call(*arguments: object) -> dict[str, Any]:
        status, out, err = run("check", "--format", "json", *arguments)
        assert out, err
        report: dict[str, Any] = json.loads(out)
        assert report["exit"] == status
        return report

    return call
