"""`llmflow init`: valid names, and nothing half done. That the project works: tests/integration."""

import resource
from pathlib import Path

import pytest

from llmflow.dev.scaffold import scaffold
from llmflow.errors import ConfigInvalid, InputInvalid
from tests.helpers.command_line import call

FILES = """
.dockerignore .gitignore Dockerfile README.md docker-compose.yml example.json pyproject.toml tea/__init__.py tea/app.py
tea/models.yaml tea/prompts/summarise.prompt tea/schemas.py tea/tools.py tea/workflow.py tests/test_tea.py
workers/tea.py
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_writes_the_shape_of_a_project(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "init", "tea", "--json").json()

    found = sorted(str(file.relative_to(here / "tea")) for file in here.rglob("*") if file.is_file())
    assert found == FILES.split()
    assert done == {"name": "tea", "folder": str(here / "tea"), "files": found}
    assert not [file for file in here.rglob("*") if file.is_file() and "my_project" in file.read_text()]


def test_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "init", "tea")
    assert done.code == 0
    assert "  tea/tea/workflow.py\n" in done.out
    assert "\n  cd tea\n  export LLMFLOW_APP=tea.app:app\n  llmflow dev\n" in done.out
    lays_the_wheel = done.out.partition("\n  pip wheel --no-deps --wheel-dir . ")[2].partition("\n")[0]
    assert Path(lays_the_wheel, "pyproject.toml").exists(), "of the clone, which is what is installed here"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "must be a name of a Python package"),
        ("Tea", "must be a name of a Python package"),
        ("green-tea", "must be a name of a Python package"),
        ("../tea", "must be a name of a Python package"),
        ("t" * 31, "at most 30"),
        ("class", "is a keyword of Python"),
        ("json", "is a module of Python's standard library"),
        ("tests", "is the name of a folder inside every project"),
        ("rich", "is an installed package"),
        ("taken", "is taken"),
    ],
)
def test_names_that_cannot_be_one(name: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "taken").write_text("a file of mine")

    done = call(capsys, "init", "--", name)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: project name {name!r} ")
    assert said in done.err
    assert [file.name for file in here.iterdir()] == ["taken"]
    assert (here / "taken").read_text() == "a file of mine"


def test_names_the_field() -> None:
    with pytest.raises(InputInvalid) as caught:
        scaffold("Tea", Path())
    assert caught.value.detail.field == "name"


def test_leaves_nothing_when_the_disk_is_full(here: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))  # small files fit, larger ones do not
    try:
        with pytest.raises(ConfigInvalid, match="cannot be written"):
            scaffold("tea", here)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_a_folder_that_is_none(parent: str, here: Path) -> None:
    (here / "file").touch()
    with pytest.raises(ConfigInvalid, match="cannot be written"):
        scaffold("tea", here / parent)
    assert [file.name for file in here.iterdir()] == ["file"]
