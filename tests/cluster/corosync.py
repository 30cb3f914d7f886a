"""Configuration files that Corosync and Pacemaker need before they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TOKEN = 3000  # ms; a guest with one processor never misses it

# knet's threads cost four times as much as udpu in a guest with one processor. Corosync gets no
# real-time priority for the same reason, and the token stops soon after the last message.
_CONF = """
totem {{
    version: 2
    cluster_name: lab
    transport: udpu
    crypto_cipher: none
    crypto_hash: none
    token: {token}
    token_coefficient: 0
    seqno_unchanged_const: 2
}}
system {{
    sched_rr: no
}}
quorum {{
    provider: corosync_votequorum
}}
logging {{
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    to_syslog: no
    to_stderr: no
    timestamp: hires
}}
nodelist {{
{nodes}}}
"""

_NODE = "    node {{\n        name: {}\n        nodeid: {}\n        ring0_addr: {}\n    }}\n"


def corosync_conf(addresses: Mapping[str, str]) -> str:
    """Return corosync.conf for nodes of these names and addresses; ids are 1, 2, 3, …"""
    nodes = (
        _NODE.format(name, number, at) for number, (name, at) in enumerate(addresses.items(), 1)
    )
    return _CONF.format(token=TOKEN, nodes="".join(nodes))


# Namespaces cannot be fenced. The nodes start together, so the election waits for no older node.
PROPERTIES = {"stonith-enabled": "false", "dc-deadtime": "2s", "cluster-name": "lab"}

_CIB = """<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.7" admin_epoch="0" epoch="1"
  num_updates="0">
<configuration>
  <crm_config>
    <cluster_property_set id="cib-bootstrap-options">
{properties}    </cluster_property_set>
  </crm_config>
  <nodes>
{nodes}  </nodes>
  <resources/>
  <constraints/>
</configuration>
<status/>
</cib>
"""
_PROPERTY = '      <nvpair id="cib-bootstrap-options-{0}" name="{0}" value="{1}"/>\n'
_MEMBER = '    <node id="{1}" uname="{0}"/>\n'


def first_cib(nodes: Sequence[str] = ()) -> str:
    """Return the CIB of a cluster of these nodes, without resources.

    A node's first CIB may lack them: the node learns of its peers later.
    """
    properties = (_PROPERTY.format(*pair) for pair in PROPERTIES.items())
    members = (_MEMBER.format(name, number) for number, name in enumerate(nodes, 1))
    return _CIB.format(properties="".join(properties), nodes="".join(members))
