"""Starts that are refused before anything is sent: there is no server here."""

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client as TemporalClient
from temporalio.common import RawValue

from llmflow.client import Client
from llmflow.client.inputs import same_input
from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.plugin import LLMFlowPlugin
from llmflow.types.budgets import Budget


class Question(BaseModel):
    text: str
    pages: int = 1


@workflow.defn
class Ask:
    @workflow.run
    async def run(self, question: Question) -> str:
        return question.text


@workflow.defn
class Tick:
    @workflow.run
    async def run(self) -> None:
        """Takes nothing."""


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str = "ana", loud: bool = False) -> str:
        return name


@workflow.defn
class Pass:
    @workflow.run
    async def run(self, value: RawValue) -> None:
        """Takes whatever it is."""


@workflow.defn
class Untyped:
    @workflow.run
    async def run(self, anything) -> None:  # pyright: ignore  # a user who writes no annotation
        """Takes whatever it is."""


async def started(workflow: Any, *given: object, **options: Any) -> BaseException:  # Any: right and wrong ones
    """The error of a start: one of the connection, if it comes so far."""
    temporal = await TemporalClient.connect("127.0.0.1:1", lazy=True, plugins=[LLMFlowPlugin()])
    with pytest.raises((InputInvalid, RuntimeError)) as raised:
        await Client(temporal, "nowhere").start(workflow, *given, **options)
    return raised.value


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        (
            {"id": "a", "tag": ["x"]},
            "tag",
            "start() has no option `tag` (did you mean `tags`?). It has id, task_queue,",
        ),
        ({"id": "a", "budgt": "0.50"}, "budgt", "no option `budgt` (did you mean `budget`?)"),
        ({"i": "a"}, "i", "start() has no option `i`"),
        ({}, "id", 'start() needs `id`: give id="...", which names the run'),
        ({"id": None}, "id", "start() needs `id`"),
        ({"id": 7}, "id", "id=7: give id="),
        ({"id": "a", "budget": "abc"}, "budget", """budget='abc': give a Budget, such as Budget(usd="0.50")"""),
        ({"id": "a", "budget": 0.5}, "budget", "budget=0.5: give a Budget"),
        ({"id": "a", "tags": "vip"}, "tags", "tags='vip': give a list, such as ['vip']"),
        ({"id": "a", "tags": [1]}, "tags", "tags=[1]: give a list of texts"),
        ({"id": "a", "start_delay": 10}, "start_delay", "start_delay=10: Input should be a valid timedelta"),
        ({"id": "a", "tenant": 7}, "tenant", "tenant=7: Input should be a valid string"),
        ({"id": "a", "priority": "first"}, "priority", "priority='first': Input should be an instance of Priority"),
        ({"id": "a", "retry_policy": 3}, "retry_policy", "retry_policy=3: Input should be an instance of RetryPolicy"),
        ({"id": "a", "start_signal_args": 3}, "start_signal_args", "start_signal_args=3: Input should be"),
    ],
)
async def test_an_option_that_cannot_be_used_is_named(options: dict[str, object], field: str, says: str) -> None:
    error = await started(Tick.run, **options)
    assert isinstance(error, InputInvalid)
    assert says in error.message
    assert error.detail.field == field


@pytest.mark.parametrize(
    ("workflow", "given", "says"),
    [
        (Ask.run, [{"txt": "why?"}], "Ask does not take this input: the value does not fit Question: text: Field req"),
        (Ask, [{"text": "why?", "pages": "x"}], "pages: Input should be a valid integer"),
        (Ask.run, ["why?"], "Ask does not take this input: the value does not fit Question"),
        (Ask.run, [], "workflow Ask: missing a required argument: 'question'"),
        (Tick.run, [1], "workflow Tick: too many positional arguments"),
        (Greet.run, [3], "Greet does not take this input: the value does not fit str"),
    ],
)
async def test_an_input_of_another_shape_is_refused(workflow: object, given: list[object], says: str) -> None:
    error = await started(workflow, *given, id="a")
    assert isinstance(error, InputInvalid)
    assert says in error.message


