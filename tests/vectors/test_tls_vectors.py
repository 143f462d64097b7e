# SPDX-License-Identifier: Apache-2.0
"""TLS 1.2's keys: NIST's samples (CAVS 800-135, ACVP for RFC 7627), the IETF list's PRF vectors, a published handshake.

The PRF vectors were sent to the TLS working group's list (msg03416). The handshake is the one that tls12.xargs.org
explains byte by byte.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import pytest

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support import mechanism_runs as run
from support.samples.tls import exporter, extended, finished, key_block, master

h = bytes.fromhex


def secret(value: bytes) -> KeyView:
    return keys.secret_key(value, CKK.GENERIC_SECRET)


@dataclass(frozen=True)
class Connection:
    """Secrets of a connection. ``seed`` is the session hash, or the randoms of the hello messages together."""

    function: CKM
    premaster: bytes
    seed: bytes
    master: bytes
    client: bytes
    server: bytes
    block: bytes


CAVS = Connection(
    CKM.SHA256,
    h("f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc"),
    h("36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c")
    + h("f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce"),
    h("202c88c00f84a17a20027079604787461176455539e705be730890602c289a5001e34eeb3a043e5d52a65e66125188bf"),
    h("62e1fd91f23f558a605f28478c58cf72637b89784d959df7e946d3f07bd1b616"),
    h("ae6c806f8ad4d80784549dff28a4b58fd837681a51d928c3e30ee5ff14f39868"),
    h(
        "d06139889fffac1e3a71865f504aa5d0d2a2e89506c6f2279b670c3e1b74f531016a2530c51a3a0f7e1d6590d0f0566b"
        "2f387f8d11fd4f731cdd572d2eae927f6f2f81410b25e6960be68985add6c38445ad9f8c64bf8068bf9a6679485d966f"
        "1ad6f68b43495b10a683755ea2b858d70ccac7ec8b053c6bd41ca299d4e51928"
    ),
)
EXTENDED = (
    Connection(
        CKM.SHA256,
        h("8252B983A6459A6FB3B9DEBE8725247E276139EBF7C9ADCCDD7D240F3ADA7F5E3351B2769B6C8DC169A6D799C3C0FFEB"),
        h("1359D7DF74CB27C67F74C98D521D442B887EAF0DECF6E382C62434D6C3DD7D0D"),
        h("43A5E821FCF5446C712207F7CD161ED213EE3B9D001D418C57231BEFD596B583ECD55AB2C4456B02738698F90BC59AC0"),
        h("ABE7AF69AFFC5E0944F4009B3E7ABD1CC0A5CCE8DB055EFF4A509E5B6DE9475A"),
        h("50E0A1A1FD64A55259781A5C22580A81F99799C32F52D3F48D2C10C5C692E289"),
        h(
            "4886E75BE82DD4FB73C540729072D3E29B93C164E1CFFE071F1212B1237B98DC0B0A5895F331F7180CEB30B17BB8C3E9"
            "2A074B26325FF975237DBD22320C0B88D64931F39C777B1527D36A999AD5FE5EE7F53FC42A509BEB22634B17EC7B768E"
            "AF6A87977CF8670B34D0A76EBCE6A659DAB6C15B4B86B98B9A63C50BBE1E2A09"
        ),
    ),
    Connection(
        CKM.SHA384,
        h("DD89C0E77800986427E92F5FE71B0697CF85C5C645FAD91F53AFF57143DB98D433EDEEBEDAF60A297FA4E16414FE10AB"),
        h("05405D3BB4876524FCAFADF73D691D4F5E6B37F4D9DFB3AEA4D305D2B843268463B85EE78BF4AA60B6E19A20D8CE89DC"),
        h("11E1DC3C7B8582FA671C7404411E00A5FB699918AF7E4B56B126815F0F952906113908F7D629A8C63DAF8551BB53DB5A"),
        h("51691E7D6C934777D66C7AF5CA3C953E29C108BB6D292AB5D70AD17DC1F49DE0"),
        h("96599E3D36491D3065107520A5755DA41B414183CD8892127DE1AA4257F9D973"),
        h(
            "74EC0F77B5B6FAE09566755606628964C9BA8A7E59D9E8D5018EA9A4AB78F67EEBBD6C11D92AD3B897A6B62CA0F9E2BC"
            "682265B42C4A75B6B817F6DDB8F5547A38FB994A7CBB8627884DB5A5BFEFF17FA89E52060D25959785B59477E3A10C1D"
            "22BF8D9BF6B68C2DC42A1EA3D2DE46B92137B15F7B60EF5DC23EDCDF9F8BA7D3"
        ),
    ),
    Connection(
        CKM.SHA512,
        h("183841ED098F53A84EA8181377991EB84DE19CC23018AD63F9EF3E0C99B07C2985807D7558D6E05BC64D4834488E2AE8"),
        h(
            "56FB19E744D1B62DAD34E0A1630AD04F8B1D22337F3CEF4CE0A63BD42379FF75"
            "220CE5AEB9F062D3117108E3579F89FFBF031C3086E4943BA9D2D8A6A5C79EB6"
        ),
        h("5080C70256C653CBCDAB7F25278AFAC83409B9A67CF18410157EC3249D1742B62EEF81F325B009880D0E83BFF6AB920C"),
        h("33F8616A1DF6CBCA9481A9DBDE696544B1DDF2CCF40BBFE3C3EBDFA23111C188"),
        h("8158CDE9D6667C40DF7A1CAF82001FD93BE140D5E18046E46FE9EC1071F7E6F4"),
        h(
            "E4B9CB5505322228DE54134CF84C8A3B6E3511A1670143833ABBE015F75ECF7DE49B8BBC99F4D752A08E0E3C914F526B"
            "491BA2EFF760F69DDBB88AF94D4F4143F2D1589987892092CCCE996D1959671B8318334D6B9CE982BD996D9072760081"
            "4906CC4B71EC9C999FAA6CEAC36A64B05E5235AE84BD62FD02DED5A1D6F9F287"
        ),
    ),
)
LABEL = b"test label"
PRF = {
    CKM.SHA256: (
        "9bbe436ba940f017b17652849a71db35",
        "a0ba9f936cda311827a6f796ffd5198c",
        (
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
            "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
            "87347b66"
        ),
    ),
    CKM.SHA384: (
        "b80b733d6ceefcdc71566ea48e5567df",
        "cd665cf6a8447dd6ff8b27555edb7465",
        (
            "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
            "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
            "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070"
            "3d73e56f"
        ),
    ),
    CKM.SHA512: (
        "b0323523c1853599584d88568bbb05eb",
        "d4640e12e4bcdbfb437f03e6ae418ee5",
        (
            "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45"
            "e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
            "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c3975"
            "45401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
            "40d4d898"
        ),
    ),
}
HANDSHAKE = secret(
    h("916abf9da55973e13614ae0a3f5d3f37b023ba129aee02cc9134338127cd7049781c8e19fc1eb2a7387ac06ae237344c")
)
MESSAGES = h("061dda04b3c2217ff73bd79b9cf88a2bb6ec505404aac8722db03ef417b54cb4")
CLIENT_FINISHED = h("cf919626f1360c536aaad73a")
KEY_DERIVATIONS = (CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE)


def cut(block: bytes, *sizes: int) -> list[bytes]:
    return [block[start:end] for start, end in pairwise(accumulate(sizes, initial=0))]


@pytest.mark.parametrize("mechanism", [CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH])
def test_the_master_secret_of_nists_sample(mechanism: CKM) -> None:
    parameter = master(CAVS.seed[:32], CAVS.seed[32:])
    assert run.derive_keys(mechanism, secret(CAVS.premaster), parameter) == ([CAVS.master], b"")


def test_the_version_of_a_premaster_secret_is_shown() -> None:
    parameter = master(CAVS.seed[:32], CAVS.seed[32:], version=True)
    derived = run.derive_keys(CKM.TLS12_MASTER_KEY_DERIVE, secret(CAVS.premaster), parameter)
    assert derived == ([CAVS.master], CAVS.premaster[:2])


@pytest.mark.parametrize("of", EXTENDED, ids=lambda of: of.function.name)
@pytest.mark.parametrize("mechanism", [CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH])
def test_the_extended_master_secrets_of_nists_samples(mechanism: CKM, of: Connection) -> None:
    parameter = extended(of.seed, function=of.function)
    assert run.derive_keys(mechanism, secret(of.premaster), parameter) == ([of.master], b"")


@pytest.mark.parametrize("of", [CAVS, *EXTENDED], ids=lambda of: of.function.name)
def test_the_key_blocks_of_nists_samples(of: Connection) -> None:
    parameter = key_block(160, 256, 96, of.client, of.server, function=of.function)
    derived, shown = run.derive_keys(CKM.TLS12_KEY_AND_MAC_DERIVE, secret(of.master), parameter)
    assert [*derived, shown] == cut(of.block, 20, 20, 32, 32, 24)


@pytest.mark.parametrize("mechanism", KEY_DERIVATIONS, ids=lambda mechanism: mechanism.name)
def test_keys_alone_begin_the_block(mechanism: CKM) -> None:
    parameter = key_block(0, 128, 0, CAVS.client, CAVS.server)
    derived, shown = run.derive_keys(mechanism, secret(CAVS.master), parameter)
    assert ([*derived], shown) == (cut(CAVS.block, 16, 16), b"")


@pytest.mark.parametrize("function", PRF, ids=lambda function: function.name)
@pytest.mark.parametrize("mechanism", [CKM.TLS_KDF, CKM.TLS12_KDF], ids=lambda mechanism: mechanism.name)
def test_the_prf_of_the_working_groups_list(mechanism: CKM, function: CKM) -> None:
    key, seed, output = map(h, PRF[function])
    parameter = exporter(LABEL, seed[:5], seed[5:9], seed[9:], function=function)
    assert run.derive(mechanism, secret(key), parameter, len(output)) == output
    assert run.derive(mechanism, secret(key), parameter, 1) == output[:1]


@pytest.mark.parametrize("mechanism", [CKM.TLS_MAC, CKM.TLS12_MAC], ids=lambda mechanism: mechanism.name)
def test_the_end_of_a_published_handshake(mechanism: CKM) -> None:
    assert run.sign(mechanism, HANDSHAKE, finished(2), [MESSAGES]) == CLIENT_FINISHED
    run.verify(mechanism, HANDSHAKE, finished(2), [MESSAGES[:7], MESSAGES[7:]], CLIENT_FINISHED)


@pytest.mark.parametrize(
    ("side", "data", "signature", "rv"),
    [
        (1, MESSAGES, CLIENT_FINISHED, CKR.SIGNATURE_INVALID),
        (2, MESSAGES[:-1], CLIENT_FINISHED, CKR.SIGNATURE_INVALID),
        (2, MESSAGES, CLIENT_FINISHED[:-1] + b"\0", CKR.SIGNATURE_INVALID),
        (2, MESSAGES, CLIENT_FINISHED[:-1], CKR.SIGNATURE_LEN_RANGE),
    ],
)
def test_another_end_is_refused(side: int, data: bytes, signature: bytes, rv: CKR) -> None:
    with pytest.raises(Pkcs11Error) as refused:
        run.verify(CKM.TLS_MAC, HANDSHAKE, finished(side), [data], signature)
    assert refused.value.rv is rv


def test_a_premaster_secret_begins_with_the_version_and_is_another_one_each_time() -> None:
    made = [run.generate(CKM.TLS_PRE_MASTER_KEY_GEN, bytes((3, 3)), None) for _ in range(2)]
    assert [(one[:2], len(one)) for one in made] == [(bytes((3, 3)), 48)] * 2
    assert made[0] != made[1]
