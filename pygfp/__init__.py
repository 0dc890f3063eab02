# SPDX-License-Identifier: GPL-2.0-only
"""
pygfp: the GFP headers of a Linux kernel, compiled as they are and checked on every flag combination.

Importing this package compiles and loads nothing; the names below are fetched when they are first used.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "BugFired",
    "BuildError",
    "Comparison",
    "Filter",
    "HelperCrashed",
    "HelperUnavailableError",
    "Kernel",
    "KernelTreeError",
    "Lookup",
    "Mask",
    "MaskFilter",
    "MaskTable",
    "Model",
    "Outcome",
    "Predicate",
    "PygfpError",
    "UnknownFlagError",
    "UsageError",
    "__version__",
    "assert_equal_everywhere",
    "assert_law",
    "check",
    "diff",
    "laws",
    "load",
    "sweep",
]

if TYPE_CHECKING:
    from .api.asserting import assert_equal_everywhere, assert_law
    from .api.entry import check, diff, laws, load
    from .api.kernel import Kernel
    from .api.masks import Mask
    from .api.modelled import Model
    from .api.sweeping import Comparison, sweep
    from .errors import (
        BugFired,
        BuildError,
        HelperCrashed,
        HelperUnavailableError,
        KernelTreeError,
        PygfpError,
        UnknownFlagError,
        UsageError,
    )
    from .forms import MaskFilter, MaskTable, Outcome
    from .model.declared import Filter, Lookup, Predicate

# Where a public name is defined; exceptions are in errors.
_HOMES = {
    **dict.fromkeys(("check", "diff", "laws", "load"), "api.entry"),
    **dict.fromkeys(("assert_equal_everywhere", "assert_law"), "api.asserting"),
    **dict.fromkeys(("MaskFilter", "MaskTable", "Outcome"), "forms"),
    **dict.fromkeys(("Filter", "Lookup", "Predicate"), "model.declared"),
    **dict.fromkeys(("Comparison", "sweep"), "api.sweeping"),
    "Kernel": "api.kernel",
    "Mask": "api.masks",
    "Model": "api.modelled",
}


class _Package(ModuleType):
    """The package, with its public names fetched on demand."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever has that name
        if name not in __all__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - importing this package costs nothing

        found = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        # The import system puts every submodule here. ``pygfp.check`` and ``pygfp.laws`` are the public names even
        # where the modules of the same names have been imported; ``from pygfp.check import ...`` works as ever.
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *__all__})


sys.modules[__name__].__class__ = _Package
