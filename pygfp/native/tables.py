# SPDX-License-Identifier: GPL-2.0-only
"""
The flag tables of a source: the constants of its compiled build, and the names of its own trace table.

The first question about a source costs a build. The answer is kept beside the build, so that the next one
neither compiles nor starts a process that loads anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import releases
from ..decoding.tables import Tables
from ..errors import BuildError
from ..flags import FlagTable
from ..report import SourceInfo
from . import compiler as cc
from .cache import Cache
from .session import build_key, embedded_key, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..config import Assignment, Selection
    from ..sources import Source
    from .session import Session

_KEPT = "names.json"


def of_source(
    source: Source,
    selection: Selection,
    wanted: Mapping[str, str],
    on_command: Callable[[str], None] | None = None,
) -> Tables:
    """
    Return the flag tables of *source*, compiled now or before.

    :param wanted: C return type by name of the helpers that a build of it holds
    :raises BuildError: there is no compiler, or the header does not compile
    """
    cache = Cache()
    try:
        complaints: list[str] = []
        if source.kind == "bundled":
            key = embedded_key(source, selection)
        else:
            key = build_key(source, selection, wanted, cc.find())
        kept = cache.recall(key, _KEPT)
        complaints += [cache.complaint] if cache.complaint else []
        if kept is None:
            with opened(source, selection, wanted, jobs=1, on_command=on_command) as session:
                kept = _describe(session, on_command)
                complaints = list(dict.fromkeys([*complaints, *session.complaints]))
            cache.remember(key, _KEPT, kept)
        elif on_command:
            on_command(f"# nothing is compiled: the constants are in {cache.root / key / _KEPT}")
    finally:
        cache.close()
    return _tables(source, kept, complaints)


def _describe(session: Session, on_command: Callable[[str], None] | None) -> dict[str, Any]:
    """All that a table needs, as JSON holds it."""
    from . import trace  # noqa: PLC0415 - an answer that is kept needs none of this

    source, build = session.source, session.build
    row = releases.reference(source.release)
    notes: list[str] = []
    header = source.files.get(trace.TABLE)
    more = trace.symbols(header) if header is not None else ()
    choices = session.choices(sorted({*build.flag_symbols, *more}))
    names = trace.name_tables(header, choices, on_command) if header is not None else None
    if header is not None and names is None:
        notes.append(f"{trace.TABLE} cannot be preprocessed; masks print in the order of {row.name}")
    elif header is None and source.kind != "bundled":
        notes.append(f"{trace.TABLE} is not in this source; masks print in the order of {row.name}")
    printed = [[e.name for e in t.printk] for t in names] if names else [row.trace_names] * len(choices)
    configs = []
    for choice, order in zip(choices, printed, strict=True):
        segment = session.segment({s: v for s, v in choice.items() if s in build.flag_symbols})
        if segment is None or segment.error:
            why = segment.error if segment else "it was not compiled"
            notes.append(f"a configuration cannot be built: {why}")
            continue
        table = session.table(segment)
        configs.append([choice, dict(table.masks), table.bits_shift, order])
    if not configs:
        message = f"no configuration of {source.label} can be built: {notes[-1]}"
        raise BuildError(message)
    return {
        "compiler": session.compiler,
        "gfp_t_bits": build.gfp_t_bits,
        "configs": configs,
        "places": build.places,
        "notes": list(dict.fromkeys(notes)),
    }


def _tables(source: Source, kept: Mapping[str, Any], complaints: Sequence[str]) -> Tables:
    row = releases.reference(source.release)
    info = SourceInfo(source.kind, source.label, source.release, row.name, row.version, source.digest)
    configs: list[tuple[Assignment, FlagTable]] = [
        (choice, FlagTable(masks, kept["gfp_t_bits"], shift, tuple(order)))
        for choice, masks, shift, order in kept["configs"]
    ]
    places = {name: (path, line) for name, (path, line) in kept["places"].items()}
    return Tables(info, tuple(configs), kept["compiler"], places, (*kept["notes"], *complaints))
