# SPDX-License-Identifier: Apache-2.0
"""``softee import``: what others have, by where it comes from."""

from softee.cli.lazy import LazyGroup, Row

import_ = LazyGroup(
    "import",
    "Put keys from files, or a token of SoftHSM2's, on a token.",
    {
        "softhsm": Row("softee.cli.softhsm.command", "Put what is on a token of SoftHSM2's on a token."),
        "p12": Row("softee.cli.importing.key_files", "Put key and certificates of a PKCS#12 file on a token."),
        "pkcs8": Row("softee.cli.importing.key_files", "Put a key in PKCS#8 on a token."),
        "pem": Row("softee.cli.importing.key_files", "Put a key in PEM on a token."),
    },
)
