"""Constants: the `config` of Apps that a run has pinned."""

import asyncio
from collections.abc import Mapping

from llmflow.flow.run.part import Part
from llmflow.types.carried import Carried
from llmflow.types.constants import Constants, PinnedConstants


class RunConstants(Part):
    """Constants by App, fixed from their first use to the end of the run. Children keep those of their parent."""

    def __init__(self) -> None:
        self.resolving = asyncio.Lock()
        """Serializes requests: parallel first uses ask once."""
        self.own: PinnedConstants | None = None
        """Those of the run's own App, once it has read them: its App may have another name by the next replay."""
        self._by_app: Mapping[str, Constants] = {}

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._by_app = carried.config

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {"config": self._by_app}

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        return self.for_next()

    def learn(self, child: Carried) -> None:
        """Use the constants of a batch child for Apps without constants here."""
        self._by_app = {**child.config, **self._by_app}

    def find(self, app: str) -> PinnedConstants | None:
        """Return the constants of the run's own App; `None` if they are not pinned yet."""
        if self.own is None and app in self._by_app:
            self.own = PinnedConstants(app=app, values=self._by_app[app])
        return self.own

    def keep(self, pinned: PinnedConstants) -> PinnedConstants:
        """Pin the constants of the run's own App."""
        self._by_app = {**self._by_app, pinned.app: pinned.values}
        self.own = pinned
        return pinned
