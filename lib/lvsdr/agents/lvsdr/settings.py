"""The parameters of the agent lvsdr, translated into the types of the other modules."""

from __future__ import annotations

from ...ipvs.options import add_fallback_flag, refuses_at_zero
from ...ipvs.table import ServiceConfig, ServiceKey
from ...ocf.parameters import Values
from ...pool.check_history import Counting
from ...pool.director import Goal
from ...pool.model import AttributeMatch, DrainPolicy, PoolSpec, Script, WantedRole
from ...values.light_typing import NamedTuple
from . import balance_parameters as balance
from . import parameters as p
from .check_parameters import read_check_name, read_counting
from .unused import find_ineffective_parameters


class DirectorSettings(NamedTuple):
    """The parameters, typed and in order."""

    key: ServiceKey
    config: ServiceConfig
    spec: PoolSpec
    goal: Goal
    heartbeat_file: str | None
    counting: Counting
    """The rules of counting the results of the watcher's checks."""
    check: str = ""
    """The name under which the watcher stores the results of its checks; empty without a check."""
    complaints: tuple[str, ...] = ()
    """Sentences on parameters that have no effect in any state of the cluster."""
    idle_timeout: int | None = None
    """Seconds for which the kernel shall keep an idle TCP session; None for its own choice."""

    @property
    def sysctls(self) -> dict[str, str]:
        """Return the kernel settings that the service needs, by name below /proc/sys.

        The first two are in Documentation/networking/ipvs-sysctl.rst of the kernel's source.
        """
        wanted = {"net/ipv4/vs/expire_nodest_conn": "1"}
        if self.config.persistence is not None:
            wanted["net/ipv4/vs/expire_quiescent_template"] = "1"
        return {**wanted, **dict.fromkeys(self.essential_sysctls, "1")}

    @property
    def essential_sysctls(self) -> tuple[str, ...]:
        """Return the settings without which no packet reaches a real server."""
        if self.goal.forward != "masq":
            return ()
        ipv6 = ":" in self.key.address
        return ("net/ipv6/conf/all/forwarding" if ipv6 else "net/ipv4/ip_forward",)


def read_service_key(values: Values) -> ServiceKey:
    return ServiceKey(values[p.PROTOCOL], values[p.VIP], values[p.PORT])


def read_settings(values: Values) -> DirectorSettings:
    """Return all of the parameters in the types of the other modules."""
    return DirectorSettings(
        key=read_service_key(values),
        config=add_fallback_flag(values[p.OPTIONS]),
        spec=_read_spec(values),
        goal=Goal(
            port=values[p.PORT],
            forward=values[p.FORWARD],
            policy=_read_policy(values),
            refuses_at_zero=refuses_at_zero(values[p.OPTIONS]),
        ),
        heartbeat_file=values[p.HEARTBEAT_FILE],
        counting=read_counting(values),
        check=read_check_name(values),
        complaints=tuple(find_ineffective_parameters(values)),
        idle_timeout=values[balance.IDLE_TIMEOUT] if values[p.PROTOCOL] == "tcp" else None,
    )


def _read_spec(values: Values) -> PoolSpec:
    name = values[p.ATTRIBUTE_NAME]
    weights = values[p.WEIGHTS]
    fallback = values[balance.FALLBACK]
    resources = values[p.RESOURCE]
    return PoolSpec(
        weights=weights or {},
        default_weight=values[p.DEFAULT_WEIGHT],
        resources=resources or (),
        role=WantedRole(values[p.ROLE]),
        attribute=None if name is None else AttributeMatch(name, values[p.ATTRIBUTE_VALUE]),
        list_script=_read_script(values[p.LIST_SCRIPT], values),
        check_script=_read_script(values[p.CHECK_SCRIPT], values),
        address_attribute=values[p.ADDRESS_ATTRIBUTE],
        fallback=fallback or {},
        weight_attribute=values[balance.WEIGHT_ATTRIBUTE],
    )


def _read_script(argv: tuple[str, ...] | None, values: Values) -> Script | None:
    return None if argv is None else Script(argv, values[p.SCRIPT_TIMEOUT])


def _read_policy(values: Values) -> DrainPolicy:
    timeout = values[p.DRAIN_TIMEOUT]
    return DrainPolicy(
        drain_timeout=None if timeout == p.NEVER else timeout,
        keep_when_empty=values[balance.ON_EMPTY] == "keep",
        fallback_below=values[balance.FALLBACK_BELOW],
    )
