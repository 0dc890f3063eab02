# SPDX-License-Identifier: GPL-2.0-only
"""
Verdicts: an opened kernel against the model. Values in, values out; nothing here prints or compiles.
"""
