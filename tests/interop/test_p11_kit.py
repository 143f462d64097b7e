# SPDX-License-Identifier: Apache-2.0
"""GnuTLS' p11tool, which loads the module through p11-kit."""

from interop.tools import PIN, Programs

URL = "pkcs11:token=mytoken"


def p11tool(token: Programs, *arguments: str) -> str:
    return token.run("p11tool", "--provider", token.module, "--login", f"--set-pin={PIN}", *arguments)


def test_the_token_is_listed(token: Programs) -> None:
    answer = token.run("p11tool", "--provider", token.module, "--list-tokens")
    assert "manufacturer=Linaro" in answer
    assert "Flags: RNG, Requires login\n" in answer


def test_gnutls_generates_a_key_and_signs_with_it(token: Programs) -> None:
    p11tool(token, "--generate-ecc", "--curve", "secp256r1", "--label", "gnutls", "--outfile", "public.pem", URL)
    listed = p11tool(token, "--list-all", f"{URL};object=gnutls")
    assert "CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE" in listed
    answer = p11tool(token, "--test-sign", f"{URL};object=gnutls;type=private")
    assert answer.count("... ok") == 3
