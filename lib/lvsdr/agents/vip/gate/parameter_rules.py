"""The parameters of the agent vip with a gate as a set, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterator

from .... import leader
from ....leader.settings import UnusableSettings
from ....ocf.parameters import ParameterSet, Values
from ..parameters import PARAMETERS as ADDRESS_PARAMETERS
from ..parameters import RULES
from . import parameters as p
from .settings import STORE_PARAMETERS, collect_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....ocf.parameters import Parameter


def _require_store(values: Values) -> Iterator[str]:
    if values[p.TYPE] is None:
        for parameter in p.GATE:
            if values.is_set(parameter):
                yield f"dcs_type is required: {parameter.name} belongs to a gate"


def _refuse_doubled_secrets(values: Values) -> Iterator[str]:
    for parameter, file in p.SECRETS:
        if values[parameter] is not None and values[file] is not None:
            yield f"{file.name}={values[file]}: {parameter.name} is set, too; set only one of them"


def _refuse_unusable_settings(values: Values) -> Iterator[str]:
    """Yield a sentence for each parameter that the store cannot use; read no file."""
    kind = values[p.TYPE]
    if kind is None:
        return
    try:
        leader.build_settings(kind, "node", collect_texts(values, lambda _, path: path))
    except UnusableSettings as error:
        for field, sentence in error.field_problems:
            parameter = STORE_PARAMETERS[field]
            text = sentence
            for other_field, other_parameter in STORE_PARAMETERS.items():
                text = text.replace(f" with {other_field},", f" with {other_parameter.name},")
            yield f"{_format_source(parameter, values)}: {text}"


def _format_source(parameter: Parameter[str | None], values: Values) -> str:
    """Return the parameter with its value, or the file with the value; hide secrets."""
    file = dict(p.SECRETS).get(parameter)
    if file is not None and values[file] is not None:
        return f"{file.name}={values[file]}"
    if values[parameter] is None:
        return parameter.name
    return f"{parameter.name}={'(not shown)' if parameter.discreet else values[parameter]}"


PARAMETERS = ParameterSet(
    (*ADDRESS_PARAMETERS, *p.GATE),
    (*RULES, _require_store, _refuse_doubled_secrets, _refuse_unusable_settings),
)
