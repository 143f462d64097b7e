# SPDX-License-Identifier: Apache-2.0
"""The container image: made, started as its page says, and used by clients in containers of their own."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients.fetched import ROOT, run
from interop.recipes import Block, blocks, follow
from interop.tools import PIN, SO_PIN, run_in

WITHIN = 300

CGROUPS = """
[ -e /sys/fs/cgroup/cgroup.controllers ] || { umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; }
exec "$@"
"""
"""podman's crun wants version 2 alone, also where it is told to leave it."""

ENGINE = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{directory}/images"
runroot = "{directory}/running"
"""
"""Settings for a machine without systemd, on which root may raise no limit; nothing is left in its own storage."""

CLIENT = "podman run --rm --network=none --volume softee-socket:/run/softee --group-add 10001 --user 1000"
SIGNING = f"""
client() {{
    {CLIENT} --env SOFTEE_SERVER_UID=10001 --env SOFTEE_PIN --env SOFTEE_SO_PIN --entrypoint softee softee "$@"
}}
client token init contained
client key generate ec:prime256v1 --label key
client csr --label key --subject CN=contained
podman restart softee
until podman healthcheck run softee; do sleep 1; done
client key list
podman exec softee sh -c 'id --user; grep CapBnd /proc/1/status; touch /etc/mine || true'
podman logs softee
"""


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a podman with an image of softee."""
    if os.geteuid() != 0 or not shutil.which("podman"):
        pytest.skip("needs root, for debootstrap, and podman")
    (tmp_path / "containers.conf").write_text(ENGINE)
    (tmp_path / "storage.conf").write_text(STORAGE.format(directory=tmp_path))
    settings = {name: str(tmp_path / f"{place}.conf") for name, place in SETTINGS.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **settings}
    run(sys.executable, ROOT / "tools/make_deb.py", environment=dict(os.environ))
    run(ROOT / "tools/make_image.sh", environment=environment, cwd=ROOT)
    yield environment
    shutil.rmtree(tmp_path / "images")


SETTINGS = {"CONTAINERS_CONF": "containers", "CONTAINERS_STORAGE_CONF": "storage"}


def test_a_client_in_one_container_signs_with_a_key_in_another(podman: dict[str, str], tmp_path: Path) -> None:
    environment = podman | {"SOFTEE_PIN": PIN, "SOFTEE_SO_PIN": SO_PIN}
    ends = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", CGROUPS, "sh")

    def run_inside(*command: str) -> str:
        return run_in(tmp_path, environment, [*ends, *command], within=WITHIN)

    page = blocks("container.md", "A secure world in a container")
    said = follow([*page, Block("sh", "", SIGNING, "")], tmp_path, run_inside)
    request, _, after = said.partition("-----END CERTIFICATE REQUEST-----")
    assert "-----BEGIN CERTIFICATE REQUEST-----" in request
    assert "ec:prime256v1" in after, "it outlives a restart"
    assert "\n10001\n" in after
    assert "CapBnd:\t0000000000000000" in after
    assert "Read-only file system" in after
