# SPDX-License-Identifier: GPL-2.0-only
"""
Edits of a GFP header, token by token: some that change no meaning, some of which the change can be worked out.

Those by rule take a random generator, so that a seed gives the same edits again. What a changing edit does to
each composite and to the nested filter is worked out here from the text, as sets of names: nothing of pygfp is
asked. No kernel text is kept: a pattern is a few names and operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from breaks import _OPERATORS, GFP, TYPES, BreakError, _span

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

MMZONE = "include/linux/mmzone.h"

#: The text of each header by path.
Texts = dict[str, str]

_TOKEN = re.compile(r"(/\*.*?\*/|//[^\n]*|\"[^\"\n]*\")|(\\\n|[ \t]+|\n)|(\w+|<<|>>|==|!=|&&|\|\||->|.)", re.DOTALL)


class EditError(BreakError):
    """An edit does not fit the text."""


@dataclass(frozen=True)
class Edit:
    """
    One edit of a header.

    :ivar name: what is done
    :ivar make: makes it
    """

    name: str
    make: Callable[[Texts, random.Random], Texts]

    @property
    def id(self) -> str:
        """The name as a test id."""
        words = (_OPERATORS.get(word, word) for word in self.name.split())
        return re.sub(r"\W+", "-", " ".join(words)).strip("-")

    def apply(self, texts: Texts, rng: random.Random) -> Texts:
        """Return *texts* with the edit in them; an error where it changes no text."""
        # What is edited is drawn by lot: nothing may come of one draw, and not of many.
        for _ in range(50):
            edited = self.make(dict(texts), rng)
            if edited != texts:
                return edited
        message = f"{self.name}: nothing was edited"
        raise EditError(message)


def sub(name: str, file: str, place: str, *pairs: tuple[str, str], count: int = 1) -> Edit:
    """Return the edit that replaces each pattern in one place, *count* times each."""

    def make(texts: Texts, _: random.Random) -> Texts:
        for old, new in pairs:
            start, end = _span(texts[file], place)
            text, found = re.subn(old, new, texts[file][start:end])
            if found != count:
                message = f"{name}: expected {count} of {old!r} in {place or file}, found {found}"
                raise EditError(message)
            texts[file] = texts[file][:start] + text + texts[file][end:]
        return texts

    return Edit(name, make)


# Rules that change no meaning, at random places.


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) of every token: a comment or string, a blank, a word or operator."""
    kinds = ("comment", "blank", "token")
    return [(next(k for k, part in zip(kinds, m.groups(), strict=True) if part), m[0]) for m in _TOKEN.finditer(text)]


def _blanks(text: str, new: Callable[[str], str], rng: random.Random, share: float) -> str:
    """*text* with some of the blanks inside lines replaced; not after a name that a directive defines."""
    out: list[str] = []
    line = ""
    for kind, piece in _tokens(text):
        directive = line.lstrip().startswith("#")
        inside = kind == "blank" and "\n" not in piece and line.strip() and not directive
        out.append(new(piece) if inside and rng.random() < share else piece)
        line = "" if kind == "blank" and piece.endswith("\n") and not piece.startswith("\\") else line + piece
    return "".join(out)


def _in_both(change: Callable[[str, random.Random], str]) -> Callable[[Texts, random.Random], Texts]:
    def make(texts: Texts, rng: random.Random) -> Texts:
        return {p: change(t, rng) if p in {GFP, TYPES} else t for p, t in texts.items()}

    return make


def _spaces(text: str, rng: random.Random) -> str:
    return _blanks(text, lambda b: b + rng.choice(("  ", "\t", " \t ")), rng, 0.3)


def _comments(text: str, rng: random.Random) -> str:
    return _blanks(text, lambda b: f"{b}/* {rng.choice(('GFP_KERNEL', '__GFP_IO', 'a | b', '#if 0'))} */ ", rng, 0.1)


def _blank_lines(text: str, rng: random.Random) -> str:
    """Empty lines before lines that begin a definition."""
    return re.sub(r"^(?=(?:static|#define|#ifdef) )", lambda _: "\n" * rng.randrange(4), text, flags=re.MULTILINE)


