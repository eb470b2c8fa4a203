"""The prompts of an App's files."""

import pytest

from llmflow.errors import ConfigInvalid, PromptNotFound
from llmflow.prompts.files import parse_prompt
from llmflow.prompts.prompt import Prompts

PLAN = parse_prompt("user:\nplan", "research/plan", "plan.prompt")
WRITE = parse_prompt("user:\nwrite", "research/write", "write.prompt")
PROMPTS = Prompts([WRITE, PLAN])


def test_by_name_and_in_the_order_of_names() -> None:
    assert PROMPTS.get("research/plan") is PLAN
    assert list(PROMPTS) == [PLAN, WRITE]
    assert len(PROMPTS) == 2


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(PromptNotFound, match=r"no prompt `research/plam` \(did you mean `research/plan`\?\)") as caught:
        PROMPTS.get("research/plam")
    assert str(caught.value).endswith("It serves: research/plan, research/write")
    with pytest.raises(PromptNotFound, match="It serves no prompts"):
        Prompts().get("research/plan")


def test_two_files_of_one_name_are_refused() -> None:
    other = parse_prompt("user:\nother", "research/plan", "other.prompt")
    with pytest.raises(ConfigInvalid, match=r"`research/plan`: plan\.prompt and other\.prompt"):
        Prompts([PLAN, other])
