# SPDX-License-Identifier: GPL-2.0-only
"""What sparse finds: misuse of ``gfp_t`` that changes no value, each on its own line and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import readers
from breaks import BUNDLED, GFP, REAL, TYPES, Break

from pygfp.native import compiler as cc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    CheckJson = Callable[..., dict[str, Any]]
    Run = Callable[..., tuple[int, str, str]]

TYPES_H = "include/linux/types.h"
UNFORCED = (r"\(__force ((?:unsigned )?int)\)", r"(\1)")
FLAG_CAST = r"\(\(__force gfp_t\)(___GFP_\w+)\)"

UNCALLED = """static inline unsigned int gfp_number(gfp_t gfp)
{
#ifdef CONFIG_LOCKDEP
\treturn gfp;
#else
\treturn (__force unsigned int)gfp;
#endif
}

static inline int gfp_proper(gfp_t gfp)
{
\tBUILD_BUG_ON_INVALID(gfp);
\treturn likely(gfp & __GFP_IO);
}

static inline bool gfp_has_io_fs"""

#: Edits that go together, none of which changes a value: break, subject, what is said, on which line of the place.
MISUSE = [
    (("a cast without force", GFP, "gfp_zone()", *UNFORCED), "gfp_zone", "cast from restricted", 0),
    (
        ("a mask in an int", GFP, "gfpflags_allow_blocking()", r"return", "int same = gfp_flags;\n\treturn same &&"),
        "gfpflags_allow_blocking",
        "expected int same, got restricted gfp_t",
        0,
    ),
    (
        (
            "a comparison with a number",
            GFP,
            "gfp_has_io_fs()",
            r"return",
            "if (gfp == 1u)\n\t\treturn false;\n\treturn",
        ),
        "gfp_has_io_fs",
        "degrades to integer",
        0,
    ),
    (
        (
            "in a helper that nobody calls, with LOCKDEP only",
            GFP,
            "",
            r"static inline bool gfp_has_io_fs",
            UNCALLED,
        ),
        "gfp_number",
        "expected unsigned int, got restricted gfp_t",
        3,
    ),
    (("a flag without a cast", TYPES, "__GFP_COMP", FLAG_CAST, r"(unsigned int)\1"), "__GFP_COMP", "expected", 0),
    (("a flag without force", TYPES, "__GFP_ZERO", FLAG_CAST, r"((gfp_t)\1)"), "__GFP_ZERO", "cast to restricted", 0),
    (
        ("a number in a composite", TYPES, "GFP_NOFS", r"\(", r"((unsigned int)___GFP_IO | "),
        "GFP_NOFS",
        "degrades to integer",
        0,
    ),
]


@pytest.fixture(autouse=True)
def _sparse(request: pytest.FixtureRequest) -> None:
    if shutil.which("sparse") is None and "without_sparse" not in request.keywords:
        reason = "sparse is not installed; run 'apt-get install sparse'"
        if os.environ.get("PYGFP_REQUIRE_KERNELS") == "1":
            pytest.fail(f"PYGFP_REQUIRE_KERNELS=1 and {reason}")
        pytest.skip(reason)


@pytest.fixture(params=[BUNDLED, REAL])
def tree(request: pytest.FixtureRequest, bundled_tree: Path, copy_tree: Callable[[Path], Path]) -> Path:
    """A copy of the bundled subset, or of the real 6.12 headers."""
    if request.param == BUNDLED:
        return bundled_tree
    return copy_tree(request.getfixturevalue("headers_6_12"))


def of_sparse(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The verdicts that come from sparse."""
    return [c for c in report["checks"] if c["kind"] == "sparse"]


def misused(tree: Path) -> dict[tuple[str, str], str]:
    """Put every edit of MISUSE into *tree*; return what must be said, by subject and the line itself."""
    expected = {}
    for (name, file, place, old, new), subject, words, line in MISUSE:
        path = tree / file
        before = path.read_text()
        after = Break("", name, file, place, old, new).apply(before)
        path.write_text(after)
        pairs = zip(before.splitlines(), after.splitlines(), strict=False)
        first = next(n for n, (a, b) in enumerate(pairs) if a != b)
        expected[subject, after.splitlines()[first + line]] = words
    return expected


