"""Reading the parameters of a resource."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lvsdr.errors import ExitCode, InvalidParameters
from lvsdr.ocf.parameters import ParameterSet, Values, defaulted, deprecated, optional, required
from lvsdr.ocf.value_parsers import whole_number

from tests.unit.ocf import example

VALID = {"port": "5432", "state": "/run/x"}


def parse(**texts: str) -> Values:
    """Parse these parameters of the example agent, with all required ones added."""
    return parse_only(**{**VALID, **texts})


def parse_only(**texts: str) -> Values:
    """Parse exactly these parameters of the example agent."""
    environ = {f"OCF_RESKEY_{name}": text for name, text in texts.items()}
    return example.PARAMETERS.parse({"PATH": "/bin", "OCF_RESKEY_CRM_meta_timeout": "1", **environ})


def problems(**texts: str) -> tuple[str, ...]:
    """Return the problems of exactly these parameters."""
    with pytest.raises(InvalidParameters) as caught:
        parse_only(**texts)
    assert caught.value.exit_code is ExitCode.ERR_CONFIGURED
    return caught.value.problems


def test_values_have_the_type_of_their_parser() -> None:
    values = parse(quiet="yes", patience="5min", script="/bin/x -y")
    port: int = values[example.PORT]
    script: tuple[str, ...] | None = values[example.SCRIPT]
    assert port == 5432
    assert script == ("/bin/x", "-y")
    assert values[example.QUIET] is True
    assert values[example.PATIENCE] == 300.0


@pytest.mark.parametrize("text", ["", "none", "  ", " none "])
def test_not_set(text: str) -> None:
    values = parse(weight=text, script=text)
    assert values[example.WEIGHT] == 1
    assert values[example.SCRIPT] is None
    assert not values.is_set(example.WEIGHT)
    assert not values.is_set(example.SCRIPT)


def test_a_parameter_set_to_its_default_counts_as_set() -> None:
    assert parse(weight="1").is_set(example.WEIGHT)


def test_none_is_exact() -> None:
    assert problems(**VALID, weight="None") == (
        "weight=None: must be a whole number from 0 to 65535",
    )


@pytest.mark.parametrize("text", ["", "none"])
def test_a_missing_parameter_is_reported(text: str) -> None:
    assert problems(port=text, state="/x") == (
        "port is required: must be a whole number from 1 to 65535",
    )


def test_a_missing_parameter_without_legal_values_is_reported() -> None:
    parameters = ParameterSet([required("vip", str.upper, short="The address", long="Long.")])
    with pytest.raises(InvalidParameters, match=r"^vip is required: The address$"):
        parameters.parse({})


def test_all_problems_are_reported_in_the_order_of_the_declarations() -> None:
    assert problems(weight="-1", protocol="sctp", port="99999") == (
        "port=99999: must be a whole number from 1 to 65535",
        "state is required: must be an absolute path",
        "protocol=sctp: must be tcp or udp",
        "weight=-1: must be a whole number from 0 to 65535",
    )


def test_a_problem_is_one_short_printable_line() -> None:
    (problem,) = problems(port="8\n0\x1b" + "9" * 500, state="/x")
    assert problem.startswith(r"port=8 0\x1b999")
    assert problem.endswith("...: must be a whole number from 1 to 65535")
    assert problem.isprintable()
    assert len(problem) < 200


def test_a_value_that_may_hold_a_secret_is_not_shown() -> None:
    (problem,) = problems(**VALID, script="x --password 'secret")
    assert problem.startswith("script=(not shown): must be a program and its arguments")
    assert "secret" not in problem


def test_a_rule_sees_the_values() -> None:
    assert problems(**VALID, protocol="udp", weight="3") == (
        "weight=3: must be 1 with protocol=udp",
    )


def test_a_rule_about_a_broken_parameter_is_silent() -> None:
    assert problems(**VALID, protocol="udp", weight="x") == (
        "weight=x: must be a whole number from 0 to 65535",
    )


def test_problems_that_a_rule_found_before_a_broken_parameter_count() -> None:
    def rule(values: Values) -> Iterator[str]:
        yield "always\nwrong"
        yield f"never said {values[example.PORT]}"

    parameters = ParameterSet([example.PORT], rules=[rule])
    with pytest.raises(InvalidParameters) as caught:
        parameters.parse({"OCF_RESKEY_port": "x"})
    assert caught.value.problems[1:] == ("always wrong",)


def test_a_parameter_that_is_not_declared_is_a_mistake_of_the_program() -> None:
    stranger = optional("stranger", str, short="", long="")
    with pytest.raises(KeyError):
        parse()[stranger]


def test_the_deprecated_name_serves() -> None:
    values = parse(heatbeat_file="/run/beat")
    assert values[example.HEARTBEAT] == values[example.HEATBEAT] == "/run/beat"
    assert values.is_set(example.HEARTBEAT)
    assert values.is_set(example.HEATBEAT)


def test_the_current_name_alone_is_not_deprecated() -> None:
    assert not parse(heartbeat_file="/run/beat").is_set(example.HEATBEAT)


def test_both_names_may_agree() -> None:
    assert parse(heatbeat_file="/a", heartbeat_file="/a")[example.HEARTBEAT] == "/a"


def test_both_names_must_not_differ() -> None:
    assert problems(**VALID, heatbeat_file="/a", heartbeat_file="/b") == (
        "heatbeat_file=/a: is the old name of heartbeat_file, which is set to /b; "
        "set only heartbeat_file",
    )


def test_a_problem_names_the_name_that_was_used() -> None:
    assert problems(**VALID, heatbeat_file="beat") == (
        "heatbeat_file=beat: must be an absolute path",
    )


def test_a_deprecated_name_satisfies_a_requirement() -> None:
    new = required("new", whole_number(1, 9), short="", long="")
    parameters = ParameterSet([new, deprecated("old", new)])
    assert parameters.parse({"OCF_RESKEY_old": "7"})[new] == 7


def test_a_default_that_is_not_legal_is_found() -> None:
    parameters = ParameterSet([defaulted("n", whole_number(1, 9), "10", short="", long="")])
    with pytest.raises(InvalidParameters, match="must be a whole number from 1 to 9"):
        parameters.parse({})


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        ParameterSet([example.PORT, example.PORT])
