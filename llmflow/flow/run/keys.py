"""Idempotency keys: by the run and the address of a call, so that a reset repeats a call with its key."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from temporalio import workflow

from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.scope import key
from llmflow.types import wire
from llmflow.types.addresses import joined
from llmflow.types.carried import Carried
from llmflow.types.contracts import KEY, PLACE, RUN


class RunKeys(Part):
    """Beginnings of the keys of a run's calls.

    They have the run id of the start, which a reset keeps. Continue-as-new, a retry and cron start anew. A child has
    the beginning of its parent and its place in it, because a parent that is reset starts other children.
    """

    def __init__(self) -> None:
        self._parent = ""

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._parent = carried.key

    @cached_property
    def _own(self) -> str:
        """Beginning of the keys of calls whose ids are unique in this run alone."""
        info = workflow.info()
        # A child that continues as new, or is retried, repeats ids.
        if self._parent and info.first_execution_run_id == info.original_execution_run_id:
            place = PLACE.read(info.headers, workflow.payload_converter())
            return joined((self._parent, place or info.workflow_id))
        return joined((info.workflow_id, info.original_execution_run_id))

    @cached_property
    def _here(self) -> str:
        """Beginning of the keys of calls by address. An item has one address, however its fan-out is cut in batches."""
        return self._parent if workflow.info().workflow_type == wire.BATCH else self._own

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        return {"key": self._here}

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """See base class."""
        if shared := key.get():
            return {KEY: shared.of(activity_id)}
        if type.startswith(f"{wire.PREFIX}."):
            return {}
        beginning = self._here if activity_id else self._own
        own = f"{workflow.info().workflow_id}/"
        is_own = beginning == f"{own}{workflow.info().original_execution_run_id}"
        return {RUN: beginning.removeprefix(own) if is_own else beginning}

    def of_action(self, here: Sequence[str]) -> str:
        """Return the key of a saga's action at a path. With its `#`, it is the address of no call or step."""
        return f"{joined((self._here, *here))}#do"
