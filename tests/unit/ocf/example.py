#!/usr/bin/python3
"""A complete little agent: it "runs" while its state file exists."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from lvsdr.errors import ExitCode, LvsdrError, NotInstalled
from lvsdr.ocf.actions import Action
from lvsdr.ocf.agent import Agent
from lvsdr.ocf.context import Context
from lvsdr.ocf.parameters import ParameterSet, Values, defaulted, deprecated, optional, required
from lvsdr.ocf.value_parsers import (
    absolute_path,
    boolean,
    command_line,
    duration,
    one_of,
    whole_number,
)

PORT = required(
    "port",
    whole_number(1, 65535),
    short="Port",
    long="The port of the service. <Angle brackets> & ampersands are legal here.",
    unique_group="service",
)
STATE = required("state", absolute_path, short="State file", long="Exists while it runs.")
PROTOCOL = defaulted(
    "protocol", one_of("tcp", "udp"), "tcp", short="Protocol", long="tcp or udp.",
    unique_group="service",
)  # fmt: skip
WEIGHT = defaulted(
    "weight", whole_number(0, 65535), "1", short="Weight", long="A weight.", reloadable=True
)
PATIENCE = defaulted("patience", duration, "10s", short="Patience", long="How long to wait.")
QUIET = defaulted("quiet", boolean, "false", short="Quiet", long="Say less.", reloadable=True)
SCRIPT = optional("script", command_line, short="Script", long="Called with | appended.")
HEARTBEAT = optional("heartbeat_file", absolute_path, short="Heartbeat", long="Touched.")
HEATBEAT = deprecated("heatbeat_file", HEARTBEAT)


def weight_fits_protocol(values: Values) -> Iterator[str]:
    """Yield a problem if UDP has a weight; the rule serves as an example."""
    if values[PROTOCOL] == "udp" and values[WEIGHT] != 1:
        yield f"weight={values[WEIGHT]}: must be 1 with protocol=udp"


PARAMETERS = ParameterSet(
    (PORT, STATE, PROTOCOL, WEIGHT, PATIENCE, QUIET, SCRIPT, HEARTBEAT, HEATBEAT),
    rules=(weight_fits_protocol,),
)


def start(context: Context) -> None:
    """Create the state file."""
    with open(context.values[STATE], "w", encoding="utf-8"):
        context.log.info("started")


def stop(context: Context) -> None:
    """Remove the state file if there is one."""
    path = context.environ.get("OCF_RESKEY_state", "")
    if os.path.isfile(path):
        os.unlink(path)


def monitor(context: Context) -> ExitCode:
    """Look for the state file."""
    running = os.path.isfile(context.environ.get("OCF_RESKEY_state", ""))
    return ExitCode.SUCCESS if running else ExitCode.NOT_RUNNING


def fail(context: Context) -> None:
    """Fail in the way that the state file's name selects."""
    if context.values[STATE] == "/bug":
        raise ZeroDivisionError("by\nzero")
    raise LvsdrError("no luck:\n  not today")


def check_node(context: Context) -> None:
    """Raise NotInstalled if a required program is missing."""
    if not context.has_binary("sh"):
        raise NotInstalled("sh is not installed")


AGENT = Agent(
    name="example",
    version="0.1",
    short="Keeps a state file",
    long="""Keeps a state file.

    Does nothing else & says so in a second paragraph.""",
    parameters=PARAMETERS,
    actions=(
        Action("start", start, timeout="20s"),
        Action("stop", stop, timeout="20s"),
        Action("monitor", monitor, timeout="20s", interval="10s", depth="0"),
        Action("monitor", monitor, timeout="20s", interval="60s", depth="10"),
        Action("reload-agent", start, timeout="20s"),
        Action("fail", fail, timeout="20s", advertised=False),
    ),
    validate_environment=check_node,
)

if __name__ == "__main__":
    sys.exit(AGENT.run(sys.argv[1:], os.environ))
