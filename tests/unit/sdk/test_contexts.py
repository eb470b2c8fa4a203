from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from llmflow.sdk.contexts import ContextFreeSandbox
from llmflow.sdk.marks import definition_of


@workflow.defn
class One:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Other:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Lost:
    @workflow.run
    async def run(self) -> None: ...


LOST = Lost
del Lost


class Counting(ContextFreeSandbox):
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        made.append(det.defn.cls)
        return super().create_instance(det)


made: list[type] = []


async def test_a_module_is_imported_once_for_all_its_workflows() -> None:
    made.clear()
    sandbox = Counting()
    for one in (One, Other, One):
        sandbox.prepare_workflow(definition_of(one))
    assert made == [One]
    Counting().prepare_workflow(definition_of(Other))
    assert made == [One, Other], "another worker looks for itself"


@pytest.mark.parametrize("sandbox", [SandboxedWorkflowRunner(), ContextFreeSandbox()])
async def test_a_workflow_that_its_module_does_not_have_is_refused_as_plain(sandbox: Any) -> None:
    sandbox.prepare_workflow(definition_of(One))
    with pytest.raises(ImportError, match="Lost"):
        sandbox.prepare_workflow(definition_of(LOST))
