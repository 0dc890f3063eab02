# SPDX-License-Identifier: GPL-2.0-only
"""Where a text mentions a mask: the compiled search against a pattern."""

from __future__ import annotations

import random
import re

import pytest

from pygfp.native import mentions as module
from pygfp.native.mentions import TAIL, mentions

#: Around the ends of the blocks of the search, and of the places that it fetches at once.
LENGTHS = (0, 1, 2, 3, 4, 5, 4093, 4095, 4096, 4097, 4099, 8192, 20_000)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "without the module"])
@pytest.mark.parametrize("letters", [b"gfp", b"GFP_", b"gfpGFP_ x", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxg fpGFP_"])
def test_what_a_pattern_finds_is_found(compiled: bool, letters: bytes, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    if not compiled:
        monkeypatch.setattr(module, "_search", lambda: None)
    chooser = random.Random(letters)
    for length in LENGTHS:
        text = bytes(chooser.choices(letters, k=length))
        assert mentions(text + TAIL, length) == [m.start() for m in re.finditer(rb"gfp|GFP_", text)]


def test_what_stands_behind_the_text_is_not_looked_at() -> None:
    assert mentions(b"x gfp", 2) == []


def test_the_search_is_the_compiled_one() -> None:
    assert module._search() is not None
