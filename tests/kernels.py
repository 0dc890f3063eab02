# SPDX-License-Identifier: GPL-2.0-only
"""
Real kernel text for the tests: the distribution's header and source packages, downloaded and unpacked.

Nothing of it is kept in the repository. The packages go below ``build/kernels`` of the checkout, or where
``PYGFP_TEST_KERNELS`` says.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import zlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORE = Path(os.environ.get("PYGFP_TEST_KERNELS", ROOT / "build" / "kernels"))

#: What is unpacked of a source package.
WANTED = (
    "mm",
    "lib",
    "include",
    "Makefile",
    "tools/testing/kunit",
    "arch/x86/include",
    "tools/include/linux",
    "tools/perf/builtin-kmem.c",
)


class Unavailable(Exception):  # noqa: N818 - a reason to skip
    """A package cannot be had here; the text says why and what mends it."""


@cache
def headers(series: str, half: str = "common") -> Path:
    """Return the unpacked ``linux-headers-SERIES*-HALF`` of the newest version that the distribution offers."""
    name = _newest(rf"linux-headers-{re.escape(series)}[.\d]*[-+~\w.]*-{half}\Z", half)
    unpacked = _unpacked(name)
    found = sorted(unpacked.glob("usr/src/linux-headers-*"))
    if not found:
        reason = f"{name} has no usr/src/linux-headers-*"
        raise Unavailable(reason)
    return found[0]


@cache
def sources(series: str) -> Path:
    """Return the part of the unpacked ``linux-source-SERIES`` that the tests look at."""
    name = f"linux-source-{series}"
    # Another list is another copy: one that was made with an older list lacks files.
    target = STORE / f"{name}-tree-{zlib.crc32(repr(WANTED).encode()):08x}"
    with _locked():
        if not target.is_dir():
            archive = next(iter(_unpack(name).glob("usr/src/linux-source-*.tar.xz")), None)
            if archive is None:
                reason = f"{name} has no usr/src/linux-source-*.tar.xz"
                raise Unavailable(reason)
            part = target.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            patterns = [f"linux-source-{series}/{w}" for w in WANTED]
            subprocess.run(["tar", "-C", part, "--strip-components=1", "-xf", archive, *patterns], check=True)
            shutil.rmtree(STORE / name)
            part.rename(target)
    return target


def _newest(pattern: str, half: str) -> str:
    try:
        done = subprocess.run(["apt-cache", "pkgnames", "linux-headers-"], capture_output=True, text=True, check=False)
    except FileNotFoundError as exc:
        reason = "apt-cache is not installed: this is no Debian-like system"
        raise Unavailable(reason) from exc
    found = [n for n in done.stdout.split() if re.match(pattern, n) and "-rt-" not in n and "-cloud-" not in n]
    if not found:
        reason = f"no package {pattern} ({half}); run 'apt-get update', on a distribution that has that series"
        raise Unavailable(reason)
    return max(found, key=lambda n: [int(p) for p in re.findall(r"\d+", n)])


def _unpacked(package: str) -> Path:
    with _locked():
        return _unpack(package)


def _unpack(package: str) -> Path:
    target = STORE / package
    if target.is_dir():
        return target
    part = STORE / f"{package}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    done = subprocess.run(["apt-get", "download", package], cwd=part, capture_output=True, text=True, check=False)
    archives = list(part.glob("*.deb"))
    if done.returncode or not archives:
        reason = f"'apt-get download {package}' fails; run 'apt-get update' first ({done.stderr.strip()[-200:]})"
        raise Unavailable(reason)
    subprocess.run(["dpkg-deb", "-x", archives[0], part], check=True)
    archives[0].unlink()
    part.rename(target)
    return target


class _locked:  # noqa: N801 - reads as a statement
    """One process at a time downloads; others wait and find it done."""

    def __enter__(self) -> None:
        STORE.mkdir(parents=True, exist_ok=True)
        self._stream = (STORE / "lock").open("w")
        fcntl.flock(self._stream, fcntl.LOCK_EX)

    def __exit__(self, *exc_info: object) -> None:
        self._stream.close()
