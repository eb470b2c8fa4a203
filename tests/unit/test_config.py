"""Settings from the environment."""

from pathlib import Path

import pytest

from llmflow.config import Settings
from llmflow.errors import ConfigInvalid


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMFLOW_MODELS", "LLMFLOW_HOME", "LLMFLOW_CACHE", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.load()
    assert settings.models is None
    assert settings.home == Path(".llmflow")
    assert settings.temporal_address is None


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    monkeypatch.setenv("LLMFLOW_HOME", "/srv/flows")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    settings = Settings.load()
    assert settings.models == "offline"
    assert settings.home == Path("/srv/flows")
    assert settings.temporal_address == "temporal:7233"


def test_settings_are_data() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().models = "x"  # type: ignore[misc]  that is what is tested


def test_what_does_not_parse_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "localhost")
    with pytest.raises(ConfigInvalid, match="environment variable TEMPORAL_ADDRESS: String should match"):
        Settings.load()
