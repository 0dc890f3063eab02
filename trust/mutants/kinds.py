# SPDX-License-Identifier: GPL-2.0-only
"""
The kinds of mutation: for each, the tokens that it fits and what it makes of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import detours
from .tokens import overlapping

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from .sites import Sites
    from .tokens import Edit, Token

_OPERATORS = {
    **dict.fromkeys(("|", "&", "^"), ("|", "&", "^", "+", "-", "||", "&&")),
    **dict.fromkeys(("<<", ">>"), ("<<", ">>", "*", "/")),
    **dict.fromkeys(("+", "-", "*", "/"), ("+", "-", "*", "/", "|")),
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">="), ("==", "!=", "<", ">", "<=", ">=")),
    **dict.fromkeys(("||", "&&"), ("||", "&&", "|", "&")),
    **dict.fromkeys(("~", "!"), ("~", "!", "-", "", "!!")),
    **dict.fromkeys(("|=", "&=", "="), ("|=", "&=", "^=", "=", "+=")),
}
_TYPE_WORDS = {"gfp_t", "int", "unsigned", "long", "bool", "char", "short", "u8", "u32", "void"}
_CAST_WORDS = {*_TYPE_WORDS, "__force", "enum", "zone_type"}
_CASTS = ("unsigned char", "int", "unsigned int", "unsigned long", "bool", "short", "long long")
_QUALIFIERS = {"static", "inline", "const", "__always_inline", "__force", "__bitwise", "unsigned", "likely", "unlikely"}
_BUG = ("VM_BUG_ON", "VM_WARN_ON", "WARN_ON", "BUG_ON", "BUILD_BUG_ON", "WARN_ON_ONCE", "(void)")


@dataclass(frozen=True)
class Mutant:
    """
    One header with one or two mutations in it.

    :ivar kind: of the first
    :ivar edits: of all of them
    :ivar text: where and what, for people
    :ivar second: the kind of the second, or ``""``
    :ivar outside: nothing that is judged rests on it
    :ivar function: it is in a function
    """

    kind: str
    edits: tuple[Edit, ...]
    text: str
    second: str = ""
    outside: bool = False
    function: bool = False


@dataclass(frozen=True)
class Kind:
    """
    One kind of mutation.

    :ivar fits: whether token *i* is a place for it
    :ivar make: the edits there; None: nothing comes of it
    :ivar weight: how often it is drawn
    """

    fits: Callable[[Sites, int], bool]
    make: Callable[[Sites, int, random.Random], list[Edit] | None]
    weight: int = 2


def _in_code(s: Sites, i: int) -> bool:
    """Code, or the body of a macro."""
    return s.tokens[i].directive in {"", "define"}


def _body_start(s: Sites, i: int) -> int | None:
    """The first token of the body of the macro whose name is token *i*; None: it has none."""
    j = i + 1
    if s.at(j) == "(" and j < len(s.tokens) and s.tokens[j].start == s.tokens[i].end:
        j = s.closing.get(j, j) + 1
    return j if s.joined(i, j) and s.tokens[j].directive == "define" and s.at(j) != "#" else None


def _is_macro_name(s: Sites, i: int) -> bool:
    return s.at(i - 1) == "define" and s.at(i - 2) == "#" and not s.at(i).endswith("_H")


def _operator(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    return [s.edit(i, i, rng.choice([o for o in _OPERATORS[s.at(i)] if o != s.at(i)]))]


def _number(s: Sites, i: int, rng: random.Random) -> list[Edit] | None:
    text = s.at(i)
    digits = text.rstrip("uUlL")
    suffix = text[len(digits) :]
    try:
        value = int(digits, 8 if digits.startswith("0") and digits.isdigit() and len(digits) > 1 else 0)
    except ValueError:
        return None
    others = {value + 1, value - 1, 0, 1, value << 1, value >> 1, value ^ 3, -value, value | 1 << 31} - {value}
    new = rng.choice(sorted(others))
    wanted = suffix if rng.random() < 0.7 else rng.choice(["", "u", "UL", "LL"])  # noqa: PLR2004 - mostly as it is
    return [s.edit(i, i, f"({new}{wanted})" if new < 0 else f"{new}{wanted}")]


def _class_of(s: Sites, text: str) -> str:
    return next((c for c, names in s.origin.names.items() if text in names), "")


def _other_name(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    of = _class_of(s, s.at(i))
    if of in {"typed", "composite"} and rng.random() < 0.2:  # noqa: PLR2004 - now and then of the other class
        of = "composite" if of == "typed" else "typed"
    return [s.edit(i, i, rng.choice([n for n in s.origin.names[of] if n != s.at(i)]))]


def _is_row(s: Sites, i: int) -> bool:
    names = s.origin.names["enumerator"]
    if s.tokens[i].directive or s.at(i) not in names or s.tokens[i].where not in names:
        return False
    j = i - 1
    while j >= 0 and s.tokens[j].directive:
        j -= 1
    return s.at(j) in {"{", ","}


def _row_end(s: Sites, i: int) -> int:
    j = i
    while j + 1 < len(s.tokens) and s.at(j) not in {",", "}"}:
        j += 1
    return j if s.at(j) == "," else j - 1


def _row_swap(s: Sites, i: int, _: random.Random) -> list[Edit] | None:
    end = _row_end(s, i)
    j = next((j for j in range(end + 1, min(end + 9, len(s.tokens))) if _is_row(s, j)), None)
    if j is None or s.tokens[j].path != s.tokens[i].path:
        return None
    return [s.edit(i, i, s.at(j)), s.edit(j, j, s.at(i))]


def _row_double(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    a = s.tokens[i]
    return [(a.path, a.start, a.start, f"{s.at(i)}_TWICE{rng.choice(['', ' = 3', ' = 0'])}, ")]


def _row_value(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    value = rng.choice(["0", "1", "5", "12", "26", s.at(i - 2) if s.at(i - 1) == "," else "7"])
    return [s.edit(i, i, f"{s.at(i)} = {value}")] if s.at(i + 1) != "=" else [s.edit(i + 2, i + 2, value)]


def _guard(s: Sites, i: int) -> bool:
    return s.tokens[i].directive in {"if", "ifdef", "ifndef", "elif"} and s.at(i - 1) == "#"


def _negated(s: Sites, i: int, _: random.Random) -> list[Edit]:
    flip = {"ifdef": "ifndef", "ifndef": "ifdef"}
    if s.at(i) in flip:
        return [s.edit(i, i, flip[s.at(i)])]
    first, last = s.line_tokens(i)
    return [s.edit(first + 1, last, f"!({s.span(first + 1, last)})")] if last > first else []


def _guard_off(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    first, last = s.line_tokens(i)
    word = "elif" if s.at(i) == "elif" else "if"
    return [s.edit(first, last, f"{word} {rng.randrange(2)}")]


def _other_symbol(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    symbols = [*s.origin.names["symbol"], "CONFIG_SMP", "CONFIG_PREEMPT_RT"]
    return [s.edit(i, i, rng.choice([n for n in symbols if n != s.at(i)]))]


def _line_gone(s: Sites, i: int, _: random.Random) -> list[Edit]:
    """A directive without what it guards: ``#else``, ``#endif``, ``#define`` and kin."""
    return [s.edit(i - 1, s.line_tokens(i)[1], "")]


