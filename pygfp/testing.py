# SPDX-License-Identifier: GPL-2.0-only
"""
What the pytest plugin is made of, as far as it needs more than pytest: kernels, texts, progress.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import config
from .api import entry as api
from .api.masks import Mask
from .api.sweeping import Bar
from .errors import PygfpError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from .api.kernel import Kernel
    from .config import Assignment
    from .sources import Source

#: How often progress may take the terminal from the tests.
_PACE_S = 0.5


@dataclass
class Suite:
    """
    The kernels of one pytest run, each loaded once.

    :ivar specs: what ``--gfp-source`` names; empty: the kernel tree that the run is in, else bundled
    :ivar settings: what ``--gfp-config`` names: files and ``CONFIG_X=y|n``
    :ivar domain: what sweeps compare: None for the defined bits, or ``"full"``
    :ivar on_progress: is told of sweeps that take long
    """

    specs: Sequence[str]
    settings: Sequence[str]
    domain: str | None = None
    on_progress: Callable[[int, int, float], None] | None = None
    _kernels: dict[Any, Kernel] = field(default_factory=dict)

    @cached_property
    def sources(self) -> list[Source]:
        """The sources, resolved; raises KernelTreeError where there is none."""
        return [api.resolve(spec) for spec in self.specs] or [api.resolve(None)]

    @cached_property
    def config(self) -> Assignment:
        """The configuration without markers; raises UsageError where it cannot be meant."""
        files = [s for s in self.settings if not s.startswith("CONFIG_")]
        if len(files) > 1:
            raise UsageError(f"--gfp-config: expected one .config file at most, found {', '.join(files)}")
        from_files = api.read_config(files[0]) if files else {}
        return {**from_files, **api.read_config([s for s in self.settings if s.startswith("CONFIG_")])}

    def kernel(self, source: Source, assignment: Mapping[str, bool]) -> Kernel:
        """Return *source* in configuration *assignment*; raises PygfpError where it cannot be built."""
        key = source.digest, source.label, frozenset(s for s, on in assignment.items() if on)
        if key not in self._kernels:
            made = api.load(source, assignment)
            made.domain, made.on_progress = self.domain, self.on_progress
            self._kernels[key] = made
        return self._kernels[key]

    def combinations(self, symbols: Sequence[str]) -> list[Assignment]:
        """Return every combination of *symbols*, all off first; raises UsageError for what is none."""
        api.read_config(list(symbols))
        wrong = [s for s in symbols if "=" in s]
        if wrong or not symbols or len(symbols) > config.MAX_SYMBOLS:
            found = ", ".join(symbols) or "none"
            raise UsageError(
                f"gfp_configs: expected 1 to {config.MAX_SYMBOLS} names such as CONFIG_LOCKDEP, found {found}"
            )
        rows = product((False, True), repeat=len(symbols))
        return [{**self.config, **dict(zip(symbols, row, strict=True))} for row in rows]

    def ids(self) -> list[str]:
        """Return what tells the sources apart in test ids."""
        names = [Path(s.label).name or s.label for s in self.sources]
        return [n if names.count(n) == 1 else f"{n}-{k}" for k, n in enumerate(names, 1)]

    def headers(self) -> list[str]:
        """Return a line for each source: release, reference row, configuration, compiler; raises PygfpError."""
        return [self._header(self.kernel(source, self.config)) for source in self.sources]

    def _header(self, kernel: Kernel) -> str:
        source = kernel.source
        release = source.release or "release not known"
        return f"pygfp: {source.label}, {release}, reference {kernel.row.name}, {kernel.config_text}, {kernel.compiler}"

    def close(self) -> None:
        """End the workers of every kernel."""
        for kernel in self._kernels.values():
            kernel.close()


def require(suite: Suite, wanted: Iterable[tuple[Source | None, Mapping[str, bool] | None]]) -> str:
    """
    Load what the collected tests want, given by source and configuration; None stands for that of the options.

    :returns: why that cannot be done, in one text for the whole run; ``""`` where all is well
    """
    try:
        for source, assignment in wanted:
            suite.kernel(source or suite.sources[0], suite.config if assignment is None else assignment)
    except PygfpError as exc:
        return f"pygfp: nothing was tested: {exc}"
    return ""


def explain_equal(left: object, right: object) -> list[str] | None:
    """
    Return why ``left == right`` is not so, flag by flag; None where neither is a mask.

    >>> import pygfp
    >>> kernel = pygfp.load("bundled")
    >>> print(chr(10).join(explain_equal(kernel.GFP_NOFS, kernel.GFP_KERNEL)))
    GFP_NOFS == GFP_KERNEL
      left   0xc40  GFP_NOFS
      right  0xcc0  GFP_KERNEL
      missing on the left: __GFP_FS
    """
    kind = next((type(v) for v in (left, right) if isinstance(v, Mask)), None)
    if kind is None or not all(isinstance(v, int) and 0 <= v <= kind.every for v in (left, right)):
        return None
    one, other = (kind(v) for v in (left, right) if isinstance(v, int))
    lines = [f"{one!r} == {other!r}", f"  left   {int(one):#x}  {one!r}", f"  right  {int(other):#x}  {other!r}"]
    for what, mask in (("missing on the left", other & ~one), ("extra on the left", one & ~other)):
        if mask:
            lines.append(f"  {what}: {' '.join(mask.flags)}")
    return lines


class Shown:
    """Progress of a sweep inside a test, on the terminal that pytest has taken."""

    def __init__(self, released: Callable[[], AbstractContextManager[object]]) -> None:
        """Take the terminal by *released*, which gives it back afterwards."""
        self._released = released
        self._bar = Bar()
        self._at = time.monotonic()

    def __call__(self, done: int, total: int, left_s: float) -> None:
        """See :class:`pygfp.api.sweeping.Bar`."""
        now = time.monotonic()
        if now > self._at + _PACE_S or done == total:
            self._at = now
            with self._released():
                self._bar(done, total, left_s)
