# SPDX-License-Identifier: GPL-2.0-only
"""
What is fuzzed: every reader of text that pygfp did not write, and what must hold of each whatever it is given.

A :class:`Property` is a strategy and what must hold of its values; a PygfpError may come of any input, any other
exception is a failure. The normal test run draws a few values of each, ``trust/fuzz.py`` many.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import languages
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import pygfp
from pygfp import sources
from pygfp.baselines import compare, text
from pygfp.baselines.compare import Baseline
from pygfp.cli import main
from pygfp.config import Selection, parse_dotconfig, parse_settings, read_dotconfig
from pygfp.decode import decode, parse_mask
from pygfp.decoding.annotate import Annotator, Kernel
from pygfp.decoding.expression import calls, parse
from pygfp.decoding.logs import mention, places
from pygfp.decoding.tables import of_release, row_of
from pygfp.encode import NoHelpers, encode
from pygfp.errors import PatchError, PygfpError
from pygfp.extract import WHOLE, extract
from pygfp.model.policy import parse_policy
from pygfp.native.blame import explain
from pygfp.native.compiler import Run
from pygfp.native.declarations import signature
from pygfp.native.trace import name_tables
from pygfp.patching.difftext import parse as parse_diff
from pygfp.patching.mails import read_series
from pygfp.patching.patches import apply, lines_of
from pygfp.releases import rows
from pygfp.render.formats import COMMON, rendered
from pygfp.render.items import of_check
from pygfp.scan import scan
from pygfp.sites.find import exported, find
from pygfp.sites.sift import sift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pygfp.decoding.tables import Tables
    from pygfp.report import Report

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
GFP_H, TYPES_H = "include/linux/gfp.h", "include/linux/gfp_types.h"


@dataclass(frozen=True)
class Property:
    """
    Something that must hold of every input.

    :ivar name: what, with the reader that it is of in front
    :ivar values: the strategy; called when it is needed
    :ivar holds: raises something that is no PygfpError where the property does not hold
    :ivar examples: how many values the normal test run draws
    :ivar may_refuse: a PygfpError is an answer too
    """

    name: str
    values: Callable[[], st.SearchStrategy[Any]]
    holds: Callable[[Any], None]
    examples: int = 40
    may_refuse: bool = True


def run(prop: Property, examples: int, number: int) -> tuple[int, int]:
    """Draw *examples* values of *prop* from seed *number*; return how many were tried, and how many of them refused."""
    tried = refused = 0

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    @given(prop.values())
    def drive(value: object) -> None:
        nonlocal tried, refused
        tried += 1
        try:
            prop.holds(value)
        except PygfpError:
            if not prop.may_refuse:
                raise
            refused += 1

    drive()
    return tried, refused


# Inputs: soups of the words of a language, good samples with damage done to them, and any bytes at all.


def soup(words: Sequence[bytes], most: int = 30) -> st.SearchStrategy[bytes]:
    """Words of a language in any order."""
    return st.lists(st.sampled_from(words), max_size=most).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A good sample with a few cuts, copies, insertions and flipped bits."""
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        to = min(at + draw(st.integers(0, 40)), len(data))
        what = draw(st.sampled_from(("cut", "copy", "word", "flip", "short", "move")))
        if what == "cut":
            del data[at:to]
        elif what == "copy":
            data[at:at] = data[at:to] * draw(st.integers(1, 3))
        elif what == "word":
            data[at:at] = draw(st.sampled_from(words))
        elif what == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "short":
            del data[at:]
        elif what == "move":
            piece = bytes(data[at:to])
            del data[at:to]
            there = draw(st.integers(0, len(data)))
            data[there:there] = piece
    return bytes(data)


