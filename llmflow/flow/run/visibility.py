"""Visibility: search attributes, the memo, and the page of the run in the Web UI."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from llmflow.flow.run.part import Part
from llmflow.flow.run.questions import waiting
from llmflow.types.approvals import Question, Settled, WaitingList
from llmflow.types.attributes import SearchAttributes
from llmflow.types.carried import Carried
from llmflow.types.contracts import DECIDED, WAITING
from llmflow.types.origins import Origin
from llmflow.types.usage import UsageReport

MAX_TAG = 255
"""Characters of one search attribute value that every visibility store of Temporal accepts."""
MAX_BYTES = 1900
"""Bytes of all values of one attribute, as JSON. Temporal terminates a run that upserts more than 2,048."""


class Visibility(Part):
    """Search attributes, memo and page of a run, as last written."""

    def __init__(self) -> None:
        self._names: SearchAttributes | None = None
        """Fixed once, by the first worker that reports the server's search attributes."""
        self._published: Mapping[str, object] = {}
        self._waiting = WaitingList()
        self._details = ""

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._names = carried.attributes
        self._waiting = workflow.memo_value(WAITING.name, None, type_hint=WAITING.value) or self._waiting

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {"attributes": self._names}

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        return self.for_next()

    def know(self, names: SearchAttributes | None) -> None:
        """Set the names of search attributes, unless the run has them already."""
        self._names = self._names or names

    def publish(self, origin: Origin, usage: UsageReport) -> None:
        """Upsert changed search attributes: one event."""
        found = attributes(self._names, origin, usage) if self._names else {}
        if self._names and found != self._published:
            self._published = found
            _write(found)

    def ask(self, questions: Iterable[Question], settled: Settled | None) -> None:
        """Upsert the open questions if they changed, and the one that was settled.

        It is one event, and one more if the search attribute changes.

        Every change is written at once: Temporal may replay two activations as one, so combined changes would differ.
        """
        now, memo = waiting(questions), dict[str, object]()
        if now != self._waiting:
            memo[WAITING.name] = now if now.open else None
        if settled:
            memo[DECIDED.name] = settled
        if not memo:
            return
        self._waiting = now
        workflow.upsert_memo(memo)
        if self._names and self._names.approval:
            names, key = _joined(now), SearchAttributeKey.for_keyword(self._names.approval)
            if names != workflow.info().typed_search_attributes.get(key, ""):
                workflow.upsert_search_attributes([key.value_set(names) if names else key.value_unset()])

    def show(self, text: str) -> None:
        """Set the page of the run in the Web UI, unless user code sets its own."""
        if workflow.get_current_details() in ("", self._details) and text != self._details:
            workflow.set_current_details(text)
            self._details = text


def attributes(names: SearchAttributes, origin: Origin, report: UsageReport) -> dict[str, float | tuple[str, ...]]:
    """Return the current search attributes by name."""
    found: dict[str, float | tuple[str, ...]] = {}
    if names.cost and report.total.calls and math.isfinite(usd := float(report.total.usd)):
        found[names.cost] = usd
    tags = _that_fit(dict.fromkeys(tag[:MAX_TAG] for tag in _tags(origin, report)))
    if names.tags and tags:
        found[names.tags] = tags
    return found


def _that_fit(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the first tags that fit; the ledger has all of them."""
    fitting: list[str] = []
    size = 2
    for tag in tags:
        size += len(json.dumps(tag)) + 1
        if size <= MAX_BYTES:
            fitting.append(tag)
    return tuple(fitting)


def _write(found: Mapping[str, float | tuple[str, ...]]) -> None:
    """Upsert search attributes: one event."""
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


def _joined(waiting: WaitingList) -> str:
    """Join the names that fit into one value."""
    joined = ""
    for question in waiting.open:
        longer = f"{joined},{question.name}" if joined else question.name
        joined = longer if len(longer) <= MAX_TAG and len(json.dumps(longer)) <= MAX_BYTES else joined
    return joined
