"""The workflow around the machine: a run for each new colleague."""

from typing import Literal, cast

from temporalio import workflow

from workflows.onboarding.machine import Onboarding
from workflows.onboarding.schemas import Hire, Journey


@workflow.defn
class Onboard:
    """Brings a new colleague from the offer to the end of their first week."""

    @workflow.run
    async def run(self, hire: Hire) -> Journey:
        """Run the machine; all work happens in its states."""
        finished = await Onboarding().run(Journey(hire=hire))
        ended = cast(Literal["done", "lapsed"], finished.state.value)
        return finished.context.model_copy(update={"ended": ended})
