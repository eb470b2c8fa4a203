"""Aliases that are more than a list: which candidate is asked first, and how models.yaml says it."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.types.models import Candidate, ModelOptions

PROVIDERS = "providers:\n  x: {api: chat, base_url: 'http://x'}\n"


def load(tmp_path: Path, models: str) -> ModelCatalogue:
    path = tmp_path / "models.yaml"
    path.write_text(PROVIDERS + dedent(models).lstrip())
    return load_model_catalogue(path)


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.vendor_model for candidate in candidates]


def test_the_cheapest_comes_first_and_what_has_no_price_last(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          cheap: {policy: cheapest, candidates: ["x:unknown", "x:dear", "x:free", "x:fair"]}
        """,
    )
    prices = {"x:dear": Decimal(3), "x:fair": Decimal("0.5"), "x:free": Decimal(0)}
    assert names(replace(models, price=prices.get).resolve("cheap")) == ["free", "fair", "dear", "unknown"]
    assert names(models.resolve("cheap")) == ["unknown", "dear", "free", "fair"]  # nobody knows: as they stand


WEIGHTED = """
    models:
      split:
        policy: weighted
        candidates:
          - {model: "x:most", weight: 8}
          - {model: "x:some", weight: 2, temperature: 0}
          - "x:few"
"""


def test_weights_are_shares_of_the_runs_and_of_what_follows(tmp_path: Path) -> None:
    models = load(tmp_path, WEIGHTED)
    orders = [names(models.resolve("split", f"run-{number}")) for number in range(11_000)]
    firsts = Counter(order[0] for order in orders)
    assert firsts["most"] == pytest.approx(8000, abs=200)
    assert firsts["some"] == pytest.approx(2000, abs=200)
    assert firsts["few"] == pytest.approx(1000, abs=200)
    seconds = Counter(order[1] for order in orders if order[0] == "most")
    assert seconds["some"] / seconds["few"] == pytest.approx(2, abs=0.2)
    assert all(sorted(order) == ["few", "most", "some"] for order in orders)


def test_the_same_run_always_gets_the_same_order(tmp_path: Path) -> None:
    models = load(tmp_path, WEIGHTED)
    assert [names(models.resolve("split", f"run-{number}"))[0] for number in range(8)] == [
        # Pinned: another function would move every run that a retry or a new worker asks for again.
        *("most", "most", "most", "most", "most", "most", "few", "most"),
    ]


def test_a_changed_weight_moves_only_the_runs_that_it_must(tmp_path: Path) -> None:
    before, after = load(tmp_path, WEIGHTED), load(tmp_path, WEIGHTED.replace("weight: 8", "weight: 16"))
    units = [f"run-{number}" for number in range(2000)]
    moved = [unit for unit in units if before.resolve("split", unit)[0] != after.resolve("split", unit)[0]]
    assert moved
    assert all(after.resolve("split", unit)[0].vendor_model == "most" for unit in moved)


def test_the_order_in_the_file_moves_no_run_and_a_new_candidate_only_its_share(tmp_path: Path) -> None:
    lines = WEIGHTED.rstrip().splitlines()
    before = load(tmp_path, WEIGHTED)
    units = [f"run-{number}" for number in range(2000)]
    turned = load(tmp_path, "\n".join([*lines[:-3], *reversed(lines[-3:])]))
    assert all(before.resolve("split", unit) == turned.resolve("split", unit) for unit in units)

    grown = load(tmp_path, "\n".join([*lines[:-3], '          - "x:new"', *lines[-3:]]))
    moved = [unit for unit in units if before.resolve("split", unit)[0] != grown.resolve("split", unit)[0]]
    assert moved
    assert all(grown.resolve("split", unit)[0].vendor_model == "new" for unit in moved)


def test_one_model_with_two_sets_of_options_has_two_lots(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          split: {policy: weighted, candidates: [{model: "x:a", temperature: 0}, {model: "x:a", temperature: 1}]}
        """,
    )
    firsts = Counter(models.resolve("split", f"run-{number}")[0].options.temperature for number in range(1000))
    assert firsts[0] == pytest.approx(500, abs=80)


def test_equal_candidates_are_one(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          one: [{model: "x:a", extra: {seed: 1}}, {model: "x:a", extra: {seed: 1}}]
          many: [one, "x:b", one, {model: "x:a", extra: {seed: 1}}, "x:b", {model: "x:b", temperature: 1}]
          split: {policy: weighted, candidates: ["x:a", "x:b", "x:a", "x:a"]}
        """,
    )
    assert names(models.resolve("one")) == ["a"]
    assert names(models.resolve("many")) == ["a", "b", "b"]
    firsts = Counter(names(models.resolve("split", f"run-{number}"))[0] for number in range(1000))
    assert firsts["a"] == pytest.approx(750, abs=60)


