"""Labels: moved, protected, split and moved back, each time with a record."""

import asyncio
from datetime import timedelta

import pytest

from llmflow.errors import InputInvalid, PromptNotFound, PromptVersionMissing, Remedy
from llmflow.prompts.files import parse_prompt
from llmflow.prompts.prompt import Prompts
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.types.refs import PromptRef
from tests.helpers.calls import NOON, a_call
from tests.helpers.ledger import keep

NAME = "app/plan"
ANA = Reason(by="ana")


def version(text: str) -> str:
    return parse_prompt(f"user:\n{text}", NAME, "plan.prompt").ref.version


A, B, C = version("a"), version("b"), version("c")


@pytest.fixture
async def labels(database: Database) -> Labels:
    """Labels of a store with three versions of one prompt."""
    for text in "abc":
        await Registry(database, Prompts([parse_prompt(f"user:\n{text}", NAME, "plan.prompt")])).push("bo")
    return Labels(database)


def point_to(version: str) -> Remedy:
    return Remedy(action="point_label", prompt=NAME, version=version, label="production")


async def at(labels: Labels, label: str = "production") -> str | None:
    found = (await labels.state(NAME)).labels.get(label)
    return found.version if found else None


async def move(labels: Labels, *to: str) -> None:
    for word in to:
        await labels.move(NAME, "production", word, ANA)


async def test_a_move_is_recorded_with_who_when_from_to_and_why(labels: Labels) -> None:
    await labels.move(NAME, "production", A, ANA)
    [moved] = await labels.move(NAME, "production", B[:4], Reason(by="bo", why="shorter"))
    assert (moved.label, moved.before, moved.after, moved.by, moved.why) == ("production", A, B, "bo", "shorter")
    state, history = await labels.history(NAME)
    assert [one.version for one in state.versions] == [C, B, A]
    assert [(one.kind, one.before, one.after) for one in history] == [("label", None, A), ("label", A, B)]
    assert history[1] == moved
    assert await at(labels) == B


async def test_a_move_to_where_it_is_leaves_no_record(labels: Labels) -> None:
    await move(labels, A, A, "production")
    assert len((await labels.history(NAME))[1]) == 1


async def test_each_way_back_goes_further_into_the_past(labels: Labels) -> None:
    await move(labels, A, B, C, "back")
    assert await at(labels) == B
    await labels.move(NAME, "staging", C, ANA)
    await move(labels, "back")
    assert await at(labels) == A
    await move(labels, C, "back")
    assert await at(labels) == A
    assert await at(labels, "staging") == C


async def test_the_way_back_never_ends_at_the_file(labels: Labels, database: Database) -> None:
    await move(labels, A)
    await labels.roll_out(NAME, "production", {"a": (A, 5000), "b": (B, 5000)}, ANA)
    await labels.end(NAME, "production", ANA, keep="b")
    await move(labels, "back")
    assert await at(labels) == A
    history = await labels.history(NAME)
    for _ in range(2):
        with pytest.raises(InputInvalid) as refused:
            await move(labels, "back")
        assert f"pointed to no version before {A}, so there is no way back, and nothing changed" in str(refused.value)
        assert f"The store has {C}" in str(refused.value)
        assert refused.value.detail.remedy == point_to(C)
    assert await labels.history(NAME) == history

    # The last one is no longer in this store, and B was just rolled back.
    used = [(B, 5), (A, 3), (C, 2), ("0123456789ab", 4)]
    refs = [(PromptRef(name=NAME, version=version), NOON + timedelta(hours=hour)) for version, hour in used]
    await keep(database, *(a_call(ref.version, prompt=ref, at=at) for ref, at in refs))
    with pytest.raises(InputInvalid, match=f"Runs have used {C}$") as offered:
        await move(labels, "back")
    assert offered.value.detail.remedy == point_to(C)


