"""The agent vip: an address that moves with a resource, with or without a gate."""

from __future__ import annotations

from . import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...ocf.agent import Agent

_GATE_PREFIXES = ("OCF_RESKEY_dcs_", "OCF_RESKEY_trigger_", "OCF_RESKEY_on_dcs_")


def choose_agent(action: str, environ: Mapping[str, str]) -> Agent:
    """Return the agent for an action; import the code of a gate only for a gate.

    Actions that describe the agent, and parameters that need a gate, require the whole agent.
    """
    mentions_gate = any(name.startswith(_GATE_PREFIXES) for name in environ)
    if not mentions_gate and any(
        action == plain_action.name for plain_action in plain.AGENT.actions
    ):
        return plain.AGENT
    from .gate import promotable

    has_gate = environ.get("OCF_RESKEY_dcs_type", "").strip() not in ("", "none")
    return promotable.AGENT if has_gate else promotable.AGENT_WITHOUT_GATE
