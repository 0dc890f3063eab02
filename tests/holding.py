# SPDX-License-Identifier: GPL-2.0-only
"""
What must hold of each reader of outside text, one function a property.

A PygfpError may come of any input, unless a property says otherwise; any other exception is a failure.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import languages
from hypothesis import strategies as st

import pygfp
from pygfp import sources
from pygfp.baselines import compare, text
from pygfp.baselines.compare import Baseline
from pygfp.config import Selection, parse_dotconfig, parse_settings, read_dotconfig
from pygfp.decode import decode, parse_mask
from pygfp.decoding.annotate import Annotator, Kernel
from pygfp.decoding.expression import calls, parse
from pygfp.decoding.logs import mention, places
from pygfp.decoding.tables import of_release, row_of
from pygfp.encode import NoHelpers, encode
from pygfp.errors import PatchError
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
    from pygfp.decoding.tables import Tables
    from pygfp.report import Report

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
GFP_H, TYPES_H = "include/linux/gfp.h", "include/linux/gfp_types.h"


@functools.cache
def tables(release: str = "6.12") -> Tables:
    """The flags of a release."""
    return of_release(release, Selection())


# Logs.


def log_passes_unaltered(value: tuple[bytes, int]) -> None:
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


def places_are_in_order(log: bytes) -> None:
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


def mask_is_read_or_refused(given_text: str) -> None:
    value, claim = parse_mask(given_text)
    assert 0 <= value < 1 << 64
    found = decode(value, tables(), claim)
    assert (found.agrees is None) == (claim is None)
    assert bool(found.differs) == (found.agrees is False)


def names_of_a_mask_have_its_value(value: tuple[str, int]) -> None:
    """What decode says of a mask is read as that mask again, by decode and by encode."""
    release, mask = value
    for reading in decode(mask, tables(release)).readings:
        text_of = reading.names
        again = decode(mask, tables(release), text_of)
        assert again.agrees is True, again.differs
        assert parse_mask(f"{mask:#x}({text_of})") == (mask, text_of)
        encoded = encode(text_of, tables(release), NoHelpers())
        assert mask in {v.answer.value for v in encoded.values}


def expression_has_a_value_or_none(given_text: str) -> None:
    list(calls(parse(given_text)))
    for value in encode(given_text, tables(), NoHelpers()).values:
        assert value.answer.value is not None
        assert 0 <= value.answer.value < 1 << 64


# Patches and mails.


def series_is_read_or_refused(data: bytes) -> None:
    series = read_series(data)
    assert series.patches
    for change in (c for p in series.patches for c in p.changes):
        for path in (change.old_path, change.new_path):
            assert path is None or (path and not path.startswith("/") and ".." not in path.split("/"))


def patched_text_is_made_of_text_and_patch(value: tuple[bytes, bytes]) -> None:
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


def dotconfig_means_what_its_lines_say(data: bytes) -> None:
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


def settings_are_read_or_refused(given_text: str) -> None:
    found = parse_settings([given_text])
    assert [f"{name}={'y' if on else 'n'}" for name, on in found.items()] == [given_text]


def policy_is_read_or_refused(given_text: str) -> None:
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


def baseline_is_read_or_refused(given_text: str) -> None:
    loaded = text.load(given_text, "b")
    again = text.dump(loaded)
    assert text.dump(text.load(again, "b")) == again


def any_baseline_judges_and_is_shown(given_text: str) -> None:
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


def a_saved_baseline_is_itself_when_loaded(value: Baseline) -> None:
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


def definitions_stand_where_they_are_said_to(data: bytes) -> None:
    scanned = scan("mm/x.c", data)
    assert scanned.text == data
    assert len(scanned.code) == len(data)
    assert scanned.code.count(b"\n") == data.count(b"\n")
    for d in scanned.definitions:
        assert 0 <= d.start <= d.end <= len(data)
        assert d.line == data.count(b"\n", 0, d.start) + 1
        assert d.line <= d.end_line <= data.count(b"\n") + 1
        assert d.name.encode("utf-8", "replace") in data or "\ufffd" in d.name or b"\\\n" in data


def subset_is_the_text(value: tuple[str, bytes]) -> None:
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


def sites_stand_in_the_file(data: bytes) -> None:
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


def signature_is_read_or_none(given_text: str) -> None:
    found = signature(given_text, "f")
    assert found is None or all(isinstance(p, str) for p in (found[0], *found[1]))


# What other programs print.


def words_of_a_compiler_are_read(given_text: str) -> None:
    done = Run(("cc",), 1, "", given_text)
    for one in done.diagnostics:
        assert one.line < 1 << 31
        assert "\n" not in one.message
    assert isinstance(explain(done, ("linux/x.h",)), str)


def trace_table_is_read_or_none(data: bytes) -> None:
    found = name_tables(data, [{}, {"CONFIG_X": True}])
    assert found is None or (len(found) == 2 and all(t.printk for t in found))


# How kernels are named.


def source_is_read_or_refused(given_text: str) -> None:
    if sources.is_range(given_text):
        sources.resolve_range(given_text)
    else:
        assert GFP_H in sources.resolve(given_text, cwd=ROOT / "csrc").files


def release_is_read_or_refused(given_text: str) -> None:
    row, exact = row_of(given_text)
    assert row in rows()
    assert exact is None or exact == given_text.removeprefix("v")


def makefile_is_read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Makefile").write_bytes(data)
        release = sources.release_of({"Makefile": data})
        assert release is None or len(release) <= 17
        sources.tree(Path(name))
