# SPDX-License-Identifier: GPL-2.0-only
"""
Baselines as text under version control: small TOML that reads well, and whose diff does.

A table for each subject. Its keys are what becomes of flags, its values are the flags. What holds in
some configurations only says in which: ``"keep with LOCKDEP" = "NOLOCKDEP"``. Equal baselines give equal text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..outside import parse_toml, shown
from .compare import ALWAYS, Baseline, ordered, symbols_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .value import Value

SCHEMA = "pygfp.baseline/1"

_CONFIGS, _BITS, _FAILS = "configurations", "bits", "accepted failures"
_SAVE_AGAIN = "save it again with --save-baseline"
# As many as a hundred helpers of thirty flags in 256 configurations have.
_MOST_FACTS = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SUBJECT = re.compile(r"(?:helper|composite)(?:\.[A-Za-z0-9_-]+)+")
_BIT_NUMBERS = frozenset(map(str, range(64)))
#: Longer values stand in a list, an item a line, so that a diff shows the item that changes.
_WIDTH = 100

_HEAD = """\
# What 'pygfp check --save-baseline' found and somebody accepted; 'pygfp check --baseline' fails where a source
# differs from it. To accept a change save it again, and let the diff of this file be reviewed.
# Flags are written without __GFP_. Configurations are called by the CONFIG symbols that are on.
"""


def dump(baseline: Baseline) -> str:
    """Return *baseline* as TOML."""
    lines = [_HEAD, f"schema = {_quoted(SCHEMA)}", f"release = {_quoted(baseline.release)}"]
    for subject, values in sorted(baseline.values.items()):
        lines += ["", f"[{_quoted(subject)}]", *_table(values)]
    if baseline.bits:
        bits = {c: {f: frozenset({str(b[c])}) for f, b in baseline.bits.items() if c in b} for c in baseline.layouts}
        lines += ["", f"[{_BITS}]", *_table(bits)]
    if baseline.fails:
        lines += ["", f"[{_quoted(_FAILS)}]"]
        alike: dict[str, list[str]] = {}
        for name, text in sorted(baseline.fails.items()):
            alike.setdefault(text, []).append(name)
        lines += [f"{_quoted(text)} = {_listed(names, width=0)}" for text, names in alike.items()]
    return "\n".join(lines) + "\n"


def load(text: str, label: str) -> Baseline:
    """
    Return the baseline that *text* holds.

    :raises UsageError: it is damaged, or of another version
    """
    try:
        raw = parse_toml(text)
    except ValueError as exc:
        message = f"--baseline {label}: not a baseline, or a damaged one: {exc}; {_SAVE_AGAIN}"
        raise UsageError(message) from exc
    found = raw.pop("schema", None)
    if found != SCHEMA:
        message = f"--baseline {label}: expected schema {SCHEMA!r}, found {shown(found)}; {_SAVE_AGAIN} of this pygfp"
        raise UsageError(message)
    try:
        return _baseline(raw, label)
    except _DamagedError as exc:
        message = f"--baseline {label}: damaged: {exc}; {_SAVE_AGAIN}"
        raise UsageError(message) from exc


class _DamagedError(Exception):
    """What was expected, and what was found."""


class _Room:
    """What a text may still become: a few lines can stand for every flag in every configuration, over and over."""

    def __init__(self) -> None:
        self._left = _MOST_FACTS

    def take(self, facts: int) -> None:
        self._left -= facts
        if self._left < 0:
            message = f"it says more than {_MOST_FACTS:,} things"
            raise _DamagedError(message)


def _baseline(raw: dict[str, Any], label: str) -> Baseline:
    release = _expect(raw.pop("release", ""), str, "release")
    fails: dict[str, str] = {}
    for text, names in _expect(raw.pop(_FAILS, {}), dict, _FAILS).items():
        if not isinstance(names, list):
            message = f"expected a list of checks for {shown(text)}"
            raise _DamagedError(message)
        fails |= {_expect(name, str, text): text for name in names}
    bits: dict[str, dict[str, int]] = {}
    room = _Room()
    layouts = _read(_BITS, raw.pop(_BITS), room) if _BITS in raw else {}
    for config, flags in layouts.items():
        for flag, places in flags.items():
            _require_name(flag, _NAME)
            if len(places) != 1 or not all(p in _BIT_NUMBERS for p in places):
                message = f"expected one bit of {flag}, found {shown(' '.join(sorted(places)))[1:-1]}"
                raise _DamagedError(message)
            bits.setdefault(flag, {})[config] = int(*places)
    for subject in raw:
        _require_name(subject, _SUBJECT)
    values = {subject: _read(subject, table, room) for subject, table in raw.items()}
    return Baseline(label, release, values, bits, tuple(ordered(layouts)), fails)


def _require_name(name: str, pattern: re.Pattern[str]) -> None:
    """Names become parts of check ids, which other programs read."""
    if not pattern.fullmatch(name):
        message = f"expected the name of a helper, composite, flag or configuration, found {shown(name)}"
        raise _DamagedError(message)


def _expect(value: Any, kind: type[dict[Any, Any] | str], name: str) -> Any:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(value, kind) or isinstance(value, bool):
        what = "a text" if kind is str else "a table"
        message = f"expected {what} for {shown(name)}, found {shown(value)}"
        raise _DamagedError(message)
    return value


# The lines of a table: what holds in every configuration first.
def _table(values: Mapping[str, Value]) -> list[str]:
    configs = ordered(values)
    lines = [] if configs == [ALWAYS] else [f"{_CONFIGS} = {_listed(configs)}"]
    facts: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for verb in sorted({verb for value in values.values() for verb in value}):
        for item in sorted({item for value in values.values() for item in value.get(verb, ())}):
            where = tuple(c for c in configs if item in values[c].get(verb, ()))
            facts.setdefault((verb, where), []).append(item)
    for (verb, where), items in sorted(facts.items(), key=lambda fact: (fact[0][0], -len(fact[0][1]), fact[0][1])):
        lines.append(f"{_key(verb + _condition(where, configs))} = {_listed(items)}")
    return lines


def _condition(where: tuple[str, ...], configs: list[str]) -> str:
    """In which of *configs* something holds, by the symbols that are on and off where that says it."""
    if len(where) == len(configs):
        return ""
    sets = [symbols_on(c) for c in where]
    on, off = frozenset.intersection(*sets), frozenset[str]().union(*map(symbols_on, configs)) - frozenset.union(*sets)
    if [c for c in configs if _holds(c, on, off)] != list(where):
        return f" in {' '.join(where)}"
    return "".join(f" {word} {' '.join(sorted(s))}" for word, s in (("with", on), ("without", off)) if s)


def _holds(config: str, on: Iterable[str], off: Iterable[str]) -> bool:
    symbols = symbols_on(config)
    return symbols.issuperset(on) and symbols.isdisjoint(off)


_CONDITION = re.compile(r"(?<=.) (in|with|without) (?=.)")


def _split(key: str) -> tuple[str, dict[str, list[str]]]:
    """What *key* says becomes of flags, and by which word in which configurations: the first such word counts."""
    match = _CONDITION.search(key)
    if match is None:
        return key, {}
    word, rest = match[1], key[match.end() :]
    if word == "with":
        more = _CONDITION.search(rest)
        while more and more[1] != "without":
            more = _CONDITION.search(rest, more.end() - 1)
        if more:
            return key[: match.start()], {"with": rest[: more.start()].split(), "without": rest[more.end() :].split()}
    return key[: match.start()], {word: rest.split()}


def _read(subject: str, table: object, room: _Room) -> dict[str, Value]:
    """The meaning that *table* gives by configuration."""
    table = dict(_expect(table, dict, subject))
    configs = _items(table.pop(_CONFIGS, ALWAYS), f"{subject}.{_CONFIGS}")
    for config in configs:
        _require_name(config, _NAME)
    found: dict[str, dict[str, set[str]]] = {c: {} for c in configs}
    for key, value in table.items():
        verb, said = _split(key)
        if not verb or "\n" in key:
            message = f"expected a key such as 'keep with LOCKDEP' in {shown(subject)}, found {shown(key)}"
            raise _DamagedError(message)
        items = _items(value, f"{subject}.{key}")
        room.take(len(configs) + len(said.get("in", ())) * len(items))
        on, off = said.get("with", ()), said.get("without", ())
        where = said.get("in") or [c for c in configs if _holds(c, on, off)]
        room.take(len(where) * len(items))
        unknown = [c for c in where if c not in found]
        if unknown or not where:
            message = f"{shown(key)} in {shown(subject)} is of no configuration that it names"
            raise _DamagedError(message)
        for config in where:
            found[config].setdefault(verb, set()).update(items)
    return {c: {verb: frozenset(items) for verb, items in value.items()} for c, value in found.items()}


def _items(value: object, name: str) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    if isinstance(value, list):
        return [_expect(item, str, name) for item in value]
    text: str = _expect(value, str, name)
    return text.split()


def _listed(items: list[str], width: int = _WIDTH) -> str:
    if len(items) == 1 and re.fullmatch(r"0|[1-9][0-9]{0,17}", items[0]):
        return items[0]
    line = _quoted(" ".join(items))
    return line if len(line) <= width else "[\n" + "".join(f"  {_quoted(item)},\n" for item in items) + "]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    """*text* as a basic TOML string."""
    plain = text.encode("utf-8", "backslashreplace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'
