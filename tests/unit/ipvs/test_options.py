"""The options of a virtual service: legal values, and messages about all others."""

from __future__ import annotations

import re

import pytest
from lvsdr.ipvs.batch import render_config
from lvsdr.ipvs.options import SCHEDULERS, add_fallback_flag, parse_options, refuses_at_zero
from lvsdr.ipvs.table import ServiceConfig, ServiceKey

from tests.unit.ipvs import tables

LEGAL_OPTIONS = (
    "legal are -s|--scheduler NAME, -p|--persistent [SECONDS], -M|--netmask MASK, --pe ENGINE, "
    "-o|-O|--ops, -b|--sched-flags FLAG,..."
)
NO_OPTION = "{} is not an option of a virtual service; " + LEGAL_OPTIONS
NO_SCHEDULER = (
    "{} is not a scheduler; legal are rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos"
)
NO_TIMEOUT = "-p {}: must be seconds from 1 to 2678400"
NO_MASK = "{}: must be a mask such as 255.255.255.0, or an IPv6 prefix"
NO_FLAG = "{} is not a flag of scheduler {}; legal are {}"
GENERIC = "flag-1 flag-2 flag-3"
OF_SH = "sh-fallback sh-port flag-1 flag-2"


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("", ServiceConfig()),
        ("-s rr", ServiceConfig("rr")),
        ("--scheduler wrr", ServiceConfig("wrr")),
        ("--scheduler=wrr", ServiceConfig("wrr")),
        ("-s rr -s lc", ServiceConfig("lc")),
        ("-s rr -p", ServiceConfig("rr", persistence=360)),
        ("-p -s rr", ServiceConfig("rr", persistence=360)),
        ("-p 1", ServiceConfig(persistence=1)),
        ("--persistent=2678400", ServiceConfig(persistence=2678400)),
        ("-p 100 -M 255.255.255.0", ServiceConfig(persistence=100, netmask="255.255.255.0")),
        ("--netmask 255.255.0.0 -p", ServiceConfig(persistence=360, netmask="255.255.0.0")),
        ("-p 100 -M 255.255.255.255", ServiceConfig(persistence=100)),
        ("-p 100 -M 064", ServiceConfig(persistence=100, netmask="64")),
        ("-p 100 -M 128", ServiceConfig(persistence=100)),
        ("-p 100 --pe sip", ServiceConfig(persistence=100, engine="sip")),
        ("-o", ServiceConfig(one_packet=True)),
        ("-O", ServiceConfig(one_packet=True)),
        ("--ops", ServiceConfig(one_packet=True)),
        ("-s sh -b sh-port", ServiceConfig("sh", flags=("sh-port",))),
        ("-b sh-port -s sh", ServiceConfig("sh", flags=("sh-port",))),
        ("-s sh -b sh-port,sh-fallback", ServiceConfig("sh", flags=("sh-fallback", "sh-port"))),
        ("-s sh -b flag-1", ServiceConfig("sh", flags=("sh-fallback",))),
        ("-s mh --sched-flags=flag-2,mh-port", ServiceConfig("mh", flags=("mh-port",))),
        ("-s rr -b flag-3,flag-1", ServiceConfig("rr", flags=("flag-1", "flag-3"))),
    ],
)
def test_legal(text: str, config: ServiceConfig) -> None:
    assert parse_options(text.split()) == config


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-C", NO_OPTION.format("-C")),
        ("-s rr -C", NO_OPTION.format("-C")),
        ("-t 1.2.3.4:80", NO_OPTION.format("-t")),
        ("-u 1.2.3.4:80", NO_OPTION.format("-u")),
        ("-f 7", NO_OPTION.format("-f")),
        ("-a", NO_OPTION.format("-a")),
        ("-D -t 1.2.3.4:80", NO_OPTION.format("-D")),
        ("--clear", NO_OPTION.format("--clear")),
        ("--tcp-service=1.2.3.4:80", NO_OPTION.format("--tcp-service")),
        ("-R", NO_OPTION.format("-R")),
        ("-r 1.2.3.4", NO_OPTION.format("-r")),
        ("-w 1", NO_OPTION.format("-w")),
        ("-srr", NO_OPTION.format("-srr")),
        ("-p50", NO_OPTION.format("-p50")),
        ("-", NO_OPTION.format("-")),
        ("--", NO_OPTION.format("--")),
        ("rr", NO_OPTION.format("rr")),
        ("-s rr wrr", NO_OPTION.format("wrr")),
        ("-s", "-s needs a scheduler"),
        ("-s -p", "-s needs a scheduler"),
        ("--scheduler", "--scheduler needs a scheduler"),
        ("--scheduler=", NO_SCHEDULER.format("")),
        ("-s nope", NO_SCHEDULER.format("nope")),
        ("-s RR", NO_SCHEDULER.format("RR")),
        ("-p 0", NO_TIMEOUT.format("0")),
        ("-p abc", NO_TIMEOUT.format("abc")),
        ("-p 1.5", NO_TIMEOUT.format("1.5")),
        ("-p 2678401", NO_TIMEOUT.format("2678401")),
        ("-p -5", NO_OPTION.format("-5")),
        ("-M", "-M needs a mask"),
        ("-p -M 0", NO_MASK.format("-M 0")),
        ("-p -M 129", NO_MASK.format("-M 129")),
        ("-p -M 0.0.0.0", NO_MASK.format("-M 0.0.0.0")),
        ("-p -M 255.0.255.0", NO_MASK.format("-M 255.0.255.0")),
        ("-p -M 255.255.255", NO_MASK.format("-M 255.255.255")),
        ("-p --netmask=/24", NO_MASK.format("--netmask /24")),
        ("-M 255.255.255.0", "-M and --pe need -p"),
        ("-M 64 -s rr", "-M and --pe need -p"),
        ("--pe sip", "-M and --pe need -p"),
        ("-p --pe", "--pe needs a persistence engine"),
        ("-p --pe tls", "tls is not a persistence engine; legal is sip"),
        ("-b", "-b needs scheduler flags"),
        ("-s sh -b mh-port", NO_FLAG.format("mh-port", "sh", OF_SH)),
        ("-s sh -b flag-3", NO_FLAG.format("flag-3", "sh", OF_SH)),
        ("-s rr -b sh-port", NO_FLAG.format("sh-port", "rr", GENERIC)),
        ("-b sh-port", NO_FLAG.format("sh-port", "wlc", GENERIC)),
        ("-s rr -b flag-1,", NO_FLAG.format("", "rr", GENERIC)),
        ("-s rr -b flag-4", NO_FLAG.format("flag-4", "rr", GENERIC)),
    ],
)
def test_illegal(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parse_options(text.split())


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler(scheduler: str) -> None:
    assert parse_options(["-s", scheduler]).scheduler == scheduler


@pytest.mark.parametrize("key", [tables.UDP, tables.UDP6])
def test_written_options_read_the_same(key: ServiceKey) -> None:
    for config in tables.configurations(key):
        assert parse_options(list(render_config(config))) == config


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("-s sh", ("sh-fallback",)),
        ("-s sh -b sh-port", ("sh-fallback", "sh-port")),
        ("-s sh -b flag-2,sh-fallback", ("sh-fallback", "sh-port")),
        ("-s mh", ("mh-fallback",)),
        ("-s mh -p 60 -b mh-port", ("mh-fallback", "mh-port")),
        *((f"-s {name}", ()) for name in ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "fo")),
        ("-s rr -b flag-2", ("flag-2",)),
    ],
)
def test_clients_of_weight_0_get_another_server(text: str, flags: tuple[str, ...]) -> None:
    config = parse_options(text.split())
    assert add_fallback_flag(config) == config._replace(flags=flags)
    assert add_fallback_flag(add_fallback_flag(config)) == add_fallback_flag(config)


def test_dh_alone_has_no_such_flag() -> None:
    refusing = [name for name in SCHEDULERS if refuses_at_zero(ServiceConfig(name))]
    assert refusing == ["dh"]