def inputs(samples: Sequence[bytes], words: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Whatever may be given to a reader of such a language."""
    return st.one_of(damaged(samples, words), soup(words), st.binary(max_size=200))


def as_text(strategy: st.SearchStrategy[bytes]) -> st.SearchStrategy[str]:
    """The same as text."""
    return strategy.map(lambda data: data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())


@functools.cache
def tables(release: str = "6.12") -> Tables:
    """The flags of a release."""
    return of_release(release, Selection())


# Logs.


def _log_passes_unaltered(value: tuple[bytes, int]) -> None:
    """Every byte comes out again; what is found does not depend on the pieces in which a log comes."""
    log, step = value
    counts = []
    for pieces in ([log], [log[at : at + step] for at in range(0, len(log), step)]):
        annotator = Annotator(Kernel(None), lambda _finding, _line: b"")
        out = [part for piece in pieces for part in annotator.feed(piece)]
        out += annotator.end()
        assert b"".join(out) == log
        counts.append(annotator.counts)
    assert counts[0] == counts[1]


def _places_are_in_order(log: bytes) -> None:
    last = -1
    for at, found, release in places(log):
        assert at > last
        last = at
        if release is None:
            assert log[at : at + len(found)] == found
            assert (mention(found).value or 0) < 1 << 64
        else:
            assert row_of(release)


# Masks and expressions.


def _mask_is_read_or_refused(given_text: str) -> None:
    value, claim = parse_mask(given_text)
    assert 0 <= value < 1 << 64
    found = decode(value, tables(), claim)
    assert (found.agrees is None) == (claim is None)
    assert bool(found.differs) == (found.agrees is False)


def _names_of_a_mask_have_its_value(value: tuple[str, int]) -> None:
    """What decode says of a mask is read as that mask again, by decode and by encode."""
    release, mask = value
    for reading in decode(mask, tables(release)).readings:
        text_of = reading.names
        again = decode(mask, tables(release), text_of)
        assert again.agrees is True, again.differs
        assert parse_mask(f"{mask:#x}({text_of})") == (mask, text_of)
        encoded = encode(text_of, tables(release), NoHelpers())
        assert mask in {v.answer.value for v in encoded.values}


def _expression_has_a_value_or_none(given_text: str) -> None:
    list(calls(parse(given_text)))
    for value in encode(given_text, tables(), NoHelpers()).values:
        assert value.answer.value is not None
        assert 0 <= value.answer.value < 1 << 64


# Patches and mails.


def _series_is_read_or_refused(data: bytes) -> None:
    series = read_series(data)
    assert series.patches
    for change in (c for p in series.patches for c in p.changes):
        for path in (change.old_path, change.new_path):
            assert path is None or (path and not path.startswith("/") and ".." not in path.split("/"))


def _patched_text_is_made_of_text_and_patch(value: tuple[bytes, bytes]) -> None:
    """No line comes from anywhere else, and a patch that applies can be taken back."""
    diff, before = value
    for change in parse_diff(diff):
        after = apply(change, before)
        if after is None:
            continue
        allowed = {*lines_of(before), *(line for h in change.hunks for line in h.new)}
        assert set(lines_of(after)) <= allowed
        assert sum(len(h.new) - len(h.old) for h in change.hunks) == len(lines_of(after)) - len(lines_of(before))
        if change.old_path is not None:
            with contextlib.suppress(PatchError):
                assert apply(change.reversed(), after) is not None


# .config files, --set, policies, baselines.


def _dotconfig_means_what_its_lines_say(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "config")
        path.write_bytes(data)
        found = read_dotconfig(path, "--config")
        assert path.read_bytes() == data
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # Worked out without a pattern: a name, "=y" and nothing else but blanks.
    on = {
        n
        for n, sign, rest in (line.partition("=") for line in lines)
        if sign and n.startswith("CONFIG_") and n[7:] and n.replace("_", "a").isalnum()
        if rest[:1] == "y" and not rest[1:].strip()
    }
    assert found == dict.fromkeys(on, True)
    assert found == parse_dotconfig("\n".join(lines))


def _settings_are_read_or_refused(given_text: str) -> None:
    found = parse_settings([given_text])
    assert [f"{name}={'y' if on else 'n'}" for name, on in found.items()] == [given_text]


def _policy_is_read_or_refused(given_text: str) -> None:
    policy = parse_policy(given_text, "policy.toml")
    for flag, fate in policy.decided.items():
        assert flag in given_text or "\\" in given_text
        assert policy.fate(flag) is fate


@functools.cache
def report() -> Report:
    """What a check of the bundled subset finds."""
    return pygfp.check("bundled", jobs=1)


@functools.cache
def baseline_samples() -> tuple[bytes, ...]:
    """What a check saves."""
    whole = text.dump(compare.of_report(report(), "saved")).encode()
    parts = whole.split(b"\n\n")
    return (whole, b"\n\n".join(parts[:4]), b"\n\n".join([parts[0], *parts[-3:]]))


def _baseline_is_read_or_refused(given_text: str) -> None:
    loaded = text.load(given_text, "b")
    again = text.dump(loaded)
    assert text.dump(text.load(again, "b")) == again


def _any_baseline_judges_and_is_shown(given_text: str) -> None:
    """Whatever a baseline says, the report that it judges can be written in every format, and its status agrees."""
    judged = compare.apply(report(), text.load(given_text, "b"))
    for name in COMMON:
        items = of_check(judged, strict=False)
        assert rendered(items, name)
        assert items.exit_status == judged.exit_status()


_WORD = st.text("ABCIOS_0", min_size=1, max_size=4)
_SLUG = st.lists(st.sampled_from("ABC"), unique=True, max_size=3).map(lambda s: "-".join(sorted(s)) or "none")
_ITEMS = st.frozensets(_WORD, min_size=1, max_size=4)
_VERB = st.sampled_from(("keep", "force", "is", "0 and WARN", "any of", "BUG", "compiled out", "drop"))
_MEANING = st.dictionaries(_SLUG, st.dictionaries(_VERB, _ITEMS, max_size=3), min_size=1, max_size=4)


@st.composite
def baselines(draw: st.DrawFn) -> Baseline:
    """Baselines as a check may make them."""
    subjects = st.builds(lambda k, n: f"{k}.{n}", st.sampled_from(("helper", "composite")), _WORD)
    layouts = tuple(compare.ordered(draw(st.sets(_SLUG, max_size=3))))
    flags = st.dictionaries(st.sampled_from(layouts), st.integers(0, 63), min_size=1) if layouts else st.nothing()
    bits = draw(st.dictionaries(_WORD.map("__GFP_{}".format), flags, max_size=3)) if layouts else {}
    fails = draw(st.dictionaries(_WORD.map("law.{}.x".format), st.text(max_size=20), max_size=3))
    seen = tuple(compare.ordered({c for places_of in bits.values() for c in places_of}))
    values = draw(st.dictionaries(subjects, _MEANING, max_size=3))
    return Baseline("b", draw(st.sampled_from(("", "6.12.1"))), values, bits, seen, fails)


def _a_saved_baseline_is_itself_when_loaded(value: Baseline) -> None:
    loaded = text.load(text.dump(value), "b")
    assert text.dump(loaded) == text.dump(value)
    assert (loaded.values, loaded.bits, loaded.release) == (value.values, value.bits, value.release)
    assert loaded.fails.keys() == value.fails.keys()


# C text.


@functools.cache
def c_samples() -> tuple[bytes, ...]:
    """Own snippets, the bundled headers, and the sites that the audit is tested with."""
    return (
        *languages.C,
        *((ROOT / "csrc" / p).read_bytes() for p in (GFP_H, TYPES_H)),
        (HERE / "data/sites.c").read_bytes(),
    )


def _definitions_stand_where_they_are_said_to(data: bytes) -> None:
    scanned = scan("mm/x.c", data)
    assert scanned.text == data
    assert len(scanned.code) == len(data)
    assert scanned.code.count(b"\n") == data.count(b"\n")
    for d in scanned.definitions:
        assert 0 <= d.start <= d.end <= len(data)
        assert d.line == data.count(b"\n", 0, d.start) + 1
        assert d.line <= d.end_line <= data.count(b"\n") + 1
        assert d.name.encode("utf-8", "replace") in data or "\ufffd" in d.name or b"\\\n" in data


def _subset_is_the_text(value: tuple[str, bytes]) -> None:
    """Headers are taken whole, and of others each line is kept byte for byte or blank."""
    path, data = value
    base = sources.bundled()
    files = {**base.files, path: data}
    subset = extract(replace(base, files=files), ("gfp_nested_mask", "gfp_zone", "f"))
    for kept, content in subset.files.items():
        if kept in WHOLE:
            assert content == files[kept]
        elif kept in files and content:
            lines, whole = content.split(b"\n"), files[kept].split(b"\n")
            assert len(lines) == len(whole)
            assert all(a == b or not a.strip() for a, b in zip(lines, whole, strict=True))


def _sites_stand_in_the_file(data: bytes) -> None:
    last = data.count(b"\n") + 1
    sifted, found = sift(data)
    assert sifted.count(b"\n") <= data.count(b"\n")
    read = [
        find("mm/x.c", data, frozenset({"gfp_nested_mask"})),
        *([find("mm/x.c", data, sifted=sifted)] if found else []),
    ]
    for sites in read:
        for site in sites.sites:
            assert 1 <= site.line <= site.end_line <= last
            assert bool(site.expression) != bool(site.problem)
    for piece in exported(data):
        assert piece.name.encode() in data


def _signature_is_read_or_none(given_text: str) -> None:
    found = signature(given_text, "f")
    assert found is None or all(isinstance(p, str) for p in (found[0], *found[1]))


# What other programs print.


def _words_of_a_compiler_are_read(given_text: str) -> None:
    done = Run(("cc",), 1, "", given_text)
    for one in done.diagnostics:
        assert one.line < 1 << 31
        assert "\n" not in one.message
    assert isinstance(explain(done, ("linux/x.h",)), str)


def _trace_table_is_read_or_none(data: bytes) -> None:
    found = name_tables(data, [{}, {"CONFIG_X": True}])
    assert found is None or (len(found) == 2 and all(t.printk for t in found))


# How kernels are named.


def _source_is_read_or_refused(given_text: str) -> None:
    if sources.is_range(given_text):
        sources.resolve_range(given_text)
    else:
        assert GFP_H in sources.resolve(given_text, cwd=ROOT / "csrc").files


def _release_is_read_or_refused(given_text: str) -> None:
    row, exact = row_of(given_text)
    assert row in rows()
    assert exact is None or exact == given_text.removeprefix("v")


def _makefile_is_read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Makefile").write_bytes(data)
        release = sources.release_of({"Makefile": data})
        assert release is None or len(release) <= 17
        sources.tree(Path(name))


# Whole commands.

#: Command lines; FILE is what was drawn, and it is standard input too; TREE a kernel tree with it as a header; GOOD one
#: without.
COMMANDS = (
    ("decode", "-"),
    ("decode", "-", "--format", "json", "--release", "6.12"),
    ("decode", "TEXT", "--release", "6.12"),
    ("encode", "TEXT", "--release", "6.12"),
    ("explain", "TEXT", "--release", "6.12"),
    ("explain", "gfp_nested_mask", "TEXT", "--release", "6.12"),
    ("check", "bundled", "--policy", "FILE", "--format", "junit"),
    ("check", "bundled", "--baseline", "FILE", "-q"),
    ("check", "bundled", "--config", "FILE", "--helper", "gfp_zone"),
    ("check", "bundled", "--set", "TEXT", "--helper", "gfp_zone"),
    ("check", "bundled", "--helper", "TEXT", "--format", "sarif"),
    ("check", "FILE"),
    ("check", "TEXT"),
    ("diff", "--patch", "FILE", "GOOD"),
    ("diff", "--patch", "-", "GOOD", "--format", "github"),
    ("diff", "TEXT", "bundled", "--format", "ktap"),
    ("nested", "FILE"),
    ("audit", "FILE"),
    ("audit", "GOOD", "TEXT"),
    ("coherence", "bundled", "--config", "FILE", "--format", "json"),
    ("extract", "FILE", "-o", "OUT"),
    ("sources", "-o", "OUT"),
    ("TEXT",),
    ("check", "bundled", "TEXT"),
)
#: Commands that compile what was drawn.
COMPILING = (
    ("check", "TREE", "--format", "ktap", "-j", "1"),
    ("diff", "TREE", "bundled", "--format", "json", "-j", "1"),
    ("decode", "0xcc0", "--source", "TREE"),
    ("nested", "TREE", "-j", "1"),
    ("audit", "TREE", "--check", "-j", "1"),
    ("coherence", "TREE", "--format", "junit"),
    ("extract", "TREE", "-o", "OUT"),
)


def good_tree(root: Path, **more: bytes) -> Path:
    """The bundled subset as a tree in *root*, with *more* files by their last name."""
    for path in (GFP_H, TYPES_H, "include/linux/types.h", "include/linux/mmzone.h"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(more.get(Path(path).stem, (ROOT / "csrc" / path).read_bytes()))
    return root


def _inventory(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@contextlib.contextmanager
def _standard_input(data: bytes) -> Iterator[None]:
    before = sys.stdin
    with tempfile.TemporaryFile() as stream:
        stream.write(data)
        stream.seek(0)
        try:
            sys.stdin = os.fdopen(os.dup(stream.fileno()), encoding="utf-8", errors="surrogateescape")
            yield
        finally:
            sys.stdin.close()
            sys.stdin = before


def _command_ends_well(value: tuple[tuple[str, ...], bytes]) -> None:
    """A command ends with a status that is documented, says why where it must, and touches nothing."""
    words, data = value
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "in").mkdir()
        (top / "in/file").write_bytes(data)
        given_names = {
            "FILE": str(top / "in/file"),
            "TEXT": data.decode("utf-8", "surrogateescape"),
            "TREE": str(good_tree(top / "in/tree", gfp=data)),
            "GOOD": str(good_tree(top / "in/good")),
            "OUT": str(top / "out"),
        }
        before = _inventory(top / "in")
        argv = [given_names.get(w, w) for w in words]
        with (
            _standard_input(data),
            contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            status = main(argv)
        assert status in {0, 1, 2, 3}, (status, argv)
        assert "Traceback" not in err.getvalue(), err.getvalue()
        if status == 2 or (status == 3 and not out.buffer.tell()):
            assert err.getvalue().strip(), argv
        assert _inventory(top / "in") == before


@functools.cache
def _everything() -> tuple[bytes, ...]:
    return (
        *languages.LOG,
        *languages.MASK,
        *languages.EXPRESSION,
        *languages.PATCH,
        *languages.DOTCONFIG,
        *languages.POLICY,
        *c_samples(),
        *languages.SPEC,
        *languages.RELEASE,
    )


def _everything_words() -> tuple[bytes, ...]:
    return (
        *languages.LOG_WORDS,
        *languages.EXPRESSION_WORDS,
        *languages.PATCH_WORDS,
        *languages.DOTCONFIG_WORDS,
        *languages.TOML_WORDS,
        *languages.C_WORDS,
        *languages.SPEC_WORDS,
    )


def _masks() -> st.SearchStrategy[int]:
    return st.integers(0, (1 << 64) - 1) | st.sets(st.integers(0, 31)).map(lambda bits: sum(1 << b for b in bits))


PROPERTIES = (
    Property(
        "log: comes out unaltered, whatever its pieces",
        lambda: st.tuples(inputs(languages.LOG, languages.LOG_WORDS), st.integers(1, 30)),
        _log_passes_unaltered,
        60,
        may_refuse=False,
    ),
    Property(
        "log: masks are found in order, and are those bytes",
        lambda: inputs(languages.LOG, languages.LOG_WORDS),
        _places_are_in_order,
        150,
        may_refuse=False,
    ),
    Property(
        "mask: has a value below 2^64, or is refused",
        lambda: as_text(inputs(languages.MASK, languages.MASK_WORDS)),
        _mask_is_read_or_refused,
        60,
    ),
    Property(
        "mask: its names have its value",
        lambda: st.tuples(st.sampled_from([r.version for r in rows()]), _masks()),
        _names_of_a_mask_have_its_value,
        may_refuse=False,
    ),
    Property(
        "expression: has a value, or is refused",
        lambda: as_text(inputs(languages.EXPRESSION, languages.EXPRESSION_WORDS)),
        _expression_has_a_value_or_none,
        100,
    ),
    Property(
        "mail: is read, or is refused",
        lambda: inputs(languages.PATCH, languages.PATCH_WORDS),
        _series_is_read_or_refused,
        200,
    ),
    Property(
        "patch: makes no line of its own",
        lambda: st.tuples(
            damaged(languages.PATCH[:2], languages.PATCH_WORDS),
            st.sampled_from((b"a\nb\n\nx\nz", b"a\n", b"q\na\nb\n\n")),
        ),
        _patched_text_is_made_of_text_and_patch,
        100,
    ),
    Property(
        ".config: means what its lines say",
        lambda: inputs(languages.DOTCONFIG, languages.DOTCONFIG_WORDS),
        _dotconfig_means_what_its_lines_say,
        100,
    ),
    Property(
        "--set: is read back, or is refused",
        lambda: as_text(inputs((b"CONFIG_A=y", b"CONFIG_B=n"), languages.DOTCONFIG_WORDS)),
        _settings_are_read_or_refused,
        60,
    ),
    Property(
        "policy: is read, or is refused",
        lambda: as_text(inputs(languages.POLICY, languages.TOML_WORDS)),
        _policy_is_read_or_refused,
        100,
    ),
    Property(
        "baseline: is read, or is refused",
        lambda: as_text(inputs(baseline_samples(), (*languages.BASELINE_WORDS, *languages.TOML_WORDS))),
        _baseline_is_read_or_refused,
    ),
    Property(
        "baseline: is itself when saved and loaded",
        baselines,
        _a_saved_baseline_is_itself_when_loaded,
        60,
        may_refuse=False,
    ),
    Property(
        "baseline: what it judges can be shown",
        lambda: as_text(damaged(baseline_samples(), languages.BASELINE_WORDS)),
        _any_baseline_judges_and_is_shown,
        15,
    ),
    Property(
        "header: definitions stand where they are said to",
        lambda: inputs(c_samples(), languages.C_WORDS),
        _definitions_stand_where_they_are_said_to,
        60,
    ),
    Property(
        "header: kept lines are those of the file",
        lambda: st.tuples(
            st.sampled_from((GFP_H, TYPES_H, "include/linux/mmzone.h", "mm/internal.h", "mm/kmemleak.c")),
            inputs(c_samples(), languages.C_WORDS),
        ),
        _subset_is_the_text,
    ),
    Property(
        "header: a signature is read, or is none",
        lambda: as_text(
            inputs((b"static inline gfp_t f(const gfp_t gfp)", b"int (*f(int a[3], ...))(void)"), languages.C_WORDS)
        ),
        _signature_is_read_or_none,
        may_refuse=False,
    ),
    Property(
        "audit: sites stand in the file",
        lambda: inputs(c_samples(), languages.C_WORDS),
        _sites_stand_in_the_file,
        60,
        may_refuse=False,
    ),
    Property(
        "compiler: its words are read",
        lambda: as_text(inputs(languages.SAID, languages.SAID_WORDS)),
        _words_of_a_compiler_are_read,
        100,
        may_refuse=False,
    ),
    Property(
        "trace table: is read, or is none",
        lambda: inputs(languages.TRACE, languages.TRACE_WORDS),
        _trace_table_is_read_or_none,
        8,
    ),
    Property(
        "SOURCE: is read, or is refused",
        lambda: as_text(inputs(languages.SPEC, languages.SPEC_WORDS)),
        _source_is_read_or_refused,
        20,
    ),
    Property(
        "--release: is read, or is refused",
        lambda: as_text(inputs(languages.RELEASE, languages.RELEASE_WORDS)),
        _release_is_read_or_refused,
        60,
    ),
    Property(
        "Makefile: says a release and where to go on",
        lambda: inputs(languages.MAKEFILE, languages.MAKEFILE_WORDS),
        _makefile_is_read,
        60,
    ),
    Property(
        "commands: end with a status and a word",
        lambda: st.tuples(st.sampled_from(COMMANDS), inputs(_everything(), _everything_words())),
        _command_ends_well,
        40,
        may_refuse=False,
    ),
    Property(
        "commands: so they do where they compile",
        lambda: st.tuples(
            st.sampled_from(COMPILING), damaged(c_samples()[len(languages.C) : len(languages.C) + 1], languages.C_WORDS)
        ),
        _command_ends_well,
        3,
        may_refuse=False,
    ),
)
