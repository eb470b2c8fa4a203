"""Decisions as they arrive: decoded, and checked against their question."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from llmflow.errors import DecisionRefused, ErrorDetail, InputInvalid, did_you_mean
from llmflow.flow.arguments import no_mapping
from llmflow.types.addresses import base_of, numbered
from llmflow.types.approvals import (
    ApprovalStatus,
    Decide,
    Question,
    Receipt,
    approver,
    decisive,
    outcome,
    person,
    second,
)
from llmflow.types.problems import described, problems_of
from llmflow.types.schemas import resolved

F = TypeVar("F")

MAX_DECISION = 100_000
"""Bytes of one decision, form included."""


@dataclass(frozen=True)
class Form(Generic[F]):
    """The form that a decision must fill in."""

    adapter: TypeAdapter[F]
    json_schema: dict[str, JsonValue]

    def read(self, filled: JsonValue) -> F:
        """Validate a filled-in form as the workflow's type.

        JSON mode: there a strict model accepts dates, decimals and enums as text.

        Raises:
            DecisionRefused: the form does not fit; the message lists each field.
        """
        try:
            return self.adapter.validate_json(to_json(filled))
        except ValidationError as error:
            raise DecisionRefused(f"the form does not fit ({described(error)})", ErrorDetail(field="form")) from None
        except Exception as error:  # of any class, from a validator of the user: it must not block the run
            raise DecisionRefused(
                f"the form cannot be validated: {type(error).__name__}: {error}", ErrorDetail(field="form")
            ) from error


def form_of(kind: type[F]) -> Form[F]:
    """Make the `Form` of a type.

    Raises:
        InputInvalid: the type has no named fields, or pydantic cannot make its JSON schema.
    """
    no_mapping("form", kind)
    try:
        adapter = TypeAdapter(kind)
        schema = cast(dict[str, JsonValue], adapter.json_schema())
    except Exception as error:  # of several unrelated classes; each would fail the workflow task
        raise InputInvalid(f"form={kind!r} has no JSON schema: {error}", ErrorDetail(field="form")) from None
    if "properties" not in resolved(schema, schema):
        raise InputInvalid(
            f"form={kind!r} has no fields to fill in: give a pydantic model or a dataclass", ErrorDetail(field="form")
        )
    return Form(adapter, schema)


def read(data: bytes) -> Decide:
    """Decode a decision.

    Raises:
        DecisionRefused: the data is not a decision; the message names the problem and shows an example.
    """
    if not data:
        raise DecisionRefused(
            f"a decision is one JSON object, but this has none or several: send one like {_example()}"
        )
    if len(data) > MAX_DECISION:
        raise DecisionRefused(f"a decision of {len(data):,} bytes: at most {MAX_DECISION:,}; send a reference instead")
    try:
        sent: object = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise DecisionRefused(f"invalid decision: not JSON ({error}); send an object like {_example()}") from None
    if not isinstance(sent, dict):
        raise DecisionRefused(f"a decision is one JSON object, like {_example()}")
    fields = cast(dict[str, object], sent)
    example = _example(fields.get("approval"))
    for name in fields:
        if name not in Decide.model_fields:
            near = did_you_mean(name, Decide.model_fields)
            known = ", ".join(Decide.model_fields)
            raise DecisionRefused(
                f"a decision has no field `{name}`{near}; it has {known}, as in {example}", ErrorDetail(field=name)
            )
    try:
        return Decide.model_validate(fields)
    except ValidationError as error:
        field = str(problems_of(error)[0]["loc"][0])
        raise DecisionRefused(f"{described(error)}; send an object like {example}", ErrorDetail(field=field)) from None


def said_before(question: Question, decide: Decide) -> bool:
    """Return True if the question already has this decision of this person: one that is sent twice counts once."""
    said = person(decide.by), decide.approved, decide.comment, decide.form
    return any((person(vote.by), vote.approved, vote.comment, vote.form) == said for vote in question.votes)


def require_fit(question: Question, decide: Decide, form: Form[Any] | None) -> None:  # Any: forms of every type
    """Refuse a decision that is not valid for this open question.

    Raises:
        DecisionRefused: not an approver, a different second vote, or a form that does not fit.
    """
    name, by = question.name, decide.by
    if approver(question.approvers, by) is None:
        known = ", ".join(question.approvers)
        near = did_you_mean(by, question.approvers)
        raise DecisionRefused(f"`{by}` may not decide `{name}`{near}: {known} may", ErrorDetail(field="by"))
    for vote in question.votes:
        if person(vote.by) == person(by):
            said = "approved" if vote.approved else "rejected"
            raise DecisionRefused(
                f"{by} has {said} `{name}` already, at {second(vote.at)}: a decision cannot be changed",
                ErrorDetail(field="approved"),
            )
    if form and decide.form is not None:
        form.read(decide.form)
    elif form and decide.approved and resolved(form.json_schema, form.json_schema).get("required"):
        required = ", ".join(f"`{field}`" for field in fields_of(question))
        raise DecisionRefused(f"`{name}` asks for a form: send `form` with {required}", ErrorDetail(field="form"))
    elif not form and decide.form is not None:
        raise DecisionRefused(f"`{name}` asks for no form: leave `form` out", ErrorDetail(field="form"))


def fields_of(question: Question) -> tuple[str, ...]:
    """Return the names of the form's fields."""
    schema = question.form or {}
    return tuple(cast(dict[str, JsonValue], resolved(schema, schema).get("properties") or {}))


def missing(question: Question) -> int:
    """Return the number of approvals still missing."""
    return max(0, question.quorum - sum(vote.approved for vote in question.votes))


def status_of(question: Question) -> ApprovalStatus:
    """Derive a question's status from its votes: one rejection decides, and so does the last approval needed."""
    if any(not vote.approved for vote in question.votes):
        return "rejected"
    return "open" if missing(question) else "approved"


def receipt(question: Question) -> Receipt:
    """Make the receipt of a decision for its sender."""
    is_open = question.status == "open"
    return Receipt(approval=question.name, status=question.status, missing=missing(question) if is_open else 0)


def closed(question: Question, rounds: Iterable[int]) -> DecisionRefused:
    """Make the error for a decision on a closed question; `rounds` are the rounds so far."""
    following = numbered(base_of(question.name), max(rounds) + 1)
    was = "was already" if decisive(question) else "is"
    return DecisionRefused(
        f"`{question.name}` {was} {outcome(question)}; to decide on its next round in advance, name `{following}`",
        ErrorDetail(field="approved"),
    )


def late(question: Question, deadline: datetime, at: datetime) -> DecisionRefused:
    """Make the error for a decision of a time after the deadline."""
    return DecisionRefused(
        f"`{question.name}` could be decided until {second(deadline)}: this decision came at {second(at)}",
        ErrorDetail(field="approved"),
    )


def _example(approval: object = None) -> str:
    """Format an example decision, on the question that the sender named."""
    name = approval[:100] if isinstance(approval, str) and approval.strip() else "publish"
    return json.dumps({"approval": name, "approved": True, "by": "ana"}, ensure_ascii=False)
