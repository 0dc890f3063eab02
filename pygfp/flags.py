# SPDX-License-Identifier: GPL-2.0-only
"""
Names, bits and masks of one build: the table that turns a mask into names and back.

Pure: a :class:`FlagTable` is made from values and knows nothing of where they came from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .errors import UnknownFlagError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Python refuses to read decimal numbers of thousands of digits; no mask has as many as these.
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,64}|[0-9]{1,64}")


@dataclass(frozen=True)
class FlagTable:
    """
    The flags and composites of one build in one configuration.

    :ivar masks: every ``__GFP_*`` and ``GFP_*`` name of type ``gfp_t`` to its value; 0 for a flag
        whose CONFIG symbol is off
    :ivar gfp_t_bits: width of ``gfp_t``, as the compiler says
    :ivar bits_shift: ``__GFP_BITS_SHIFT``, or None where the header does not define it
    :ivar trace_order: the names in the order in which the kernel's ``%pGg`` tries them
    """

    masks: Mapping[str, int]
    gfp_t_bits: int = 32
    bits_shift: int | None = None
    trace_order: Sequence[str] = field(default=())

    @cached_property
    def flags(self) -> dict[str, int]:
        """Names of one bit to their mask: every ``__GFP_*`` that is a single bit here."""
        return {n: m for n, m in self.masks.items() if n.startswith("__GFP_") and m.bit_count() == 1}

    @property
    def no_flag(self) -> int:
        """Every bit of ``gfp_t`` that no flag stands on."""
        rest = (1 << self.gfp_t_bits) - 1
        for mask in self.flags.values():
            rest &= ~mask
        return rest

    def mask(self, names: str | Sequence[str]) -> int:
        """
        Return the union of *names*; a name that this build does not define counts as 0.

        >>> hex(FlagTable({"__GFP_IO": 0x40, "__GFP_FS": 0x80}).mask(["__GFP_IO", "__GFP_FS"]))
        '0xc0'
        """
        names = [names] if isinstance(names, str) else names
        value = 0
        for name in names:
            value |= self.masks.get(name, 0)
        return value

    def names(self, mask: int) -> list[str]:
        """
        Return the single-bit flags in *mask*, lowest bit first, unknown bits as one hex string.

        Where two flags stand on one bit, both are named.
        """
        known = sorted((m, n) for n, m in self.flags.items() if m & mask)
        rest = mask
        for m, _ in known:
            rest &= ~m
        return [n for _, n in known] + ([f"{rest:#x}"] if rest else [])

    def format(self, mask: int) -> str:
        """
        Return *mask* as the kernel's ``%pGg`` prints it: greedy in table order, unknown bits in hex.

        >>> table = FlagTable({"GFP_NOFS": 0xc40, "__GFP_IO": 0x40, "__GFP_HIGH": 0x20},
        ...                   trace_order=["GFP_NOFS", "__GFP_HIGH", "__GFP_IO"])
        >>> table.format(0xc60), table.format(0x100000), table.format(0)
        ('GFP_NOFS|__GFP_HIGH', '0x100000', 'none')
        """
        if not mask:
            return "none"
        parts = []
        for name in self.trace_order:
            value = self.masks.get(name, 0)
            if value and mask & value == value:
                parts.append(name)
                mask &= ~value
        if mask:
            parts.append(f"{mask:#x}")
        return "|".join(parts)

    def parse(self, text: str) -> int:
        """
        Return the mask that *text* names: names and hex or decimal numbers joined by ``|``.

        :raises UnknownFlagError: for a name that this build does not define
        """
        value = 0
        for name in map(str.strip, text.split("|")):
            if name in self.masks:
                value |= self.masks[name]
            elif _NUMBER.fullmatch(name):
                value |= int(name, 16 if name[:2] in {"0x", "0X"} else 10)
            elif name != "none":
                raise UnknownFlagError(name, self.masks)
        return value
