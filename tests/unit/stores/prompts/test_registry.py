"""The registry keeps every version, and a run gets the one of its label or rollout."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from llmflow.errors import PromptInvalid, PromptVersionMissing
from llmflow.prompts.files import load_prompts
from llmflow.prompts.prompt import Prompts
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.stores.schema import prompt_versions
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.rollouts import Unit

OLD = "---\nmetadata: {owner: ana}\n---\nuser:\nold é  # kept\n"
UNITS: dict[Unit, str] = {"run": "run-1", "user": "bo", "tenant": "acme", "item": "claim-1"}
ANA = Reason(by="ana")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "prompts/deep/plan.prompt"
    file.parent.mkdir(parents=True)
    file.write_text(OLD)
    return file


def registry(database: Database, file: Path) -> Registry:
    return Registry(database, load_prompts(file.parents[1], "app"))


async def versions(database: Database) -> int:
    count = select(func.count()).select_from(prompt_versions)
    return await database.read(lambda connection: connection.scalar(count)) or 0


async def test_a_version_outlives_its_file(database: Database, file: Path) -> None:
    first = registry(database, file)
    [old] = first.served
    assert await first.push("ana") == (old.ref,)

    file.write_text("user:\nnew\n")
    later = registry(database, file)
    [new] = later.served
    assert await later.push("bo") == (new.ref,)
    assert await later.get(new.ref) is new
    found = await later.get(old.ref)
    assert (found.ref, found.text) == (old.ref, OLD)
    assert await later.get(old.ref) is found, "parsed once"

    file.rename(file.with_name("renamed.prompt"))
    assert (await registry(database, file).get(old.ref)).ref == old.ref


async def test_storing_again_changes_nothing(database: Database, file: Path) -> None:
    workers = [registry(database, file) for _ in range(4)]
    stored = await asyncio.gather(*(one.push(f"worker {number}") for number, one in enumerate(workers)))
    assert any(stored)
    assert await versions(database) == 1

    file.write_text(f"# another comment\n{OLD}".replace("# another comment\n---", "---\n# another comment"))
    assert await registry(database, file).push("late") == ()
    [version] = (await Labels(database).state("app/deep/plan")).versions
    assert version.by != "late"


async def test_a_missing_version_says_what_there_is(database: Database, file: Path) -> None:
    one = registry(database, file)
    [served] = one.served
    missing = PromptRef(name="app/deep/plan", version="0123456789ab")
    with pytest.raises(PromptVersionMissing, match=rf"`{missing}` is neither .* has no version of it\. Give all"):
        await one.get(missing)
    await one.push("ana")
    with pytest.raises(PromptVersionMissing, match=f"has {served.ref.version} of it"):
        await one.get(missing)
    assert "tests:***@" in database.name or database.is_sqlite, "no password in the error"


async def test_a_damaged_text_is_never_served(database: Database, file: Path) -> None:
    one = registry(database, file)
    [served] = one.served
    await one.push("ana")
    other = Registry(database, Prompts())
    for text in ("user:\nother", "no prompt"):
        await database.write(
            lambda connection, text=text: connection.execute(update(prompt_versions).values(text=text))
        )
        with pytest.raises(PromptVersionMissing, match=str(served.ref)):
            await other.get(served.ref)


async def test_a_text_of_a_newer_release_is_left_to_a_newer_worker(database: Database) -> None:
    ref, now = PromptRef(name="app/plan", version="0123456789ab"), datetime.now(UTC)
    row = {**dict(ref), "text": "---\nvoice: low\n---\nuser:\nhello\n", "at": now, "by": "ana"}
    await database.write(lambda connection: connection.execute(insert(prompt_versions).values(row)))
    with pytest.raises(PromptVersionMissing, match=r"in the store:2:1: .*`voice`.* newer llmflow .* another worker"):
        await Registry(database, Prompts()).get(ref)


async def test_a_rollout_wins_over_the_label_and_the_label_over_the_file(database: Database, file: Path) -> None:
    name = "app/deep/plan"
    first = registry(database, file)
    [old] = first.served
    await first.push("ana")
    file.write_text("user:\nnew\n")
    later = registry(database, file)
    [new] = later.served
    await later.push("ana")
    labels = Labels(database)

    async def chosen(label: str = "production") -> tuple[str, PromptSource] | None:
        choice = (await later.choose([name, "app/other"], label, UNITS)).get(name)
        return (choice.version, choice.source) if choice else None

    assert await chosen() is None
    await labels.move(name, "production", old.ref.version, ANA)
    assert await chosen() == (old.ref.version, PromptSource(label="production"))
    assert await chosen("staging") is None
    await labels.roll_out(name, "production", {"a": ("production", 0), "b": (new.ref.version, 10_000)}, ANA)
    assert await chosen() == (new.ref.version, PromptSource(label="production", arm="b"))
    await labels.end(name, "production", ANA)
    assert await chosen() == (old.ref.version, PromptSource(label="production"))
    await labels.move(name, "production", "none", ANA)
    assert await chosen() is None


@pytest.mark.parametrize("unit", ["run", "user", "tenant", "item"])
async def test_a_rollout_goes_by_its_unit_alone(database: Database, file: Path, unit: Unit) -> None:
    one = registry(database, file)
    await one.push("ana")
    [served] = one.served
    arms = dict.fromkeys("ab", (served.ref.version, 5000))
    await Labels(database).roll_out("app/deep/plan", "production", arms, ANA, unit=unit)

    async def arm(**changed: str) -> str | None:
        units: dict[Any, str] = {**UNITS, **changed}  # Any: names of arguments are text to a type checker
        [choice] = (await one.choose(["app/deep/plan"], "production", units)).values()
        return choice.source.arm

    same = {other: "another" for other in UNITS if other != unit}
    assert len({await arm(**same), await arm()}) == 1
    assert {await arm(**{unit: f"unit {number}"}) for number in range(20)} == {"a", "b"}


async def test_a_file_that_no_database_takes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nul.prompt").write_bytes(b"user:\na\0b\n")
    with pytest.raises(PromptInvalid, match=r"nul\.prompt:2:1: .* NUL"):
        load_prompts(tmp_path, "app")
