# SPDX-License-Identifier: Apache-2.0
"""``softee serve`` with one more trusted application: app_secrets_ta, which stands beside this file.

python examples/serve_app_secrets.py --state DIRECTORY --root-key FILE --socket PATH
"""

import argparse
import sys
from pathlib import Path

from app_secrets_ta.application import APP_SECRETS, VAULT, AppSecretsApplication
from softee.daemon.applications import APPLICATIONS, Installed, Surroundings
from softee.daemon.main import serve
from softee.daemon.settings import load_settings
from softee.tee.application import TrustedApplication
from softee.tee.secure_storage import SecureStorage


def make(around: Surroundings) -> TrustedApplication:
    """Make the application over a storage of its own."""
    return AppSecretsApplication(SecureStorage(around.store, around.root_key, APP_SECRETS, [VAULT]))


def main() -> int:
    """Serve until SIGTERM, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--config", "--state", "--root-key", "--socket"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--ready-fd", type=int, help="is written a newline to when clients are served")
    given = vars(parser.parse_args())
    config, ready_fd = given.pop("config"), given.pop("ready_fd")
    settings = load_settings(config, given)
    return serve(settings, ready_fd=ready_fd, applications=[*APPLICATIONS, Installed(APP_SECRETS, make)])


if __name__ == "__main__":
    sys.exit(main())
