# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with an installation, how to see it, and how to mend it."""
