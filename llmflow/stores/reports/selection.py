"""Selection of ledger rows for a report, in SQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, TableValuedAlias, and_, exists, func, or_

from llmflow.errors import BY_CODE, BudgetExceeded
from llmflow.stores.ledger.rows import ANSWERED, CHARGED, MAYBE_BILLED, REFUSED, REUSED
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter

# An empty budget asks no model either, but it is not a refusal: waiting does not fill it.
_UNASKED = tuple(sorted({BudgetExceeded.__name__, *(error.__name__ for error in BY_CODE.values() if error.refusal)}))

PAID = calls.c.outcome.in_((ANSWERED, REFUSED))
UNASKED = calls.c.outcome.in_(_UNASKED)
MAYBE_PAID = calls.c.outcome.in_(MAYBE_BILLED)
TAKEN = calls.c.outcome == REUSED
SPENT_BY_TOOL = calls.c.outcome == CHARGED
FAILED = calls.c.outcome.not_in((ANSWERED, REFUSED, REUSED, CHARGED, *MAYBE_BILLED, *_UNASKED))


def tags_of_call(*, sqlite: bool) -> TableValuedAlias:
    """Return the tags of each call as rows with a `value`: the one thing that the databases express differently."""
    each = func.json_each if sqlite else func.json_array_elements_text
    return each(calls.c.tags).table_valued("value", name="tag")


def selected(filter: CallFilter, *, sqlite: bool) -> ColumnElement[bool]:
    """Return the condition for the calls that a filter selects."""
    c, conditions = calls.c, list(_in_time(filter))
    if filter.run:
        conditions.append(or_(c.root_id == filter.run, c.workflow_id == filter.run))
    if filter.tenant:
        conditions.append(c.tenant == filter.tenant)
    if filter.workflow:
        conditions.append(c.workflow_type == filter.workflow)
    if filter.prompt:
        name, _, version = filter.prompt.partition("@")
        conditions += [c.prompt == name, *([c.version == version] if version else [])]
    if filter.model:
        conditions.append(or_(c.model == filter.model, c.model_asked == filter.model))
    if filter.tag:
        tag = tags_of_call(sqlite=sqlite)
        conditions.append(exists().select_from(tag).where(tag.c.value == filter.tag))
    return and_(True, *conditions)


def _in_time(filter: CallFilter) -> Iterator[ColumnElement[bool]]:
    c = calls.c
    if isinstance(filter.since, datetime):
        yield and_(c.at >= filter.since, c.day >= filter.since.astimezone(UTC).date())  # the day has an index
    elif filter.since:
        yield c.day >= filter.since
    if isinstance(filter.until, datetime):
        yield c.at < filter.until
    elif filter.until:
        yield c.day <= filter.until
