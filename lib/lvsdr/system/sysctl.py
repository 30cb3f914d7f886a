"""Kernel settings that several resources need: claimed by each, put back when the last lets go.

What a setting was before the first claim is remembered in one file for all resources of this
node.  It is put back only if nobody else changed it in the meantime: an administrator's later
decision is never undone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from ..deadline import Deadline
from ..errors import Busy, LvsdrError, Unlockable
from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = "/proc/sys"
UNREADABLE = "unreadable"


def value(name: str, root: str = ROOT) -> str:
    """The setting ``name``, such as ``net/ipv4/vs/expire_nodest_conn``; raises LvsdrError."""
    try:
        with open(os.path.join(root, name), encoding="ascii") as file:
            return file.read().strip()
    except OSError as error:
        raise LvsdrError(f"cannot read {name}: {error.strerror}") from None


def differing(
    wanted: Mapping[str, str], root: str = ROOT, *, as_good: Mapping[str, Collection[str]] = {}
) -> dict[str, str]:
    """Return the settings that are neither as wanted nor ``as_good``, with their values.

    One that cannot be read is ``UNREADABLE``.
    """
    now = {name: _value_or(name, root, UNREADABLE) for name in wanted}
    return {
        name: found
        for name, found in now.items()
        if found != wanted[name] and found not in as_good.get(name, ())
    }


def _value_or(name: str, root: str, otherwise: str) -> str:
    try:
        return value(name, root)
    except LvsdrError:
        return otherwise


def writable(name: str, root: str = ROOT) -> bool:
    """Return whether the setting can be written, as it cannot be in many containers."""
    return os.access(os.path.join(root, name), os.W_OK)


def of_interfaces(name: str, root: str = ROOT) -> dict[str, str]:
    """The values of a setting such as ``arp_ignore`` below net/ipv4/conf, by interface.

    Among them are ``all`` and ``default``.  Raises LvsdrError.
    """
    directory = os.path.join(root, "net/ipv4/conf")
    found = {}
    try:
        interfaces = sorted(os.listdir(directory))
    except OSError as error:
        raise LvsdrError(f"cannot read net/ipv4/conf: {error.strerror}") from None
    for interface in interfaces:
        with suppress(LvsdrError):  # an interface may be gone by now
            found[interface] = value(f"net/ipv4/conf/{interface}/{name}", root)
    return found


def _is_claim(claim: object) -> bool:
    return (
        isinstance(claim, dict)
        and isinstance(claim.get("original"), str)
        and isinstance(claim.get("ours"), str)
        and isinstance(claim.get("owners"), list)
    )


class Claims:
    """The claims on kernel settings that the resources of this node share.

    Neither a setting that cannot be written nor a file that cannot be kept is an error here: in a
    container /proc/sys is read-only.  ``unset`` has the settings that are not as wanted after a
    claim, and why; ``trouble`` has all that an operator should be warned of.
    """

    def __init__(self, directory: str, owner: str, deadline: Deadline, root: str = ROOT) -> None:
        self.unset: dict[str, str] = {}
        self.trouble: list[str] = []
        self._root = root
        self._path = os.path.join(directory, "lvsdr-sysctl.json")
        self._owner = owner
        self._deadline = deadline

    def claim(
        self, wanted: Mapping[str, str], as_good: Mapping[str, Collection[str]] = {}
    ) -> list[str]:
        """Set what is wanted for this owner; returns a sentence for each setting changed.

        A setting with one of the values that are ``as_good`` for it is claimed, but left alone.
        What was is stored before it is changed: a crash in between must not lose it.  Raises Busy.
        """
        with self._locked(Unlockable):
            claims = self._read()
            news = [self._enter(claims, name, new) for name, new in wanted.items()]
            if any(news):
                self._keep(claims)
            before = differing(wanted, self._root, as_good=as_good)
            done = [self._change(name, old, wanted[name]) for name, old in before.items()]
            return [sentence for sentence in done if sentence]

    def release(self) -> list[str]:
        """Let go of all that this owner claimed; returns a sentence for each setting put back.

        What cannot be put back or written down is trouble: a stop that fails has the node fenced.
        """
        if not os.path.exists(self._path):
            return []
        with self._locked(Unlockable, Busy):
            claims = self._read()
            done = [self._let_go(claims, name) for name in list(claims)]
            self._keep(claims)
        return [sentence for sentence in done if sentence]

    @contextmanager
    def _locked(self, *go_on_after: type[LvsdrError]) -> Iterator[None]:
        path = f"{self._path}.lock"
        with state.locked(path, self._deadline, go_on_after=go_on_after) as problem:
            if problem:
                self.trouble.append(problem)
            yield

    def _keep(self, claims: dict[str, Any]) -> None:
        try:
            self._store(claims)
        except OSError as error:
            self.trouble.append(f"cannot write {self._path}: {error.strerror}")

    def _read(self) -> dict[str, Any]:
        """Return the claims of this boot, without those that make no sense."""
        stored = state.read(self._path)
        claims = stored.get("settings")
        if stored.get("boot") != state.boot_id() or not isinstance(claims, dict):
            return {}
        return {name: claim for name, claim in claims.items() if _is_claim(claim)}

    def _store(self, claims: dict[str, Any]) -> None:
        if claims:
            state.write(self._path, {"boot": state.boot_id(), "settings": claims})
        else:
            state.remove(self._path)

    def _enter(self, claims: dict[str, Any], name: str, new: str) -> bool:
        """Enter a claim; whether that is news.  What cannot be read will not be put back."""
        before = _value_or(name, self._root, UNREADABLE)
        if before == UNREADABLE:
            return False
        claim = claims.setdefault(name, {"original": before, "owners": [], "ours": ""})
        news = claim["ours"] != new or self._owner not in claim["owners"]
        claim["ours"] = new
        if self._owner not in claim["owners"]:
            claim["owners"].append(self._owner)
        return bool(news)

    def _let_go(self, claims: dict[str, Any], name: str) -> str:
        claim = claims[name]
        if self._owner in claim["owners"]:
            claim["owners"].remove(self._owner)
        if claim["owners"]:
            return ""
        del claims[name]
        return self._put_back(name, claim["original"], claim["ours"])

    def _put_back(self, name: str, original: str, ours: str) -> str:
        if not os.path.exists(os.path.join(self._root, name)):
            return ""  # the module that had the setting is gone
        now = _value_or(name, self._root, original)
        if now == original:
            return ""
        if now != ours:
            return f"{name} left at {now}, which somebody set since (was {original} before)"
        problem = self._write(name, original)
        if problem:
            self.trouble.append(problem)
        return "" if problem else f"{name} put back to {original}"

    def _change(self, name: str, old: str, new: str) -> str:
        problem = self._write(name, new)
        if problem:
            self.unset[name] = problem
            self.trouble.append(problem)
        return "" if problem else f"{name} set to {new} (was {old})"

    def _write(self, name: str, new: str) -> str:
        """Write a setting; returns why that is not possible."""
        try:
            descriptor = os.open(os.path.join(self._root, name), os.O_WRONLY | os.O_TRUNC)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(new)
        except OSError as error:
            return f"cannot set {name} to {new}: {error.strerror}"
        return ""
