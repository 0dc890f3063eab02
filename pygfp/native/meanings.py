# SPDX-License-Identifier: GPL-2.0-only
"""
Meanings: what each helper takes and returns, and in which configurations it is the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import declarations
from .plan import HelperPlan, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Closure
    from ..extract import Helper, Subset
    from ..scan import Definition
    from .attempt import Attempt
    from .unit import Segment

#: The global that a helper may depend on besides its argument.
_GROUPING = "page_group_by_mobility_disabled"

_INTEGER = re.compile(
    r"(?:unsigned |signed )?(?:char|short|int|long|long long)|unsigned|size_t|[us](?:8|16|32|64)"
    r"|enum \w+|bool|_Bool|gfp_t"
)


# An enum of no negative and no large number.
_ROW = r" ?[A-Za-z_]\w*+(?: ?= ?(?:[A-Za-z_]\w*+|\d{1,9}))?+ ?"
_PLAIN_ENUM = re.compile(rf"enum \w+ ?\{{(?:{_ROW},)*+(?:{_ROW})?+ ?\}} ?;")


def plan_helper(helper: Helper, closure: Closure, flag_symbols: Sequence[str], attempt: Attempt) -> HelperPlan:
    """Return what is known of a helper before any compiler has run."""
    path, line = helper.place
    plan = HelperPlan(
        helper.name,
        path,
        line,
        helper.definitions[0].end_line,
        error=attempt.errors.get(helper.name, ""),
        grouping=_GROUPING in closure.names([helper.name]),
        text=_text_digest(helper, attempt.subset),
    )
    if helper.name in attempt.wanted and helper.is_macro:
        plan = replace(plan, result=attempt.wanted[helper.name], parameters=["gfp_t"])
    arities = {d.parameters for d in helper.definitions}
    function = next((d for d in helper.definitions if d.kind == "function"), None)
    if plan.error:
        result, parameters = attempt.signatures.get(helper.name, ("", []))
        return replace(plan, unswept="does not compile", result=result, parameters=parameters)
    if not arities <= {1, None}:
        return replace(plan, unswept=f"takes {max(a or 0 for a in arities)} arguments")
    head = attempt.subset.scans[path].code[function.start : function.head_end] if function else b""
    returns_gfp = plan.result == "gfp_t" or re.search(rb"\bgfp_t\b[^(]*\b" + helper.name.encode() + rb"\s*\(", head)
    symbols = set(closure.symbols(helper.name)) | (set(flag_symbols) if returns_gfp else set())
    return replace(plan, symbols=sorted(symbols))


def _text_digest(helper: Helper, subset: Subset) -> str:
    """What tells two texts of a helper apart, for one that is not compared in any other way."""
    h = hashlib.sha256()
    for d in helper.definitions:
        h.update(b" ".join(subset.scans[d.path].code[d.start : d.end].split()) + b"\0")
    return h.hexdigest()


def read_signature(plan: HelperPlan, segments: Iterable[Segment], attempt: Attempt) -> HelperPlan:
    """Return *plan* with the declared types of the helper, from the first segment that has it."""
    if plan.result or plan.unswept:
        return plan
    for segment in segments:
        for d in attempt.functions(plan.name):
            body_line = d.line + attempt.subset.scans[d.path].text.count(b"\n", d.start, d.head_end)
            head = segment.piece(d.path, d.line, body_line).partition("{")[0]
            read = declarations.signature(head, plan.name) if head else None
            if read:
                attempt.signatures[plan.name] = read
                return _judge_signature(replace(plan, result=read[0], parameters=read[1]))
            if head:
                return replace(plan, unswept=f"has a declaration that cannot be read: {head}")
    return plan


def _judge_signature(plan: HelperPlan) -> HelperPlan:
    if plan.parameters != ["gfp_t"]:
        return replace(plan, unswept=f"takes ({', '.join(plan.parameters) or 'void'})")
    if not _INTEGER.fullmatch(plan.result):
        return replace(plan, unswept=f"returns {plan.result}")
    return plan


def merge(
    plan: HelperPlan, segments: Sequence[Segment], attempt: Attempt, closure: Closure, flag_symbols: Sequence[str]
) -> HelperPlan:
    """
    Return *plan* with its configurations grouped by what its text and constants are there.

    A filter is judged flag by flag, so configurations that differ in their flags are never one.
    """
    if plan.unswept or not segments:
        return plan
    meanings: dict[object, Meaning] = {}
    missing, losses = [], []
    for choice in attempt.choices(plan.symbols):
        home = next((s for s in segments if choice.items() <= s.assignment.items()), None)
        if home is None:
            continue  # it was refused, and is reported as such
        lost = {d.name: message for d, message in attempt.lost(home.assignment).items()}
        if plan.name in lost:
            losses.append((choice, lost[plan.name]))
            continue
        key = _key(plan, home, attempt.subset, closure)
        if key is None:
            missing.append(choice)
            continue
        if plan.is_filter:
            key = (key, tuple(sorted((s, choice.get(s)) for s in flag_symbols)))
        meanings.setdefault(key, Meaning(home.index, [])).configs.append(choice)
    return replace(plan, meanings=list(meanings.values()), missing=missing, losses=losses)


def _key(plan: HelperPlan, segment: Segment, subset: Subset, closure: Closure) -> object | None:
    """What a helper is in a segment: its text, and that of all it stands on; None where it is compiled out."""
    functions: dict[str, list[Definition]] = {}
    for d in subset.definitions:
        # A constant may be a variable, or the size of a type, and have another value in another configuration.
        if d.kind in {"function", "declaration", "typedef", "tag", "made"}:
            functions.setdefault(d.name, []).append(d)
    texts: dict[str, object] = {}
    todo = [plan.name]
    while todo:
        name = todo.pop()
        if name in texts:
            continue
        if name == plan.name and name in segment.macros:
            text = segment.macros[name]
        elif name in functions:
            text = " ".join(segment.piece(d.path, d.line, d.end_line) for d in functions[name]).strip()
        elif name in closure.uses:
            # An enumerator, or what a macro makes.
            texts[name] = tuple((s, segment.assignment.get(s, False)) for s in closure.symbols(name))
            continue
        else:
            continue
        if _PLAIN_ENUM.fullmatch(text):
            # An unsigned int, whichever rows it has: those that are used are looked at by themselves.
            texts[name] = "enum"
            continue
        texts[name] = text
        todo += [w for w in re.findall(r"[A-Za-z_]\w*", text) if w in functions or w in closure.uses]
    return tuple(sorted(texts.items(), key=lambda item: item[0])) if texts.get(plan.name) else None
