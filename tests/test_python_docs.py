# SPDX-License-Identifier: GPL-2.0-only
"""What the pages on Python and pytest show is what happens."""

from __future__ import annotations

import doctest
import re

import pytest
from conftest import ROOT

pytest_plugins = ["pytester"]

PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("python.md", "pytest.md")}


def test_the_session_on_the_python_page() -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    test = parser.get_doctest(PAGES["python.md"], {}, "python.md", None, 0)
    assert len(test.examples) > 10
    shown: list[str] = []
    assert runner.run(test, out=shown.append).failed == 0, "".join(shown)


def test_the_tests_on_the_pytest_page(pytester: pytest.Pytester) -> None:
    block = PAGES["pytest.md"].split("    # test_mine.py\n")[1].split("\n    $ pytest")[0]
    pytester.makepyfile(test_mine="\n".join(line[4:] for line in block.splitlines()))
    pytester.runpytest("--gfp-source=bundled").assert_outcomes(passed=3)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        assert (ROOT / "docs" / link).exists(), link
