# SPDX-License-Identifier: Apache-2.0
"""Mechanisms by family: each a description that the commands read, and its cryptography. ``table`` lists them all."""
