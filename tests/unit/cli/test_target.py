"""Server that a command means."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmflow.cli.target import Target


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a listening socket that this folder's state names as its dev server."""
    for variable in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "LLMFLOW_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        (tmp_path / ".llmflow").mkdir()
        state = {"address": address, "ui_url": "http://localhost:1", "pid": os.getpid()}
        (tmp_path / ".llmflow" / "server.json").write_text(json.dumps(state))
        yield address


async def test_the_dev_server_of_this_folder(standing: str) -> None:
    assert await Target.choose() == Target(standing, "http://localhost:1")


async def test_temporals_own_environment_comes_first(standing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example.com:7233")
    assert await Target.choose() == Target("temporal.example.com:7233")
    monkeypatch.setenv("TEMPORAL_ADDRESS", standing)
    assert await Target.choose() == Target(standing, "http://localhost:1"), "its Web UI is known all the same"


async def test_temporals_own_profile_comes_first(
    standing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporal.toml").write_text('[profile.default]\naddress = "cloud.example.com:7233"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    assert await Target.choose() == Target("cloud.example.com:7233")


async def test_the_command_line_comes_before_all(standing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", standing)
    assert await Target.choose("here.example.com:1") == Target("here.example.com:1")


async def test_else_temporals_usual_port(standing: str, tmp_path: Path) -> None:
    (tmp_path / ".llmflow" / "server.json").unlink()
    assert await Target.choose() == Target("localhost:7233")
