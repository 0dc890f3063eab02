# SPDX-License-Identifier: GPL-2.0-only
"""
The command line: options, exit codes, and the only place that prints.
"""

from __future__ import annotations

from .main import main

__all__ = ["main"]
