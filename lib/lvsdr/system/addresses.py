"""The addresses of this node's interfaces: read and changed with ip(8), in one fork each."""

from __future__ import annotations

# Not socket, nor ipaddress: each costs a monitor more than all that it has to do with addresses.
import _socket as socket
from collections.abc import Sequence

from ..deadline import Deadline
from ..errors import LvsdrError, NotInstalled
from ..interfaces import Connected, Interface, connected, mac, parse
from . import state
from .run import NOT_THERE, run

_INTERRUPTED = b"Dump was interrupted"  # iproute2, lib/libnetlink.c: NLM_F_DUMP_INTR
_ATTEMPTS = 5
_MISSING = (b"does not exist", b"Cannot find device", b"No such device")


def interfaces(deadline: Deadline, device: str | None = None) -> tuple[Interface, ...]:
    """The interfaces of this network namespace with their addresses; raises LvsdrError.

    ``device`` is a name or an alternative one: only that interface, or none if it is missing.
    """
    only = ("dev", device) if device else ()
    return parse(_ask(("ip", "-json", "address", "show", *only), deadline))


def networks(address: str, deadline: Deadline) -> tuple[Connected, ...]:
    """The connected networks that have room for ``address``, best first; raises LvsdrError."""
    family = "-6" if ":" in address else "-4"
    return connected(_ask(("ip", family, "-json", "route", "show", "match", address), deadline))


def neighbour(address: str, device: str, deadline: Deadline) -> str | None:
    """The MAC that the neighbour table has for an address; raises LvsdrError."""
    return mac(_ask(("ip", "-json", "neighbour", "show", "to", address, "dev", device), deadline))


def change(lines: Sequence[str], deadline: Deadline) -> None:
    """Carry out commands of ip(8) such as ``address add ...``, in one process.

    The first that fails ends it; raises LvsdrError with ip's words.
    """
    if lines:
        batch = "".join(f"{line}\n" for line in lines).encode()
        done = run(("ip", "-batch", "-"), deadline, stdin=batch, keep=state.held())
        if done.status == NOT_THERE:
            raise NotInstalled(done.complaint())
        if done.problem or done.status:
            raise LvsdrError(f"ip: {_said(done.stderr) or done.complaint()}")


def _ask(argv: tuple[str, ...], deadline: Deadline) -> str:
    """Return the output of ip; nothing if there is no such interface.

    A list during which something changed may lack what is there, whatever ip ends with.
    """
    for _ in range(_ATTEMPTS):
        done = run(argv, deadline)
        if _INTERRUPTED not in done.stderr:
            break
    else:
        raise LvsdrError(f"{' '.join(argv)}: {_said(done.stderr)}")
    if done.status == NOT_THERE:
        raise NotInstalled(done.complaint())
    if done.problem is None and done.status == 0:
        return done.stdout.decode("utf-8", "replace")
    if done.problem is None and any(missing in done.stderr for missing in _MISSING):
        return ""
    raise LvsdrError(f"{' '.join(argv)}: {_said(done.stderr) or done.complaint()}")


def _said(stderr: bytes) -> str:
    """What ip complained of, without the line that only tells which one of the batch it was."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    told = [line for line in lines if not line.startswith("Command failed")]
    return "; ".join(line.strip() for line in told)[:300]


def canonical(address: str) -> str | None:
    """An address as ip(8) prints it; None for anything else, such as one with a zone.

    >>> canonical("FD77:0::0011"), canonical("10.77.0.11"), canonical("fe80::1%eth0")
    ('fd77::11', '10.77.0.11', None)
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, address))
    except (OSError, ValueError):
        return None
