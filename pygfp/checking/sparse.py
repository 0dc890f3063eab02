# SPDX-License-Identifier: GPL-2.0-only
"""
Checks of types: what sparse finds wrong with ``__bitwise`` types in the text that was compiled.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..extract import extract
from ..model.helpers import WANTED
from ..native import sparse
from ..native.cache import Cache
from ..report import Check, check_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..config import Assignment
    from ..extract import Subset
    from ..native.sparse import Look, Remark, Said
    from .view import View

_SUBJECT, _GFP_T = "bitwise", "gfp_t"


def check(
    view: View, wanted: Callable[[str], bool], on_command: Callable[[str], None] | None = None
) -> Iterable[Check]:
    """
    Return what sparse finds in every configuration that was compiled, one verdict a line of the source.

    What it says that is no matter of ``__bitwise`` types becomes a complaint of the session.
    """
    try:
        version = sparse.version()
        subset = extract(view.session.source, tuple(WANTED))
        looks = _looks(view, subset)
        said = _examined(subset, looks, on_command)
    except BuildError as exc:
        return [_verdict("error", str(exc))]
    pairs = [(look.assignment, one) for look, one in zip(looks, said, strict=True)]
    view.session.complaints.extend(_besides(said))
    errors = [
        _verdict("error", one.error, [assignment], str(n)) for n, (assignment, one) in enumerate(pairs) if one.error
    ]
    fails = [c for c in _fails(subset, pairs) if wanted(c.subject) or c.subject == _GFP_T]
    if errors or fails:
        return [*fails, *errors]
    if not looks:
        return [_verdict("error", "no configuration was compiled that sparse could look at")]
    if not any(wanted(d.name) for d in subset.definitions):
        return []
    message = f"sparse {version} finds nothing in {len(looks)} configuration{'s' if len(looks) > 1 else ''}"
    return [_verdict("pass", message, [a for a, _ in pairs], inputs=len(looks))]


def _verdict(status: str, message: str, configs: Sequence[Assignment] = (), *parts: str, inputs: int = 0) -> Check:
    """The verdict on the text as a whole, or on one configuration of it."""
    return Check(
        check_id("sparse", _SUBJECT, *parts),
        _SUBJECT,
        "sparse",
        status,
        config=configs[0] if configs else {},
        configs=tuple(configs),
        inputs=inputs,
        message=message,
    )


def _looks(view: View, subset: Subset) -> list[Look]:
    """Every configuration that was compiled. Flags and composites of the row are masks, and so are new flags."""
    known = {*view.row.flags, *view.row.composites}
    plain = {d.name for d in subset.definitions}
    names = set(subset.constants)
    looks = []
    for segment in view.session.build.segments:
        if segment.error:
            continue
        found = {n: c for n, c in segment.constants.items() if n in names}
        masks = frozenset(n for n, c in found.items() if n in known or f"_{n}" in plain)
        zones = segment.constants["__MAX_NR_ZONES"].value
        looks.append(sparse.Look(segment.assignment, zones, {n: c.value for n, c in found.items()}, masks))
    return looks


def _examined(subset: Subset, looks: Sequence[Look], on_command: Callable[[str], None] | None) -> list[Said]:
    cache = Cache()
    try:
        with cache.workdir() as workdir:
            return sparse.examine(subset, looks, workdir, on_command)
    finally:
        cache.close()


def _besides(said: Sequence[Said]) -> Iterable[str]:
    for remark in dict.fromkeys(r for one in said for r in one.remarks if not r.bitwise):
        yield f"sparse also says, and it is no matter of __bitwise: {remark.path}:{remark.line}: {remark.text}"


def _fails(subset: Subset, pairs: Sequence[tuple[Assignment, Said]]) -> Iterable[Check]:
    """
    A verdict for each line, with all that is said of it, and the configurations in which it is.

    Ids count the lines of a subject: what stands before it may grow, and the id stays.
    """
    lines: dict[tuple[str, int], list[tuple[Assignment, Remark]]] = {}
    for assignment, one in pairs:
        for remark in one.remarks:
            if remark.bitwise:
                lines.setdefault((remark.path, remark.line), []).append((assignment, remark))
    counts: Counter[str] = Counter()
    for (path, line), found in sorted(lines.items(), key=lambda item: item[0]):
        subject = found[0][1].name or PurePath(path).stem
        counts[subject] += 1
        texts = dict.fromkeys(remark.text for _, remark in found)
        configs = [a for n, (a, _) in enumerate(found) if a not in [b for b, _ in found[:n]]]
        yield _fail((path, line), check_id("sparse", subject, str(counts[subject])), "; ".join(texts), configs)
    plain = [assignment for assignment, one in pairs if not one.error and not one.restricted]
    if plain:
        place = next((d.path, d.line) for d in subset.definitions if d.name == _GFP_T and d.kind == "typedef")
        message = "gfp_t is not __bitwise: sparse takes it for any other integer, and sees no misuse of it"
        yield _fail(place, check_id("sparse", _GFP_T), message, plain)


def _fail(place: tuple[str, int], name: str, message: str, configs: Sequence[Assignment]) -> Check:
    return Check(
        name,
        name.split(".")[1],
        "sparse",
        "fail",
        config=configs[0],
        configs=tuple(configs),
        inputs=1,
        mismatches=1,
        file=place[0],
        line=place[1],
        message=message,
    )
