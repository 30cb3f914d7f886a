"""The parameters of the agent vip for its gate; only a resource that has one imports them."""

from __future__ import annotations

from collections.abc import Iterator

from ....ocf.parameters import ParameterSet, Values, defaulted, optional
from ....ocf.value_parsers import Parser, absolute_path, duration, one_of
from ..parameters import PARAMETERS as OF_THE_ADDRESS
from ..parameters import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....ocf.parameters import Parameter

_IN_THE_CIB = (
    "Everybody who may read the cluster's configuration can read it: better a file, which is read "
    "anew each time."
)


def _with_schemes(text: str) -> str:
    words = text.replace(",", " ").split()
    if "@" in text:
        raise ValueError("an endpoint has no user and password in it")
    for word in words:
        if not word.lower().startswith(("http://", "https://")):
            raise ValueError(f"{word} does not begin with either")
    if not words:
        raise ValueError("it names none")
    return " ".join(words)


def _without_line_breaks(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


_ENDPOINTS = Parser(_with_schemes, "http://HOST:PORT or https://HOST:PORT, several with commas")
_WORD = Parser(_without_line_breaks, "printable")
_SECRET = Parser(_without_line_breaks, "printable", discreet=True)


def _word(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, _WORD, reloadable=True, short=short, long=long)


def _secret(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, _SECRET, reloadable=True, short=short, long=long)


def _file(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, absolute_path, reloadable=True, short=short, long=long)


def _kind(text: str) -> str:
    return _KINDS("etcd" if text == "etcd3" else text)  # Patroni's name of etcd's version 3 API


def _seconds(text: str) -> float:
    """Return the seconds of a duration, or of a decimal number in vip-manager's notation."""
    whole, dot, part = text.partition(".")
    decimal = dot and whole.isascii() and whole.isdecimal() and part.isascii() and part.isdecimal()
    return float(text) if decimal and len(text) <= 18 else duration(text)


_KINDS = one_of("etcd", "consul", "patroni", "attribute")
_KIND = Parser(_kind, _KINDS.legal, content=_KINDS.content, options=_KINDS.options)
_GRACE = Parser(_seconds, duration.legal)

TYPE = optional(
    "dcs_type",
    _KIND,
    short="Store that says who has the address",
    long=(
        "With it the resource is to be a promotable clone: every instance watches the store, and "
        "the one that is promoted, which is the one that the store names, has the address. etcd "
        "(its version 3 API: etcd3, not etcd, in patroni.yml) and consul: a key; patroni: the REST "
        "API of the Patroni on this node, which alone is asked; attribute: a node attribute of "
        "this cluster. Not set: no gate."
    ),
)
ENDPOINTS = optional(
    "dcs_endpoints",
    _ENDPOINTS,
    reloadable=True,
    short="Where to ask",
    long=(
        "Endpoints of the store, asked one after another until one answers; of those of patroni "
        "only the ones at addresses of this node. Not set: the port that the store usually has on "
        "this node."
    ),
)
KEY = _word(
    "trigger_key",
    "Key that names the leader",
    "etcd, consul: the key, such as /service/mycluster/leader. patroni: a path of its REST API, "
    "/leader if not set. attribute: the name of the node attribute.",
)
VALUE = _word(
    "trigger_value",
    "What the key says when this node leads",
    "The whole value. Not set: the name of this node; patroni: the HTTP status 200. attribute: "
    "required.",
)
USER = _word("dcs_user", "User", "The user for etcd, together with a password.")
USER_FILE = _file("dcs_user_file", "File with the user", "First line of this file: dcs_user.")
PASSWORD = _secret("dcs_password", "Password", f"The user's password for etcd. {_IN_THE_CIB}")
PASSWORD_FILE = _file(
    "dcs_password_file", "File with the password", "First line of this file: dcs_password."
)
TOKEN = _secret("dcs_token", "Token", f"The token for Consul. {_IN_THE_CIB}")
TOKEN_FILE = _file("dcs_token_file", "File with the token", "First line of this file: dcs_token.")
CA_FILE = _file(
    "dcs_ca_file",
    "Certificates to trust",
    "File, in PEM form, with the certificates of those who sign the servers'. Not set: the "
    "system's own.",
)
CERT_FILE = _file("dcs_cert_file", "Own certificate", "Certificate of this client, in PEM form.")
KEY_FILE = _file("dcs_key_file", "Key of the own certificate", "Its private key, in PEM form.")
UNREACHABLE = defaulted(
    "on_dcs_unreachable",
    one_of("release", "keep"),
    "release",
    reloadable=True,
    short="What becomes of the address when the store stays silent",
    long=(
        "After dcs_grace without an answer the address is released, or kept where it is. With keep "
        "two nodes can have it: one that is cut off from the store, and the one that leads by then."
    ),
)
GRACE = defaulted(
    "dcs_grace",
    _GRACE,
    "10s",
    reloadable=True,
    short="How long the address stays without a leader",
    long=(
        "While the store names nobody, or does not answer, the address stays for so long after "
        "the store last named this node, and monitor answers 191. Monitor at least three times in "
        "it. A lease on the key, such as Patroni's ttl less its loop_wait, has to be longer than "
        "this and an interval of the monitor together. The Patroni of this node gives no lease: "
        "its silence counts for 2 seconds, and if it does not run, the address is released at "
        "once. A new leader takes the address no sooner "
        "than a third of it, and a second, after it first heard that it leads; the timeout of "
        "promote has to be longer."
    ),
)

SECRETS = ((USER, USER_FILE), (PASSWORD, PASSWORD_FILE), (TOKEN, TOKEN_FILE))
GATE = (
    *(TYPE, ENDPOINTS, KEY, VALUE, USER, USER_FILE, PASSWORD, PASSWORD_FILE, TOKEN, TOKEN_FILE),
    *(CA_FILE, CERT_FILE, KEY_FILE, UNREACHABLE, GRACE),
)


def _belongs_to_a_gate(values: Values) -> Iterator[str]:
    if values[TYPE] is None:
        for parameter in GATE:
            if values.is_set(parameter):
                yield f"dcs_type is required: {parameter.name} belongs to a gate"


def _said_once(values: Values) -> Iterator[str]:
    for parameter, file in SECRETS:
        if values[parameter] is not None and values[file] is not None:
            yield f"{file.name}={values[file]}: {parameter.name} is set, too; set only one of them"


def _suits_the_store(values: Values) -> Iterator[str]:
    if values[TYPE] is not None:
        from .settings import unsuitable

        yield from unsuitable(values)


PARAMETERS = ParameterSet(
    (*OF_THE_ADDRESS, *GATE), (*RULES, _belongs_to_a_gate, _said_once, _suits_the_store)
)
