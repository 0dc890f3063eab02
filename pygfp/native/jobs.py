# SPDX-License-Identifier: GPL-2.0-only
"""
What workers are asked to do, as plain values: ranges of inputs to compare, and what came of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..errors import HelperCrashed
    from ..forms import Form
    from ..laws import MaskLaw


#: How an event is written: 1 for BUG, this for a warning, 0 for neither.
_WARNED = 2


def calls(segment: int, helper: str, inputs: Sequence[int], *, ungrouped: bool = False) -> dict[str, Any]:
    """Return the request for the outcomes of single *inputs*."""
    place = {"segment": segment, "helper": helper, "ungrouped": int(ungrouped)}
    return {"op": "call", **place, "inputs": list(inputs)}


def members(form: Form) -> dict[str, Any]:
    """Return *form* as members of a request or an answer."""
    if isinstance(form, MaskFilter):
        return {"keep": form.keep, "force": form.force}
    return {
        "index_bits": form.bits,
        "values": [row.value for row in form.rows],
        "events": [1 if row.bug else _WARNED if row.warned else 0 for row in form.rows],
    }


def form_of(found: Mapping[str, Any]) -> Form:
    """Return the form that :func:`members` gave *found* for."""
    if "keep" in found:
        return MaskFilter(found["keep"], found["force"])
    rows = zip(found["values"], found["events"], strict=True)
    outcomes = tuple(Outcome(value, event == 1, event == _WARNED) for value, event in rows)
    return MaskTable(tuple(found["index_bits"]), outcomes)


@dataclass(frozen=True)
class Job:
    """
    A range of inputs of one helper to compare with a form.

    :ivar base: first input, a multiple of 2048
    :ivar count: how many, a multiple of 2048
    :ivar ungrouped: state of the kernel's page_group_by_mobility_disabled
    """

    segment: int
    helper: str
    form: Form
    count: int
    base: int = 0
    ungrouped: bool = False

    #: How many tallies come of it.
    n_tallies = 1

    def request(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for *count* inputs from *base* on."""
        place = {"segment": self.segment, "helper": self.helper, "base": base, "count": count}
        return {"op": "sweep", **place, "ungrouped": int(self.ungrouped), **members(self.form)}

    def part(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for a part of less than a block."""
        return calls(self.segment, self.helper, range(base, base + count), ungrouped=self.ungrouped)


@dataclass(frozen=True)
class LawJob:
    """A range of inputs of one filter to judge by *laws*, every input by every law."""

    segment: int
    helper: str
    laws: tuple[MaskLaw, ...]
    count: int
    base: int = 0

    @property
    def n_tallies(self) -> int:
        """How many tallies come of it."""
        return len(self.laws)

    def request(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for *count* inputs from *base* on."""
        place = {"segment": self.segment, "helper": self.helper, "base": base, "count": count}
        return {"op": "judge", **place, "laws": [asdict(law) for law in self.laws]}

    def part(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for a part of less than a block."""
        return calls(self.segment, self.helper, range(base, base + count))


@dataclass(frozen=True)
class Match:
    """
    Which bits of the inputs and results of two helpers are the same thing.

    :ivar inputs: (bit before, bit after) of each input bit that both have; inputs are numbered by these
    :ivar results: the same for results that are masks; empty where they are numbers
    :ivar is_filter: results are masks
    :ivar renamed: numbers after, by number before; a higher number stands for itself
    """

    inputs: tuple[tuple[int, int], ...]
    results: tuple[tuple[int, int], ...] = ()
    is_filter: bool = False
    renamed: tuple[int, ...] = ()

    def before(self, number: int) -> int:
        """Return the input before that has *number*."""
        return sum(1 << old for n, (old, _) in enumerate(self.inputs) if number >> n & 1)

    def after(self, number: int) -> int:
        """Return the input after that has *number*."""
        return sum(1 << new for n, (_, new) in enumerate(self.inputs) if number >> n & 1)


@dataclass(frozen=True)
class VersusJob:
    """
    One helper of two builds, to be compared on every input that both have.

    :ivar segment: the segment before
    :ivar after: the segment after
    """

    segment: int
    after: int
    helper: str
    match: Match
    ungrouped: bool = False
    base: int = 0

    #: Values, BUG, warnings.
    n_tallies = 3

    @property
    def count(self) -> int:
        """How many inputs there are."""
        return 1 << len(self.match.inputs)

    def request(self, base: int, count: int) -> dict[str, Any]:
        """Return the request for *count* inputs from number *base* on."""
        place = {"segment": self.segment, "after": self.after, "helper": self.helper, "base": base, "count": count}
        return {"op": "versus", **place, "ungrouped": int(self.ungrouped), "match": asdict(self.match)}

    part = request


@dataclass
class Tally:
    """
    What a sweep found.

    :ivar first: the lowest input that differs, or None
    :ivar smallest: of the inputs that differ, one with the fewest bits, the lowest of those; or None
    :ivar crash: the helper crashed or ran out of time; the counts mean nothing then
    :ivar elsewhere: it did so in another configuration, and was not tried in this one
    """

    inputs: int = 0
    mismatches: int = 0
    first: int | None = None
    smallest: int | None = None
    crash: HelperCrashed | None = None
    elsewhere: bool = False

    def add(self, answer: Mapping[str, int]) -> None:
        """Take in the answer for one chunk."""
        self.inputs += answer["inputs"]
        self.mismatches += answer["mismatches"]
        if answer["mismatches"]:
            self.first = answer["first"] if self.first is None else min(self.first, answer["first"])
            found = (answer["smallest"], *(() if self.smallest is None else (self.smallest,)))
            self.smallest = min(found, key=lambda x: (x.bit_count(), x))
