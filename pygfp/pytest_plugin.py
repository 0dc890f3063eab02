# SPDX-License-Identifier: GPL-2.0-only
"""
The pytest plugin: tests against the real C of a kernel's GFP helpers.

Thin hooks. Nothing of pygfp is imported, and nothing is compiled or loaded, before a test asks for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from .api.kernel import Kernel
    from .api.modelled import Model
    from .sources import Source
    from .testing import Suite

_T = TypeVar("_T")

_MARKERS = (
    "gfp_configs(*symbols): run the test in every combination of these CONFIG symbols, each off and on",
    "gfp_conformance: a standard check of pygfp; a run in which all of them were skipped is no pass",
)
_SUITE = pytest.StashKey["Suite"]()


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
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Verdict(), "pygfp-verdict")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the workers, if any."""
    suite = config.stash.get(_SUITE, None)
    if suite is not None:
        suite.close()


@pytest.fixture(scope="session")
def gfp_source(request: pytest.FixtureRequest) -> Source:
    """
    The source that is tested: ``--gfp-source``. Override it in a test module, session-wide, to name another one.
    """
    return getattr(request, "param", None) or _suite(request.config).sources[0]


@pytest.fixture(scope="session")
def gfp_config(request: pytest.FixtureRequest) -> Mapping[str, bool]:
    """
    The CONFIG symbols that are set: ``--gfp-config`` and the marker ``gfp_configs``. Override it to set others.
    """
    given: Mapping[str, bool] | None = getattr(request, "param", None)
    return dict(_suite(request.config).config if given is None else given)


@pytest.fixture(scope="session")
def gfp(request: pytest.FixtureRequest, gfp_source: Source, gfp_config: Mapping[str, bool]) -> Kernel:
    """
    The kernel object: flags, composites and helpers of one source in one configuration.
    """
    return _suite(request.config).kernel(gfp_source, gfp_config)


@pytest.fixture(scope="session")
def gfp_model(gfp: Kernel) -> Model:
    """
    The reference model in the configuration of ``gfp``: ``gfp_model.gfp_nested_mask``.
    """
    from .api.modelled import Model  # noqa: PLC0415 - only where it is used

    return Model(gfp)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each source, and in each combination of the symbols of its marker."""
    symbols = [s for mark in metafunc.definition.iter_markers("gfp_configs") for s in mark.args]
    marked = metafunc.definition.get_closest_marker("gfp_configs") is not None
    if "gfp_config" not in metafunc.fixturenames:
        if marked:
            message = f"{metafunc.definition.nodeid}: gfp_configs on a test without the fixture gfp"
            raise pytest.Collector.CollectError(message)
        return
    if len(_option(metafunc.config, "source")) > 1:
        suite = _suite(metafunc.config)
        sources = _or_usage_error(lambda: suite.sources)
        metafunc.parametrize("gfp_source", sources, ids=suite.ids(), indirect=True, scope="session")
    if marked:
        from .config import slug  # noqa: PLC0415 - only where it is used
        from .errors import PygfpError  # noqa: PLC0415 - ditto

        suite = _suite(metafunc.config)
        try:
            rows = suite.combinations(list(dict.fromkeys(symbols)))
        except PygfpError as exc:
            raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: {exc}") from exc
        ids = [slug({s: row[s] for s in symbols}) for row in rows]
        metafunc.parametrize("gfp_config", rows, ids=ids, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the tests want before any of them runs: one that does not build is one error, not many."""
    config = session.config
    wanted = _wanted(session.items)
    if not wanted or config.option.collectonly:
        return
    from .testing import require  # noqa: PLC0415 - only where it is used

    failure = require(_suite(config), wanted)
    output = getattr(config, "workeroutput", None)
    if output is not None:
        # A worker of xdist: the controller tells, once. Without tests, if nothing can be tested.
        output["pygfp_failure"], output["pygfp_headers"] = failure, [] if failure else _suite(config).headers()
        if failure:
            session.items.clear()
    elif failure:
        raise pytest.UsageError(failure)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is tested, where the command line names it."""
    named = config.getoption("gfp_source") or config.getoption("gfp_config")
    return _or_usage_error(_suite(config).headers) if named else []


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """Say what is tested, where the command line does not name it and a test asks for it."""
    named = config.getoption("gfp_source") or config.getoption("gfp_config")
    return [] if named or config.option.collectonly or not _wanted(items) else _suite(config).headers()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """See :func:`pytest_runtest_call`."""
    return (yield from _skipping(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Skip a test that asks for a helper which its source lacks."""
    return (yield from _skipping(item))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain masks that are not equal by the flags that are missing and extra."""
    if op != "==" or "pygfp.api.masks" not in sys.modules:
        return None
    from .api.masks import Mask  # noqa: PLC0415 - it is loaded

    if not isinstance(left, Mask) and not isinstance(right, Mask):
        return None
    from .testing import explain_equal  # noqa: PLC0415 - only where it is used

    return explain_equal(left, right)


class _Verdict:
    """What the run as a whole comes to, where the tests do not tell. With xdist it is the controller that has it."""

    def __init__(self) -> None:
        self._skipped = self._others = 0
        self._failures: list[str] = []
        self._headers: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what came of the standard checks."""
        if "gfp_conformance" in report.keywords:
            self._skipped += report.skipped
            self._others += report.failed or (report.when == "call" and report.passed)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist's
        """Take over what a worker of xdist tested, or could not build; others say the same."""
        output = getattr(node, "workeroutput", {})
        failure = output.get("pygfp_failure")
        if failure and failure not in self._failures:
            self._failures.append(failure)
        self._headers = output.get("pygfp_headers") or self._headers

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give a run that has shown nothing a status of its own."""
        if self._failures:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self._is_empty() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401 - pytest's
        """Say why, and what xdist's workers tested where that was not said on top."""
        if not (config.getoption("gfp_source") or config.getoption("gfp_config")):
            for line in self._headers:
                terminalreporter.write_line(line)
        for failure in self._failures:
            terminalreporter.write_line(f"ERROR: {failure}", red=True)
        if self._is_empty():
            text = f"pygfp: all {self._skipped} standard checks were skipped: nothing was shown, and this is no pass"
            terminalreporter.write_line(text, yellow=True)

    def _is_empty(self) -> bool:
        return bool(self._skipped) and not self._others


