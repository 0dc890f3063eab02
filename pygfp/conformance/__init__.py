# SPDX-License-Identifier: GPL-2.0-only
"""
The standard checks as ordinary tests: ``pytest --pyargs pygfp.conformance --gfp-source DIR``.
"""
