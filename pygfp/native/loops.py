# SPDX-License-Identifier: GPL-2.0-only
"""
The object with the loops of every sweep, which knows no header: compiled once for a compiler and a processor.

It is most of what a build would compile otherwise, each time again.
"""

from __future__ import annotations

import hashlib
import shlex
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..sources import csrc
from . import compiler as cc
from .attempt import include_flags
from .plan import Build

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cache import Cache

_TEXTS = ("native/loops.c", "native/loops.h", "native/abi.h", "shim/pygfp/types.h")
_NAME = "loops.so"


def loops(
    compiler: cc.Compiler, cache: Cache, processor: str, on_command: Callable[[str], None] | None = None
) -> list[tuple[str, str]]:
    """
    Return path and sha256 of the object, out of *cache* or made now; a worker loads it beside those of a header.

    :param processor: what ``-march=native`` depends on
    :raises BuildError: the compiler fails on it
    """
    arguments = [
        *cc.SEMANTIC_FLAGS,
        *include_flags(),
        *("-shared", "-fPIC", "-fvisibility=hidden", "-nostdlib", "-DPYGFP_TABLE_NAME=pygfp_table"),
        *cc.OPTIMISE,
        *(str(csrc() / _TEXTS[0]), "-o", _NAME),
    ]
    key = _key(compiler, arguments, processor)
    with cache.locked(key):
        found = cache.load(key)
        if found:
            return found[1]
        if on_command:
            on_command(shlex.join([*compiler.command, *arguments]))
        with cache.workdir() as workdir:
            done = cc.run(compiler.command, arguments, cwd=workdir)
            if not done.ok or not (workdir / _NAME).is_file():
                message = f"pygfp's own {_TEXTS[0]} does not compile: {done.last_words}; name a working compiler in CC"
                raise BuildError(message, command=done.command, stderr=done.stderr)
            return cache.store(key, Build([], [], [_NAME]), workdir)


def _key(compiler: cc.Compiler, arguments: list[str], processor: str) -> str:
    parts = [compiler.identity, *arguments, processor, *((csrc() / text).read_text() for text in _TEXTS)]
    return hashlib.sha256("\0".join(["loops", *parts]).encode()).hexdigest()
