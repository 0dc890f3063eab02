# SPDX-License-Identifier: GPL-2.0-only
"""
What is the same thing on both sides: bits by flag name, holes by position, results by enumerator.

Pure: made from two flag tables, or from two sets of enumerators.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..config import Assignment
    from ..flags import FlagTable
    from ..native.plan import Constant, HelperPlan

#: What stands for a number of the old side that is nothing on the new one.
_NOWHERE = 1 << 62


#: Which enumerators the numbers of a helper are, by what it returns or is called.
_ENUMERATORS = {
    "enum zone_type": "ZONE_",
    "enum migratetype": "MIGRATE_",
    "gfp_zone": "ZONE_",
    "gfp_zonelist": "ZONELIST_",
    "gfp_migratetype": "MIGRATE_",
    "gfpflags_to_migratetype": "MIGRATE_",
}


@dataclass(frozen=True)
class Correspondence:
    """
    Which bits of two flag tables are the same thing.

    Inputs that both sides have are numbered: bit i of a number is the bit of pair i.

    :ivar old: flags before
    :ivar new: flags after
    :ivar n_bits: bits from this one on are not looked at
    :ivar pairs: (bit before, bit after) of what both sides have, by the bit after
    :ivar shared: flags that stand on one bit on one side only: bits are then paired by position
    """

    old: FlagTable
    new: FlagTable
    n_bits: int
    pairs: tuple[tuple[int, int], ...]
    shared: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The name of each pair: a flag, or the bit after as a hex number."""
        return tuple(_label(self, old, new) for old, new in self.pairs)

    @cached_property
    def only_old(self) -> dict[str, int]:
        """Flags, and their bits, that nothing on the new side is paired with: they are held 0."""
        return _unpaired(self.old, {old for old, _ in self.pairs})

    @cached_property
    def only_new(self) -> dict[str, int]:
        """The same of the new side."""
        return _unpaired(self.new, {new for _, new in self.pairs})

    def before(self, number: int) -> int:
        """Return the input before that has *number*."""
        return sum(1 << old for n, (old, _) in enumerate(self.pairs) if number >> n & 1)

    def after(self, number: int) -> int:
        """Return the input after that has *number*."""
        return sum(1 << new for n, (_, new) in enumerate(self.pairs) if number >> n & 1)

    def named(self, side: int, bit: int) -> str:
        """Return the first flag on *bit* of one side (0 old, 1 new), or the bit as a hex number."""
        flags = (self.old, self.new)[side].flags
        return next((name for name, mask in flags.items() if mask == 1 << bit), f"{1 << bit:#x}")

    def above(self) -> tuple[tuple[int, int], ...]:
        """Return the bits that no input has and a result may: they are paired by position."""
        return tuple((bit, bit) for bit in range(self.n_bits, min(self.old.gfp_t_bits, self.new.gfp_t_bits)))


def correspond(old: FlagTable, new: FlagTable, n_bits: int) -> Correspondence:
    """
    Return what the bits of *old* and *new* below *n_bits* have to do with each other.

    A flag is paired with the flag of its name, and a bit without a flag with the same bit where that has no flag
    either. Where names do not map one to one, since two flags share a bit on one side only, every bit is
    paired with itself.
    """
    pairs = {
        (old.flags[name].bit_length() - 1, new.flags[name].bit_length() - 1) for name in old.flags if name in new.flags
    }
    shared = _shared(pairs, old, new)
    if shared:
        return Correspondence(old, new, n_bits, tuple((b, b) for b in range(n_bits)), shared)
    taken = {m.bit_length() - 1 for m in (*old.flags.values(), *new.flags.values())}
    holes = {(b, b) for b in range(n_bits) if b not in taken}
    return Correspondence(old, new, n_bits, tuple(sorted(pairs | holes, key=lambda pair: pair[1])))


def _shared(pairs: set[tuple[int, int]], old: FlagTable, new: FlagTable) -> tuple[str, ...]:
    """The flags of which several stand on one bit of one side and on several of the other."""
    found: dict[str, None] = {}
    for side, table in ((0, old), (1, new)):
        bits = [pair[side] for pair in pairs]
        for bit in sorted({b for b in bits if bits.count(b) > 1}):
            found |= dict.fromkeys(
                n for n, m in table.flags.items() if m == 1 << bit and n in old.flags and n in new.flags
            )
    return tuple(found)


def _unpaired(table: FlagTable, bits: set[int]) -> dict[str, int]:
    return {n: bit for n, m in table.flags.items() if (bit := m.bit_length() - 1) not in bits}


def _label(match: Correspondence, old: int, new: int) -> str:
    # A flag that stands elsewhere on the other side would name a bit that is paired by position wrongly.
    before = [n for n, m in match.old.flags.items() if m == 1 << old]
    return next((n for n, m in match.new.flags.items() if m == 1 << new and n in before), f"{1 << new:#x}")


