"""Translation of the parameters into settings of the other modules."""

from __future__ import annotations

import pytest
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.settings import DirectorSettings, read_settings
from lvsdr.ipvs.table import ServiceConfig, ServiceKey
from lvsdr.pool.check_history import Counting
from lvsdr.pool.director import Goal
from lvsdr.pool.model import DrainPolicy, PoolSpec, Script, WantedRole


def meant(**given: str) -> DirectorSettings:
    """Return the settings of these parameters, added to a legal minimum."""
    texts = {"vip": "10.9.0.20", "port": "5432", **given}
    environ = {f"OCF_RESKEY_{name}": text for name, text in texts.items()}
    return read_settings(PARAMETERS.parse(environ))


def test_the_defaults() -> None:
    assert meant() == DirectorSettings(
        key=ServiceKey("tcp", "10.9.0.20", 5432),
        config=ServiceConfig("rr"),
        spec=PoolSpec(
            weights={},
            default_weight=1,
            resources=(),
            role=WantedRole.ANY,
            attribute=None,
            list_script=None,
            check_script=None,
            address_attribute=None,
            fallback={},
            weight_attribute="lvsdr-weight",
        ),
        goal=Goal(5432, "gate", DrainPolicy(300.0, True)),
        heartbeat_file=None,
        counting=Counting(3, 2, 3.0),
    )


def test_everything_set() -> None:
    found = meant(
        vip="FD77::0020",
        protocol="udp",
        virtual_service_options="-s wrr -p 600",
        forwarding_method="masq",
        default_weight="2",
        weight_of_realservers="node1,3 node2",
        realserver_dependent_resource="pgsql-clone,lvsdr-realsvr-clone",
        realserver_dependent_role="Unpromoted",
        realserver_dependent_attribute_name="pgsql-status",
        realserver_dependent_attribute_value="HS:sync|HS:async",
        realserver_get_real_servers_script="/opt/list 'a b'",
        realserver_check_active_real_server_script="/opt/check -h",
        realserver_address_attribute="address",
        script_timeout="500ms",
        drain_timeout="1min",
        on_empty="empty",
        fallback_realservers="node9,7 node8",
        fallback_below="2",
        realserver_weight_attribute="weight",
        heartbeat_file="/run/beat",
        realserver_check_fall="5",
        realserver_check_rise="4",
    )
    attribute = found.spec.attribute
    assert attribute is not None
    assert (attribute.name, attribute.pattern.pattern) == ("pgsql-status", "HS:sync|HS:async")
    assert found == DirectorSettings(
        key=ServiceKey("udp", "fd77::20", 5432),
        config=ServiceConfig("wrr", 600),
        spec=PoolSpec(
            weights={"node1": 3, "node2": None},
            default_weight=2,
            resources=("pgsql-clone", "lvsdr-realsvr-clone"),
            role=WantedRole.UNPROMOTED,
            attribute=attribute,
            list_script=Script(("/opt/list", "a b"), 0.5),
            check_script=Script(("/opt/check", "-h"), 0.5),
            address_attribute="address",
            fallback={"node9": 7, "node8": None},
            weight_attribute="weight",
        ),
        goal=Goal(5432, "masq", DrainPolicy(60.0, False, 2)),
        heartbeat_file="/run/beat",
        counting=Counting(5, 4, 3.0),
    )


def test_an_attribute_without_a_value_must_be_1() -> None:
    attribute = meant(realserver_dependent_attribute_name="readable").spec.attribute
    assert attribute is not None
    assert attribute.pattern.fullmatch("1")
    assert not attribute.pattern.fullmatch("0")


def test_a_value_without_an_attribute_is_ignored() -> None:
    assert meant(realserver_dependent_attribute_value="1").spec.attribute is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("never", None), ("0", 0.0), ("90", 90.0), ("5min", 300.0)]
)
def test_drain_timeout(text: str, seconds: float | None) -> None:
    assert meant(drain_timeout=text).goal.policy.drain_timeout == seconds


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, set()),
        ({"forwarding_method": "ipip"}, set()),
        ({"virtual_service_options": "-p"}, {"net/ipv4/vs/expire_quiescent_template"}),
        ({"forwarding_method": "masq"}, {"net/ipv4/ip_forward"}),
        ({"forwarding_method": "masq", "vip": "fd77::20"}, {"net/ipv6/conf/all/forwarding"}),
    ],
)
def test_sysctls(given: dict[str, str], names: set[str]) -> None:
    wanted = meant(**given).sysctls
    assert wanted == dict.fromkeys(names | {"net/ipv4/vs/expire_nodest_conn"}, "1")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, None),
        ({"idle_timeout": "none"}, None),
        ({"idle_timeout": "7200"}, 7200),
        ({"idle_timeout": "2h"}, 7200),
        ({"idle_timeout": "2h", "protocol": "udp"}, None),
    ],
)
def test_idle_timeout(given: dict[str, str], seconds: int | None) -> None:
    assert meant(**given).idle_timeout == seconds
