# SPDX-License-Identifier: GPL-2.0-only
"""
Sites: the places in C text that derive one GFP mask from another, each as an expression of its input.
"""
