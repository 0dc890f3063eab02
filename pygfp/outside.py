# SPDX-License-Identifier: GPL-2.0-only
"""
Text that a user names and pygfp did not write: read whole within limits, and TOML that can neither hang nor exhaust.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from .errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: A text larger than this is none that is meant: a device, a core dump, a log.
MAX_BYTES = 16 << 20
MAX_TOML = 1 << 20
# A dotted key costs the square of its parts, and no key spans lines.
_MAX_DOTS = 400
_SHOWN = 80


def read_text(path: Path, option: str, limit: int = MAX_BYTES) -> str:
    """
    Return the text of the file *path* that *option* names; what is no UTF-8 is replaced.

    :param limit: in bytes
    :raises UsageError: it cannot be read, or is larger
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as exc:
        message = f"{option} {path}: {getattr(exc, 'strerror', None) or exc}"
        raise UsageError(message) from exc
    if len(data) > limit:
        message = f"{option} {path}: expected a text of at most {limit >> 20} MiB, found more"
        raise UsageError(message)
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str) -> dict[str, Any]:
    """
    Return what TOML *text* says.

    >>> parse_toml('__GFP_NEW = "drop"')
    {'__GFP_NEW': 'drop'}

    :raises ValueError: it says nothing, in one line why
    """
    if len(text) > MAX_TOML:
        message = f"expected at most {MAX_TOML >> 20} MiB, found more"
        raise ValueError(message)
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MAX_DOTS:
            message = f"expected at most {_MAX_DOTS} dots in a line, found more (at line {number})"
            raise ValueError(message)
    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        message = "values are nested too deeply"
        raise ValueError(message) from exc


def shown(value: object) -> str:
    """
    Return *value*, whatever TOML holds, as a message repeats it: short, and on one line.

    >>> shown("drpo"), shown({"a": 1}), shown([1])
    ("'drpo'", 'a table', 'a list')
    """
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
