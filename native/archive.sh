#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a static archive of one object, in which all that the shared library hides is hidden too: what both libraries
# have each for itself stays apart, and no name of theirs meets one of the program's.
# Arguments: the archive, the objects.
set -eu
archive=$1
shift
"${LD:-ld}" -r -o "$archive.o" "$@"
"${OBJCOPY:-objcopy}" --localize-hidden "$archive.o"
rm -f "$archive"
"${AR:-ar}" rcs "$archive" "$archive.o"
