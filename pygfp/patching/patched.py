# SPDX-License-Identifier: GPL-2.0-only
"""
A tree before and after a patch or a series, made in memory.

A series is often applied already when it is looked at. So the files before it are found by the blob ids
that a git patch names: among the files of the tree, then in its git repository. Where the patch names none, it is
applied to the files of the tree, or reversed from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from .. import git, sources
from ..errors import PatchError
from . import patches
from .mails import read_series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..places import Place
    from ..sources import Source
    from .patches import FileChange

    _Texts = dict[str, bytes | None]


class Patched(NamedTuple):
    """
    Two sources, and what to know about them.

    :ivar old: before the patch; the very same object as *new* where the patch changes no watched file
    :ivar new: with it
    :ivar notes: where a file before was found, if not in the tree; what was left out of a series
    """

    old: Source
    new: Source
    notes: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Whether the patch changes a watched file."""
        return self.old is not self.new


def patched(spec: str | None, text: bytes, label: str, *, cwd: Path | None = None) -> Patched:
    """
    Return the source that *spec* names as it is before and with the patch *text*.

    :param spec: as for :func:`~pygfp.sources.resolve`
    :param text: a diff, a mail or an mbox of a series
    :param label: what to call it: ``0001-x.patch``, ``the patch on stdin``
    :raises PatchError: it cannot be read, or does not apply
    :raises KernelTreeError: *spec* cannot be read
    """
    place = sources.place(spec, cwd=cwd)
    base = sources.read(place)
    images = _Images(place, base.files, label)
    try:
        series = read_series(text)
        groups = [group for patch in series.patches for group in _groups(_below(place, patch.changes))]
        changes = list(chain.from_iterable(groups))
        _require_full_paths(changes)
        old, new = images.around([[c for c in group if _is_watched(c)] for group in groups])
    except PatchError as exc:
        message = f"{label}: {exc}"
        raise PatchError(message, file=exc.file, hunk=exc.hunk) from exc
    notes = (*series.notes, *dict.fromkeys(images.notes))
    if old == new:
        return Patched(base, base, notes)
    created, deleted = _created(changes), _created([c.reversed() for c in reversed(changes)])
    before = _overlay(place, {**base.files, **old}, there=deleted, gone=created)
    after = _overlay(place, {**base.files, **new}, there=created, gone=deleted)
    return Patched(
        sources.read(replace(before, label=f"{place.label} before {label}")),
        sources.read(replace(after, label=f"{place.label} with {label}")),
        notes,
    )


def _is_watched(change: FileChange) -> bool:
    return change.old_path in sources.WATCHED or change.new_path in sources.WATCHED


# Of a repository whose kernel tree lies below its top, the patches name files from that top.
def _below(place: Place, changes: Iterable[FileChange]) -> list[FileChange]:
    prefix = git.prefix(place.repository) if place.repository else ""

    def below(path: str | None) -> str | None:
        return path.removeprefix(prefix) if path else None

    return [replace(c, old_path=below(c.old_path), new_path=below(c.new_path)) for c in changes]


def _groups(changes: Iterable[FileChange]) -> list[list[FileChange]]:
    """*changes* cut where a file comes a second time: ``git log -p --reverse`` is a series too."""
    groups: list[dict[str, FileChange]] = [{}]
    for change in changes:
        if change.path in groups[-1]:
            groups.append({})
        groups[-1][change.path] = change
    return [list(group.values()) for group in groups]


def _require_full_paths(changes: Iterable[FileChange]) -> None:
    """A diff that was made below or above the top of a tree names watched files in a way that would be missed."""
    for path in sorted(patches.paths_of(changes) - set(sources.WATCHED)):
        below = [w for w in sources.WATCHED if w.endswith(f"/{path}")]
        # tools/ has copies of some headers; every directory has a Makefile.
        above = [w for w in sources.WATCHED if "/" in w and path.endswith(f"/{w}") and not path.startswith("tools/")]
        if below or above:
            message = (
                f"{path}: expected a path from the top of the tree, such as {(below or above)[0]}; make the diff there"
            )
            raise PatchError(message, file=path)


def _created(changes: Sequence[FileChange]) -> set[str]:
    """The paths that are there after *changes* and not before."""
    first: dict[str, bool] = {}
    last: dict[str, bool] = {}
    for c in changes:
        if c.old_path and c.old_path != c.new_path:
            first.setdefault(c.old_path, True)
            last[c.old_path] = c.copied
        if c.new_path and c.old_path != c.new_path:
            first.setdefault(c.new_path, False)
            last[c.new_path] = True
    return {path for path in last if last[path] and not first[path]}


def _overlay(place: Place, files: Mapping[str, bytes | None], *, there: set[str], gone: set[str]) -> Place:
    def read(names: Sequence[str]) -> dict[str, bytes]:
        return {n: data for n in names if (data := files.get(n)) is not None}

    def existing(names: Iterable[str]) -> set[str]:
        wanted = set(names)
        return (place.existing(sorted(wanted)) - gone) | (wanted & there)

    def arches() -> list[str]:
        return sorted({*place.arches(), *(p.split("/")[1] for p in there if p.startswith("arch/"))})

    return replace(place, kind="patched", read=read, existing=existing, arches=arches)


