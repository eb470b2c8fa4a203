"""`flow.approval`: people answer by update and by signal, in every place where a workflow may ask."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from llmflow.client import Run
from llmflow.errors import ApprovalNotFound, ApprovalRejected, DecisionRefused, LLMFlowError, RunNotCompleted
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.approvals import ApprovalReport, Question, Receipt
from tests.helpers.waiting import until
from tests.integration.asking import Ask, AskAll, Delegate, Insist, Refund, Revise, Said, Terms, Wipe, app

Json = dict[str, Any]  # Any: what people send


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


async def report(run: Run[Any]) -> ApprovalReport:
    return await run.handle.query("llmflow.approvals", result_type=ApprovalReport)


async def asked(run: Run[Any], *names: str) -> dict[str, Question]:
    """The open questions, as soon as these are open."""

    async def look() -> dict[str, Question]:
        found = {one.name: one for one in (await report(run)).questions if one.status == "open"}
        return found if found.keys() >= set(names) else {}

    return await until(look)


def yes(approval: str = "publish", by: str = "ana", **more: Any) -> Json:
    return {"approval": approval, "approved": True, "by": by, **more}


def no(approval: str = "publish", by: str = "ana", **more: Any) -> Json:
    return {"approval": approval, "approved": False, "by": by, **more}


async def update(run: Run[Any], answer: Json) -> Receipt:
    return await run.handle.execute_update("llmflow.decide", answer, result_type=Receipt)


async def refused(run: Run[Any], *answer: object) -> LLMFlowError:
    """Why the run does not take an update."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await run.handle.execute_update("llmflow.decide", args=answer)
    assert isinstance(failed.value.__cause__, LLMFlowError)
    return failed.value.__cause__


async def test_yes_by_update(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(payload={"title": "sagas"}), id=env.id())
    questions = await asked(run, "publish")
    assert questions["publish"].payload == {"title": "sagas"}

    assert await update(run, yes(comment="ship it")) == Receipt(approval="publish", status="approved")
    assert await run.result() == Said(
        approval="publish", approved=True, by="ana", comment="ship it", form=None, votes=["ana"]
    )
    assert await activities_of(run) == ["reach#1"]
    await assert_replays(run, app)


async def test_no_by_the_signal_of_a_client_that_has_nothing_of_ours(env: Environment, temporal: str) -> None:
    run = await env.client.start(Insist.run, id=env.id())
    await asked(run, "publish")

    plain = (await TemporalClient.connect(temporal)).get_workflow_handle(run.id)
    await plain.signal("llmflow.decide", no(comment="too long"))
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, ApprovalRejected)
    assert failed.value.__cause__.message == "ana rejected `publish`: too long"
    await assert_replays(run, app)


async def test_every_turn_of_a_loop_is_a_round(env: Environment) -> None:
    run = await env.client.start(Revise.run, id=env.id())
    await asked(run, "publish")
    assert (await update(run, no(comment="longer"))).approval == "publish"
    await asked(run, "publish#2")
    again = await refused(run, yes("publish#1"))
    assert "`publish` was already rejected by ana" in again.message
    assert "`publish#3`" in again.message
    assert (await update(run, no(comment="shorter"))).approval == "publish#2"  # the one that is open
    await asked(run, "publish#3")
    assert (await update(run, yes("publish#3"))).approval == "publish#3"

    assert await run.result() == ["publish: longer", "publish#2: shorter", "publish#3: "]
    assert [(one.name, one.status) for one in (await report(run)).questions] == [
        ("publish", "rejected"),
        ("publish#2", "rejected"),
        ("publish#3", "approved"),
    ]
    await assert_replays(run, app)


