"""Addresses and names of the machines, and their languages."""

from __future__ import annotations

WRITE_VIP, READ_VIP = "10.77.0.101", "10.77.0.100"
NODES = ("node1", "node2", "node3")  # 10.77.0.21 and so on
LANGUAGES = ("de_DE.UTF-8", "zh_CN.UTF-8", "zh_CN.GB18030")
OUTSIDE = "10.77.0.24"  # node4, which is a member of no cluster
REMOTE = "node4"  # the same machine, if a configuration makes it a remote node
