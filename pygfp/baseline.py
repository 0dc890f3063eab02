# SPDX-License-Identifier: GPL-2.0-only
"""
Baselines: what a check found and somebody accepted, as a small text under version control.

Holds the form of every helper, every composite and the place of every flag, configuration by configuration, and
what fails all the same. A later check with the baseline fails where something differs from it, and
passes what it has. Pure: report in, report out.
"""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .config import slug
from .errors import UsageError
from .report import Check
from .spell import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .report import Report

SCHEMA = "pygfp.baseline/1"

#: Kinds whose value is recorded whether they pass or not; of the others only what fails.
_VALUED = ("helper", "composite")
_ALWAYS = "always"

_HEAD = """\
# What 'pygfp check --save-baseline' found and somebody accepted; 'pygfp check --baseline' fails where a source
# differs from it. To accept a change save it again, and let the diff of this file be reviewed.
"""


@dataclass(frozen=True)
class Baseline:
    """
    What was accepted.

    :ivar label: what messages call it
    :ivar release: of the source that it was saved from; ``""`` where that was not known
    :ivar values: for each subject (a check id less the configuration) its value by configuration
    :ivar fails: what fails and is accepted, by check id
    :ivar flags: for each flag where it stands, in words
    """

    label: str
    release: str = ""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)


def of_report(report: Report, label: str) -> Baseline:
    """
    Return the baseline that accepts everything in *report*.

    :raises UsageError: something in it could not be checked, or was not compared: that cannot be accepted
    """
    hopeless = [c.id for c in report.checks if c.status == "error" or _is_hopeless(c)]
    if hopeless:
        message = f"{label} is not saved: {hopeless[0]} could not be checked, and what is unknown cannot be accepted"
        raise UsageError(message)
    values: dict[str, dict[str, str]] = {}
    fails: dict[str, str] = {}
    for c in report.checks:
        if c.kind in _VALUED and not c.gone:
            values.setdefault(_subject(c), {})[slug(c.config) or _ALWAYS] = _value(c)
        elif c.status == "fail":
            fails[c.id] = _failure(c)
    return Baseline(label, report.source.release or "", values, fails, _flags(report))


def dump(baseline: Baseline) -> str:
    """Return *baseline* as TOML; equal baselines give equal text."""
    lines = [_HEAD, f"schema = {_quoted(SCHEMA)}", f"release = {_quoted(baseline.release)}"]
    for subject, values in sorted(baseline.values.items()):
        lines += ["", f"[{_quoted(subject)}]", *(f"{config} = {_lines(v)}" for config, v in sorted(values.items()))]
    for title, rows in (("flags", baseline.flags), ("accepted failures", baseline.fails)):
        if rows:
            lines += [
                "",
                f"[{_quoted(title)}]",
                *(f"{_quoted(name)} = {_quoted(v)}" for name, v in sorted(rows.items())),
            ]
    return "\n".join(lines) + "\n"


def load(text: str, label: str) -> Baseline:
    """
    Return the baseline that *text* holds.

    :raises UsageError: it is damaged, or of another version
    """
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        message = f"--baseline {label}: not a baseline, or a damaged one: {exc}; save it again with --save-baseline"
        raise UsageError(message) from exc
    found = raw.pop("schema", None)
    if found != SCHEMA:
        message = (
            f"--baseline {label}: expected schema {SCHEMA!r}, found {found!r}; "
            "save it again with --save-baseline of this pygfp"
        )
        raise UsageError(message)
    release = raw.pop("release", "")
    try:
        tables = {subject: {key: _joined(value) for key, value in table.items()} for subject, table in raw.items()}
        if not isinstance(release, str):
            raise TypeError("release")  # noqa: TRY301 - one place that says what is wrong
    except (AttributeError, TypeError) as exc:
        message = f"--baseline {label}: damaged: expected tables of texts; save it again with --save-baseline"
        raise UsageError(message) from exc
    flags, fails = tables.pop("flags", {}), tables.pop("accepted failures", {})
    return Baseline(label, release, tables, fails, flags)


def _lines(value: str) -> str:
    """*value* as TOML: what has several parts on a line each, so that a diff shows the one that changes."""
    parts = value.split("; ")
    return _quoted(value) if len(parts) == 1 else "[\n" + "".join(f"  {_quoted(part)},\n" for part in parts) + "]"


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)


def apply(report: Report, baseline: Baseline, pattern: str | None = None) -> Report:
    """
    Return *report* judged by *baseline*: what it has passes, what differs from it fails.

    :param pattern: the glob that the check was narrowed to: subjects that do not match are not missed
    """
    checks = [_judge(c, baseline) for c in report.checks]
    checks += _missing(report, baseline, pattern)
    accepted = [c.id for c, was in zip(checks, report.checks, strict=False) if c.status == "pass" != was.status]
    warnings = list(report.warnings)
    if accepted:
        warnings.append(
            f"{len(accepted)} checks pass since {baseline.label} accepts what they found: {', '.join(accepted)}"
        )
    mended = sorted(i for i in baseline.fails if any(c.id == i and c.status == "pass" for c in report.checks))
    notes = [*report.notes, *_moved(report, baseline)]
    if mended:
        notes.append(f"accepted by {baseline.label} and not failing any more: {', '.join(mended)}; save it again")
    return replace(report, checks=tuple(checks), warnings=tuple(warnings), notes=tuple(notes))


