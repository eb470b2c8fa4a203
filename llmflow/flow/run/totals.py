"""Totals: usage and cost of a run so far. The store enforces the budget; this is a view."""

from collections.abc import Callable, Iterator, Mapping

from temporalio import workflow
from temporalio.common import RawValue

from llmflow.flow.run.part import Part
from llmflow.types.carried import Carried
from llmflow.types.completions import CompletionResult
from llmflow.types.contracts import SPENT, USAGE
from llmflow.types.refs import PromptRef
from llmflow.types.texts import code
from llmflow.types.usage import Totals, UsageReport


class RunTotals(Part):
    """Usage and cost of a run, including earlier runs of its continue-as-new chain and its batches."""

    def __init__(self, counted: Callable[[UsageReport], None]) -> None:
        """Start at zero.

        Args:
            counted: Called with each added amount.
        """
        self.usage = UsageReport()
        self._counted = counted

    def answer(self) -> None:
        """See base class."""
        workflow.set_query_handler(USAGE.name, self.asked)
        workflow.set_signal_handler(SPENT.name, self.told)

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self.usage = carried.usage or self.usage

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {"usage": self.usage}

    def page(self) -> Iterator[str]:
        """See base class."""
        if self.usage.total.calls or self.usage.total.usd:  # tools have charged
            yield f"- {_money(self.usage.total)}"
            yield from (f"  - model {code(name)}: {_money(totals)}" for name, totals in self.usage.by_model.items())
            yield from (f"  - prompt `{name}`: {_money(totals)}" for name, totals in self.usage.by_prompt.items())

    def asked(self) -> UsageReport:
        """Answer the query `llmflow.usage`."""
        return self.usage

    def told(self, sent: RawValue) -> None:
        """Add the usage of a batch child that closed without a result. Signals with other content are ignored."""
        try:
            usage = workflow.payload_converter().from_payload(sent.payload, UsageReport)
        except Exception:  # of any class: anyone can send a signal, and none may fail the run
            return
        self.count(usage)

    def spent(self, prompt: PromptRef, result: CompletionResult) -> None:
        """Add one answer: as paid, or as reused by a forked run."""
        one = Totals().plus(result.usage, result.cost)
        if result.taken:
            self.count(UsageReport(taken=one, taken_by_prompt={str(prompt): one}))
        else:
            self.count(UsageReport(total=one, by_model={result.model: one}, by_prompt={str(prompt): one}))

    def count(self, usage: UsageReport) -> None:
        """Add usage of this run or of a child."""
        self.usage += usage
        self._counted(usage)


def _money(totals: Totals) -> str:
    usage = totals.usage
    calls = "1 call" if totals.calls == 1 else f"{totals.calls:,} calls"
    unknown = f", and {totals.unpriced_calls:,} of unknown price" if totals.unpriced_calls else ""
    # Not `$`: the Web UI renders text between two of them as a formula.
    return f"{totals.usd:.4f} USD{unknown} · {calls} · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
