# SPDX-License-Identifier: Apache-2.0
"""The audit log that the settings ask for: its files, and who writes them."""
