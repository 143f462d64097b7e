# SPDX-License-Identifier: Apache-2.0
"""Signed statements of where keys come from."""
