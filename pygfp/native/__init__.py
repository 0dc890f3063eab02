# SPDX-License-Identifier: GPL-2.0-only
"""
The only package that compiles, loads and calls C.
"""
