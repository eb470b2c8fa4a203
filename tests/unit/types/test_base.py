"""Fields that a class does not have: a mistake of whoever writes Python, and in JSON the word of a newer version."""

from datetime import timedelta

import pytest

from llmflow.errors import InputInvalid
from llmflow.types.approvals import Decide
from llmflow.types.base import Wire
from llmflow.types.budgets import Budget
from llmflow.types.calls import CallOptions
from llmflow.types.completions import CompletionRequest
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.refs import PromptRef


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        (ModelOptions, {"temprature": 1}, r"ModelOptions has no field `temprature` \(did you mean `temperature`\?\)"),
        (CallOptions, {"task_que": 1}, r"CallOptions has no field `task_que` \(did you mean `task_queue`\?\)"),
        (
            Budget,
            {"usd": 1, "unpricd": "allow"},
            r"Budget has no field `unpricd` .*; it has usd, unpriced, uncertain, full, id",
        ),
        (Decide, {"approval": "a", "aproved": True}, r"Decide has no field `aproved` \(did you mean `approved`\?\)"),
    ],
)
def test_a_misspelt_field_is_refused_with_the_nearest_name(
    kind: type[Wire], given: dict[str, object], says: str
) -> None:
    with pytest.raises(InputInvalid, match=says) as refused:
        kind(**given)
    assert refused.value.detail.field == list(given)[-1]


def test_so_are_misspelt_options_in_a_dictionary() -> None:
    prompt = PromptRef(name="hello/greet", version="0" * 12)
    with pytest.raises(InputInvalid, match="did you mean `temperature`"):
        CompletionRequest.model_validate({"prompt": prompt, "model": "a:b", "options": {"temprature": 1}})


def test_what_a_newer_version_wrote_is_read() -> None:
    read = Candidate.model_validate_json('{"model": "a:b", "options": {"temperature": 1, "novelty": 2}, "new": 3}')
    assert read == Candidate(model="a:b", options=ModelOptions(temperature=1))
    assert Budget.model_validate_json('{"usd": "0.5", "new": 1}') == Budget.model_validate({"usd": "0.5"})


def test_a_number_is_a_length_of_time_in_json_alone() -> None:
    """As it has always been in inputs of runs, and some are open."""
    assert CallOptions.model_validate_json('{"heartbeat_timeout": 90}').heartbeat_timeout == timedelta(seconds=90)
    with pytest.raises(InputInvalid, match="give a timedelta"):
        CallOptions.model_validate({"heartbeat_timeout": 90})