async def test_without_a_label_the_way_back_is_a_version_that_runs_used_before_the_newest(
    labels: Labels, database: Database
) -> None:
    refs = [PromptRef(name=NAME, version=version) for version in (A, B)]
    calls = [a_call(ref.version, prompt=ref, at=NOON + timedelta(hours=n)) for n, ref in enumerate(refs)]
    await keep(database, *calls)
    with pytest.raises(InputInvalid, match=f"Runs have used {A}$"):
        await move(labels, "back")
    await move(labels, B, "none", C)
    with pytest.raises(InputInvalid, match="pointed to no version before"):
        await move(labels, "back")
    assert await at(labels) == C


async def test_of_a_single_version_there_is_nothing_to_go_back_to(labels: Labels, database: Database) -> None:
    await Registry(database, Prompts([parse_prompt("user:\nx", "app/one", "one.prompt")])).push("bo")
    [only] = (await labels.state("app/one")).versions
    await labels.move("app/one", "production", only.version, ANA)
    with pytest.raises(InputInvalid, match="The store has no other version"):
        await labels.move("app/one", "production", "back", ANA)


async def test_what_was_rolled_back_is_not_offered_again(labels: Labels) -> None:
    await move(labels, A, B, C, "back", "back")
    with pytest.raises(InputInvalid, match=f"has no other version than {C}, {B}, which `back` came from"):
        await move(labels, "back")
    assert await at(labels) == A


async def test_the_way_back_of_a_move_back_to_an_earlier_version_is_where_it_came_from(labels: Labels) -> None:
    await move(labels, A, B, A, "back")
    assert await at(labels) == B
    await move(labels, "back")
    assert await at(labels) == A
    await move(labels, "none", "back")
    assert await at(labels) == A
    kinds = [one.kind for one in (await labels.history(NAME))[1]]
    assert kinds == ["label", "label", "label", "back", "back", "label", "back"]


async def test_another_label_may_say_where_to(labels: Labels) -> None:
    await labels.move(NAME, "staging", B, ANA)
    await move(labels, A, "staging")
    assert await at(labels) == B


async def test_a_protected_label_wants_force_and_a_reason(labels: Labels) -> None:
    changes = await labels.move(NAME, "production", A, ANA, protect=True)
    assert [(one.kind, one.after) for one in changes] == [("label", A), ("protection", "protected")]
    strong, mute = Reason(by="ana", why="an outage", force=True), Reason(by="ana", force=True)
    arms = {"a": (A, 10_000)}
    for reason in (ANA, mute, Reason(by="ana", why="an outage")):
        with pytest.raises(InputInvalid, match="`production` of `app/plan` is protected, and moves only with force"):
            await labels.move(NAME, "production", B, reason)
        with pytest.raises(InputInvalid, match="is protected"):
            await labels.move(NAME, "production", A, reason, protect=False)
        with pytest.raises(InputInvalid, match="is protected"):
            await labels.roll_out(NAME, "production", arms, reason)
    assert await at(labels) == A
    await labels.move(NAME, "production", B, strong)
    assert (await labels.state(NAME)).labels["production"].protected, "it stays so"
    await labels.move(NAME, "production", "production", strong, protect=False)
    await labels.move(NAME, "production", C, ANA)
    assert len((await labels.history(NAME))[1]) == 5


async def test_a_protected_label_that_is_taken_away_stays_protected(labels: Labels) -> None:
    strong = Reason(by="ana", why="an outage", force=True)
    await labels.move(NAME, "production", A, ANA, protect=True)
    await labels.move(NAME, "production", "none", strong)
    assert await at(labels) is None
    with pytest.raises(InputInvalid, match="is protected"):
        await move(labels, B)
    with pytest.raises(InputInvalid, match="is protected"):
        await labels.roll_out(NAME, "production", {"a": (B, 10_000)}, ANA)
    await labels.move(NAME, "production", B, strong)
    assert (await labels.state(NAME)).labels["production"].protected
    await labels.move(NAME, "staging", B, ANA)


