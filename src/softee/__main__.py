# SPDX-License-Identifier: Apache-2.0
"""``python -m softee`` is the ``softee`` command."""

from softee.cli.quick import main

if __name__ == "__main__":
    main()
