# SPDX-License-Identifier: GPL-2.0-only
"""
Forms and outcomes in flag names, for messages and for JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from .flags import FlagTable
    from .forms import Form


def describe(outcome: Outcome, *, is_filter: bool) -> str:
    """Return an outcome as text: a mask in hex, another value in decimal, and what fires."""
    if outcome.bug:
        return "BUG fires"
    value = f"{outcome.value:#x}" if is_filter else str(outcome.value)
    return f"{value} and WARN fires" if outcome.warned else value


def mask_names(text: str, table: FlagTable) -> str:
    """Return the names of the mask that *text*, made by :func:`describe`, starts with, if it starts with one."""
    number = text.partition(" ")[0]
    return table.format(int(number, 16)) if number.startswith("0x") else ""


def spell(form: Form | None, table: FlagTable) -> dict[str, object] | None:
    """Return *form* in flag names as JSON shows it; None where there is none."""
    if form is None:
        return None
    if isinstance(form, MaskFilter):
        return {"keep": table.names(form.keep & ~form.force), "force": table.names(form.force)}
    looked_at = form.input(len(form.rows) - 1)
    either, exact = form.any_of(), _single_row(form)
    if either:
        return {"any_of": table.names(either)}
    if exact is not None:
        return {"all_of": table.names(exact), "none_of": table.names(looked_at & ~exact)}
    rows = [
        {"flags": table.names(form.input(n)), "value": None if r.bug else r.value, "bug": r.bug, "warned": r.warned}
        for n, r in enumerate(form.rows)
    ]
    return {"flags": table.names(looked_at), "rows": rows}


def describe_form(form: Form | None, table: FlagTable) -> str:
    """Return *form* in words, flags without their prefix."""
    spelled = spell(form, table)
    if spelled is None:
        return "no simple form"
    if isinstance(form, MaskTable) and len(form.rows) == 1:
        return f"always {describe(form.rows[0], is_filter=False)}"
    sets = {key: names for key, names in spelled.items() if isinstance(names, list)}
    if "rows" in sets:
        return f"a table over {{{short(sets['flags'])}}}"
    shown = {key: names for key, names in sets.items() if names or key != "none_of"}
    return ", ".join(f"{key.replace('_', ' ')} {{{short(names)}}}" for key, names in shown.items())


def short(names: list[str]) -> str:
    """Return flag names without their prefix, blanks between."""
    return " ".join(n.removeprefix("__GFP_") for n in names)


def _single_row(form: MaskTable) -> int | None:
    """The smallest input of the one row that is true, where exactly one is and the others are false."""
    true = [n for n, row in enumerate(form.rows) if row == Outcome(1)]
    false = [row for row in form.rows if row == Outcome(0)]
    return form.input(true[0]) if len(true) == 1 and len(false) == len(form.rows) - 1 and false else None