def _broken_lines(text: str, rng: random.Random) -> str:
    """A line goes on after a backslash, in front of an operator of a macro."""
    pattern = r"^(#define[ \t]+_*GFP_\w+[^\n|]*)\|"
    return re.sub(pattern, lambda m: f"{m[1]}\\\n\t|" if rng.random() < 0.6 else m[0], text, flags=re.MULTILINE)


def _comment_lines(text: str, rng: random.Random) -> str:
    words = ("gfp_t gfp_nested_mask(gfp_t flags);", "#define GFP_KERNEL 0", "enum { ___GFP_IO_BIT }")
    return re.sub(r"^(?=static )", lambda _: f"/* {rng.choice(words)} */\n", text, flags=re.MULTILINE)


def _operands(text: str, rng: random.Random) -> str:
    """The operands of ``|`` between names in another order."""

    def shuffled(match: re.Match[str]) -> str:
        names = re.split(r"\s*\|\s*", match[0])
        rng.shuffle(names)
        return " | ".join(names)

    return re.sub(r"\b_{0,3}GFP_\w+(?:[ \t]*\|[ \t]*_{0,3}GFP_\w+)+", shuffled, text)


def _parentheses(text: str, rng: random.Random) -> str:
    """Parentheses around names that stand between ``|`` or at the end of a list."""
    return re.sub(
        r"(?<=[|(& ])(_{0,2}GFP_[A-Z_]+)(?=[ ]?[|)])", lambda m: f"({m[1]})" if rng.random() < 0.5 else m[0], text
    )


def _spelled_out(text: str, rng: random.Random) -> str:
    """A composite in a list of flags spelled out as its flags."""
    full = {
        "GFP_KERNEL": ("__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"),
        "GFP_USER": ("__GFP_RECLAIM", "__GFP_HARDWALL", "__GFP_FS", "__GFP_IO"),
        "GFP_HIGHUSER": ("GFP_USER", "__GFP_HIGHMEM"),
    }

    def flags(match: re.Match[str]) -> str:
        names = list(full[match[1]])
        rng.shuffle(names)
        return "(" + " | ".join(names) + ")"

    return re.sub(rf"(?<=\()({'|'.join(full)})(?= \|)", flags, text)


def _renamed(texts: Texts, rng: random.Random) -> Texts:
    """Parameters and locals of the helpers renamed."""
    for name, locals_ in {
        **dict.fromkeys(("gfp_migratetype", "gfpflags_allow_blocking"), ("gfp_flags",)),
        "gfp_zone": ("flags", "z", "bit"),
        "gfp_zonelist": ("flags",),
        "gfp_nested_mask": ("flags",),
        "gfp_has_io_fs": ("gfp",),
        "gfp_compaction_allowed": ("gfp_mask",),
    }.items():
        start, end = _span(texts[GFP], f"{name}()")
        body = texts[GFP][start:end]
        for local in locals_:
            new = f"{rng.choice(('mask', 'allocation', 'ctx', 'x'))}_{local[0]}{rng.randrange(100)}"
            body = re.sub(rf"\b{local}\b", new, body)
        texts[GFP] = texts[GFP][:start] + body + texts[GFP][end:]
    return texts


def _numbers(texts: Texts, rng: random.Random) -> Texts:
    """Plain masks of ungated flags as shifts, hex or decimal instead of enumerators; each has the bit of its row."""
    rows = re.findall(r"^\t___GFP_(\w+)_BIT,", texts[TYPES], re.MULTILINE)
    for bit, flag in enumerate(rows[: rows.index("ZEROTAGS") + 1]):
        new = rng.choice((f"(1UL << {bit})", f"{1 << bit:#x}ul", f"{1 << bit}UL", f"(1ul<<({bit - 1}+1))", ""))
        if new:
            texts[TYPES] = re.sub(rf"BIT\(___GFP_{flag}_BIT\)", new, texts[TYPES])
    return texts


def _defines_for_enum(texts: Texts, _: random.Random) -> Texts:
    """The enumerators of ungated flags as macros, each with its row's value; the enum goes on from there."""
    rows = re.findall(r"^\t___GFP_\w+_BIT,.*\n", texts[TYPES], re.MULTILINE)
    rows = rows[: next(n for n, row in enumerate(rows) if "ZEROTAGS" in row) + 1]
    block = "".join(rows)
    start = texts[TYPES].index(block)
    enum = texts[TYPES].rindex("enum {\n", 0, start)
    names = [re.findall(r"___GFP_\w+_BIT", row)[0] for row in rows]
    macros = "".join(f"#define {name} {bit}\n" for bit, name in enumerate(names))
    rest = f"enum {{\n\t___GFP_LAST_FIXED_BIT = {len(rows) - 1},\n"
    texts[TYPES] = texts[TYPES][:enum] + macros + rest + texts[TYPES][start + len(block) :]
    return texts


