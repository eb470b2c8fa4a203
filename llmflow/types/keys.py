"""Idempotency keys: one key for one effect over all attempts."""

from dataclasses import dataclass

from llmflow.types.addresses import joined, names_of, number_of, repeated


@dataclass(frozen=True)
class SharedKey:
    """The key of one action of a saga, and the address of the calls that use it: the action or its compensation."""

    text: str
    path: tuple[str, ...]

    def of(self, activity_id: str | None) -> str:
        """Return the key of one activity: the shared key for each tool's first call at the address.

        Further calls of a tool are other effects. Their keys add the path below the address, which is equal in an
        action and in a compensation that makes the same calls.
        """
        names = names_of(activity_id or "")
        depth = len(self.path)
        if names[:depth] != self.path or not names[depth:]:
            return self.text
        *inside, call = names[depth:]
        key, number = joined((self.text, *inside)), number_of(call)
        return repeated(key, number) if number else f"{key}#{call}"
