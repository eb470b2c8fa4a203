"""Delegation: other agents, and workflows, as tools that an agent asks and gets an answer from."""

import inspect
from typing import Any, cast, get_type_hints

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json
from temporalio import workflow

from llmflow.errors import ToolArgumentsInvalid
from llmflow.flow.agents.agent import AnyAgent
from llmflow.flow.agents.loop import run_agent
from llmflow.flow.agents.offers import Offer
from llmflow.flow.arguments import invalid
from llmflow.flow.prompts import Variables
from llmflow.sdk.definitions import Definition
from llmflow.types.conversations import KeptResult
from llmflow.types.problems import described
from llmflow.types.tools import ToolSpec


class Task(BaseModel):
    """Arguments of an agent that is a tool."""

    task: str
    """The whole task: the agent reads nothing else of the conversation."""


def agent_tool(agent: AnyAgent, *, description: str | None = None, variables: Variables = None) -> Offer:
    """Offer an agent as a tool: it works on a task in a step and a conversation of its own, and its answer comes back.

    Args:
        agent: The agent; the tool has its name.
        description: What it is good for; the agent's own by default.
        variables: Values for its prompt.

    Raises:
        InputInvalid: there is no description.
    """
    said = description or agent.description
    if not said:
        raise invalid("description", f"agent {agent.name!r} as a tool: give description=, which the model is told")

    async def call(arguments: dict[str, JsonValue], is_local: bool) -> KeptResult:
        task = cast(Task, _read(agent.name, TypeAdapter(Task), arguments))
        result = await run_agent(agent, task.task, variables=variables)
        return KeptResult(text=_text(result.output))

    return Offer(spec=ToolSpec(name=agent.name, description=said, json_schema=Task.model_json_schema()), call=call)


def workflow_tool(run: Any, *, name: str, description: str) -> Offer:  # Any: the class of any workflow
    """Offer a workflow as a tool: each call is a child workflow.

    Args:
        run: The workflow's class. Its `run` takes one argument: a pydantic model or dataclass, whose fields the model
            fills in.
        name: Name for the model: letters, digits, `_` and `-`.
        description: What it does, for the model.

    Raises:
        InputInvalid: the class is no workflow, or its `run` does not take one argument with fields.
    """
    adapter = _argument(run)

    async def call(arguments: dict[str, JsonValue], is_local: bool) -> KeptResult:
        given = _read(name, adapter, arguments)
        result: object = await workflow.execute_child_workflow(Definition(run).method, given)
        return KeptResult(text=_text(result))

    schema = cast(dict[str, JsonValue], adapter.json_schema())
    return Offer(spec=ToolSpec(name=name, description=description, json_schema=schema), call=call)


def _argument(run: Any) -> TypeAdapter[Any]:  # Any: of any type
    try:
        method = Definition(run).method
    except (AttributeError, TypeError, ValueError):
        raise invalid("run", f"{run!r:.100} is no workflow: give a class with @workflow.defn") from None
    _, *parameters = inspect.signature(method).parameters
    if len(parameters) == 1:
        adapter: TypeAdapter[Any] = TypeAdapter(get_type_hints(method).get(parameters[0], object))
        if "properties" in adapter.json_schema():
            return adapter
    raise invalid("run", f"workflow {run.__name__}: its `run` has to take one argument with fields, such as a model")


def _read(name: str, adapter: TypeAdapter[Any], arguments: dict[str, JsonValue]) -> object:  # Any: as above
    try:
        return adapter.validate_json(to_json(arguments))
    except ValidationError as error:
        raise ToolArgumentsInvalid(f"tool {name!r}: {described(error)}") from None


def _text(answer: object) -> str:
    return answer if isinstance(answer, str) else to_json(answer).decode()
