# SPDX-License-Identifier: GPL-2.0-only
"""
What can be said of a modelled helper before anything is compared: is it there, does it compile, what does it take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config import slug
from ..releases import newest
from ..report import Check, check_id

if TYPE_CHECKING:
    from ..config import Assignment
    from ..model.helpers import HelperModel
    from ..native.plan import HelperPlan
    from .view import View


#: How to accept what differs from the reference row.
ACCEPT = "if that is meant, accept it with --save-baseline FILE and check with --baseline FILE"


def standing(view: View, model: HelperModel, plan: HelperPlan | None) -> list[Check]:
    """
    Return what is wrong with a helper as a whole; empty where it can be compared.

    A helper that cannot be compared in some configurations only has a verdict for each of those.
    """
    if plan is None:
        return _missing(view, model)
    broken = whole(model, plan)
    if broken:
        return [broken]
    gone = "fail" if plan.name in view.row.helper_files else "absent"
    message = "compiled out in this configuration; where it is called, the kernel would not build"
    return [_in_config(plan, config, gone, message) for config in plan.missing] + unbuildable(view, plan)


def whole(model: HelperModel | None, plan: HelperPlan) -> Check | None:
    """Return the verdict on a helper that cannot be compared in any configuration, or None."""
    base = Check(f"helper.{plan.name}", plan.name, "helper", "error", file=plan.path, line=plan.line)
    expected = f"expected {model.result} {model.name}(gfp_t)" if model else ""
    found = f"{plan.result} {plan.name}({', '.join(plan.parameters)})"
    kind_changed = plan.result == "void" or (model and model.is_filter != plan.is_filter)
    if model and plan.result and (kind_changed or plan.parameters != ["gfp_t"]):
        return replace(base, status="fail", message=f"signature changed: {expected}, found {found}")
    if plan.error:
        return replace(base, message=f"does not compile: {plan.error}")
    if model and plan.unswept:
        return replace(base, status="fail", message=f"signature changed: {expected}, found one that {plan.unswept}")
    return None


def unbuildable(view: View, plan: HelperPlan) -> list[Check]:
    """Return an error for each configuration of a helper that could not be built."""
    done = [c for m in plan.meanings for c in m.configs] + plan.missing + [c for c, _ in plan.losses]
    checks = [
        _in_config(plan, config, "error", f"does not compile in this configuration: {why}")
        for config, why in plan.losses
    ]
    for config in view.session.choices(plan.symbols):
        if config not in done and not plan.unswept:
            segment = view.session.segment(config)
            why = segment.error if segment and segment.error else "it was not compiled"
            checks.append(_in_config(plan, config, "error", f"this configuration cannot be built: {why}"))
    return checks


def _missing(view: View, model: HelperModel) -> list[Check]:
    """A helper that the source lacks: removed, absent, or one that occurs and could not be cut out."""
    if model.name in view.session.build.broken:
        message = view.session.build.broken[model.name]
        return [Check(f"helper.{model.name}", model.name, "helper", "error", message=message)]
    base = Check(f"helper.{model.name}", model.name, "helper", "absent", gone=True)
    row = view.row
    files = row.helper_files.get(model.name, [])
    present = [f for f in files if f in view.session.source.files]
    if present:
        message = (
            f"removed: {row.name} defines it in {', '.join(present)}, and no watched file of this source does; "
            "if it was renamed or moved on purpose, every caller has to follow; "
            f"{ACCEPT}"
        )
        return [replace(base, status="fail", message=message, file=present[0])]
    if files:
        message = f"not judged: {row.name} has it in {', '.join(files)}, which is not in this source"
        return [replace(base, message=message)]
    if model.name in newest().helper_files:
        return [replace(base, message=f"neither this source nor {row.name} has it")]
    return []


def _in_config(plan: HelperPlan, config: Assignment, status: str, message: str) -> Check:
    return Check(
        check_id("helper", plan.name, slug(config)),
        plan.name,
        "helper",
        status,
        config,
        (config,),
        file=plan.path,
        line=plan.line,
        message=message,
    )
