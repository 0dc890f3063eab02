# SPDX-License-Identifier: GPL-2.0-only
"""
The C loop that compares a helper before and after, against calls of the two compiled helpers one by one.

Bits are moved between the two sides, so that a loop that ignores the mapping is wrong.
"""

from __future__ import annotations

import random
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from breaks import ROOT
from brute import Meaning

from pygfp.config import Selection
from pygfp.diff import Options, diff
from pygfp.differing.deltas import compare
from pygfp.differing.matching import correspond, numbers
from pygfp.mine import mine
from pygfp.model.helpers import WANTED
from pygfp.native.jobs import Match, VersusJob
from pygfp.native.session import AFTER, both, opened
from pygfp.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pygfp.changes import DiffReport
    from pygfp.forms import Outcome
    from pygfp.native.pool import Pool
    from pygfp.native.session import Session

BITS = 27

#: One configuration, in which masks have 27 bits.
ON = ("LOCKDEP", "KASAN_HW_TAGS", "NUMA", "COMPACTION", "ZONE_DMA", "ZONE_DMA32")
ALL_ON = Selection({f"CONFIG_{s}": True for s in ON} | {"CONFIG_HIGHMEM": False, "CONFIG_ZONE_DEVICE": False})

#: Helpers by name: result type, body before, body after. ``x`` is the mask.
HELPERS = {
    "t_same": ("gfp_t", "return (x & GFP_NOFS) | __GFP_ZERO;", "return __GFP_ZERO | (GFP_NOFS & x);"),
    "t_filter": ("gfp_t", "return (x & GFP_KERNEL) | __GFP_NOWARN;", "return (x & GFP_NOFS) | __GFP_COMP;"),
    "t_hole": ("gfp_t", "return x & 0x200;", "return 0;"),
    "t_above": ("gfp_t", "return x | 0x40000000;", "return x | 0x20000000;"),
    # Bit 11 is a flag before, and has none after: nothing stands for it.
    "t_stray": ("gfp_t", "return x;", "return x | 0x800;"),
    "t_minus": ("gfp_t", "return x & ~__GFP_IO;", "return x - __GFP_IO;"),
    "t_minus_twice": ("gfp_t", "return x - __GFP_ZERO;", "return x - __GFP_FS;"),
    "t_warns": ("gfp_t", "return x;", "VM_WARN_ON((x & GFP_NOFS) == GFP_NOFS); return x & ~__GFP_ZERO;"),
    "t_bug": ("gfp_t", "VM_BUG_ON(x & __GFP_IO); return x;", "VM_BUG_ON(x & __GFP_FS); return x | __GFP_ZERO;"),
    "t_any": ("bool", "return x & GFP_NOIO;", "return x & GFP_NOFS;"),
    "t_zone": (
        "enum zone_type",
        "return x & __GFP_IO ? ZONE_NORMAL : ZONE_DMA;",
        "return x & __GFP_FS ? ZONE_NORMAL : ZONE_DMA;",
    ),
    "t_sum": ("int", "return __builtin_popcount(x) > 13;", "return __builtin_popcount(x) > 14;"),
    "t_int": ("int", "return x & __GFP_IO ? -1 : 3;", "return x & __GFP_IO ? -2 : 3;"),
    "t_events": (
        "int",
        "VM_BUG_ON((x & GFP_NOIO) == GFP_NOIO); return 1;",
        "VM_WARN_ON(x & __GFP_IO); VM_BUG_ON(x & __GFP_ZERO); return x & __GFP_FS ? 1 : 2;",
    ),
}


def chooser() -> random.Random:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    return random.Random(seed)


#: The flags that these look at.
LOOKED_AT = {f"__GFP_{f}" for f in ("IO", "FS", "ZERO", "DIRECT_RECLAIM", "KSWAPD_RECLAIM")}


