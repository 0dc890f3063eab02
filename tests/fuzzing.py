# SPDX-License-Identifier: GPL-2.0-only
"""
What is fuzzed: every reader of text that pygfp did not write, and what must hold of each whatever it is given.

The normal test run draws a few values of each, ``trust/fuzz.py`` many.
"""

from __future__ import annotations

import functools

import commanding
import holding
import languages
from drawing import Property, as_text, damaged, inputs, run
from hypothesis import strategies as st

from pygfp.releases import rows

__all__ = ["PROPERTIES", "Property", "run"]


@functools.cache
def _everything() -> tuple[bytes, ...]:
    return (
        *languages.LOG,
        *languages.MASK,
        *languages.EXPRESSION,
        *languages.PATCH,
        *languages.DOTCONFIG,
        *languages.POLICY,
        *holding.c_samples(),
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
        holding.log_passes_unaltered,
        60,
        may_refuse=False,
    ),
    Property(
        "log: masks are found in order, and are those bytes",
        lambda: inputs(languages.LOG, languages.LOG_WORDS),
        holding.places_are_in_order,
        150,
        may_refuse=False,
    ),
    Property(
        "mask: has a value below 2^64, or is refused",
        lambda: as_text(inputs(languages.MASK, languages.MASK_WORDS)),
        holding.mask_is_read_or_refused,
        60,
    ),
    Property(
        "mask: its names have its value",
        lambda: st.tuples(st.sampled_from([r.version for r in rows()]), _masks()),
        holding.names_of_a_mask_have_its_value,
        may_refuse=False,
    ),
    Property(
        "expression: has a value, or is refused",
        lambda: as_text(inputs(languages.EXPRESSION, languages.EXPRESSION_WORDS)),
        holding.expression_has_a_value_or_none,
        100,
    ),
    Property(
        "mail: is read, or is refused",
        lambda: inputs(languages.PATCH, languages.PATCH_WORDS),
        holding.series_is_read_or_refused,
        200,
    ),
    Property(
        "patch: makes no line of its own",
        lambda: st.tuples(
            damaged(languages.PATCH[:2], languages.PATCH_WORDS),
            st.sampled_from((b"a\nb\n\nx\nz", b"a\n", b"q\na\nb\n\n")),
        ),
        holding.patched_text_is_made_of_text_and_patch,
        100,
    ),
    Property(
        ".config: means what its lines say",
        lambda: inputs(languages.DOTCONFIG, languages.DOTCONFIG_WORDS),
        holding.dotconfig_means_what_its_lines_say,
        100,
    ),
    Property(
        "--set: is read back, or is refused",
        lambda: as_text(inputs((b"CONFIG_A=y", b"CONFIG_B=n"), languages.DOTCONFIG_WORDS)),
        holding.settings_are_read_or_refused,
        60,
    ),
    Property(
        "policy: is read, or is refused",
        lambda: as_text(inputs(languages.POLICY, languages.TOML_WORDS)),
        holding.policy_is_read_or_refused,
        100,
    ),
    Property(
        "baseline: is read, or is refused",
        lambda: as_text(inputs(holding.baseline_samples(), (*languages.BASELINE_WORDS, *languages.TOML_WORDS))),
        holding.baseline_is_read_or_refused,
    ),
    Property(
        "baseline: is itself when saved and loaded",
        holding.baselines,
        holding.a_saved_baseline_is_itself_when_loaded,
        30,
        may_refuse=False,
    ),
    Property(
        "baseline: what it judges can be shown",
        lambda: as_text(damaged(holding.baseline_samples(), languages.BASELINE_WORDS)),
        holding.any_baseline_judges_and_is_shown,
        15,
    ),
    Property(
        "header: definitions stand where they are said to",
        lambda: inputs(holding.c_samples(), languages.C_WORDS),
        holding.definitions_stand_where_they_are_said_to,
        60,
    ),
    Property(
        "header: kept lines are those of the file",
        lambda: st.tuples(
            st.sampled_from(
                (holding.GFP_H, holding.TYPES_H, "include/linux/mmzone.h", "mm/internal.h", "mm/kmemleak.c")
            ),
            inputs(holding.c_samples(), languages.C_WORDS),
        ),
        holding.subset_is_the_text,
    ),
    Property(
        "header: a signature is read, or is none",
        lambda: as_text(
            inputs((b"static inline gfp_t f(const gfp_t gfp)", b"int (*f(int a[3], ...))(void)"), languages.C_WORDS)
        ),
        holding.signature_is_read_or_none,
        may_refuse=False,
    ),
    Property(
        "audit: sites stand in the file",
        lambda: inputs(holding.c_samples(), languages.C_WORDS),
        holding.sites_stand_in_the_file,
        60,
        may_refuse=False,
    ),
    Property(
        "compiler: its words are read",
        lambda: as_text(inputs(languages.SAID, languages.SAID_WORDS)),
        holding.words_of_a_compiler_are_read,
        100,
        may_refuse=False,
    ),
    Property(
        "trace table: is read, or is none",
        lambda: inputs(languages.TRACE, languages.TRACE_WORDS),
        holding.trace_table_is_read_or_none,
        8,
    ),
    Property(
        "SOURCE: is read, or is refused",
        lambda: as_text(inputs(languages.SPEC, languages.SPEC_WORDS)),
        holding.source_is_read_or_refused,
        20,
    ),
    Property(
        "--release: is read, or is refused",
        lambda: as_text(inputs(languages.RELEASE, languages.RELEASE_WORDS)),
        holding.release_is_read_or_refused,
        60,
    ),
    Property(
        "Makefile: says a release and where to go on",
        lambda: inputs(languages.MAKEFILE, languages.MAKEFILE_WORDS),
        holding.makefile_is_read,
        60,
    ),
    Property(
        "commands: end with a status and a word",
        lambda: st.tuples(st.sampled_from(commanding.COMMANDS), inputs(_everything(), _everything_words())),
        commanding.command_ends_well,
        40,
        may_refuse=False,
    ),
    Property(
        "commands: so they do where they compile",
        lambda: st.tuples(
            st.sampled_from(commanding.COMPILING),
            damaged(holding.c_samples()[len(languages.C) : len(languages.C) + 1], languages.C_WORDS),
        ),
        commanding.command_ends_well,
        3,
        may_refuse=False,
    ),
)