@pytest.mark.parametrize(
    ("workflow", "given"),
    [
        (Ask.run, [Question(text="why?")]),
        (Ask.run, [{"text": "why?"}]),
        (Ask.run, [RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?"))]),
        (Tick.run, []),
        (Greet.run, []),
        (Greet.run, ["bo"]),
        (Pass.run, [{"any": 1}]),
        (Untyped.run, [{"any": 1}]),
        ("Ask", [3]),
    ],
)
async def test_what_fits_or_cannot_be_known_is_sent(workflow: object, given: list[object]) -> None:
    options = {
        "budget": Budget.model_validate({"usd": "0.50"}),
        "tags": ("a", "b"),
        "tenant": None,
        "start_delay": None,
    }
    assert "Connection refused" in str(await started(workflow, *given, id="a", **options))


class Depth(BaseModel, strict=True):
    on: date
    pages: int = 1


@workflow.defn
class Dive:
    @workflow.run
    async def run(self, depth: Depth) -> None:
        """Takes a strict model."""


@pytest.mark.parametrize(
    ("workflow", "given", "recorded", "same"),
    [
        (Ask.run, [Question(text="why?")], [{"text": "why?", "pages": 1}], True),
        (Ask.run, [Question(text="why?")], [{"text": "why?"}], True),  # from before a field was added
        (Ask.run, [{"text": "why?"}], [{"text": "why?", "pages": 1}], True),
        (Ask.run, [Question(text="why?")], [{"text": "why not?"}], False),
        (Ask.run, [Question(text="why?")], [{"txt": "why?"}], False),  # from before a field was renamed
        (Ask.run, [Question(text="why?")], [], False),
        (Ask.run, [Question(text="why?")], [b"\xff"], False),  # which is no JSON
        (Dive.run, [Depth(on=date(2026, 1, 2))], [{"on": "2026-01-02"}], True),
        (Tick.run, [], [], True),
        (Tick.run, [], ["bob"], False),
        (Greet.run, [], [None], True),
        (Greet.run, ["ana", True], ["ana", False], False),
        (Untyped.run, [{"any": 1}], [{"any": 1}], True),
        (Untyped.run, [{"any": 1}], [{"any": 2}], False),
        ("Ask", [Question(text="why?")], [{"text": "why?", "pages": 1}], True),
        ("Ask", [Question(text="why?")], [{"text": "why?"}], False),  # of a mere name, nobody knows the defaults
    ],
)
async def test_whether_a_run_began_with_this_input(
    workflow: object, given: list[object], recorded: list[object], same: bool
) -> None:
    temporal = await TemporalClient.connect("127.0.0.1:1", lazy=True, plugins=[LLMFlowPlugin()])
    assert same_input(temporal, workflow, given, recorded) is same


async def test_what_cannot_be_told_a_schedule() -> None:
    temporal = await TemporalClient.connect("127.0.0.1:1", lazy=True, plugins=[LLMFlowPlugin()])
    client = Client(temporal, "queue")
    action = client.schedule_action(Ask.run, Question(text="why?"), id="a", tenant="acme", memo={"b": 1})
    assert (action.id, action.task_queue, action.memo) == ("a", "queue", {"b": 1, "llmflow.tenant": "acme"})
    assert action.priority.fairness_key == "acme"
    with pytest.raises(InputInvalid, match="a schedule takes no `start_delay`: leave it out"):
        client.schedule_action(Tick.run, id="a", start_delay=timedelta(hours=1))
    with pytest.raises(InputInvalid, match="Ask does not take this input"):
        client.schedule_action(Ask.run, {"txt": "?"}, id="a")  # pyright: ignore[reportArgumentType, reportCallIssue]  # on purpose
    with pytest.raises(InputInvalid, match=r"start\(\) needs `id`"):
        client.schedule_action(Tick.run)  # pyright: ignore[reportArgumentType, reportCallIssue]  # on purpose
    with pytest.raises(ConfigInvalid, match="no task queue"):
        Client(temporal).schedule_action(Tick.run, id="a")