def _explicit_enum(texts: Texts, _: random.Random) -> Texts:
    """Every ungated enumerator with its value."""
    rows = re.findall(r"^\t(___GFP_\w+_BIT),", texts[TYPES], re.MULTILINE)
    for bit, row in enumerate(rows[: rows.index("___GFP_ZEROTAGS_BIT") + 1]):
        texts[TYPES] = re.sub(rf"^\t{row},", f"\t{row} = {bit:#x},", texts[TYPES], flags=re.MULTILINE)
    return texts


def _functions_moved(texts: Texts, rng: random.Random) -> Texts:
    """Helpers that need nothing of each other, in another place of the file."""
    moved = ["gfpflags_allow_blocking", "gfp_has_io_fs", "gfp_compaction_allowed", "gfp_nested_mask", "gfp_zonelist"]
    pieces = []
    for name in moved:
        span = _span(texts[GFP], f"{name}()")
        head = texts[GFP].rindex("\n", 0, span[0]) + 1
        pieces.append(texts[GFP][head : span[1]] + "\n\n")
        texts[GFP] = texts[GFP][:head] + texts[GFP][span[1] :]
    rng.shuffle(pieces)
    place = texts[GFP].index("static inline struct zonelist *node_zonelist")
    texts[GFP] = texts[GFP][:place] + "".join(pieces) + texts[GFP][place:]
    return texts


def _macros_moved(texts: Texts, rng: random.Random) -> Texts:
    """The composites in another order: a macro may be used before it is defined."""
    pattern = re.compile(r"^#define[ \t]+GFP_[A-Z_0-9]+\b(?:[^\n]*\\\n)*[^\n]*\n", re.MULTILINE)
    start = texts[TYPES].index("#define GFP_ATOMIC")
    macros = pattern.findall(texts[TYPES], start)
    rng.shuffle(macros)
    queue = iter(macros)
    texts[TYPES] = texts[TYPES][:start] + pattern.sub(lambda _: next(queue), texts[TYPES][start:])
    return texts


def _crlf(texts: Texts, _: random.Random) -> Texts:
    return {p: t.replace("\n", "\r\n") if p in {GFP, TYPES} else t for p, t in texts.items()}


_RULES: dict[str, Callable[[Texts, random.Random], Texts]] = {
    "blanks": _in_both(_spaces),
    "comments": _in_both(_comments),
    "comment lines": _in_both(_comment_lines),
    "blank lines": _in_both(_blank_lines),
    "broken lines": _in_both(_broken_lines),
    "operands": _in_both(_operands),
    "parentheses": _in_both(_parentheses),
    "composites spelled out": _in_both(_spelled_out),
    "parameters renamed": _renamed,
    "numbers for enumerators": _numbers,
    "macros for enumerators": _defines_for_enum,
    "enumerators with values": _explicit_enum,
    "functions moved": _functions_moved,
    "macros moved": _macros_moved,
    "CRLF": _crlf,
}

#: How often each rule is tried: those that pick places at random more than once.
_TIMES = {"operands": 2, "parentheses": 2, "numbers for enumerators": 2}

_NESTED = "gfp_nested_mask()"
_TWO_LISTS = r"\(\(flags & (\([^)]*\))\) \|\s+(\([^)]*\))\)"
_BODY = r"return [^;]*;"

