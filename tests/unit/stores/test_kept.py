"""Served versions outlive the edit of their file."""

from pathlib import Path

import pytest

from llmflow.errors import ConfigInvalid, PromptVersionMissing
from llmflow.stores.prompt_files import load_prompts
from llmflow.types.prompts import PromptRef


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files/deep").mkdir(parents=True)
    (tmp_path / "files/deep/plan.prompt").write_text("user:\nold")
    return tmp_path / "files"


def test_an_older_version_is_read_once_and_names_are_folders(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "home/prompts"
    [old] = load_prompts(folder, "app", kept)
    assert (kept / f"app/deep/plan@{old.ref.version}.prompt").read_text() == "user:\nold"

    (folder / "deep/plan.prompt").write_text("user:\nnew")
    prompts = load_prompts(folder, "app", kept)
    assert [prompt.ref for prompt in prompts] != [old.ref]
    assert prompts.get(old.ref).templates.messages[0].text == "old"
    assert prompts.get(old.ref) is prompts.get(old.ref)
    assert len([path for path in kept.rglob("*") if path.is_file()]) == 2


def test_a_prompt_whose_file_is_gone_is_still_there_for_its_runs(folder: Path, tmp_path: Path) -> None:
    [old] = load_prompts(folder, "app", tmp_path / "kept")
    (folder / "deep/plan.prompt").rename(folder / "deep/renamed.prompt")
    assert load_prompts(folder, "app", tmp_path / "kept").get(old.ref).ref == old.ref


def test_what_is_kept_under_the_wrong_version_is_not_served_and_may_be_mended(folder: Path, tmp_path: Path) -> None:
    prompts = load_prompts(folder, "app", tmp_path / "kept")
    [served] = prompts
    wanted = PromptRef(name="app/deep/plan", version="0123456789ab")
    path = tmp_path / f"kept/{wanted}.prompt"
    path.write_text("user:\nother")
    with pytest.raises(PromptVersionMissing, match=f"not kept in {path} either"):
        prompts.get(wanted)
    (folder / "deep/plan.prompt").write_text("user:\nother")
    [other] = load_prompts(folder, "app")
    with pytest.raises(PromptVersionMissing):
        prompts.get(other.ref)
    load_prompts(folder, "app", tmp_path / "kept")
    assert prompts.get(other.ref).ref == other.ref != served.ref


def test_who_only_looks_keeps_nothing(folder: Path, tmp_path: Path) -> None:
    load_prompts(folder, "app")
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_a_folder_that_cannot_be_written_names_the_setting(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigInvalid, match=r"file/prompts cannot be written \(Not a directory\).*set LLMFLOW_HOME"):
        load_prompts(folder, "app", tmp_path / "file/prompts")
