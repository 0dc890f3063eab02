# SPDX-License-Identifier: GPL-2.0-only
"""
SARIF 2.1.0, as code scanning of GitHub and editors read it.

Results are findings: what does not pass, one for all configurations that it is the same in. What could not be judged
is a result and a notification of the run; where nothing worse is the matter, the run did not succeed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import __version__

if TYPE_CHECKING:
    from .items import Item, Items

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE = "%SRCROOT%"
_LEVELS = {"error": "error", "warning": "warning", "notice": "note", "none": "none"}

#: Where a finding stands that is about no place: code scanning refuses a result without one.
_ANYWHERE = "include/linux/gfp.h"

_RULES = {
    "check.helper": "A GFP helper does on every input what its documentation says",
    "check.law": "What must hold between input and output of gfp_nested_mask() holds on every input",
    "check.range": "A GFP helper returns documented values only",
    "check.composite": "A composite mask consists of the flags that its reference release gives it",
    "check.layout": "The bits of the flags obey the rules of layout",
    "check.sparse": "The __bitwise types are used as such: sparse finds nothing",
    "check.run": "The source can be read, compiled and judged",
    "diff.helper": "A GFP helper means the same before and after",
    "diff.composite": "A composite mask consists of the same flags before and after",
    "diff.flag": "A flag exists before and after",
    "diff.layout": "The bits of the flags obey the same rules of layout before and after",
    "diff.config": "A meaning depends on the same CONFIG symbols before and after",
    "diff.run": "Both sides can be read, compiled and compared",
    "diff.problem": "Everything that both sides have can be compared",
}


def render(found: Items) -> str:
    """Return *found* as a SARIF log of one run."""
    rules = sorted({f"{found.command}.{item.kind}" for item in found.findings})
    run = {
        "tool": {
            "driver": {
                "name": "pygfp",
                "semanticVersion": __version__,
                "rules": [{"id": rule, "shortDescription": {"text": _text(rule)}} for rule in rules],
            }
        },
        "automationDetails": {"id": f"pygfp/{found.command}/"},
        "invocations": [_invocation(found)],
        "originalUriBaseIds": {_BASE: {"description": {"text": "The top directory of the kernel tree."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules, f"{found.command}.{item.kind}") for item in found.findings],
        "properties": {
            "subject": found.heading,
            "verdict": found.verdict,
            "counts": {outcome: found.count(outcome) for outcome in ("pass", "fail", "error", "skip")},
        },
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _text(rule: str) -> str:
    """What *rule* says; a diff also shows verdicts of a check that fail newly."""
    return _RULES.get(rule) or _RULES.get(f"check.{rule.partition('.')[2]}", rule)


def _invocation(found: Items) -> dict[str, Any]:
    return {
        "executionSuccessful": found.exit_status != 3,  # noqa: PLR2004 - could not be checked
        "exitCode": found.exit_status,
        "exitCodeDescription": found.verdict,
        "toolExecutionNotifications": [
            *({"level": "error", **_about(i)} for i in found.findings if i.outcome == "error"),
            *({"level": "note", "message": {"text": note}} for note in found.notes),
        ],
    }


def _result(item: Item, rules: list[str], rule: str) -> dict[str, Any]:
    """A finding. One that nobody needs to look at is *not applicable*, which is no failure."""
    kind = {"kind": "notApplicable"} if item.level == "none" else {}
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        **kind,
        "level": _LEVELS[item.level],
        **_about(item),
        "partialFingerprints": {"pygfpId/v1": item.id},
        "properties": {"id": item.id, "outcome": item.outcome},
    }


def _about(item: Item) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(item.file or _ANYWHERE), "uriBaseId": _BASE}}
    if item.line:
        place["region"] = {"startLine": item.line}
    text = "\n".join([f"{item.subject}: {item.title}", *item.detail])
    return {"message": {"text": text}, "locations": [{"physicalLocation": place}]}
