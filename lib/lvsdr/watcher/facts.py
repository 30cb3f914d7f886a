"""The small files of a watcher, beside those of its resource, and the digest of parameters."""

from __future__ import annotations

import os

from ..values.safe_text import read_instance_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHECKS, CYCLE, WATCHER = "checks", "cycle", "watcher"
"""The kinds of the files with the results of checks, of the last cycle, and the process."""
TIMEOUT, INTERVAL = "OCF_RESKEY_CRM_meta_timeout", "OCF_RESKEY_CRM_meta_interval"
"""The variables with the timing of an operation, in milliseconds."""
_DIRECTORY = "/run/resource-agents"  # where ocf-shellfuncs keeps HA_RSCTMP
_PARAMETER = "OCF_RESKEY_"
_OF_CLUSTER = "CIB_"  # CIB_file, CIB_shadow and others decide which cluster is read


class Paths:
    """The paths of one resource's files."""

    __slots__ = ("checks", "cycle", "lock", "record", "socket")

    def __init__(self, directory: str, instance: str) -> None:
        start = os.path.join(directory, f"lvsdr-{instance}.")
        self.cycle = f"{start}{CYCLE}"
        self.checks = f"{start}{CHECKS}"
        self.record = f"{start}{WATCHER}"
        self.lock = f"{start}{WATCHER}-lock"
        # The name of a resource may be longer than the address of a socket (unix(7): 108 bytes).
        self.socket = os.path.join(directory, f"lvsdr-{digest_text(instance)}.sock")


def build_paths(environ: Mapping[str, str], agent: str) -> Paths:
    """Return the paths for the resource in an agent's environment."""
    return Paths(environ.get("HA_RSCTMP") or _DIRECTORY, read_instance_name(environ, agent))


def digest_text(text: str) -> str:
    """Return a short digest, which has only hexadecimal digits."""
    from _blake2 import blake2b

    made: str = blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return made


def digest_parameters(environ: Mapping[str, str], names: Iterable[str]) -> str:
    """Return a digest of the parameters ``names`` and of the cluster that is read."""
    from _blake2 import blake2b  # hashlib costs ten times as much

    given = [f"{name}={environ.get(_PARAMETER + name)}" for name in names]
    cluster = sorted(f"{n}={v}" for n, v in environ.items() if n.startswith(_OF_CLUSTER))
    made: str = blake2b("\0".join((*given, *cluster)).encode(), digest_size=16).hexdigest()
    return made
