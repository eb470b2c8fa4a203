"""Pinned prompt versions of a run and its descendants, from their histories."""

from collections.abc import Iterable

from temporalio.client import Client as TemporalClient

from llmflow.errors import PromptNotFound, did_you_mean
from llmflow.history.events import child_started, events_of
from llmflow.history.payloads import Payloads
from llmflow.history.recorded import decoded, local_results
from llmflow.types.contracts import CARRIED, RESOLVE
from llmflow.types.prompts import Pins
from llmflow.types.refs import folder_of


async def pinned(temporal: TemporalClient, id: str, run_id: str | None) -> dict[str, str]:
    """Return the versions by prompt name: all prompts of each folder that the run or a descendant has used.

    Raises:
        RPCError: Temporal's own.
    """
    events = [event async for event in events_of(temporal, id, run_id)]
    started = events[0].workflow_execution_started_event_attributes
    payloads = Payloads(temporal, id)
    carried = await payloads.header(CARRIED, started.header.fields)
    versions = {name: pin.version for name, pin in carried.prompts.items()} if carried else {}
    found = list(local_results(events, RESOLVE.name))
    context = payloads.of_local(started.workflow_type.name, RESOLVE.name)
    answers: list[Pins] = await payloads.read(decoded(found), [Pins] * len(found), context)
    for answer in answers:
        versions |= {name: pin.version for name, pin in answer.prompts.items()}
    for event in events:
        if child := child_started(event):
            versions = await pinned(temporal, child.workflow_id, child.run_id) | versions
    return versions


def check_names(id: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse the name of a prompt that is misspelt: its folder or a near name is known, and it is not.

    Raises:
        PromptNotFound: with the nearest name.
    """
    every = list(known)
    folders = {folder_of(name) for name in every}
    for name in names:
        near = did_you_mean(name, every)
        if name not in every and (near or folder_of(name) in folders):
            raise PromptNotFound(f"run {id!r} knows no prompt `{name}`{near}")
