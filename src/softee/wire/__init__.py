# SPDX-License-Identifier: Apache-2.0
"""What both ends of a channel know: bytes to values and back, and where the sockets are. No I/O."""