@dataclass(frozen=True)
class Numbers:
    """
    What the numbers that a helper returns are on either side.

    :ivar old: enumerators by value, before
    :ivar new: enumerators by value, after
    :ivar renamed: the number after, by the number before; a higher one stands for itself
    """

    old: Mapping[int, tuple[str, ...]]
    new: Mapping[int, tuple[str, ...]]
    renamed: tuple[int, ...] = ()
    is_truth: bool = False

    def same(self, before: int, after: int) -> bool:
        """Whether two results mean the same."""
        return (self.renamed[before] if before < len(self.renamed) else before) == after

    def before(self, value: int) -> str:
        """Return the name of a result before."""
        return self._name(self.old, value)

    def after(self, value: int) -> str:
        """Return the name of a result after."""
        return self._name(self.new, value)

    def _name(self, names: Mapping[int, tuple[str, ...]], value: int) -> str:
        if self.is_truth and value in {0, 1}:
            return "true" if value else "false"
        return names[value][0] if value in names else str(value)


def numbers(old: Mapping[str, int], new: Mapping[str, int], *, is_truth: bool = False) -> Numbers:
    """
    Return how results are matched where the enumerators are *old* and *new*: by name; others by value.

    Where two enumerators of one value part, or two of different values become one, no name says which is meant: the
    number stands for itself then.

    >>> names = numbers({"ZONE_NORMAL": 0}, {"ZONE_DMA": 0, "ZONE_NORMAL": 1})
    >>> names.same(0, 1), names.same(0, 0), names.same(7, 7)
    (True, False, True)
    >>> numbers({"ZONE_DMA": 0, "ZONE_NORMAL": 1}, {"ZONE_DMA": 0, "ZONE_NORMAL": 0}).same(1, 0)
    False
    """
    before, after = _by_value(old), _by_value(new)
    renamed = []
    for value in range(max(before, default=-1) + 1):
        homes = {new[name] for name in before.get(value, ()) if name in new}
        # The old values of all that is one of these numbers now.
        joined = {old[name] for home in homes for name in after[home] if name in old}
        if len(homes) == len(joined) == 1:
            renamed.append(homes.pop())
        elif homes:
            renamed.append(value if value in homes or len(homes) == 1 else _NOWHERE + value)
        else:
            renamed.append(_NOWHERE + value if before.get(value) or after.get(value) else value)
    # A number above every old enumerator that is one on the new side is not the same thing.
    renamed += [v if v not in after else _NOWHERE + v for v in range(len(renamed), max(after, default=-1) + 1)]
    return Numbers(before, after, tuple(renamed), is_truth)


def numbers_of(plan: HelperPlan, old: Mapping[str, Constant], new: Mapping[str, Constant]) -> Numbers:
    """Return how results of the helper *plan* are matched, where *old* and *new* are the constants of either side."""
    prefix = _ENUMERATORS.get(plan.result) or _ENUMERATORS.get(plan.name)

    def enumerators(constants: Mapping[str, Constant]) -> dict[str, int]:
        return {n: c.value for n, c in constants.items() if prefix and n.startswith(prefix)}

    return numbers(enumerators(old), enumerators(new), is_truth=plan.result in {"bool", "_Bool"})


def _by_value(enumerators: Mapping[str, int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for name, value in enumerators.items():
        found.setdefault(value, []).append(name)
    return {value: tuple(names) for value, names in found.items()}


def when(some: Sequence[Assignment], every: Sequence[Assignment]) -> str:
    """
    Return in words which of *every* configuration *some* are; ``""`` where it is all of them.

    >>> when([{"CONFIG_A": True, "CONFIG_B": False}], [{"CONFIG_A": a, "CONFIG_B": False} for a in (False, True)])
    'when CONFIG_A'
    """
    if len(some) == len(every):
        return ""
    varying = [s for s in every[0] if any(c[s] != every[0][s] for c in every)]
    left, words = list(some), []
    for part in _conditions(varying):
        inside = [c for c in every if part.items() <= c.items()]
        if any(c in left for c in inside) and all(c in some for c in inside):
            left = [c for c in left if c not in inside]
            words.append("when " + " and ".join(s if v else f"not {s}" for s, v in part.items()))
        if not left:
            break
    return ", or ".join(words)


def _conditions(symbols: Sequence[str]) -> Iterator[Assignment]:
    """Every condition on *symbols*, those of fewest symbols first."""
    for count in range(1, len(symbols) + 1):
        for chosen in combinations(symbols, count):
            for values in product((True, False), repeat=count):
                yield dict(zip(chosen, values, strict=True))


def merged(
    found: Iterable[tuple[Assignment, Mapping[str, str]]], every: Sequence[Assignment]
) -> tuple[dict[str, str], list[str]]:
    """
    Return what changes for each flag over all configurations, and the same in words.

    :param found: what changes in each configuration, by flag
    :param every: the configurations that were compared
    """
    where: dict[tuple[str, str], list[Assignment]] = {}
    for config, one in found:
        for flag, change in one.items():
            where.setdefault((flag, change), []).append(config)
    alike: dict[tuple[str, str], list[str]] = {}
    changes: dict[str, list[tuple[str, str]]] = {}
    for (flag, change), configs in where.items():
        condition = when(configs, every)
        alike.setdefault((change, condition), []).append(flag)
        changes.setdefault(flag, []).append((change, condition))
    # Of one change the configurations say where; of several each says it itself.
    flags = {
        flag: found[0][0] if len(found) == 1 else "; ".join(f"{change} {condition}" for change, condition in found)
        for flag, found in changes.items()
    }
    return flags, [f"{', '.join(names)} {change} {condition}".rstrip() for (change, condition), names in alike.items()]
