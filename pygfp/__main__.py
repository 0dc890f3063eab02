# SPDX-License-Identifier: GPL-2.0-only
"""
``python -m pygfp``.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
