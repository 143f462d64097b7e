# SPDX-License-Identifier: Apache-2.0
"""What is counted of a secure world, and who is told: metrics, `softee top`, `softee web`."""