async def test_that_there_is_no_label_can_be_protected_and_no_longer(labels: Labels) -> None:
    strong = Reason(by="ana", why="release 12", force=True)
    [change] = await labels.move(NAME, "production", "none", ANA, protect=True)
    assert (change.kind, change.after) == ("protection", "protected")
    with pytest.raises(InputInvalid, match="is protected"):
        await move(labels, A)
    await labels.move(NAME, "production", "none", strong, protect=False)
    await move(labels, A)
    assert not (await labels.state(NAME)).labels["production"].protected


async def test_a_rollout_keeps_its_salt_and_its_unit_while_its_shares_change(labels: Labels) -> None:
    await move(labels, A)
    await labels.roll_out(NAME, "production", {"a": ("production", 9_000), "b": (B, 1_000)}, ANA, unit="user")
    first = (await labels.state(NAME)).rollouts["production"]
    await labels.roll_out(NAME, "production", {"a": (A, 8_000), "b": (B, 2_000)}, ANA)
    later = (await labels.state(NAME)).rollouts["production"]
    assert (later.salt, later.unit) == (first.salt, "user")
    assert [(arm.arm, arm.version, arm.share) for arm in later.arms] == [("a", A, 8_000), ("b", B, 2_000)]
    assert not await labels.roll_out(NAME, "production", {"a": (A, 8_000), "b": (B, 2_000)}, ANA)

    with pytest.raises(InputInvalid, match="a rollout of `production` is open, and decides over the label"):
        await move(labels, C)
    with pytest.raises(InputInvalid, match=r"no arm `bb`.*It has a, b"):
        await labels.end(NAME, "production", ANA, keep="bb")
    await labels.end(NAME, "production", ANA, keep="b")
    assert await at(labels) == B
    assert [(one.kind, one.before, one.after) for one in (await labels.history(NAME))[1]] == [
        ("label", None, A),
        ("rollout", None, f"a {A} 90 %, b {B} 10 %, by user"),
        ("rollout", f"a {A} 90 %, b {B} 10 %, by user", f"a {A} 80 %, b {B} 20 %, by user"),
        ("rollout", f"a {A} 80 %, b {B} 20 %, by user", None),
        ("label", A, B),
    ]
    await move(labels, "back")
    assert await at(labels) == A


async def test_a_refused_change_leaves_nothing(labels: Labels) -> None:
    await labels.roll_out(NAME, "production", {"a": (A, 5_000), "b": (B, 5_000)}, ANA)
    for wrong in ({"a": (A, 4_000)}, {"a": ("99", 10_000)}):
        with pytest.raises((InputInvalid, PromptVersionMissing)):
            await labels.roll_out(NAME, "production", wrong, ANA)
    assert len((await labels.history(NAME))[1]) == 1
    with pytest.raises(PromptVersionMissing, match="no label `production`, only a rollout of it: say one version"):
        await labels.move(NAME, "staging", "production", ANA)
    with pytest.raises(InputInvalid, match="no rollout of `staging` is open for `app/plan`; one is for `production`"):
        await labels.end(NAME, "staging", ANA)


async def test_an_arm_without_its_label_is_offered_what_runs_had_before_the_other_arms(
    labels: Labels, database: Database
) -> None:
    arms = {"a": ("production", 5_000), "b": ("file", 5_000)}
    file = parse_prompt("user:\nd", NAME, "plan.prompt")

    async def refused() -> tuple[str, Remedy | None]:
        with pytest.raises(PromptVersionMissing) as error:
            await labels.roll_out(NAME, "production", arms, ANA, file=file)
        return str(error.value).rpartition("changed. ")[2], error.value.detail.remedy

    before = await labels.history(NAME)
    assert await refused() == (f"The store has {C}, {B}, {A}", point_to(C))
    assert await labels.history(NAME) == before, "nor is the file stored"

    used = enumerate((B, A, file.ref.version))
    refs = [(PromptRef(name=NAME, version=version), NOON + timedelta(hours=hour)) for hour, version in used]
    await keep(database, *(a_call(ref.version, prompt=ref, at=at) for ref, at in refs))
    assert await refused() == (f"Runs have used {A}, {B}", point_to(A))
    await move(labels, A)
    await labels.roll_out(NAME, "production", arms, ANA, file=file)
    state = await labels.state(NAME)
    assert [arm.version for arm in state.rollouts["production"].arms] == [A, file.ref.version]
    assert state.versions[0].version == file.ref.version


