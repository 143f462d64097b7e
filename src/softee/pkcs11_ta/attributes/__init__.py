# SPDX-License-Identifier: Apache-2.0
"""What attributes are, apart from any object: their values, and how values are written."""
