# SPDX-License-Identifier: GPL-2.0-only
"""What README shows is what happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from histories import keep_zero, repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

README = (ROOT / "README.md").read_text()


def session() -> list[str]:
    """The lines of the session in README, without the prompt."""
    block = README.split("    $ pygfp check -q tree\n")[1].split("\n\nHow to read it")[0]
    return [line[4:] for line in block.splitlines()]


def test_the_session_is_what_the_tool_prints(
    run: Callable[..., tuple[int, str, str]], bundled_tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = bundled_tree / "include/linux/gfp.h"
    text = header.read_text()
    assert text.count("| __GFP_NOLOCKDEP;") == 1
    header.write_text(text.replace("| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;"))
    monkeypatch.chdir(bundled_tree.parent)
    status, out, _ = run("check", "-q", "tree")
    assert status == 1
    shown = [line for line in session() if line != "[...]"]
    compiler = re.compile(r"gcc [\d.]+$")
    printed = [compiler.sub("gcc", line) for line in out.splitlines()]
    assert [line for line in shown if line and compiler.sub("gcc", line) not in printed] == []


def test_the_diff_session_is_what_the_tool_prints(
    run: Callable[..., tuple[int, str, str]], bundled_tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository(bundled_tree))
    keep_zero(bundled_tree)
    status, out, _ = run("diff")
    assert status == 1
    block = README.split("    $ pygfp diff\n")[1].split("\n\n")[0]
    shown = [line[4:] for line in block.splitlines() if line.strip() != "[...]"]
    assert len(shown) > 4
    assert [line for line in shown if line not in out.splitlines()] == []


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).is_file()


def test_it_is_of_the_length_that_a_newcomer_reads() -> None:
    assert 60 <= len(README.splitlines()) <= 100
