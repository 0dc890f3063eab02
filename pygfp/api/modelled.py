# SPDX-License-Identifier: GPL-2.0-only
"""
The reference model in the configuration of one kernel: what its helpers should answer, by the documented policy.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import BugFired, UnknownFlagError
from ..model.helpers import HELPERS, Context
from ..model.policy import Fate, Policy
from ..releases import version_key
from .masks import require_width

if TYPE_CHECKING:
    from ..forms import Form, Outcome
    from ..model.declared import Declared
    from ..model.helpers import HelperModel
    from .kernel import Kernel


class ModelHelper:
    """
    A helper as documentation has it, for the masks of one kernel. Call it with a mask, or compare it with a helper.

    :ivar kernel: whose masks it takes
    :ivar name: C name
    :ivar declared: what it means, in flag names
    """

    def __init__(self, kernel: Kernel, model: HelperModel, declared: Declared) -> None:
        """Take what *model* declares in the configuration of *kernel*."""
        self.kernel = kernel
        self.name = model.name
        self.declared = declared
        self._convert = kernel.mask_type if model.is_filter else bool if model.result == "bool" else int

    @cached_property
    def gfp_form(self) -> Form:
        """The form that a sweep compares with."""
        return self.declared.lower(self.kernel.table)

    def __call__(self, mask: int) -> Any:  # noqa: ANN401 - Mask, bool or int, by the helper
        """
        Return what the helper should answer for *mask*.

        :raises ValueError: *mask* is negative or too wide
        :raises BugFired: a BUG should fire
        """
        seen = self.outcome(mask)
        if seen.bug:
            raise BugFired(self.name, int(mask), self.kernel.format(mask))
        return seen.value

    def outcome(self, mask: int) -> Outcome:
        """Return (value, bug, warned) as they should be for *mask*."""
        x = require_width(int(mask), self.kernel.mask_type.every)
        seen = self.declared.scalar(x, self.kernel.table)
        return seen._replace(value=0 if seen.bug else self._convert(seen.value))

    def __str__(self) -> str:
        """How messages call it."""
        return f"the model of {self.name}()"

    def __repr__(self) -> str:
        """Name and kernel."""
        return f"<{self} for {self.kernel.title}>"


class Model:
    """
    The model for one kernel; its attributes are helpers: ``model.gfp_nested_mask``.

    :ivar kernel: in whose configuration, and with whose zone numbers
    :ivar helpers: every helper that the model covers, whether the kernel has it or not
    :ivar undecided: flags of which the policy knows nothing, and what the kernel's gfp_nested_mask() does with each:
        the model goes along with that, as ``pygfp check`` does, and says nothing of whether it is right
    """

    def __init__(self, kernel: Kernel, policy: Policy | None = None) -> None:
        """Take the model with *policy* on top, in the configuration of *kernel*."""
        self.kernel = kernel
        major, minor, _ = version_key(kernel.row.version)
        policy = policy or Policy()
        self.undecided = _undecided(kernel, policy)
        going_along = Policy({**policy.decided, **self.undecided})
        context = Context(kernel.config, kernel.constants, (major, minor), going_along)
        self.helpers = {model.name: ModelHelper(kernel, model, model.meaning(context)) for model in HELPERS}

    def __getattr__(self, name: str) -> ModelHelper:
        """Return the helper *name*."""
        try:
            return self.__dict__["helpers"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(str(UnknownFlagError(name, [m.name for m in HELPERS]))) from None


def _undecided(kernel: Kernel, policy: Policy) -> dict[str, Fate]:
    nested = kernel.helpers.get("gfp_nested_mask")
    if nested is None:
        return {}
    forced, unknown = nested(0), {n: m for n, m in kernel.flags.items() if policy.fate(n) is None}
    fates = {n: Fate.FORCE if forced & m else Fate.KEEP if nested(m) & m else Fate.DROP for n, m in unknown.items()}
    return dict(sorted(fates.items()))