def _suite(config: pytest.Config) -> Suite:
    """The kernels of the run, which are loaded as they are asked for."""
    suite = config.stash.get(_SUITE, None)
    if suite is None:
        from .testing import Shown, Suite  # noqa: PLC0415 - only where it is used

        capture = config.pluginmanager.getplugin("capturemanager")
        shown = Shown(capture.global_and_fixture_disabled) if capture else None
        domain = "full" if _option(config, "full") else None
        suite = Suite(_option(config, "source"), _option(config, "config"), domain, shown)
        config.stash[_SUITE] = suite
    return suite


def _option(config: pytest.Config, name: str) -> Any:  # noqa: ANN401 - a list or a bool, by the name
    """The value of an option, else of the ini key of that name, where paths start at the ini file."""
    given = config.getoption(f"gfp_{name}")
    if given is not None:
        return given
    given = config.getini(f"gfp_{name}")
    if isinstance(given, bool) or config.inipath is None:
        return given
    return [v if v == "bundled" or v.startswith("CONFIG_") else str(config.inipath.parent / v) for v in given]


def _wanted(items: Iterable[pytest.Item]) -> list[tuple[Any, Any]]:
    """Source and configuration of the kernels that *items* ask for, each once; None for those of the options."""
    found = {}
    for item in items:
        if "gfp" in getattr(item, "fixturenames", ()) and not _overrides(item):
            given = item.callspec.params if hasattr(item, "callspec") else {}
            pair = given.get("gfp_source"), given.get("gfp_config")
            found[repr(pair[1]), id(pair[0])] = pair
    return list(found.values())


def _overrides(item: pytest.Item) -> bool:
    """Whether the test names its source or configuration by fixtures of its own, which are not asked before it runs."""
    known = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009 - not in pytest's types
    return any(known[name][-1].func.__module__ != __name__ for name in ("gfp_source", "gfp_config") if name in known)


def _or_usage_error(ask: Callable[[], _T]) -> _T:
    """What *ask* returns; what pygfp raises becomes the one error of the run."""
    from .errors import PygfpError  # noqa: PLC0415 - only where it is used

    try:
        return ask()
    except PygfpError as exc:
        raise pytest.UsageError(f"pygfp: {exc}") from exc


def _skipping(item: pytest.Item) -> Generator[None]:
    """Run the test; a helper that its source lacks skips it, except with --gfp-require."""
    try:
        return (yield)
    except Exception as exc:
        errors = sys.modules.get("pygfp.errors")
        absent = errors is not None and isinstance(exc, errors.HelperUnavailableError)
        if not absent or "gfp" not in getattr(item, "fixturenames", ()) or _option(item.config, "require"):
            raise
        # At the place of the test, as the marker skip does it.
        raise pytest.skip.Exception(str(exc), _use_item_location=True) from exc
