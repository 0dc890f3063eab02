# SPDX-License-Identifier: GPL-2.0-only
"""
A kernel as Python sees it: the flags, composites and helpers of one source in one configuration.

:func:`load` runs the header's code in this process, as the price of a scalar call that takes less than a
microsecond; ``pygfp check`` never does. Treat a header from a stranger as you would its Makefile.
"""

from __future__ import annotations

import re
import weakref
from contextlib import contextmanager
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from .. import releases
from ..config import WORD_SIZE, Selection, slug
from ..errors import BuildError, HelperUnavailableError, UnknownFlagError
from ..flags import FlagTable
from ..native.attempt import WORD_BITS
from ..native.resident import Resident
from ..native.session import Session
from ..native.session import load as load_build
from ..native.trace import trace_order
from ..native.workers import Workers
from .helper import Helper
from .masks import Mask, Names, mask_type, require_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..config import Assignment
    from ..forms import Outcome
    from ..model.laws import Law
    from ..native.plan import Build, HelperPlan, SegmentPlan
    from ..native.session import Loaded
    from ..sources import Source
    from .sweeping import Comparison, Progress

# ``kernel.__GFP_IO`` in a class body reaches us as ``kernel._Class__GFP_IO``.
_MANGLED = re.compile(r"_\w+?(__GFP_\w+)\Z")

# Which helper's configurations an enumerator goes with: it is not recorded for enumerators themselves.
_ENUMERATED = {"ZONELIST_": "gfp_zonelist", "MIGRATE_": "gfp_migratetype", "ZONE_": "gfp_zone", "__MAX_NR": "gfp_zone"}


class UnknownNameError(UnknownFlagError, AttributeError):
    """An attribute that is no flag, composite, helper or constant of the kernel; lists near matches."""

    name: str


