# SPDX-License-Identifier: GPL-2.0-only
"""
A sample of what ``trust/headers.py`` does with thousands: is what pygfp says of mutants of headers true?

And that the oracle, and the verdicts on pygfp's verdicts, can tell right from wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import headers
import pytest
from differ import SEED
from mutants import judging, kinds, oracle, tokens

from pygfp import sources
from pygfp.changes import Change, DiffReport
from pygfp.errors import BuildError
from pygfp.report import Report, SourceInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: How many mutants of each are judged.
SAMPLE = {"bundled": 12, "6.12": 6}


@pytest.fixture(scope="module")
def draws(headers_6_12: Path) -> dict[str, headers.Draw]:
    """What mutants are drawn from, by name."""
    found = {"bundled": sources.bundled(), "6.12": sources.tree(headers_6_12)}
    return {name: headers.Draw({name: tokens.origin(name, source)}) for name, source in found.items()}


@pytest.fixture(scope="module")
def judges(draws: dict[str, headers.Draw], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], judging.Judge]:
    """Return a function that gives the judge of one, which is made once."""
    made: dict[str, judging.Judge] = {}

    def judge(name: str) -> judging.Judge:
        if name not in made:
            made[name] = judging.Judge(draws[name].origins[name], tmp_path_factory.mktemp("oracle"), 8)
        return made[name]

    return judge


@pytest.mark.parametrize(("name", "n"), [(name, n) for name, count in SAMPLE.items() for n in range(count)])
def test_no_mutant_slips_through(
    name: str, n: int, draws: dict[str, headers.Draw], judges: Callable[[str], judging.Judge]
) -> None:
    _, mutant = draws[name].mutant(SEED, n)
    result = judges(name).judge(n, mutant)
    print(f"seed {SEED}\n{result}")  # noqa: T201 - pytest shows it where the test fails
    assert result["verdict"] not in headers.BAD


class TestTheDraw:
    def test_a_seed_gives_the_same_mutants_again(self, draws: dict[str, headers.Draw]) -> None:
        for draw in draws.values():
            assert [draw.mutant("x", n) for n in range(50)] == [draw.mutant("x", n) for n in range(50)]
            assert [draw.mutant("x", n) for n in range(50)] != [draw.mutant("y", n) for n in range(50)]

    def test_a_mutant_is_another_text(self, draws: dict[str, headers.Draw]) -> None:
        """And the text that the oracle sees is the text that pygfp sees, but for what is left out."""
        for name, draw in draws.items():
            origin = draw.origins[name]
            for n in range(200):
                edits = draw.mutant(SEED, n)[1].edits
                whole, part = (tokens.applied(t, edits) for t in (origin.source.files, origin.slices))
                assert whole != origin.source.files
                assert part != origin.slices
                assert all(len(part[p]) == len(whole[p]) for p in part)

    def test_every_kind_has_a_place(self, draws: dict[str, headers.Draw]) -> None:
        for kind, what in kinds.KINDS.items():
            found = [draw.sites[name].of(kind, what.fits) for name, draw in draws.items()]
            assert any(found), kind


def edited(pattern: str, new: str, path: str = tokens.GFP) -> dict[str, bytes]:
    """The bundled subset with one edit."""
    files = tokens.origin("bundled", sources.bundled()).slices
    text, n = re.subn(pattern.encode(), new.encode(), files[path], count=1)
    assert n == 1
    return {**files, path: text}


class TestTheOracle:
    @pytest.mark.parametrize(
        ("pattern", "new", "verdict"),
        [
            (r"context & flags", "context /* c */ & flags", "same tokens"),
            (r"context & flags", "flags & context", "same code"),
            (r"\(flags & ~gfp\) == 0", "(flags & gfp) + (flags & ~gfp) == (flags & gfp)", "same"),
            (r"context & flags", "context | flags", "differs"),
            (r"context & flags", "context & flags | 0x4000000 & flags", "differs"),
            (r"VM_BUG_ON\(\(chosen", "VM_WARN_ON((chosen", "differs"),
            (r"unlikely|likely\(!page", "likely(page", "differs"),
            (r"MIGRATE_UNMOVABLE;", "MIGRATE_UNMOVABLE", "does not compile"),
        ],
    )
    def test_an_edit(self, pattern: str, new: str, verdict: str, tmp_path: Path) -> None:
        opinion = oracle.Oracle(tmp_path, n_compiled=4).compare(edited("x?", ""), edited(pattern, new))
        assert opinion.verdict.startswith(verdict), opinion
        assert opinion.equal == verdict.startswith("same")

    def test_a_flag_in_one_configuration(self, tmp_path: Path) -> None:
        new = edited(
            r"__GFP_HIGH \| __GFP_NOLOCKDEP", "__GFP_HIGH | (IS_ENABLED(CONFIG_LOCKDEP) ? __GFP_NOLOCKDEP : 0)"
        )
        assert oracle.Oracle(tmp_path, n_compiled=4).compare(edited("x?", ""), new).equal
        other = edited(r"__GFP_HIGH \| __GFP_NOLOCKDEP", "__GFP_HIGH | (IS_ENABLED(CONFIG_CMA) ? __GFP_NOLOCKDEP : 0)")
        assert oracle.Oracle(tmp_path, n_compiled=8).compare(edited("x?", ""), other).verdict == "differs"

    def test_an_enumerator_that_nothing_returns(self, tmp_path: Path) -> None:
        new = edited("MIGRATE_TYPES", "MIGRATE_ONE_MORE, MIGRATE_TYPES", oracle.MMZONE)
        assert oracle.Oracle(tmp_path, n_compiled=4).compare(edited("x?", ""), new).verdict == oracle.LOOSE


class TestTheVerdicts:
    """Where pygfp says something untrue, it is called so: here it is made to."""

    INFO = SourceInfo("tree", "x", None, "v7.3", "7.3.4", "")

    def judged(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: DiffReport | BuildError, mutation: tuple[str, str]
    ) -> str:
        """The verdict on a mutant of which pygfp checks nothing, and whose diff gives *said*."""

        def diff(*_: object) -> DiffReport:
            if isinstance(said, BuildError):
                raise said
            return said

        monkeypatch.setattr(judging, "check", lambda *_: Report(self.INFO, (), "cc", 1, 1, ""))
        monkeypatch.setattr(judging, "diff", diff)
        origin = tokens.origin("bundled", sources.bundled())
        at = origin.slices[tokens.GFP].index(mutation[0].encode())
        mutant = kinds.Mutant("by hand", ((tokens.GFP, at, at + len(mutation[0]), mutation[1]),), "")
        return str(judging.Judge(origin, tmp_path, 3).judge(0, mutant)["verdict"])

    WRONG, HARMLESS = ("context & flags", "context | flags"), ("context & flags", "flags & context")

    @pytest.mark.parametrize(("mutation", "verdict"), [(WRONG, "SURVIVOR"), (HARMLESS, "no change")])
    def test_no_change(
        self, mutation: tuple[str, str], verdict: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        said = DiffReport(self.INFO, self.INFO, compared=("gfp_zone",))
        assert self.judged(monkeypatch, tmp_path, said, mutation) == verdict

    @pytest.mark.parametrize(("mutation", "verdict"), [(WRONG, "diff"), (HARMLESS, "FALSE ALARM")])
    def test_a_change(
        self, mutation: tuple[str, str], verdict: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        said = DiffReport(self.INFO, self.INFO, changes=(Change("gfp_zone", "helper", "changed", "x"),))
        assert self.judged(monkeypatch, tmp_path, said, mutation) == verdict

    @pytest.mark.parametrize(
        ("new", "message", "verdict"),
        [
            ("context &", "include/linux/gfp.h:56: expected expression", "does not compile"),
            ("context &", "it does not compile", "WRONG"),
            ("flags & context", "include/linux/gfp.h:56: expected expression", "WRONG"),
        ],
    )
    def test_a_refusal(
        self, new: str, message: str, verdict: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert self.judged(monkeypatch, tmp_path, BuildError(message), ("context & flags", new)) == verdict

    def test_a_bug(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        said = DiffReport(self.INFO, self.INFO, problems=None)  # type: ignore[arg-type]
        assert self.judged(monkeypatch, tmp_path, said, self.HARMLESS) == "WRONG"
