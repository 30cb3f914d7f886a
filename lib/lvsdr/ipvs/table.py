"""The IPVS table as values.  What identifies a thing and how it is configured are two types."""

from __future__ import annotations

from collections.abc import Mapping

from ..typed import NamedTuple


class ServiceKey(NamedTuple):
    """What identifies a virtual service: protocol, address (canonical text) and port.

    A service by firewall mark has protocol ``fwm``, no address, and the mark as its port.
    """

    protocol: str
    address: str
    port: int


class ServiceConfig(NamedTuple):
    """How a virtual service is configured (ipvsadm(8): -s, -p, -M, --pe, --ops, -b).

    ``netmask`` is None for the whole address: a dotted mask in IPv4, a prefix length in IPv6.
    """

    scheduler: str = "wlc"
    persistence: int | None = None
    """Seconds, or None for a service that is not persistent."""
    netmask: str | None = None
    engine: str | None = None
    one_packet: bool = False
    flags: tuple[str, ...] = ()
    """Scheduler flags, sorted."""


class RealServerKey(NamedTuple):
    """What identifies a real server within its service."""

    address: str
    port: int


class RealServerConfig(NamedTuple):
    """How a real server is configured: forwarding (gate, ipip or masq) and weight."""

    forward: str
    weight: int


class Connections(NamedTuple):
    """The kernel's counters of one real server."""

    active: int = 0
    inactive: int = 0


class RealServer(NamedTuple):
    """A real server as the kernel has it."""

    config: RealServerConfig
    connections: Connections = Connections()


class Service(NamedTuple):
    """A virtual service as the kernel has it."""

    config: ServiceConfig
    real_servers: Mapping[RealServerKey, RealServer]


class WantedService(NamedTuple):
    """A virtual service as it shall be."""

    config: ServiceConfig
    real_servers: Mapping[RealServerKey, RealServerConfig]


LOCAL = "local"
"""The forwarding that the kernel shows for a real server whose address is its own, whatever
method it was added with (net/netfilter/ipvs/ip_vs_ctl.c: IP_VS_CONN_F_LOCALNODE)."""


Table = dict[ServiceKey, Service]
WantedTable = Mapping[ServiceKey, WantedService]


def settings(service: Service) -> WantedService:
    """The service without its counters, to be compared with what was wanted."""
    return WantedService(
        service.config, {key: server.config for key, server in service.real_servers.items()}
    )


def with_local_as(service: Service, forward: str) -> Service:
    """The service with its local real servers shown as forwarded by the method they are wanted."""
    return service._replace(
        real_servers={
            key: server._replace(config=server.config._replace(forward=forward))
            if server.config.forward == LOCAL
            else server
            for key, server in service.real_servers.items()
        }
    )


def serves(service: Service | None, wanted: WantedService) -> bool:
    """Whether the service does its work, if perhaps not all of it: one who should serve does."""
    if service is None:
        return False
    serving = [key for key, config in wanted.real_servers.items() if config.weight > 0]
    there = service.real_servers
    return not serving or any(key in there and there[key].config.weight > 0 for key in serving)
