# SPDX-License-Identifier: Apache-2.0
"""``softee setup``: the system's secure world on a machine without a package manager, and its removal."""
