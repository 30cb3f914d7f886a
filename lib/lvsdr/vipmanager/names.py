"""Names of the agent ``vip`` for what the daemon has as options: both are understood here."""

from __future__ import annotations

# What a parameter of the agent is called, with dashes -> the option.
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
