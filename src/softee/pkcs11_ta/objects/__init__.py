# SPDX-License-Identifier: Apache-2.0
"""What an object is: the kinds' tables, their interpreters, its content, its record."""
