"""A machine of one's own: folders, a PATH with only what a test puts there, and a network that refuses."""

import socket
from pathlib import Path

import pytest

from llmflow.config import Settings

from .machine import Program


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"cache": tmp_path / "cache", "home": tmp_path / "home"}
    return Settings.load().model_copy(update={**folders, "temporal_address": None})


@pytest.fixture
def said() -> list[str]:
    """Messages of the set-up: pass its `append`."""
    return []


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a shell script on a PATH that has nothing else; the network refuses every connection."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refuses = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, refuses)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    def make(name: str, body: str, folder: Path = path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    return make
