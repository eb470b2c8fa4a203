"""Options that stand above each other, and names of models."""

import pytest
from pydantic import ValidationError

from llmflow.types.models import Candidate, ModelOptions


def test_options_win_over_those_below() -> None:
    below = ModelOptions(temperature=0.5, max_output_tokens=100, extra={"user": "a", "seed": 1})
    above = ModelOptions(temperature=0, extra={"user": "b"})
    assert above.over(below) == ModelOptions(temperature=0, max_output_tokens=100, extra={"user": "b", "seed": 1})


def test_no_options_change_nothing() -> None:
    options = ModelOptions(top_p=0.5, extra={"seed": 1})
    assert ModelOptions().over(options) == options
    assert options.over(ModelOptions()) == options


@pytest.mark.parametrize("wrong", [{"max_output_tokens": 0}, {"reasoning_effort": "heroic"}, {"temperature": "hot"}])
def test_options_are_typed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ModelOptions.model_validate(wrong)


def test_a_candidate_is_a_provider_and_the_vendors_name() -> None:
    candidate = Candidate(model="local:llama3:8b")
    assert (candidate.provider, candidate.vendor_model) == ("local", "llama3:8b")
