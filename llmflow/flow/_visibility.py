"""What people see of a run from outside: search attributes, and the details on its page of the Web UI."""

import json
from collections.abc import Iterable, Iterator, Mapping

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from llmflow.types.attributes import SearchAttributes
from llmflow.types.origins import Origin
from llmflow.types.steps import StepRecord, StepReport
from llmflow.types.usage import Totals, UsageReport

MAX_TAG = 255
"""Characters of one value of a search attribute that every database of Temporal's takes."""
MAX_BYTES = 1900
"""Of all values of one attribute, as JSON. Temporal terminates a run that writes more than 2,048."""


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


def details(now: StepReport, report: UsageReport) -> str:
    """Markdown: what the run does now first, since the box of the Web UI is four lines high; then what it cost."""
    lines = [f"- **{_step(step)}**" for step in now.steps if step.status == "running"]
    lines += [f"- waits until {wait.until:%H:%M:%S} UTC: {wait.reason}" for wait in now.waits]
    if report.total.calls:
        lines.append(f"- {_money(report.total)}")
        lines += [f"  - model `{name}`: {_money(totals)}" for name, totals in report.by_model.items()]
        lines += [f"  - prompt `{name}`: {_money(totals)}" for name, totals in report.by_prompt.items()]
    return "\n".join(lines)


def _step(step: StepRecord) -> str:
    return step.path if step.total is None else f"{step.path}: {step.done or 0} of {step.total}"


def _money(totals: Totals) -> str:
    usage = totals.usage
    calls = "1 call" if totals.calls == 1 else f"{totals.calls:,} calls"
    unknown = f", and {totals.unpriced_calls:,} of unknown price" if totals.unpriced_calls else ""
    # Not `$`: the Web UI takes two of them for a formula.
    return f"{totals.usd:.4f} USD{unknown} · {calls} · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"


def show(text: str, shown: str) -> str:
    """Show details, unless the user's code shows its own; `shown` is what we showed last. What is shown now."""
    current = workflow.get_current_details()
    if current not in ("", shown) or text == shown:
        return shown
    workflow.set_current_details(text)
    return text
