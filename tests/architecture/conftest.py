"""Fixtures of the rules: sources for as long as they are read; for README and docs, an empty folder and a worker."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from llmflow import worker
from llmflow.config import Settings
from workflows.research.app import app

from .source import ROOT, forget_sources


@pytest.fixture(scope="package", autouse=True)
def _no_trees_for_others() -> Iterator[None]:
    """Collect no garbage while syntax trees are made, nor leave them to later tests."""
    gc.disable()
    yield
    forget_sources()
    gc.enable()
    gc.collect()


@pytest.fixture
async def reader(temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """The folder, which is the current one. The worker asks no model, and reads the project's own documents."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_DOCUMENTS", str(ROOT))
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        worker.run(app, settings=Settings(models="offline"), ready=lambda _: ready.set(), stop=stop)
    )
    await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield tmp_path
    stop.set()
    await serving
