"""Labels and rollouts on the real server: a new run gets the new version, a running one is never touched."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.worker import Replayer

from llmflow import worker
from llmflow.app import App
from llmflow.client import Client, Run, StartOptions, connect
from llmflow.config import Settings
from llmflow.plugin import LLMFlowPlugin
from llmflow.prompts.files import parse_prompt
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.schema import calls
from tests.helpers.postgres import Postgres
from tests.integration.labelled import PLAN, Continued, Items, Once

OLD, NEW = "---\nmodel: fast\n---\nuser:\nPlan {{ goal }}.\n", "---\nmodel: fast\n---\nuser:\nThink of {{ goal }}.\n"
OLD_VERSION, NEW_VERSION = (parse_prompt(text, PLAN, "plan.prompt").ref.version for text in (OLD, NEW))
ANA = Reason(by="ana")


class Fleet:
    """Workers with files of their own, and one store."""

    def __init__(self, root: Path, store: str, temporal: str, client: Client, database: Database) -> None:
        self.client = client
        self.database = database
        self.labels = Labels(database)
        self._root = root
        self._settings = Settings(models="offline", home=root, store=store)
        self._temporal = temporal

    @asynccontextmanager
    async def worker(self, text: str) -> AsyncGenerator[None]:
        """One whose file has this text; it is gone in the end."""
        folder = self._root / uuid.uuid4().hex
        folder.mkdir()
        (folder / "plan.prompt").write_text(text)
        app = App(name="labelled", workflows=[Continued, Items, Once], prompts=folder)
        ready, stop = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(
            worker.run(
                app,
                settings=self._settings,
                address=self._temporal,
                task_queues=[self.client.task_queue or ""],
                ready=lambda _: ready.set(),
                stop=stop,
            )
        )
        await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        yield
        stop.set()
        await serving

    async def once(self, user: str | None = None) -> str:
        """The version that a new run gets."""
        options = StartOptions(id=str(uuid.uuid4()))
        if user:
            options["user"] = user
        run = await self.client.start(Once.run, **options)
        return await run.result()

    async def waiting(self) -> Run[list[str]]:
        """A run that has asked once, and waits."""
        run = await self.client.start(Continued.run, [], id=str(uuid.uuid4()))
        while not (await run.usage()).total.calls:
            await asyncio.sleep(0.02)
        return run


@pytest.fixture(params=["sqlite", "postgresql"])
def cluster(request: pytest.FixtureRequest) -> Postgres | None:
    return request.getfixturevalue("postgres") if request.param == "postgresql" else None


@pytest.fixture
async def fleet(cluster: Postgres | None, temporal: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    store = await cluster.database() if cluster else str(tmp_path / "store.db")
    database = Database(store)
    await database.upgrade()
    async with database:
        client = Client((await connect(address=temporal)).temporal, task_queue=f"labelled-{uuid.uuid4()}")
        yield Fleet(tmp_path, store, temporal, client, database)


async def test_a_running_workflow_is_never_touched(fleet: Fleet) -> None:
    async with fleet.worker(OLD):
        await fleet.labels.move(PLAN, "production", OLD_VERSION, ANA)
        run = await fleet.waiting()
    async with fleet.worker(NEW):  # other files, same store
        assert await fleet.once() == OLD_VERSION, "the label, and not the file"
        await fleet.labels.move(PLAN, "production", NEW_VERSION, ANA)
        assert await fleet.once() == NEW_VERSION
        await run.handle.signal(Continued.go_on)
        assert await run.result() == [OLD_VERSION] * 3, "the run, the run that continues it, and a child"
        await fleet.labels.move(PLAN, "production", "back", ANA)
        assert await fleet.once() == OLD_VERSION


@pytest.mark.parametrize(("first", "second"), [(OLD, NEW), (NEW, OLD)])
async def test_workers_with_other_files_serve_each_others_runs(fleet: Fleet, first: str, second: str) -> None:
    began = OLD_VERSION if first == OLD else NEW_VERSION
    async with fleet.worker(first):
        runs = [await fleet.waiting() for _ in range(3)]
        async with fleet.worker(second):  # both at once, as in a rolling deploy
            await asyncio.gather(*(run.handle.signal(Continued.go_on) for run in runs))
            assert [await run.result() for run in runs] == [[began] * 3] * 3
            assert {await fleet.once() for _ in range(6)} <= {OLD_VERSION, NEW_VERSION}


async def test_a_rollout_is_sticky_by_user_and_the_ledger_says_the_arm(fleet: Fleet, tmp_path: Path) -> None:
    async with fleet.worker(OLD), fleet.worker(NEW):
        arms = {"a": (OLD_VERSION, 5_000), "b": (NEW_VERSION, 5_000)}
        await fleet.labels.roll_out(PLAN, "production", arms, ANA, unit="user")
        rollout = (await fleet.labels.state(PLAN)).rollouts["production"]
        users = [f"user-{number}" for number in range(6)]
        for user in users * 2:
            assert await fleet.once(user) == rollout.arm_of(user).version
    found = await fleet.database.read(lambda connection: connection.execute(select(calls)).all())
    assert sorted((row.user_id, row.label, row.arm) for row in found) == sorted(
        (user, "production", rollout.arm_of(user).arm) for user in users * 2
    )


async def test_a_rollout_is_sticky_by_item(fleet: Fleet) -> None:
    arms = {"a": (OLD_VERSION, 5_000), "b": (NEW_VERSION, 5_000)}
    items = [f"claim-{number}" for number in range(6)]
    async with fleet.worker(OLD), fleet.worker(NEW):
        await fleet.labels.roll_out(PLAN, "production", arms, ANA, unit="item")
        rollout = (await fleet.labels.state(PLAN)).rollouts["production"]
        runs = [await fleet.client.start(Items.run, items, id=str(uuid.uuid4())) for _ in range(2)]
        for run in runs:
            own = rollout.arm_of(run.id).version
            dealt = [[rollout.arm_of(item).version] * 2 for item in items]
            assert await run.result() == [[own], *dealt, [own] * 6], "its own calls, and items without a label"
        history = await runs[0].handle.fetch_history()
    await Replayer(workflows=[Items], plugins=[LLMFlowPlugin(App(name="labelled", workflows=[Items]))]).replay_workflow(
        history
    )
    ids = [event.activity_task_scheduled_event_attributes.activity_id for event in history.events]
    asked = ["complete#1", *(f"ask[{index}]/complete#1" for index in range(6))]
    assert {one for one in ids if one} >= set(asked)
    found = await fleet.database.read(lambda connection: connection.execute(select(calls)).all())
    assert {(row.item, row.arm) for row in found if row.item} == {(item, rollout.arm_of(item).arm) for item in items}
