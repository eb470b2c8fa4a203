"""Answers of Bedrock in which a guardrail has masked words: they are answers, though they end like blocked ones.

Bedrock says `guardrail_intervened` for both (github.com/api7/aisix/pull/719), and litellm makes `content_filter` of it.
What the guardrail did is in the trace, which `extra: {guardrailConfig: {..., trace: enabled}}` asks for.
"""

from collections.abc import Iterator, Mapping
from typing import cast

_FILTERED = "content_filter"


def unmasked(answer: Mapping[str, object]) -> Mapping[str, object]:
    """Return an answer with the usual end if its guardrail masked words and blocked nothing."""
    actions = set(_actions(answer.get("trace")))
    choices = answer.get("choices")
    if "ANONYMIZED" not in actions or "BLOCKED" in actions or not isinstance(choices, list):
        return answer
    read = [cast(dict[str, object], choice) for choice in cast(list[object], choices)]
    ended = [{**one, "finish_reason": "stop"} if one.get("finish_reason") == _FILTERED else one for one in read]
    return {**answer, "choices": ended}


def _actions(trace: object) -> Iterator[str]:
    if isinstance(trace, Mapping):
        for name, value in cast(Mapping[str, object], trace).items():
            if name == "action" and isinstance(value, str):
                yield value.upper()
            yield from _actions(value)
    elif isinstance(trace, list):
        for one in cast(list[object], trace):
            yield from _actions(one)
