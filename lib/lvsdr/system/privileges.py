"""What this process may do: capabilities(7)."""

from __future__ import annotations

_BITS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}  # linux/capability.h


def missing(status: str = "/proc/self/status") -> list[str]:
    """Those of the capabilities for addresses and frames that this process lacks."""
    with open(status, encoding="ascii") as file:
        effective = next(line.split()[1] for line in file if line.startswith("CapEff:"))
    return [name for name, bit in _BITS.items() if not int(effective, 16) >> bit & 1]
