"""The requirements on a node that may be the director: validate-all at level 10."""

from __future__ import annotations

import os

from ...errors import BadArgument, NotInstalled
from ...ocf.context import Context
from ...pacemaker.elements import require_lxml
from ...system import state
from . import judgement
from .saved_pool import Memory
from .settings import settings
from .unused import missed, unused


def validate_environment(context: Context) -> None:
    """Raise LvsdrError if this node lacks programs, scripts, directories, or the resource."""
    wanted = settings(context.values)
    announce_unused(context)
    for program in ("ipvsadm", "crm_mon"):
        context.require_binary(program)
    require_lxml()
    for script in (wanted.spec.list_script, wanted.spec.check_script):
        if script is not None and not context.have_binary(script.argv[0]):
            raise NotInstalled(f"script {script.argv[0]} is not there, or not executable")
    if wanted.heartbeat_file is not None:
        directory = os.path.dirname(wanted.heartbeat_file)
        if not os.path.isdir(directory):
            raise BadArgument(f"heartbeat_file={wanted.heartbeat_file}: no directory {directory}")
        try:
            state.require_regular(wanted.heartbeat_file)
        except OSError as error:
            raise BadArgument(f"heartbeat_file={wanted.heartbeat_file}: {error.strerror}") from None
    judged = judgement.judge(wanted, Memory(), context.deadline)
    reason = judgement.nothing_known(judged)
    if reason is not None:
        raise BadArgument(f"no real server is known: {reason}")


def announce_unused(context: Context) -> None:
    """Log a warning for each parameter that was set and has no effect."""
    for sentence in (*unused(context.values), *missed(context.values)):
        context.log.warning(sentence)
