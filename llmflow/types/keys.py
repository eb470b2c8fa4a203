"""Idempotency keys: one name for one effect, however often it is tried."""

from dataclasses import dataclass

KEY = "llmflow.key"
"""The header of an activity that has one from its workflow: an action and its compensation share it."""


@dataclass(frozen=True)
class SharedKey:
    """The key of one action of a saga, and where its calls are made: in the action, or in its compensation."""

    text: str
    path: tuple[str, ...]

    def of(self, activity_id: str | None) -> str:
        """The key of one activity: the shared one for the first call of each tool in that place.

        A function may call a tool more than once. Those calls are other effects, whose keys say where they are made
        below the place, which is the same in the action and in a compensation that is written like it.
        """
        place = "".join(f"{name}/" for name in self.path)
        if activity_id is None or not activity_id.startswith(place):
            return self.text
        inside, _, call = activity_id.removeprefix(place).rpartition("/")
        number = call.rpartition("#")[2]
        return self.text + (f"/{inside}" if inside else "") + (f"#{number}" if number != "1" else "")
