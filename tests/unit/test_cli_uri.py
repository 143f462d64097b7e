# SPDX-License-Identifier: Apache-2.0
"""PKCS#11 URIs (RFC 7512): what is written is read as the same, and what is not understood is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.cli.cryptoki.module import Token
from softee.cli.cryptoki.options import named
from softee.cli.cryptoki.uri import TYPES, Uri, uri_of
from softee.cli.failure import CliError
from softee.names import CKO, TokenFlag

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
URIS = st.builds(
    Uri,
    token=TEXTS,
    manufacturer=TEXTS,
    model=TEXTS,
    serial=TEXTS,
    label=TEXTS,
    id=st.none() | st.binary(),
    object_class=st.none() | st.sampled_from(list(TYPES.values())),
    slot=st.none() | st.integers(0, 2**64 - 1),
)


@given(URIS)
def test_what_is_written_is_read_as_the_same(uri: Uri) -> None:
    written = str(uri)
    assert written.isascii()
    assert not set(written) & set(" \"'#?<>") - {"'"}
    assert Uri.parse(written) == uri


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for given_text in (text, f"pkcs11:{text}"):
        with contextlib.suppress(CliError):
            assert isinstance(Uri.parse(given_text), Uri)


def test_the_rfc_s_example_is_understood() -> None:
    """RFC 7512 §3."""
    uri = Uri.parse("pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;")
    assert (uri.token, uri.manufacturer, uri.model) == ("The Software PKCS#11 Softtoken", "Snake Oil, Inc.", "1.0")
    assert not uri.names_an_object
    uri = Uri.parse("pkcs11:object=my-sign-key;type=private;slot-id=327;id=%69%95%3E%5C%F4%BD%EC%91")
    assert (uri.label, uri.object_class, uri.slot) == ("my-sign-key", CKO.PRIVATE_KEY, 327)
    assert uri.id == bytes.fromhex("69953e5cf4bdec91")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("token=x", "does not begin with pkcs11:"),
        ("pkcs11:object=x?pin-value=1234", "has a query"),
        ("pkcs11:colour=red", "'colour=red' is unknown"),
        ("pkcs11:object", "'object' is unknown, incomplete"),
        ("pkcs11:object=a;object=b", "there twice"),
        ("pkcs11:type=key", "its type is none of public"),
        ("pkcs11:slot-id=x", "invalid literal"),
        ("pkcs11:object=%ff", "can't decode"),
    ],
)
def test_what_is_not_understood_is_refused_for_it_may_mean_another_key(text: str, why: str) -> None:
    with pytest.raises(CliError, match=why) as refused:
        Uri.parse(text)
    assert refused.value.status == 2


def test_a_token_has_a_uri_and_so_have_its_objects() -> None:
    token = Token(0, "my token", "Linaro", "OP-TEE TA", "0011", TokenFlag.TOKEN_INITIALIZED, (4, 128))
    assert str(uri_of(token)) == "pkcs11:serial=0011;token=my%20token"
    uri = uri_of(token, "a/b", b"\x01", CKO.CERTIFICATE)
    assert str(uri) == "pkcs11:serial=0011;token=my%20token;id=%01;object=a%2Fb;type=cert"
    assert uri_of(token, object_class=CKO.PROFILE).object_class is None


def test_an_object_is_named_one_way_or_the_other() -> None:
    assert named(None, "label", "01ff") == Uri(label="label", id=b"\x01\xff")
    assert named("pkcs11:object=x", None, None) == Uri(label="x")
    with pytest.raises(CliError, match="not by both"):
        named("pkcs11:object=x", "x", None)
    with pytest.raises(CliError, match="--id is not hexadecimal"):
        named(None, None, "x")
