# SPDX-License-Identifier: Apache-2.0
"""``softee object list``, ``show`` and ``delete``."""

from softee.cli.object.work import delete_command, list_command, show_command

list_ = list_command("List the objects on a token: all, or those of a label, of an identifier, of a URI.")
show = show_command("object", "Show what an object is.", ())
delete = delete_command("object", "Destroy all objects of a label, of an identifier or of a URI.")
