"""An interactive shell in the lab, with the hosts set up and some commands suggested."""

from __future__ import annotations

import subprocess

from tests.lab.host import VIP, VIP6
from tests.lab.world import World

BEGINNING = f"""
Virtual address {VIP} and {VIP6}, port 5432; director1 answers for it and balances nothing yet. Try:
"""
SUGGESTIONS = (
    (f"on director1 ipvsadm -A -t {VIP}:5432 -s rr", ""),
    (f"on director1 ipvsadm -a -t {VIP}:5432 -r node1:5432", ""),
    (f"on director1 ipvsadm -a -t {VIP}:5432 -r node2:5432", ""),
    ("on client ask 30", "30 connections, counted by real server"),
    ("on director1 ipvsadm -Ln", ""),
    ("on client ip neigh", ""),
    ("on director1 bash", "a shell on that host"),
)
END = """
The real servers send their name and echo their input, over TCP and UDP. `exit` ends the lab.
"""


def greeting() -> str:
    """Return the text that the shell begins with."""
    lines = (
        f"  {line:40}  {'# ' if effect else ''}{effect}".rstrip() for line, effect in SUGGESTIONS
    )
    return "\n".join([BEGINNING, *lines, END])


def main() -> int:
    with World.create() as world:
        for host in world.hosts.values():
            print(f"  {host.name:10} {host.address:12} {host.address6}")
        print(greeting(), flush=True)
        environment = ["env", r"PS1=lab:\w\$ "]
        return subprocess.run(
            [*environment, "bash", "--norc", "--noprofile"], check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
