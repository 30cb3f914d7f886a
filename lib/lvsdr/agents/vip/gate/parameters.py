"""The parameters of the agent vip for its gate; only a resource that has one imports them."""

from __future__ import annotations

from ....ocf.parameters import defaulted, optional
from ....ocf.value_parsers import Parser, absolute_path, duration, one_of
from ....values.parsing import is_decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....ocf.parameters import Parameter

_IN_THE_CIB = (
    "All users with read access to the cluster's configuration can read it: prefer a file, which "
    "is read anew each time."
)


def _parse_endpoints(text: str) -> str:
    words = text.replace(",", " ").split()
    if "@" in text:
        raise ValueError("an endpoint has no user and password in it")
    for word in words:
        if not word.lower().startswith(("http://", "https://")):
            raise ValueError(f"{word} begins with neither http:// nor https://")
    if not words:
        raise ValueError("it contains no endpoint")
    return " ".join(words)


def _require_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


_ENDPOINTS = Parser(_parse_endpoints, "http://HOST:PORT or https://HOST:PORT, several with commas")
_WORD = Parser(_require_printable, "printable")
_SECRET = Parser(_require_printable, "printable", discreet=True)


def _declare_word(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, _WORD, reloadable=True, short=short, long=long)


def _declare_secret(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, _SECRET, reloadable=True, short=short, long=long)


def _declare_file(name: str, short: str, long: str) -> Parameter[str | None]:
    return optional(name, absolute_path, reloadable=True, short=short, long=long)


def _parse_kind(text: str) -> str:
    return _KINDS("etcd" if text == "etcd3" else text)  # Patroni's name of etcd's version 3 API


def _parse_seconds(text: str) -> float:
    """Return the seconds of a duration, or of a decimal number in vip-manager's notation."""
    whole, dot, part = text.partition(".")
    decimal = dot and is_decimal(whole) and is_decimal(part)
    return float(text) if decimal and len(text) <= 18 else duration(text)


_KINDS = one_of("etcd", "consul", "patroni", "attribute")
_KIND = Parser(_parse_kind, _KINDS.legal, content=_KINDS.content, options=_KINDS.options)
_GRACE = Parser(_parse_seconds, duration.legal)

TYPE = optional(
    "dcs_type",
    _KIND,
    short="Store that names the leader",
    long=(
        "With it the resource must be a promotable clone: every instance watches the store, the "
        "instance on the leader is promoted, and the promoted instance has the address. etcd (its "
        "version 3 API: etcd3, not etcd, in patroni.yml) and consul: a key; patroni: the REST API "
        "of Patroni on this node only; attribute: a node attribute of this cluster. Not set: no "
        "gate."
    ),
)
ENDPOINTS = optional(
    "dcs_endpoints",
    _ENDPOINTS,
    reloadable=True,
    short="Endpoints of the store",
    long=(
        "Endpoints of the store, queried in order until one answers. With patroni, only endpoints "
        "at addresses of this node are queried. Not set: the usual port of the store on this node."
    ),
)
KEY = _declare_word(
    "trigger_key",
    "Key that names the leader",
    "etcd, consul: the key, such as /service/mycluster/leader. patroni: a path of its REST API, "
    "/leader if not set. attribute: the name of the node attribute.",
)
VALUE = _declare_word(
    "trigger_value",
    "Value of the key while this node leads",
    "The whole value. Not set: the name of this node; patroni: the HTTP status 200. attribute: "
    "required.",
)
USER = _declare_word("dcs_user", "User", "The user for etcd, together with a password.")
USER_FILE = _declare_file(
    "dcs_user_file", "File with the user", "First line of this file: dcs_user."
)
PASSWORD = _declare_secret(
    "dcs_password", "Password", f"The user's password for etcd. {_IN_THE_CIB}"
)
PASSWORD_FILE = _declare_file(
    "dcs_password_file", "File with the password", "First line of this file: dcs_password."
)
TOKEN = _declare_secret("dcs_token", "Token", f"The token for Consul. {_IN_THE_CIB}")
TOKEN_FILE = _declare_file(
    "dcs_token_file", "File with the token", "First line of this file: dcs_token."
)
CA_FILE = _declare_file(
    "dcs_ca_file",
    "Certificates to trust",
    "File, in PEM form, with the certificates of the authorities that sign the servers' "
    "certificates. Not set: the system's own.",
)
CERT_FILE = _declare_file(
    "dcs_cert_file", "Own certificate", "Certificate of this client, in PEM form."
)
KEY_FILE = _declare_file(
    "dcs_key_file", "Key of the own certificate", "Its private key, in PEM form."
)
UNREACHABLE = defaulted(
    "on_dcs_unreachable",
    one_of("release", "keep"),
    "release",
    reloadable=True,
    short="Behaviour when the store does not answer",
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
        "While the store names no leader, or does not answer, the address stays for this time "
        "after the store last named this node, and monitor returns 191. Set the interval of the "
        "monitor to a third of this time at most. A lease on the key, such as Patroni's ttl less "
        "its loop_wait, has to be longer than this time and that interval together. The Patroni "
        "of this node gives no lease: its silence counts for 2 seconds, and if it does not run, "
        "the address is released at once. A new leader takes the address no sooner than a third "
        "of this time, and a second, after it first reads in the store that it leads; the timeout "
        "of promote has to be longer."
    ),
)

SECRETS = ((USER, USER_FILE), (PASSWORD, PASSWORD_FILE), (TOKEN, TOKEN_FILE))
GATE = (
    *(TYPE, ENDPOINTS, KEY, VALUE, USER, USER_FILE, PASSWORD, PASSWORD_FILE, TOKEN, TOKEN_FILE),
    *(CA_FILE, CERT_FILE, KEY_FILE, UNREACHABLE, GRACE),
)
