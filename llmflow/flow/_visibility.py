"""What people see of a run from outside: search attributes, and the details on its page of the Web UI."""

import json
from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue
from temporalio import workflow
from temporalio.common import SearchAttributeKey

from llmflow.flow._answers import fields_of
from llmflow.types.approvals import WAITING, Question, Waiting, WaitingList, command, next_voter
from llmflow.types.attributes import SearchAttributes
from llmflow.types.contracts import DECIDE
from llmflow.types.machines import ways
from llmflow.types.origins import Origin
from llmflow.types.steps import Compensation, StepRecord, StepReport
from llmflow.types.usage import Totals, UsageReport

MAX_TAG = 255
"""Characters of one value of a search attribute that every database of Temporal's takes."""
MAX_BYTES = 1900
"""Of all values of one attribute, as JSON. Temporal terminates a run that writes more than 2,048."""
MAX_WAITING = 20
"""Open questions in the memo of a run, and on its page."""
MAX_TITLE = 80
"""Characters of a question's title."""
MAX_DETAILS = 10_000
"""Characters of a question's details on the page of its run; the query has all of them."""
MACHINES = 3
"""State machines in the details: the newest ones."""


def attributes(names: SearchAttributes, origin: Origin, report: UsageReport) -> dict[str, float | tuple[str, ...]]:
    """Search attributes by name, as they should be now."""
    found: dict[str, float | tuple[str, ...]] = {}
    if names.cost and report.total.calls:
        found[names.cost] = float(report.total.usd)
    tags = _that_fit(dict.fromkeys(tag[:MAX_TAG] for tag in _tags(origin, report)))
    if names.tags and tags:
        found[names.tags] = tags
    return found


def _that_fit(tags: Iterable[str]) -> tuple[str, ...]:
    """The first ones; the ledger has them all."""
    fitting: list[str] = []
    size = 2
    for tag in tags:
        size += len(json.dumps(tag)) + 1
        if size <= MAX_BYTES:
            fitting.append(tag)
    return tuple(fitting)


def write(found: Mapping[str, float | tuple[str, ...]]) -> None:
    """Write search attributes: one event in history."""
    workflow.upsert_search_attributes(
        [
            SearchAttributeKey.for_keyword_list(name).value_set(value)
            if isinstance(value, tuple)
            else SearchAttributeKey.for_float(name).value_set(value)
            for name, value in found.items()
        ]
    )


def _tags(origin: Origin, report: UsageReport) -> Iterator[str]:
    yield from (f"tag:{tag}" for tag in origin.tags)
    if origin.tenant:
        yield f"tenant:{origin.tenant}"
    yield from (f"model:{model}" for model in report.by_model)
    yield from (f"prompt:{prompt}" for prompt in report.by_prompt)


def waiting(questions: Iterable[Question]) -> WaitingList:
    """Open questions as the memo has them."""
    return WaitingList(
        open=tuple(
            Waiting(
                name=question.name,
                asked_at=question.asked_at,
                deadline=question.deadline,
                approvers=question.approvers,
                quorum=question.quorum,
                approved_by=tuple(vote.by for vote in question.votes),
                title=_title(question),
            )
            for question in list(questions)[:MAX_WAITING]
        )
    )


def _title(question: Question) -> str:
    lines = question.details.strip().splitlines()
    return _short(lines[0].lstrip("# ") if lines else _beginning(question.payload))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…"


def _beginning(payload: JsonValue) -> str:
    if payload is None:
        return ""
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)


def write_waiting(now: WaitingList, attribute: str | None) -> None:
    """Write what people are asked: one event, and one more where the search attribute changes."""
    workflow.upsert_memo({WAITING: now if now.open else None})
    if attribute:
        names, key = _names(now), SearchAttributeKey.for_keyword(attribute)
        if names != workflow.info().typed_search_attributes.get(key, ""):
            workflow.upsert_search_attributes([key.value_set(names) if names else key.value_unset()])


