# SPDX-License-Identifier: Apache-2.0
"""What travels: the command table, its requests, templates, and the one error."""