def add_helpers(tree: Path, side: int) -> None:
    """Give a tree the helpers of one side (0 old, 1 new)."""
    header = tree / "include/linux/gfp.h"
    texts = [
        f"static inline {result} {name}(gfp_t x)\n{{\n\t{bodies[side]}\n}}\n"
        for name, (result, *bodies) in HELPERS.items()
    ]
    head, guard, tail = header.read_text().rpartition("#endif")
    header.write_text(head + "\n".join(texts) + guard + tail)


def renumber(tree: Path, order: random.Random) -> None:
    """Give every flag from HIGH on another bit, and zones and the hole too."""
    types = tree / "include/linux/gfp_types.h"
    text = types.read_text()
    rows = re.findall(r"\t(___GFP_(?:HIGH|IO|FS|ZERO|[A-Z]+_RECLAIM|WRITE|NO\w+|COMP|MEMALLOC|THISNODE)_BIT)", text)
    rows = [r for r in rows if "LOCKDEP" not in r]
    start, end = text.index(f"\t{rows[0]}"), text.index("\t___GFP_HARDWALL_BIT")
    block = text[start:end]
    assert "RETRY_MAYFAIL" in block
    names = re.findall(r"___GFP_\w+_BIT", block)
    shuffled = list(names)
    while any(a == b for a, b in zip(names, shuffled, strict=True)):
        order.shuffle(shuffled)
    # The hole moves as well: it was bit 9.
    lines = "".join(f"\t{name},\n" if n != 6 else f"\t{name} = 12,\n" for n, name in enumerate(shuffled))
    types.write_text(text[:start] + lines + text[end:])
    zones = tree / "include/linux/mmzone.h"
    text = zones.read_text()
    dma32 = re.search(r"#ifdef CONFIG_ZONE_DMA32\n\tZONE_DMA32,\n#endif\n", text)
    assert dma32
    text = text.replace(dma32[0], "")
    zones.write_text(text.replace("enum zone_type {\n", "enum zone_type {\n" + dma32[0]))


