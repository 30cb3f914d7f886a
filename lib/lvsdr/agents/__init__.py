"""The agents and their start.

Every action is a fresh process, so slow steps begin before large imports: crm_mon runs while Python
loads the agent.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, NoReturn

    from ..ocf.agent import Agent

# The name of an agent -> its module, which has ``AGENT``, or ``choose_agent`` for variants.
AGENTS = {
    "lvsdr": "lvsdr.agents.lvsdr",
    "lvsdr-realsvr": "lvsdr.agents.realsvr",
    "vip": "lvsdr.agents.vip",
}
_CLUSTER_AGENTS = ("lvsdr",)
_GENERIC, _DEGRADED = 1, 190  # copies of errors.ExitCode, which may fail to load
_SYSTEM_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


def main(name: str) -> NoReturn:
    """Run the agent ``name`` with this process's arguments and environment, and exit.

    Like ocf-shellfuncs, extend PATH by the directories of system programs, in case the cluster
    passes a shorter one.
    """
    gc.disable()  # the process ends before collecting garbage pays off
    code = _answer_quickly(name)
    _exit(_act(name) if code is None else code)


def _act(name: str) -> int:
    """Run the action with the whole agent; return the exit code."""
    from ..system import crm
    from ..system.process.spawn import end_with_children, kill_children

    end_with_children()
    path = os.environ.get("PATH", "").split(":")
    os.environ["PATH"] = ":".join(dict.fromkeys((*filter(None, path), *_SYSTEM_PATH)))
    try:
        if name in _CLUSTER_AGENTS and sys.argv[1:2] and _needs_cluster(sys.argv[1]):
            crm.start_crm_mon()
        return _run_agent(name)
    except Exception as error:
        return _report_unloadable(error)
    finally:
        if not _attempt(crm.end_crm_mon):
            kill_children()


def _answer_quickly(name: str) -> int | None:
    """Return the exit code of a monitor that needs no cycle, because the watcher had one run."""
    if name not in _CLUSTER_AGENTS or sys.argv[1:2] != ["monitor"] or not _is_recurring():
        return None
    try:
        from ..watcher import quick

        return quick.answer(os.environ, name)
    except Exception:
        return None  # the ordinary monitor meets the same trouble, and reports it


def load_agent(name: str, action: str, environ: Mapping[str, str]) -> Agent:
    """Return the agent ``name`` in the variant for an action with these parameters."""
    from importlib import import_module

    module = import_module(AGENTS[name])
    if hasattr(module, "choose_agent"):
        variant: Agent = module.choose_agent(action, environ)
        return variant
    agent: Agent = module.AGENT
    return agent


def describe_agent(name: str) -> Agent:
    """Return the agent ``name`` with all of its parameters and actions."""
    return load_agent(name, "meta-data", {})


def _run_agent(name: str) -> int:
    arguments = sys.argv[1:]
    agent = load_agent(name, arguments[0] if arguments else "", os.environ)
    return agent.run(arguments, os.environ)


def _report_unloadable(error: Exception) -> int:
    """Return the exit code of an agent that cannot be loaded, for example for want of memory.

    A monitor reports DEGRADED: a restart would not help, because its stop would fail in the same
    way.
    """
    _attempt(_print_traceback)
    _attempt(lambda: print(f"ocf-exit-reason:agent cannot be loaded: {error!r}", file=sys.stderr))
    return _DEGRADED if sys.argv[1:2] == ["monitor"] and _is_recurring() else _GENERIC


def _attempt(act: Callable[[], None]) -> bool:
    """Do what the exit code must not depend on: no descriptor may be left to load a module."""
    try:
        act()
    except Exception:
        return False
    return True


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def _exit(code: int) -> NoReturn:
    """End the process at once: no interpreter teardown, no waiting for a stuck resolver."""
    _attempt(lambda: sys.stdout.flush())
    _attempt(lambda: sys.stderr.flush())
    os._exit(code)


def _needs_cluster(action: str) -> bool:
    """Test for an action of Pacemaker that will query the cluster; a probe does not."""
    return action in ("start", "reload-agent", "reconcile") or (
        action == "monitor" and _is_recurring()
    )


def _is_recurring() -> bool:
    return os.environ.get("OCF_RESKEY_CRM_meta_interval", "0").strip() not in ("", "0")
