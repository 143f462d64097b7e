# SPDX-License-Identifier: Apache-2.0
"""C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated: keys as messages (PKCS#11 3.2 §5.18.6, PKCS#11 3.2 §5.18.7)."""

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from softee.names import CKA, CKK, CKM, CKO, CKR, GeneratorFunction, MechanismFlag, TeeResult
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.message_world import AEADS, Aead, split
from support.object_calls import create, get
from support.samples import IN_PKCS8, sample
from support.token_world import Answer, Attribute, Caller, make_application, template

AAD = b"whose key this is"
WRAPPER = bytes(range(32))
VALUE = bytes(range(16, 48))
GENERATE = int(GeneratorFunction.GENERATE)
BACK: tuple[Attribute, ...] = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.SENSITIVE, False))


@pytest.fixture(params=AEADS, ids=lambda aead: aead.mechanism.name)
def aead(request: pytest.FixtureRequest) -> Aead:
    made: Aead = request.param
    return made


@dataclass
class World:
    """A session with a key that wraps, and one to wrap."""

    caller: Caller
    session: int
    wrapper: int
    target: int

    def wrap(
        self, aead: Aead, parameter: bytes | None = None, key: int | None = None, capacity: int | None = None
    ) -> Answer:
        chosen = aead.message(bytes(12), generator=GENERATE, size=len(VALUE)) if parameter is None else parameter
        request = (self.session, self.wrapper, self.target if key is None else key, aead.mechanism, chosen, AAD)
        return self.caller.call(c.WRAP_KEY_AUTHENTICATED, *request, capacity=capacity)

    def unwrap(
        self, aead: Aead, parameter: bytes, tag: bytes, wrapped: bytes, *extra: Attribute, aad: bytes = AAD
    ) -> Answer:
        request = (self.session, self.wrapper, aead.mechanism, parameter, template(*BACK, *extra), aad, tag)
        return self.caller.call(c.UNWRAP_KEY_AUTHENTICATED, *request, data=wrapped)

    def wrapped(self, aead: Aead) -> tuple[bytes, bytes, bytes]:
        """The parameter for unwrapping, the tag and the wrapped key."""
        nonce, tag, wrapped = split(self.wrap(aead).output)
        return aead.message(nonce, size=len(wrapped)), tag, wrapped


def world(policy: Policy = PORTABLE) -> World:
    caller = Caller(make_application(policy=policy))
    session = caller.set_up()
    wrapper = create(caller, session, "AES key", VALUE=WRAPPER, WRAP=True, UNWRAP=True)
    target = create(caller, session, "AES key", VALUE=VALUE, EXTRACTABLE=True)
    return World(caller, session, wrapper, target)


@pytest.fixture
def here() -> World:
    return world()


def test_a_key_is_wrapped_as_other_libraries_do_and_comes_back(here: World, aead: Aead) -> None:
    nonce, tag, wrapped = split(here.wrap(aead).output)
    library = AESGCM(WRAPPER) if aead.mechanism is CKM.AES_GCM else AESCCM(WRAPPER)
    assert library.decrypt(nonce, wrapped + tag, AAD) == VALUE
    back = here.unwrap(aead, aead.message(nonce, size=len(wrapped)), tag, wrapped, (CKA.EXTRACTABLE, True))
    assert get(here.caller, here.session, back.handle, CKA.VALUE) == VALUE
    assert get(here.caller, here.session, back.handle, CKA.LOCAL) == b"\0"
    assert get(here.caller, here.session, back.handle, CKA.ALWAYS_SENSITIVE) == b"\0"


def test_no_two_keys_are_wrapped_with_one_nonce(here: World, aead: Aead) -> None:
    assert len({split(here.wrap(aead).output)[0] for _ in range(20)}) == 20


def test_the_nonce_is_never_the_caller_s(here: World, aead: Aead) -> None:
    """Whoever chose it could wrap a key of his own with that of another: their difference is the wrapped keys'."""
    for generator in (0, GeneratorFunction.GENERATE_COUNTER, GeneratorFunction.GENERATE_COUNTER_XOR):
        parameter = aead.message(bytes(12), generator=int(generator), size=len(VALUE))
        assert here.wrap(aead, parameter).rv is CKR.MECHANISM_PARAM_INVALID


def test_what_was_altered_is_no_key(here: World, aead: Aead) -> None:
    parameter, tag, wrapped = here.wrapped(aead)
    other = bytes([wrapped[0] ^ 1]) + wrapped[1:]
    for answer in (
        here.unwrap(aead, parameter, tag, other),
        here.unwrap(aead, parameter, bytes(16), wrapped),
        here.unwrap(aead, parameter, tag, wrapped, aad=b"another's"),
        here.unwrap(aead, aead.message(bytes(12), size=len(wrapped)), tag, wrapped),
    ):
        assert answer.rv is CKR.WRAPPED_KEY_INVALID


