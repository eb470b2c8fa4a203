"""Totals: what a run has spent so far. The budget is enforced in the store; this is a view."""

from collections.abc import Callable, Iterator, Mapping

from temporalio import workflow
from temporalio.common import RawValue

from llmflow.flow.run.part import Part
from llmflow.types.carried import Carried
from llmflow.types.completions import CompletionResult
from llmflow.types.contracts import SPENT, USAGE
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Totals, UsageReport


class RunTotals(Part):
    """Usage and cost of a run, with those of the runs that it continues and of its batches."""

    def __init__(self, counted: Callable[[UsageReport], None]) -> None:
        """Answer with nothing spent yet.

        Args:
            counted: Called with each amount that was added.
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
        if self.usage.total.calls:
            yield f"- {_money(self.usage.total)}"
            yield from (f"  - model `{name}`: {_money(totals)}" for name, totals in self.usage.by_model.items())
            yield from (f"  - prompt `{name}`: {_money(totals)}" for name, totals in self.usage.by_prompt.items())

    def asked(self) -> UsageReport:
        """Totals so far."""
        return self.usage

    def told(self, sent: RawValue) -> None:
        """Count what a child has spent that ended without a result. What no child of ours sends is ignored."""
        try:
            usage = workflow.payload_converter().from_payload(sent.payload, UsageReport)
        except Exception:  # of whatever class: anybody can send a signal, and none may fail the run
            return
        self.count(usage)

    def spent(self, prompt: PromptRef, result: CompletionResult) -> None:
        """Count one answer: as paid, unless a forked run took it over."""
        one = Totals().plus(result.usage, result.cost)
        if result.taken:
            self.count(UsageReport(taken=one, taken_by_prompt={str(prompt): one}))
        else:
            self.count(UsageReport(total=one, by_model={result.model: one}, by_prompt={str(prompt): one}))

    def count(self, usage: UsageReport) -> None:
        """Add what was spent here or in a child."""
        self.usage += usage
        self._counted(usage)


def _money(totals: Totals) -> str:
    usage = totals.usage
    calls = "1 call" if totals.calls == 1 else f"{totals.calls:,} calls"
    unknown = f", and {totals.unpriced_calls:,} of unknown price" if totals.unpriced_calls else ""
    # Not `$`: the Web UI takes what stands between two of them for a formula.
    return f"{totals.usd:.4f} USD{unknown} · {calls} · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
