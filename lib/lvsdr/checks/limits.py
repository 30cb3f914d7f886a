"""The time that checks may take, and who learns meanwhile what is known so far."""

from __future__ import annotations

from ..deadline import Deadline
from ..model import Candidate
from ..typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    Meanwhile = Optional[Callable[[list[Candidate]], None]]

_MOST = 0.95  # of the time that is left: a program that is killed has to be waited for


class Limits(NamedTuple):
    """The limits of all checks of one cycle."""

    deadline: Deadline
    enough: float
    """Seconds after which no answer is a failure, even if the configured timeout is longer."""
    meanwhile: Meanwhile = None
    """Called with what is known so far if some answers take long; those are UNKNOWN in it."""

    def timeout(self, configured: float, rounds: int) -> float:
        """Return the seconds for one call, of which ``rounds`` may follow each other.

        Where less is left than is fair, it is the configured time: the deadline ends the call then,
        which says nothing of the host.
        """
        share = _MOST * self.deadline.remaining() / max(1, rounds)
        fair = share >= min(configured, self.enough / max(1, rounds))
        return min(configured, share) if fair else configured
