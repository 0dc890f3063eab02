# SPDX-License-Identifier: GPL-2.0-only
"""
pygfp: the GFP headers of a Linux kernel, compiled as they are and checked on every flag combination.

Importing this package compiles and loads nothing.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