_HAND = (
    sub("nested: De Morgan", GFP, _NESTED, (_TWO_LISTS, r"~(~(flags & \1) & ~\2)")),
    sub("nested: force first", GFP, _NESTED, (_TWO_LISTS, r"(\2 | (flags & \1))")),
    sub(
        "nested: a local for each list",
        GFP,
        _NESTED,
        (f"return {_TWO_LISTS};", r"const gfp_t a = \1, b = \2;\n\treturn (flags & a) | b;"),
    ),
    sub("nested: + for | of what is apart", GFP, _NESTED, (r"\)\) \|", ")) +")),
    sub("nested: ^ for | of what is apart", GFP, _NESTED, (r"\)\) \|", ")) ^")),
    sub("nested: zone bits cleared first", GFP, _NESTED, (r"\(flags & ", "((flags & ~GFP_ZONEMASK) & ")),
    sub(
        "nested: flag by flag",
        GFP,
        _NESTED,
        (
            _BODY,
            (
                "gfp_t y = __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_NORETRY;\n"
                "\tif (flags & __GFP_IO)\n\t\ty |= __GFP_IO;\n"
                "\tif (flags & __GFP_FS)\n\t\ty |= __GFP_FS;\n\tif (flags & __GFP_HIGH)\n\t\ty |= __GFP_HIGH;\n"
                "\ty |= flags & __GFP_DIRECT_RECLAIM;\n"
                "\ty |= flags & __GFP_KSWAPD_RECLAIM ? __GFP_KSWAPD_RECLAIM : 0;\n"
                "\treturn y | (flags & __GFP_NOLOCKDEP);"
            ),
        ),
    ),
    sub("nested: a forced flag kept too", GFP, _NESTED, (r"\(GFP_KERNEL \|", "(GFP_KERNEL | __GFP_NOWARN |")),
    sub(
        "nested: a macro put between",
        GFP,
        "",
        (
            r"(static inline gfp_t gfp_nested_mask)",
            r"#define nested_context(f) ((f) & (GFP_KERNEL | GFP_ATOMIC | __GFP_NOLOCKDEP))\n\1",
        ),
        (r"\(flags & \(GFP_KERNEL \| GFP_ATOMIC \| __GFP_NOLOCKDEP\)\)", "nested_context(flags)"),
    ),
    sub("blocking: without !!", GFP, "gfpflags_allow_blocking()", (r"!!", "")),
    sub("blocking: != 0", GFP, "gfpflags_allow_blocking()", (r"!!(\([^)]*\))", r"0 != \1")),
    sub(
        "blocking: with if",
        GFP,
        "gfpflags_allow_blocking()",
        (_BODY, "if (gfp_flags & __GFP_DIRECT_RECLAIM)\n\t\treturn true;\n\treturn false;"),
    ),
    sub(
        "blocking: with a ternary",
        GFP,
        "gfpflags_allow_blocking()",
        (_BODY, "return ~gfp_flags & __GFP_DIRECT_RECLAIM ? 0 : 1;"),
    ),
    sub("io and fs: with &&", GFP, "gfp_has_io_fs()", (_BODY, "return (gfp & __GFP_IO) && (gfp & __GFP_FS);")),
    sub("io and fs: De Morgan", GFP, "gfp_has_io_fs()", (_BODY, "return !(~gfp & (__GFP_FS | __GFP_IO));")),
    sub("io and fs: >=", GFP, "gfp_has_io_fs()", (r"==", ">=")),
    sub(
        "compaction: with #ifdef",
        GFP,
        "gfp_compaction_allowed()",
        (_BODY, "#ifdef CONFIG_COMPACTION\n\treturn gfp_mask & __GFP_IO;\n#else\n\treturn false;\n#endif"),
    ),
    sub("compaction: & for &&", GFP, "gfp_compaction_allowed()", (r"&& (\([^)]*\))", r"& !!\1")),
    sub(
        "zonelist: with a ternary",
        GFP,
        "gfp_zonelist()",
        (r"if \(unlikely\((.*)\)\)\n\t\t(return) (\w+);", r"\2 \1 ? \3 : ZONELIST_FALLBACK;"),
    ),
    sub("zonelist: likely for unlikely", GFP, "gfp_zonelist()", (r"unlikely", "likely")),
    sub("migratetype: numbers for names", GFP, "gfp_migratetype()", (r"return MIGRATE_UNMOVABLE", "return 0")),
    sub(
        "migratetype: warns under if",
        GFP,
        "gfp_migratetype()",
        (r"VM_WARN_ON\((.*)\);", r"if (\1)\n\t\tVM_WARN_ON(1);"),
    ),
    sub("zone: BUG before the lookup", GFP, "gfp_zone()", (r"(\tz = [^;]*;\n)(\tVM_BUG_ON[^;]*;\n)", r"\2\1")),
    sub(
        "zone: two lookups by movability",
        GFP,
        "gfp_zone()",
        (r"\tz = ", "\tif (bit == ___GFP_MOVABLE)\n\t\treturn ZONE_NORMAL;\n\tz = "),
    ),
    sub(
        "table: an entry twice",
        GFP,
        "GFP_ZONE_BAD",
        (
            r"\| 1 << \(___GFP_DMA \| ___GFP_DMA32\)",
            "| 1 << (___GFP_DMA | ___GFP_DMA32) | 1 << (___GFP_DMA32 | ___GFP_DMA)",
        ),
    ),
    sub("composite through another", TYPES, "GFP_USER", (r"__GFP_RECLAIM \| __GFP_IO \| __GFP_FS", "GFP_KERNEL")),
    sub("composite by subtraction", TYPES, "GFP_NOFS", (r"\(.*\)", "(GFP_KERNEL & ~__GFP_FS)")),
    sub("composite as a cast number", TYPES, "GFP_ATOMIC", (r"\(.*\)", "((__force gfp_t)0x820u)")),
    sub("composite with a flag twice", TYPES, "GFP_NOWAIT", (r"\(__GFP", "(__GFP_NOWARN | __GFP")),
    sub(
        "reclaim as two typed flags",
        TYPES,
        "__GFP_RECLAIM",
        (r"\(\(__force.*", "(__GFP_KSWAPD_RECLAIM | __GFP_DIRECT_RECLAIM)"),
    ),
    sub(
        "mask of all bits with a wide one",
        TYPES,
        "__GFP_BITS_MASK",
        (r"\(1 << __GFP_BITS_SHIFT\)", "(1ULL << __GFP_BITS_SHIFT)"),
    ),
    sub(
        "mask of all bits by complement",
        TYPES,
        "__GFP_BITS_MASK",
        (r"\(1 << __GFP_BITS_SHIFT\) - 1", "~(~0U << __GFP_BITS_SHIFT)"),
    ),
    sub("#if defined for #ifdef", TYPES, "", (r"#ifdef (CONFIG_\w+)", r"#if defined(\1)"), count=6),
    sub(
        "IS_ENABLED for #ifdef",
        TYPES,
        "",
        (
            r"#ifdef CONFIG_LOCKDEP\n#define (___GFP_NOLOCKDEP)\t(.*)\n#else\n.*\n#endif",
            r"#ifdef CONFIG_LOCKDEP\n# define \1 \2\n#endif\n#ifndef \1\n# define \1 0\n#endif",
        ),
    ),
    sub("zones: a comment in the enum", MMZONE, "", (r"enum zone_type \{", "enum zone_type { /* lowest first */")),
)

