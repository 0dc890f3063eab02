# SPDX-License-Identifier: GPL-2.0-only
"""
The parts of ``pygfp nested``: where filters are found, chains of them, claims about them, their history.
"""
