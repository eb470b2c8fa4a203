"""Answers that vendors send piece by piece, put together again."""

from abc import ABC, abstractmethod
from time import monotonic

from llmflow.providers.openai.body import Json
from llmflow.types.providers import DeltaSink


class Joined(ABC):
    """One answer that comes in events. It is made when the request is sent."""

    def __init__(self, sink: DeltaSink) -> None:
        self.first_token: float | None = None
        """Seconds from the request to the first token that came."""
        self._began = monotonic()
        self._sink = sink

    def take(self, event: object) -> None:
        """Take the next event.

        Raises:
            ValidationError: it is not what the API sends.
        """
        if self._add(event) and self.first_token is None:
            self.first_token = monotonic() - self._began

    @property
    @abstractmethod
    def whole(self) -> Json | None:
        """What the vendor would have answered in one piece; `None` as long as it is not over."""

    @abstractmethod
    def _add(self, event: object) -> bool:
        """Whether the event has a token."""
