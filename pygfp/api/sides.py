# SPDX-License-Identifier: GPL-2.0-only
"""
The sides of a sweep: helpers, forms and callables, each as far as its meaning is known for every input.

A form here holds values as Python has them: a bool for ``bool``, a negative number for a negative ``int``.
"""

from __future__ import annotations

import os
import random
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import BugFired, UsageError
from ..forms import MaskFilter, MaskTable, Outcome
from ..mine import mine
from ..native.jobs import Job
from .helper import Helper, fired
from .tracing import MAX_TABLE_BITS, Untraceable, as_form, evaluate, follow, looks_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..forms import Form
    from .kernel import Kernel
    from .tracing import Path

    Array = Callable[[Any], tuple[Any, Any]]

#: Wider masks do not fit a lane of an array.
_LANE_BITS = 62
#: A sweep in the workers compares so many bits, at least and at most.
_BLOCK_BITS, _SWEPT_BITS = 11, 32
#: On so many random inputs what was followed is held against what is called.
_SAMPLE = 256


class Side(Protocol):
    """
    One function of a mask.

    :ivar label: what it is called in messages
    """

    label: str

    def outcome(self, x: int) -> Outcome:
        """Return what it does with *x*."""

    def form(self, bits: int) -> Form | None:
        """Return the form that it is shown to have on every input below ``2**bits``, or None."""

    def looks_at(self, bits: int) -> int | None:
        """Return the bits of an input below ``2**bits`` on which its answer can depend, or None: not known."""

    def array(self, np: Any, bits: int) -> Array | None:  # noqa: ANN401 - numpy is optional
        """Return what gives values and events (1 for BUG, 2 for WARN) for an array of inputs below ``2**bits``."""


class HelperSide:
    """A helper: compiled C, asked one by one in this process, and as a whole in the workers."""

    def __init__(self, helper: Helper) -> None:
        """Take *helper*."""
        self.helper = helper
        self.label = f"{helper.name}() of {helper.kernel.title}"
        self.form = cache(self._proven)

    def outcome(self, x: int) -> Outcome:
        """Call it."""
        return self.helper.outcome(x)

    def looks_at(self, bits: int) -> int | None:
        """Return what its form says, if it has one."""
        form = self.form(bits)
        return None if form is None else _looks_at(form)

    def array(self, np: Any, bits: int) -> Array | None:  # noqa: ANN401 - numpy is optional
        """Return its form for arrays, if it has one."""
        form = self.form(bits)
        return None if form is None else array_of(np, form)

    def lowered(self, form: Form) -> Form | None:
        """Return *form* as its C sweep compares with it; None where no result of the helper is of that kind."""
        if self.helper.is_filter:
            found = as_filter(form)
            fits = found is not None and 0 <= found.keep | found.force <= self.helper.kernel.mask_type.every
            return found if fits else None
        table = as_table(form)
        bits = self.helper.result_bits
        if table is None or any(self.helper.convert(int(r.value) % (1 << bits)) != r.value for r in table.rows):
            return None
        return MaskTable(table.bits, tuple(r._replace(value=int(r.value) % (1 << bits)) for r in table.rows))

    def _proven(self, bits: int) -> Form | None:
        helper = self.helper
        bits = max(bits, _BLOCK_BITS)
        with helper.kernel.working() as session:
            form = mine(lambda xs: session.pool.call(helper.segment, helper.name, xs), bits, is_filter=helper.is_filter)
            if form is None:
                return None
            found = session.pool.sweep([Job(helper.segment, helper.name, form, 1 << bits)])[0]
        if found.crash:
            raise found.crash
        if found.mismatches or isinstance(form, MaskFilter):
            return None if found.mismatches else form
        return MaskTable(form.bits, tuple(r._replace(value=0 if r.bug else helper.convert(r.value)) for r in form.rows))


class FormSide:
    """A declared form."""

    def __init__(self, form: Form, label: str) -> None:
        """Take *form*."""
        self._form = form
        self.label = label

    def outcome(self, x: int) -> Outcome:
        """Look it up."""
        return self._form.outcome(x)

    def form(self, _: int) -> Form | None:
        """Return it."""
        return self._form

    def looks_at(self, _: int) -> int:
        """Return what it says."""
        return _looks_at(self._form)

    def array(self, np: Any, _: int) -> Array | None:  # noqa: ANN401 - numpy is optional
        """Return it for arrays."""
        return array_of(np, self._form)


