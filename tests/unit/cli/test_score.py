"""`llmflow score`: what is wrong with it is said before any server is asked; the rest is in tests/integration."""

import pytest

from tests.helpers.command_line import call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument 'NAME'"),
        (["run", "helpful"], "Missing argument 'VALUE'"),
        (["run", "helpful", "good"], "Invalid value for 'VALUE'"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    done = call(capsys, "score", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())
