# SPDX-License-Identifier: GPL-2.0-only
"""
The pytest plugin: tests against the real C of a kernel's GFP helpers.

Thin hooks. Nothing of pygfp is imported, and nothing is compiled or loaded, before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .kernel import Kernel
    from .sources import Source

_MARKERS = {
    "gfp_configs(*symbols)": "run the test in every combination of these CONFIG symbols, each off and on",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys."""
    group = parser.getgroup("gfp", "GFP headers of a kernel (pygfp)")
    group.addoption(
        "--gfp-source",
        action="append",
        metavar="SOURCE",
        help="tree, headers package, DIR@REV or 'bundled' that 'gfp' compiles; twice: every test runs on each",
    )
    group.addoption(
        "--gfp-config",
        action="append",
        metavar="FILE|CONFIG_X=y",
        help="kernel .config, or symbols that are on; default: all off",
    )
    group.addoption("--gfp-full", action="store_true", default=None, help="sweep every value of gfp_t")
    group.addoption(
        "--gfp-require", action="store_true", default=None, help="a test of a helper that the source lacks fails"
    )
    parser.addini("gfp_source", "like --gfp-source, one a line", type="linelist")
    parser.addini("gfp_config", "like --gfp-config, one a line", type="linelist")
    parser.addini("gfp_full", "like --gfp-full", type="bool", default=False)
    parser.addini("gfp_require", "like --gfp-require", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Say which markers there are."""
    for marker, text in _MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {text}")


@pytest.fixture(scope="session")
def gfp_source(request: pytest.FixtureRequest) -> Source:
    """The source that is tested: ``--gfp-source``. Override it in a test module to name another one."""
    from . import api  # noqa: PLC0415 - only where it is used

    return api.resolve(getattr(request, "param", None))


@pytest.fixture(scope="session")
def gfp_config(request: pytest.FixtureRequest) -> Mapping[str, bool]:
    """The CONFIG symbols that are set: ``--gfp-config`` and the marker. Override it to set others."""
    return dict(getattr(request, "param", {}))


@pytest.fixture(scope="session")
def gfp(gfp_source: Source, gfp_config: Mapping[str, bool]) -> Iterator[Kernel]:
    """The kernel object: flags, composites and helpers of the source in one configuration."""
    from . import api  # noqa: PLC0415 - only where it is used

    with api.load(gfp_source, gfp_config) as kernel:
        yield kernel
