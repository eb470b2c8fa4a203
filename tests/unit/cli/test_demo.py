"""`llmflow demo`, as far as it gets without a server."""

import pytest

from tests.helpers.command_line import call


def test_an_option_that_the_application_does_not_take(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "travel", "--documents", ".")
    assert (done.code, done.out) == (2, "")
    assert "`travel` does not take --documents" in done.err


def test_an_application_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "travle")
    assert done.code == 2
    assert "'travle' is not one of 'research'" in done.err


def test_a_question_that_the_application_cannot_take(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "support", "--question", "?")
    assert done.code == 2
    assert "`text`: String should have at least 3 characters" in done.err
