# SPDX-License-Identifier: Apache-2.0
"""Digests: NIST CAVS short and long messages, RFC 1321."""

import pytest

from softee.names import CKM
from support import mechanism_runs as run
from vectors.reading import records

FILES = {
    CKM.MD5: ["MD5/rfc-1321.txt"],
    CKM.SHA_1: ["SHA1/SHA1ShortMsg.rsp", "SHA1/SHA1LongMsg.rsp"],
    CKM.SHA224: ["SHA2/SHA224ShortMsg.rsp", "SHA2/SHA224LongMsg.rsp"],
    CKM.SHA256: ["SHA2/SHA256ShortMsg.rsp", "SHA2/SHA256LongMsg.rsp"],
    CKM.SHA384: ["SHA2/SHA384ShortMsg.rsp", "SHA2/SHA384LongMsg.rsp"],
    CKM.SHA512: ["SHA2/SHA512ShortMsg.rsp", "SHA2/SHA512LongMsg.rsp"],
}


@pytest.mark.parametrize("mechanism", FILES, ids=lambda mechanism: mechanism.name)
def test_digests(mechanism: CKM) -> None:
    count = 0
    for path in FILES[mechanism]:
        for record in records(f"hashes/{path}", last="MD"):
            message = bytes.fromhex(record["Msg"])[: int(record["Len"]) // 8]
            assert run.digest(mechanism, [message]).hex() == record["MD"]
            assert run.digest(mechanism, [message[:3], message[3:]]).hex() == record["MD"]
            count += 1
    assert count >= 7
