# SPDX-License-Identifier: Apache-2.0
"""``softee key``: keys on a token, and statements of where they come from."""

from softee.cli.lazy import LazyGroup, Row

key = LazyGroup(
    "key",
    "Make, import, export, wrap and attest keys.",
    {
        "generate": Row("softee.cli.key.generate", "Make a key or a key pair on a token."),
        "list": Row("softee.cli.key.commands", "List the keys on a token."),
        "show": Row("softee.cli.key.commands", "Show what a key is, and what is public of it."),
        "import": Row("softee.cli.key.importing", "Put a private key from a file on a token."),
        "export-public": Row("softee.cli.key.exporting", "Write a public key as PEM, DER, SSH or JWK."),
        "wrap": Row("softee.cli.key.wrapping", "Write a key, encrypted with another one, into a file."),
        "unwrap": Row("softee.cli.key.wrapping", "Make a key of such a file."),
        "delete": Row("softee.cli.key.commands", "Destroy a key, with its public half."),
        "attest": Row("softee.cli.key.attest", "State, signed, where a private key comes from."),
        "verify-attestation": Row("softee.cli.key.verify", "Show what such a statement proves."),
    },
)
