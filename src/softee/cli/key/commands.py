# SPDX-License-Identifier: Apache-2.0
"""``softee key list``, ``show`` and ``delete``."""

from softee.cli.cryptoki.described import KEYS
from softee.cli.object.work import delete_command, list_command, show_command
from softee.names import CKO

list_ = list_command("List the keys on a token: all, or those of a label, of an identifier, of a URI.", KEYS)
show = show_command(
    "key",
    "Show what a private or secret key is; where there is none of that name, a public one.",
    (CKO.PRIVATE_KEY, CKO.SECRET_KEY),
    KEYS,
)
delete = delete_command(
    "key", "Destroy the keys of a label, of an identifier or of a URI: private, public and secret ones.", KEYS
)
