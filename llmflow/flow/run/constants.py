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

    def of(self, app: str) -> Constants | None:
        """Return the constants of an App; `None` if they are not pinned yet."""
        return self._by_app.get(app)

    def keep(self, pinned: PinnedConstants) -> Constants:
        """Pin the constants of an App."""
        self._by_app = {**self._by_app, pinned.app: pinned.values}
        return pinned.values
