"""Kernel settings that several resources share: claimed by each, restored after the last release.

One file for all resources of this node stores the value that a setting had before its first claim.
A release restores this value only if the setting still has the value of the claim.  A later change
by an administrator is never undone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from ..errors import Busy, LvsdrError, Unlockable
from ..values.deadline import Deadline
from . import locking, small_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = "/proc/sys"
UNREADABLE = "unreadable"


def read_value(name: str, root: str = ROOT) -> str:
    """Return the setting ``name``, such as ``net/ipv4/vs/expire_nodest_conn``; raise LvsdrError."""
    try:
        with open(os.path.join(root, name), encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise LvsdrError(f"cannot read {name}: {error.strerror}") from None


def find_differing(
    wanted: Mapping[str, str],
    root: str = ROOT,
    *,
    acceptable_values: Mapping[str, Collection[str]] = {},
) -> dict[str, str]:
    """Return the settings that have neither the wanted nor an acceptable value, with their values.

    An unreadable setting has the value ``UNREADABLE``.
    """
    current_values = {name: _read_value_or(name, root, UNREADABLE) for name in wanted}
    return {
        name: value
        for name, value in current_values.items()
        if value != wanted[name] and value not in acceptable_values.get(name, ())
    }


def _read_value_or(name: str, root: str, otherwise: str) -> str:
    try:
        return read_value(name, root)
    except LvsdrError:
        return otherwise


def is_writable(name: str, root: str = ROOT) -> bool:
    """Return whether the setting can be written; in many containers it cannot."""
    return os.access(os.path.join(root, name), os.W_OK)


def read_by_interface(name: str, root: str = ROOT) -> dict[str, str]:
    """Return a setting such as ``arp_ignore`` below net/ipv4/conf, by interface.

    The result includes ``all`` and ``default``.  Raises LvsdrError.
    """
    directory = os.path.join(root, "net/ipv4/conf")
    values = {}
    try:
        interfaces = sorted(os.listdir(directory))
    except OSError as error:
        raise LvsdrError(f"cannot read net/ipv4/conf: {error.strerror}") from None
    for interface in interfaces:
        with suppress(LvsdrError):  # an interface may have disappeared since listdir
            values[interface] = read_value(f"net/ipv4/conf/{interface}/{name}", root)
    return values


def _is_claim(claim: object) -> bool:
    return (
        isinstance(claim, dict)
        and isinstance(claim.get("original"), str)
        and isinstance(claim.get("ours"), str)
        and isinstance(claim.get("owners"), list)
    )


class Claims:
    """The claims on kernel settings that the resources of this node share.

    A setting that cannot be written is no error here, because /proc/sys is read-only in a
    container.  The same holds for a file that cannot be stored.  ``unset`` contains the settings
    that a claim could not set, with the reasons.  ``trouble`` contains the warnings for the
    operator.
    """

    def __init__(self, directory: str, owner: str, deadline: Deadline, root: str = ROOT) -> None:
        self.unset: dict[str, str] = {}
        self.trouble: list[str] = []
        self._root = root
        self._path = os.path.join(directory, "lvsdr-sysctl.json")
        self._owner = owner
        self._deadline = deadline

    def claim(
        self, wanted: Mapping[str, str], acceptable_values: Mapping[str, Collection[str]] = {}
    ) -> list[str]:
        """Set the wanted values for this owner; return a sentence for each changed setting.

        A setting with one of its ``acceptable_values`` is claimed, but left alone.  The original
        value is stored before the change, so that a crash in between does not lose it.  Raises
        Busy.
        """
        with self._lock(Unlockable):
            claims = self._read()
            changes = [self._enter_claim(claims, name, new) for name, new in wanted.items()]
            if any(changes):
                self._try_store(claims)
            differing_values = find_differing(
                wanted, self._root, acceptable_values=acceptable_values
            )
            sentences = [
                self._change_value(name, old, wanted[name])
                for name, old in differing_values.items()
            ]
            return [sentence for sentence in sentences if sentence]

    def release(self) -> list[str]:
        """Release all claims of this owner; return a sentence for each restored setting.

        A setting or file that cannot be written goes to ``trouble`` instead of raising an error: a
        failed stop has the node fenced.
        """
        if not os.path.exists(self._path):
            return []
        with self._lock(Unlockable, Busy):
            claims = self._read()
            sentences = [self._release_claim(claims, name) for name in list(claims)]
            self._try_store(claims)
        return [sentence for sentence in sentences if sentence]

    @contextmanager
    def _lock(self, *go_on_after: type[LvsdrError]) -> Iterator[None]:
        path = f"{self._path}.lock"
        with locking.locked(path, self._deadline, go_on_after=go_on_after) as problem:
            if problem:
                self.trouble.append(problem)
            yield

    def _try_store(self, claims: dict[str, Any]) -> None:
        try:
            self._store(claims)
        except OSError as error:
            self.trouble.append(f"cannot write {self._path}: {error.strerror}")

    def _read(self) -> dict[str, Any]:
        """Return the claims of this boot, without malformed ones."""
        stored = small_files.read(self._path)
        claims = stored.get("settings")
        if stored.get("boot") != small_files.read_boot_id() or not isinstance(claims, dict):
            return {}
        return {name: claim for name, claim in claims.items() if _is_claim(claim)}

    def _store(self, claims: dict[str, Any]) -> None:
        if claims:
            small_files.write(self._path, {"boot": small_files.read_boot_id(), "settings": claims})
        else:
            small_files.remove(self._path)

    def _enter_claim(self, claims: dict[str, Any], name: str, new: str) -> bool:
        """Enter a claim; return whether it changes the stored claims.

        An unreadable setting gets no claim, because its value could not be restored.
        """
        current_value = _read_value_or(name, self._root, UNREADABLE)
        if current_value == UNREADABLE:
            return False
        claim = claims.setdefault(name, {"original": current_value, "owners": [], "ours": ""})
        is_changed = claim["ours"] != new or self._owner not in claim["owners"]
        claim["ours"] = new
        if self._owner not in claim["owners"]:
            claim["owners"].append(self._owner)
        return bool(is_changed)

    def _release_claim(self, claims: dict[str, Any], name: str) -> str:
        claim = claims[name]
        if self._owner in claim["owners"]:
            claim["owners"].remove(self._owner)
        if claim["owners"]:
            return ""
        del claims[name]
        return self._restore_value(name, claim["original"], claim["ours"])

    def _restore_value(self, name: str, original: str, claimed_value: str) -> str:
        if not os.path.exists(os.path.join(self._root, name)):
            return ""  # the module that had the setting is unloaded
        current_value = _read_value_or(name, self._root, original)
        if current_value == original:
            return ""
        if current_value != claimed_value:
            return (
                f"{name} left at {current_value}, changed since by another program "
                f"(was {original} before)"
            )
        problem = self._write_value(name, original)
        if problem:
            self.trouble.append(problem)
        return "" if problem else f"{name} put back to {original}"

    def _change_value(self, name: str, old: str, new: str) -> str:
        problem = self._write_value(name, new)
        if problem:
            self.unset[name] = problem
            self.trouble.append(problem)
        return "" if problem else f"{name} set to {new} (was {old})"

    def _write_value(self, name: str, new: str) -> str:
        """Write a setting; return the error as a sentence, or an empty text."""
        try:
            descriptor = os.open(os.path.join(self._root, name), os.O_WRONLY | os.O_TRUNC)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(new)
        except OSError as error:
            return f"cannot set {name} to {new}: {error.strerror}"
        return ""
