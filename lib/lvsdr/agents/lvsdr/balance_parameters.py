"""The parameters of the agent lvsdr on weights, small pools and idle sessions."""

from __future__ import annotations

from ...ocf.parameters import defaulted, optional
from ...ocf.value_parsers import one_of, whole_number
from ...pool.sources.script import MOST_HOSTS
from .parsers import ATTRIBUTE, WEIGHTED_HOSTS, WHOLE_SECONDS

ON_EMPTY = defaulted(
    "on_empty",
    one_of("keep", "empty"),
    "keep",
    reloadable=True,
    short="Behaviour when no real server is fit",
    long=(
        "keep leaves the real servers that serve now and are alive as they are, for example during "
        "a failover, while every standby is between two states. Real servers that are about to "
        "stop, for example on a node on standby, are kept only if no other real server serves. "
        "empty withdraws all of them, so that fallback_realservers take over at once."
    ),
)
FALLBACK = optional(
    "fallback_realservers",
    WEIGHTED_HOSTS,
    reloadable=True,
    short="Real servers for when no other is fit",
    long=(
        "Hosts, written as in weight_of_realservers, that serve instead while no real server is "
        "fit and on_empty keeps none, such as the primary of a database; with fallback_below they "
        "join earlier. They leave again when one is. They must be able to serve: the virtual IP on "
        "lo, for direct routing."
    ),
)
FALLBACK_BELOW = defaulted(
    "fallback_below",
    whole_number(1, MOST_HOSTS),
    "1",
    reloadable=True,
    short="Number of real servers below which the fallbacks join",
    long=(
        "fallback_realservers serve, too, while fewer than this many others do. Those count that "
        "are fit and have a weight, and those that serve now and whose state is unknown. While "
        "none of these is there, the fallbacks do not join those that on_empty keeps. With more "
        "than 1 the fallbacks leave only after enough others have served for 30 seconds, so that a "
        "real server that comes and goes does not move them; with 1 they leave at once. Their "
        "sessions then have drain_timeout. Fallbacks are judged by the state of their nodes alone."
    ),
)
WEIGHT_ATTRIBUTE = defaulted(
    "realserver_weight_attribute",
    ATTRIBUTE,
    "lvsdr-weight",
    reloadable=True,
    short="Node attribute that overrides the weight",
    long=(
        "Node attribute, transient or permanent, with the weight of the real server on that node: "
        "it precedes every other weight, and 0 drains. Of both kinds the transient one counts, as "
        "crm_mon shows it. A host outside the cluster has its weight in an attribute of any node, "
        "with the host as it is listed behind an @ in the name: lvsdr-weight@192.168.0.234. A "
        "value that is no weight, or different values for one host, leave the real server as it "
        "is and are reported. Two services with different weights need two names; a name that no "
        "node has switches this off."
    ),
)

IDLE_TIMEOUT = optional(
    "idle_timeout",
    WHOLE_SECONDS,
    reloadable=True,
    short="Time for which the kernel keeps an idle TCP session",
    long=(
        "A session without packets for longer is forgotten, and its next packet is answered with a "
        "reset: after 15 minutes by the kernel's default, which stays if this is not set. The "
        "kernel has one value for all services of the host: of several resources the longest wish "
        "counts, and the last stop restores the former value. Let the keepalives of clients and "
        "servers be more frequent: keepalives_idle=60 in a conninfo, tcp_keepalives_idle of "
        "PostgreSQL."
    ),
)
