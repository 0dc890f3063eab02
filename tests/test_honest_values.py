# SPDX-License-Identifier: GPL-2.0-only
"""
Whatever verdicts a report has: its top, its verdict, its exit status and its counts agree, in every format.

Reports are made up here; what they must say is worked out from their verdicts alone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_honesty import GOOD, honest

from pygfp.changes import WAYS, Change, DiffReport, Problem
from pygfp.cohering.values import PROBLEMS, Answer, Coherence, Table
from pygfp.flags import FlagTable
from pygfp.forms import MaskFilter
from pygfp.model.laws import LAWS
from pygfp.native.expressions import Expression
from pygfp.nesting.report import Chain, Claim, Filter, NestedReport
from pygfp.reduce import Breach, Reduced
from pygfp.render import check as of_check
from pygfp.render import coherence as of_coherence
from pygfp.render import diff as of_diff
from pygfp.render import items, nested
from pygfp.render.formats import COMMON, rendered
from pygfp.render.style import Style
from pygfp.report import STATUSES, Check, Report, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE = SourceInfo("tree", "tree", None, "v6.12", "6.12.1", "0")
QUICK = settings(max_examples=100, suppress_health_check=list(HealthCheck))
TEXTS = st.sampled_from(("", "expected drop; found keep", "PASS", "ok", "NO CHANGE: no", "it (a; b) does", "not ok 1"))


def some(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    """A few of *strategy*, and none as often as any."""
    return st.just([]) | st.lists(strategy, min_size=1, max_size=most)


def worst(statuses: Iterable[str], *, strict: bool = False) -> int:
    """The exit code, from the table in the documentation."""
    found = set(statuses)
    if "fail" in found or (strict and found & {"absent", "unmodelled", "undecided"}):
        return 1
    return 0 if "pass" in found and "error" not in found else 3


@st.composite
def checks(draw: st.DrawFn) -> tuple[Check, ...]:
    found = []
    for n, status in enumerate(draw(st.lists(st.sampled_from(STATUSES), max_size=8))):
        kind = draw(st.sampled_from(("helper", "range", "composite", "layout", "law")))
        inputs = draw(st.integers(1, 99)) if status in {"pass", "fail"} else 0
        wrong = draw(st.integers(1, inputs)) if status == "fail" else 0
        message = draw(TEXTS) if status != "pass" else ""
        found.append(Check(f"{kind}.s{n}", f"s{n}", kind, status, inputs=inputs, mismatches=wrong, message=message))
    return tuple(found)


@QUICK
@given(checks(), st.booleans(), st.booleans())
def test_a_check(found: tuple[Check, ...], strict: bool, quiet: bool) -> None:  # noqa: FBT001 - drawn
    report = Report(SOURCE, found, "gcc", 1, 27, "every value", notes=("PASS it on", "ok"))
    status = worst((c.status for c in found), strict=strict)
    assert report.exit_status(strict=strict) == status
    text = of_check.text(report, strict=strict, style=Style(quiet=quiet))
    honest("text", text, status)
    counts = dict(Counter(c.status for c in found))
    verdict = text.splitlines()[-1]
    assert {s: int(n) for n, s in re.findall(r"(\d+) ([a-z]+)", verdict.partition(";")[0])} == counts
    whole = of_check.json(report, strict=strict)
    honest("json", whole, status)
    assert dict(Counter(c["status"] for c in json.loads(whole)["checks"])) == counts
    every_format(items.of_check(report, strict=strict), status, found=len(found))


def every_format(value: items.Items, status: int, *, found: int) -> None:
    """Each format says *status*; those that list every item list them all."""
    assert value.exit_status == status
    for name in COMMON:
        text = rendered(value, name)
        honest(name, text, status)
        if name == "ktap":
            tests = re.findall(r"^  (not ok|ok) \d+ (\S+)", text, re.MULTILINE)
            assert len(tests) == len(value.items) >= found
            assert any(t == "not ok" for t, _ in tests) == (status != 0)


@st.composite
def diffs(draw: st.DrawFn) -> DiffReport:
    changes = tuple(
        Change(f"c{n}", draw(st.sampled_from(("helper", "flag", "layout"))), way, draw(TEXTS) or way)
        for n, way in enumerate(draw(some(st.sampled_from(WAYS), 4)))
    )
    problems = tuple(Problem(f"p{n}", text) for n, text in enumerate(draw(some(TEXTS, 2))))
    said = draw(some(TEXTS, 2))
    fails = tuple(Check(f"law.b{n}", f"b{n}", "law", "fail", message=text) for n, text in enumerate(said))
    compared = tuple(f"x{n}" for n in range(draw(st.integers(0, 2))))
    identical = not (changes or problems or fails or compared) and draw(st.booleans())
    return DiffReport(SOURCE, SOURCE, changes, problems, fails, compared, identical, "gcc", (1, 1), "every value")


@QUICK
@given(diffs())
def test_a_diff(report: DiffReport) -> None:
    status = (
        1
        if report.changes or report.broken
        else 3
        if report.problems or not (report.compared or report.identical)
        else 0
    )
    assert report.exit_status() == status
    text = of_diff.text(report, style=Style())
    honest("text", text, status)
    verdict = text.splitlines()[-1]
    for way, n in Counter(c.change for c in report.changes).items():
        assert f"{n} {way}" in verdict
    if report.problems:
        assert f"{len(report.problems)} not compared" in verdict
    quiet = of_diff.text(report, style=Style(quiet=True)).splitlines()
    assert len(quiet) >= len(report.changes) + len(report.problems)
    assert sum(": ERROR: not compared: " in line for line in quiet) == len(report.problems)
    honest("json", of_diff.json(report), status)
    every_format(items.of_diff(report), status, found=len(report.changes) + len(report.problems))


@st.composite
def coherences(draw: st.DrawFn) -> Coherence:
    answers = tuple(
        Answer(f"printk.a{n}.named", "printk", f"a{n}", problem, ({},), "f.h", 1, draw(TEXTS) or "x")
        for n, problem in enumerate(draw(st.lists(st.sampled_from(("", "", *PROBLEMS)), max_size=5)))
    )
    states = draw(st.lists(st.sampled_from(("", "absent", "error")), max_size=3))
    tables = tuple(
        Table(f"t{n}", "a table", "f.h", 1, **({state: draw(TEXTS) or "x"} if state else {}))
        for n, state in enumerate(states)
    )
    return Coherence(SOURCE, "gcc", ({},), tables, answers)


@QUICK
@given(coherences(), st.booleans())
def test_a_coherence(report: Coherence, quiet: bool) -> None:  # noqa: FBT001 - drawn
    wrong = [a for a in report.answers if a.problem]
    status = 1 if wrong else 3 if any(t.error for t in report.tables) or not report.answers else 0
    assert report.exit_status == status
    text = of_coherence.text(report, Style(quiet=quiet))
    honest("text", text, status)
    honest("json", of_coherence.json(report), status)
    assert len(json.loads(of_coherence.json(report))["findings"]) == len(wrong)
    if wrong:
        assert f"{len(wrong)} finding" in text.splitlines()[-1]
    every_format(of_coherence.items(report), status, found=len(report.answers))


FLAGS = FlagTable({"__GFP_IO": 1, "__GFP_FS": 2}, trace_order=("__GFP_IO", "__GFP_FS"))
OUTCOMES = ("holds", "breaks", "error", "forwards", "nothing")


def filter_of(outcome: str, name: str) -> Filter:
    """A filter of which that came."""
    breaches = (Breach(LAWS[0], 1, 1),) if outcome == "breaks" else ()
    reduced = (Reduced({}, FLAGS, MaskFilter(1, 0), breaches, inputs=4),) if outcome in {"holds", "breaks"} else ()
    error = "it crashes" if outcome == "error" else ""
    return Filter(name, "", "", "f.c", 1, "x", Expression("x"), reduced, error, forwards=outcome == "forwards")


@st.composite
def nesteds(draw: st.DrawFn) -> tuple[list[str], NestedReport]:
    # As often as not claims are all that may go wrong.
    fine = draw(st.booleans())
    outcomes = draw(some(st.sampled_from(("holds", "forwards") if fine else OUTCOMES), 3))
    chained = draw(some(st.sampled_from(("holds",) if fine else ("holds", "breaks", "error")), 2))
    held = draw(some(st.sampled_from((True, False, None)), 2))
    report = NestedReport(
        SOURCE,
        tuple(filter_of(o, f"f{n}") for n, o in enumerate(outcomes)),
        tuple(Chain(filter_of(o, f"c{n}"), (("f", 1, "__GFP_IO"),)) for n, o in enumerate(chained)),
        tuple(Claim(f"claim-{n}", "f", h, "a claim") for n, h in enumerate(held)),
        "gcc",
        1,
        4,
        ("__GFP_IO",),
    )
    said = [*outcomes, *chained, *({True: "claimed", False: "breaks", None: "error"}[h] for h in held)]
    return said, report


@QUICK
@given(nesteds())
def test_a_nested(value: tuple[list[str], NestedReport]) -> None:
    said, report = value
    judged = any(f.reduced for f in report.filters)
    status = 1 if "breaks" in said else 0 if judged and "error" not in said and "nothing" not in said else 3
    assert report.exit_status() == status
    words = {0: "ALL HOLD", 1: "BROKEN", 3: "COULD NOT BE CHECKED"}
    for style in (Style(), Style(quiet=True)):
        lines = nested.text(report, style=style).splitlines()
        assert lines[-1].startswith(words[status])
        assert bool(GOOD.search(lines[-1].partition(":")[0])) == (status == 0)
        assert not GOOD.search(lines[0])
    assert json.loads(nested.json(report))["exit"] == status


@pytest.mark.parametrize("status", [1, 3])
def test_what_is_looked_for_would_be_seen(status: int) -> None:
    """A report that says PASS and ends otherwise is caught, in each format."""
    good = Report(SOURCE, (Check("helper.f", "f", "helper", "pass", inputs=1),), "gcc", 1, 27, "every value")
    for name in ("text", "json", *COMMON):
        if name in COMMON:
            text = rendered(items.of_check(good, strict=False), name)
        else:
            text = (
                of_check.json(good, strict=False)
                if name == "json"
                else of_check.text(good, strict=False, style=Style())
            )
        honest(name, text, 0)
        with pytest.raises(AssertionError):
            honest(name, text, status)
