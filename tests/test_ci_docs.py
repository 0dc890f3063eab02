# SPDX-License-Identifier: GPL-2.0-only
"""The recipes of docs/ci.md are run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import readers
import yaml
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (ROOT / "docs/ci.md").read_text()
GFP_H = "include/linux/gfp.h"

#: What is done to a tree, and the exit status of a check of it.
TREES = {
    "right": ((), 0),
    "wrong": (("| __GFP_NOLOCKDEP;", "| __GFP_NOLOCKDEP | __GFP_ZERO;"), 1),
    "unbuildable": (("bool gfp_has_io_fs(gfp_t gfp)\n{", "bool gfp_has_io_fs(gfp_t gfp)\n{ return & ;"), 3),
    "no tree": (("", ""), 3),
}


def recipe(title: str) -> str:
    """The code block of the section *title*."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(block)


def shell(command: str, tree: Path) -> subprocess.CompletedProcess[str]:
    """Run *command* in *tree* as a build machine does, pygfp being installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KERNEL": str(tree)}
    return subprocess.run(
        ["bash", "-c", command], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=TREES)
def case(request: pytest.FixtureRequest, bundled_tree: Path) -> tuple[Path, int]:
    """A tree and the exit status that is due."""
    edit, status = TREES[request.param]
    if request.param == "no tree":
        shutil.rmtree(bundled_tree / "include")
    elif edit:
        header = bundled_tree / GFP_H
        text = header.read_text()
        assert text.count(edit[0]) == 1
        header.write_text(text.replace(*edit))
    return bundled_tree, status


def test_ktap(case: tuple[Path, int], source_6_12: Path) -> None:
    tree, status = case
    shutil.copytree(source_6_12 / "tools", tree / "tools")
    done = shell(recipe("KTAP"), tree)
    assert done.returncode == (1 if status else 0), done.stdout + done.stderr
    assert "Testing complete. Ran" in done.stdout


def test_gitlab(case: tuple[Path, int]) -> None:
    tree, status = case
    job = yaml.safe_load(recipe("GitLab, Jenkins"))["gfp"]
    done = [shell(command, tree) for command in job["script"]]
    assert [d.returncode for d in done] == [status]
    report = tree / job["artifacts"]["reports"]["junit"]
    assert readers.junit(report.read_text()).clean == (status == 0)
    assert job["artifacts"]["when"] == "always"


def test_github(case: tuple[Path, int]) -> None:
    tree, status = case
    steps: list[dict[str, Any]] = yaml.safe_load(recipe("GitHub Actions"))["jobs"]["gfp"]["steps"]
    # The package is installed already; .ci/run installs it as the recipe does.
    annotating, logging = (s for s in steps if s.get("run", "").startswith("pygfp"))
    shown, logged = shell(annotating["run"], tree), shell(logging["run"], tree)
    assert shown.returncode == logged.returncode == status
    assert readers.github(shown.stdout).clean == (status == 0)
    upload = steps[-1]
    assert readers.sarif((tree / upload["with"]["sarif_file"]).read_text()).clean == (status == 0)
    assert logging["if"] == upload["if"] == "always()", "a failing check must not hide its findings"


def test_every_format_has_its_row(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("check", "--help")
    assert status == 0
    offered = re.search(r"--format \{([\w,]+)\}", out)
    assert offered
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert offered.group(1).split(",") == ["text", "json", *rows]
