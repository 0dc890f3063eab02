# SPDX-License-Identifier: GPL-2.0-only
"""
Report value to text, one module per format. Nothing here decides anything.
"""
