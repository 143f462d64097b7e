# SPDX-License-Identifier: Apache-2.0
"""What mechanisms of several families are made of: hash functions, and operations in their usual shapes."""
