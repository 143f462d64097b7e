# SPDX-License-Identifier: Apache-2.0
"""What keeps the secure world from starting, with a sentence of its own. Failures of the store have theirs."""


class StartError(Exception):
    """The secure world cannot start. The text is one sentence: why and, where there is one, the way out."""
