# SPDX-License-Identifier: GPL-2.0-only
"""
KTAP version 1, as the kernel's ``Documentation/dev-tools/ktap.rst`` has it and ``kunit.py parse`` reads it.

A kind is a suite, an item a test in it: an id is suite and test with a dot between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .items import Item, Items

_INDENT = "  "


def render(found: Items) -> str:
    """Return *found* as KTAP, with what there is to say of a test as diagnostics before its result."""
    suites: dict[str, list[tuple[str, Item]]] = {}
    for item in found.items:
        suite, _, test = item.id.partition(".")
        suites.setdefault(suite, []).append((test or suite, item))
    lines = ["KTAP version 1", f"# {found.heading}"]
    lines += [f"# note: {note}" for note in found.notes]
    lines.append(f"1..{len(suites)}")
    for number, (suite, tests) in enumerate(suites.items(), 1):
        lines += _suite(number, suite, tests)
    lines.append(f"# {found.verdict}")
    return "\n".join(lines) + "\n"


def _suite(number: int, name: str, tests: list[tuple[str, Item]]) -> Iterable[str]:
    yield f"{_INDENT}KTAP version 1"
    yield f"{_INDENT}# Subtest: {name}"
    yield f"{_INDENT}1..{len(tests)}"
    for n, (test, item) in enumerate(tests, 1):
        yield from (f"{_INDENT}{line}" for line in _test(n, test, item))
    outcomes = {item.outcome for _, item in tests}
    if outcomes & {"fail", "error"}:
        yield f"not ok {number} {name}"
    else:
        yield f"ok {number} {name}{' # SKIP every test is skipped' if outcomes == {'skip'} else ''}"


def _test(number: int, name: str, item: Item) -> Iterable[str]:
    if item.title and item.outcome != "pass":
        place = f"{item.file}:{item.line}: " if item.line else f"{item.file}: " if item.file else ""
        yield f"# {name}: {place}{item.title}"
        # Indented: a line of ours that starts with "Subtest:" would open a suite.
        yield from (f"#   {line}" for line in item.detail)
    status = "not ok" if item.outcome in {"fail", "error"} else "ok"
    # A reader takes the last " # SKIP" of the line for the directive: a reason must not hold another one.
    reason = item.title.replace(" # ", r" \# ")
    directive = {"skip": f" # SKIP {reason}", "error": f" # ERROR {reason}"}.get(item.outcome, "")
    yield f"{status} {number} {name}{directive}"
