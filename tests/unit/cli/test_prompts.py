"""`llmflow prompts`: needs no server and no key."""

import pytest

from tests.helpers.command_line import call

HELLO = "tests.integration.hello.app:app"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "prompts", "list", HELLO)
    lines = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert lines[0] == ["prompt", "version", "model", "variables"]
    assert ["hello/greet", "smart", "name"] in [[one[0], *one[2:]] for one in lines[1:]]


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "prompts", "show", HELLO, "hello/greet")
    assert done.code == 0
    assert "tests/integration/hello/prompts/greet.prompt" in done.out
    assert "system:\n" in done.out
    assert "user:\nGreet {{ name }}.\n" in done.out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    listed = call(capsys, "prompts", "list", HELLO, "--json").json()
    shown = call(capsys, "prompts", "show", HELLO, "hello/greet", "--json").json()
    assert shown in listed
    assert shown["name"] == "hello/greet"
    assert len(shown["version"]) == 12
    assert shown["variables"] == ["name"]
    assert [one["role"] for one in shown["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", HELLO, "hello/gret"], 4, "no prompt `hello/gret` (did you mean `hello/greet`?)"),
        (["list", "tests.integration.hello.app"], 5, "write it as `package.module:attribute`"),
        (["list", "tests.integration.hello.ap:app"], 5, "there is no module 'tests.integration.hello.ap'"),
        (["list", "tests.integration.hello.app:ap"], 5, "has no App named 'ap'; it has app"),
    ],
)
def test_what_is_not_there(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str) -> None:
    done = call(capsys, "prompts", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("error: ")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
