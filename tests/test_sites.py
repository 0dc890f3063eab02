# SPDX-License-Identifier: GPL-2.0-only
"""
Sites: the hand-made corpus, each function with what must be found in it, worked out by hand.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pygfp.audit import Options, audit

if TYPE_CHECKING:
    from pygfp.audit import AuditReport, Finding

DATA = Path(__file__).parent / "data"
CSRC = Path(__file__).resolve().parent.parent / "csrc"

Outcome = tuple[frozenset[str], frozenset[str]] | str


def tree_with(path: Path, **files: str) -> Path:
    """A tree of the bundled headers and *files* below mm/."""
    shutil.copytree(CSRC / "include", path / "include")
    (path / "mm").mkdir()
    for name, text in files.items():
        (path / "mm" / f"{name}.c").write_text(text)
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    text = (DATA / "sites.c").read_text()
    return audit(tree_with(tmp_path_factory.mktemp("corpus") / "tree", sites=text), Options(paths=("mm",)))


def expected(flags: frozenset[str]) -> dict[str, list[Outcome]]:
    """What the comments of the corpus say, by function."""
    text = (DATA / "sites.c").read_text()
    found: dict[str, list[Outcome]] = {}
    pattern = r"/\* = ((?:[^*]|\*(?!/))*?) ?\*/\n(?:#define (\w+)\(|[^\n]*?(\w+)\()"
    for comment, macro, function in re.findall(pattern, text):
        lines = [line.strip(" *=\n") for line in comment.split("\n")]
        found[macro or function] = [o for line in lines if line != "nothing" for o in [outcome(line, flags)]]
    return found


def outcome(line: str, flags: frozenset[str]) -> Outcome:
    if line == "unknown":
        return line
    passing, _, forced = line.partition("force ")
    names = {f"__GFP_{n}" for n in re.findall(r"[A-Z][A-Z_0-9]+", passing)}
    force = frozenset(f"__GFP_{n}" for n in re.findall(r"[A-Z][A-Z_0-9]+", forced))
    keep = names if passing.startswith("keep") else flags - names if "all but" in passing else set()
    return frozenset(keep) - force, force


def actual(finding: Finding) -> Outcome:
    if finding.nested == "unknown" or finding.reduced is None:
        return "unknown"
    return frozenset(finding.reduced.keep), frozenset(finding.reduced.force)


def flags_of(report: AuditReport) -> frozenset[str]:
    return frozenset(next(f.reduced for f in report.findings if f.reduced).table.flags)


def test_the_corpus_has_sixty_functions(corpus: AuditReport) -> None:
    assert len(expected(flags_of(corpus))) >= 60


def test_nothing_in_the_corpus_is_wrong(corpus: AuditReport) -> None:
    """Everything that is said of a function is in its comment."""
    wanted = expected(flags_of(corpus))
    for finding in corpus.findings:
        assert actual(finding) in wanted[finding.site.function], (finding.site, actual(finding))


def test_everything_in_the_corpus_is_found(corpus: AuditReport) -> None:
    wanted = expected(flags_of(corpus))
    found: dict[str, Counter[Outcome]] = {name: Counter() for name in wanted}
    for finding in corpus.findings:
        found[finding.site.function][actual(finding)] += 1
    missed = {name: Counter(w) - found[name] for name, w in wanted.items() if Counter(w) - found[name]}
    assert not missed


def test_keep_drop_and_force_name_every_flag_once(corpus: AuditReport) -> None:
    flags = sorted(flags_of(corpus))
    for finding in corpus.findings:
        if finding.reduced and finding.reduced.form:
            assert sorted([*finding.reduced.keep, *finding.reduced.drop, *finding.reduced.force]) == flags


def test_a_site_stands_at_a_statement_that_makes_it(corpus: AuditReport) -> None:
    """The line that is named, or those that the site goes up to, hold a part of its text."""
    lines = (DATA / "sites.c").read_text().splitlines()
    for finding in corpus.findings:
        site = finding.site
        whole = " ".join(lines[site.line - 1 : site.end_line])
        assert re.search(r"[&|^=]|\w\(", whole), site
        assert set(site.lines) >= {site.line}