def unforced(tree: Path) -> Path:
    """*tree*, the bundled one, with two casts without force in gfp_zone(), on a line each."""
    path = tree / GFP
    text = Break("", "cast", GFP, "gfp_zone()", *UNFORCED).apply(path.read_text())
    more = "\n{\n\tconst int same = (int)flags;\n\n\t(void)same;\n"
    path.write_text(Break("", "another", GFP, "gfp_zone()", r"\n\{\n", more).apply(text))
    return tree


def fake(tmp_path: Path, script: str) -> str:
    """A directory with a sparse that does *script*."""
    program = tmp_path / "bin" / "sparse"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$1" in --version) echo 0.6.4; exit 0;; esac\n{script}\n')
    program.chmod(0o755)
    return str(program.parent)


class TestFindings:
    def test_every_misuse_is_told_on_its_own_line_and_nothing_else_is(self, check_json: CheckJson, tree: Path) -> None:
        expected = misused(tree)
        report = check_json("--sparse", tree)
        found = {}
        for c in of_sparse(report):
            line = (tree / c["file"]).read_text().splitlines()[c["line"] - 1]
            found[c["subject"], line] = c["message"]
            assert c["status"] == "fail"
            lockdep = {config.get("CONFIG_LOCKDEP", False) for config in c["configs"]}
            assert lockdep == ({True} if c["subject"] == "gfp_number" else {True, False})
        assert found.keys() == expected.keys()
        assert [(found[k], words) for k, words in expected.items() if words not in found[k]] == []
        # No value shows any of it: types are all that is wrong, where C can tell at all.
        values = {c["id"] for c in report["checks"] if c["status"] in {"fail", "error"} and c["kind"] != "sparse"}
        assert not {i for i in values if "BITS" not in i and not i.startswith("layout.present")}, values
        assert report["exit"] == 1

    def test_a_gfp_t_that_is_no_type_of_its_own_is_told(self, check_json: CheckJson, tree: Path) -> None:
        path = tree / TYPES_H
        path.write_text(path.read_text().replace("__bitwise gfp_t;", "gfp_t;"))
        # Whatever was asked for: nothing else that sparse says means anything then.
        (found,) = of_sparse(check_json("--sparse", "--helper", "gfp_zone", tree))
        assert (found["subject"], found["status"], found["file"]) == ("gfp_t", "fail", TYPES_H)
        assert "gfp_t;" in path.read_text().splitlines()[found["line"] - 1]


class TestClean:
    @pytest.mark.parametrize("name", ["headers_6_1", "headers_6_12", "source_6_1", "source_6_12"])
    def test_a_real_kernel_is_clean(self, check_json: CheckJson, request: pytest.FixtureRequest, name: str) -> None:
        (found,) = of_sparse(check_json("--sparse", "--helper", "gfp_zone*", request.getfixturevalue(name)))
        assert (found["id"], found["status"], found["inputs"]) == ("sparse.bitwise", "pass", len(found["configs"]))
        assert f"finds nothing in {found['inputs']} configurations" in found["message"]

    def test_the_bundled_subset_is_clean_in_every_format(self, run: Run) -> None:
        status, out, _ = run("check", "--sparse", "bundled")
        assert status == 0
        assert "finds nothing in 8 configurations" in out
        for name, reader in readers.READERS.items():
            status, out, _ = run("check", "--sparse", "--helper", "gfp_zone", "--format", name, "bundled")
            reading = reader(out)
            assert (status, reading.clean) == (0, True)
            # Lists of findings do not name what passes.
            assert reading.outcomes.get("sparse.bitwise", "passed") == "passed"
            assert ("sparse.bitwise" in reading.outcomes) == (name == "junit")

    def test_without_the_option_nothing_is_said_of_types(self, check_json: CheckJson) -> None:
        assert of_sparse(check_json("bundled")) == []


