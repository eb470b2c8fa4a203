"""The prompts that a worker serves: by name, and by reference."""

import pytest

from llmflow.errors import ConfigInvalid, PromptNotFound, PromptVersionMissing
from llmflow.stores.prompt_files import parse_prompt
from llmflow.stores.prompts import Prompts
from llmflow.types.prompts import PromptRef

PLAN = parse_prompt("user:\nplan", "research/plan", "plan.prompt")
WRITE = parse_prompt("user:\nwrite", "research/write", "write.prompt")
PROMPTS = Prompts([WRITE, PLAN])


def test_by_name_and_by_reference() -> None:
    assert PROMPTS.get("research/plan") is PLAN
    assert PROMPTS.get(PLAN.ref) is PLAN
    assert list(PROMPTS) == [PLAN, WRITE]
    assert len(PROMPTS) == 2


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(PromptNotFound, match=r"no prompt `research/plam` \(did you mean `research/plan`\?\)") as caught:
        PROMPTS.get("research/plam")
    assert str(caught.value).endswith("It serves: research/plan, research/write")
    with pytest.raises(PromptNotFound, match="It serves no prompts"):
        Prompts().get("research/plan")


def test_an_old_version_says_what_is_served_now() -> None:
    old = PromptRef(name="research/plan", version="0123456789ab")
    with pytest.raises(PromptVersionMissing, match=f"`research/plan@0123456789ab`.* is `{PLAN.ref.version}` now"):
        PROMPTS.get(old)


def test_two_files_of_one_name_are_refused() -> None:
    other = parse_prompt("user:\nother", "research/plan", "other.prompt")
    with pytest.raises(ConfigInvalid, match=r"`research/plan`: plan\.prompt and other\.prompt"):
        Prompts([PLAN, other])
