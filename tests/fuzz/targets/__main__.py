# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.targets TARGET [libFuzzer's options] [CORPUS…]`` has atheris try a target; ``make fuzz``, all."""

import sys

import atheris

with atheris.instrument_imports(include=["softee"]):
    from fuzz.targets.table import TARGETS

if __name__ == "__main__":
    _, name, *options = sys.argv
    itself = f"{sys.executable} -m fuzz.targets {name}"  # what libFuzzer has a shell start when it merges corpora
    atheris.Setup([itself, *options], TARGETS[name])
    atheris.Fuzz()