class CallableSide:
    """A Python callable: followed where that is possible, called where it is not."""

    def __init__(self, function: Callable[[Any], Any], kernel: Kernel | None) -> None:
        """Take *function*, to be called with masks of *kernel*, or with plain numbers."""
        self._function = function
        self._kernel = kernel
        self._made: type[int] = kernel.mask_type if kernel else int
        self.label = _label(function)
        self.form = cache(self._shown)
        self._paths = cache(self._followed)
        self._side = cache(HelperSide)

    def outcome(self, x: int) -> Outcome:
        """Call it; what the helpers fire that it calls is its own, and an exception gets a note of the input."""
        fired.warned = False
        try:
            answer = self._function(self._made(x))
        except BugFired:
            return Outcome(0, bug=True)
        except Exception as exc:
            exc.add_note(f"pygfp: {self.label} was called with {self._name(x)}")
            raise
        if isinstance(answer, Outcome):
            return answer
        if isinstance(answer, int):
            return Outcome(answer, warned=fired.warned)
        message = f"{self.label} returns {answer!r} for {self._name(x)}; expected an int, a bool or an Outcome"
        raise TypeError(message)

    def looks_at(self, bits: int) -> int | None:
        """Return what its structure shows, if calls do not contradict it."""
        followed = self._paths(bits)
        if followed is None:
            return None
        mattering = looks_at(followed[0])
        alike = all(self._alike(x, self.outcome(x & mattering)) for x in _sample(bits))
        return mattering if alike else None

    def array(self, np: Any, bits: int) -> Array | None:  # noqa: ANN401 - numpy is optional
        """Return what it was seen to do, for arrays."""
        followed = self._paths(bits)
        if followed is None:
            return None
        paths, called = followed
        if any(isinstance(path.result, Outcome) for path in paths):
            return None
        lookups: dict[Any, Any] = {}
        for helper, needed in called.items():
            found = self._side(helper).array(np, needed)
            if found is None:
                return None
            lookups[helper] = found

        def seen(xs: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays
            return evaluate(paths, xs, lookups, np.where)

        sample = np.array(_sample(bits), dtype=np.int64)
        rows = zip(sample.tolist(), *(array.tolist() for array in seen(sample)), strict=True)
        alike = all(self._alike(x, Outcome(value, event == 1, event == 2)) for x, value, event in rows)  # noqa: PLR2004
        return seen if alike else None

    def _shown(self, bits: int) -> Form | None:
        followed = self._paths(bits)
        form = None if followed is None else as_form(followed[0], bits, self.outcome)
        alike = form is not None and all(self._alike(x, form.outcome(x)) for x in _sample(bits))
        return form if alike else None

    def _alike(self, x: int, expected: Outcome) -> bool:
        """Whether a call does what was seen: a callable may be fickle, or look at the type of its operand."""
        return self.outcome(x).agrees(expected)

    def _followed(self, bits: int) -> tuple[Sequence[Path], dict[Helper, int]] | None:
        """Its paths, and for each helper that it calls how many bits the inputs of that have."""
        width = self._kernel.build.gfp_t_bits if self._kernel else 0
        called: dict[Helper, int] = {}

        def form_of(helper: Helper, needed: int) -> Form | None:
            called[helper] = max(bits, needed, called.get(helper, 0))
            return self._side(helper).form(called[helper]) if called[helper] <= _SWEPT_BITS else None

        if max(width, bits) > _LANE_BITS:
            return None
        try:
            return follow(self._function, bits, self._made, width, form_of), called
        except Untraceable:
            return None

    def _name(self, x: int) -> str:
        return f"{x:#x} ({self._kernel.format(x)})" if self._kernel else f"{x:#x}"


def side(function: Any, kernels: Sequence[Kernel]) -> Side:  # noqa: ANN401 - whatever a user passes
    """
    Return *function* as a side of a sweep.

    :param kernels: the kernels of the sweep, the first of which gives masks and names
    :raises UsageError: it is neither a helper, a form nor a callable
    """
    if isinstance(function, Helper):
        return HelperSide(function)
    if isinstance(function, (MaskFilter, MaskTable)):
        return FormSide(function, f"the declared {type(function).__name__}")
    form = getattr(function, "gfp_form", None)
    if form is not None:
        return FormSide(form, str(function))
    if callable(getattr(function, "lower", None)):
        if not kernels:
            raise UsageError("a form of flag names needs a kernel: compare it with a helper, or name one (kernel=)")
        return FormSide(function.lower(kernels[0].table), f"the declared {type(function).__name__}")
    if callable(function):
        return CallableSide(function, kernels[0] if kernels else None)
    raise UsageError(f"expected a helper, a form or a callable of one mask, found {function!r}")


def kernels_of(*values: object) -> list[Kernel]:
    """Return the kernels that *values* are, or belong to, each once."""
    from .kernel import Kernel as kind  # noqa: N813, PLC0415 - the class, not its annotation

    owners = (v if isinstance(v, kind) else getattr(v, "kernel", None) for v in values)
    return list(dict.fromkeys(owner for owner in owners if isinstance(owner, kind)))


def _label(function: Callable[[Any], Any]) -> str:
    """What a callable is called, and where it stands if it has no name."""
    name = str(getattr(function, "__qualname__", None) or repr(function)).rpartition("<locals>.")[2]
    code = getattr(function, "__code__", None)
    if name != "<lambda>" or code is None:
        return f"{name}()" if name.isidentifier() else name
    return f"the lambda at {os.path.basename(code.co_filename)}:{code.co_firstlineno}"


def _looks_at(form: Form) -> int:
    return form.keep if isinstance(form, MaskFilter) else form.input(len(form.rows) - 1)


def as_filter(form: Form) -> MaskFilter | None:
    """Return *form* as a filter, if it is one."""
    if isinstance(form, MaskFilter):
        return form
    if any(r.bug or r.warned for r in form.rows):
        return None
    force = int(form.rows[0].value)
    found = MaskFilter(int(form.rows[-1].value) & ~force & form.input(len(form.rows) - 1), force)
    fits = all(found.outcome(form.input(n)) == (int(row.value), False, False) for n, row in enumerate(form.rows))
    return found if fits else None


def as_table(form: Form) -> MaskTable | None:
    """Return *form* as a table, if it looks at few enough bits."""
    if isinstance(form, MaskTable):
        return form
    bits = tuple(b for b in range(form.keep.bit_length()) if form.keep >> b & 1)
    if len(bits) > MAX_TABLE_BITS:
        return None
    empty = MaskTable(bits, (Outcome(0),) * (1 << len(bits)))
    return MaskTable(bits, tuple(form.outcome(empty.input(n)) for n in range(1 << len(bits))))


def array_of(np: Any, form: Form) -> Array | None:  # noqa: ANN401 - numpy is optional
    """Return *form* for arrays; None where its masks are too wide."""
    if isinstance(form, MaskFilter):
        if max(form.keep, form.force).bit_length() > _LANE_BITS:
            return None
        return lambda xs: ((xs & form.keep) | form.force, xs * 0)
    if any(abs(int(r.value)).bit_length() > _LANE_BITS for r in form.rows):
        return None
    values = np.array([int(r.value) for r in form.rows], dtype=np.int64)
    events = np.array([1 if r.bug else 2 if r.warned else 0 for r in form.rows], dtype=np.int64)

    def looked_up(xs: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays
        index = xs * 0
        for n, bit in enumerate(form.bits):
            index = index | ((xs >> bit & 1) << n)
        return values[index], events[index]

    return looked_up


def _sample(bits: int) -> list[int]:
    every = (1 << bits) - 1
    chosen = random.Random(bits)  # noqa: S311 - no secret
    lone = [1 << b for b in range(bits)]
    return [0, every, *lone, *(every ^ m for m in lone), *(chosen.randrange(1 << bits) for _ in range(_SAMPLE))]
