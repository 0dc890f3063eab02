# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp explain``: what a helper, a composite or a flag means on one kernel, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .errors import UnknownFlagError, UsageError
from .explaining import history
from .forms import MaskFilter, MaskTable
from .model import glossary
from .model.policy import NESTED, Fate, Policy
from .spell import describe_form, short, spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .config import Assignment
    from .decoding.tables import Tables
    from .encode import Encoded
    from .explaining.history import Era
    from .flags import FlagTable
    from .forms import Form, Outcome

#: Helpers whose treatment of each flag the policy of nested allocation decides.
_NESTED = ("gfp_nested_mask", "gfp_kmemleak_mask")


@dataclass(frozen=True)
class Meaning:
    """
    What a helper is in some configurations.

    :ivar form: its form; None where no simple form was proven
    :ivar table: the flags that the form is spelled in
    :ivar configs: where it is that
    :ivar names: what the kernel calls its values
    :ivar is_filter: it returns ``gfp_t``
    """

    form: Form | None
    table: FlagTable
    configs: tuple[Assignment, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    is_filter: bool = False

    def rows(self) -> list[tuple[list[str], str]]:
        """Return flags and answer of each row of a table that is no plain test; empty for any other form."""
        spelled = spell(self.form, self.table) or {}
        if not isinstance(self.form, MaskTable) or "rows" not in spelled or len(self.form.rows) == 1:
            return []
        return [(self.table.names(self.form.input(n)), self._answer(r)) for n, r in enumerate(self.form.rows)]

    def _answer(self, outcome: Outcome) -> str:
        if outcome.bug:
            return "BUG fires"
        said = self.names.get(outcome.value, str(outcome.value))
        return f"{said} and WARN fires" if outcome.warned else said

    def words(self) -> str:
        """Return the form in words, flags without their prefix."""
        if self.form is None:
            return "no simple form was proven"
        if isinstance(self.form, MaskTable) and len(self.form.rows) == 1:
            return f"always {self._answer(self.form.rows[0])}"
        spelled = spell(self.form, self.table) or {}
        kinds = {"any_of": "true with any of", "all_of": "true with all of", "none_of": "and none of"}
        parts = [f"{kinds[k]} {short(names)}" for k, names in spelled.items() if k in kinds and isinstance(names, list)]
        parts = [re.sub(r"(?:any|all) of (\w+)$", r"\1", part) for part in parts]
        looked_at = spelled.get("flags", [])
        if isinstance(looked_at, list) and looked_at:
            return f"by {short(looked_at)}"
        return ", ".join(p for p in parts if p != "and none of ") or describe_form(self.form, self.table)


@dataclass(frozen=True)
class Treatment:
    """
    What a filter does with one flag.

    :ivar fates: what it does, and in which configurations
    :ivar reason: why the policy wants it so; ``""`` where no policy speaks of it
    :ivar expected: what the policy wants; None where it does not say
    """

    flag: str
    fates: tuple[tuple[Fate, tuple[Assignment, ...]], ...]
    reason: str
    expected: Fate | None

    @property
    def fate(self) -> Fate:
        """What it does in the first configuration."""
        return self.fates[0][0]

    @property
    def differs(self) -> bool:
        """Whether the policy wants something else in some configuration."""
        return self.expected is not None and any(fate is not self.expected for fate, _ in self.fates)


@dataclass(frozen=True)
class Explanation:
    """
    What is known of one name.

    :ivar kind: ``helper``, ``composite`` or ``flag``
    :ivar summary: what it is for; ``""`` where pygfp does not know the name
    :ivar place: file and line of its definition, or None
    :ivar value: for a flag or a composite: its values
    :ivar meanings: for a helper: its distinct forms
    :ivar treatments: for a filter: what happens to each flag
    :ivar proof: what the forms rest on
    :ivar proven_bits: for forms that were proven: on every input below ``2**proven_bits``
    :ivar effect: for a helper and a mask: the mask before and after
    :ivar contains: for a flag or composite and a mask: the mask
    :ivar eras: what it was through the releases
    :ivar parts: for a composite, its flags and what each means; for a flag, its composites
    :ivar notes: what it does not promise, and what a user should know
    """

    subject: str
    kind: str
    summary: str
    every: tuple[Assignment, ...]
    place: tuple[str, int] | None = None
    value: Encoded | None = None
    meanings: tuple[Meaning, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    proof: str = ""
    proven_bits: int | None = None
    before: Encoded | None = None
    after: Encoded | None = None
    eras: tuple[Era, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    fate: tuple[str, str] | None = None
    not_promised: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def is_helper(name: str) -> bool:
    """Return whether *name* is spelled as a helper is: ``gfp_zone``, also ``gfp_zone()``."""
    return not name.lstrip("_").startswith("GFP_")


def require(name: str, tables: Tables) -> None:
    """
    Complain of a flag or composite that no kernel has.

    :raises UsageError: neither the kernel of *tables* nor any known release has *name*
    """
    if name not in tables.names and not any(era.text for era in _eras(name)):
        raise UsageError(f"{UnknownFlagError(name, tables.names)} ({tables.label})")


def _eras(name: str) -> list[Era]:
    eras = history.flag(name) if name.startswith("__GFP_") else []
    return eras if any(era.text for era in eras) else history.composite(name)


def explain_name(name: str, tables: Tables, value: Encoded | None, mask: Encoded | None) -> Explanation:
    """
    Return what flag or composite *name* means on the kernel of *tables*.

    :param value: its value there; None where that kernel lacks it
    :param mask: a mask to look at for it
    """
    policy = Policy()
    is_flag = name in glossary.FLAGS or (name.startswith("__GFP_") and _is_single(name, tables))
    if is_flag:
        summary = glossary.FLAGS.get(name, "")
        within = [n for n in tables.names if n != name and not n.startswith("__GFP_BITS") and _within(name, n, tables)]
        parts = [(n, glossary.COMPOSITES.get(n, "")) for n in within]
    else:
        summary = glossary.COMPOSITES.get(name, "")
        parts = [(f, glossary.FLAGS.get(f, "")) for f in _members(value)]
    fate = policy.fate(name) if is_flag else None
    return Explanation(
        subject=name,
        kind="flag" if is_flag else "composite",
        summary=summary,
        every=tuple(tables.assignments),
        place=(tables.places or {}).get(name),
        value=value,
        before=mask,
        eras=tuple(_eras(name)),
        parts=tuple(parts),
        fate=(fate.value, policy.reason(name)) if fate else None,
        notes=tables.notes,
    )


def _is_single(name: str, tables: Tables) -> bool:
    return any(table.masks.get(name, 0).bit_count() == 1 for _, table in tables.configs)


def _within(flag: str, name: str, tables: Tables) -> bool:
    return any(
        table.masks.get(flag, 0) and table.masks[flag] & table.masks.get(name, 0) and table.masks[name].bit_count() > 1
        for _, table in tables.configs
    )


def _members(value: Encoded | None) -> list[str]:
    return list(dict.fromkeys(flag for v in value.values for flag in v.flags)) if value else []


def explain_helper(  # noqa: PLR0913 - each is one thing that is known of it
    name: str,
    tables: Tables,
    meanings: Sequence[Meaning],
    proof: str,
    *,
    place: tuple[str, int] | None = None,
    before: Encoded | None = None,
    after: Encoded | None = None,
    proven_bits: int | None = None,
    notes: Sequence[str] = (),
) -> Explanation:
    """
    Return what helper *name* does.

    :param meanings: its form in each configuration
    :param proof: what those rest on
    :param before: a mask
    :param after: what the helper makes of it
    :param proven_bits: every input below ``2**proven_bits`` was tried; None for a model
    """
    return Explanation(
        subject=name,
        kind="helper",
        summary=glossary.HELPERS.get(name, ""),
        every=tuple(c for m in meanings for c in m.configs),
        place=place,
        meanings=tuple(_merged(meanings)),
        treatments=tuple(_treatments(name, meanings)),
        proof=proof,
        proven_bits=proven_bits,
        before=before,
        after=after,
        eras=tuple(history.helper(name)),
        not_promised=glossary.NOT_PROMISED.get(name, ()),
        notes=(*tables.notes, *notes),
    )


def _merged(meanings: Sequence[Meaning]) -> Iterable[Meaning]:
    """Meanings that read the same are one."""
    found: dict[str, list[Meaning]] = {}
    for meaning in meanings:
        found.setdefault(f"{meaning.words()} {meaning.rows()}", []).append(meaning)
    for same in found.values():
        yield replace(same[0], configs=tuple(c for m in same for c in m.configs))


def joint_rows(meanings: Sequence[Meaning]) -> list[tuple[list[str], list[tuple[str, tuple[Assignment, ...]]]]]:
    """
    Return the rows of tables over the same flags as one table: flags, and each answer with its configurations.

    Empty where *meanings* are no such tables.
    """
    tables = [m.rows() for m in meanings]
    if not tables or any([flags for flags, _ in rows] != [flags for flags, _ in tables[0]] for rows in tables):
        return []
    found = []
    for n, (flags, _) in enumerate(tables[0]):
        answers: dict[str, list[Assignment]] = {}
        for meaning, rows in zip(meanings, tables, strict=True):
            answers.setdefault(rows[n][1], []).extend(meaning.configs)
        found.append((flags, [(answer, tuple(configs)) for answer, configs in answers.items()]))
    return found


def _treatments(name: str, meanings: Sequence[Meaning]) -> Iterable[Treatment]:
    """What a filter does with each flag; nothing for another kind of helper."""
    filters = [(m, m.form) for m in meanings if isinstance(m.form, MaskFilter)]
    policy = Policy()
    flags: dict[str, int] = {}
    for meaning, _ in filters:
        flags |= meaning.table.flags
    for flag in sorted(flags, key=lambda f: flags[f]):
        fates: dict[Fate, list[Assignment]] = {}
        for meaning, form in filters:
            mask = meaning.table.flags.get(flag, 0)
            if mask:
                fate = Fate.FORCE if mask & form.force else Fate.KEEP if mask & form.keep else Fate.DROP
                fates.setdefault(fate, []).extend(meaning.configs)
        spoken = name in _NESTED and flag in NESTED
        expected = policy.fate(flag) if name == _NESTED[0] else None
        yield Treatment(
            flag,
            tuple((fate, tuple(configs)) for fate, configs in fates.items()),
            policy.reason(flag) if spoken else "",
            expected,
        )
