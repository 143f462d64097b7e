# SPDX-License-Identifier: Apache-2.0
"""An application that generates and uses keys through the shared object, and then writes down all of its own memory.

Arguments: the module, the user's PIN, the file for the memory. It prints, in hexadecimal, a value that it has planted.
"""

import secrets
import sys
from pathlib import Path

import PyKCS11 as p  # noqa: N813 - its constants are its own

P256 = bytes.fromhex("06082a8648ce3d030107")


def generate(session: p.Session, mechanism: int, public: list[tuple[int, object]]) -> object:
    """Generate a key pair on the token and return the private key's handle."""
    private = [(p.CKA_TOKEN, True), (p.CKA_PRIVATE, True), (p.CKA_SENSITIVE, True), (p.CKA_SIGN, True)]
    return session.generateKeyPair([(p.CKA_TOKEN, True), *public], private, p.Mechanism(mechanism, None))[1]


def use(module: str, pin: str) -> None:
    """Generate an RSA and an EC key, and sign with both many times."""
    library = p.PyKCS11Lib()
    library.load(module)
    session = library.openSession(0, p.CKF_RW_SESSION)
    session.login(pin)
    exponent = (1, 0, 1)
    rsa = generate(
        session, p.CKM_RSA_PKCS_KEY_PAIR_GEN, [(p.CKA_MODULUS_BITS, 2048), (p.CKA_PUBLIC_EXPONENT, exponent)]
    )
    ec = generate(session, p.CKM_EC_KEY_PAIR_GEN, [(p.CKA_EC_PARAMS, tuple(P256))])
    for _ in range(20):
        session.sign(rsa, b"message", p.Mechanism(p.CKM_SHA256_RSA_PKCS, None))
        session.sign(ec, bytes(32), p.Mechanism(p.CKM_ECDSA, None))
    write_down_memory(Path(sys.argv[3]))


def write_down_memory(file: Path) -> None:
    """Copy every mapping of this process that can be read; the kernel's own, [vvar] and the like, cannot."""
    mappings = Path("/proc/self/maps").read_text().splitlines()
    with Path("/proc/self/mem").open("rb", buffering=0) as memory, file.open("wb") as copy:
        for mapping in mappings:
            bounds, permissions, *_ = mapping.split()
            if not permissions.startswith("r") or "[v" in mapping:
                continue
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            memory.seek(start)
            left = end - start
            while left and (part := memory.read(min(left, 1 << 20))):
                copy.write(part)
                left -= len(part)


if __name__ == "__main__":
    planted = bytearray(secrets.token_bytes(32))
    use(sys.argv[1], sys.argv[2])
    print(planted.hex())  # noqa: T201 - the test reads it
