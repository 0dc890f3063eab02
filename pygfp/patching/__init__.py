# SPDX-License-Identifier: GPL-2.0-only
"""Patches: unified diffs, the mails that carry them, and the source that a patch makes of another."""
