"""The agents, each with parameters for runs in which nothing of it is active."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lvsdr.agents.lvsdr import AGENT as LVSDR
from lvsdr.agents.realsvr import AGENT as REALSVR
from lvsdr.agents.vip.gate.promotable import AGENT as VIP
from lvsdr.ocf.agent import Agent

from tests.support.paths import ROOT
from tests.unit.agents.processes import Settings

PROBE = {"OCF_RESKEY_CRM_meta_on_node": "node1"}
RECURRING = {"OCF_RESKEY_CRM_meta_interval": "5000"}
NO_PROGRAMS = {"OCF_TESTER_FAIL_HAVE_BINARY": "1"}


class Subject(NamedTuple):
    """An agent, and parameters by their defect.

    Every parameter of `broken` is wrong. `privilege` and `programs` are the reasons that start
    gives without root's privilege and without programs.
    """

    agent: Agent
    legal: Settings
    broken: Settings
    others: dict[str, Settings]
    privilege: str
    programs: str
    more_actions: frozenset[str] = frozenset()

    @property
    def stub(self) -> Path:
        return ROOT / "ocf" / self.agent.name

    @property
    def settings(self) -> dict[str, Settings]:
        return {"legal": self.legal, "broken": self.broken, "none": {}, **self.others}


# Addresses of networks for documentation: no machine is connected to them, no kernel has them.
SUBJECTS = {
    "lvsdr": Subject(
        LVSDR,
        legal={
            "vip": "203.0.113.20",
            "port": "5432",
            "weight_of_realservers": "203.0.113.21 node1",
        },
        broken={
            "vip": "10.9.0.300",
            "port": "http",
            "virtual_service_options": "-C",
            "weight_of_realservers": "node1,x",
            "realserver_dependent_attribute_value": "(",
            "drain_timeout": "-5",
        },
        others={},
        privilege="only root may change the IPVS table",
        programs="program ipvsadm is not installed",
    ),
    "lvsdr-realsvr": Subject(
        REALSVR,
        legal={"vip": "203.0.113.20"},
        broken={
            "vip": "10.9.0.300",
            "nic_lo": "eth0",
            "drain_delay": "soon",
            "drain_timeout": "-5",
        },
        others={"IPv6": {"vip": "2001:db8::20", "drain_timeout": "5min"}},
        privilege="only root may change the addresses of lo",
        programs="program ip is not installed",
    ),
    "vip": Subject(
        VIP,
        legal={"ip": "203.0.113.20", "iflabel": "read"},
        broken={
            "ip": "203.0.113.300",
            "cidr_netmask": "33.3",
            "nic": "eth0:1",
            "iflabel": "a b",
            "arp_count": "-1",
            "preferred_lft": "soon",
            "dcs_type": "zookeeper",
            "dcs_endpoints": "10.9.0.1:2379",
            "dcs_token_file": "token",
            "dcs_ca_file": "ca.pem",
            "on_dcs_unreachable": "panic",
            "dcs_grace": "-1",
        },
        others={
            "gated": {"ip": "203.0.113.20", "dcs_type": "etcd", "trigger_key": "/leader"},
            "half a gate": {"ip": "203.0.113.20", "trigger_key": "/leader"},
            "lo": {"ip": "203.0.113.20", "nic": "lo", "cidr_netmask": "32"},
            "no nic": {"ip": "203.0.113.20", "nic": "nosuch0", "cidr_netmask": "24"},
        },
        privilege="only root may change the addresses of an interface",
        programs="program ip (package iproute2) is not installed",
        more_actions=frozenset({"promote", "demote"}),
    ),
}
CASES = [(name, settings) for name, subject in SUBJECTS.items() for settings in subject.settings]
