"""Fixtures for README and docs: an empty folder, and a worker of the research assistant."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmflow import worker
from llmflow.config import Settings
from workflows.research.app import app

from .source import ROOT


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
