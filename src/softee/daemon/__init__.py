# SPDX-License-Identifier: Apache-2.0
"""The process that is the secure world: its settings, its socket, its channels."""
