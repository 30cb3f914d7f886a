"""The time after which IPVS forgets an idle TCP session: one for all services of this host.

Each resource may have a wish, and the longest one counts.  One file for all resources of this node
stores the wishes and the value from before the first one, which the last release restores.  Every
other value than that of the wishes is an administrator's, and stays at the last release.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import Busy, LvsdrError, Unlockable
from ..ipvs.text import parse_tcp_timeout
from ..values.deadline import Deadline
from ..values.facts import get_value
from ..values.light_typing import NamedTuple
from . import locking, small_files
from .process.run import run
from .saved_facts import load_facts, store_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..values.facts import Facts
    from .ipvs import Runner

_KIND = "idle-timeout"
_NAME = "the kernel's timeout of idle TCP sessions"


class _Claims(NamedTuple):
    """The wishes in seconds by resource, and the kernel's value before and because of them."""

    original: int
    ours: int = 0
    wishes: Mapping[str, int] = {}

    @property
    def longest(self) -> int:
        return max(self.wishes.values(), default=self.original)


class IdleTimeout:
    """The wish of one resource; ``trouble`` contains the warnings for the operator."""

    def __init__(
        self, directory: str, owner: str, deadline: Deadline, *, runner: Runner = run
    ) -> None:
        self.trouble: list[str] = []
        self._path = os.path.join(directory, "lvsdr-idle-timeout")
        self._owner = owner
        self._deadline = deadline
        self._run = runner

    def claim(self, seconds: int) -> list[str]:
        """Enter the wish of this resource; return a sentence if that changes the kernel's value.

        A wish that cannot be fulfilled is trouble and no error: the service works without it.
        """
        try:
            current = self._read_kernel()
            if self._is_fulfilled(seconds, current):
                return []
            with locking.locked(f"{self._path}.lock", self._deadline, go_on_after=(Unlockable,)):
                claims = self._load() or _Claims(current)
                claims = claims._replace(wishes={**claims.wishes, self._owner: seconds})
                claims = claims._replace(ours=claims.longest)
                self._try_store(claims)  # before the change: a crash in between loses nothing
                return self._change(current, claims.longest, "set to")
        except LvsdrError as error:
            self.trouble.append(f"idle_timeout: {error}")
            return []

    def release(self) -> list[str]:
        """Remove the wish of this resource; return a sentence on the kernel's value.

        The longest of the other wishes counts then.  Without any, the original value returns.
        """
        claims = self._load()
        if claims is None or self._owner not in claims.wishes:
            return []
        try:
            patience = self._deadline.limit_to(self._deadline.remaining() / 2)
            path, reasons = f"{self._path}.lock", (Unlockable, Busy)
            with locking.locked(path, patience, go_on_after=reasons):
                return self._release(self._load() or claims)
        except LvsdrError as error:
            self.trouble.append(f"idle_timeout: {error}")
            return []

    def _release(self, claims: _Claims) -> list[str]:
        wishes = {owner: wish for owner, wish in claims.wishes.items() if owner != self._owner}
        rest = claims._replace(wishes=wishes)
        try:
            current = self._read_kernel()
            if wishes:
                return self._change(current, rest.longest, "set to")
            if current in (claims.ours, claims.original):
                return self._change(current, claims.original, "put back to")
            before = f"(was {claims.original} s before)"
            return [f"{_NAME} left at {current} s, changed since by another program {before}"]
        finally:
            self._try_store(rest._replace(ours=rest.longest) if wishes else None)

    def _is_fulfilled(self, seconds: int, current: int) -> bool:
        claims = self._load()
        if claims is None or claims.wishes.get(self._owner) != seconds:
            return False
        return current == claims.longest

    def _change(self, current: int, wanted: int, verb: str) -> list[str]:
        if current == wanted:
            return []
        complaint = self._run_ipvsadm("--set", str(wanted), "0", "0")  # 0 leaves a value alone
        changed = self._read_kernel()
        if changed != wanted:
            problem = complaint.strip() or "ipvsadm --set had no effect"
            raise LvsdrError(f"{_NAME} stays {changed} s instead of {wanted} s: {problem}")
        return [f"{_NAME} {verb} {wanted} s (was {current} s)"]

    def _read_kernel(self) -> int:
        text = self._run_ipvsadm("-L", "--timeout")
        seconds = parse_tcp_timeout(text)
        if seconds is None:
            raise LvsdrError(f"ipvsadm -L --timeout prints no timeouts, but {text[:60]!a}")
        return seconds

    def _run_ipvsadm(self, *options: str) -> str:
        """Return the output; ipvsadm may end with 0 after an error, which it prints."""
        result = self._run(("ipvsadm", *options), self._deadline, keep=locking.list_held())
        if result.problem or result.status != 0:
            raise LvsdrError(f"ipvsadm {' '.join(options)}: {result.describe_failure()}")
        return (result.stdout + result.stderr).decode("utf-8", "replace")

    def _load(self) -> _Claims | None:
        return load_facts(self._path, _KIND, _parse)

    def _try_store(self, claims: _Claims | None) -> None:
        """Store the claims; remove the file without any."""
        try:
            if claims is None:
                small_files.remove(self._path)
            else:
                wishes = (("wish", (wish, owner)) for owner, wish in claims.wishes.items())
                facts = (("original", claims.original), ("ours", claims.ours), *wishes)
                store_facts(self._path, _KIND, facts)
        except (LvsdrError, OSError) as error:
            self.trouble.append(f"idle_timeout: {error}")


def _parse(facts: Facts) -> _Claims:
    wishes = (value.split(" ", 1) for value in facts.get("wish", ()))
    return _Claims(
        int(get_value(facts, "original")),
        int(get_value(facts, "ours")),
        {owner: int(wish) for wish, owner in wishes},
    )
