# SPDX-License-Identifier: Apache-2.0
"""Untrusted stores behind one small Protocol. They know nothing of what they hold."""
