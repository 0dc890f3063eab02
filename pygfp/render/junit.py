# SPDX-License-Identifier: GPL-2.0-only
"""
JUnit XML, as GitLab, Jenkins and most other servers read it.

Written with the standard library's ElementTree, which sees to escapes and needs no extra to be installed on a build
machine; junitparser reads it back in the tests. In ASCII, so that no locale can break it.

A kind is a suite, an item a test case: an id is class name and name with a dot between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .items import Item, Items

_ELEMENTS = {"fail": "failure", "error": "error", "skip": "skipped"}


def render(found: Items) -> str:
    """Return *found* as a ``<testsuites>`` document: ``<failure>``, ``<error>`` where it could not be judged."""
    suites: dict[str, list[Item]] = {}
    for item in found.items:
        suites.setdefault(item.id.partition(".")[0], []).append(item)
    root = ET.Element("testsuites", {"name": f"pygfp {found.command}", **_counts(found.items)})
    for name, items in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": name, **_counts(items)})
        properties = ET.SubElement(suite, "properties")
        for key, value in (("subject", found.heading), ("verdict", found.verdict)):
            ET.SubElement(properties, "property", name=key, value=value)
        for item in items:
            _case(suite, item)
    if found.notes:
        ET.SubElement(root[0], "system-out").text = "\n".join(f"note: {note}" for note in found.notes)
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="us-ascii").decode()}\n'


def _counts(items: Sequence[Item]) -> dict[str, str]:
    by_outcome = {"failures": "fail", "errors": "error", "skipped": "skip"}
    counts = {name: sum(i.outcome == outcome for i in items) for name, outcome in by_outcome.items()}
    return {"tests": str(len(items)), **{name: str(n) for name, n in counts.items()}}


def _case(suite: ET.Element, item: Item) -> None:
    kind, _, rest = item.id.partition(".")
    case = ET.SubElement(suite, "testcase", classname=kind, name=rest or kind)
    if item.file:
        case.set("file", item.file)
    if item.line:
        case.set("line", str(item.line))
    if item.outcome == "pass":
        return
    outcome = ET.SubElement(case, _ELEMENTS[item.outcome], message=item.title, type=item.kind)
    place = [f"{item.file}:{item.line}" if item.line else item.file] if item.file else []
    outcome.text = "\n".join([*place, item.title, *item.detail])
