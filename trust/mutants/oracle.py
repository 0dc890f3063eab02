# SPDX-License-Identifier: GPL-2.0-only
"""
A second opinion on whether two headers mean the same, which shares the shims with pygfp and nothing else.

First the preprocessor: where the token stream of the compiled text, with every GFP macro expanded behind it, is
the same in every configuration that is looked at, the texts are the same. Then the compiler: one plain function a
helper and a constant, compared as machine code; helpers whose code differs are run on every input.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pygfp.sources import csrc

from .tokens import TYPES, one_mask

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Texts = Mapping[str, bytes]
    Config = tuple[str, ...]
    Streams = Mapping[Config, str]
    Code = dict[str, str]

MMZONE = "include/linux/mmzone.h"

#: What Kconfig ties to another word size than that of this machine; pygfp leaves these off, and says so.
UNREACHABLE = {"CONFIG_HIGHMEM"} if os.uname().machine.endswith("64") else {"CONFIG_ZONE_DMA32"}

#: How many configurations are looked at: every combination of the symbols of flags and zones, as far as this goes.
N_CONFIGS = 64

_FLAGS = ("-std=gnu11", "-nostdinc", "-fno-strict-aliasing", "-fno-strict-overflow", "-funsigned-char", "-fshort-wchar")
_STRICT = ("-Werror=implicit-function-declaration", "-Werror=implicit-int", "-Werror=return-type")
_SYMBOL = re.compile(rb"\bCONFIG_\w+")
_DEFINED = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_MASK = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(_*GFP_\w+)(?!\w|\()", re.MULTILINE)
_CALLED = "gfp_kmemleak_mask"
_ENUMERATOR = re.compile(rb"\b((?:ZONE|ZONELIST|MIGRATE)_\w+)")
_LINES = re.DOTALL | re.MULTILINE
_DATA = "value|size|enumerator|typed"

#: The enumerators that helpers are documented to return.
RETURNED = {
    "gfp_zone": ("ZONE_DMA", "ZONE_DMA32", "ZONE_NORMAL", "ZONE_HIGHMEM", "ZONE_MOVABLE"),
    "gfp_zonelist": ("ZONELIST_FALLBACK", "ZONELIST_NOFALLBACK"),
    "gfp_migratetype": ("MIGRATE_UNMOVABLE", "MIGRATE_MOVABLE", "MIGRATE_RECLAIMABLE"),
}

#: The same text in every configuration that is looked at.
TOKENS = "same tokens"

#: Macros that are no masks, which the header has for its helpers: what these do is what such a macro means.
PARTS = ("GFP_ZONE_TABLE", "GFP_ZONE_BAD", "GFP_ZONES_SHIFT", "GFP_MOVABLE_SHIFT")

#: Same but for enumerators and PARTS: helpers are compared by the names of what they return, not by the numbers.
LOOSE = "same but for enumerators and macros that helpers are made of"


@dataclass(frozen=True)
class Opinion:
    """
    What the oracle says.

    :ivar verdict: ``same tokens``, ``same code``, ``same values``, ``differs`` or ``does not compile``
    :ivar why: where it differs, or what the compiler says
    """

    verdict: str
    why: str = ""

    @property
    def equal(self) -> bool:
        """Whether both mean the same."""
        return self.verdict.startswith("same")


@dataclass
class Oracle:
    """
    Compares texts in a directory of its own.

    :ivar workdir: where compilers run
    :ivar stubs: includes that stand empty
    :ivar n_compiled: in how many of the configurations with another text that text is compiled
    """

    workdir: Path
    stubs: Sequence[str] = ()
    n_compiled: int = 16
    _zones: dict[object, dict[Config, int]] = field(default_factory=dict)
    _known: dict[object, Code] = field(default_factory=dict)

    def compare(self, old: Texts, new: Texts) -> Opinion:
        """Return whether *old* and *new* mean the same."""
        configs = configurations(old, new)
        sides = [self._side(name, texts, new) for name, texts in (("old", old), ("new", new))]
        try:
            streams = [self._streams(side, configs) for side in sides]
            differing = [c for c in configs if streams[0][c] != streams[1][c]]
            if not differing:
                return Opinion(TOKENS, f"{len(configs)} configurations")
            return self._compiled(sides, differing, streams)
        except CompileError as exc:
            return Opinion("does not compile", str(exc))

    def compiles(self, texts: Texts, old: Texts) -> Opinion:
        """Return whether *texts* compile at all, in some of the configurations."""
        side = self._side("new", texts, old)
        configs = configurations(old, texts)
        try:
            streams = self._streams(side, configs)
            for config in _some(configs, self.n_compiled):
                self._code_of(side, config, streams[config], constant=False)
        except CompileError as exc:
            return Opinion("does not compile", str(exc))
        return Opinion("same code", "it compiles")

    def _side(self, name: str, texts: Texts, other: Texts) -> Side:
        directory = self.workdir / name
        for path, text in texts.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(text)
        for stub in self.stubs:
            (directory / "stub" / stub).parent.mkdir(parents=True, exist_ok=True)
            (directory / "stub" / stub).write_bytes(b"")
        macros = {m.decode() for t in (texts, other) for body in t.values() for m in _DEFINED.findall(body)}
        return Side(directory, texts, tuple(sorted(macros)), Names.of(texts))

    def _streams(self, side: Side, configs: Sequence[Config]) -> dict[Config, str]:
        """The preprocessed text of each configuration, white space folded."""
        zones = self._count_zones(side, configs)
        out = []
        for n, config in enumerate(configs):
            out += [*_head(config, zones[config]), f"ORACLE_BEGIN {n}", *side.includes()]
            out += [line for m in side.names.masks for line in (f"#ifdef {m}", f'ORACLE "{m}" {m}', "#endif")]
            out += [f"#ifdef {_CALLED}", f'ORACLE "{_CALLED}" {_CALLED}(oracle_x)', "#endif", "ORACLE_END"]
            out += [*(f"#undef {m}" for m in side.macros), *(f"#undef {s}" for s in config)]
        text = side.run("-E", "-P", source="\n".join(out))
        found = re.findall(r"ORACLE_BEGIN (\d+)(.*?)ORACLE_END", text, re.DOTALL)
        if len(found) != len(configs):
            raise CompileError(f"{len(found)} of {len(configs)} texts came back")
        return {configs[int(n)]: " ".join(body.split()) for n, body in found}

    def _count_zones(self, side: Side, configs: Sequence[Config]) -> dict[Config, int]:
        """How many zones the enumeration has, as the value of a constant in assembly."""
        text = side.texts[MMZONE]
        symbols = {s.decode() for s in _SYMBOL.findall(text)}
        key = (text, tuple(configs))
        if key not in self._zones:
            relevant = {c: tuple(s for s in c if s in symbols) for c in configs}
            distinct = sorted(set(relevant.values()))
            out = ["#include <pygfp/compiler.h>", "#include <pygfp/types.h>", "#define __GENERATING_BOUNDS_H"]
            undo = sorted({m.decode() for m in _DEFINED.findall(text)})
            for n, config in enumerate(distinct):
                out += [*(f"#define {s} 1" for s in config), f"int zones_{n}(void) {{", f'#include "{MMZONE}"']
                out += ["return __MAX_NR_ZONES; }", *(f"#undef {m}" for m in (*undo, *config))]
            assembly = side.run("-S", "-O1", "-fno-asynchronous-unwind-tables", source="\n".join(out))
            found = re.findall(
                r"^zones_(\d+):.*?(?:movl\s+\$(-?\d+), %eax|xorl\s+%eax)", assembly, re.DOTALL | re.MULTILINE
            )
            counts = {int(n): int(value or 0) for n, value in found}
            self._zones[key] = {c: counts[distinct.index(r)] for c, r in relevant.items()}
        return self._zones[key]

    def _compiled(self, sides: Sequence[Side], configs: Sequence[Config], streams: Sequence[Streams]) -> Opinion:
        """Compare machine code, and values where that differs, in some of *configs*."""
        ran: dict[tuple[str, str, str], str] = {}
        chosen = _some(configs, self.n_compiled)
        loose: set[str] = set()
        for config in chosen:
            one, other = self._codes(sides, config, streams)
            unlike = [n for n in {**one, **other} if one.get(n) != other.get(n)]
            loose |= {n for n in unlike if n.startswith("enumerator_") or n.removeprefix("value_") in PARTS}
            for name in [n for n in unlike if n not in loose]:
                if not name.startswith("helper_") or name not in one or name not in other:
                    return Opinion("differs", f"{name}: {one.get(name, 'none')} / {other.get(name, 'none')}, {config}")
                key = (name, one[name], other[name])
                if key not in ran:
                    # Every configuration is looked at on as many bits as the one with the most flags has.
                    bits = max(map(_bits, self._codes(sides, max(streams[0], key=len), streams)))
                    ran[key] = self._run(sides, config, streams, name, bits)
                if ran[key]:
                    return Opinion("differs", f"{name} {ran[key]}, {config}")
        how = f"{len(chosen)} of {len(configs)} configurations with other text"
        if loose:
            return Opinion(LOOSE, f"{', '.join(sorted(loose))}; {how}")
        return Opinion("same values", f"{', '.join(k[0] for k in ran)}; {how}") if ran else Opinion("same code", how)

    def _codes(self, sides: Sequence[Side], config: Config, streams: Sequence[Streams]) -> tuple[Code, Code]:
        """The machine code of both sides; what is no constant on one of them is a function on both."""
        old, new = ((side, config, t[config]) for side, t in zip(sides, streams, strict=True))
        try:
            after, constant = self._code_of(*new, constant=True), True
        except CompileError:
            after, constant = self._code_of(*new, constant=False), False
        key = (config, constant, *sorted(sides[0].texts.items()))
        if key not in self._known:
            self._known[key] = self._code_of(*old, constant=constant)
        return self._known[key], after

    def _code_of(self, side: Side, config: Config, stream: str, *, constant: bool) -> Code:
        """The machine code of each probe, labels numbered from its start."""
        driver = self._driver(side, config, stream, constant=constant)
        text = side.run("-S", "-O2", "-fno-asynchronous-unwind-tables", *_STRICT, source=driver)
        found = re.findall(rf"^((?:helper|{_DATA})_\w+):\n(.*?)^(?:\t\.size\t\1|\t\.globl)", text, _LINES)
        # What a function refers to is part of it: tables in read-only data.
        ours = re.sub(rf"^(?:{_DATA})_\w+:\n.*$", "", text, flags=re.MULTILINE)
        data = " ".join(sorted(re.findall(r"^\t\.(?:long|quad|byte|value|string|zero)\t.*$", ours, re.MULTILINE)))
        code = {name: _plain(body) for name, body in found}
        return {n: b + (data if "(%rip)" in b else "") for n, b in code.items()}

    def _driver(self, side: Side, config: Config, stream: str, *, constant: bool) -> str:
        zones = self._count_zones(side, [config])
        out = ["#include <pygfp/types.h>", *_head(config, zones[config]), "extern void pygfp_build_bug(void);"]
        out += side.includes()
        helpers = [n for n in side.names.helpers if re.search(rf"\b{n}\s*\([^(){{}};]*\)\s*\{{", stream)]
        defined = stream.partition("ORACLE")[0]
        enumerators = [e for e in side.names.enumerators if re.search(rf"\b{e}\b", defined)]
        out += [_probe(n, enumerators) for n in helpers]
        out += [f"#ifdef {_CALLED}", _probe(_CALLED, ()), "#endif"]
        form = "const u64 value_{0} = (u64)({0});" if constant else "u64 value_{0}(void) {{ return (u64)({0}); }}"
        # A macro without a body has no value.
        out += [form.format(m) for m in side.names.masks if re.search(rf'ORACLE "{m}" (?!ORACLE)', stream)]
        typed = [m for m in side.names.masks if m not in {*PARTS, "__GFP_BITS_SHIFT"} and not m.startswith("___")]
        is_gfp_t = "const int typed_{0} = __builtin_types_compatible_p(__typeof__({0}), gfp_t);"
        out += [is_gfp_t.format(m) for m in typed if re.search(rf'ORACLE "{m}" (?!ORACLE)', stream)]
        out += [f"const int enumerator_{e} = {e};" for e in enumerators]
        out += ["const int size_gfp_t = sizeof(gfp_t) * (((gfp_t)-1 < (gfp_t)0) ? -1 : 1);"]
        return "\n".join(out) + "\n"

    def _run(self, sides: Sequence[Side], config: Config, streams: Sequence[Streams], name: str, bits: int) -> str:
        """Run one helper of both sides on every input; return the first that differs, or ``""``."""
        for side, stream in zip(sides, streams, strict=True):
            driver = self._driver(side, config, stream[config], constant=False)
            side.run("-shared", "-fPIC", "-O2", "-o", "side.so", source=driver)
        runner = self.workdir / "runner"
        if not runner.is_file():
            text = Path(__file__).with_name("runner.c")
            subprocess.run(["gcc", "-O2", text, "-o", runner, "-ldl"], check=True)
        command = [str(runner), *(str(s.directory / "side.so") for s in sides), name, str(bits)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return "does not return"
        if "pygfp_build_bug" in done.stderr:
            return "has a BUILD_BUG_ON that fires"
        return done.stdout.strip() or (f"ends with {done.returncode}" if done.returncode else "")


class CompileError(Exception):
    """The compiler refuses a text."""


@dataclass(frozen=True)
class Names:
    """What is probed: read off the text by patterns of its own."""

    masks: tuple[str, ...]
    helpers: tuple[str, ...]
    enumerators: tuple[str, ...]

    @classmethod
    def of(cls, texts: Texts) -> Names:
        """Return what *texts* seem to define."""
        plain = {p: re.sub(rb"/\*.*?\*/", b" ", body, flags=re.DOTALL) for p, body in texts.items()}
        masks = {m.decode() for body in plain.values() for m in _MASK.findall(body)}
        enumerators = {m.decode() for m in _ENUMERATOR.findall(plain.get(MMZONE, b""))}
        return cls(tuple(sorted(masks)), tuple(sorted(one_mask(plain))), tuple(sorted(enumerators)))


@dataclass(frozen=True)
class Side:
    """One text, written to a directory."""

    directory: Path
    texts: Texts
    macros: tuple[str, ...]
    names: Names

    def includes(self) -> list[str]:
        """Return the lines that include it."""
        return [f'#include "{path}"' for path in self.texts]

    def run(self, *arguments: str, source: str) -> str:
        """
        Return what the compiler prints for *source*.

        :raises CompileError: it refuses
        """
        (self.directory / "oracle.c").write_text(source)
        shims = csrc() / "shim"
        places = ["-I.", "-Iinclude", f"-I{shims}", "-Istub", f"-I{csrc()}"]
        to = [] if "-o" in arguments else ["-o", "-"]
        # "-w" would also make errors of _STRICT nothing.
        quiet = [] if set(_STRICT) & set(arguments) else ["-w"]
        command = ["gcc", *_FLAGS, *quiet, *places, *arguments, "oracle.c", *to]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise CompileError(next((x for x in done.stderr.splitlines() if "error" in x), done.stderr[:200]))
        return done.stdout


def configurations(*texts: Texts) -> list[Config]:
    """
    Return the configurations that are looked at, each as the symbols that are on.

    Every combination of the symbols of flags and zones as far as there is room; the others by lot, with all and none.
    """
    every = {s.decode() for t in texts for body in t.values() for s in _SYMBOL.findall(body)} - UNREACHABLE
    main = {
        s.decode()
        for t in texts
        for p in (TYPES, MMZONE)
        for s in _SYMBOL.findall(t.get(p, b""))
        if b"ZONE_" in s or p == TYPES
    }
    crossed, others = sorted(every & main), sorted(every - main)
    rng = random.Random(1)
    rows = list(itertools.product((0, 1), repeat=len(crossed)))
    if len(rows) > N_CONFIGS:
        rows = [rows[0], rows[-1], *rng.sample(rows[1:-1], N_CONFIGS - 2)]
    while len(rows) < N_CONFIGS // 2:
        rows += rows
    found = []
    for n, row in enumerate(rows):
        rest = [n % 2] * len(others) if n in {0, len(rows) - 1} else [rng.randrange(2) for _ in others]
        on = [s for s, bit in zip([*crossed, *others], [*row, *rest], strict=True) if bit]
        found.append(tuple(on))
    return sorted(set(found))


def _some(configs: Sequence[Config], n: int) -> list[Config]:
    """*n* of *configs*, such that any two symbols are seen on and off together as far as *n* goes."""
    symbols = sorted({s for config in configs for s in config})
    pairs = {c: {(a, a in c, b, b in c) for a, b in itertools.combinations(symbols, 2)} for c in configs}
    chosen: list[Config] = []
    seen: set[object] = set()
    left = sorted(configs, key=len)
    while left and len(chosen) < n:
        best = max(left, key=lambda c: len(pairs[c] - seen))
        chosen.append(best)
        left.remove(best)
        seen |= pairs[best]
    return chosen


def _head(config: Config, zones: int) -> list[str]:
    return [
        *(f"#define {s} 1" for s in config),
        *("#undef MAX_NR_ZONES", "#undef ZONES_SHIFT", f"#define MAX_NR_ZONES {zones}"),
        f"#define ZONES_SHIFT {max(zones - 1, 0).bit_length()}",
        *("#include <pygfp/compiler.h>", "#include <pygfp/kernel.h>"),
    ]


def _bits(code: Code) -> int:
    """How many bits to run through: as many as flags, and the shift, need; 28 where that cannot be told."""
    found = [28]
    for name, body in code.items():
        value = re.search(r"\.quad\t(\d+)", body)
        if name == "value___GFP_BITS_SHIFT" and value:
            found = [int(value[1]), *found[1:]]
        elif name.startswith("value___GFP_") and "BITS" not in name and value:
            found.append(int(value[1]).bit_length())
    return min(max(found), 32)


def _plain(body: str) -> str:
    """Assembly without what only numbers it."""
    numbers: dict[str, str] = {}
    lines = [x for x in body.splitlines() if not re.match(r"\t\.(loc|file|cfi_|p2align|type|section|text|globl)", x)]
    return re.sub(r"\.L\w+", lambda m: numbers.setdefault(m.group(), f".L{len(numbers)}"), "\n".join(lines))


def _probe(name: str, enumerators: Collection[str]) -> str:
    """A function that does what a helper does; what it is documented to return goes by name."""
    named = [(n, e) for n, e in enumerate(RETURNED.get(name, ()), 1000) if e in enumerators]
    result = "".join(f"v == (u64){e} ? {n} : " for n, e in named) + "v"
    return _PROBE.replace("RESULT", result).replace("NAME", name)


_PROBE = """
void helper_NAME(gfp_t oracle_x, u32 ungrouped, u64 *out)
{
	u64 v;

	pygfp_ungrouped = ungrouped;
	pygfp_bug = pygfp_warned = 0;
	v = (u64)(NAME(oracle_x));
	out[0] = RESULT;
	out[1] = !!pygfp_bug;
	out[2] = !!pygfp_warned;
	if (pygfp_bug)
		out[0] = 0;
}
"""
