"""Changes of the table as the input lines of ``ipvsadm -R`` (ipvsadm(8))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..values.parsing import join_endpoint
from .plan import (
    AddRealServer,
    AddService,
    Change,
    DeleteRealServer,
    DeleteService,
    EditRealServer,
    EditService,
)
from .table import ServiceConfig, ServiceKey
from .text import FORWARD_OPTIONS, PROTOCOL_OPTIONS


def render_batch(changes: Iterable[Change]) -> str:
    """Return the changes as the standard input of ``ipvsadm -R``."""
    return "".join(f"{' '.join(_render_change(change))}\n" for change in changes)


def _render_change(change: Change) -> Iterator[str]:
    yield _VERBS[type(change)]
    yield from _render_service_key(change.service)
    if isinstance(change, (AddService, EditService)):
        yield from render_config(change.config)
    elif not isinstance(change, DeleteService):
        yield from ("-r", join_endpoint(change.server.address, change.server.port))
        if not isinstance(change, DeleteRealServer):
            yield from (FORWARD_OPTIONS[change.config.forward], "-w", str(change.config.weight))


_VERBS = {
    AddService: "-A",
    EditService: "-E",
    DeleteService: "-D",
    AddRealServer: "-a",
    EditRealServer: "-e",
    DeleteRealServer: "-d",
}


def _render_service_key(key: ServiceKey) -> tuple[str, str]:
    option = PROTOCOL_OPTIONS[key.protocol]
    return option, str(key.port) if key.protocol == "fwm" else join_endpoint(key.address, key.port)


def render_config(config: ServiceConfig) -> Iterator[str]:
    """Yield the configuration of a service as options of ipvsadm."""
    yield from ("-s", config.scheduler)
    if config.persistence is not None:
        yield from ("-p", str(config.persistence))
        if config.netmask is not None:
            yield from ("-M", config.netmask)
        if config.engine is not None:
            yield from ("--pe", config.engine)
    if config.one_packet:
        yield "--ops"
    if config.flags:
        yield from ("-b", ",".join(config.flags))