@dataclass
class Pair:
    """Two opened sides, and workers that hold both."""

    old: Session
    new: Session
    pool: Pool

    def __post_init__(self) -> None:
        tables = [s.table(s.build.segments[0]) for s in (self.old, self.new)]
        self.meaning = Meaning(tables[0], tables[1], BITS, 32)
        self.match = correspond(tables[0], tables[1], BITS)
        self.zones = [
            {n: c.value for n, c in s.build.segments[0].constants.items() if n.startswith("ZONE_")}
            for s in (self.old, self.new)
        ]

    def plan(self, name: str) -> str:
        return next(p.result for p in self.new.build.helpers if p.name == name)

    def job(self, name: str, inputs: tuple[tuple[int, int], ...] | None = None) -> VersusJob:
        pairs = self.match.pairs
        is_filter = self.plan(name) == "gfp_t"
        renamed = numbers(*self.zones).renamed if name == "t_zone" else ()
        results = (*pairs, *self.match.above()) if is_filter else ()
        match = Match(inputs or pairs, results, is_filter, () if is_filter else renamed)
        return VersusJob(0, AFTER, name, match)

    def calls(self, name: str, pairs: list[tuple[int, int]]) -> list[tuple[Outcome, Outcome]]:
        old = self.old.pool.call(0, name, [x for x, _ in pairs])
        new = self.new.pool.call(0, name, [y for _, y in pairs])
        return list(zip(old, new, strict=True))

    def same(self, name: str, old: int, new: int) -> bool:
        """Whether two values mean the same, by the definition."""
        if self.plan(name) == "gfp_t":
            return self.meaning.things(0, old) == self.meaning.things(1, new)
        if name == "t_zone":
            names = [{n for n, v in z.items() if v == value} for z, value in zip(self.zones, (old, new), strict=True)]
            return bool(names[0] & names[1])
        return old == new

    def differs(self, name: str, old: Outcome, new: Outcome) -> tuple[bool, bool, bool]:
        """In which aspects: value, BUG, warning."""
        if old.bug or new.bug:
            return False, old.bug is not new.bug, False
        return not self.same(name, old.value, new.value), False, old.warned is not new.warned


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The bundled subset, and a copy with moved bits and other helpers."""
    trees = []
    for side in (0, 1):
        tree = tmp_path_factory.mktemp("versus") / "tree"
        shutil.copytree(ROOT / "csrc/include", tree / "include")
        add_helpers(tree, side)
        trees.append(tree)
    renumber(trees[1], chooser())
    with ExitStack() as stack:
        old, new = (stack.enter_context(opened(resolve(str(t)), ALL_ON, WANTED, jobs=1)) for t in trees)
        yield Pair(old, new, stack.enter_context(both(old, new, 2)))


class TestAgainstCalls:
    """The tallies of values, BUG and warnings, against what single calls answer."""

    def test_the_bits_are_not_where_they_were(self, pair: Pair) -> None:
        assert not pair.meaning.by_position
        assert sum(a != b for a, b in pair.match.pairs) > 12
        assert set(pair.match.pairs) == set(pair.meaning.common())
        assert pair.zones[0]["ZONE_DMA"] != pair.zones[1]["ZONE_DMA"]

    @pytest.mark.parametrize("name", HELPERS)
    def test_on_every_input_of_a_few_bits(self, pair: Pair, name: str) -> None:
        """Twelve of the common bits in any order, the others 0: 4096 inputs, two blocks."""
        rng = chooser()
        named = [p for p, label in zip(pair.match.pairs, pair.match.labels, strict=True) if label in LOOKED_AT]
        assert len(named) == len(LOOKED_AT)
        chosen = named + rng.sample([p for p in pair.match.pairs if p not in named], 12 - len(named))
        rng.shuffle(chosen)
        # The last one is the bit of the second block: it must be one that moved.
        chosen.sort(key=lambda p: p[0] != p[1])
        job = pair.job(name, tuple(chosen))
        tallies = pair.pool.versus([job])[0]
        inputs = [(job.match.before(n), job.match.after(n)) for n in range(1 << 12)]
        found = [pair.differs(name, *outcomes) for outcomes in pair.calls(name, inputs)]
        for aspect, tally in enumerate(tallies):
            wrong = [n for n, differs in enumerate(found) if differs[aspect]]
            assert (tally.inputs, tally.mismatches) == (1 << 12, len(wrong))
            assert tally.first == min(wrong, default=None)
            assert tally.smallest == min(wrong, key=lambda n: (n.bit_count(), n), default=None)

    @pytest.mark.parametrize("name", ["t_minus", "t_warns", "t_bug", "t_sum", "t_any"])
    def test_on_all_inputs_within_the_bound_of_a_sample(self, pair: Pair, name: str) -> None:
        """Share of 4000 random inputs that differ: within six standard deviations of the whole count's."""
        rng, size = chooser(), 4000
        tallies = pair.pool.versus([pair.job(name)])[0]
        numbers_of = [rng.randrange(1 << len(pair.match.pairs)) for _ in range(size)]
        inputs = [(pair.match.before(n), pair.match.after(n)) for n in numbers_of]
        found = [pair.differs(name, *outcomes) for outcomes in pair.calls(name, inputs)]
        for aspect, tally in enumerate(tallies):
            assert tally.inputs == 1 << len(pair.match.pairs)
            share = tally.mismatches / tally.inputs
            seen = sum(differs[aspect] for differs in found)
            assert abs(seen - share * size) <= 6 * (size * share * (1 - share)) ** 0.5, (share, seen / size)
            if tally.smallest is not None:
                x = (pair.match.before(tally.smallest), pair.match.after(tally.smallest))
                assert pair.differs(name, *pair.calls(name, [x])[0])[aspect]

    @pytest.mark.parametrize("name", ["t_filter", "t_hole", "t_above", "t_zone", "t_events"])
    def test_the_same_as_the_forms_say(self, pair: Pair, name: str) -> None:
        is_filter = pair.plan(name) == "gfp_t"
        forms = []
        for session in (pair.old, pair.new):
            form = mine(lambda xs, s=session: s.pool.call(0, name, xs), BITS, is_filter=is_filter)  # type: ignore[misc]
            assert form is not None
            forms.append(form)
        names = numbers(*pair.zones) if name == "t_zone" else numbers({}, {})
        deltas = compare(forms[0], forms[1], pair.match, names)
        for aspect, tally in zip(("value", "bug", "warning"), pair.pool.versus([pair.job(name)])[0], strict=True):
            if aspect in deltas:
                delta = deltas[aspect]
                assert (delta.inputs, delta.differing, delta.smallest) == (
                    tally.inputs,
                    tally.mismatches,
                    tally.smallest,
                )
            else:
                assert not tally.mismatches


