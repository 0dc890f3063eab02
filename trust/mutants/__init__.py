# SPDX-License-Identifier: GPL-2.0-only
"""
Mutants of GFP headers: made token by token, judged by pygfp, and held against an oracle that shares nothing with it.
"""
