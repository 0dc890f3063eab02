# SPDX-License-Identifier: GPL-2.0-only
"""Baselines: what was accepted, as a small text under version control, and what departs from it."""
