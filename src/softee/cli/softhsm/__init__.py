# SPDX-License-Identifier: Apache-2.0
"""Reads SoftHSM2's tokens from its own files, with the user's PIN, and puts what is on them on another token.

SoftHSM2 gives keys that are not extractable to nobody, so its module is not asked. Its files and databases are read as
hostile, by bounded readers, and never written to.
"""
