# SPDX-License-Identifier: GPL-2.0-only
"""
Compiled helpers in the caller's own process: a scalar call must cost less than a message to a worker.

This runs the header's code where the caller runs, without limits: a helper that crashes takes the process
along. Only :func:`pygfp.load` comes here. The digest of an object is compared before it is loaded, as in a worker.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..errors import BuildError
from ..forms import Outcome
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


#: What pygfp_scalar() of build_ffi.py answers: values of so many bytes, and above them what else happened.
_QUICK_BYTES = 4
_EVENTS = 1 << 32


class Resident:
    """The objects that are loaded into this process."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._worker = Worker()
        self._results = _Results(self._worker.ffi)

    def load(self, objects: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """
        Load *objects*, given by path and sha256, and return the segments that they hold.

        :raises BuildError: an object does not match its digest, or does not load
        """
        try:
            answer = self._worker.load({"objects": objects, "offset": 0})
        except (OSError, ValueError) as exc:
            message = f"the compiled object does not load: {exc}"
            raise BuildError(message) from exc
        segments: list[dict[str, Any]] = answer["segments"]
        return segments

    def function(self, segment: int, name: str) -> Function:
        """Return helper *name* of *segment* as a function."""
        return Function(self._worker.ffi, self._worker.helpers[segment, name], self._results)


class Function:
    """
    One helper of one build, as a function of a mask.

    :ivar result_bytes: size of what it returns
    :ivar is_signed: what it returns is a signed number
    """

    __slots__ = ("_call", "_ffi", "_results", "is_signed", "result_bytes")

    def __init__(self, ffi: Any, helper: Any, results: _Results) -> None:  # noqa: ANN401 - cffi
        """Take the function pointer out of *helper*."""
        self._call = helper.call
        self._results = results
        self._ffi = ffi
        self.result_bytes: int = helper.result_bytes
        self.is_signed = bool(helper.is_signed)

    def outcome(self, x: int, *, ungrouped: bool = False) -> Outcome:
        """
        Return what the helper does with *x*, the value as unsigned.

        :param ungrouped: state of the kernel's page_group_by_mobility_disabled
        """
        inputs, result = self._results.inputs, self._results.result
        inputs[0] = x
        self._call(inputs, 1, ungrouped, result)
        return Outcome(result.value, bool(result.bug), bool(result.warned))

    def scalar(self, every: int, convert: Callable[[int], Any], refuse: Callable[[Any], Any]) -> Callable[[int], Any]:
        """
        Return the fastest way to call the helper: the answer passed through *convert*.

        :param every: the widest input
        :param refuse: is given an input that is no ``gfp_t``, or on which BUG or WARN fires, and answers
        """
        quick = _quick()
        if quick is None or self.result_bytes > _QUICK_BYTES:
            return self._by_struct(every, convert, refuse)
        address = int(self._ffi.cast("unsigned long long", self._call))

        def scalar(x: int) -> Any:  # noqa: ANN401 - what *convert* returns
            try:
                if not 0 <= x <= every:
                    return refuse(x)
                answer = quick(address, x)
            except TypeError:
                return refuse(x)
            return convert(answer) if answer < _EVENTS else refuse(x)

        return scalar

    def _by_struct(
        self, every: int, convert: Callable[[int], Any], refuse: Callable[[Any], Any]
    ) -> Callable[[int], Any]:
        """The same for results that are wider, and where the module of the bundled subset was not built."""
        call, results = self._call, self._results

        def scalar(x: int) -> Any:  # noqa: ANN401 - what *convert* returns
            try:
                if not 0 <= x <= every:
                    return refuse(x)
                inputs, result = results.inputs, results.result
                inputs[0] = x
                call(inputs, 1, 0, result)
                return refuse(x) if result.bug or result.warned else convert(result.value)
            except TypeError:
                return refuse(x)

        return scalar


class _Results(threading.local):
    """An input and a result, for each thread: the interpreter's lock is not held while C runs."""

    def __init__(self, ffi: Any) -> None:  # noqa: ANN401 - cffi
        self.inputs = ffi.new("unsigned long long[1]")
        self.result = ffi.new("struct pygfp_result *")


def _quick() -> Callable[[int, int], int] | None:
    """The way into compiled code that costs least; None where the module of the bundled subset was not built."""
    try:
        from pygfp import _bundled  # type: ignore[attr-defined] # noqa: PLC0415 - generated by build_ffi.py
    except ImportError:
        return None
    found: Callable[[int, int], int] = _bundled.lib.pygfp_scalar
    return found
