# SPDX-License-Identifier: Apache-2.0
"""Write the functions of PKCS#11 as C lists, from pkcs11-32.json; with --check, only say whether they are stale."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gen_native import guarded, header
from generation import main

Function = dict[str, Any]

FUNCTIONS: list[Function] = json.loads((Path(__file__).parent / "pkcs11-32.json").read_text(encoding="utf-8"))[
    "functions"
]
INTERFACE_FUNCTIONS = ("C_GetInterfaceList", "C_GetInterface")

TITLE = """/*
 * The functions of PKCS#11, as lists of F(name, parameters), in the order of the function lists, which is part of the
 * ABI (section 3.6). CK_FUNCTION_LIST has CK_FUNCTIONS. CK_FUNCTION_LIST_3_0, which is 3.1's too, goes on with
 * CK_INTERFACE_FUNCTIONS, by which 3.x finds function lists, and CK_FUNCTIONS_3_0; CK_FUNCTION_LIST_3_2, further, with
 * CK_FUNCTIONS_3_2.
 */"""


def functions() -> str:
    """native/include/pkcs11_functions.gen.h."""
    lists = {
        "CK_FUNCTIONS": [one for one in FUNCTIONS if one["since"] == "2.40"],
        "CK_INTERFACE_FUNCTIONS": [one for one in FUNCTIONS if one["name"] in INTERFACE_FUNCTIONS],
        "CK_FUNCTIONS_3_0": [
            one for one in FUNCTIONS if one["since"] == "3.0" and one["name"] not in INTERFACE_FUNCTIONS
        ],
        "CK_FUNCTIONS_3_2": [one for one in FUNCTIONS if one["since"] == "3.2"],
    }
    body = "\n\n".join(c_list(name, each) for name, each in lists.items())
    return header(TITLE, guarded("PKCS11_FUNCTIONS_GEN_H", [body]), "gen_functions")


def c_list(name: str, members: Iterable[Function]) -> str:
    """One list."""
    return " \\\n".join([f"#define {name}(F)", *(f"    F({one['name']}, ({parameters(one)}))" for one in members)])


def parameters(function: Function) -> str:
    """The parameters of a function as C declares them."""
    return ", ".join(f"{one['type']} {one['name']}".replace("* ", "*") for one in function["args"])


FILES = {"native/include/pkcs11_functions.gen.h": functions}
"""What is generated."""

if __name__ == "__main__":
    sys.exit(main(__doc__, FILES))
