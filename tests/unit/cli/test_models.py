"""Models that an App's prompts name, and whether one can be asked."""

from pathlib import Path

import pytest

from llmflow.app import App
from llmflow.cli.models import how_to_get_a_model, models_of, settings_for_trial
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.service.diagnosis import Model

MODELS = """
providers:
  openai: {api: responses, key: OPENAI_API_KEY}
  local: {api: chat, base_url: "http://localhost:1/v1"}
  offline: {api: offline}
models:
  smart: ["openai:large", "openai:small"]
  mixed: ["openai:large", "local:small"]
  none: "offline:extractive"
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    for variable in ("OPENAI_API_KEY", "LLMFLOW_MODELS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.yaml").write_text(MODELS)
    (tmp_path / "a.prompt").write_text("---\nmodel: openai:direct\n---\nuser:\nhello\n")
    return App(name="some", workflows=[], prompts=tmp_path, models=tmp_path / "models.yaml")


def only(app: App, text: str) -> App:
    assert app.models
    app.models.write_text(text)
    return app


def test_each_name_that_a_prompt_may_use(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ("OPENAI_API_KEY",)
    assert models_of(app, Settings.load()) == [
        Model("mixed", ("openai:large", "local:small"), keys=key, missing=(), offline=False),
        Model("none", ("offline:extractive",), keys=(), missing=(), offline=True),
        Model("openai:direct", ("openai:direct",), keys=key, missing=key, offline=False),
        Model("smart", ("openai:large", "openai:small"), keys=key, missing=key, offline=False),
    ]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something")
    assert not [model for model in models_of(app, Settings.load()) if model.missing]


def test_a_prompt_that_names_nothing(app: App, tmp_path: Path) -> None:
    (tmp_path / "b.prompt").write_text("---\nmodel: smrt\n---\nuser:\nhello\n")
    with pytest.raises(ConfigInvalid, match=r"prompt `some/b`: .*did you mean `smart`"):
        models_of(app, Settings.load())


def test_a_trial_without_any_key_is_offline(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_for_trial(app).models is None, "local can be asked"

    keyed = "providers:\n  openai: {api: responses, key: OPENAI_API_KEY}\nmodels:\n  smart: openai:large\n"
    assert settings_for_trial(only(app, keyed)).models == "offline"

    monkeypatch.setenv("LLMFLOW_MODELS", "elsewhere.yaml")
    assert settings_for_trial(app).models == "elsewhere.yaml"
    monkeypatch.delenv("LLMFLOW_MODELS")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something")
    assert settings_for_trial(app).models is None


def test_how_to_get_a_model(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert how_to_get_a_model(app, Settings.load()) == "For a language model, name one in models.yaml."

    offline = Settings.load().model_copy(update={"models": "offline"})
    assert how_to_get_a_model(app, offline) == "For a language model, set OPENAI_API_KEY."

    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    advice = "For a language model, set OPENAI_API_KEY and unset LLMFLOW_MODELS."
    assert how_to_get_a_model(app, Settings.load()) == advice
