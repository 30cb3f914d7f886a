"""vip-manager on hosts of the tests' network."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.leader.etcd import KEY
from tests.leader.network import Host
from tests.support.paths import TOOLS
from tests.support.processes import Completed, Running, with_variables
from tests.support.waiting import wait_until

TOOL = str(TOOLS / "vip-manager")
VIP = "10.78.0.200"
VIP6 = "fd78::200"


def addresses(host: Host, device: str = "front") -> dict[str, dict[str, Any]]:
    """Return the entries of ip(8) for each address of an interface; none if it is missing."""
    said = host.run(["ip", "-json", "address", "show", "dev", device], check=False).stdout
    found = [entry for link in json.loads(said or "[]") for entry in link.get("addr_info", ())]
    return {entry["local"]: entry for entry in found}


def has(host: Host, address: str = VIP, device: str = "front") -> bool:
    """Return whether the address is there, and the kernel uses it."""
    entry = addresses(host, device).get(address)
    return entry is not None and not entry.get("tentative") and not entry.get("dadfailed")


class Manager:
    """A daemon on a host, and its directory, which outlives a restart."""

    def __init__(
        self, host: Host, endpoints: Sequence[str], place: Path, settings: Mapping[str, str]
    ) -> None:
        self.host = host
        self.place = place
        self.prefix: list[str] = []
        self.environ = {
            "VIP_INTERFACE": "front",
            "VIP_IP": VIP,
            "VIP_NETMASK": "24",
            "VIP_DCS_ENDPOINTS": ",".join(endpoints),
            "VIP_TRIGGER_KEY": KEY,
            "VIP_TRIGGER_VALUE": host.name,
            "VIP_RUN_DIR": str(place),
            **settings,
        }
        self.process: Running | None = None

    def start(self, *arguments: str) -> Running:
        """Start the daemon, and do not wait for it."""
        self.process = self.host.start(
            [*self.prefix, TOOL, *arguments], env=with_variables(self.environ)
        )
        return self.process

    def begin(self, *arguments: str) -> Running:
        """Start the daemon. Wait until it answers and has queried the store."""
        process = self.start(*arguments)
        wait_until(lambda: self.answers(process) and self.status()["state"] != "not asked yet")
        return process

    def answers(self, process: Running) -> bool:
        assert process.alive, process.close()
        return self.run("status").returncode == 0

    def run(self, *arguments: str) -> Completed:
        """Run the tool again, with these arguments, and return its result."""
        return self.host.run([TOOL, *arguments], env=with_variables(self.environ), check=False)

    def status(self) -> dict[str, Any]:
        (found,) = json.loads(self.run("status", "--json").stdout)
        return dict(found)

    def address(self, number: int = 0) -> dict[str, Any]:
        return dict(self.status()["addresses"][number])

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.kill(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> Completed:
        """Send the signal, and wait for the end of the daemon."""
        self.send(number)
        assert self.process is not None
        return self.process.wait()


@contextmanager
def run_manager(*managers: Manager) -> Iterator[None]:
    """End these daemons after the block, and remove their addresses."""
    try:
        yield
    finally:
        for manager in managers:
            if manager.process is not None:
                print(manager.host.name, manager.process.close().stderr)
            for address in (VIP, VIP6):
                for device in ("front", "back"):
                    entry = addresses(manager.host, device).get(address)
                    if entry is not None:
                        where = f"{address}/{entry['prefixlen']}"
                        manager.host.run(["ip", "address", "delete", where, "dev", device])
