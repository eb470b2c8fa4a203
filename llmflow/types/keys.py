"""Idempotency keys: one name for one effect, however often it is tried."""

from dataclasses import dataclass

from llmflow.types.addresses import joined, names_of, number_of, repeated


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
        names = names_of(activity_id or "")
        depth = len(self.path)
        if names[:depth] != self.path or not names[depth:]:
            return self.text
        *inside, call = names[depth:]
        key, number = joined((self.text, *inside)), number_of(call)
        return repeated(key, number) if number else f"{key}#{call}"
