"""Search attributes of a namespace: each is added for itself, and runs do without those that cannot be."""

import logging
import uuid
from dataclasses import replace

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import (
    Client as TemporalClient,
)
from temporalio.client import (
    CountWorkflowsInput,
    Interceptor,
    OutboundInterceptor,
    WorkflowExecutionCount,
)
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from llmflow.client import Client
from llmflow.client.search_attributes import add_attributes, known_attributes
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ServerUnavailable
from llmflow.types.attributes import SearchAttributes
from llmflow.worker.search_attributes import add_missing, known_to_the_server
from tests.helpers.waiting import until

KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST


@pytest.fixture
async def full(temporal: str) -> TemporalClient:
    """A namespace that has all the KeywordLists for which it has room: `A`, `B` and `C`."""
    name = f"full-{uuid.uuid4()}"
    client = await TemporalClient.connect(temporal, namespace=name)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
    )

    async def filled() -> bool:
        request = AddSearchAttributesRequest(namespace=name, search_attributes=dict.fromkeys("ABC", KEYWORD_LIST))
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError:  # every part of the server has to learn of the namespace
            return False
        return True

    await until(filled)
    return client


async def test_one_for_which_there_is_no_room_holds_up_no_other(full: TemporalClient) -> None:
    wanted = SearchAttributes(cost="Cost", tags="Tags", approval="Approval")
    with pytest.raises(ConfigInvalid, match=r"'Tags': .* more than 3 .* Rename or omit them"):
        await add_attributes(full, wanted)
    assert await known_attributes(full, wanted) == SearchAttributes(cost="Cost", approval="Approval")


async def test_one_of_another_type_holds_up_no_other_and_every_refusal_is_named(full: TemporalClient) -> None:
    wanted = SearchAttributes(cost="A", tags="Tags", approval="Approval")
    with pytest.raises(ConfigInvalid, match=r"A of namespace full-.* is a KeywordList, but .* a Double; .*'Tags'"):
        await add_attributes(full, wanted)
    assert await known_attributes(full, wanted) == SearchAttributes(approval="Approval")


class Counts(Interceptor):
    """Return True if the server accepted each filter by which runs were counted."""

    def __init__(self) -> None:
        self.taken: list[bool] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        taken = self.taken

        class Outbound(OutboundInterceptor):
            async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
                taken.append(False)
                counted = await super().count_workflows(input)
                taken[-1] = True
                return counted

        return Outbound(next)


async def test_a_name_that_has_to_be_quoted_is_known_to_the_server(temporal: str, full: TemporalClient) -> None:
    counts = Counts()
    client = await TemporalClient.connect(temporal, namespace=full.namespace, interceptors=[counts])
    assert await add_attributes(client, SearchAttributes(cost="Our Cost", approval="Our-Approval")) == (
        "Our Cost",
        "Our-Approval",
    )
    assert counts.taken[-1]


async def test_each_namespace_of_one_worker_has_its_own(temporal: str, full: TemporalClient) -> None:
    settings = Settings(search_attributes={"cost": "LlmCostUsd", "tags": "Tags", "approval": None})
    with pytest.raises(ConfigInvalid, match="Tags"):  # there is room for the first one alone
        await add_attributes(full, settings.attributes)
    other = await TemporalClient.connect(temporal)
    await add_attributes(other, settings.attributes)

    asked, found = known_to_the_server(settings), list[str | None]()
    for client in (full, other, full):
        known = await ActivityEnvironment(client=client).run(asked)
        assert known.cost == "LlmCostUsd"
        found.append(known.tags)
    assert found == [None, "Tags", None]


async def test_a_worker_does_without_whatever_the_server_says(temporal: str, caplog: pytest.LogCaptureFixture) -> None:
    # RESOURCE_EXHAUSTED: the name is more than a server takes.
    client = await TemporalClient.connect(temporal, namespace="n" * 5_000_000)
    environment = ActivityEnvironment(client=client)
    with caplog.at_level(logging.WARNING, "llmflow.worker"):
        await add_missing(Client(client), Settings())
        with pytest.raises(ServerUnavailable):  # it may only be away for a moment
            await environment.run(known_to_the_server(Settings()))
        environment.info = replace(environment.info, attempt=5)
        assert await environment.run(known_to_the_server(Settings())) == SearchAttributes()
    assert [record.message.count("larger than max") for record in caplog.records] == [1, 1]
