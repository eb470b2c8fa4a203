"""The claims desk: read each letter, let people decide above a limit, and pay in a saga."""

from temporalio import workflow

from llmflow import flow
from llmflow.errors import LLMFlowError
from workflows.claims.schemas import (
    Approval,
    Claim,
    Facts,
    Folder,
    Job,
    Report,
    Settled,
    Sorted,
    Summary,
    Unsettled,
)
from workflows.claims.tools import (
    announce_payment,
    list_letters,
    pay_claim,
    read_letter,
    release_money,
    reserve_money,
    withdraw_letter,
)

AT_ONCE = 8
"""Letters at a time, so that a large folder does not exceed the limits of a vendor."""


@workflow.defn
class ClaimsDesk:
    """Settles the claims of a folder, and lists the letters that need a person."""

    @workflow.run
    async def run(self, folder: Folder) -> Report:
        """Run the desk. One letter that cannot be settled does not keep the others from it."""
        async with flow.step("list"):
            paths = await flow.call_tool(list_letters, folder.documents)
        jobs = [Job(folder=folder, path=path) for path in paths]
        found = await flow.fan_out(jobs, self.settle, limit=AT_ONCE, on_error="collect")
        unsettled = [Unsettled(path=paths[one.index], reason=_reason(one.error)) for one in found.failures]
        async with flow.step("report"):
            asked = {"settled": found.values, "unsettled": unsettled}
            summary = (await flow.complete("claims/report", asked, output=Summary)).output
        return Report(letters=len(paths), settled=found.values, unsettled=unsettled, summary=summary.text)

    async def settle(self, job: Job) -> Settled:
        """Settle one claim: pay it at once up to the limit; above it, an adjuster decides if, and how much."""
        folder = job.folder
        letter = await flow.call_tool(read_letter, folder.documents, job.path)
        async with flow.step("classify"):
            kind = (await flow.complete("claims/classify", {"text": letter.text}, output=Sorted)).output.kind
        async with flow.step("extract"):
            facts = (await flow.complete("claims/extract", {"text": letter.text}, output=Facts)).output
        cents, decided_by = facts.cents, "the limit"
        if cents > folder.limit:
            decision = await flow.approval(
                f"payment {facts.number}",
                facts,
                form=Approval,
                approvers=folder.adjusters,
                timeout=folder.answer_within,
                on_timeout="reject",
                details=f"**{facts.amount}** for {kind} damage, claim {facts.number}",
            )
            decided_by = decision.by
            if decision.form is None:
                return Settled(number=facts.number, kind=kind, status="rejected", decided_by=decided_by)
            cents = min(decision.form.cents, cents)
        await self.pay(Claim(number=facts.number, account=facts.account, cents=cents))
        return Settled(number=facts.number, kind=kind, status="paid", cents=cents, decided_by=decided_by)

    async def pay(self, claim: Claim) -> None:
        """Pay a claim, or leave nothing behind: no money put aside, and no letter that promises it."""
        async with flow.Saga() as saga:
            await saga.do(reserve_money, claim, undo=release_money)
            await saga.do(announce_payment, claim, undo=withdraw_letter)
            await flow.call_tool(pay_claim, claim)


def _reason(error: Exception | None) -> str:
    return error.message if isinstance(error, LLMFlowError) else f"{error} ({error.__cause__})" if error else ""
