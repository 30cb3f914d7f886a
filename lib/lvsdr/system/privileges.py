"""The privileges of this process: capabilities(7)."""

from __future__ import annotations

_BITS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}  # linux/capability.h


def missing(status: str = "/proc/self/status") -> list[str]:
    """Return the capabilities for addresses and frames that this process lacks."""
    return _lacking("CapEff", _read(status))


def programs_may_change_addresses(status: str = "/proc/self/status") -> bool:
    """Return whether a program started by this process gets CAP_NET_ADMIN.

    Programs of root get it; those of others only if the capability is ambient.  File capabilities,
    which setcap(8) sets for an interpreter, end with that interpreter.
    """
    fields = _read(status)
    root = fields["Uid"].split()[1] == "0"
    return root or "CAP_NET_ADMIN" not in _lacking("CapAmb", fields)


def _read(status: str) -> dict[str, str]:
    with open(status, encoding="utf-8", errors="replace") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)


def _lacking(kind: str, fields: dict[str, str]) -> list[str]:
    mask = int(fields[kind], 16)
    return [name for name, bit in _BITS.items() if not mask >> bit & 1]
