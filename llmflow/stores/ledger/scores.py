"""Scores of runs by people, programs or workflow code: one for each run, name and judge."""

from datetime import UTC, datetime

from sqlalchemy import or_, select

from llmflow.stores.database import Database
from llmflow.stores.schema import calls, scores
from llmflow.stores.upsert import insert_into
from llmflow.types.reports import Score
from llmflow.types.scores import check_score


async def root_of(database: Database, run: str) -> str | None:
    """Return the workflow id of the run that began the tree of `run`, if the ledger has a call of it.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    # The run itself first: a child may have been given an id that began a tree of its own, too.
    same = or_(calls.c.root_id == run, calls.c.workflow_id == run)
    query = select(calls.c.root_id).where(same).order_by(calls.c.root_id != run).limit(1)
    return await database.read(lambda connection: connection.scalar(query))


async def put_score(database: Database, score: Score) -> Score:
    """Write a score and return it. It replaces one of the same run, name and person.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    row = {**score.model_dump(exclude={"run"}), "root_id": score.run, "by": score.by or ""}
    insert = insert_into(database, scores).values(row)
    replaced = {name: insert.excluded[name] for name in ("value", "at", "comment")}
    await database.write(
        lambda connection: connection.execute(insert.on_conflict_do_update(scores.primary_key, set_=replaced))
    )
    return score


def new_score(run: str, name: str, value: float, by: str | None, comment: str | None) -> Score:
    """Make a score with the current time.

    Raises:
        InputInvalid: the name is empty, or the value is not a finite number.
    """
    check_score(name, value)
    return Score(run=run, name=name.strip(), value=value, by=by, comment=comment, at=datetime.now(UTC))
