# SPDX-License-Identifier: GPL-2.0-only
"""What docs/decode.md and docs/coherence.md show is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pygfp.cohering.values import PROBLEMS
from pygfp.releases import newest

DECODE = (ROOT / "docs/decode.md").read_text()
COHERENCE = (ROOT / "docs/coherence.md").read_text()


def sessions(page: str) -> list[tuple[str, str]]:
    """(command, output) of each ``$`` line in the indented blocks of *page*."""
    found = []
    for block in re.findall(r"(?:^    .*\n|^\n(?=    (?!\$)))+", page, re.MULTILINE):
        lines = [line[4:] for line in block.splitlines()]
        for n, line in enumerate(lines):
            if line.startswith("$ "):
                end = next((k for k in range(n + 1, len(lines)) if lines[k].startswith("$ ")), len(lines))
                found.append((line[2:], "\n".join(lines[n + 1 : end]).strip("\n")))
    return found


def shell(command: str, cwd: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    return re.sub(r"[ ]+$", "", done.stdout + done.stderr, flags=re.MULTILINE).strip("\n")


@pytest.mark.parametrize(("command", "output"), sessions(DECODE), ids=lambda v: v[:40])
def test_every_session_of_decode(command: str, output: str, tmp_path: Path) -> None:
    logs = {c.removeprefix("cat "): text for c, text in sessions(DECODE) if c.startswith("cat ")}
    for name, text in logs.items():
        (tmp_path / name).write_text(text + "\n")
    assert shell(command, tmp_path) == output


def test_there_are_as_many_sessions_as_a_reader_sees() -> None:
    assert len(sessions(DECODE)) == DECODE.count("\n    $ ") == 10


def test_the_session_of_coherence(bundled_tree: Path) -> None:
    flags = [n for n in newest().flags if n not in {"__GFP_NOLOCKDEP", "__GFP_SKIP_ZERO", "__GFP_SKIP_KASAN"}]
    rows = ", ".join(f"NAMED({flag})" for flag in flags)
    trace = bundled_tree / "include/trace/events/mmflags.h"
    trace.parent.mkdir(parents=True)
    trace.write_text(
        "/* Written by a test. */\n#define NAMED(flag) {(unsigned long)flag, #flag}\n"
        "#ifdef CONFIG_KASAN_HW_TAGS\n#define KASAN , NAMED(__GFP_SKIP_ZERO), NAMED(__GFP_SKIP_KASAN)\n"
        f"#else\n#define KASAN\n#endif\n\n#define __def_gfpflag_names {rows} KASAN\n"
        '#define show_gfp_flags(flags) __print_flags(flags, "|", __def_gfpflag_names, NAMED(__GFP_NOLOCKDEP))\n'
    )
    perf = bundled_tree / "tools/perf/builtin-kmem.c"
    perf.parent.mkdir(parents=True)
    codes = [f'{{ "{flag}", "X{n}" }}' for n, flag in enumerate(newest().flags) if flag != "__GFP_NOFAIL"]
    perf.write_text(
        "/* Written by a test. */\nstatic const struct {\n\tconst char *name, *code;\n} gfp_compact_table[] = {\n"
        f'\t{{ "GFP_NOFS", "NF" }}, {", ".join(codes)},\n\t{{ "__GFP_NOFAIL", "NF" }},\n}};\n'
    )
    ((command, output),) = sessions(COHERENCE)
    printed = re.sub(r"gcc [\d.]+", "gcc", shell(command, bundled_tree.parent)).splitlines()
    shown = [line for line in re.sub(r"gcc [\d.]+", "gcc", output).splitlines() if line not in {"", "[...]"}]
    assert [line for line in shown if line not in printed] == []


def test_every_problem_has_its_row() -> None:
    assert set(re.findall(r"^\| (\w+) \|", COHERENCE, re.MULTILINE)) >= set(PROBLEMS)


@pytest.mark.kernels
@pytest.mark.parametrize("series", ["6.1", "6.12"])
def test_the_figures_for_the_distributions_trees(series: str, request: pytest.FixtureRequest) -> None:
    tree = request.getfixturevalue(f"source_{series.replace('.', '_')}")
    version = re.search(rf"\b({re.escape(series)}\.\d+) has (\d+)", COHERENCE)
    assert version
    out = shell(f"pygfp coherence -q {tree}", ROOT).splitlines()
    if f", {version[1]}, " in out[0]:
        assert out[-1].startswith(f"FAIL: {version[2]} findings")
    else:
        assert out[-1].startswith("FAIL: ")  # the distribution has a newer version by now
