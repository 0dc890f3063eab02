# SPDX-License-Identifier: GPL-2.0-only
"""
What ``import pygfp`` offers: each function takes what a user has at hand, and turns it into the values of the stages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .. import config as configs
from .. import sources
from ..config import Selection
from ..errors import UsageError
from ..model.helpers import WANTED
from ..model.laws import LAWS
from . import kernel

if TYPE_CHECKING:
    from ..changes import DiffReport
    from ..config import Assignment
    from ..model.laws import Law
    from ..report import Report
    from ..sources import Source
    from .kernel import Kernel

#: The laws of nested allocation by id.
laws: Mapping[str, Law] = {law.id: law for law in LAWS}

_SYMBOL = re.compile(r"CONFIG_\w+\Z")


def load(
    source: str | os.PathLike[str] | Source | None = None,
    config: str | os.PathLike[str] | Iterable[str] | Mapping[str, bool] | None = None,
) -> Kernel:
    """
    Return the kernel object of *source* in one configuration.

    This compiles the headers, or takes the build from the cache, and loads it into this process: the code in
    the header runs here. ``pygfp.check()`` and the command line run it in child processes only.

    >>> kernel = load("bundled")
    >>> kernel.gfp_nested_mask(kernel.GFP_NOFS)
    GFP_NOFS|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC

    :param source: a tree, headers package, build directory, ``DIR@REV`` or ``"bundled"``; None: the kernel tree that
        the current directory is in, else ``"bundled"``
    :param config: a kernel ``.config`` file, ``"CONFIG_X"`` or ``"CONFIG_X=y|n"``, several of these, or a mapping;
        a symbol that is not named is off
    :raises KernelTreeError: no such source
    :raises UsageError: *config* cannot be meant
    :raises BuildError: there is no compiler, or the headers do not compile in this configuration
    """
    return kernel.load(resolve(source), read_config(config), WANTED)


def check(  # noqa: PLR0913 - what the command line has as options
    source: str | os.PathLike[str] | Source | None = None,
    config: str | os.PathLike[str] | Iterable[str] | Mapping[str, bool] | None = None,
    *,
    helper: str | None = None,
    full: bool = False,
    policy: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
) -> Report:
    """
    Return the verdicts of ``pygfp check`` on *source*. The header's code runs in child processes only.

    >>> report = check("bundled", helper="gfp_nested_mask")
    >>> report.exit_status(), {c.status for c in report.checks}
    (0, {'pass'})

    :param source: as in :func:`load`
    :param config: as in :func:`load`; None: every combination of the CONFIG symbols that a meaning depends on
    :param helper: only helpers and composites that match this glob
    :param full: every value of ``gfp_t``, not only of the defined bits
    :param policy: a TOML file that decides new flags
    :param jobs: worker processes; None: one a core
    :raises PygfpError: the source cannot be read or compiled, or an argument cannot be meant
    """
    from ..check import Options  # noqa: PLC0415 - the module, whose name the function has
    from ..check import check as run  # noqa: PLC0415 - ditto
    from ..model.policy import Policy, parse_policy  # noqa: PLC0415 - few need it
    from ..outside import read_text  # noqa: PLC0415 - ditto

    selection = Selection() if config is None else Selection(read_config(config), complete=True)
    decided = Policy()
    if policy is not None:
        decided = parse_policy(read_text(Path(policy), "policy"), os.fspath(policy))
    return run(resolve(source), selection, Options(decided, helper, full, jobs))


def diff(  # noqa: PLR0913 - what the command line has as options
    old: str | os.PathLike[str] | Source,
    new: str | os.PathLike[str] | Source,
    config: str | os.PathLike[str] | Iterable[str] | Mapping[str, bool] | None = None,
    *,
    helper: str | None = None,
    full: bool = False,
    jobs: int | None = None,
) -> DiffReport:
    """
    Return what changes in meaning from *old* to *new*. The code of both runs in child processes only.

    >>> report = diff("bundled", "bundled")
    >>> report.exit_status(), report.identical
    (0, True)

    :param old: as *source* of :func:`load`
    :param new: likewise
    :param config: as in :func:`load`; None: every combination of the CONFIG symbols that a meaning depends on
    :param helper: only helpers and composites that match this glob
    :param full: every value of ``gfp_t``, not only of the defined bits
    :param jobs: worker processes; None: one a core
    :raises PygfpError: a side cannot be read or compiled, or an argument cannot be meant
    """
    from ..diff import Options  # noqa: PLC0415 - the module, whose name the function has
    from ..diff import diff as run  # noqa: PLC0415 - ditto

    selection = Selection() if config is None else Selection(read_config(config), complete=True)
    return run(resolve(old), resolve(new), selection, Options(helper, full, jobs))


def resolve(source: str | os.PathLike[str] | Source | None) -> Source:
    """
    Return the source that *source* names.

    :raises KernelTreeError: there is none of that name
    """
    if isinstance(source, sources.Source):
        return source
    return sources.resolve(None if source is None else os.fspath(source))


def read_config(config: str | os.PathLike[str] | Iterable[str] | Mapping[str, bool] | None) -> Assignment:
    """
    Return the symbols that *config* sets.

    >>> read_config(["CONFIG_LOCKDEP", "CONFIG_NUMA=n"])
    {'CONFIG_LOCKDEP': True, 'CONFIG_NUMA': False}

    :raises UsageError: it is neither a setting nor a file that can be read
    """
    if config is None:
        return {}
    if isinstance(config, Mapping):
        wrong = [s for s in config if not _SYMBOL.match(s)]
        if wrong:
            raise UsageError(f"config: expected names such as CONFIG_LOCKDEP, found {wrong[0]!r}")
        return dict(config)
    if not isinstance(config, (str, os.PathLike)):
        return configs.parse_settings([_setting(one) for one in config], "config")
    text = os.fspath(config)
    if isinstance(config, str) and text.startswith("CONFIG_"):
        return configs.parse_settings([_setting(text)], "config")
    return configs.read_dotconfig(Path(text), "config")


def _setting(text: str) -> str:
    return f"{text}=y" if _SYMBOL.match(text) else text
