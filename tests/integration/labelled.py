"""Workflows that say with which versions of a prompt they asked."""

from temporalio import workflow

from llmflow import flow

PLAN = "labelled/plan"


@workflow.defn
class Continued:
    """Asks once, waits for a signal, continues as new into a run with a child; all three return their versions."""

    def __init__(self) -> None:
        self.may_go_on = False

    @workflow.signal
    def go_on(self) -> None:
        self.may_go_on = True

    @workflow.run
    async def run(self, before: list[str]) -> list[str]:
        asked = await flow.complete(PLAN, {"goal": "a trip"})
        if not before:
            await workflow.wait_condition(lambda: self.may_go_on)
            workflow.continue_as_new([asked.prompt.version])
        child = await workflow.execute_child_workflow(Once.run, id=f"{workflow.info().workflow_id}-child")
        return [*before, asked.prompt.version, child]


@workflow.defn
class Once:
    @workflow.run
    async def run(self) -> str:
        return (await flow.complete(PLAN, {"goal": "a trip"})).prompt.version


@workflow.defn
class Items:
    """Asks once for itself, for each item, and in a child of each; items without a label ask at the end."""

    @workflow.run
    async def run(self, items: list[str]) -> list[list[str]]:
        own = [(await flow.complete(PLAN, {"goal": "a trip"})).prompt.version]
        labelled = await flow.fan_out(items, self.ask, label=str)
        plain = await flow.fan_out(items, self.ask_once)
        return [own, *labelled.values, plain.values]

    async def ask(self, item: str) -> list[str]:
        child = await workflow.execute_child_workflow(Once.run, id=f"{workflow.info().workflow_id}-{item}")
        return [await self.ask_once(item), child]

    async def ask_once(self, item: str) -> str:
        return (await flow.complete(PLAN, {"goal": item})).prompt.version
