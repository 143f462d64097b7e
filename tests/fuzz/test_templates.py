# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a template, objects are made by the rules or refused by a return value that the call may have.

The invariant: no bytes of a client make the application answer CKR_GENERAL_ERROR, or with a value that the command's
table does not allow, and what it has made can be read, found and destroyed.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import CODECS
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating, PairGenerating
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support.any_object import checked, unwrapper, use_and_destroy, world
from support.commands import c
from support.samples import OBJECT_SAMPLES, UNWRAPPED, as_template
from support.token_world import u32

KINDS = st.sampled_from(sorted(CODECS)) | st.integers(0, 0xFFFFFFFF)
VALUES = (
    st.sampled_from([b"", b"\0", b"\1", *(u32(number) for number in (0, 1, 3, 4, 0x1F, 16, 0xFFFFFFFF))])
    | st.binary(max_size=40)
    | st.binary(min_size=128, max_size=256)
)
ATTRIBUTES = st.tuples(KINDS, VALUES)
GENERATING = [number for number, spec in MECHANISMS.items() if spec.flags & KeyGenerating.flags]
PAIRING = [number for number, spec in MECHANISMS.items() if spec.flags & PairGenerating.flags]
SLOW = {CKM.RSA_PKCS_KEY_PAIR_GEN}
"""To make RSA keys would cost the time that other templates need."""


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """A good template with some attributes taken out and strange ones put in, anywhere."""
    template = list(as_template(draw(st.sampled_from(list(OBJECT_SAMPLES.values()))))) if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        if template:
            del template[draw(st.integers(0, len(template) - 1))]
    for attribute in draw(st.lists(ATTRIBUTES, max_size=4)):
        template.insert(draw(st.integers(0, len(template))), attribute)
    return tuple(template)


@given(templates())
def test_creation(template: Template) -> None:
    _, session = world()
    answer = checked(c.CREATE_OBJECT, session, template)
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)


@given(templates(), st.sampled_from(GENERATING))
def test_generation(template: Template, mechanism: CKM) -> None:
    _, session = world()
    answer = checked(c.GENERATE_KEY, session, mechanism, b"", template)
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)


@settings(max_examples=50)
@given(templates(), templates(), st.sampled_from(sorted({*PAIRING} - SLOW)))
def test_pair_generation(public: Template, private: Template, mechanism: CKM) -> None:
    _, session = world()
    answer = checked(c.GENERATE_KEY_PAIR, session, mechanism, b"", public, private)
    if answer.rv is CKR.OK:
        for handle in (answer.output[:4], answer.output[4:]):
            use_and_destroy(int.from_bytes(handle, "little"))


@given(templates(), st.sampled_from(sorted(OBJECT_SAMPLES)), st.booleans())
def test_change_and_copy(template: Template, kind: str, token: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    _, session = world()
    made = as_template({**OBJECT_SAMPLES[kind], CKA.TOKEN: token})
    handle = checked(c.CREATE_OBJECT, session, made).handle
    wanted = template
    checked(c.SET_ATTRIBUTE_VALUE, session, handle, wanted)
    copied = checked(c.COPY_OBJECT, session, handle, wanted)
    if copied.rv is CKR.OK:
        use_and_destroy(copied.handle)
    use_and_destroy(handle)


@given(templates())
def test_search(template: Template) -> None:
    _, session = world()
    answer = checked(c.FIND_OBJECTS_INIT, session, template)
    if answer.rv is CKR.OK:
        checked(c.FIND_OBJECTS_FINAL, session)


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda body: u32(len(body), 2) + body))
def test_bytes_that_need_not_be_a_template(raw: bytes) -> None:
    caller, session = world()
    answer = caller.send(c.CREATE_OBJECT, u32(session) + raw)
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)


@given(
    st.sampled_from(UNWRAPPED),
    st.binary(max_size=96),
    st.lists(ATTRIBUTES, max_size=2),
)
def test_unwrapping(made: tuple[CKO, CKK], wrapped: bytes, attributes: list[tuple[int, bytes]]) -> None:
    _, session = world()
    object_class, key_type = made
    wanted = ((int(CKA.CLASS), u32(object_class)), (int(CKA.KEY_TYPE), u32(key_type)), *attributes)
    answer = checked(c.UNWRAP_KEY, session, unwrapper(), CKM.AES_ECB, b"", wanted, data=wrapped)
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)
