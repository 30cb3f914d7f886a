"""Kernel settings that several resources need: claimed by each, put back when the last lets go.

What a setting was before the first claim is remembered in one file for all resources of this
node.  It is put back only if nobody else changed it in the meantime: an administrator's later
decision is never undone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress

from ..deadline import Deadline
from ..errors import LvsdrError
from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = "/proc/sys"


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
    """Which of the settings are not as wanted, nor ``as_good``, with the values that they have."""
    now = {name: value(name, root) for name in wanted}
    return {
        name: found
        for name, found in now.items()
        if found != wanted[name] and found not in as_good.get(name, ())
    }


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


class Claims:
    """The claims on kernel settings that the resources of this node share."""

    def __init__(self, directory: str, owner: str, deadline: Deadline, root: str = ROOT) -> None:
        self._root = root
        self._path = os.path.join(directory, "lvsdr-sysctl.json")
        self._owner = owner
        self._deadline = deadline

    def claim(
        self, wanted: Mapping[str, str], as_good: Mapping[str, Collection[str]] = {}
    ) -> list[str]:
        """Set what is wanted for this owner; returns a sentence for each setting changed.

        A setting with one of the values that are ``as_good`` for it is claimed, but left alone.
        What was is stored before it is changed: a crash in between must not lose it.  Raises
        LvsdrError.
        """
        with state.locked(f"{self._path}.lock", self._deadline):
            claims = self._read()
            for name, new in wanted.items():
                self._enter(claims, name, new)
            try:
                self._store(claims)
            except OSError as error:
                raise LvsdrError(f"cannot write {self._path}: {error.strerror}") from None
            before = differing(wanted, self._root, as_good=as_good)
            return [self._change(name, old, wanted[name]) for name, old in before.items()]

    def release(self) -> list[str]:
        """Let go of all that this owner claimed; returns a sentence for each setting put back.

        That nothing can be written down, as on a full disk, is one more sentence: the settings are
        what they should be, and a stop that fails has the node fenced.
        """
        if not os.path.exists(self._path):
            return []
        with state.locked(f"{self._path}.lock", self._deadline):
            claims = self._read()
            done = [self._let_go(claims, name) for name in list(claims)]
            try:
                self._store(claims)
            except OSError as error:
                done.append(f"cannot write {self._path}: {error.strerror}")
        return [sentence for sentence in done if sentence]

    def _read(self) -> dict[str, Any]:
        stored = state.read(self._path)
        return stored.get("settings", {}) if stored.get("boot") == state.boot_id() else {}

    def _store(self, claims: dict[str, Any]) -> None:
        if claims:
            state.write(self._path, {"boot": state.boot_id(), "settings": claims})
        else:
            state.remove(self._path)

    def _enter(self, claims: dict[str, Any], name: str, new: str) -> None:
        claim = claims.setdefault(name, {"original": value(name, self._root), "owners": []})
        claim["ours"] = new
        if self._owner not in claim["owners"]:
            claim["owners"].append(self._owner)

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
        now = value(name, self._root)
        if now == original:
            return ""
        if now != ours:
            return f"{name} left at {now}, which somebody set since (was {original} before)"
        self._write(name, original)
        return f"{name} put back to {original}"

    def _change(self, name: str, old: str, new: str) -> str:
        self._write(name, new)
        return f"{name} set to {new} (was {old})"

    def _write(self, name: str, new: str) -> None:
        try:
            with open(os.path.join(self._root, name), "w", encoding="ascii") as file:
                file.write(new)
        except OSError as error:
            raise LvsdrError(f"cannot set {name} to {new}: {error.strerror}") from None
