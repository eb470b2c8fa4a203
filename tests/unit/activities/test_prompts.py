"""What a run pins when it asks."""

from pathlib import Path

import pytest

from llmflow.activities.prompts import PromptActivities
from llmflow.errors import ModelNotFound, PromptNotFound
from llmflow.flow._run import Run
from llmflow.providers.catalogue import Catalogue
from llmflow.stores.prompt_files import load_prompts
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.prompts import ResolveRequest

SMART = (Candidate(model="openai:big", options=ModelOptions(temperature=0.7, max_output_tokens=9)),)
FAST = (Candidate(model="openai:small"),)


def activities(folder: Path, **aliases: tuple[Candidate, ...]) -> PromptActivities:
    return PromptActivities(load_prompts(folder, "app"), Catalogue(providers={}, aliases=aliases))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ask.prompt").write_text("---\nmodel: smart\nconfig: {temperature: 0}\n---\nuser:\nhi\n")
    (tmp_path / "typo.prompt").write_text("---\nmodel: fsat\n---\nuser:\nhi\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "far.prompt").write_text("---\nmodel: fast\n---\nuser:\nhi\n")
    return tmp_path


async def test_prompts_beside_it_come_along_and_others_do_not(folder: Path) -> None:
    pins = await activities(folder, smart=SMART, fast=FAST).resolve(ResolveRequest(prompt="app/ask"))
    assert list(pins.prompts) == ["app/ask", "app/typo"]
    assert pins.models == {"smart": SMART}, "an alias that does not resolve is raised by the call that uses it"


async def test_a_call_may_name_another_model(folder: Path) -> None:
    request = ResolveRequest(prompt="app/ask", model="fast")
    pins = await activities(folder, smart=SMART, fast=FAST).resolve(request)
    assert pins.models == {"fast": FAST, "smart": SMART}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ResolveRequest(prompt="app/aks"), PromptNotFound),
        (ResolveRequest(prompt="app/typo"), ModelNotFound),
        (ResolveRequest(prompt="app/ask", model="smrt"), ModelNotFound),
    ],
)
async def test_what_is_asked_for_must_be_there(folder: Path, request_: ResolveRequest, error: type[Exception]) -> None:
    with pytest.raises(error):
        await activities(folder, smart=SMART).resolve(request_)


async def test_a_run_keeps_what_it_has(folder: Path) -> None:
    run = Run()
    assert run.pinned("app/ask", None) is None
    run.keep(await activities(folder, smart=SMART).resolve(ResolveRequest(prompt="app/ask")))
    began = run.pinned("app/ask", None)
    assert began is not None
    assert began.candidates[0].options == ModelOptions(temperature=0, max_output_tokens=9)

    (folder / "ask.prompt").write_text("---\nmodel: fast\n---\nuser:\nbye\n")
    (folder / "typo.prompt").write_text("---\nmodel: fast\n---\nuser:\nhi\n")
    later = activities(folder, smart=FAST, fast=FAST)
    assert run.alias("app/typo", None) == "fsat"
    with pytest.raises(ModelNotFound):  # typed, so that the run ends; a mended alias is for new runs
        await later.resolve(ResolveRequest(prompt="app/typo", model=run.alias("app/typo", None)))
    run.keep(await later.resolve(ResolveRequest(prompt="app/ask", model="fast")))
    assert run.pinned("app/ask", None) == began
