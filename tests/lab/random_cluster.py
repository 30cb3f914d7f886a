"""Random changes of a small cluster: two members and a remote node."""

from __future__ import annotations

import random

from tests.lab.director_model import STREAMING
from tests.support import cib

STATUS = (*STREAMING, "HS:alone", "HS:catchup", "PRI", "")
MEMBERS = ("node1", "node2")
CLUSTER = (*map(cib.Node, MEMBERS), cib.Node("node3", holder="node1"))


def changed(nodes: list[cib.Node], dice: random.Random) -> list[cib.Node]:
    """Return the cluster after a change."""
    index = dice.randrange(len(nodes))
    node = nodes[index]
    what = dice.choice(["place", "standby", "maintenance", "status", "realsvr", "primary", "well"])
    if what == "primary":
        return [it.primary() if it is node else demoted(it) for it in nodes]
    news = {
        "place": moved(node, dice),
        "standby": node._replace(standby=not node.standby),
        "maintenance": node._replace(maintenance=not node.maintenance),
        "status": node._replace(status=dice.choice(STATUS)),
        "realsvr": dice.choice(
            [
                node._replace(realsvr_failed=not node.realsvr_failed),
                node._replace(realsvr=not node.realsvr),
            ]
        ),
        "well": cib.Node(node.name, holder=node.holder),
    }
    return [*nodes[:index], news[what], *nodes[index + 1 :]]


def moved(node: cib.Node, dice: random.Random) -> cib.Node:
    """Return the node with another connection or, for a member, another state or twin."""
    if node.holder:
        connection = dice.choice(["running", "failed", "unknown"])
        return node._replace(connection=connection, holder=dice.choice(MEMBERS))
    twin = dice.choice(["", "", "", "stale", "online"])
    return node._replace(online=dice.random() < 0.5, twin=twin)


def demoted(node: cib.Node) -> cib.Node:
    """Return a former primary as a standby of the new primary."""
    if node.database != "Promoted":
        return node
    return node._replace(status="HS:async", database="Unpromoted", realsvr=True)
