"""Approvers of a question, and the names of its rounds."""

from datetime import UTC, datetime

import pytest

from llmflow.types.approvals import Question, Vote, among, approver, next_voter, round_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_without_approvers_anyone_may_decide() -> None:
    assert approver((), "bo") == "bo"


@pytest.mark.parametrize(("who", "name"), [("ana", "Ana"), (" ANA ", "Ana"), ("bo", "bo"), ("eve", None), ("", None)])
def test_approvers_are_known_however_they_write_their_name(who: str, name: str | None) -> None:
    assert approver(("Ana", "bo"), who) == name


def test_nobody_is_among_none() -> None:
    assert among((), "ana") is None


def test_the_next_voter_has_not_answered() -> None:
    asked = Question(name="publish", asked_at=NOW, approvers=("ana", "Bo"))
    assert next_voter(asked) == "ana"
    one = Vote(approved=True, by="ANA", at=NOW)
    assert next_voter(asked.model_copy(update={"votes": (one,)})) == "Bo"
    assert next_voter(asked.model_copy(update={"approvers": ()})) is None


@pytest.mark.parametrize(("name", "number", "exact"), [("publish", 1, "publish#1"), ("publish#3", 3, "publish#3")])
def test_rounds(name: str, number: int, exact: str) -> None:
    assert round_of(name) == number
    assert Question(name=name, asked_at=NOW).exact == exact
