"""Parameter names of the agent ``vip`` that the daemon accepts for its own options."""

from __future__ import annotations

# Name of the agent's parameter, with dashes -> name of the option.
OF_THE_AGENT = {
    "nic": "interface",
    "cidr-netmask": "netmask",
    "dcs-user": "etcd-user",
    "dcs-password": "etcd-password",
    "dcs-token": "consul-token",
    "dcs-ca-file": "etcd-ca-file",
    "dcs-cert-file": "etcd-cert-file",
    "dcs-key-file": "etcd-key-file",
}
