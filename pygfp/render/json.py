# SPDX-License-Identifier: GPL-2.0-only
"""
Reports as JSON: one object, keys as the design fixes them, masks as hex strings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..report import Check, Report, Witness


def check(report: Report, *, strict: bool) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    source = report.source
    value = {
        "schema": "pygfp.check/1",
        "source": {
            "kind": source.kind,
            "label": source.label,
            "release": source.release,
            "reference": source.reference,
            "reference_version": source.reference_version,
            "digest": source.digest,
        },
        "exit": report.exit_status(strict=strict),
        "compiler": report.compiler,
        "configs": report.n_configs,
        "domain": {"bits": report.domain_bits, "text": report.domain},
        "checks": [_check(c) for c in report.checks],
        "left_out": list(report.left_out),
        "notes": [*report.warnings, *report.notes],
        "timings": report.timings,
    }
    return json.dumps(value, indent=1) + "\n"


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "subject": check.subject,
        "kind": check.kind,
        "config": check.config,
        "configs": list(check.configs),
        "status": check.status,
        "inputs": check.inputs,
        "mismatches": check.mismatches,
        "first": _witness(check.first),
        "smallest": _witness(check.smallest),
        "form": check.form,
        "file": check.file,
        "line": check.line,
        "message": check.message,
    }


def _witness(witness: Witness | None) -> dict[str, str] | None:
    if witness is None:
        return None
    return {
        "input": hex(witness.input),
        "input_names": witness.input_names,
        "expected": witness.expected,
        "expected_names": witness.expected_names,
        "actual": witness.actual,
        "actual_names": witness.actual_names,
    }
