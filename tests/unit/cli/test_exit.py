"""One exit code for each error of ours."""

import pytest

from llmflow import errors
from llmflow.cli.exit import MEANING, Exit, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RunNotCompleted, Exit.FAILED),
        (errors.InputInvalid, Exit.USAGE),
        (errors.PayloadTooLarge, Exit.USAGE),
        (errors.RunExists, Exit.USAGE),
        (errors.ServerUnavailable, Exit.UNREACHABLE),
        (errors.NoWorker, Exit.UNREACHABLE),
        (errors.RunNotFound, Exit.NOT_FOUND),
        (errors.PromptNotFound, Exit.NOT_FOUND),
        (errors.PromptInvalid, Exit.CONFIG),
        (errors.ConfigInvalid, Exit.CONFIG),
    ],
)
def test_code_of_an_error(error: type[errors.LLMFlowError], code: Exit) -> None:
    assert exit_code(error("no")) is code


def test_no_error_ends_well() -> None:
    codes = {exit_code(error("no")) for error in errors.BY_CODE.values()}
    assert Exit.DONE not in codes


def test_each_code_has_a_meaning() -> None:
    assert list(MEANING) == list(Exit)
