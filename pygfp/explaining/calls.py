# SPDX-License-Identifier: GPL-2.0-only
"""
Helpers that an expression can call: those of a release as the model has them, those of a source as they are compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import config
from ..encode import Answer
from ..explain import Meaning
from ..model.declared import Filter
from ..model.helpers import HELPERS, Context
from ..model.policy import Policy
from ..releases import version_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import Assignment, Selection
    from ..decoding.tables import Tables
    from ..flags import FlagTable
    from ..model.declared import Declared
    from ..native.plan import HelperPlan
    from ..native.session import Session
    from ..releases import Row

_MODELS = {helper.name: helper for helper in HELPERS}

# What the enumerators of a result are called, by a part of the helper's name.
_PREFIXES = {"zonelist": "ZONELIST_", "zone": "ZONE_", "migrate": "MIGRATE_"}


#: Word size of the releases of the facts.
_WORD_BITS = 64


def _unreachable(symbols: Sequence[str]) -> list[str]:
    return [
        f"{symbol} is off: it goes with another word size than {_WORD_BITS} bits (--set {symbol}=y switches it on)"
        for symbol in symbols
    ]


class _Enumerators(dict[str, int]):
    """A number of its own for every name that is asked for: what a zone is called is known, its number is not."""

    def __missing__(self, name: str) -> int:
        # Beyond any number that the model itself answers.
        self[name] = (1 << 20) + len(self)
        return self[name]


class _Asked(dict[str, bool]):
    """A configuration with every symbol off that remembers which were asked for."""

    def get(self, symbol: str, default: object = None) -> bool:  # noqa: ARG002 - as dict has it
        self[symbol] = False
        return False


class ModelHelpers:
    """The helpers of the release of *row*, in the configurations that *selection* asks for."""

    def __init__(self, row: Row, selection: Selection, tables: Tables) -> None:
        """Know the helpers that the row names and the model covers."""
        self._row = row
        self._selection = selection
        self._tables = tables
        self._enumerators = _Enumerators()

    def refusal(self, helper: str) -> str:
        """Return why *helper* cannot be called; ``""`` where it can."""
        if not self._row.helper_files:
            return f"the facts of {self._row.name} do not say which helpers it has; --source TREE calls those of a tree"
        if helper not in self._row.helper_files:
            return f"{helper}() is no helper of {self._row.name} ({self._row.version}), as far as pygfp knows"
        if helper not in _MODELS:
            return f"{helper}() of {self._row.name} has no model; with --source the compiled one is called"
        return ""

    def near(self) -> Sequence[str]:
        """Return the names of the helpers that can be called."""
        return [name for name in _MODELS if name in self._row.helper_files]

    def choices(self, helpers: Sequence[str]) -> list[Assignment]:
        """Return the configurations that masks and *helpers* differ in."""
        return config.assignments(
            sorted({*self._row.config_symbols, *self._asked(helpers)}), self._selection, _WORD_BITS
        )

    def notes(self, helpers: Sequence[str]) -> list[str]:
        """Return what a user should know of the configurations of *helpers*."""
        return _unreachable(config.unreachable(self._asked(helpers), self._selection, _WORD_BITS))

    def _asked(self, helpers: Sequence[str]) -> set[str]:
        """The CONFIG symbols that the model of *helpers* asks for."""
        asked = _Asked()
        for helper in helpers:
            self._meaning(helper, asked).lower(self._tables.configs[-1][1])
        return set(asked)

    def call(self, helper: str, argument: int, assignment: Assignment, table: FlagTable) -> Answer:
        """Return what *helper* answers."""
        meaning = self._meaning(helper, assignment)
        outcome = meaning.scalar(argument, table)
        if outcome.bug:
            return Answer(None, is_mask=False, bug=True)
        name = next((n for n, value in self._enumerators.items() if value == outcome.value), "")
        value = None if name else outcome.value
        return Answer(value, isinstance(meaning, Filter), name, warned=outcome.warned)

    def meanings(self, helper: str) -> list[Meaning]:
        """Return what the model says of *helper* in each configuration."""
        found = []
        for assignment in self.choices([helper]):
            table, declared = self._tables.table(assignment), self._meaning(helper, assignment)
            form = declared.lower(table)
            names = {value: name for name, value in self._enumerators.items()}
            found.append(Meaning(form, table, (assignment,), names, is_filter=isinstance(declared, Filter)))
        return found

    def _meaning(self, helper: str, assignment: Mapping[str, bool]) -> Declared:
        major, minor, _ = version_key(self._row.version)
        return _MODELS[helper].meaning(Context(assignment, self._enumerators, (major, minor), Policy()))


class CompiledHelpers:
    """The helpers of an opened source."""

    def __init__(self, session: Session, tables: Tables) -> None:
        """Know the helpers that were compiled."""
        self._session = session
        self._tables = tables
        self._plans = {plan.name: plan for plan in session.build.helpers}

    def refusal(self, helper: str) -> str:
        """Return why *helper* cannot be called; ``""`` where it can."""
        label = self._tables.label
        plan = self._plans.get(helper)
        if plan is None:
            broken = self._session.build.broken.get(helper)
            return broken or f"{label} has no helper {helper}() in the files that pygfp compiles"
        if plan.error or plan.unswept:
            return f"{helper}() of {label} cannot be called: it {plan.unswept or 'does not compile'}"
        return "" if plan.meanings else f"{helper}() of {label} is compiled in no configuration that was asked for"

    def near(self) -> Sequence[str]:
        """Return the names of the helpers that can be called."""
        return [name for name, plan in self._plans.items() if plan.meanings]

    def choices(self, helpers: Sequence[str]) -> list[Assignment]:
        """Return the configurations that masks and *helpers* differ in."""
        more = {s for helper in helpers for s in self._plans[helper].symbols}
        choices = self._session.choices(sorted({*self._tables.assignments[0], *more}))
        return [choice for choice in choices if self._tables.has(choice)]

    def notes(self, helpers: Sequence[str]) -> list[str]:
        """Return what a user should know of the configurations of *helpers*."""
        symbols = {s for helper in helpers for s in self._plans[helper].symbols}
        return _unreachable([s for s in self._session.build.unreachable if s in symbols])

    def call(self, helper: str, argument: int, assignment: Assignment, _: FlagTable) -> Answer:
        """
        Return what *helper* answers.

        :raises HelperCrashed: it crashes, or does not return
        """
        plan = self._plans[helper]
        here = {symbol: assignment[symbol] for symbol in plan.symbols}
        meaning = next((m for m in plan.meanings if here in m.configs), None)
        if meaning is None:
            return Answer(None, is_mask=False, name="compiled out")
        outcome = self._session.pool.call(meaning.segment, helper, [argument])[0]
        if outcome.bug:
            return Answer(None, is_mask=False, bug=True)
        name = "" if plan.is_filter else self._enumerator(plan, meaning.segment, outcome.value)
        return Answer(outcome.value, plan.is_filter, name, warned=outcome.warned)

    def _enumerator(self, plan: HelperPlan, segment: int, value: int) -> str:
        return enumerators(self._session, plan.name, segment).get(value, "")


def enumerators(session: Session, helper: str, segment: int) -> dict[int, str]:
    """Return what a tree calls the numbers that *helper* returns in one segment; of two names the first."""
    prefix = next((p for part, p in _PREFIXES.items() if part in helper), None)
    constants = session.build.segments[segment].constants
    return {c.value: n for n, c in reversed(constants.items()) if prefix and n.startswith(prefix)}
