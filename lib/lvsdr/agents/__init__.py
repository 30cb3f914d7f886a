"""The agents, and how one of them is started.

Every action is a fresh process, so what takes long begins before what is big is imported: crm_mon
runs while Python loads the agent.
"""

from __future__ import annotations

import gc
import os
import sys

from ..system import crm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

AGENTS = {
    "lvsdr": "lvsdr.agents.lvsdr",
    "lvsdr-realsvr": "lvsdr.agents.realsvr",
    "vip": "lvsdr.agents.vip",
}
_ASK_CLUSTER = ("lvsdr",)
_SYSTEM_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


def main(name: str) -> NoReturn:
    """Run the agent ``name`` with the arguments and the environment of this process, and exit.

    Like ocf-shellfuncs, it sees to it that system programs are found whatever PATH the cluster
    passes.
    """
    gc.disable()  # nothing here lives long enough to be worth collecting
    path = os.environ.get("PATH", "").split(":")
    os.environ["PATH"] = ":".join(dict.fromkeys((*filter(None, path), *_SYSTEM_PATH)))
    if name in _ASK_CLUSTER and sys.argv[1:2] and _reconciles(sys.argv[1]):
        crm.begin()
    from importlib import import_module

    try:
        code = import_module(AGENTS[name]).AGENT.run(sys.argv[1:], os.environ)
    finally:
        crm.abandon()
    _exit(code)


def _exit(code: int) -> NoReturn:
    """End at once: no teardown of the interpreter, no waiting for a resolver that is stuck."""
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _reconciles(action: str) -> bool:
    """Whether Pacemaker wants an action that will ask the cluster; a probe does not."""
    interval = os.environ.get("OCF_RESKEY_CRM_meta_interval", "0").strip()
    return action in ("start", "reload-agent") or (
        action == "monitor" and interval not in ("", "0")
    )
