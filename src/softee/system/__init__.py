# SPDX-License-Identifier: Apache-2.0
"""What a system has of softee besides programs: units, users, folders, settings. Nothing here is code."""
