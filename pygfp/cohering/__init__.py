# SPDX-License-Identifier: GPL-2.0-only
"""
The hand-copied GFP tables of a tree against its header, one module a kind of table.
"""
