# SPDX-License-Identifier: GPL-2.0-only
"""
A helper of one kernel, as a function of a mask.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..errors import BugFired
from .masks import require_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..forms import Outcome
    from ..native.plan import HelperPlan
    from ..native.resident import Function
    from .kernel import Kernel


class _Fired(threading.local):
    """What the helpers fired that this thread called, since somebody last looked."""

    warned = False


fired = _Fired()


class Helper:
    """
    A helper of one kernel: call it with a mask.

    :ivar kernel: whose it is
    :ivar name: C name
    :ivar segment: where its meaning in this configuration is compiled
    :ivar is_filter: it returns ``gfp_t``
    :ivar result_bits: width of what it returns
    :ivar convert: from what the C returns, as unsigned, to what a call returns
    """

    def __init__(self, kernel: Kernel, plan: HelperPlan, segment: int, function: Function) -> None:
        """Make *function* callable with the checks and conversions of *kernel*."""
        self.kernel = kernel
        self.name = plan.name
        self.segment = segment
        self.is_filter = plan.is_filter
        self.place = f"{plan.path}:{plan.line}"
        self._function = function
        self.result_bits = 8 * function.result_bytes
        convert: Callable[[int], Any] = int
        if plan.is_filter:
            convert = kernel.mask_type
        elif plan.result == "bool":
            convert = bool
        elif function.is_signed:
            convert = self._signed
        self.convert = convert
        self._scalar = function.scalar(kernel.mask_type.every, convert, self._refused)

    def __call__(self, mask: int) -> Any:  # noqa: ANN401 - Mask, bool or int, by the helper
        """
        Return what the C returns: a Mask for ``gfp_t``, else a bool or an int.

        :param mask: ``0 <= mask < 2**width`` of this kernel's ``gfp_t``
        :raises ValueError: *mask* is negative or too wide
        :raises BugFired: a BUG fires; a WARN does not stop the C, and :meth:`outcome` tells of it
        """
        return self._scalar(mask)

    def outcome(self, mask: int, *, ungrouped: bool = False) -> Outcome:
        """
        Return (value, bug, warned) for *mask*; after BUG the value means nothing.

        :param ungrouped: state of the kernel's page_group_by_mobility_disabled, of which migrate types depend
        :raises ValueError: *mask* is negative or too wide
        """
        x = require_width(int(mask), self.kernel.mask_type.every)
        seen = self._function.outcome(x, ungrouped=ungrouped)
        return seen._replace(value=0 if seen.bug else self.convert(seen.value))

    def __repr__(self) -> str:
        """Name and source, as a user knows them."""
        return f"<{self.name}() of {self.kernel.title}>"

    def _signed(self, value: int) -> int:
        return value - (1 << self.result_bits) if value >> (self.result_bits - 1) else value

    def _refused(self, x: Any) -> Any:  # noqa: ANN401 - whatever a caller passed
        """The slow way: an operand that records, an event, or an exception that says what is wrong."""
        record = getattr(x, "pygfp_applied", None)
        if record is not None:
            return record(self)
        if not isinstance(x, int):
            message = f"{self.name}() takes a mask, an int; found {type(x).__name__}"
            raise TypeError(message)
        seen = self.outcome(x)
        if seen.bug:
            raise BugFired(self.name, int(x), self.kernel.format(x))
        fired.warned = fired.warned or seen.warned
        return seen.value
