"""The kernel's settings that a service wants: sysctls, and the time for idle TCP sessions."""

from __future__ import annotations

from ...errors import LvsdrError
from ...ocf.context import Context
from .settings import DirectorSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...system.idle_timeout import IdleTimeout


def set_sysctls(context: Context, settings: DirectorSettings) -> tuple[str, ...]:
    """Set the kernel's settings; return the warnings for the operator.

    Only start warns of a setting that is merely desirable and cannot be set, as in a container.
    Start raises LvsdrError if a setting is missing without which nothing can be forwarded.
    """
    claims = context.claim_sysctls(settings.sysctls)
    essential_problems = [
        problem for name, problem in claims.unset.items() if name in settings.essential_sysctls
    ]
    if context.action != "start":
        return tuple(
            problem
            for problem in claims.trouble
            if problem in essential_problems or problem not in claims.unset.values()
        )
    if essential_problems:
        raise LvsdrError("; ".join(essential_problems))
    return tuple(claims.trouble)


def apply_idle_timeout(context: Context, settings: DirectorSettings) -> tuple[str, ...]:
    """Have the kernel keep idle sessions as long as wanted; return the problems.

    Without a wish, one of former parameters ends.
    """
    claim = _open_claim(context)
    if settings.idle_timeout is None:
        context.log.info(*claim.release())
    else:
        context.log.info(*claim.claim(settings.idle_timeout))
    return tuple(claim.trouble)


def release_idle_timeout(context: Context) -> None:
    """End the wish; log what becomes of the kernel's value."""
    claim = _open_claim(context)
    context.log.info(*claim.release())
    context.log.warning(*claim.trouble)


def _open_claim(context: Context) -> IdleTimeout:
    from ...system.idle_timeout import IdleTimeout  # late: a monitor that does nothing is cheap

    return IdleTimeout(context.rsctmp, context.instance, context.deadline)
