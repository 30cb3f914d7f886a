"""The IPVS table as values, with separate types for identity and configuration."""

from __future__ import annotations

from collections.abc import Mapping

from ..values.light_typing import NamedTuple


class ServiceKey(NamedTuple):
    """The identity of a virtual service: protocol, address (canonical text) and port.

    A service by firewall mark has protocol ``fwm``, no address, and the mark as its port.
    """

    protocol: str
    address: str
    port: int


class ServiceConfig(NamedTuple):
    """The configuration of a virtual service (ipvsadm(8): -s, -p, -M, --pe, --ops, -b).

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
    """The identity of a real server within its service."""

    address: str
    port: int


class RealServerConfig(NamedTuple):
    """The configuration of a real server: forwarding (gate, ipip or masq) and weight."""

    forward: str
    weight: int


class Connections(NamedTuple):
    """The kernel's counters of one real server."""

    active: int = 0
    inactive: int = 0


class RealServer(NamedTuple):
    """A real server in the kernel's table."""

    config: RealServerConfig
    connections: Connections = Connections()


class Service(NamedTuple):
    """A virtual service in the kernel's table."""

    config: ServiceConfig
    real_servers: Mapping[RealServerKey, RealServer]


class WantedService(NamedTuple):
    """The wanted state of a virtual service."""

    config: ServiceConfig
    real_servers: Mapping[RealServerKey, RealServerConfig]


LOCAL = "local"
"""The forwarding that the kernel shows for a real server with a local address.

The method with which it was added does not matter (net/netfilter/ipvs/ip_vs_ctl.c:
IP_VS_CONN_F_LOCALNODE).
"""


Table = dict[ServiceKey, Service]
WantedTable = Mapping[ServiceKey, WantedService]


def strip_counters(service: Service) -> WantedService:
    """Return the service without its counters, for the comparison with the wanted one."""
    return WantedService(
        service.config, {key: server.config for key, server in service.real_servers.items()}
    )


def replace_local_forward(service: Service, forward: str) -> Service:
    """Return the service with ``forward`` as the forwarding method of its local real servers."""
    return service._replace(
        real_servers={
            key: server._replace(config=server.config._replace(forward=forward))
            if server.config.forward == LOCAL
            else server
            for key, server in service.real_servers.items()
        }
    )


def is_serving(service: Service | None, wanted: WantedService) -> bool:
    """Test whether at least one of the real servers with a wanted weight, if any, has a weight."""
    if service is None:
        return False
    serving_keys = [key for key, config in wanted.real_servers.items() if config.weight > 0]
    present_servers = service.real_servers
    return not serving_keys or any(
        key in present_servers and present_servers[key].config.weight > 0 for key in serving_keys
    )
