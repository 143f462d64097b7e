# SPDX-License-Identifier: Apache-2.0
"""What an object is made of: attribute values, the kinds' tables, and their interpreters."""
