"""The addresses of this node's interfaces: read and changed with ip(8), in one fork each."""

from __future__ import annotations

from collections.abc import Sequence

from ...address.interfaces import Connected, Interface, connected, mac, parse
from ...errors import LvsdrError, NotInstalled
from ...values.deadline import Deadline
from .. import locking
from ..process.run import NOT_THERE, run

_INTERRUPTED = b"Dump was interrupted"  # iproute2, lib/libnetlink.c: NLM_F_DUMP_INTR
_ATTEMPTS = 5
_MISSING = (b"does not exist", b"Cannot find device", b"No such device")


def interfaces(deadline: Deadline, device: str | None = None) -> tuple[Interface, ...]:
    """Return the interfaces of this network namespace with their addresses; raise LvsdrError.

    ``device``, a name or an alternative one, limits the result to that interface, or to none if it
    is missing.
    """
    only = ("dev", device) if device else ()
    return parse(_ask(("ip", "-json", "address", "show", *only), deadline))


def networks(address: str, deadline: Deadline) -> tuple[Connected, ...]:
    """Return the connected networks that contain ``address``, best first; raise LvsdrError."""
    family = "-6" if ":" in address else "-4"
    return connected(_ask(("ip", family, "-json", "route", "show", "match", address), deadline))


def neighbour(address: str, device: str, deadline: Deadline) -> str | None:
    """Return the MAC of an address in the neighbour table; raise LvsdrError."""
    return mac(_ask(("ip", "-json", "neighbour", "show", "to", address, "dev", device), deadline))


def change(lines: Sequence[str], deadline: Deadline) -> None:
    """Execute commands of ip(8) such as ``address add ...``, in one process.

    The first failure ends the batch; raises LvsdrError with ip's message.
    """
    if lines:
        batch = "".join(f"{line}\n" for line in lines).encode()
        done = run(("ip", "-batch", "-"), deadline, stdin=batch, keep=locking.held())
        if done.status == NOT_THERE:
            raise NotInstalled(done.complaint())
        if done.problem or done.status:
            raise LvsdrError(f"ip: {_said(done.stderr) or done.complaint()}")


def _ask(argv: tuple[str, ...], deadline: Deadline) -> str:
    """Return the output of ip; an empty text without such an interface.

    A change during a dump may leave entries out, whatever the exit status; such a dump is repeated.
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
    """Return the error messages of ip, without the line that only names the failed batch line."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    told = [line for line in lines if not line.startswith("Command failed")]
    return "; ".join(line.strip() for line in told)[:300]