def _judge(check: Check, baseline: Baseline) -> Check:
    """One verdict in the light of *baseline*; what could not be checked stays so."""
    if check.status == "error" or _is_hopeless(check):
        return check
    if check.kind not in _VALUED:
        accepted = check.status == "fail" and baseline.fails.get(check.id) == _failure(check)
        return _accepted(check) if accepted else check
    known = baseline.values.get(_subject(check))
    if check.gone:
        # That the baseline has it is said by _missing(), whatever the reference row has.
        return check if known is not None else replace(check, status="absent")
    if known is None:
        message = f"new: {baseline.label} has no {check.subject}; save it again to accept: {_value(check)}"
        return check if check.status == "fail" else replace(check, status="undecided", message=message)
    was, now = known.get(slug(check.config) or _ALWAYS), _value(check)
    if was == now:
        return check if check.status == "pass" else _accepted(check)
    found = f"expected {was}; found {now}" if was else "its meaning depends on other CONFIG symbols now"
    message = f"changed against {baseline.label}: {found}; if that is meant, accept it with --save-baseline"
    return replace(check, status="fail", mismatches=max(check.mismatches, 1), message=message)


def _accepted(check: Check) -> Check:
    return replace(check, status="pass", mismatches=0, first=None, smallest=None, message=f"accepted: {check.message}")


def _is_hopeless(check: Check) -> bool:
    """A failure in which nothing was compared: a crash, another signature."""
    return check.status == "fail" and not check.inputs and not check.gone


def _missing(report: Report, baseline: Baseline, pattern: str | None) -> Iterator[Check]:
    """Subjects that the baseline has and the source has not."""
    present = {_subject(c) for c in report.checks if not c.gone}
    for subject in sorted(baseline.values.keys() - present):
        kind, _, name = subject.partition(".")
        wanted = pattern is None or fnmatch.fnmatchcase(name.partition(".")[0], pattern)
        if wanted and not any(c.id.startswith(f"{subject}.") or c.id == subject for c in report.checks if not c.gone):
            message = f"removed: {baseline.label} has it; if that is meant, accept it with --save-baseline"
            yield Check(f"{subject}.baseline", name, kind, "fail", message=message, gone=True)
    if pattern is None:
        now = _flags(report)
        for flag in sorted(baseline.flags.keys() - now.keys()):
            message = f"removed: {baseline.label} has it; if that is meant, accept it with --save-baseline"
            yield Check(f"layout.{flag}.baseline", flag, "layout", "fail", message=message, gone=True)
        for flag in sorted(now.keys() - baseline.flags.keys()):
            message = f"new: {baseline.label} has no {flag}; save it again to accept: {now[flag]}"
            yield Check(f"layout.{flag}.baseline", flag, "layout", "undecided", message=message)


def _moved(report: Report, baseline: Baseline) -> Iterator[str]:
    """Flags that stand elsewhere: no meaning changes, and it is worth saying."""
    now = _flags(report)
    moves = [f"{f}: {now[f]}, was {was}" for f, was in sorted(baseline.flags.items()) if f in now and now[f] != was]
    if moves:
        yield f"moved against {baseline.label}, which changes no meaning: {'; '.join(moves)}"


def _subject(check: Check) -> str:
    """A check id less its configuration."""
    name = slug(check.config)
    return check.id.removesuffix(f".{name}") if name else check.id


def _value(check: Check) -> str:
    """What a helper or composite was found to be."""
    words = _form(check.form) if check.form else f"no form, {_failure(check)}"
    # What the compiler says of a helper is not in its form.
    return f"{words}; {check.message}" if check.status == "fail" and check.form and not check.mismatches else words


def _form(form: dict[str, Any]) -> str:
    if "rows" in form:
        answers: dict[str, list[str]] = {}
        for row in form["rows"]:
            answer = "BUG" if row["bug"] else f"{row['value']}{' and WARN' if row['warned'] else ''}"
            answers.setdefault(answer, []).append("|".join(n.removeprefix("__GFP_") for n in row["flags"]) or "none")
        return "; ".join(f"{answer} for {', '.join(inputs)}" for answer, inputs in answers.items())
    if form.keys() == {"flags"}:
        return short(form["flags"]) or "0"
    return ", ".join(f"{key.replace('_', ' ')} {short(names)}" for key, names in form.items() if names) or "nothing"


def _failure(check: Check) -> str:
    smallest = f", the smallest {check.smallest.input:#x}" if check.smallest else ""
    return f"{check.mismatches} of {check.inputs} differ{smallest}"


def _flags(report: Report) -> dict[str, str]:
    """Where each flag stands, in words."""
    found: dict[str, dict[str, list[str]]] = {}
    for config, bits in report.layout:
        for flag, bit in bits.items():
            found.setdefault(flag, {}).setdefault(f"bit {bit}", []).append(slug(dict(config)) or _ALWAYS)
    every = len(report.layout)
    return {
        flag: "; ".join(_where(place, configs, every) for place, configs in places.items())
        for flag, places in found.items()
    }


def _where(place: str, configs: list[str], every: int) -> str:
    return place if len(configs) == every else f"{place} in {', '.join(configs)}"


def _quoted(text: str) -> str:
    """*text* as a basic TOML string."""
    plain = "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" for c in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{plain}"'
