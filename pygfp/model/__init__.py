# SPDX-License-Identifier: GPL-2.0-only
"""
The reference model: documented policy in pure Python. It never sees a header or a build.
"""
