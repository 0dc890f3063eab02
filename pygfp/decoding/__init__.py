# SPDX-License-Identifier: GPL-2.0-only
"""What `decode` and `encode` read: expressions, log lines, and the names of each release."""
