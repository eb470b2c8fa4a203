"""Rejects filter values that the ledger has never seen, so that a typo does not report $0."""

from typing import Literal, get_args

from sqlalchemy import ColumnElement, func, select, true

from llmflow.errors import ErrorDetail, PromptNotFound, Remedy, RunNotFound, did_you_mean
from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.reports.selection import selected, tags_of_call
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter

_Kind = Literal["prompt", "run", "workflow", "tenant", "model", "tag"]

_NEAR, _SHOWN = 1_000, 5  # number of names, latest used first: the nearest is searched among some, and fewer are shown


async def check_known(database: Database, filter: CallFilter) -> None:
    """Return if the ledger has a call of each name that a filter gives, at any time and for any purpose.

    Raises:
        PromptNotFound: it has no call of the prompt, or of that version; names the nearest.
        RunNotFound: it has no call of the run, or of any run of that workflow, tenant, model or tag; likewise.
        StoreUnavailable: the database does not answer.
    """
    for kind in get_args(_Kind):
        name = getattr(filter, kind)
        if not name or await _has_call(database, CallFilter(**{kind: name})):
            continue
        known = await _names(database, kind, name)
        error = PromptNotFound if kind == "prompt" else RunNotFound
        raise error(
            f"the ledger has no call of {kind} `{name}`{did_you_mean(name, known)}. {_instead(kind, known)}",
            ErrorDetail(field=name, remedy=Remedy(action="ask_temporal", run=name) if kind == "run" else None),
        )


async def _has_call(database: Database, filter: CallFilter) -> bool:
    query = select(calls.c.at).where(selected(filter, sqlite=database.is_sqlite)).limit(1)
    return await database.read(lambda connection: connection.scalar(query), within=PATIENCE) is not None


async def _names(database: Database, kind: _Kind, name: str) -> list[str]:
    """Return the names, latest used first."""
    c, tag = calls.c, tags_of_call(sqlite=database.is_sqlite)
    columns: dict[_Kind, list[ColumnElement[str]]] = {
        "prompt": [c.prompt + "@" + c.version if "@" in name else c.prompt],
        "run": [c.root_id, c.workflow_id],
        "workflow": [c.workflow_type],
        "tenant": [c.tenant],
        "model": [c.model_asked, c.model],
        "tag": [tag.c.value],
    }
    source = calls.join(tag, true()) if kind == "tag" else calls
    known: dict[str, None] = {}
    for column in columns[kind]:
        query = select(column).select_from(source).where(column.is_not(None)).group_by(column)
        latest = query.order_by(func.max(c.at).desc(), column).limit(_NEAR)
        found = await database.read(lambda connection, query=latest: connection.scalars(query).all(), within=PATIENCE)
        known.update(dict.fromkeys(found))
    return list(known)


def _instead(kind: _Kind, known: list[str]) -> str:
    if kind == "run":  # it may not have asked a model yet
        return "A run is in it from its first model call on"
    if not known:
        return f"It has no call of any {kind}"
    more = len(known) - _SHOWN
    return f"It has calls of: {', '.join(known[:_SHOWN])}{f' and {more:,} more' if more > 0 else ''}"