def test_sizes_that_cannot_be(here: World, aead: Aead) -> None:
    parameter, tag, wrapped = here.wrapped(aead)
    empty = aead.message(parameter[4:16] if aead.mechanism is CKM.AES_GCM else bytes(12), size=0)
    assert here.unwrap(aead, empty, tag, b"").rv is CKR.WRAPPED_KEY_LEN_RANGE
    assert here.unwrap(aead, parameter, tag[:-1], wrapped).rv is CKR.MECHANISM_PARAM_INVALID
    assert here.unwrap(aead, parameter[:-1], tag, wrapped).rv is CKR.MECHANISM_PARAM_INVALID


def test_a_key_wrapped_by_ccm_has_the_size_that_the_parameter_says(here: World) -> None:
    aead = AEADS[1]
    parameter = aead.message(bytes(12), generator=GENERATE, size=5)
    assert here.wrap(aead, parameter).rv is CKR.KEY_SIZE_RANGE
    _, tag, wrapped = here.wrapped(aead)
    assert here.unwrap(aead, aead.message(size=5), tag, wrapped).rv is CKR.WRAPPED_KEY_LEN_RANGE


@pytest.mark.parametrize("kind", IN_PKCS8)
def test_private_keys_are_wrapped_too(here: World, kind: str) -> None:
    aead = AEADS[0]
    key = create(here.caller, here.session, kind, EXTRACTABLE=True, SENSITIVE=True)
    nonce, tag, wrapped = split(here.wrap(aead, key=key).output)
    key_type = sample(kind)[CKA.KEY_TYPE]
    assert isinstance(key_type, int)
    attributes = template((CKA.CLASS, CKO.PRIVATE_KEY), (CKA.KEY_TYPE, key_type))
    request = (here.session, here.wrapper, aead.mechanism, aead.message(nonce), attributes, AAD, tag)
    assert here.caller.call(c.UNWRAP_KEY_AUTHENTICATED, *request, data=wrapped).rv is CKR.OK


def test_a_question_for_the_size_wraps_nothing(here: World, aead: Aead) -> None:
    needed = 4 + 12 + 16 + len(VALUE)
    for capacity in (0, needed - 1):
        answer = here.wrap(aead, capacity=capacity)
        assert (answer.rv, answer.result, answer.size) == (CKR.BUFFER_TOO_SMALL, TeeResult.SHORT_BUFFER, needed)
        assert answer.output == b""


def test_only_what_may_go_is_wrapped(here: World, aead: Aead) -> None:
    kept = create(here.caller, here.session, "AES key", EXTRACTABLE=False)
    assert here.wrap(aead, key=kept).rv is CKR.KEY_UNEXTRACTABLE
    trusted_only = create(here.caller, here.session, "AES key", EXTRACTABLE=True, WRAP_WITH_TRUSTED=True)
    assert here.wrap(aead, key=trusted_only).rv is CKR.KEY_NOT_WRAPPABLE
    assert here.wrap(aead, key=here.wrapper).rv is CKR.WRAPPING_KEY_HANDLE_INVALID
    assert here.wrap(aead, key=0x7777).rv is CKR.KEY_HANDLE_INVALID
    no_wrapper = World(here.caller, here.session, kept, here.target)
    assert no_wrapper.wrap(aead).rv is CKR.WRAPPING_KEY_TYPE_INCONSISTENT


@pytest.mark.parametrize("mechanism", [CKM.AES_CBC, CKM.AES_KEY_WRAP, CKM.CHACHA20_POLY1305])
def test_other_mechanisms_wrap_no_keys_so(here: World, mechanism: CKM) -> None:
    request = (here.session, here.wrapper, here.target, mechanism, b"", AAD)
    assert here.caller.call(c.WRAP_KEY_AUTHENTICATED, *request).rv is CKR.MECHANISM_INVALID


def test_ccm_wraps_in_no_other_way(here: World) -> None:
    request = (here.session, here.wrapper, here.target, CKM.AES_CCM, b"")
    assert here.caller.call(c.WRAP_KEY, *request).rv is CKR.MECHANISM_INVALID


def test_strict_wraps_with_no_stream(aead: Aead) -> None:
    """A key that may encrypt too would tell what it has wrapped with a nonce, whoever made that."""
    assert not STRICT.mechanisms[aead.mechanism].flags & (MechanismFlag.WRAP | MechanismFlag.UNWRAP)
    caller = Caller(make_application(policy=STRICT))
    request = (caller.set_up(), 1, 2, aead.mechanism, b"", AAD)
    assert caller.call(c.WRAP_KEY_AUTHENTICATED, *request).rv is CKR.MECHANISM_INVALID


def test_a_token_as_optee_s_does_not_have_it() -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.open()
    wrap = caller.call(c.WRAP_KEY_AUTHENTICATED, session, 1, 2, CKM.AES_GCM, b"", AAD)
    unwrap = caller.call(c.UNWRAP_KEY_AUTHENTICATED, session, 1, CKM.AES_GCM, b"", (), AAD, b"")
    assert wrap.rv is unwrap.rv is CKR.FUNCTION_NOT_SUPPORTED
