# SPDX-License-Identifier: Apache-2.0
"""What it takes for a file to be on the disk, and there whole or not at all."""