def _unwrapped(s: Sites, i: int, _: random.Random) -> list[Edit]:
    j = s.closing[i]
    return [s.edit(i, i, " "), s.edit(j, j, " ")]


def _reach(s: Sites, i: int, rng: random.Random) -> list[Edit] | None:
    """The closing parenthesis moves by two tokens."""
    j = s.closing[i]
    to = j + 2 if rng.random() < 0.5 else j - 2  # noqa: PLR2004 - either way
    if not (s.joined(j, to) and to > i):
        return None
    a = s.tokens[to]
    return [s.edit(j, j, " "), (a.path, a.end, a.end, ")")]


def _wrapped(s: Sites, i: int, _: random.Random) -> list[Edit] | None:
    """A pair around this operand and the next: other binding."""
    if not s.joined(i - 1, i + 1):
        return None
    a, b = s.tokens[i - 1], s.tokens[i + 1]
    return [(a.path, a.start, a.start, "("), (b.path, b.end, b.end, ")")]


def _returned(s: Sites, i: int, rng: random.Random) -> list[Edit] | None:
    end = s.until(i + 1, ";")
    if end is None or end == i + 1:
        return None
    text = s.span(i + 1, end - 1)
    made = ["0", "1", f"!({text})", f"~({text})", f"({text}) | 1", f"({text}) & 3", f"({text}) + 1", f"-({text})"]
    return [s.edit(i + 1, end - 1, rng.choice(made))]


