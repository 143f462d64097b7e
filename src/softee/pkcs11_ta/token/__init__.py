# SPDX-License-Identifier: Apache-2.0
"""What a token keeps, sealed in its vault."""
