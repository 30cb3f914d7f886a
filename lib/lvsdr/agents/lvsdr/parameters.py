"""The parameters of the agent lvsdr, each declared once for parsing, metadata and documentation."""

from __future__ import annotations

from ...ocf.parameters import defaulted, deprecated, optional, required
from ...ocf.value_parsers import (
    absolute_path,
    command_line,
    duration,
    one_of,
    regular_expression,
    whole_number,
    word_or,
)
from ...pool.attribute_weights import MOST_WEIGHT
from .parsers import (
    ATTRIBUTE,
    FORWARDING_METHOD,
    POSITIVE_DURATION,
    RESOURCE_IDS,
    SERVICE_ADDRESS,
    SERVICE_OPTIONS,
    WANTED_ROLE,
    WEIGHTED_HOSTS,
)

NEVER = -1.0

_SECRETS = (
    "Put no password here: the CIB, its copies, Pacemaker's log and ps show it; name a passfile."
)

VIP = required(
    "vip",
    SERVICE_ADDRESS,
    unique_group="service",
    short="Virtual IP address",
    long="Address of the virtual service, IPv4 or IPv6. Its family is that of the real servers.",
)
PORT = required(
    "port",
    whole_number(1, 65535),
    unique_group="service",
    short="Port",
    long="Port of the virtual service; the real servers listen on the same one.",
)
PROTOCOL = defaulted(
    "protocol",
    one_of("tcp", "udp"),
    "tcp",
    unique_group="service",
    short="Protocol",
    long="Protocol of the virtual service.",
)
OPTIONS = defaulted(
    "virtual_service_options",
    SERVICE_OPTIONS,
    "-s rr",
    reloadable=True,
    short="Options of the virtual service",
    long=(
        "Scheduler, persistence, netmask and flags, as ipvsadm spells them: -s, -p, -M, --pe, "
        "--ops, -b, and their long forms. A change is applied in place: connections stay. With the "
        "schedulers sh and mh the flags sh-fallback and mh-fallback are always set: without them "
        "the kernel refuses clients while a real server has weight 0. dh has no such flag, so a "
        "real server that would get weight 0 is deleted and its sessions end: prefer sh or mh."
    ),
)
FORWARD = defaulted(
    "forwarding_method",
    FORWARDING_METHOD,
    "gate",
    reloadable=True,
    short="Forwarding method",
    long=(
        "How packets reach the real servers: gate (direct routing), ipip (tunnel) or masq "
        "(network address translation; turns on IP forwarding)."
    ),
)
DEFAULT_WEIGHT = defaulted(
    "default_weight",
    whole_number(0, MOST_WEIGHT),
    "1",
    reloadable=True,
    short="Default weight",
    long="Weight of a real server that is not listed, and of one that is listed without a weight.",
)
WEIGHTS = optional(
    "weight_of_realservers",
    WEIGHTED_HOSTS,
    reloadable=True,
    short="Real servers and their weights",
    long=(
        "Static list of real servers with optional weights: node1,weight1 node2 192.168.0.234,3. "
        "A host is a node name, any other host name, or an address. Weight 0 is legal: such a "
        "real server is present (not with -s dh), but gets no new connections. If a resource, an "
        "attribute or a script selects the real servers, the list only gives the weights. The "
        "virtual IP, and addresses of loopback, multicast, broadcast or a network as such, are "
        "refused from every source."
    ),
)
RESOURCE = optional(
    "realserver_dependent_resource",
    RESOURCE_IDS,
    reloadable=True,
    short="Resources that real servers run",
    long=(
        "The real servers are the nodes on which this resource (primitive, group, clone, "
        "promotable clone or bundle) runs; a group runs where all of its members do, disabled ones "
        "included: name a member if it alone decides. Of several, separated by commas, all must "
        "run there: pgsql-clone,lvsdr-realsvr-clone. Not used if "
        "realserver_get_real_servers_script is set."
    ),
)
ROLE = defaulted(
    "realserver_dependent_role",
    WANTED_ROLE,
    "any",
    reloadable=True,
    short="Role of that resource",
    long=(
        "Which instances of realserver_dependent_resource count, by their role: any, Promoted or "
        "Unpromoted. The names from before Pacemaker 2.1 are understood, too. It does not "
        "apply to those of several resources that cannot be promoted: they must be started."
    ),
)
ATTRIBUTE_NAME = optional(
    "realserver_dependent_attribute_name",
    ATTRIBUTE,
    reloadable=True,
    short="Node attribute of a fit real server",
    long=(
        "A real server must be a node with this attribute, transient or permanent, matching "
        "realserver_dependent_attribute_value. Not used if one of the scripts is set."
    ),
)
ATTRIBUTE_VALUE = defaulted(
    "realserver_dependent_attribute_value",
    regular_expression,
    "1",
    reloadable=True,
    short="Value of that attribute",
    long=(
        "Regular expression, as for grep -E, that must match the whole value: "
        "HS:sync|HS:potential|HS:async."
    ),
)
LIST_SCRIPT = optional(
    "realserver_get_real_servers_script",
    command_line,
    reloadable=True,
    short="Script that lists the real servers",
    long=(
        "Program, with arguments quoted as for a shell (no shell is involved), that prints the "
        "real servers, separated by white space. It alone selects the candidates. If it ends "
        "with another status than 0, prints something else, or takes too long, nothing changes. "
        "get_active_slaves also lists standbys with hot_standby=off; a check script notices them. "
        f"{_SECRETS}"
    ),
)
CHECK_SCRIPT = optional(
    "realserver_check_active_real_server_script",
    command_line,
    reloadable=True,
    short="Script that checks a real server",
    long=(
        "Program, with arguments quoted as for a shell, that is called with a candidate appended "
        "and prints t (fit) or f (alive, but not wanted). If it fails or takes too long as often "
        "as realserver_check_fall in a row, the real server has failed. Candidates are checked "
        "side by side. Replaces the attribute. "
        f"{_SECRETS}"
    ),
)
OLD_CHECK_SCRIPT = deprecated("realserver_check_active_slave_script", CHECK_SCRIPT)
ADDRESS_ATTRIBUTE = optional(
    "realserver_address_attribute",
    ATTRIBUTE,
    reloadable=True,
    short="Node attribute with the address to use",
    long=(
        "Node attribute that holds the address (or host name) of the real server on that node, "
        "for clusters whose node names resolve to another network."
    ),
)
SCRIPT_TIMEOUT = defaulted(
    "script_timeout",
    POSITIVE_DURATION,
    "10s",
    reloadable=True,
    short="Time for one call of a script",
    long=(
        "A script, with all of its children, is killed when one call takes longer, or when the "
        "operation's own timeout leaves less: at most about three quarters of that timeout."
    ),
)
DRAIN_TIMEOUT = defaulted(
    "drain_timeout",
    word_or("never", NEVER, duration),
    "300s",
    reloadable=True,
    short="Time that a withdrawn real server may keep its connections",
    long=(
        "A real server that is alive but no longer wanted gets weight 0, and is deleted when its "
        "last connection is gone or after this time. 0 deletes it at once; never waits for the "
        "last connection. Nothing is drained with -s dh. With gate and ipip the director does not "
        "see what real servers send, so a connection that a client has shut down counts until IPVS "
        "forgets it, two minutes later (ipvsadm --set 0 SECONDS 0 changes that for the host)."
    ),
)
HEARTBEAT_FILE = optional(
    "heartbeat_file",
    absolute_path,
    reloadable=True,
    short="File written after each successful monitor",
    long=(
        "Absolute path of a file that gets the time, in seconds since 1970, for watchdogs. It is "
        "written in place; a device, a FIFO, a symbolic or a hard link, and anything in /proc and "
        "/sys, is left alone and reported."
    ),
)
OLD_HEARTBEAT_FILE = deprecated("heatbeat_file", HEARTBEAT_FILE)