class Kernel:
    """
    One source in one configuration. Attributes and items are its names: ``kernel.GFP_KERNEL``, ``kernel["__GFP_IO"]``,
    ``kernel.gfp_nested_mask(mask)``, ``kernel.ZONE_NORMAL``.

    :ivar source: where the text came from
    :ivar config: the CONFIG symbols that are on
    :ivar compiler: what compiled it
    :ivar complaints: what a user should know of the cache
    :ivar domain: what its sweeps compare unless they are told: None for every value of the defined bits, or ``"full"``
    :ivar on_progress: is told of its sweeps, see :func:`pygfp.sweep`; None: a bar on a terminal
    """

    domain: str | None = None
    on_progress: Progress | None = None

    def __init__(self, source: Source, config: Assignment, loaded: Loaded, resident: Resident) -> None:
        """See :func:`load`."""
        self.source = source
        self.config = MappingProxyType({s: on for s, on in sorted(config.items()) if on})
        self.compiler = loaded.compiler
        self.complaints = tuple(loaded.complaints)
        self.build = loaded.build
        self._loaded = loaded
        self._resident = resident
        self._constants = dict(_constants(loaded.build, config))
        self.mask_type = mask_type(Names(self._plain_table(), self._trace_order), loaded.build.gfp_t_bits)
        self._workers = Workers(loaded.objects)
        weakref.finalize(self, self._workers.close)

    @property
    def title(self) -> str:
        """Source, release and configuration in a few words."""
        return f"{self.source.label} {self.source.release or '(release not known)'}, {self.config_text}"

    @property
    def config_text(self) -> str:
        """The configuration in words."""
        return " ".join(f"{s}=y" for s in self.config) or "all symbols off"

    @property
    def row(self) -> releases.Row:
        """The release of the facts that the source is compared with."""
        return releases.reference(self.source.release)

    @property
    def table(self) -> FlagTable:
        """Names and masks, with the printing order of the source's own trace table."""
        return self.mask_type.names.table

    @cached_property
    def flags(self) -> Mapping[str, Mask]:
        """Every flag of one bit, lowest bit first."""
        found = sorted((mask, name) for name, mask in self._plain_table().flags.items())
        return MappingProxyType({name: self.mask_type(mask) for mask, name in found})

    @cached_property
    def composites(self) -> Mapping[str, Mask]:
        """Every other mask by name, ``GFP_KERNEL`` and kin; a flag that this configuration switches off is none."""
        masks = self._plain_table().masks
        return MappingProxyType({n: self.mask_type(m) for n, m in masks.items() if m and n not in self.flags})

    @cached_property
    def helpers(self) -> Mapping[str, Helper]:
        """Every function of one ``gfp_t`` that this source has in this configuration."""
        found = {}
        for plan in self.build.helpers:
            segment = _segment_of(plan, self.config)
            if segment is not None:
                found[plan.name] = Helper(self, plan, segment, self._resident.function(segment, plan.name))
        return MappingProxyType(found)

    @property
    def constants(self) -> Mapping[str, int]:
        """Every constant that is no mask: ``ZONE_NORMAL``, ``MIGRATE_MOVABLE``, ``__GFP_BITS_SHIFT``."""
        return {n: c for n, (c, is_mask) in self._constants.items() if not is_mask}

    def mask(self, value: int) -> Mask:
        """
        Return *value* as a mask of this kernel.

        :raises ValueError: it is negative, or wider than ``gfp_t``
        """
        return self.mask_type(require_width(value, self.mask_type.every))

    def format(self, mask: int) -> str:
        """
        Return *mask* as this kernel's ``%pGg`` prints it.

        :raises ValueError: it is negative, or wider than ``gfp_t``
        """
        return self.table.format(require_width(int(mask), self.mask_type.every))

    def parse(self, text: str) -> Mask:
        """
        Return the mask that *text* names: names and numbers joined by ``|``.

        :raises UnknownFlagError: a name is not defined here; lists near matches
        :raises ValueError: a number is wider than ``gfp_t``
        """
        return self.mask(self._plain_table().parse(text))

    def call(self, name: str, mask: int, *, ungrouped: bool = False) -> Outcome:
        """
        Return (value, bug, warned) of helper *name* on *mask*; after BUG the value means nothing.

        :param ungrouped: state of the kernel's page_group_by_mobility_disabled
        :raises HelperUnavailableError: this source lacks the helper
        :raises ValueError: *mask* is negative or too wide, or *name* is no helper
        """
        found = self[name]
        if not isinstance(found, Helper):
            message = f"{name} is no helper: it is {found!r}"
            raise ValueError(message)  # noqa: TRY004 - the value of a string is wrong
        return found.outcome(mask, ungrouped=ungrouped)

    @contextmanager
    def working(self) -> Iterator[Session]:
        """Yield the kernel in worker processes, where whole domains are compared; one thread at a time uses them."""
        with self._workers.lock:
            pool = self._workers.pool()
            loaded = self._loaded
            selection = Selection(self.config, complete=True)
            yield Session(self.source, selection, loaded.build, pool, loaded.compiler, loaded.objects)

    def sweep(self, f: object, g: object, domain: str | Iterable[int] | None = None) -> Comparison:
        """Compare *f* and *g* on every input of a domain: :func:`pygfp.sweep`, callables on masks of this kernel."""
        from .sweeping import sweep  # noqa: PLC0415 - a kernel is made of less

        chosen = self.domain if domain is None else domain
        return sweep(f, g, chosen, kernel=self, on_progress=self.on_progress)

    def assert_equal_everywhere(self, f: object, g: object, domain: str | Iterable[int] | None = None) -> None:
        """
        Compare *f* and *g* on every input of a domain, callables on masks of this kernel.

        :raises AssertionError: they differ; the message shows the smallest input on which they do
        """
        __tracebackhide__ = True
        from .asserting import assert_equal_everywhere  # noqa: PLC0415 - a kernel is made of less

        assert_equal_everywhere(
            f, g, self.domain if domain is None else domain, kernel=self, on_progress=self.on_progress
        )

    def assert_law(self, f: object, law: str | Law, domain: str | Iterable[int] | None = None) -> None:
        """
        Judge the filter *f* by a law of nested allocation, ``"no-zone"`` for example, on every input of a domain.

        :raises AssertionError: an input breaks it; the message shows the smallest one
        """
        __tracebackhide__ = True
        from .asserting import assert_law  # noqa: PLC0415 - a kernel is made of less

        chosen = self.domain if domain is None else domain
        assert_law(f, law, chosen, kernel=self, on_progress=self.on_progress)

    def close(self) -> None:
        """End the worker processes, if any. Scalar calls go on; another sweep starts new ones."""
        self._workers.close()

    def __enter__(self) -> Self:
        """Return the kernel; leaving ends its workers."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End the workers."""
        self.close()

    def __contains__(self, name: object) -> bool:
        """Whether this kernel has a mask, helper or constant *name*."""
        return name in self._constants or name in self.helpers

    def __iter__(self) -> Iterator[str]:
        """Every name."""
        return iter((*self._constants, *self.helpers))

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - Mask, Helper or int, by the name
        """
        Return the mask, helper or constant *name*.

        :raises UnknownFlagError: no such name; lists near matches
        :raises HelperUnavailableError: other releases have such a helper, this source does not
        """
        __tracebackhide__ = True
        try:
            return self._lookup(name)
        except UnknownNameError as exc:
            raise UnknownFlagError(name, self) from exc

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - Mask, Helper or int, by the name
        """Return the mask, helper or constant *name*; see :meth:`__getitem__`."""
        __tracebackhide__ = True
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        mangled = _MANGLED.match(name)
        found = self._lookup(mangled[1] if mangled else name)
        # The next look-up of the name does not come here.
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        """Return its own names and the kernel's."""
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        """Source, release, configuration and compiler."""
        return f"<pygfp kernel: {self.title}, {self.compiler}>"

    def __reduce__(self) -> str:
        """
        Refuse to be pickled.

        :raises TypeError: always
        """
        message = "a kernel is a loaded object and cannot be pickled; masks can, and load() is cheap once it is cached"
        raise TypeError(message)

    def _lookup(self, name: str) -> Any:  # noqa: ANN401 - see __getitem__
        __tracebackhide__ = True
        if name in self._constants:
            value, is_mask = self._constants[name]
            return self.mask_type(value) if is_mask else value
        if name in self.helpers:
            return self.helpers[name]
        raise self._missing(name)

    def _missing(self, name: str) -> Exception:
        """Why there is no *name*: a helper that is broken, or of another shape, is not one that is absent."""
        plan = next((p for p in self.build.helpers if p.name == name), None)
        loss = next((why for config, why in plan.losses if _agrees(config, self.config)), "") if plan else ""
        error = self.build.broken.get(name) or (plan and plan.error) or loss
        if error:
            return BuildError(f"{self.title}: {name}() cannot be compiled: {error}")
        if plan and plan.unswept:
            return TypeError(f"{name}() is no function of one gfp_t alone: {plan.unswept}")
        if plan or name in _helper_names():
            return HelperUnavailableError(name, self.source.label, self.config_text)
        return UnknownNameError(name, self)

    def _plain_table(self) -> FlagTable:
        masks = {n: v for n, (v, is_mask) in self._constants.items() if is_mask}
        shift = self._constants.get("__GFP_BITS_SHIFT")
        return FlagTable(masks, self.build.gfp_t_bits, shift[0] if shift else None)

    def _trace_order(self) -> tuple[str, ...]:
        return tuple(trace_order(self.source, self.row, self.build.flag_symbols)[0])


