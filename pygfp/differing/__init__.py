# SPDX-License-Identifier: GPL-2.0-only
"""
Changes: one opened kernel against another. Values in, values out; nothing here prints or compiles, or knows the model.
"""
