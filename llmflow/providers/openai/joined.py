"""Streamed answers, joined."""

from abc import ABC, abstractmethod
from time import monotonic

from llmflow.providers.openai.body import Json
from llmflow.types.providers import DeltaSink


class Joined(ABC):
    """A streamed answer; made when the request is sent."""

    def __init__(self, sink: DeltaSink) -> None:
        self.first_token: float | None = None
        """Seconds from the request to the first token."""
        self.so_far: Json = {}
        """Model, tier and usage that the stream has said so far."""
        self.is_over = False
        """True once the server said that the stream is complete."""
        self._began = monotonic()
        self._sink = sink

    def take(self, event: object) -> None:
        """Take the next event.

        Raises:
            ValidationError: the event does not have the API's format.
        """
        if self._add(event) and self.first_token is None:
            self.first_token = monotonic() - self._began

    def end(self) -> None:
        """Take the server's word that the stream is complete."""
        self.is_over = True

    @property
    @abstractmethod
    def whole(self) -> Json | None:
        """The answer in one piece; `None` until it is complete."""

    @abstractmethod
    def _add(self, event: object) -> bool:
        """Add an event; return True if it has a token."""
