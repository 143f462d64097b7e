# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a template, objects are made by the rules or refused; what is made can be read and destroyed.

Never CKR_GENERAL_ERROR, never a return value that the command's table does not allow.
"""

from collections.abc import Callable
from typing import Any

from fuzz.targets.data import Data
from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import CODECS
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support.any_object import checked, unwrapper, use_and_destroy, world
from support.commands import c
from support.samples import OBJECT_SAMPLES, UNWRAPPED, as_template
from support.token_world import u32

SAMPLES = tuple(OBJECT_SAMPLES.values())
KINDS = tuple(sorted(CODECS))
GENERATING = tuple(number for number, spec in MECHANISMS.items() if spec.flags & KeyGenerating.flags)


def take_template(data: Data) -> Template:
    """Return a good template with some attributes taken out and others put in, or nothing but those."""
    template = [] if data.chance(4) else list(as_template(data.choose(SAMPLES)))
    for _ in range(data.below(3)):
        if template:
            del template[data.below(len(template))]
    for _ in range(data.below(4)):
        template.insert(data.below(len(template) + 1), take_attribute(data))
    return tuple(template)


def take_attribute(data: Data) -> tuple[int, bytes]:
    kind = data.number(4) if data.chance(16) else data.choose(KINDS)
    return int(kind), u32(data.number(data.below(5))) if data.chance(3) else data.blob()


def made(command: Command[Any], *request: int | bytes | Template, wrapped: bytes | None = None) -> None:
    """Have an object made by a command, and then do with it what can be done with any."""
    answer = checked(command, *request, data=wrapped)
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)


def create(data: Data, session: int) -> None:
    made(c.CREATE_OBJECT, session, take_template(data))


def create_of_bytes(data: Data, session: int) -> None:
    caller, _ = world()
    answer = caller.send(c.CREATE_OBJECT, u32(session) + data.rest())
    if answer.rv is CKR.OK:
        use_and_destroy(answer.handle)


def generate(data: Data, session: int) -> None:
    made(c.GENERATE_KEY, session, data.choose(GENERATING), b"", take_template(data))


def unwrap(data: Data, session: int) -> None:
    object_class, key_type = data.choose(UNWRAPPED)
    attributes = [take_attribute(data) for _ in range(data.below(3))]
    wanted = ((int(CKA.CLASS), u32(object_class)), (int(CKA.KEY_TYPE), u32(key_type)), *attributes)
    made(c.UNWRAP_KEY, session, unwrapper(), CKM.AES_ECB, b"", wanted, wrapped=data.rest())


def change_and_copy(data: Data, session: int) -> None:
    sample = {**data.choose(SAMPLES), CKA.TOKEN: data.chance(2)}
    handle = checked(c.CREATE_OBJECT, session, as_template(sample)).handle
    checked(c.SET_ATTRIBUTE_VALUE, session, handle, take_template(data))
    made(c.COPY_OBJECT, session, handle, take_template(data))
    use_and_destroy(handle)


def search(data: Data, session: int) -> None:
    if checked(c.FIND_OBJECTS_INIT, session, take_template(data)).rv is CKR.OK:
        checked(c.FIND_OBJECTS_FINAL, session)


ACTS: tuple[Callable[[Data, int], None], ...] = (create, create_of_bytes, generate, unwrap, change_and_copy, search)


def one_input(raw: bytes) -> None:
    """Do with any template what a client can do with one."""
    data = Data(raw)
    _, session = world()
    data.choose(ACTS)(data, session)
