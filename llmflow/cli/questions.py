"""Question as a person reads it."""

import json
from collections.abc import Iterator, Sequence

from pydantic import JsonValue
from rich.console import Console, Group, RenderableType
from rich.highlighter import JSONHighlighter
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llmflow.cli.forms import Schema, as_text, fields_of
from llmflow.cli.output import took, when
from llmflow.service.connections import Connection
from llmflow.types.approvals import ApprovalReport, Question, Vote, next_voter
from llmflow.types.contracts import DECIDE
from llmflow.types.texts import command_line, harmless, visible, visible_json

_USUAL = ("localhost:7233", "127.0.0.1:7233")
_COLOURS = {"open": "cyan", "approved": "green", "rejected": "red", "expired": "yellow", "withdrawn": "yellow"}


def show(console: Console, page: RenderableType) -> None:
    """Print all of it, for programs without the blanks that fill up the lines of a screen."""
    if console.is_terminal:
        console.print(page, crop=False)
        return
    with console.capture() as captured:
        console.print(page, crop=False)
    for line in captured.get().splitlines():
        console.print(Text(line.rstrip()), soft_wrap=True)


def where(connection: Connection) -> Sequence[str]:
    """Return the options with which Temporal's own command line reaches this server, if it is not its default."""
    temporal = connection.client.temporal
    address, namespace = temporal.service_client.config.target_host, temporal.namespace
    at = () if address in _USUAL else ("--address", address)
    return at if namespace == "default" else (*at, "--namespace", namespace)


def question_page(run: str, one: Question, server: Sequence[str]) -> RenderableType:
    """Return the whole question and, if it is open, how to decide it. `where` returns `server`."""
    return Group(*_parts(one), *(_answers(run, one, server) if one.status == "open" else ()))


def question_body(one: Question) -> RenderableType:
    """Return the payload, for the approver."""
    return Group(*_body(one))


def besides(report: ApprovalReport) -> Iterator[RenderableType]:
    """Return early decisions, late ones, and refused ones."""
    for early in report.early:
        yes = "approves" if early.approved else "rejects"
        yield Text(f"early: {early.by} {yes} `{early.approval}`, which has not been asked yet", "yellow")
    for late in report.late:
        who, name = late.decide.by, late.decide.approval
        yield Text(f"late: the history tells if {who} decided `{name}` before its deadline", "yellow")
    for refusal in report.refused:
        sent = f": {json.dumps(refusal.sent, ensure_ascii=False)}" if refusal.sent is not None else ""
        yield Text(f"refused at {when(refusal.at)}: {refusal.reason}{sent}", "yellow")


def _parts(one: Question) -> Iterator[RenderableType]:
    yield Text.assemble((one.name, "bold"), "  ", (one.status, _COLOURS[one.status]))
    yield Text(", ".join(_facts(one)), "dim")
    yield from _body(one)
    if one.votes:
        yield Text()
    yield from map(_vote, one.votes)


def _body(one: Question) -> Iterator[RenderableType]:
    if one.details:
        yield Text()
        yield Padding(Markdown(harmless(one.details), hyperlinks=False), (0, 0, 0, 2))
    if one.payload is not None:
        yield Text("\npayload", "dim")
        yield Padding(_payload(one.payload), (0, 0, 0, 2))
    if one.form:
        yield Text("\nform", "dim")
        yield Padding(_form(one.form), (0, 0, 0, 2))


def _payload(payload: JsonValue) -> Text:
    if isinstance(payload, str):
        return Text(visible(payload))
    return JSONHighlighter()(visible_json(json.dumps(payload, indent=2, ensure_ascii=False)))


def _facts(one: Question) -> Iterator[str]:
    yield f"asked {when(one.asked_at)}"
    if one.status == "open":
        yield f"waits for {took(one.asked_at, None)}"
    if one.deadline:
        yield f"until {when(one.deadline)}"
    yield f"for {' or '.join(one.approvers) or 'anyone'}"
    if one.quorum > 1:
        yield f"{sum(vote.approved for vote in one.votes)} of {one.quorum} approvals"
    if one.level:
        yield f"escalated {one.level} times" if one.level > 1 else "escalated"


def _form(form: Schema) -> Table:
    table = Table.grid(padding=(0, 2))
    for style in ("bold", "", "dim"):
        table.add_column(style=style, overflow="fold")
    for field in fields_of(form):
        default = f", {as_text(field.default)} if left out" if field.default is not None else ""
        table.add_row(field.name, field.takes + default, field.about)
    return table


def _vote(vote: Vote) -> Text:
    sign = ("✓ ", "green") if vote.approved else ("✗ ", "red")
    said = Text.assemble(sign, (vote.by, "bold"), (f"  {when(vote.at)}", "dim"))
    if vote.comment:
        said.append(f"  {vote.comment}", "italic")
    if vote.form is not None:
        said.append(f"  {json.dumps(vote.form, ensure_ascii=False)}")
    return said


def _answers(run: str, one: Question, server: Sequence[str]) -> Iterator[RenderableType]:
    example: dict[str, object] = {"approval": one.exact, "approved": True, "by": next_voter(one) or "NAME"}
    form: tuple[str, ...] = ()
    if one.form and (blank := {field.name: "..." for field in fields_of(one.form) if field.required}):
        example["form"] = blank
        form = ("--form", json.dumps(blank, ensure_ascii=False))
    sent = json.dumps(example, ensure_ascii=False)
    update = ("temporal", "workflow", "update", "execute", *server, "-w", run, "--name", DECIDE.name, "--input", sent)
    yield Text("\nto answer", "dim")
    for line in (
        _command("approve", run, one, *form),
        _command("reject", run, one, "--comment", "WHY"),
        command_line(*update),
    ):
        yield Text(f"  {line}", no_wrap=True, overflow="ignore")  # whole, so that it can be copied


def _command(verb: str, run: str, one: Question, *more: str) -> str:
    """Return the command that decides this question, and no later round of it."""
    return command_line("llmflow", "approvals", verb, run, one.exact, "--by", next_voter(one) or "NAME", *more)