#: Edits that change no meaning.
PRESERVING: tuple[Edit, ...] = (
    *(Edit(f"{name} {n}" if n else name, make) for name, make in _RULES.items() for n in range(_TIMES.get(name, 1))),
    *_HAND,
)

#: Rules that go with each other, in this order, all in one header.
TOGETHER = (
    "operands",
    "parentheses",
    "composites spelled out",
    "parameters renamed",
    "numbers for enumerators",
    "functions moved",
    "macros moved",
    "comments",
    "blanks",
    "blank lines",
    "comment lines",
    "CRLF",
)


# What a text means, as sets of names: the expectation of a changing edit.


class _Set(frozenset[str]):
    """Flags of an expression; ``~`` is taken within every flag."""

    every: frozenset[str] = frozenset()

    def __invert__(self) -> _Set:
        return _Set(self.every - self)

    def __or__(self, other: object) -> _Set:  # type: ignore[override]
        return _Set(frozenset.__or__(self, other))  # type: ignore[operator]

    def __and__(self, other: object) -> _Set:
        return _Set(frozenset.__and__(self, other))  # type: ignore[operator]


@dataclass(frozen=True)
class Known:
    """
    What a header says, as sets.

    :ivar composites: the flags of each composite
    :ivar keep: the flags that the nested filter keeps
    :ivar force: the flags that it sets
    """

    composites: Mapping[str, frozenset[str]]
    keep: frozenset[str]
    force: frozenset[str]


