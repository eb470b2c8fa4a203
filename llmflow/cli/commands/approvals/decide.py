"""`llmflow approvals approve`, `llmflow approvals reject`: a person's decision."""

import json
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from pydantic_core import from_json
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.forms import Schema, ask, fields_of
from llmflow.cli.inputs import read_text
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import err, plural, print_json, say
from llmflow.cli.question_argument import ApprovalName
from llmflow.cli.questions import question_body, show
from llmflow.cli.target import connected
from llmflow.config import Settings
from llmflow.errors import DecisionRefused, InputInvalid
from llmflow.service.approvals import check_voter, question_to_decide
from llmflow.types.approvals import Question, Receipt

By = Annotated[str | None, typer.Option(help="Who decides; LLMFLOW_BY, or user@host of this machine, if left out")]
Comment = Annotated[str, typer.Option(help="Why", show_default=False)]
Form = Annotated[
    str | None,
    typer.Option(metavar="JSON|@FILE|-", help="The filled-in form; in a terminal it is asked for if left out"),
]
Send = Callable[[JsonValue], Coroutine[Any, Any, Receipt]]  # Any: what a coroutine yields to the loop


def approve(
    run_id: RunId,
    approval: ApprovalName = None,
    *,
    by: By = None,
    comment: Comment = "",
    form: Form = None,
    as_json: AsJson = False,
) -> None:
    """Approve what a run asks.

    Without a worker, Temporal keeps the decision, and the run judges it when a worker is up. A run that waits for the
    end of its --delay takes none.

    Example: llmflow approvals approve ticket-4711 refund --by ana --form '{"usd": "12.50"}'
    """
    _decide(run_id, approval, by, comment, form, approved=True, as_json=as_json)


def reject(
    run_id: RunId,
    approval: ApprovalName = None,
    *,
    by: By = None,
    comment: Comment = "",
    form: Form = None,
    as_json: AsJson = False,
) -> None:
    """Reject what a run asks.

    Without a worker, Temporal keeps the decision, and the run judges it when a worker is up. A run that waits for the
    end of its --delay takes none.

    Example: llmflow approvals reject ticket-4711 refund --by ana --comment "not our parcel"
    """
    _decide(run_id, approval, by, comment, form, approved=False, as_json=as_json)


def _decide(
    id: str, name: str | None, by: str | None, comment: str, form: str | None, *, approved: bool, as_json: bool
) -> None:
    given = _parsed(form) if form is not None else None
    question = run(_question(id, name))
    person = by or Settings.load().by

    async def send(filled: JsonValue) -> Receipt:
        one = (await connected()).client.run(id)
        meant = question.exact if question else name or ""  # the round that this person has read, and no later one
        return await one.decide(meant, approved=approved, by=person, comment=comment, form=filled)

    if (
        approved
        and given is None
        and question
        and question.form
        and any(one.required for one in fields_of(question.form))
    ):
        receipt = _with_form(question, question.form, person, send)
    else:
        receipt = run(send(given))
    if as_json:
        print_json(receipt)
    else:
        _say(id, receipt)


async def _question(id: str, name: str | None) -> Question | None:
    return await question_to_decide((await connected()).client, id, name)


def _with_form(question: Question, schema: Schema, by: str, send: Send) -> Receipt:
    """Ask the person for the form, repeatedly as long as the run refuses it."""
    check_voter(question, by)
    if not (sys.stdin.isatty() and err.is_terminal):
        fields = fields_of(schema)
        example = json.dumps({field.name: "..." for field in fields if field.required})
        takes = "; ".join(map(str, fields))
        raise InputInvalid(f"`{question.name}` has a form to fill in, give --form '{example}' with {takes}")
    show(err, question_body(question))
    err.print()
    filled: dict[str, JsonValue] = {}
    while True:
        filled = ask(schema, filled)
        try:
            return run(send(filled))
        except DecisionRefused as refused:
            if refused.detail.field != "form":
                raise
            say(f"  {refused.message}", "yellow")


def _parsed(form: str) -> JsonValue:
    try:
        value: JsonValue = from_json(read_text(form, "--form"))
    except ValueError as error:
        raise InputInvalid(f"--form: {error}; give JSON, such as '{{\"usd\": 12}}'") from None
    return value


def _say(id: str, receipt: Receipt) -> None:
    said = Text.assemble((id, "bold"), f" {receipt.approval}: ")
    if receipt.sent:
        said.append("sent; no worker answers now, so it is judged when the run continues", "yellow")
    elif receipt.missing:
        said.append(f"counted, {receipt.missing} more {plural(receipt.missing, 'approval')} needed")
    else:
        said.append(receipt.status, "green" if receipt.status == "approved" else "red")
    err.print(said)
