# SPDX-License-Identifier: GPL-2.0-only
"""What `explain` tells of a helper: its history, its form, its proof and what a call does."""