async def test_branches_ask_at_once_and_each_gets_its_own_answer(env: Environment) -> None:
    terms = [Terms(name="text"), Terms(name="picture"), Terms(name="text")]
    run = await env.client.start(AskAll.run, terms, id=env.id())
    await asked(run, "text", "picture", "text#2")

    ambiguous = await refused(run, yes("text"))
    assert isinstance(ambiguous, ApprovalNotFound)
    assert ambiguous.message == "`text` has 2 open rounds: name one of `text#1`, `text#2`"
    await update(run, yes("text#2", by="bo"))
    await update(run, no("picture", by="cy"))
    await update(run, yes("text"))  # only one is open by now
    said = await run.result()
    assert [(one.approval, one.approved, one.by) for one in said] == [
        ("text", True, "ana"),
        ("picture", False, "cy"),
        ("text#2", True, "bo"),
    ]
    await assert_replays(run, app)


async def test_a_child_asks_for_itself(env: Environment) -> None:
    run = await env.client.start(Delegate.run, Terms(), id=env.id())
    child = env.client.run(f"{run.id}-child")

    async def begun() -> bool:
        return [one.id async for one in env.client.temporal.list_workflows(f"WorkflowId = '{child.id}'")] != []

    await until(begun)
    await asked(child, "publish")
    assert isinstance(await refused(run, yes()), ApprovalNotFound)
    await update(child, yes())
    assert (await run.result()).by == "ana"
    await assert_replays(run, app)
    await assert_replays(child, app)


async def test_a_form_comes_back_typed_and_is_judged_before_it_counts(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(with_form=True), id=env.id())
    questions = await asked(run, "publish")
    assert (questions["publish"].form or {})["required"] == ["amount"]

    for answer, says in (
        (yes(), "`publish` asks for a form: send `form` with `amount`, `remark`"),
        (yes(form={"amount": "much"}), "the form does not fit (amount: Input should be a valid integer"),
    ):
        error = await refused(run, answer)
        assert isinstance(error, DecisionRefused)
        assert error.message.startswith(says)
        assert error.detail.field == "form"
    filled = Refund(amount=3, remark="sorry")
    await run.approve("publish", by="ana", form=filled)
    assert (await run.result()).form == filled
    await assert_replays(run, app)


async def test_a_rejection_needs_no_form(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(with_form=True), id=env.id())
    await asked(run, "publish")
    await update(run, no())
    assert (await run.result()).form is None


async def test_two_of_three_have_to_approve_and_each_counts_once(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(approvers=("ana", "bo", "cy"), quorum=2), id=env.id())
    await asked(run, "publish")

    stranger = await refused(run, yes(by="anna"))
    assert stranger.message == "`anna` may not decide `publish` (did you mean `ana`?): ana, bo, cy may"
    assert stranger.detail.field == "by"
    first = await update(run, yes(comment="fine"))
    assert first == Receipt(approval="publish", status="open", missing=1)
    assert await update(run, yes(comment="fine")) == first
    other = await refused(run, no())
    assert other.message.startswith("ana has approved `publish` already, at ")
    assert other.detail.field == "approved"
    assert (await update(run, yes(by="cy"))).status == "approved"

    said = await run.result()
    assert (said.by, said.votes) == ("cy", ["ana", "cy"])
    await assert_replays(run, app)


async def test_one_rejection_decides_whatever_the_quorum(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(quorum=3), id=env.id())
    await asked(run, "publish")
    await update(run, yes())
    assert (await update(run, no(by="bo"))).status == "rejected"
    assert (await run.result()).votes == ["ana", "bo"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ((yes("publsh"),), "no approval `publsh` is open (did you mean `publish`?); open: `publish`"),
        (({"approval": "publish", "approved": True},), "by: Field required; send an object like {"),
        ((yes(coment="x"),), "a decision has no field `coment` (did you mean `comment`?)"),
        ((yes(by=""),), "by: String should have at least 1 character"),
        ((yes(form={"amount": 1}),), "`publish` asks for no form: leave `form` out"),
        (([yes()],), "a decision is one JSON object, like {"),
        ((), "a decision is one JSON object, but this has none or several"),
        ((yes(), yes()), "a decision is one JSON object, but this has none or several"),
    ],
)
async def test_an_update_that_does_not_count_says_why_and_leaves_nothing_behind(
    env: Environment, sent: tuple[object, ...], says: str
) -> None:
    run = await env.client.start(Ask.run, Terms(), id=env.id())
    await asked(run, "publish")
    assert says in (await refused(run, *sent)).message
    await update(run, yes())
    assert (await run.result()).votes == ["ana"]
    assert (await report(run)).refused == ()
    await assert_replays(run, app)


