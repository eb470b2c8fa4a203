"""The activity behind `flow.config`."""

from collections.abc import Mapping

from temporalio import activity

from llmflow.activities.fleet import Fleet
from llmflow.activities.forks.histories import Histories
from llmflow.errors import ConfigInvalid
from llmflow.types.constants import Constants, ConstantsRequest, PinnedConstants
from llmflow.types.contracts import CONFIG


class ConstantActivities:
    """Reads the constants of the Apps that a worker serves."""

    def __init__(self, by_app: Mapping[str, Constants], histories: Histories, fleet: Fleet) -> None:
        self._by_app = by_app
        self._fleet = fleet
        self._histories = histories

    @activity.defn(name=CONFIG.name)
    async def read(self, request: ConstantsRequest) -> PinnedConstants:
        """Read the constants of an App. A forked run keeps those of the original run.

        Raises:
            ConfigInvalid: this worker does not serve the App.
            RunNotFound: the history of the original run was deleted.
        """
        for source in await self._histories.sources(request.fork) if request.fork else ():
            kept = await source.constants()
            if request.app in kept:
                return PinnedConstants(app=request.app, values=kept[request.app])
        with self._fleet.may_have():
            if request.app not in self._by_app:
                known = ", ".join(self._by_app)
                raise ConfigInvalid(f"this worker does not serve App {request.app!r}: it serves {known}")
        return PinnedConstants(app=request.app, values=self._by_app[request.app])
