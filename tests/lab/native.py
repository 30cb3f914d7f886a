"""The lab on the running kernel, in its own namespaces."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.boot_job import HERE, PATH, Job
from tests.lab.boot_process import run_in_namespaces, wait
from tests.support.paths import ENTER_NAMESPACES, ROOT

ENTER = ROOT / "tests/debian/enter_root"
OWN_NETWORK = ["--net", "--uts", "--ipc"]


def why_not() -> str | None:
    """Return the reason why the running kernel cannot carry the lab, or None if it can.

    The module alone is not enough: a container may have it and still forbid new namespaces.
    """
    modprobe = shutil.which("modprobe", path=PATH)
    if modprobe:
        subprocess.run([modprobe, "-q", "-a", "ip_vs", "ipv6"], check=False)
    if not Path("/proc/net/ip_vs").exists():
        return f"kernel {os.uname().release} has no ip_vs"
    probe = (
        "ip link add lab0 type veth peer name lab1 && ip link add lab2 type bridge && ipvsadm -Ln"
    )
    command = [str(ENTER_NAMESPACES), *OWN_NETWORK, "--", "sh", "-c", probe]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"no namespaces to be had here: {tried.stderr.strip()}" if tried.returncode else None


def run(job: Job) -> int:
    """Run the job and return its exit status. Raise TimeoutError at the deadline."""
    inside = ["tini", "--", "/bin/sh", str(HERE / "start_job"), str(job.directory)]
    environ = dict(os.environ)
    if job.root:
        inside = [str(ENTER), *inside]
        shared = f"{job.results} {job.directory}"
        environ.update(ROOT=str(ROOT), DIRECTORY=str(job.root), SHARED=shared)
    with run_in_namespaces([*OWN_NETWORK, "--", *inside], job, env=environ) as process:
        return wait(process, job)