def read(texts: Texts) -> Known:
    """Return what the composites and the nested filter of *texts* are, every CONFIG symbol on."""
    code = re.sub(r"/\*.*?\*/", " ", texts[TYPES], flags=re.DOTALL).replace("\\\n", " ")
    macros = dict(re.findall(r"^#define[ \t]+(_{0,2}GFP_\w+)[ \t]+(.*)$", code, re.MULTILINE))
    flags = {n for n in macros if re.fullmatch(rf"\s*\(\(__force gfp_t\)_{n}\)\s*", macros[n])}
    _Set.every = frozenset(flags)
    names: dict[str, _Set] = {n: _Set([n]) for n in flags} | {f"_{n}": _Set([n]) for n in flags}
    wanted = {n: x for n, x in macros.items() if n not in flags and "BITS" not in n}

    def value(expression: str) -> _Set:
        for name in re.findall(r"\b_{0,2}GFP_\w+", expression):
            if name in wanted and name not in names:
                names[name] = value(wanted[name])
        plain = expression.replace("((__force gfp_t)0)", "none").replace("(__force gfp_t)", "")
        # Names and | & ~ ( ) only: a header of the tests, no foreign input.
        return eval(plain, {"__builtins__": {}}, names)  # type: ignore[no-any-return]  # noqa: S307

    names |= {"none": _Set(), "flags": _Set()}
    composites = {n: value(x) for n, x in wanted.items() if n != "GFP_ZONES_SHIFT"}
    start, end = _span(texts[GFP], _NESTED)
    match = re.search(r"return (.*?);", texts[GFP][start:end], re.DOTALL)
    if not match:
        message = "gfp_nested_mask() returns nothing"
        raise EditError(message)
    expression = " ".join(match[1].split())
    force = value(expression)
    names["flags"] = _Set(flags)
    return Known(composites, value(expression) - force, force)


def changes(old: Known, new: Known) -> dict[str, dict[str, str]]:
    """Return what becomes of each flag in the composites and the nested filter that differ."""
    found: dict[str, dict[str, str]] = {}
    for name, flags in new.composites.items():
        before = old.composites[name]
        one = dict.fromkeys(sorted(flags - before), "absent -> present")
        one |= dict.fromkeys(sorted(before - flags), "present -> absent")
        if one:
            found[name] = one
    nested = {}
    for flag in sorted({*old.keep, *old.force, *new.keep, *new.force}):
        was, now = ("force" if flag in k.force else "keep" if flag in k.keep else "drop" for k in (old, new))
        if was != now:
            nested[flag] = f"{was} -> {now}"
    return found | ({"gfp_nested_mask": nested} if nested else {})


_LISTS = (
    *("GFP_ATOMIC", "GFP_KERNEL", "GFP_KERNEL_ACCOUNT", "GFP_NOWAIT", "GFP_NOFS", "GFP_USER", "GFP_HIGHUSER"),
    *("GFP_ZONEMASK", "GFP_HIGHUSER_MOVABLE", "GFP_TRANSHUGE_LIGHT", "GFP_TRANSHUGE", _NESTED),
)


def changed_list(texts: Texts, rng: random.Random) -> tuple[str, Texts]:
    """
    Return *texts* with one flag added to, taken from, or exchanged in one list of flags, and what was done.

    The lists are those of the composites, and the two of the nested filter. Whether it changes any meaning is
    for :func:`changes` to say: a flag may be there by another name.
    """
    place = rng.choice(_LISTS)
    file = GFP if place == _NESTED else TYPES
    flags = sorted(set(re.findall(r"#define (__GFP_\w+)\s+\(\(__force gfp_t\)___", texts[TYPES])) - {"__GFP_RECLAIM"})
    start, end = _span(texts[file], place)
    text = texts[file][start:end]
    head = text.index("{") if place == _NESTED else text.index("(")
    names = [m for m in re.finditer(r"\b_{0,2}GFP_\w+", text) if m.start() > head]
    one, flag, way = rng.choice(names), rng.choice(flags), rng.choice(("add", "exchange", "remove"))
    new = {"add": f"{one[0]} | {flag}", "exchange": flag, "remove": "((__force gfp_t)0)"}[way]
    # "x | y & z" means something else: a list that ends in & keeps its parentheses.
    text = text[: one.start()] + f"({new})" + text[one.end() :]
    what = f"{place}: {way} {one[0]}{'' if way == 'remove' else f' and {flag}'}"
    return what, {**texts, file: texts[file][:start] + text + texts[file][end:]}
