# SPDX-License-Identifier: Apache-2.0
"""``softee top``: who uses a running secure world, and how much."""