def _names(waiting: WaitingList) -> str:
    """Those that fit into one value."""
    joined = ""
    for question in waiting.open:
        longer = f"{joined},{question.name}" if joined else question.name
        joined = longer if len(longer) <= MAX_TAG and len(json.dumps(longer)) <= MAX_BYTES else joined
    return joined


def details(asked: Iterable[Question], now: StepReport, report: UsageReport) -> str:
    """Markdown: what people are asked, and what the run does now; then what it cost.

    The box of the Web UI is four lines high.
    """
    lines = [line for question in list(asked)[:MAX_WAITING] for line in _question(question)]
    lines += [f"- **{_step(step)}**" for step in now.steps if step.status == "running"]
    lines += [f"- {_undoing(one)}" for one in now.compensations if one.status in ("undoing", "failed")]
    lines += [f"- {way}" for way in ways(now.transitions)[-MACHINES:]]
    lines += [f"- waits until {wait.until:%H:%M:%S} UTC: {wait.reason}" for wait in now.waits]
    if report.total.calls:
        lines.append(f"- {_money(report.total)}")
        lines += [f"  - model `{name}`: {_money(totals)}" for name, totals in report.by_model.items()]
        lines += [f"  - prompt `{name}`: {_money(totals)}" for name, totals in report.by_prompt.items()]
    return "\n".join(lines)


def _question(question: Question) -> Iterator[str]:
    """What is asked, for whom, since when, and how to answer."""
    who = ", ".join(question.approvers) or "anyone"
    votes = f", {len(question.votes)} of {question.quorum} approved" if question.quorum > 1 else ""
    until = f", until {question.deadline:%Y-%m-%d %H:%M} UTC" if question.deadline else ""
    yield f"- **{question.name}** waits for {who}{votes} since {question.asked_at:%Y-%m-%d %H:%M} UTC{until}"
    if title := _title(question):
        yield f"  - {_without_formulas(title)}"
    if question.details and (payload := _short(_beginning(question.payload))):
        yield f"  - {_without_formulas(payload)}"
    yield f"  - `{command('approve', workflow.info().workflow_id, question)}`"
    answer: dict[str, JsonValue] = {"approval": question.exact, "approved": True, "by": next_voter(question)}
    if question.form:
        answer["form"] = dict.fromkeys(fields_of(question), "...")
    yield f"  - or send the signal `{DECIDE.name}` with `{json.dumps(answer, ensure_ascii=False)}`"
    for n, line in enumerate(question.details.strip()[:MAX_DETAILS].splitlines()[1:]):
        yield f"  {_without_formulas(line)}" if n else f"\n  {_without_formulas(line)}"


def _without_formulas(text: str) -> str:
    """The Web UI takes what stands between two `$` for a formula."""
    return text.replace("$", "&#36;")


def _step(step: StepRecord) -> str:
    failed = f", {step.failed} failed" if step.failed else ""
    return step.path if step.total is None else f"{step.path}: {step.done or 0} of {step.total}{failed}"


def _undoing(one: Compensation) -> str:
    what = "could not undo" if one.status == "failed" else "undoes"
    return f"{what} {one.path} by `{one.name}`" + (f": {one.error}" if one.error else "")


def _money(totals: Totals) -> str:
    usage = totals.usage
    calls = "1 call" if totals.calls == 1 else f"{totals.calls:,} calls"
    unknown = f", and {totals.unpriced_calls:,} of unknown price" if totals.unpriced_calls else ""
    # Not `$`, see `_without_formulas`.
    return f"{totals.usd:.4f} USD{unknown} · {calls} · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"


def show(text: str, shown: str) -> str:
    """Show details, unless the user's code shows its own; `shown` is what we showed last. What is shown now."""
    current = workflow.get_current_details()
    if current not in ("", shown) or text == shown:
        return shown
    workflow.set_current_details(text)
    return text
