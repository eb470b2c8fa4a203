"""Import of `workflows`: the user's own if it has the module, else that of the examples."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from llmflow.cli.examples import demo_names, example_demo, examples_root, offer_example, use_examples
from llmflow.errors import InputInvalid

APP = "workflows.research.app"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is first on the import path, with `workflows` not yet imported."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "workflows"}
    monkeypatch.setattr(
        sys, "meta_path", [one for one in sys.meta_path if type(one).__module__ != use_examples.__module__]
    )
    monkeypatch.syspath_prepend(tmp_path)
    _forget()
    yield tmp_path
    _forget()
    sys.modules.update(before)


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "workflows"]:
        del sys.modules[name]


def packages(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()


def test_the_examples_are_where_the_pages_are() -> None:
    assert (examples_root() / "workflows" / "research" / "app.py").is_file()
    assert (examples_root() / "docs" / "getting-started.md").is_file()


def test_a_module_of_ones_own_wins(here: Path) -> None:
    packages(here, "workflows", "workflows/research")
    (here / "workflows" / "research" / "app.py").write_text("app = 'mine'\n")
    offer_example(APP)
    assert import_module(APP).app == "mine"


def test_a_package_of_ones_own_without_it_does_not(here: Path) -> None:
    packages(here, "workflows")
    offer_example(APP)
    assert import_module(APP).app.name == "research"


def test_a_demo_never_asks(here: Path) -> None:
    packages(here, "workflows", "workflows/research")
    use_examples()
    use_examples()
    assert import_module(APP).app.name == "research"
    with pytest.raises(ModuleNotFoundError, match=r"workflows\.nobody"):
        import_module("workflows.nobody")


@pytest.mark.parametrize("name", ["workflows.nobody.app", "workflows", "", "..", "llmflow.app", "workflows..app"])
def test_what_is_no_example_stays_the_users(name: str, here: Path) -> None:
    packages(here, "workflows")
    before = list(sys.meta_path)
    offer_example(name)
    assert sys.meta_path == before


def test_examples_with_a_demo_are_found_in_their_folders() -> None:
    assert demo_names() == ["claims", "digest", "onboarding", "patterns", "research", "review", "support", "travel"]
    assert [example_demo(name).app.name for name in ("travel", None)] == ["travel", "research"]
    with pytest.raises(
        InputInvalid, match=r"no example `digset` \(did you mean `digest`\?\). There are: claims, digest, onb"
    ):
        example_demo("digset")


def test_a_demo_may_read_the_folder_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMFLOW_DOCUMENTS", raising=False)
    (tmp_path / "here" / "inside").mkdir(parents=True)
    (tmp_path / "guide").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    prepare, asked = example_demo("digest").prepare, example_demo("digest").input
    assert prepare
    for folder, environ in (("inside", {}), ("../guide", {"LLMFLOW_DOCUMENTS": str(tmp_path / "guide")})):
        path = str((tmp_path / "here" / folder).resolve())
        assert prepare(asked.model_copy(update={"documents": folder})) == (
            asked.model_copy(update={"documents": path}),
            environ,
        )
    with pytest.raises(InputInvalid, match="there is no folder 'nowhere' here"):
        prepare(asked.model_copy(update={"documents": "nowhere"}))