class _Images:
    """The texts of the files that a series changes, before it and after it."""

    def __init__(self, place: Place, files: Mapping[str, bytes], label: str) -> None:
        self.files: _Texts = dict(files)
        self.notes: list[str] = []
        self._place = place
        self._label = label
        self._objects = git.Objects(place.repository)

    def around(self, series: Sequence[Sequence[FileChange]]) -> tuple[_Texts, _Texts]:
        """The texts before the first and after the last patch of *series*, by path."""
        old: _Texts = {}
        now: _Texts = {}
        with self._objects:
            for n, group in enumerate(series):
                written = {}
                for k, change in enumerate(group):
                    path = change.old_path or change.path
                    if path not in now:
                        later = chain.from_iterable(series[n + 1 :])
                        old[path] = now[path] = self._first(_lineage([*group[k:], *later]))
                    written[change.path] = self._checked(change, now[path])
                    old.setdefault(change.path, None)
                # Only now: every change of a patch starts from what was before that patch.
                now |= {c.old_path: None for c in group if c.old_path and not c.copied} | written
        return old, now

    def _checked(self, change: FileChange, before: bytes | None) -> bytes | None:
        after = patches.apply(change, before, self._place.label)
        if _is(before, change.old_id) and change.new_id and not _is(after, change.new_id):
            message = (
                f"{change.path}: applied to blob {change.old_id} this gives another text than blob {change.new_id}, "
                "which the patch names: it is cut short, or was edited; without its 'index' line it is taken as it is"
            )
            raise PatchError(message, file=change.path)
        return after

    def _first(self, changes: Sequence[FileChange]) -> bytes | None:
        """The text before *changes*, which follow each other on one file."""
        for found in self._candidates(changes):
            try:
                before = reduce(_undo, reversed(changes[: found.applied]), found.text)
                reduce(_do, changes[found.applied :], found.text)
            except PatchError:
                continue
            if found.by_text or not changes[0].old_id or _is(before, changes[0].old_id):
                self.notes += [found.note] if found.note else []
                return before
        # Nothing fits: the caller applies it to this, and gets the reason.
        return self._text(changes[0].old_path or changes[0].path)

    def _candidates(self, changes: Sequence[FileChange]) -> Iterator[_Image]:
        """The texts that may be the file between two of *changes*, the surest first."""
        path, label, own = changes[0].old_path or changes[0].path, self._place.label, changes[0].old_id
        here = [self._text(path), *(self._text(c.path) for c in changes)]
        ids = [own, *(c.new_id for c in changes)]
        # From the last to the first, but the state before the whole series comes first of all.
        order = [0, *range(len(changes), 0, -1)] if not changes[0].copied else [0]
        for n in order:
            if _is(here[n], ids[n]):
                yield _Image(here[n], n, self._already(path, n, len(changes)))
        for n in order:
            for text in self._stored(ids[n]):
                what = f"blob {ids[n]} of the repository" if text is not None else "no file"
                when = f"before {self._label}" if n == 0 else "in the series"
                yield _Image(text, n, f"{path} {when} is {what}, not the file in {label}")
        for n in order:
            if not _is(here[n], ids[n]):
                yield _Image(here[n], n, self._already(path, n, len(changes)), by_text=True)

    def _already(self, path: str, n: int, of: int) -> str:
        if n == 0:
            return ""
        what = self._label if n == of else f"the first {n} of {of} changes"
        return f"{path} in {self._place.label} has {what} already; what was before is that, reversed"

    def _text(self, path: str) -> bytes | None:
        if path not in self.files:
            self.files[path] = self._place.read([path]).get(path)
        return self.files[path]

    def _stored(self, blob: str) -> list[bytes | None]:
        if not blob:
            return []
        return [None] if set(blob) == {"0"} else list(self._objects.matching(blob))


@dataclass(frozen=True)
class _Image:
    """A text that may be the file after the first *applied* of some changes; *by_text* where no id says so."""

    text: bytes | None
    applied: int
    note: str
    by_text: bool = False


def _do(text: bytes | None, change: FileChange) -> bytes | None:
    return patches.apply(change, text)


def _undo(text: bytes | None, change: FileChange) -> bytes | None:
    return patches.apply(change.reversed(), text)


def _is(text: bytes | None, blob: str) -> bool:
    """Whether *blob* is how the id of *text* begins; all zeros is the id of no file."""
    if text is None:
        return set(blob) == {"0"}
    return bool(blob) and any(i.startswith(blob) for i in git.blob_ids(text))


def _lineage(changes: Sequence[FileChange]) -> list[FileChange]:
    """The first of *changes*, and those that go on from what it leaves."""
    first, *later = changes
    found, path = [first], first.new_path
    for change in later if not first.copied else []:
        if path is not None and change.old_path == path and not change.copied:
            found.append(change)
            path = change.new_path
    return found