def load(source: Source, config: Assignment, wanted: Mapping[str, str]) -> Kernel:
    """
    Return *source* in configuration *config*, loaded into this process.

    :param config: CONFIG symbols; one that is not named is off
    :param wanted: C return type by name of the helpers to look for in every watched file
    :raises BuildError: there is no compiler, or the source does not compile in this configuration
    """
    resident = Resident()
    loaded = load_build(source, _selection(config), wanted, resident.load)
    return Kernel(source, config, loaded, resident)


def _selection(config: Assignment) -> Selection:
    """
    Every relevant configuration at once, which is what ``pygfp check`` builds and keeps: one compiler run for all
    kernels of a source. A symbol that Kconfig ties to another word size has to be forced.
    """
    return Selection({s: True for s, on in config.items() if on and WORD_SIZE.get(s, WORD_BITS) != WORD_BITS})


def _agrees(part: Assignment, config: Mapping[str, bool]) -> bool:
    return all(config.get(symbol, False) == on for symbol, on in part.items())


def _segment_of(plan: HelperPlan, config: Mapping[str, bool]) -> int | None:
    """The segment that holds what *plan* means in *config*; None where it does not exist there."""
    return next((m.segment for m in plan.meanings if any(_agrees(c, config) for c in m.configs)), None)


def _constants(build: Build, config: Mapping[str, bool]) -> Iterator[tuple[str, tuple[int, bool]]]:
    """Name, value and whether it is a mask of each constant as *config* has it."""
    names = dict.fromkeys(name for segment in build.segments for name in segment.constants)
    for name in names:
        constant = _home(build, name, config).constants.get(name)
        if constant is not None:
            is_mask = constant.is_gfp_t and name.lstrip("_").startswith("GFP_")
            yield name, (constant.value, is_mask)


def _home(build: Build, name: str, config: Mapping[str, bool]) -> SegmentPlan:
    """A segment in which constant *name* is as *config* has it."""
    symbols = build.constant_symbols.get(name)
    if symbols is None:
        helper = next((h for prefix, h in _ENUMERATED.items() if name.startswith(prefix)), "")
        symbols = next((p.symbols for p in build.helpers if p.name == helper), [])
    wanted = {s: config.get(s, False) for s in symbols}
    homes = [s for s in build.segments if wanted.items() <= s.assignment.items()]
    good = next((s for s in homes if not s.error), None)
    if good is None:
        why = homes[0].error if homes else "the configuration was not built"
        raise BuildError(f"{slug(wanted) or 'every configuration'} cannot be built: {why}")
    return good


@cache
def _helper_names() -> frozenset[str]:
    """Every helper that some known release has."""
    return frozenset(name for row in releases.rows() for name in row.helper_files)
