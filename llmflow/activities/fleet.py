"""The workers of a task queue: what one of them lacks, another may have."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from temporalio import activity
from temporalio.common import RawValue

from llmflow.errors import ConfigInvalid, ModelNotFound, PromptNotFound, ToolNotFound
from llmflow.types.base import changed


@dataclass(frozen=True)
class Fleet:
    """The workers of a task queue, as one of them knows them."""

    is_one_worker: bool = False
    """True if no other worker serves the queue, as in a test: what this one lacks then fails the call at once."""

    @contextmanager
    def may_have(self) -> Generator[None]:
        """Mark an error about something that this worker lacks, so that the workflow makes the call again elsewhere."""
        try:
            yield
        except (ConfigInvalid, ModelNotFound, PromptNotFound, ToolNotFound) as error:
            if self.is_one_worker:
                raise
            detail = changed(error.detail, elsewhere=True, retry=False)
            raise type(error)(error.message, detail).with_traceback(error.__traceback__) from None


@activity.defn(dynamic=True)
async def unserved(arguments: Sequence[RawValue]) -> NoReturn:
    """Refuse an activity of a name that the only worker does not serve. Temporal would try it again.

    Raises:
        ToolNotFound: always.
    """
    name = activity.info().activity_type
    raise ToolNotFound(f"no worker here serves tool {name!r}: add it to its App(tools=[...])")
