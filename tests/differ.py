# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp diff`` on headers that a test makes: written to trees of their own, and the report read as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
from typing import TYPE_CHECKING, Any

import breaks

from pygfp.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import edits

#: One configuration.
ON = ("LOCKDEP", "KASAN_HW_TAGS", "SLAB_OBJ_EXT", "NUMA", "COMPACTION", "ZONE_DMA", "ZONE_DMA32")
OFF = ("HIGHMEM", "ZONE_DEVICE", "CMA", "MEMORY_ISOLATION")
ONE = tuple(a for s in (*ON, *OFF) for a in ("--set", f"CONFIG_{s}={'y' if s in ON else 'n'}"))


#: Another one each run, the same in all workers of a run; set PYGFP_SEED to have one again.
SEED = (
    os.environ.get("PYGFP_SEED")
    or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    or str(random.SystemRandom().randrange(1 << 32))
)


def chooser(*of: object) -> random.Random:
    """A generator of this run's seed and *of*; the seed is printed, and pytest shows it where a test fails."""
    print(f"seed {SEED}")  # noqa: T201
    return random.Random(f"{SEED} {of}")


#: What says of a break that it shows in other configurations than the one.
_EVERYWHERE = (
    *("symbol", "switch", "disabled", "#if", "32 bits", "ZONES_SHIFT", "OPT_ZONE", "without NUMA"),
    "& for | in an exponent",
)


def shows_in_one(edit: breaks.Break) -> bool:
    """Whether *edit* may be looked for in the one configuration alone, to save time."""
    return "--set" not in edit.arguments and not any(word in edit.name for word in _EVERYWHERE)


def texts_of(tree: Path) -> edits.Texts:
    """The watched headers of a tree."""
    return {p: (tree / p).read_text(encoding="utf-8") for p in breaks.WATCHED if (tree / p).is_file()}


def written(tree: Path, texts: edits.Texts) -> Path:
    shutil.rmtree(tree, ignore_errors=True)
    for path, text in texts.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(text.encode())
    return tree


def run_diff(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """Exit status, report and stderr of ``pygfp diff --format json``."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(["diff", *map(str, arguments), "--format", "json"])
    return status, json.loads(out.getvalue()) if out.getvalue() else {}, err.getvalue()


def report(workdir: Path, old: edits.Texts | Path, new: edits.Texts | Path, *arguments: str) -> dict[str, Any]:
    """Return the report of a diff of two sets of texts, or trees; those of texts are made in *workdir*."""
    trees = [written(workdir / name, t) if isinstance(t, dict) else t for name, t in (("old", old), ("new", new))]
    status, said, err = run_diff(*trees, *arguments)
    assert said, err
    assert "Traceback" not in err, err
    assert said["exit"] == status
    found: dict[str, Any] = said
    return found
