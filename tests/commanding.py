# SPDX-License-Identifier: GPL-2.0-only
"""
Whole commands, given anything at all: how they end, and that they touch nothing.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pygfp.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
GFP_H, TYPES_H = "include/linux/gfp.h", "include/linux/gfp_types.h"


#: Command lines; FILE is what was drawn, and it is standard input too; TREE a kernel tree with it as a header; GOOD one
#: without.
COMMANDS = (
    ("decode", "-"),
    ("decode", "-", "--format", "json", "--release", "6.12"),
    ("decode", "TEXT", "--release", "6.12"),
    ("encode", "TEXT", "--release", "6.12"),
    ("explain", "TEXT", "--release", "6.12"),
    ("explain", "gfp_nested_mask", "TEXT", "--release", "6.12"),
    ("check", "bundled", "--policy", "FILE", "--format", "junit"),
    ("check", "bundled", "--baseline", "FILE", "-q"),
    ("check", "bundled", "--config", "FILE", "--helper", "gfp_zone"),
    ("check", "bundled", "--set", "TEXT", "--helper", "gfp_zone"),
    ("check", "bundled", "--helper", "TEXT", "--format", "sarif"),
    ("check", "FILE"),
    ("check", "TEXT"),
    ("diff", "--patch", "FILE", "GOOD"),
    ("diff", "--patch", "-", "GOOD", "--format", "github"),
    ("diff", "TEXT", "bundled", "--format", "ktap"),
    ("nested", "FILE"),
    ("audit", "FILE"),
    ("audit", "GOOD", "TEXT"),
    ("coherence", "bundled", "--config", "FILE", "--format", "json"),
    ("extract", "FILE", "-o", "OUT"),
    ("sources", "-o", "OUT"),
    ("TEXT",),
    ("check", "bundled", "TEXT"),
)
#: Commands that compile what was drawn.
COMPILING = (
    ("check", "TREE", "--format", "ktap", "-j", "1"),
    ("diff", "TREE", "bundled", "--format", "json", "-j", "1"),
    ("decode", "0xcc0", "--source", "TREE"),
    ("nested", "TREE", "-j", "1"),
    ("audit", "TREE", "--check", "-j", "1"),
    ("coherence", "TREE", "--format", "junit"),
    ("extract", "TREE", "-o", "OUT"),
)


def good_tree(root: Path, **more: bytes) -> Path:
    """The bundled subset as a tree in *root*, with *more* files by their last name."""
    for path in (GFP_H, TYPES_H, "include/linux/types.h", "include/linux/mmzone.h"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(more.get(Path(path).stem, (ROOT / "csrc" / path).read_bytes()))
    return root


def _inventory(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@contextlib.contextmanager
def _standard_input(data: bytes) -> Iterator[None]:
    before = sys.stdin
    with tempfile.TemporaryFile() as stream:
        stream.write(data)
        stream.seek(0)
        try:
            sys.stdin = os.fdopen(os.dup(stream.fileno()), encoding="utf-8", errors="surrogateescape")
            yield
        finally:
            sys.stdin.close()
            sys.stdin = before


def command_ends_well(value: tuple[tuple[str, ...], bytes]) -> None:
    """A command ends with a status that is documented, says why where it must, and touches nothing."""
    words, data = value
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "in").mkdir()
        (top / "in/file").write_bytes(data)
        given_names = {
            "FILE": str(top / "in/file"),
            "TEXT": data.decode("utf-8", "surrogateescape"),
            "TREE": str(good_tree(top / "in/tree", gfp=data)),
            "GOOD": str(good_tree(top / "in/good")),
            "OUT": str(top / "out"),
        }
        before = _inventory(top / "in")
        argv = [given_names.get(w, w) for w in words]
        with (
            _standard_input(data),
            contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            status = main(argv)
        assert status in {0, 1, 2, 3}, (status, argv)
        assert "Traceback" not in err.getvalue(), err.getvalue()
        if status == 2 or (status == 3 and not out.buffer.tell()):
            assert err.getvalue().strip(), argv
        assert _inventory(top / "in") == before
