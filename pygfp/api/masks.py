# SPDX-License-Identifier: GPL-2.0-only
"""
Masks as Python values: integers of one kernel's ``gfp_t`` that print as the kernel prints them.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar, Self

from ..flags import FlagTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Names:
    """
    The names that masks of one build print with. The printing order is asked for when the first mask prints.
    """

    def __init__(self, table: FlagTable, order: Callable[[], Sequence[str]]) -> None:
        """Keep *table*; *order* gives the names in the order of the kernel's ``%pGg``."""
        self._plain = table
        self._order = order

    @cached_property
    def table(self) -> FlagTable:
        """The table with its printing order."""
        plain = self._plain
        return FlagTable(plain.masks, plain.gfp_t_bits, plain.bits_shift, tuple(self._order()))


class Mask(int):
    """
    A value of ``gfp_t``, ``0 <= mask < 2**width``.

    ``| & ^ ~`` give masks of the same kernel, ``~`` within the width of its ``gfp_t``; an operand that leads out of
    it is a ValueError. Compares, hashes and counts as its integer; ``f"{mask:#x}"`` shows that. A pickle carries the
    names, so that it prints the same where the kernel is not loaded.
    """

    __slots__ = ()

    #: Widest value.
    every: ClassVar[int] = 0
    names: ClassVar[Names]

    @property
    def flags(self) -> tuple[str, ...]:
        """The single-bit flags in the mask, lowest bit first, unknown bits as one hex string."""
        return tuple(self.names.table.names(self))

    def __repr__(self) -> str:
        """As the kernel's ``%pGg`` prints it."""
        return self.names.table.format(int(self))

    def __or__(self, other: int) -> Self:
        """Every bit of either."""
        return self._checked(int.__or__(self, other))

    def __and__(self, other: int) -> Self:
        """Every bit of both."""
        return self._checked(int.__and__(self, other))

    def __xor__(self, other: int) -> Self:
        """Every bit of just one."""
        return self._checked(int.__xor__(self, other))

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__

    def __invert__(self) -> Self:
        """Every other bit of ``gfp_t``."""
        return type(self)(int.__xor__(self, self.every))

    def __reduce__(self) -> tuple[object, ...]:
        """Take the names along."""
        table = self.names.table
        key = (tuple(table.masks.items()), table.gfp_t_bits, table.bits_shift, tuple(table.trace_order))
        return _restored, (int(self), *key)

    def __copy__(self) -> Self:
        """Return the mask itself: it never changes."""
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        """Return the mask itself: it never changes."""
        return self

    @classmethod
    def _checked(cls, value: int) -> Self:
        # Of an operand that is no integer it is NotImplemented, of which Python makes a TypeError.
        if value is NotImplemented:
            return NotImplemented  # type: ignore[no-any-return]
        return cls(require_width(value, cls.every))


def require_width(value: int, every: int) -> int:
    """
    Return *value* if it is one of a ``gfp_t`` whose widest value is *every*.

    :raises ValueError: it is negative or too wide
    """
    if 0 <= value <= every:
        return value
    width = every.bit_length()
    message = f"{value:#x} is no gfp_t: expected 0 <= mask < 2**{width}, as gfp_t has {width} bits here"
    raise ValueError(message)


def mask_type(names: Names, gfp_t_bits: int) -> type[Mask]:
    """Return the type of the masks of one build."""
    space = {"__slots__": (), "every": (1 << gfp_t_bits) - 1, "names": names, "__module__": __name__}
    made: type[Mask] = type("Mask", (Mask,), space)
    return made


@lru_cache(maxsize=64)
def _restored_type(
    masks: tuple[tuple[str, int], ...], gfp_t_bits: int, bits_shift: int | None, order: tuple[str, ...]
) -> type[Mask]:
    return mask_type(Names(FlagTable(dict(masks), gfp_t_bits, bits_shift), lambda: order), gfp_t_bits)


def _restored(
    value: int, masks: tuple[tuple[str, int], ...], gfp_t_bits: int, bits_shift: int | None, order: tuple[str, ...]
) -> Mask:
    """What a pickled mask is made from."""
    return _restored_type(masks, gfp_t_bits, bits_shift, order)(value)
