"""Scores: one for each run, name and person."""

import math
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from llmflow.errors import InputInvalid
from llmflow.stores.database import Database
from llmflow.stores.ledger.scores import new_score, put_score, root_of
from llmflow.stores.schema import scores
from tests.helpers.ledger import call_of, keep


async def kept(database: Database) -> set[tuple[object, ...]]:
    c = scores.c
    query = select(c.root_id, c.name, c.by, c.value, c.comment)
    return {tuple(row) for row in await database.read(lambda connection: connection.execute(query).all())}


async def test_a_second_score_of_the_same_person_replaces_the_first(database: Database) -> None:
    for by, value, comment in [("ana", 0.1, "odd"), ("ben", 0.2, None), ("ana", 0.9, None), (None, 1.0, None)]:
        await put_score(database, new_score("run", "helpful", value, by, comment))
    await put_score(database, new_score("run", "short", 0.5, "ana", None))
    await put_score(database, new_score("other", "helpful", 0.5, "ana", None))
    assert await kept(database) == {
        ("run", "helpful", "ana", 0.9, None),
        ("run", "helpful", "ben", 0.2, None),
        ("run", "helpful", "", 1.0, None),
        ("run", "short", "ana", 0.5, None),
        ("other", "helpful", "ana", 0.5, None),
    }


async def test_the_ledger_knows_the_tree_of_a_run(database: Database) -> None:
    await keep(database, call_of("parent"), call_of("child", root="parent"), call_of("lone", root="silent"))
    assert await root_of(database, "parent") == "parent"
    assert await root_of(database, "child") == "parent"
    assert await root_of(database, "silent") == "silent", "which made no call itself"
    assert await root_of(database, "nobody") is None


@pytest.mark.parametrize(("name", "value"), [("", 1.0), ("  ", 1.0), ("a", math.nan), ("a", math.inf)])
def test_what_is_no_score(name: str, value: float) -> None:
    with pytest.raises(InputInvalid):
        new_score("run", name, value, None, None)


def test_a_score_is_of_now() -> None:
    before = datetime.now(UTC)
    score = new_score("run", " helpful ", 1, "ana", "good")
    assert score.name == "helpful"
    assert before <= score.at <= datetime.now(UTC)
