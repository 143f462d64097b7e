# SPDX-License-Identifier: Apache-2.0
"""Modules of libraries that are loaded when something of them is first used: what most tokens never need.

The program starts sooner, and holds less. A module that loads late must be readable then, and its machine code
mappable.
"""

from importlib import import_module
from types import ModuleType


class LateModule(ModuleType):
    """Stands for a module, which is loaded when something of it is asked for; by several threads at once, too."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)
