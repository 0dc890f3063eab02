# SPDX-License-Identifier: GPL-2.0-only
"""
Can the checker fail? Every deliberate break of a header is caught, or proven to change nothing.

The breaks are data in ``breaks.py``; ``docs/breaks.md`` shows what catches each in every configuration. Here most of
what must be caught is looked for in one configuration, and only by what is to catch it, in a third of the time; a
sample, another one each run, is looked for everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import breaks
import pytest
from differ import ONE, chooser, shows_in_one

if TYPE_CHECKING:
    from pathlib import Path

CAUGHT = [b for b in breaks.BREAKS if not b.neutral]
NEUTRAL = [b for b in breaks.BREAKS if b.neutral]
#: Those that are looked for in every configuration.
N_EVERYWHERE = 40
EVERYWHERE = {b.id for b in chooser("everywhere").sample(CAUGHT, N_EVERYWHERE)}


def ids(edits: list[breaks.Break]) -> list[str]:
    return [b.id for b in edits]


def origin(request: pytest.FixtureRequest, tree: str) -> Path:
    """The unbroken tree; a fixture, so that one that cannot be had skips the tests of that tree only."""
    if tree == breaks.BUNDLED:
        return breaks.ROOT / "csrc"
    found: Path = request.getfixturevalue("headers_6_12")
    return found


@pytest.fixture(scope="module")
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, breaks.Outcome]:
    """What is said of each tree with nothing broken, filled as it is asked for."""

    class Outcomes(dict[str, breaks.Outcome]):
        def __missing__(self, tree: str) -> breaks.Outcome:
            self[tree] = breaks.check(origin(request, tree), None, tmp_path_factory.mktemp("unbroken"))
            return self[tree]

    return Outcomes()


def caught(outcome: breaks.Outcome, edit: breaks.Break) -> bool:
    """Whether a check of what was broken fails; where the compiler stops at the break, whether that is said."""
    if outcome.report is None:
        return edit.exit == outcome.exit == breaks.UNCHECKED and outcome.stderr.startswith("pygfp: ")
    return outcome.exit in {1, edit.exit} and any(name.startswith(edit.by) for name in outcome.failing)


def by_itself(edit: breaks.Break) -> tuple[str, ...]:
    """The arguments that leave out what is not expected to catch *edit*."""
    kind, _, subject = edit.by.partition(".")
    return ("--helper", f"{subject}*") if kind in {"helper", "composite"} and not edit.arguments else ()


@pytest.mark.parametrize("tree", [breaks.REAL, breaks.BUNDLED])
def test_the_unbroken_copy_passes(tree: str, unbroken: dict[str, breaks.Outcome]) -> None:
    assert unbroken[tree].exit == 0
    assert not unbroken[tree].failing


@pytest.mark.parametrize("edit", CAUGHT, ids=ids(CAUGHT))
def test_a_break_is_caught(edit: breaks.Break, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """By a check of what was broken, and not by chance."""
    if shows_in_one(edit) and edit.id not in EVERYWHERE:
        outcome = breaks.check(origin(request, edit.tree), edit, tmp_path / "one", *by_itself(edit), *ONE)
        if caught(outcome, edit):
            return
    outcome = breaks.check(origin(request, edit.tree), edit, tmp_path)
    assert caught(outcome, edit), (outcome.exit, outcome.failing, outcome.stderr)


@pytest.mark.parametrize("edit", NEUTRAL, ids=ids(NEUTRAL))
def test_an_edit_that_passes_changes_no_meaning(
    edit: breaks.Break, request: pytest.FixtureRequest, tmp_path: Path, unbroken: dict[str, breaks.Outcome]
) -> None:
    """Everything that is proven about the header, in flag names, is proven of the unbroken one too."""
    outcome = breaks.check(origin(request, edit.tree), edit, tmp_path)
    assert outcome.exit == 0, outcome.failing
    assert outcome.forms == unbroken[edit.tree].forms
    assert any(name.startswith("helper.gfp_nested_mask") for name in outcome.forms)
    assert bool(outcome.notes("moved against")) == (edit.neutral == breaks.MOVED)


class TestTheListItself:
    """A list with a hole would prove nothing."""

    def test_names_are_unique(self) -> None:
        assert len({b.id for b in breaks.BREAKS}) == len(breaks.BREAKS)

    @pytest.mark.parametrize("flag", breaks.FLAGS)
    def test_every_flag_is_moved_between_the_lists(self, flag: str) -> None:
        names = {b.name.removeprefix("gfp_nested_mask(): ") for b in breaks.BREAKS if b.tree == breaks.REAL}
        assert f"keep list {'without' if flag in breaks.KEPT else 'with'} {flag}" in names
        assert f"force list {'without' if flag in breaks.FORCES else 'with'} {flag}" in names

    def test_a_pattern_that_does_not_fit_is_an_error(self) -> None:
        edit = breaks.Break(breaks.REAL, "no such token", breaks.GFP, "f()", r"@", "!")
        with pytest.raises(breaks.BreakError, match="expected 1 of '@' in f\\(\\), found 0"):
            edit.apply("int f(void)\n{\n\treturn 0;\n}\n")

    def test_a_place_that_is_not_there_is_an_error(self) -> None:
        edit = breaks.Break(breaks.REAL, "no such place", breaks.GFP, "g()", r"0", "1")
        with pytest.raises(breaks.BreakError, match="expected one g\\(\\), found 0"):
            edit.apply("int f(void)\n{\n\treturn 0;\n}\n")

    def test_the_page_shows_every_break(self) -> None:
        page = (breaks.ROOT / "docs" / "breaks.md").read_text(encoding="utf-8")
        missing = [b.id for b in breaks.BREAKS if f"| {b.title} |" not in page]
        assert not missing, "run: python tests/breaks.py > docs/breaks.md"
