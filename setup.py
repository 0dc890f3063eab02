# SPDX-License-Identifier: GPL-2.0-only
"""
What pyproject.toml cannot say: the cffi modules, and csrc/ inside the wheel.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCSources(build_py):
    """Put csrc/ beside the package: it is needed at run time to build other trees."""

    def run(self) -> None:
        """Copy the package, then csrc/, which an editable install reads where it is."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "pygfp" / "csrc"
            shutil.copytree(Path(__file__).parent / "csrc", target, dirs_exist_ok=True)


setup(cffi_modules=["build_ffi.py:bundled", "build_ffi.py:abi"], cmdclass={"build_py": BuildWithCSources})
