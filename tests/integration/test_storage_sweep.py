"""`llmflow store gc` never removes what a kept history or a schedule reaches."""

import os
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Schedule, ScheduleSpec

from llmflow.client import connect
from llmflow.errors import InputInvalid
from llmflow.service.storage import sweep
from tests.helpers.command_line import ROOT, environ, finished
from tests.integration.test_large_values import Hears

GRACE = timedelta(days=7)


async def test_only_what_nothing_refers_to_goes(temporal: str, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    client = await connect(address=temporal, storage=str(storage))
    converter = client.temporal.data_converter
    id = f"large-{uuid.uuid4()}"
    texts = {name: f"{name} " * 20_000 for name in ("input", "memo", "signal", "schedule", "nothing", "young")}
    run = await client.temporal.start_workflow(
        Hears.run, texts["input"], id=id, task_queue=id, memo={"large": texts["memo"]}
    )
    await run.signal("told", texts["signal"])
    action = client.schedule_action(Hears.run, texts["schedule"], id=id, task_queue=id)
    schedule = await client.temporal.create_schedule(id, Schedule(action=action, spec=ScheduleSpec()))
    await converter.encode([texts["nothing"]])
    for blob in storage.glob("v1/*/*/*"):
        os.utime(blob, (0, 0))
    await converter.encode([texts["young"]])

    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_STORAGE=str(storage), LLMFLOW_HOME=str(tmp_path))
    planned = (await finished("store", "gc", "--dry-run", "--json", cwd=ROOT, env=env)).json()
    assert (planned["deleted"], planned["kept"]) == (1, 4)
    assert len(list(storage.glob("v1/*/*/*"))) == 6
    done = await finished("store", "gc", cwd=ROOT, env=env)
    assert (done.code, "1 value (" in done.out, " deleted, 4 old ones are in use by " in done.out) == (0, True, True)
    assert len(list(storage.glob("v1/*/*/*"))) == 5

    await schedule.delete()
    await run.terminate()
    swept = await sweep(client, GRACE, dry_run=False, progress=lambda _: None)
    assert (swept.deleted, swept.kept) == (1, 3), "the schedule is gone, the history of the closed run is kept"
    with pytest.raises(InputInvalid, match="give at least 2 days"):
        await sweep(client, timedelta(hours=1), dry_run=True, progress=lambda _: None)
    refused = await finished("store", "gc", cwd=ROOT, env={**env, "LLMFLOW_STORAGE": ""})
    assert (refused.code, refused.err) == (5, "error: no external storage: set LLMFLOW_STORAGE as the workers do\n")