async def test_an_arm_without_its_label_is_never_offered_the_other_arms_version(database: Database) -> None:
    file = parse_prompt("user:\nd", NAME, "plan.prompt")
    arms = {"a": ("production", 5_000), "b": ("file", 5_000)}
    with pytest.raises(PromptVersionMissing, match=f"There is no other version than {file.ref.version}$"):
        await Labels(database).roll_out(NAME, "production", arms, ANA, file=file)
    with pytest.raises(PromptNotFound):
        await Labels(database).state(NAME)


async def test_people_who_move_one_label_at_once_come_one_after_the_other(labels: Labels) -> None:
    await move(labels, A)
    people = [Reason(by=str(number)) for number in range(8)]
    words = (B, C)
    await asyncio.gather(
        *(labels.move(NAME, "production", words[number % 2], one) for number, one in enumerate(people))
    )
    history = (await labels.history(NAME))[1]
    assert [one.before for one in history[1:]] == [one.after for one in history[:-1]]
    assert await at(labels) == history[-1].after


@pytest.mark.parametrize(
    ("name", "label", "to", "error", "said"),
    [
        ("app/paln", "production", A, PromptNotFound, "no prompt `app/paln` (did you mean `app/plan`?)"),
        (NAME, "production", "0123456789ab", PromptVersionMissing, f"It has {C}, {B}, {A}"),
        (NAME, "production", "stagign", PromptVersionMissing, "(did you mean `staging`?)"),
        (NAME, "production", "", PromptVersionMissing, "no version ``"),
        (NAME, "production", "back", InputInvalid, "`production` of `app/plan` pointed to no version before"),
        (NAME, "production", "production", PromptVersionMissing, f"The store has {C}, {B}, {A}"),
        *(
            (NAME, label, A, InputInvalid, "cannot be a label")
            for label in ("back", "file", "none", "beef", "A", "é", "")
        ),
    ],
)
async def test_what_cannot_be_is_said(
    labels: Labels, name: str, label: str, to: str, error: type[Exception], said: str
) -> None:
    await labels.move(NAME, "staging", A, ANA)
    with pytest.raises(error) as refused:
        await labels.move(name, label, to, ANA)
    assert said in str(refused.value)


async def test_first_digits_that_several_have_are_refused(labels: Labels, database: Database) -> None:
    texts = [f"user:\nnumber {number}" for number in range(40)]
    for text in texts:
        await Registry(database, Prompts([parse_prompt(text, NAME, "plan.prompt")])).push("bo")
    known = [one.version for one in (await labels.state(NAME)).versions]
    twice = next(one[0] for one in known if sum(other[0] == one[0] for other in known) > 1)
    with pytest.raises(InputInvalid, match=f"several versions that begin with {twice}"):
        await move(labels, twice)


async def test_of_an_app_there_are_its_own_prompts_and_no_others(labels: Labels, database: Database) -> None:
    others = [parse_prompt("user:\nx", name, "x.prompt") for name in ("app2/plan", "a_p/plan", "appendix/plan")]
    await Registry(database, Prompts(others)).push("bo")
    assert list(await labels.states("app")) == [NAME]
    assert list(await labels.states("a_p")) == ["a_p/plan"], "`_` stands for itself"