async def test_signals_that_do_not_count_are_kept_with_their_reasons_and_break_nothing(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(approvers=("ana",)), id=env.id())
    await asked(run, "publish")
    sent: Sequence[tuple[Sequence[object], str]] = (
        ([], "a decision is one JSON object, but this has none or several"),
        ([yes(), yes()], "a decision is one JSON object, but this has none or several"),
        ([b"\xff"], "invalid decision: not JSON"),
        (["yes"], "a decision is one JSON object"),
        ([{"approval": "publish"}], "approved: Field required; by: Field required"),
        ([yes(why="x")], "a decision has no field `why`"),
        ([yes(by="bo")], "`bo` may not decide `publish`: ana may"),
        ([yes(comment="x" * 300_000)], "a decision of 300,"),
    )
    for values, _ in sent:
        await run.handle.signal("llmflow.decide", args=values)
    await run.handle.signal("llmflow.decide", yes())
    assert (await run.result()).by == "ana"

    await assert_replays(run, app)
    kept = (await report(run)).refused
    assert [says in one.reason for (_, says), one in zip(sent, kept, strict=True)] == [True] * len(sent)
    assert kept[4].sent == {"approval": "publish"}


async def test_an_answer_after_the_end_of_its_round_is_its_receipt_or_is_refused(env: Environment) -> None:
    run = await env.client.start(AskAll.run, [Terms(), Terms(name="other")], id=env.id())
    await asked(run, "publish", "other")
    given = await update(run, yes())
    assert await update(run, yes()) == given
    late = await refused(run, no(by="bo"))
    assert late.message.startswith("`publish` was already approved by ana at ")
    assert late.message.endswith("to decide on its next round in advance, name `publish#2`")
    await update(run, yes("other"))
    await run.result()
    await assert_replays(run, app)


async def test_a_signal_that_comes_before_its_question_waits_for_it(env: Environment) -> None:
    queue = env.id()
    run = await env.client.start(Revise.run, id=queue, task_queue=queue)
    early = [no(comment="a"), yes("publish#2", by="bo"), no("publish#2", by="bo", comment="but"), yes("publsh")]
    for answer in early:  # they arrive in the first workflow task, before any code of the workflow
        await run.handle.signal("llmflow.decide", answer)

    async with Worker(env.client.temporal, task_queue=queue, workflows=app.workflows):
        assert await run.result() == ["publish: a", "publish#2: "]
        found = await report(run)
        assert [one.approval for one in found.early] == ["publsh"]
        assert ["`publish#2` was already approved by bo" in one.reason for one in found.refused] == [True]
        await assert_replays(run, app)


async def test_a_tool_waits_for_approval_of_its_arguments(env: Environment) -> None:
    run = await env.client.start(Wipe.run, ["old", "new"], id=env.id())
    questions = await asked(run, "wipe", "wipe#2")
    assert (questions["wipe"].payload, questions["wipe"].details.splitlines()[0]) == (
        {"folder": "old"},
        "Delete a folder.",
    )
    await update(run, yes("wipe#1"))
    await update(run, no("wipe#2", comment="still needed"))
    assert await run.result() == ["old is gone", "ana rejected `wipe#2`: still needed"]
    assert await activities_of(run) == ["reach#1", "wipe#1"]
    await assert_replays(run, app)
