"""A rule that rejects nothing holds nothing: each file of this folder proves what its rules reject."""

from collections.abc import Iterator

from .source import Source, example, holds, sources


def unproven(source: Source) -> Iterator[str]:
    tests = [function.name for function in source.functions if function.name.startswith("test_")]
    if tests and not any(name.startswith("test_rejects_") for name in tests):
        yield source.at(1, "has no `test_rejects_...`: prove each rule on a small bad example")


def test_rules_are_proven() -> None:
    holds(problem for source in sources("tests/architecture") for problem in unproven(source))


def test_rejects_an_unproven_rule() -> None:
    assert list(unproven(example("def test_rule(): ...")))
    assert not list(unproven(example("def test_rule(): ...\ndef test_rejects_bad(): ...")))
