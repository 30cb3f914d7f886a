"""Settings of a session beside its queries."""

from __future__ import annotations

import pytest
from lvsdr.postgres.connection import Target
from lvsdr.system.postgres_query import query_rows
from lvsdr.values.deadline import Deadline

from tests.postgres.world import PASSWORDS, PRIMARY, World


@pytest.mark.parametrize(
    ("own", "least", "most"), [("0", 4.0, 5.0), ("2s", 2.0, 2.0), ("1min", 4.0, 5.0)]
)
@pytest.mark.usefixtures("world")
def test_no_statement_outlives_its_asker(own: str, least: float, most: float) -> None:
    """A statement ends with its caller, and is given no more time than the role has."""
    settings = {"user": "monitor", "password": PASSWORDS["monitor"], "dbname": "postgres"}
    target = Target(f"host={PRIMARY} options='-c statement_timeout={own}'", settings)
    seconds = "SELECT setting::int / 1000.0 FROM pg_settings WHERE name = 'statement_timeout'"
    (((found,),),) = query_rows(target, [seconds], Deadline.after(5))
    assert least <= float(found or 0) <= most


def test_the_last_statement_may_be_repeated(world: World) -> None:
    target = Target("user=postgres dbname=postgres", {"host": str(world.primary.home)})
    statements = ["SELECT 1", "SELECT clock_timestamp()"]
    again = [0.1, 0.1, None]
    answers = query_rows(
        target, statements, Deadline.after(5), lambda answers: again[len(answers) - 2]
    )
    assert [row for (row,) in answers[:1]] == [["1"]]
    assert len({at for ((at,),) in answers[1:]}) == 3
