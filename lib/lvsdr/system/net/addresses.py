"""The addresses of this node's interfaces: read and changed with ip(8), in one fork each."""

from __future__ import annotations

from collections.abc import Sequence

from ...address import prefixes
from ...address.interfaces import (
    ConnectedNetwork,
    Interface,
    parse_connected_networks,
    parse_interfaces,
    parse_neighbour_mac,
)
from ...errors import LvsdrError, NotInstalled
from ...values.deadline import Deadline
from .. import locking
from ..process.run import NOT_THERE, run

_INTERRUPTED = b"Dump was interrupted"  # iproute2, lib/libnetlink.c: NLM_F_DUMP_INTR
_ATTEMPTS = 5
_MISSING = (b"does not exist", b"Cannot find device", b"No such device")


def read_interfaces(deadline: Deadline, device: str | None = None) -> tuple[Interface, ...]:
    """Return the interfaces of this network namespace with their addresses; raise LvsdrError.

    ``device``, a name or an alternative one, limits the result to that interface, or to none if it
    is missing.
    """
    device_words = ("dev", device) if device else ()
    return parse_interfaces(_query_ip(("ip", "-json", "address", "show", *device_words), deadline))


def find_interface(name: str, deadline: Deadline) -> Interface | None:
    """Return the interface with this name or alternative name; None without one.

    Raise LvsdrError.
    """
    return next(iter(read_interfaces(deadline, name)), None)


def find_unusable_addresses(deadline: Deadline) -> dict[str, str]:
    """Return the addresses in networks of this host that no host can have, with reasons.

    Raise LvsdrError.
    """
    found: dict[str, str] = {}
    for interface in read_interfaces(deadline):
        for entry in interface.addresses:
            found.update(
                prefixes.find_unusable_addresses(entry.peer or entry.address, entry.prefix)
            )
    return found


def read_connected_networks(address: str, deadline: Deadline) -> tuple[ConnectedNetwork, ...]:
    """Return the connected networks that contain ``address``, best first; raise LvsdrError."""
    family = "-6" if ":" in address else "-4"
    return parse_connected_networks(
        _query_ip(("ip", family, "-json", "route", "show", "match", address), deadline)
    )


def read_neighbour_mac(address: str, device: str, deadline: Deadline) -> str | None:
    """Return the MAC of an address in the neighbour table; raise LvsdrError."""
    return parse_neighbour_mac(
        _query_ip(("ip", "-json", "neighbour", "show", "to", address, "dev", device), deadline)
    )


def execute_commands(commands: Sequence[str], deadline: Deadline) -> None:
    """Execute commands of ip(8) such as ``address add ...``, in one process.

    The first failure ends the batch; raises LvsdrError with ip's message.
    """
    if commands:
        batch = "".join(f"{line}\n" for line in commands).encode()
        result = run(("ip", "-batch", "-"), deadline, stdin=batch, keep=locking.list_held())
        if result.status == NOT_THERE:
            raise NotInstalled(result.describe_failure())
        if result.problem or result.status:
            raise LvsdrError(f"ip: {_extract_messages(result.stderr) or result.describe_failure()}")


def _query_ip(argv: tuple[str, ...], deadline: Deadline) -> str:
    """Return the output of ip; an empty text without such an interface.

    A change during a dump may leave entries out, whatever the exit status; such a dump is repeated.
    """
    for _ in range(_ATTEMPTS):
        result = run(argv, deadline)
        if _INTERRUPTED not in result.stderr:
            break
    else:
        raise LvsdrError(f"{' '.join(argv)}: {_extract_messages(result.stderr)}")
    if result.status == NOT_THERE:
        raise NotInstalled(result.describe_failure())
    if result.problem is None and result.status == 0:
        return result.stdout.decode("utf-8", "replace")
    if result.problem is None and any(missing in result.stderr for missing in _MISSING):
        return ""
    raise LvsdrError(
        f"{' '.join(argv)}: {_extract_messages(result.stderr) or result.describe_failure()}"
    )


def _extract_messages(stderr: bytes) -> str:
    """Return the error messages of ip, without the line that only names the failed batch line."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    messages = [line for line in lines if not line.startswith("Command failed")]
    return "; ".join(line.strip() for line in messages)[:300]
