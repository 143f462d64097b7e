# SPDX-License-Identifier: Apache-2.0
"""``softee token``: tokens as a whole."""

from softee.cli.lazy import LazyGroup, Row

token = LazyGroup(
    "token",
    "Initialize tokens, show them, change their PINs and labels.",
    {
        "list": Row("softee.cli.token.show", "List the slots and their tokens."),
        "show": Row("softee.cli.token.show", "Show what a token says of itself."),
        "init": Row("softee.cli.token.initialize", "Initialize a token, and set both PINs."),
        "set-pin": Row("softee.cli.token.pins", "Change a PIN."),
        "rename": Row("softee.cli.token.rename", "Give a token another label, and keep all that is on it."),
        "unlock": Row("softee.cli.token.unlock", "Forget the wrong tries that have locked a PIN."),
        "move": Row("softee.cli.token.moving", "Move a token to another installation, or into a file."),
        "import": Row("softee.cli.token.moving", "Put a token from such a file, or from a backup, into an empty slot."),
        "wipe": Row("softee.cli.token.initialize", "Destroy all that is on a token."),
    },
)
