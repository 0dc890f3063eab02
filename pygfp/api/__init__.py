# SPDX-License-Identifier: GPL-2.0-only
"""The Python API: a compiled kernel to call, masks, sweeps, laws and assertions."""