def edited(tree: Path, name: str, statement: str) -> None:
    header = tree / "include/linux/gfp.h"
    pattern = rf"(\b{name}\((?:const )?gfp_t (\w+)\)\n{{\n)"
    text, count = re.subn(pattern, lambda m: f"{m[1]}\t{statement.replace('@', m[2])}\n", header.read_text())
    assert count == 1
    header.write_text(text)


ENDLESS = "for (volatile int i = 0; ; i = 0) if (i) break;"


@pytest.fixture
def misbehaving(tmp_path: Path) -> Callable[..., DiffReport]:
    """Return a function that diffs two copies of the bundled subset, with statements put into a helper."""

    def call(name: str, old: str, new: str) -> DiffReport:
        for side, statement in (("old", old), ("new", new)):
            shutil.copytree(ROOT / "csrc/include", tmp_path / side / "include")
            if statement:
                edited(tmp_path / side, name, statement)
        sources = [resolve(str(tmp_path / side)) for side in ("old", "new")]
        return diff(sources[0], sources[1], ALL_ON, Options(jobs=2))

    return call


class TestMisbehaviour:
    """A helper that crashes or does not return costs its own comparison, says on which side, and no other."""

    @pytest.mark.parametrize(
        "statement", ["if (@ & __GFP_ZERO) __builtin_trap();", "if (@ == 0x10700u) __builtin_trap();", ENDLESS]
    )
    def test_on_the_new_side_is_a_change(self, misbehaving: Callable[..., DiffReport], statement: str) -> None:
        report = misbehaving("gfp_has_io_fs", "", statement)
        (change,) = [c for c in report.changes if c.subject == "gfp_has_io_fs"]
        assert (change.kind, change.change) == ("helper", "broken")
        assert "crashes with SIG" in change.text or "does not return within" in change.text
        assert {c.subject for c in report.changes} == {"gfp_has_io_fs"}
        assert not report.problems
        assert report.exit_status() == 1

    @pytest.mark.parametrize("new", ["", ENDLESS, "__builtin_trap();"])
    def test_on_the_old_side_cannot_be_compared(self, misbehaving: Callable[..., DiffReport], new: str) -> None:
        report = misbehaving("gfp_has_io_fs", "if (@ & __GFP_ZERO) __builtin_trap();", new)
        assert not report.changes
        (problem,) = report.problems
        assert problem.subject == "gfp_has_io_fs"
        assert ("on both sides" if new else "on the old side") in problem.text
        assert report.exit_status() == 3

    @pytest.mark.parametrize("side", ["old", "new"])
    def test_one_input_of_a_helper_without_a_form(self, misbehaving: Callable[..., DiffReport], side: str) -> None:
        """It is found while the two sides run side by side, and blamed on the right one."""
        count = "if (__builtin_popcount(@) > 13) return true;"
        crash = "if (@ == 0x1234507u) __builtin_trap();" + count
        report = misbehaving("gfp_has_io_fs", *((crash, count) if side == "old" else (count, crash)))
        said = [*report.changes, *report.problems]
        assert [s.subject for s in said] == ["gfp_has_io_fs"]
        assert "0x1234507" in said[0].text
        assert len(report.problems) == (side == "old")