class TestFormats:
    def test_every_format_has_the_finding_at_its_line(self, run: Run, bundled_tree: Path, source_6_12: Path) -> None:
        path = unforced(bundled_tree) / GFP
        line = 1 + next(n for n, text in enumerate(path.read_text().splitlines()) if " = (unsigned int)(flags" in text)
        wanted = ("check", "--sparse", "--helper", "gfp_zone", bundled_tree)
        texts = {f: run(*wanted, "--format", f)[1] for f in ("text", "ktap", *readers.READERS)}
        the_id = "sparse.gfp_zone.2"
        assert f"FAIL {GFP}:{line}: {the_id}\n  cast from restricted gfp_t" in texts["text"]
        assert readers.kunit(source_6_12, texts["ktap"]).outcomes[the_id] == "failed"
        for name, outcome in (("junit", "failed"), ("sarif", "error"), ("github", "error")):
            reading = readers.READERS[name](texts[name])
            assert not reading.clean
            assert reading.outcomes[the_id] == outcome
            assert "cast from restricted gfp_t" in reading.texts[the_id]
        assert readers.github(texts["github"]).places[the_id] == (GFP, str(line))
        # The same of two lines of one helper is two findings; the id of either does not hang on what stands before it.
        results = {r["properties"]["id"]: r for r in json.loads(texts["sarif"])["runs"][0]["results"]}
        assert len(results) == 2
        assert results[the_id]["ruleId"] == "check.sparse"
        assert results[the_id]["locations"][0]["physicalLocation"]["region"] == {"startLine": line}

    def test_a_baseline_accepts_it(self, run: Run, bundled_tree: Path, tmp_path: Path) -> None:
        unforced(bundled_tree)
        baseline = tmp_path / "gfp.toml"
        assert run("check", "--sparse", bundled_tree, "--save-baseline", baseline)[0] == 0
        path = bundled_tree / GFP
        path.write_text(f"/* One line more. */\n{path.read_text()}")
        assert run("check", "--sparse", bundled_tree, "--baseline", baseline)[0] == 0


class TestCouldNotBeChecked:
    @pytest.mark.without_sparse
    def test_no_sparse_is_an_error_that_says_what_to_install(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        status, out, _ = run("check", "--sparse", "--helper", "gfp_zone", "bundled")
        assert status == 3
        assert "ERROR sparse.bitwise\n  sparse is not installed" in out
        assert "apt-get install sparse" in out
        for name, reader in readers.READERS.items():
            status, out, _ = run("check", "--sparse", "--helper", "gfp_zone", "--format", name, "bundled")
            reading = reader(out)
            assert (status, reading.clean) == (3, False)
            assert reading.outcomes["sparse.bitwise"] == "error"

    @pytest.mark.without_sparse
    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("exit 0", "looked at nothing"),
            ("echo garbage >&2; exit 0", "looked at nothing"),
            ("exit 7", "exit status 7"),
            ("kill -9 $$", "SIGKILL"),
            ("echo 'include/linux/gfp.h:3:1: error: no' >&2", "include/linux/gfp.h:3: no"),
        ],
    )
    def test_one_that_lies_gives_no_verdict(
        self, check_json: CheckJson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
    ) -> None:
        monkeypatch.setenv("PATH", fake(tmp_path, script))
        report = check_json("--sparse", "--helper", "gfp_zone", "bundled")
        assert report["exit"] == 3
        assert {c["status"] for c in of_sparse(report)} == {"error"}
        assert all(words in c["message"] for c in of_sparse(report))

    # What was left in its pipes is of no interest.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.without_sparse
    def test_one_that_does_not_end_is_ended(
        self, check_json: CheckJson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", fake(tmp_path, "exec /bin/sleep 600"))
        monkeypatch.setattr(cc, "TIME_LIMIT_S", 2)
        report = check_json("--sparse", "--helper", "gfp_zone", "bundled")
        (found,) = of_sparse(report)
        assert (report["exit"], found["status"]) == (3, "error")
        assert "did not finish within 2 s" in found["message"]

    def test_text_that_sparse_cannot_read_is_an_error_with_its_place(
        self, check_json: CheckJson, bundled_tree: Path
    ) -> None:
        path = bundled_tree / GFP
        text = path.read_text().splitlines(keepends=True)
        text.insert(20, "#if defined(__CHECKER__) && defined(CONFIG_NUMA)\n= 1;\n#endif\n")
        path.write_text("".join(text))
        found = of_sparse(check_json("--sparse", "--helper", "gfp_zone", bundled_tree))
        assert {c["status"] for c in found} == {"error"}
        assert all(c["config"]["CONFIG_NUMA"] for c in found)
        assert f"{GFP}:22: " in found[0]["message"]
