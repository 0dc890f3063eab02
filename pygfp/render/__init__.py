# SPDX-License-Identifier: GPL-2.0-only
"""
Report value to text. Nothing here decides anything.

A command has a module of its own with ``text()`` and ``json()``; a format that several commands share has one too.
"""
