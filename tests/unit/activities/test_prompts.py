"""Pins that a run gets from resolving."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete
from temporalio.testing import ActivityEnvironment

from llmflow.activities.fleet import Fleet
from llmflow.activities.forks.histories import Histories
from llmflow.activities.prompts import PromptActivities
from llmflow.activities.vendors import Vendors, VendorsByApp
from llmflow.errors import ModelNotFound, PromptNotFound, PromptVersionMissing
from llmflow.flow.run.pins import RunPins
from llmflow.prompts.files import load_prompts
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.stores.schema import prompt_versions
from llmflow.types.attributes import SearchAttributes
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.origins import Origin
from llmflow.types.prompts import PinnedPrompt, Pins, PromptSource, RenderRequest, ResolveRequest
from llmflow.types.refs import PromptRef
from llmflow.types.rollouts import Unit

SMART = (Candidate(model="openai:big", options=ModelOptions(temperature=0.7, max_output_tokens=9)),)
FAST = (Candidate(model="openai:small"),)
ANA = Reason(by="ana")


class Worker:
    """The activities of a worker that serves a folder now."""

    def __init__(self, database: Database, folder: Path, **aliases: tuple[Candidate, ...]) -> None:
        files = partial(load_prompts, folder, "app")
        self.registry = Registry(database, files())

        async def none() -> SearchAttributes:
            return SearchAttributes()

        models = ModelCatalogue(providers={}, aliases=aliases)
        vendors = VendorsByApp({"app": Vendors(models=models, providers={}, prices=Prices())})
        self.activities = PromptActivities(
            self.registry, vendors, "production", "ana", none, Histories(), Fleet(), files
        )

    async def resolve(self, request: ResolveRequest) -> Pins:
        return await ActivityEnvironment().run(self.activities.resolve, request)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(str(tmp_path / "llmflow.db")) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    (folder / "other").mkdir(parents=True)
    (folder / "ask.prompt").write_text("---\nmodel: smart\nconfig: {temperature: 0}\n---\nuser:\nhi\n")
    (folder / "typo.prompt").write_text("---\nmodel: fsat\n---\nuser:\nhi\n")
    (folder / "other" / "far.prompt").write_text("---\nmodel: fast\n---\nuser:\nhi\n")
    return folder


async def test_prompts_beside_it_come_along_and_others_do_not(database: Database, folder: Path) -> None:
    pins = await Worker(database, folder, smart=SMART, fast=FAST).resolve(ResolveRequest(prompt="app/ask"))
    assert list(pins.prompts) == ["app/ask", "app/typo"]
    assert pins.models == {"smart": SMART}, "an alias that does not resolve is raised by the call that uses it"
    assert pins.prompts["app/ask"].model_dump(mode="json").keys() == {"version", "model", "options"}


async def test_a_call_may_name_another_model(database: Database, folder: Path) -> None:
    request = ResolveRequest(prompt="app/ask", model="fast")
    pins = await Worker(database, folder, smart=SMART, fast=FAST).resolve(request)
    assert pins.models == {"fast": FAST, "smart": SMART}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ResolveRequest(prompt="app/aks"), PromptNotFound),
        (ResolveRequest(prompt="app/typo"), ModelNotFound),
        (ResolveRequest(prompt="app/ask", model="smrt"), ModelNotFound),
    ],
)
async def test_what_is_asked_for_must_be_there(
    database: Database, folder: Path, request_: ResolveRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await Worker(database, folder, smart=SMART).resolve(request_)


async def test_a_run_keeps_what_it_has(database: Database, folder: Path) -> None:
    run = RunPins()
    assert run.find("app/ask", None, None) is None
    run.keep("app/ask", await Worker(database, folder, smart=SMART).resolve(ResolveRequest(prompt="app/ask")))
    began = run.find("app/ask", None, None)
    assert began is not None
    assert began.candidates[0].options == ModelOptions(temperature=0, max_output_tokens=9)

    (folder / "ask.prompt").write_text("---\nmodel: fast\n---\nuser:\nbye\n")
    (folder / "typo.prompt").write_text("---\nmodel: fast\n---\nuser:\nhi\n")
    later = Worker(database, folder, smart=FAST, fast=FAST)
    assert run.alias("app/typo", None, None) == "fsat"
    with pytest.raises(ModelNotFound):  # typed, so that the run ends; a mended alias is for new runs
        await later.resolve(ResolveRequest(prompt="app/typo", model=run.alias("app/typo", None, None)))
    run.keep("app/ask", await later.resolve(ResolveRequest(prompt="app/ask", model="fast")))
    assert run.find("app/ask", None, None) == began


async def test_a_labelled_version_brings_its_own_model_and_options(database: Database, folder: Path) -> None:
    old = Worker(database, folder, smart=SMART)
    version = old.registry.served.get("app/ask").ref.version
    await old.registry.push("ana")
    await Labels(database).move("app/ask", "production", version, ANA)

    (folder / "ask.prompt").write_text("---\nmodel: fast\n---\nuser:\nbye\n")
    new = Worker(database, folder, smart=SMART, fast=FAST)
    await new.registry.push("ana")
    pins = await new.resolve(ResolveRequest(prompt="app/ask"))
    assert pins.prompts["app/ask"] == PinnedPrompt(
        version=version, model="smart", options=ModelOptions(temperature=0), source=PromptSource(label="production")
    )
    assert pins.models == {"smart": SMART}
    ref = PromptRef(name="app/ask", version=version)
    rendered = await new.activities.render(RenderRequest(prompt=ref))
    assert rendered.messages[0].text == "hi"


@pytest.mark.parametrize(
    ("unit", "origin", "other", "same"),
    [
        ("run", Origin(root="r1"), Origin(root="r2"), Origin(root="r1", user="bo", tenant="acme")),
        ("user", Origin(user="bo"), Origin(user="cy"), Origin(user="bo", root="r2", tenant="acme")),
        ("tenant", Origin(tenant="acme"), Origin(tenant="bulk"), Origin(tenant="acme", root="r2", user="bo")),
        ("user", Origin(root="r1"), Origin(root="r2"), Origin(root="r1", tenant="acme")),
    ],
)
async def test_a_rollout_goes_by_run_user_or_tenant(
    database: Database, folder: Path, unit: Unit, origin: Origin, other: Origin, same: Origin
) -> None:
    worker = Worker(database, folder, smart=SMART)
    await worker.registry.push("ana")
    version = worker.registry.served.get("app/ask").ref.version
    # One arm for each hundredth: two units are together by chance once in a hundred salts.
    arms = {f"arm{number}": (version, 100) for number in range(100)}

    async def arm(origin: Origin) -> str | None:
        pins = await worker.resolve(ResolveRequest(prompt="app/ask", origin=origin))
        return pins.prompts["app/ask"].source.arm

    apart = 0
    for _ in range(4):
        await Labels(database).roll_out("app/ask", "production", arms, ANA, unit=unit)
        assert await arm(origin) == await arm(origin) == await arm(same)
        apart += await arm(origin) != await arm(other)
        await Labels(database).end("app/ask", "production", ANA)
    assert apart


async def test_a_rollout_by_item_pins_every_arm_with_its_models(database: Database, folder: Path) -> None:
    worker = Worker(database, folder, smart=SMART, fast=FAST)
    await worker.registry.push("ana")
    old = worker.registry.served.get("app/ask").ref.version
    (folder / "ask.prompt").write_text("---\nmodel: fast\n---\nuser:\nbye\n")
    worker = Worker(database, folder, smart=SMART, fast=FAST)
    await worker.registry.push("ana")
    new = worker.registry.served.get("app/ask").ref.version
    arms = {"a": (old, 5000), "b": (new, 5000)}
    await Labels(database).roll_out("app/ask", "production", arms, ANA, unit="item")
    run = RunPins()
    run.keep("app/ask", await worker.resolve(ResolveRequest(prompt="app/ask")))
    items = [f"claim-{number}" for number in range(20)]
    found = {pin.source.arm: pin for item in items if (pin := run.find("app/ask", None, item))}
    assert {arm: (pin.prompt.version, pin.candidates[0].model) for arm, pin in found.items()} == {
        "a": (old, "openai:big"),
        "b": (new, "openai:small"),
    }
    assert run.find("app/ask", None, "claim-1") == run.find("app/ask", None, "claim-1")


async def test_a_run_without_a_root_is_dealt_by_its_own_id(database: Database, folder: Path) -> None:
    worker = Worker(database, folder, smart=SMART)
    await worker.registry.push("ana")
    version = worker.registry.served.get("app/ask").ref.version
    await Labels(database).roll_out("app/ask", "production", dict.fromkeys("ab", (version, 5000)), ANA)
    own = ActivityEnvironment.default_info().workflow_id
    assert own
    pins = [await worker.resolve(ResolveRequest(prompt="app/ask", origin=Origin(root=root))) for root in (own, None)]
    assert pins[0] == pins[1]


async def test_a_label_to_nowhere_stops_those_who_use_the_prompt_and_nobody_else(
    database: Database, folder: Path
) -> None:
    (folder / "typo.prompt").write_text("---\nmodel: fast\n---\nuser:\nhi\n")
    worker = Worker(database, folder, smart=SMART, fast=FAST)
    await worker.registry.push("ana")
    await Labels(database).move("app/ask", "production", worker.registry.served.get("app/ask").ref.version, ANA)
    await database.write(lambda connection: connection.execute(delete(prompt_versions)))

    (folder / "ask.prompt").write_text("---\nmodel: fast\n---\nuser:\nbye\n")
    later = Worker(database, folder, smart=SMART, fast=FAST)
    with pytest.raises(PromptVersionMissing):
        await later.resolve(ResolveRequest(prompt="app/ask"))
    assert list((await later.resolve(ResolveRequest(prompt="app/typo"))).prompts) == ["app/typo"]