@pytest.mark.parametrize("twice", ["[{0}, {0}]", "[{0}, {{model: {0}, temperature: 0}}]"])
def test_aliases_of_aliases_are_read_once(tmp_path: Path, twice: str) -> None:
    levels = "".join(f"  a{level}: {twice.format(f'a{level - 1}')}\n" for level in range(1, 40))
    models = load(tmp_path, f"models:\n  a0: 'x:m'\n{levels}")
    assert set(names(models.resolve("a39"))) == {"m"}


def test_two_aliases_draw_by_themselves(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          one: {policy: weighted, candidates: ["x:a", "x:b"]}
          two: {policy: weighted, candidates: ["x:a", "x:b"]}
        """,
    )
    units = [f"run-{number}" for number in range(1000)]
    agree = sum(models.resolve("one", unit) == models.resolve("two", unit) for unit in units)
    assert agree == pytest.approx(500, abs=80)


def test_an_alias_keeps_its_policy_inside_another(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          cheap: {policy: cheapest, candidates: ["x:dear", {model: "x:fair", temperature: 1}]}
          default: {model: cheap, temperature: 0, up_to: 100}
          nested: ["x:first", cheap, "x:last"]
          sets: {policy: cheapest, candidates: [nested, cheap]}
        """,
    )
    prices = {"x:dear": Decimal(3), "x:fair": Decimal(1), "x:first": Decimal(2)}
    priced = replace(models, price=prices.get)
    cold = ModelOptions(temperature=0)
    assert priced.resolve("default") == (
        Candidate(model="x:fair", options=cold, up_to=100),
        Candidate(model="x:dear", options=cold, up_to=100),
    )
    assert names(priced.resolve("nested")) == ["first", "fair", "dear", "last"]
    assert names(priced.resolve("sets")) == ["fair", "dear", "first", "last"]


def test_sizes_of_input(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        models:
          sized: [{model: "x:small", up_to: 8000}, "x:large"]
          twice: [{model: sized, temperature: 0}]
        """,
    )
    assert [candidate.up_to for candidate in models.resolve("sized")] == [8000, None]
    assert [candidate.up_to for candidate in models.resolve("twice")] == [8000, None]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (
            "a: {policy: cheepest, candidates: ['x:a']}",
            "4:15: there is no policy 'cheepest' (did you mean `cheapest`?)",
        ),
        ("a: {policy: 3, candidates: ['x:a']}", "4:15: `policy` must be text, not 3"),
        ("a: {policy: cheapest}", "4:6: model 'a' has a `policy` but no `candidates`: write {policy: ..., candidates"),
        ("a: {policy: first, candidates: []}", "4:34: model 'a' has no candidates"),
        ("a: {policy: first, candidate: ['x:a']}", "4:22: model 'a' has no field 'candidate' (did you mean `candida"),
        ("a: {candidates: ['x:a'], temperature: 0}", "4:28: model 'a' has no field 'temperature'. There is: candida"),
        ("a: {candidates: ['y:a']}", "4:20: model 'y:a': there is no provider 'y'"),
        ("a: [{model: 'x:a', weight: 2}]", "4:30: a `weight` needs `policy: weighted`, beside `candidates`"),
        (
            "a: {policy: weighted, candidates: [{model: 'x:a', weight: 0}]}",
            "4:61: `weight` must be a whole number of 1 or more, not 0",
        ),
        ("a: {model: 'x:a', up_to: 8k}", "4:28: `up_to` must be a whole number of 1 or more, not '8k'"),
        ("a: {model: 'x:a', up_to: yes}", "4:28: `up_to` must be a whole number of 1 or more, not "),
        ("a: {policy: first, candidates: [b]}\n  b: [a]", "5:7: model 'a' leads back to itself: a -> b -> a"),
    ],
)
def test_mistakes_have_a_place(tmp_path: Path, models: str, said: str) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(f"{PROVIDERS}models:\n  {models}\n")
    with pytest.raises(ConfigInvalid) as caught:
        load_model_catalogue(path)
    assert str(caught.value).startswith(f"{path}:{said}")
