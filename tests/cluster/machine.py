"""A machine that can lose its power: namespaces of every kind, with a disk that survives them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.paths import DISKS, HERE, prepared
from tests.lab.host import Host
from tests.lab.network import Network
from tests.support.fabric import plug, pull
from tests.support.processes import TIMEOUT, Completed, Running, checked
from tests.support.waiting import wait_until

NAMESPACES = ["--mount", "--pid", "--uts", "--ipc", "--net"]
BOOTING = 30.0  # seconds
NEUTRAL = "C.UTF-8"  # the language of commands
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LOCPATH": "/mnt/locales",
    "LANG": NEUTRAL,
}

# Directories of the disk, by their owners.
OWNERS = {
    "root:root": ["etc/corosync", "var/lib/corosync", "var/log", "var/log/corosync"],
    "root:haclient": ["etc/pacemaker"],
    "hacluster:haclient": [
        "var/log/pacemaker",
        *(f"var/lib/pacemaker/{name}" for name in ("", "cib", "cores", "pengine", "blackbox")),
    ],
    "postgres:postgres": ["var/lib/postgresql", "var/log/postgresql"],
}


class Machine:
    """A machine at this place in the network, switched off and with an empty disk.

    `language` is the locale of the services that are started on it from now on.
    """

    def __init__(self, host: Host, network: Network) -> None:
        self.name, self.address = host.name, host.address
        self.host = host
        self.disk = DISKS / host.name
        self.language = NEUTRAL
        self._network = network
        self._power: Running | None = None
        self._services: list[Running] = []
        self._used = False

    def __repr__(self) -> str:
        return f"<{self.name} {self.address}{'' if self.running else ' off'}>"

    def format_disk(self) -> None:
        """Bring the disk into its state after the installation of the packages."""
        shutil.rmtree(self.disk, ignore_errors=True)
        for owner, places in OWNERS.items():
            user, _, group = owner.partition(":")
            for place in places:
                (self.disk / place).mkdir(mode=0o755, parents=True, exist_ok=True)
                shutil.chown(self.disk / place, user, group)

    # --- power and cable

    @property
    def running(self) -> bool:
        return self._power is not None

    def start(self) -> None:
        """Switch it on. Its network is then as after a boot, and no service runs yet."""
        self.switch_on()
        self.wait_for_boot()

    def switch_on(self) -> None:
        """Switch it on, and do not wait until it has booted."""
        if self._used:
            self._network.renew(self.host)
        self._used = True
        self._booted.unlink(missing_ok=True)
        unshare = ["unshare", *NAMESPACES[:-1], "--fork", "--kill-child", "--mount-proc", "--"]
        init = ["tini", "--", "/bin/sh", str(HERE / "start_machine")]
        with self.host.entered():
            self._power = Running([*unshare, *init, self.name, str(self.disk), str(prepared())])

    def wait_for_boot(self) -> None:
        """Wait until it has booted."""
        booted = self._booted
        wait_until(
            lambda: booted.read_text() if booted.exists() else "",
            bool,
            f"{self.name} boots",
            BOOTING,
            pause=0.05,
        )

    @property
    def _booted(self) -> Path:
        return self.disk / "booted"

    def crash(self) -> None:
        """Cut the power: every process ends at once, and no peer is informed."""
        pull(self.host.name)
        os.kill(self._init(), signal.SIGKILL)
        # The machine ends only when processes outside have reaped their children inside.
        for service in self._services:
            service.close()
        assert self._power is not None
        self._power.wait()
        self._power = None
        self._services.clear()

    def cut_off(self) -> None:
        """Pull the cable, without other effects."""
        pull(self.host.name)

    def plug_in(self) -> None:
        """Plug the cable in again."""
        plug(self.host.name)

    def freeze(self) -> None:
        """Stop every process (SIGSTOP), as a hanging hypervisor would."""
        self.run(["kill", "-STOP", "--", "-1"])

    def thaw(self) -> None:
        """Continue every process."""
        self.run(["kill", "-CONT", "--", "-1"])
        for service in self._services:
            service.kill(signal.SIGCONT)  # nsenter(1) stops when its child does

    # --- processes

    def spawn(self, argv: Sequence[str], stdin: str | None = None) -> Running:
        """Start a process on the machine. It ends with the machine at the latest."""
        environment = {**ENVIRONMENT, "LANG": self.language}
        running = Running(self.inside(argv), stdin, environment)
        self._services.append(running)
        return running

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        check: bool = True,
        timeout: float = TIMEOUT,
    ) -> Completed:
        """Run a command on the machine.

        Raises CommandFailed if it takes longer than `timeout` seconds or, with `check`, fails.
        """
        return checked(argv, self.begin(argv, stdin).wait(timeout), check)

    def begin(self, argv: Sequence[str], stdin: str | None = None) -> Running:
        """Start a command on the machine; the caller waits for its end."""
        return Running(self.inside(argv), stdin, ENVIRONMENT)

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs a command on the machine from outside."""
        return ["nsenter", "--target", str(self._init()), *NAMESPACES, "--", *argv]

    def _init(self) -> int:
        """Return the process id, outside, of the machine's first process."""
        if self._power is None:
            raise RuntimeError(f"{self.name} is switched off")
        pid = self._power.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
