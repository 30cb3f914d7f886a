"""The parameters of a gate, translated into a store's settings and the periods of a policy."""

from __future__ import annotations

from collections.abc import Callable

from .... import leader
from ....errors import BadArgument
from ....leader.gate import LeaderPolicy, Unreachable
from ....leader.settings import GivenSettings, StoreSettings
from ....ocf.parameters import Values
from ....values.light_typing import NamedTuple
from . import parameters as p

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....ocf.parameters import Parameter

# Setting of a store -> parameter that gives it.
STORE_PARAMETERS: dict[str, Parameter[str | None]] = {
    "endpoints": p.ENDPOINTS,
    "key": p.KEY,
    "value": p.VALUE,
    "ca_file": p.CA_FILE,
    "cert_file": p.CERT_FILE,
    "key_file": p.KEY_FILE,
    "user": p.USER,
    "password": p.PASSWORD,
    "token": p.TOKEN,
}


class Gate(NamedTuple):
    """A store and its settings."""

    kind: str
    settings: StoreSettings

    @property
    def question(self) -> str:
        """Return the subject of an answer; answers on another subject do not count."""
        return f"{self.kind} {self.settings.key!r} {self.settings.value!r}"


def read_policy(values: Values) -> LeaderPolicy:
    """Return the periods for which answers count.

    A monitor interval of a third of the grace notices a new leader within that third.  ``settle``
    is one second longer (see gate.py).
    """
    grace = values[p.GRACE]
    silence = leader.find_max_silence(values[p.TYPE] or "etcd")
    return LeaderPolicy(grace, Unreachable(values[p.UNREACHABLE]), 1.0 + grace / 3, silence)


def read_gate(values: Values, node: str) -> Gate:
    """Return the gate of the node ``node``; raise BadArgument if a file cannot be read."""
    kind = values[p.TYPE] or ""
    return Gate(kind, leader.build_settings(kind, node, collect_texts(values, _read_first_line)))


def collect_texts(
    values: Values, read: Callable[[Parameter[str | None], str], str]
) -> GivenSettings:
    """Return the texts of a store's settings; ``read`` gets those that are in a file."""
    found = {field: values[parameter] for field, parameter in STORE_PARAMETERS.items()}
    for field, parameter in STORE_PARAMETERS.items():
        file = dict(p.SECRETS).get(parameter)
        path = None if file is None else values[file]
        if file is not None and path is not None:
            found[field] = read(file, path)
    return GivenSettings(**found)


def _read_first_line(parameter: Parameter[str | None], path: str) -> str:
    """Return the first line of the file, which is never shown in a message."""
    try:
        with open(path, encoding="utf-8") as file:
            line = file.readline().rstrip("\r\n")
    except OSError as error:
        raise BadArgument(f"{parameter.name}={path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise BadArgument(f"{parameter.name}={path}: is not text") from None
    if not line or not line.isprintable():
        raise BadArgument(f"{parameter.name}={path}: its first line is empty, or not printable")
    return line
