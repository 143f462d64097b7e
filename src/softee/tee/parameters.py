# SPDX-License-Identifier: Apache-2.0
"""Checks of a command's parameters that trusted applications have in common."""

from softee.names import ParamType, TeeResult
from softee.tee.application import TeeError
from softee.wire.values import Memref, Param, Value

# Members of enums are looked up once, here: every call passes through this module.
_INPUT, _OUTPUT = ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT


class ParameterError(TeeError):
    """A parameter is not what the command takes (TEE_ERROR_BAD_PARAMETERS)."""

    def __init__(self, detail: str) -> None:
        super().__init__(TeeResult.BAD_PARAMETERS, detail)


def absent(param: Param, name: str) -> None:
    """Refuse a parameter that is not used, where there is one. Raises ParameterError."""
    if param is not None:
        raise ParameterError(f"{name} is not used")


def input_buffer(param: Param, name: str) -> Memref:
    """Return a parameter that must be an input buffer. Raises ParameterError."""
    if isinstance(param, Memref) and param.type is _INPUT:
        return param
    raise ParameterError(f"{name} must be an input buffer")


def output_buffer(param: Param, name: str) -> Memref:
    """Return a parameter that must be an output buffer. Raises ParameterError."""
    if isinstance(param, Memref) and param.type is _OUTPUT:
        return param
    raise ParameterError(f"{name} must be an output buffer")


def value(param: Param, name: str) -> Value:
    """Return a parameter that must be a value, whichever way it goes. Raises ParameterError."""
    if isinstance(param, Value):
        return param
    raise ParameterError(f"{name} must be a value")
