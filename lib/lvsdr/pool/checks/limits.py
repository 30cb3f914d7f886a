"""The time that checks may take, and the receiver of interim results."""

from __future__ import annotations

from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from ..model import Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    Meanwhile = Optional[Callable[[list[Candidate]], None]]


class Limits(NamedTuple):
    """The limits of all checks of one cycle."""

    deadline: Deadline
    enough: float
    """Seconds after which a missing answer is a failure, even with a longer timeout configured."""
    meanwhile: Meanwhile = None
    """Gets interim results once, if answers take long; missing ones are UNKNOWN."""

    def timeout(self, configured: float, rounds: int) -> float:
        """Return the seconds for one call, of which ``rounds`` follow each other."""
        return min(configured, self.deadline.remaining() / rounds) if rounds > 1 else configured
