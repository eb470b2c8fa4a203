"""Settings from the environment."""

from pathlib import Path

import pytest

from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.types.attributes import SearchAttributes


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


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ('{"cost": "Same", "tags": "Same"}', "two attributes are called Same: give each a name of its own"),
        ('{"cost": "LlmTags"}', "two attributes are called LlmTags"),
        ('{"cost": ""}', "String should match"),
        ('{"cost": "a`b"}', "String should match"),
        ("OurCost", 'write it as JSON, such as {"cost": "OurCost"}'),
    ],
)
def test_search_attributes_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch, names: str, says: str) -> None:
    monkeypatch.setenv("LLMFLOW_SEARCH_ATTRIBUTES", names)
    with pytest.raises(ConfigInvalid, match=f"environment variable LLMFLOW_SEARCH_ATTRIBUTES: {says}"):
        Settings.load()


def test_search_attributes_may_change_names_and_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_SEARCH_ATTRIBUTES", '{"cost": "LlmTags", "tags": null, "approval": null}')
    wanted = SearchAttributes(cost="LlmTags")
    assert Settings.load().attributes == wanted


SECRET = f"whsec_{'c2VjcmV0' * 4}"


def test_a_webhook_has_a_secret_that_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_WEBHOOK", "https://example.com/hook")
    monkeypatch.setenv("LLMFLOW_WEBHOOK_SECRET", SECRET)
    settings = Settings.load()
    assert settings.webhook == "https://example.com/hook"
    assert settings.webhook_secret
    assert settings.webhook_secret.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize("secret", [None, "", "hunter2", SECRET[:20], SECRET.removeprefix("whsec_"), f"{SECRET}!"])
def test_a_webhook_without_a_good_secret_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setenv("LLMFLOW_WEBHOOK", "https://example.com/hook")
    if secret is not None:
        monkeypatch.setenv("LLMFLOW_WEBHOOK_SECRET", secret)
    with pytest.raises(ConfigInvalid, match=r"variable LLMFLOW_WEBHOOK_SECRET: .* 24 to 64 random bytes") as refused:
        Settings.load()
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("url", ["example.com/hook", "ftp://example.com", "https:///hook"])
def test_a_webhook_is_an_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LLMFLOW_WEBHOOK", url)
    with pytest.raises(ConfigInvalid, match=r"variable LLMFLOW_WEBHOOK: give an http\(s\) address"):
        Settings.load()


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEBHOOK", "STORE", "MODELS", "BY"):
        monkeypatch.setenv(f"LLMFLOW_{name}", "")
    settings = Settings.load()
    assert (settings.webhook, settings.store, settings.models) == (None, None, None)
    assert settings.by
