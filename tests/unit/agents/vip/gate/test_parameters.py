"""Parameters of a gate of the agent vip: accepted values, refused values, messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.vip.gate.parameter_rules import PARAMETERS
from lvsdr.agents.vip.gate.parameters import GATE, GRACE
from lvsdr.agents.vip.gate.settings import Gate, read_gate, read_policy
from lvsdr.errors import BadArgument, InvalidParameters
from lvsdr.leader.gate import LeaderPolicy, Unreachable
from lvsdr.leader.settings import Secret
from lvsdr.ocf.parameters import Values

ETCD = {"dcs_type": "etcd", "trigger_key": "/service/mycluster/leader"}
SECRET = "not-for-the-log"


def parsed(**given: str) -> Values:
    environ = {"ip": "10.9.0.20", **given}
    return PARAMETERS.parse({f"OCF_RESKEY_{name}": text for name, text in environ.items()})


def gated(**given: str) -> Gate:
    return read_gate(parsed(**given), "node1")


def problems(**given: str) -> list[str]:
    with pytest.raises(InvalidParameters) as caught:
        parsed(**given)
    return list(caught.value.problems)


def test_without_a_type_there_is_no_gate() -> None:
    values = parsed()
    assert not any(values.is_set(parameter) for parameter in GATE)


def test_the_required_parameters_of_each_store() -> None:
    etcd, consul = gated(**ETCD), gated(dcs_type="consul", trigger_key="/leader")
    assert [str(one) for one in etcd.settings.endpoints] == ["http://127.0.0.1:2379"]
    assert (etcd.settings.key, etcd.settings.value) == ("/service/mycluster/leader", "node1")
    assert [str(one) for one in consul.settings.endpoints] == ["http://127.0.0.1:8500"]
    assert (consul.settings.key, consul.settings.value) == ("leader", "node1")
    patroni = gated(dcs_type="patroni")
    assert (patroni.settings.key, patroni.settings.value) == ("/leader", "200")
    attribute = gated(dcs_type="attribute", trigger_key="pgsql-status", trigger_value="PRI")
    assert (attribute.settings.endpoints, attribute.settings.value) == ((), "PRI")


def test_all_parameters_are_parsed() -> None:
    found = gated(
        **ETCD,
        dcs_endpoints="https://10.9.0.1:2379, https://[fd77::1]:2380",
        trigger_value="member 1",
        dcs_user="reader",
        dcs_password=SECRET,
        dcs_ca_file="/etc/ca.crt",
        dcs_cert_file="/etc/own.crt",
        dcs_key_file="/etc/own.key",
    )
    settings = found.settings
    assert [str(one) for one in settings.endpoints] == [
        "https://10.9.0.1:2379",
        "https://[fd77::1]:2380",
    ]
    assert settings.trust == ("/etc/ca.crt", "/etc/own.crt", "/etc/own.key")
    assert (settings.value, settings.user) == ("member 1", "reader")
    assert settings.password == Secret(SECRET)
    assert found.question == "etcd '/service/mycluster/leader' 'member 1'"


def test_the_periods_of_the_policy() -> None:
    """A takeover waits for longer than the interval of the monitors that the grace asks for."""
    assert read_policy(parsed(**ETCD)) == LeaderPolicy(10.0, Unreachable.RELEASE, 1.0 + 10.0 / 3)
    keep = read_policy(parsed(**ETCD, dcs_grace="500ms", on_dcs_unreachable="keep"))
    assert keep == LeaderPolicy(0.5, Unreachable.KEEP, 1.0 + 0.5 / 3)
    assert read_policy(parsed(**ETCD, dcs_grace="0")).settle == 1.0


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"dcs_type": "etcd4"}, "dcs_type=etcd4: must be etcd or consul or patroni or attribute"),
        ({"dcs_type": "ETCD"}, "dcs_type=ETCD: must be etcd or consul or patroni or attribute"),
        ({"dcs_grace": "soon"}, "dcs_grace=soon: must be a duration such as 10, 10s, 500ms, 5min"),
        ({"on_dcs_unreachable": "stay"}, "on_dcs_unreachable=stay: must be release or keep"),
        ({"trigger_key": "none"}, "trigger_key: must be set: the key that holds the leader's name"),
        ({"trigger_key": "a\nb"}, "trigger_key=a b: must be printable"),
        (
            {"dcs_endpoints": "10.9.0.1:2379"},
            "10.9.0.1:2379 begins with neither http:// nor https://",
        ),
        (
            {"dcs_endpoints": "ftp://10.9.0.1"},
            "ftp://10.9.0.1 begins with neither http:// nor https://",
        ),
        (
            {"dcs_endpoints": "http://10.9.0.1,etcd2"},
            "etcd2 begins with neither http:// nor https://",
        ),
        ({"dcs_endpoints": " , "}, "it contains no endpoint"),
        ({"dcs_endpoints": "http://10.9.0.1:x"}, "http://10.9.0.1:x has no port after its colon"),
        ({"dcs_endpoints": "http://a:b@10.9.0.1"}, "an endpoint has no user and password in it"),
        ({"dcs_user": "reader"}, "dcs_user=reader: goes together with dcs_password, which is not"),
        ({"dcs_password": SECRET}, "dcs_password=(not shown): goes together with dcs_user, which"),
        ({"dcs_token": SECRET}, "dcs_token=(not shown): is not used with this store"),
        ({"dcs_token_file": "/t"}, "dcs_token_file=/t: is not used with this store"),
        ({"dcs_cert_file": "/c"}, "dcs_cert_file=/c: goes together with dcs_key_file, which is"),
        ({"dcs_key_file": "k"}, "dcs_key_file=k: must be an absolute path"),
        ({"dcs_ca_file": "/ca"}, "no endpoint is https://, so the certificates would not be used"),
        (
            {"dcs_password": SECRET, "dcs_password_file": "/p", "dcs_user": "reader"},
            "dcs_password_file=/p: dcs_password is set, too; set only one of them",
        ),
        (
            {"dcs_type": "attribute", "trigger_key": "pgsql-status"},
            "trigger_value: must be set: the value of the node attribute on the node that leads",
        ),
        (
            {"dcs_type": "attribute", "trigger_value": "PRI", "dcs_endpoints": "http://10.9.0.1"},
            "dcs_endpoints=http://10.9.0.1: is not used with this store",
        ),
        ({"dcs_type": "patroni", "trigger_key": "a b"}, "trigger_key=a b: /a b must be a"),
        ({"dcs_type": "none"}, "dcs_type is required: trigger_key belongs to a gate"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_illegal_parameters_are_refused(given: dict[str, str], problem: str) -> None:
    ca = {"dcs_endpoints": "http://10.9.0.1"} if "dcs_ca_file" in given else {}
    found = problems(**{**ETCD, **ca, **given})
    assert problem in found[0]
    assert not [text for text in found if SECRET in text]


@pytest.mark.parametrize("line", [f"{SECRET}\n", SECRET, f"{SECRET}\r\nmore\n"])
def test_secrets_from_files(line: str, tmp_path: Path) -> None:
    """A secret file is read at its use; parsing does not look at it."""
    file = tmp_path / "secret"
    given = {**ETCD, "dcs_user_file": str(file), "dcs_password_file": str(file)}
    parsed(**given)
    file.write_text(line)
    found = gated(**given).settings
    assert (found.user, found.password) == (SECRET, Secret(SECRET))
    token = gated(dcs_type="consul", trigger_key="leader", dcs_token_file=str(file))
    assert token.settings.token == Secret(SECRET)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "its first line is empty, or not printable"),
        (b"\nsecret\n", "its first line is empty, or not printable"),
        (b"a\tb", "its first line is empty, or not printable"),
        (b"\xff\xfe", "is not text"),
    ],
    ids=["missing", "empty", "empty line", "tab", "bytes"],
)
def test_files_without_a_secret_are_refused(
    content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    given = {"dcs_type": "consul", "trigger_key": "leader", "dcs_token_file": str(file)}
    with pytest.raises(BadArgument) as caught:
        gated(**given)
    assert str(caught.value) == f"dcs_token_file={file}: {sentence}"


def test_the_notations_of_vip_manager_are_accepted() -> None:
    """Values that vip-manager accepts are accepted here as well."""
    assert gated(**{**ETCD, "dcs_type": "etcd3"}).question == gated(**ETCD).question
    assert parsed_grace("2.5") == 2.5
    assert parsed_grace("1min") == 60.0
    for text in ("2.5s", ".5", "5.", "1.2.3", "-1.0", "\u0661.5"):
        with pytest.raises(InvalidParameters, match="must be a duration such as"):
            parsed_grace(text)


def parsed_grace(text: str) -> float:
    given = {"ip": "10.9.0.20", **ETCD, "dcs_grace": text}
    environ = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
    return PARAMETERS.parse(environ)[GRACE]


def test_the_reloadable_parameters() -> None:
    """Only dcs_type cannot be changed in place.

    The presence of a gate decides the kind of the resource.
    """
    assert [one.name for one in GATE if not one.reloadable] == ["dcs_type"]


@pytest.mark.parametrize(
    "text", ["http://admin:geheim@host", "admin:geheim@host", "http://admin:ge,heim@host"]
)
def test_a_password_in_an_endpoint_is_not_shown(text: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        gated(**{**ETCD, "dcs_endpoints": text})
    assert str(caught.value).startswith("dcs_endpoints=(not shown): must be http://HOST:PORT")
    assert "heim" not in str(caught.value)


def test_secrets_are_discreet() -> None:
    assert [one.name for one in GATE if one.discreet] == ["dcs_password", "dcs_token"]
