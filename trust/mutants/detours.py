# SPDX-License-Identifier: GPL-2.0-only
"""
Detours: a flag of a helper is reached through a variable, an enumerator, a type, a table or a function.

What stands in is defined twice, under a symbol of the configuration and otherwise. Half of the detours mean
what was there before in either case; the other half do so in one case only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tokens import GFP

if TYPE_CHECKING:
    import random

    from .sites import Sites
    from .tokens import Edit

#: What is defined for a value, and how it is used: N is the name, V the value.
_SHAPES = {
    "variable": ("static const gfp_t N = V;", "N"),
    "plain variable": ("static gfp_t N = V;", "N"),
    "enumerator": ("enum { N = (int)(V) };", "((gfp_t)N)"),
    "macro": ("#define N V", "N"),
    "macro with an argument": ("#define N(x) ((x) | V)", "N((gfp_t)0)"),
    "function": ("static inline gfp_t N(void) { return V; }", "N()"),
    "function with an argument": ("static inline gfp_t N(gfp_t x) { return x & V; }", "N(~(gfp_t)0)"),
    "array": ("static const gfp_t N[] = { 0, V };", "N[1]"),
    "structure": ("static const struct N_s { gfp_t a, b; } N = { .b = V };", "N.b"),
    "size of a type": ("typedef char N[(unsigned int)(V) + 1];", "((gfp_t)(sizeof(N) - 1))"),
    "size of a structure": ("struct N { char a[(unsigned int)(V)]; };", "((gfp_t)sizeof(struct N))"),
    "union": ("static const union { gfp_t a; unsigned int b; } N = { .a = V };", "N.b"),
    "pointer": ("static const gfp_t N_v = V; static const gfp_t *const N = &N_v;", "(*N)"),
}

#: The same without a definition of its own: S is the symbol, A the value where it is on, B where it is off.
_INLINE = {
    "IS_ENABLED": "(IS_ENABLED(S) ? A : B)",
    "#ifdef inside": "\n#ifdef S\nA\n#else\nB\n#endif\n",
    "choose": "__builtin_choose_expr(IS_ENABLED(S), A, B)",
    "statement": "({ gfp_t N_x = B; if (IS_ENABLED(S)) N_x = A; N_x; })",
    "table inside": "((const gfp_t[]){ B, A })[IS_ENABLED(S)]",
}

#: Types that a mask is passed through, by the symbol.
_TYPES = (("unsigned int", "unsigned int"), ("unsigned int", "unsigned short"), ("unsigned char", "unsigned int"))


def fits(sites: Sites, i: int) -> bool:
    """Return whether token *i* is a typed flag in a function of ``gfp.h`` that is judged."""
    token = sites.tokens[i]
    if token.path != GFP or token.directive or token.text not in sites.origin.names["typed"]:
        return False
    return any(d.name == token.where for d in sites.origin.functions())


def make(sites: Sites, i: int, rng: random.Random) -> list[Edit]:
    """Return the edits that lead the flag at token *i* through something else."""
    token = sites.tokens[i]
    function = next(d for d in sites.origin.functions() if d.start <= token.start < d.end)
    symbol = rng.choice([*sites.origin.names["symbol"], "CONFIG_SMP"])
    right = token.text
    wrong = right if rng.random() < 0.3 else rng.choice(sites.origin.names["typed"])  # noqa: PLR2004 - often the same
    on, off = (right, wrong) if rng.random() < 0.5 else (wrong, right)  # noqa: PLR2004 - either
    name = f"mutant_{i}"
    draw = rng.randrange(len(_SHAPES) + len(_INLINE) + 2)
    if draw < len(_SHAPES):
        shape, use = list(_SHAPES.values())[draw]
        return [_defined(function.start, name, symbol, (shape, on, off)), sites.edit(i, i, use.replace("N", name))]
    if draw < len(_SHAPES) + len(_INLINE):
        text = list(_INLINE.values())[draw - len(_SHAPES)]
        parts = {"N": name, "S": symbol, "A": on, "B": off}
        # Each letter stands alone: names are longer.
        return [sites.edit(i, i, _filled(text, parts))]
    if draw == len(_SHAPES) + len(_INLINE):
        types = rng.choice(_TYPES)
        text = f"#ifdef {symbol}\ntypedef {types[0]} {name};\n#else\ntypedef {types[1]} {name};\n#endif\n"
        return [(GFP, function.start, function.start, text), sites.edit(i, i, f"((gfp_t)({name}){right})")]
    # The flag itself is another in front of this function, and as before behind it.
    before = f'#ifdef {symbol}\n#pragma push_macro("{right}")\n#undef {right}\n#define {right} {wrong}__\n#endif\n'
    alias = f"static const gfp_t {wrong}__ = {wrong};\n"
    after = f'\n#ifdef {symbol}\n#pragma pop_macro("{right}")\n#endif\n'
    return [(GFP, function.start, function.start, alias + before), (GFP, function.end, function.end, after)]


def _defined(at: int, name: str, symbol: str, what: tuple[str, str, str]) -> Edit:
    shape, on, off = what
    one, other = (_filled(shape, {"N": name, "V": value}) for value in (on, off))
    return (GFP, at, at, f"#ifdef {symbol}\n{one}\n#else\n{other}\n#endif\n")


def _filled(text: str, parts: dict[str, str]) -> str:
    out, word = [], ""
    for c in f"{text}\0":
        if c.isalnum() or c == "_":
            word += c
            continue
        stem, _, rest = word.partition("_")
        out.append(parts.get(word, f"{parts[stem]}_{rest}" if stem in parts and rest and stem == "N" else word))
        out.append(c)
        word = ""
    return "".join(out)[:-1]
