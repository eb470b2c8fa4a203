"""Sources of the text of `--input`."""

import io
from pathlib import Path

import pytest
from temporalio import workflow

from llmflow.cli.inputs import read_input
from llmflow.errors import InputInvalid
from llmflow.service.inputs import Workflow


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return name


@workflow.defn
class Tick:
    @workflow.run
    async def run(self) -> None:
        """Takes nothing."""


def read(given: str | None) -> tuple[object, ...]:
    return read_input(given, Workflow.of(Greet))


def test_itself_a_file_or_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "name.json"
    file.write_text('"über"', "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO('"stdin"'))
    assert [read(given) for given in ('"bob"', f"@{file}", "-")] == [("bob",), ("über",), ("stdin",)]


def test_left_out_where_none_is_needed() -> None:
    assert read_input(None, Workflow.of(Tick)) == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "Greet needs an input: --input JSON"),
        ("@nowhere.json", "--input @nowhere.json: No such file"),
        ("@.", "--input @.: Is a directory"),
    ],
)
def test_what_cannot_be_read(given: str | None, said: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        read(given)
    assert said in caught.value.message


def test_binary_file(tmp_path: Path) -> None:
    file = tmp_path / "question.json"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputInvalid, match="not UTF-8 text"):
        read(f"@{file}")
