# SPDX-License-Identifier: GPL-2.0-only
"""
Baselines: what a check found and somebody accepted.

Holds the meaning of every helper and composite and the bit of every flag, configuration by configuration, and
what fails all the same. A later check with the baseline fails where something differs from it, and
passes what it has. Pure: report in, report out. :mod:`pygfp.baselines.text` is how it stands in a file.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..config import slug
from ..errors import BaselineError
from .value import difference, of_form, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..config import Assignment
    from ..report import Check, Report
    from .value import Value

#: What a subject that depends on no CONFIG symbol has in place of a configuration.
ALWAYS = "always"

#: Kinds whose meaning is recorded whether they pass or not; of the others only what fails.
_VALUED = ("helper", "composite")
_COMPILED_OUT = "compiled out"
_SHOWN = 8


@dataclass(frozen=True)
class Baseline:
    """
    What was accepted.

    :ivar label: what messages call it
    :ivar release: of the source that it was saved from; ``""`` where that was not known
    :ivar values: for each subject (a check id less the configuration) its meaning by configuration
    :ivar bits: for each flag its 0-based bit, by configuration; without those in which there is no such flag
    :ivar layouts: the configurations that *bits* speaks of
    :ivar fails: what fails and is accepted, by check id
    """

    label: str
    release: str = ""
    values: dict[str, dict[str, Value]] = field(default_factory=dict)
    bits: dict[str, dict[str, int]] = field(default_factory=dict)
    layouts: tuple[str, ...] = ()
    fails: dict[str, str] = field(default_factory=dict)


def of_report(report: Report, label: str) -> Baseline:
    """
    Return the baseline that accepts everything in *report*.

    :raises BaselineError: something in it could not be checked, or was not compared: that cannot be accepted
    """
    hopeless = next((c for c in report.checks if _is_hopeless(c)), None)
    if hopeless:
        message = (
            f"{label} is not saved: {hopeless.id} could not be compared, and what is unknown cannot be accepted "
            f"({hopeless.message}); mend it first, or leave it out with --helper or --set"
        )
        raise BaselineError(message)
    values: dict[str, dict[str, Value]] = {}
    fails: dict[str, str] = {}
    for c in report.checks:
        value = _value(c)
        if value is not None:
            values.setdefault(_subject(c), {}).update(dict.fromkeys(_configs(c), value))
        if c.status == "fail" and _says_more(c):
            fails[c.id] = _failure(c)
    values = {subject: _reduced(of_subject) for subject, of_subject in values.items()}
    return Baseline(label, report.source.release or "", values, _bits(report), _layouts(report), fails)


def _reduced(values: dict[str, Value]) -> dict[str, Value]:
    """*values* without the symbols that make no difference, where both their settings are known."""
    for symbol in sorted(frozenset[str]().union(*map(symbols_on, values))):
        by_symbols = {symbols_on(config): value for config, value in values.items()}
        if all(by_symbols.get(on ^ {symbol}) == value for on, value in by_symbols.items()):
            values = {config: value for config, value in values.items() if symbol not in symbols_on(config)}
    return {ALWAYS: values["none"]} if values.keys() == {"none"} else values


def apply(report: Report, baseline: Baseline, pattern: str | None = None) -> Report:
    """
    Return *report* judged by *baseline*: what it has passes, what differs from it fails.

    :param pattern: the glob that the check was narrowed to: subjects that do not match are not missed
    """
    checks = [_judge(c, baseline) for c in report.checks]
    accepted = [now.id for now, was in zip(checks, report.checks, strict=True) if now.status == "pass" != was.status]
    said = {_subject(c) for c in checks if c.status == "fail"}
    checks += [*_lost(report, baseline, said), *_missing(report, baseline, pattern)]
    notes = list(report.notes)
    if pattern is None:
        checks += _flags(report, baseline)
        notes += _moved(report, baseline)
    warnings = list(report.warnings)
    if accepted:
        some = ", ".join(accepted[:_SHOWN]) + (f" and {len(accepted) - _SHOWN} more" if accepted[_SHOWN:] else "")
        verb = "check passes" if len(accepted) == 1 else "checks pass"
        warnings.append(f"{len(accepted)} {verb} only since {baseline.label} accepts what was found: {some}")
    mended = sorted(i for i in baseline.fails if any(c.id == i and c.status == "pass" for c in report.checks))
    if mended:
        notes.append(
            f"accepted by {baseline.label} and not failing any more: {', '.join(mended)}; "
            "save it again, or it would be accepted once more"
        )
    return replace(report, checks=tuple(checks), warnings=tuple(warnings), notes=tuple(notes))


def _judge(check: Check, baseline: Baseline) -> Check:
    """One verdict in the light of *baseline*; what could not be compared stays as it is."""
    if _is_hopeless(check):
        return check
    known = baseline.values.get(_subject(check))
    if check.gone:
        return _removed(check, known, baseline)
    value = _value(check)
    if value is None:
        is_known = check.status == "undecided" and check.subject in baseline.bits
        return _accepted(check) if is_known or _fails_as_before(check, baseline) else check
    if known is None:
        message = f"new: {baseline.label} has no {check.subject}; it is {words(value)}; {_accept(baseline)}"
        return check if check.status == "fail" else replace(check, status="undecided", message=message)
    changed = next(((c, was) for c in _configs(check) if (was := _at(known, c)) != value), None)
    if changed:
        # Of one flag of a helper it is said by the verdict on the helper itself.
        return check if _is_aspect(check) else _changed(check, baseline, *changed, value)
    fails = check.status == "fail" and _says_more(check) and not _fails_as_before(check, baseline)
    return check if fails or check.status == "pass" else _accepted(check)


def _changed(check: Check, baseline: Baseline, config: str, was: Value | None, now: Value) -> Check:
    if was is None:
        known = ", ".join(baseline.values[_subject(check)])
        what = (
            f"{baseline.label} has no {check.subject} for this configuration, only for: {known}; "
            "it depends on other CONFIG symbols now, or the baseline was saved with --set or --config"
        )
        return replace(check, status="fail", message=f"{what}; {_accept(baseline)}")
    where = "" if config in {ALWAYS, slug(check.config)} else f" in {config}"
    besides = f"; {check.message}" if check.kind == "helper" and check.status == "fail" and check.message else ""
    message = f"changed against {baseline.label}{where}: {difference(was, now)}; {_accept(baseline)}{besides}"
    return replace(check, status="fail", message=message)


def _removed(check: Check, known: Mapping[str, Value] | None, baseline: Baseline) -> Check:
    """The verdict on a subject that is not there; *baseline* says whether it is missed, not the reference row."""
    if known is None or all(_at(known, c) is None for c in _configs(check)):
        return _accepted(check)
    reason = f"; {check.message}" if check.status == "absent" and check.message else ""
    message = f"removed: {baseline.label} has it{reason}; {_accept(baseline)}"
    return replace(check, status="fail", message=message)


def _accept(baseline: Baseline) -> str:
    return f"if that is meant, accept it with --save-baseline {baseline.label}"


def _accepted(check: Check) -> Check:
    return replace(check, status="pass", mismatches=0, first=None, smallest=None, message=f"accepted: {check.message}")


def _fails_as_before(check: Check, baseline: Baseline) -> bool:
    return check.status == "fail" and baseline.fails.get(check.id) == _failure(check)


def _is_hopeless(check: Check) -> bool:
    """Whether nothing was compared: an error, a crash, another signature."""
    if check.status == "error":
        return True
    compiled_out = check.message.startswith(_COMPILED_OUT)
    return check.status == "fail" and not check.inputs and not check.gone and not compiled_out


def _lost(report: Report, baseline: Baseline, said: set[str]) -> Iterator[Check]:
    """What changes in configurations that *baseline* tells apart, and the source does not any more."""
    for subject, known in baseline.values.items():
        if subject in said:
            continue
        checks = [c for c in report.checks if _subject(c) == subject and not c.gone and not _is_hopeless(c)]
        now = {symbols_on(k): value for c in checks if (value := _value(c)) is not None for k in _configs(c)}
        symbols = {s.removeprefix("CONFIG_") for c in checks for config in (c.config, *c.configs) for s in config}
        for config, was in known.items():
            found = now.get(symbols_on(config) & symbols)
            if found is not None and found != was:
                yield _changed(replace(checks[0], id=f"{subject}.{config}.baseline"), baseline, config, was, found)


def _missing(report: Report, baseline: Baseline, pattern: str | None) -> Iterator[Check]:
    """Subjects that *baseline* has, and of which the report says nothing at all."""
    from ..report import Check  # noqa: PLC0415 - for values only elsewhere

    present = {_subject(c) for c in report.checks}
    present |= {c.id for c in report.checks}  # a verdict on a helper as a whole
    for subject in sorted(baseline.values.keys() - present):
        kind, _, rest = subject.partition(".")
        name = rest.partition(".")[0]
        if f"{kind}.{name}" not in present and (pattern is None or fnmatch.fnmatchcase(name, pattern)):
            message = f"removed: {baseline.label} has it; {_accept(baseline)}"
            yield Check(f"{subject}.baseline", name, kind, "fail", message=message, gone=True)


def _flags(report: Report, baseline: Baseline) -> Iterator[Check]:
    """Flags that are there no more, or newly, in all configurations or in some."""
    from ..report import Check  # noqa: PLC0415 - for values only elsewhere

    now, layouts = _bits(report), _layouts(report)
    for flag in sorted({*baseline.bits, *now}):
        pairs = [
            (config, _projected(baseline.bits.get(flag, {}), config, baseline.layouts), now.get(flag, {}).get(config))
            for config in layouts
        ]
        check = Check(f"layout.{flag}.baseline", flag, "layout", "fail")
        removed = [config for config, was, found in pairs if was is not None and found is None]
        added = [config for config, was, found in pairs if was is None and found is not None]
        if removed:
            where = "" if flag not in now else f" in {', '.join(removed)}"
            message = f"removed{where}: {baseline.label} has {flag} there; {_accept(baseline)}"
            yield replace(check, message=message, gone=flag not in now)
        elif added:
            where = "" if flag not in baseline.bits else f" in {', '.join(added)}"
            message = f"new{where}: {baseline.label} has no {flag} there; {_accept(baseline)}"
            yield replace(check, status="undecided", message=message)


def _moved(report: Report, baseline: Baseline) -> Iterator[str]:
    """Flags that stand elsewhere: no meaning changes, and it is worth saying."""
    moves = []
    for flag, places in _bits(report).items():
        found = Counter(
            (bit, was)
            for config, bit in places.items()
            if (was := _projected(baseline.bits.get(flag, {}), config, baseline.layouts)) not in {None, bit}
        )
        moves += [f"{flag}: bit {bit}, was {was}" for bit, was in sorted(found)]
    if moves:
        yield f"moved against {baseline.label}, which changes no meaning: {'; '.join(moves)}"


def _bits(report: Report) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for config, bits in report.layout:
        for flag, bit in bits.items():
            found.setdefault(flag, {})[slug(dict(config)) or ALWAYS] = bit
    return found


def _layouts(report: Report) -> tuple[str, ...]:
    return tuple(ordered(slug(dict(config)) or ALWAYS for config, _ in report.layout))


def ordered(configs: Iterable[str]) -> list[str]:
    """
    Return *configs* with the fewest symbols first.

    >>> ordered(["A-B", "B", "none", "A"])
    ['none', 'A', 'B', 'A-B']
    """
    return sorted(configs, key=lambda config: (len(symbols_on(config)), config))


def symbols_on(config: str) -> frozenset[str]:
    """
    Return the symbols that are on in the configuration that a slug names.

    >>> sorted(symbols_on("KASAN_HW_TAGS-LOCKDEP")), sorted(symbols_on("none"))
    (['KASAN_HW_TAGS', 'LOCKDEP'], [])
    """
    return frozenset() if config in {"none", ALWAYS} else frozenset(config.split("-"))


def _projected(values: Mapping[str, Any], config: str, known: Iterable[str]) -> Any:  # noqa: ANN401 - of whatever type
    """What *values* have for *config*, less the symbols that none of the configurations *known* speaks of."""
    on = symbols_on(config) & frozenset[str]().union(*map(symbols_on, known))
    name = next((k for k in known if symbols_on(k) == on), config)
    return values.get(name)


def _at(values: Mapping[str, Value], config: str) -> Value | None:
    found: Value | None = values[config] if config in values else _projected(values, config, values)
    return found


def _configs(check: Check) -> list[str]:
    configs: tuple[Assignment, ...] = check.configs or (check.config,)
    return [slug(config) or ALWAYS for config in configs]


def _subject(check: Check) -> str:
    """A check id less its configuration, and less a flag that it speaks of besides."""
    name = slug(check.config)
    subject = check.id.removesuffix(f".{name}") if name else check.id
    return f"helper.{check.subject}" if _is_aspect(check) else subject


def _is_aspect(check: Check) -> bool:
    """Whether a verdict is on what a helper does to one new flag."""
    return check.kind == "helper" and check.id.startswith(f"helper.{check.subject}.__GFP_")


def _says_more(check: Check) -> bool:
    """Whether a failure is more than a meaning: a rule that is broken, or what the compiler says of a helper."""
    if check.kind not in _VALUED or check.form is None:
        return not check.gone
    if check.kind == "composite":
        return not check.message.startswith("changed against")
    return not check.mismatches or check.message.startswith(f"{check.file}:")


def _failure(check: Check) -> str:
    """A failure in words that stay the same while the same thing fails: without line numbers, bits and counts."""
    said = []
    if check.kind not in {"layout", "composite"} and check.mismatches:
        said.append(f"{Fraction(check.mismatches, check.inputs)} of the inputs")
    said += [
        f"{name} {w.input_names or hex(w.input)} gives {w.actual_names or w.actual}"
        for name, w in (("smallest", check.smallest), ("first", check.first))
        if w and not (name == "first" and check.smallest and w.input == check.smallest.input)
    ]
    return "; ".join([*said, re.sub(r":\d+: ", ": ", check.message)])


def _value(check: Check) -> Value | None:
    """What a helper or composite was found to mean; None where that is not known, or is no meaning."""
    if check.kind not in _VALUED or check.gone or _is_hopeless(check):
        return None
    if check.message.startswith(_COMPILED_OUT):
        return {_COMPILED_OUT: frozenset({"anything"})}
    return of_form(check.form) if check.form else None