def _member_less(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    if _class_of(s, s.at(i + 1)) and (not _class_of(s, s.at(i - 1)) or rng.random() < 0.5):  # noqa: PLR2004 - either
        return [s.edit(i, i + 1, "")]
    return [s.edit(i - 1, i, "")]


def _member_more(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    names = s.origin.names["typed" if rng.random() < 0.8 else "composite"]  # noqa: PLR2004 - mostly one flag
    return [s.edit(i, i, f"| {rng.choice(names)} |")]


def _body(s: Sites, i: int, rng: random.Random) -> list[Edit] | None:
    j = _body_start(s, i)
    if j is None:
        return None
    last = j
    while s.joined(i, last + 1) and s.at(last + 1) != "#" and s.tokens[last + 1].directive == "define":
        last += 1
    text, of = s.span(j, last), _class_of(s, s.at(i)) or "typed"
    other = rng.choice(s.origin.names[of] or ("0",))
    made = ["0", f"({other})", f"(({text}) + 1)", f"(({text}) << 1)", f"(~({text}))", "", f"(({text}) | ({other}))"]
    return [s.edit(j, last, rng.choice(made))]


def _statement(s: Sites, i: int) -> bool:
    if s.tokens[i].directive or s.tokens[i].where in s.origin.names["enumerator"]:
        return False
    return s.at(i - 1) in {";", "{", "}"} and s.until(i, ";") is not None and s.at(i) not in {"{", "}"}


def _statement_gone(s: Sites, i: int, _: random.Random) -> list[Edit] | None:
    end = s.until(i, ";")
    return None if end is None else [s.edit(i, end, "")]


def _statement_moved(s: Sites, i: int, rng: random.Random) -> list[Edit] | None:
    end = s.until(i, ";")
    then = None if end is None else s.until(end + 1, ";")
    if end is None or then is None:
        return None
    one, other = s.span(i, end), s.span(end + 1, then)
    return [s.edit(i, then, f"{other} {one}" if rng.random() < 0.7 else f"{one} {one} {other}")]  # noqa: PLR2004 - mostly


def _is_cast(s: Sites, i: int) -> bool:
    j = s.closing.get(i)
    if s.at(i) != "(" or j is None or j == i + 1 or not _in_code(s, i):
        return False
    return all(s.at(k) in _CAST_WORDS for k in range(i + 1, j)) and (
        s.at(j + 1) in {"(", "~"} or s.at(j + 1)[:1].isalpha() or s.at(j + 1)[:1] == "_"
    )


def _cast(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    new = rng.choice(["", *(f"({c})" for c in _CASTS)])
    return [s.edit(i, s.closing[i], new)]


def _cast_more(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    return [s.edit(i, i, f"({rng.choice(_CASTS)}){s.at(i)}")]


def _type(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    others = ("int", "unsigned int", "long", "unsigned long", "bool", "unsigned char", "short", "gfp_t", "signed char")
    return [s.edit(i, i, rng.choice([t for t in others if t != s.at(i)]))]


def _arms(s: Sites, i: int, _: random.Random) -> list[Edit] | None:
    colon = s.until(i + 1, ":")
    end = None if colon is None else s.until(colon + 1, ";,")
    if colon is None or end is None:
        return None
    return [s.edit(i + 1, colon - 1, s.span(colon + 1, end - 1)), s.edit(colon + 1, end - 1, s.span(i + 1, colon - 1))]


def _firing(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    return [s.edit(i, i, rng.choice([n for n in _BUG if n != s.at(i)]))]


def _turned(s: Sites, i: int, rng: random.Random) -> list[Edit]:
    return [s.edit(i, i, rng.choice(["!", "~", "!!", "-"]) + s.at(i))]


def _gone(s: Sites, i: int, _: random.Random) -> list[Edit]:
    return [s.edit(i, i, " ")]


def _doubled(s: Sites, i: int, _: random.Random) -> list[Edit]:
    return [s.edit(i, i, f"{s.at(i)} {s.at(i)}")]


def _swapped(s: Sites, i: int, _: random.Random) -> list[Edit]:
    return [s.edit(i, i, s.at(i + 1)), s.edit(i + 1, i + 1, s.at(i))]


def _is_name(s: Sites, i: int, *of: str) -> bool:
    # A name that is being defined is no use of it.
    return _class_of(s, s.at(i)) in of and not _is_macro_name(s, i) and not _is_row(s, i) and _in_code(s, i)


def _operand(s: Sites, i: int) -> bool:
    t = s.tokens[i]
    return (
        _in_code(s, i)
        and t.kind == "word"
        and bool(t.where)
        and s.at(i - 1) != "#"
        and not _is_row(s, i)
        and t.text not in _QUALIFIERS | _CAST_WORDS
    )


KINDS: dict[str, Kind] = {
    "operator, other": Kind(lambda s, i: s.at(i) in _OPERATORS and bool(s.tokens[i].where), _operator, 4),
    "operator, inserted": Kind(lambda s, i: _operand(s, i) and not _is_macro_name(s, i), _turned),
    "constant, other": Kind(lambda s, i: s.tokens[i].kind == "number", _number, 3),
    "flag name, other": Kind(lambda s, i: _is_name(s, i, "typed", "plain", "composite"), _other_name, 4),
    "enumerator name, other": Kind(lambda s, i: _is_name(s, i, "enumerator"), _other_name),
    "enum row, deleted": Kind(_is_row, lambda s, i, _: [s.edit(i, _row_end(s, i), "")]),
    "enum row, swapped": Kind(_is_row, _row_swap),
    "enum row, inserted": Kind(_is_row, _row_double),
    "enum row, other value": Kind(_is_row, _row_value),
    "guard, negated": Kind(_guard, _negated),
    "guard, removed": Kind(_guard, _guard_off),
    "guard, other symbol": Kind(lambda s, i: s.at(i).startswith("CONFIG_"), _other_symbol, 3),
    "directive, deleted": Kind(lambda s, i: s.at(i - 1) == "#" and not s.at(i + 1).endswith("_H"), _line_gone),
    "parentheses, removed": Kind(lambda s, i: s.at(i) == "(" and i in s.closing, _unwrapped),
    "parentheses, moved": Kind(lambda s, i: s.at(i) == "(" and i in s.closing, _reach),
    "parentheses, added": Kind(
        lambda s, i: s.at(i) in {"|", "&", "<<", ">>", "==", "!=", "+", "-", "*", "||"}, _wrapped
    ),
    "return expression": Kind(lambda s, i: s.at(i) == "return", _returned, 3),
    "composite member, dropped": Kind(
        lambda s, i: s.at(i) == "|" and bool(_class_of(s, s.at(i + 1)) or _class_of(s, s.at(i - 1))), _member_less, 3
    ),
    "composite member, added": Kind(lambda s, i: s.at(i) == "|" and _in_code(s, i), _member_more, 3),
    "macro body": Kind(_is_macro_name, _body, 3),
    "statement, deleted": Kind(_statement, _statement_gone),
    "statement, moved or doubled": Kind(_statement, _statement_moved),
    "cast, other or removed": Kind(_is_cast, _cast, 2),
    "cast, inserted": Kind(lambda s, i: _operand(s, i) and not _is_macro_name(s, i), _cast_more),
    "type, other": Kind(lambda s, i: s.at(i) in _TYPE_WORDS and _in_code(s, i), _type, 2),
    "arms of ?:, swapped": Kind(lambda s, i: s.at(i) == "?", _arms, 1),
    "BUG or WARN, other": Kind(lambda s, i: s.at(i) in _BUG, _firing, 1),
    "any token, deleted": Kind(lambda s, i: bool(s.tokens[i].where), _gone),
    "any token, doubled": Kind(lambda s, i: bool(s.tokens[i].where), _doubled, 1),
    "any token, swapped with the next": Kind(lambda s, i: bool(s.tokens[i].where) and s.joined(i, i + 1), _swapped, 1),
    "detour": Kind(detours.fits, detours.make, 5),
}


def single(sites: Sites, rng: random.Random) -> Mutant:
    """Return one mutation, its kind and place drawn by lot."""
    names = list(KINDS)
    weights = [KINDS[n].weight if sites.of(n, KINDS[n].fits) else 0 for n in names]
    while True:
        name = rng.choices(names, weights)[0]
        i = rng.choice(sites.of(name, KINDS[name].fits))
        edits = KINDS[name].make(sites, i, rng)
        if edits and not overlapping(edits) and any(_changes(sites, e) for e in edits):
            t = sites.tokens[i]
            what = "; ".join(f"{_old(sites, e)!r} -> {e[3]!r}" for e in edits)
            text = f"{t.path}:{t.line}: {t.where}: {name}: {what}"
            return Mutant(name, tuple(edits), text, outside=not t.judged, function=_in_function(sites, t))


def double(sites: Sites, rng: random.Random) -> Mutant:
    """Return two mutations that do not touch each other."""
    while True:
        one, other = single(sites, rng), single(sites, rng)
        edits = (*one.edits, *other.edits)
        if not overlapping(edits):
            return Mutant(one.kind, edits, f"{one.text}; and {other.text}", other.kind)


def _in_function(sites: Sites, token: Token) -> bool:
    return any(
        d.kind == "function" and d.path == token.path and d.start <= token.start < d.end
        for d in sites.origin.subset.definitions
    )


def _old(sites: Sites, edit: Edit) -> str:
    return sites.origin.slices[edit[0]][edit[1] : edit[2]].decode()


def _changes(sites: Sites, edit: Edit) -> bool:
    return _old(sites, edit) != edit[3]
