"""models.yaml: what a name means, and where a mistake is."""

from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import JsonValue

from llmflow.errors import ConfigInvalid, ModelNotFound
from llmflow.providers.models.access import Access
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.types.models import Candidate, ModelOptions

GOOD = """
    providers:
      openai: {api: responses, key: OPENAI_API_KEY}
      local:
        api: chat
        base_url: http://localhost:11434/v1
      offline: {api: offline}
    models:
      smart:
        - {model: "openai:gpt-6.1-sol", reasoning_effort: medium, extra: {metadata: {a: [1, 0.5, on]}}}
        - local:qwen3:8b
      fast: openai:gpt-6-luna
      cheap: [fast, {model: smart, reasoning_effort: low, temperature: 0}]
"""


def load(tmp_path: Path, text: str) -> ModelCatalogue:
    path = tmp_path / "models.yaml"
    path.write_text(dedent(text).strip() + "\n")
    return load_model_catalogue(path)


def test_providers(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).providers == {
        "openai": ProviderEntry(api="responses", key="OPENAI_API_KEY"),
        "local": ProviderEntry(api="chat", base_url="http://localhost:11434/v1"),
        "offline": ProviderEntry(api="offline"),
    }


def test_how_a_provider_is_reached(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        providers:
          azure:
            api: chat
            base_url: https://corp.openai.azure.com/openai/v1
            headers: {api-key: AZURE_KEY}
            query: {api-version: AZURE_API_VERSION}
            ca_file: corp.pem
            limit_field: max_completion_tokens
          google: {api: litellm, key_command: "gcloud auth print-access-token --account 'a b'"}
          mesh: {api: responses, key_file: /run/secrets/token}
        """,
    )
    assert models.providers["azure"].access == Access(
        headers={"api-key": "AZURE_KEY"},
        query={"api-version": "AZURE_API_VERSION"},
        ca_file=str(tmp_path / "corp.pem"),
        limit_field="max_completion_tokens",
    )
    command = ("gcloud", "auth", "print-access-token", "--account", "a b")
    assert models.providers["google"].access == Access(key_command=command)
    assert models.providers["mesh"].access == Access(key_file="/run/secrets/token")


def test_aliases(tmp_path: Path) -> None:
    models = load(tmp_path, GOOD)
    extra: dict[str, JsonValue] = {"metadata": {"a": [1, 0.5, "on"]}}
    sol = ModelOptions(reasoning_effort="medium", extra=extra)
    assert models.resolve("smart") == (
        Candidate(model="openai:gpt-6.1-sol", options=sol),
        Candidate(model="local:qwen3:8b"),
    )
    assert models.resolve("cheap") == (
        Candidate(model="openai:gpt-6-luna"),
        Candidate(model="openai:gpt-6.1-sol", options=ModelOptions(reasoning_effort="low", temperature=0, extra=extra)),
        Candidate(model="local:qwen3:8b", options=ModelOptions(reasoning_effort="low", temperature=0)),
    )
    assert models.resolve("smart")[1].vendor_model == "qwen3:8b"


def test_what_is_read_is_plain_data(tmp_path: Path) -> None:
    options = load(tmp_path, GOOD).resolve("cheap")[1].options
    assert ModelOptions.model_validate_json(options.model_dump_json()) == options
    assert type(options.temperature) is float


def test_without_a_file_there_is_openai() -> None:
    models = load_model_catalogue(None)
    assert models.resolve("openai:gpt-6-luna") == (Candidate(model="openai:gpt-6-luna"),)
    assert models.providers["openai"].key == "OPENAI_API_KEY"
    with pytest.raises(ModelNotFound, match=r"no models.yaml defines an alias.* or write `provider:model`"):
        models.resolve("smart")
    with pytest.raises(ModelNotFound, match="no provider 'opnai'"):
        models.resolve("opnai:gpt")


def test_a_file_names_all_its_providers(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no provider 'openai'"):
        load(tmp_path, "providers:\n  local: {api: chat, base_url: 'http://localhost/v1'}").resolve("openai:gpt")


def test_a_model_without_an_alias(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).resolve("local:llama3") == (Candidate(model="local:llama3"),)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smrt", r"no model 'smrt' \(did you mean `smart`\?\). There is: cheap, fast, smart"),
        ("zzz", r"no model 'zzz'. There is: cheap, fast, smart. Or write `provider:model`"),
        ("opnai:gpt", r"no provider 'opnai' \(did you mean `openai`\?\). There is: local, offline, openai"),
        ("openai:", "write `provider:model`"),
        ("", "no model ''"),
        (":", "no provider ''"),
    ],
)
def test_unknown_names(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ModelNotFound, match=said):
        load(tmp_path, GOOD).resolve(name)


def test_an_anchor_may_be_shared(tmp_path: Path) -> None:
    models = load(
        tmp_path,
        """
        providers: {local: {api: chat, base_url: "http://x/v1"}}
        models:
          a: &a {model: "local:a", temperature: 1}
          b: {<<: *a, temperature: 0}
        """,
    )
    assert models.resolve("b") == (Candidate(model="local:a", options=ModelOptions(temperature=0)),)


CHAT = "providers: {a: {api: chat, base_url: 'http://x', "
PROVIDERS = "providers:\n  openai: {api: responses, key: K}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: models.yaml must be a mapping, not empty"),
        ("- a", "1:1: models.yaml must be a mapping, not a list"),
        ("model: {}", "1:1: models.yaml has no field 'model' (did you mean `models`?). There is: limits, models, prov"),
        ("1: {}", "1:1: models.yaml: the key 1 must be text: put it in quotes"),
        ("providers: []", "1:12: `providers` must be a mapping, not a list"),
        ("providers:\n  a: {api: chat, base_url: http://x}\n  a: {api: chat}", "3:3: found duplicate key"),
        ("providers: {a: {api: chat, base_url: 'http://x'}", "1:49: expected ',' or '}'"),
        ("providers:\n\ta: 1", "2:1: found character '\\t'"),
        ("providers: {a: {}}", "1:16: provider 'a' has no `api`: give one of responses, chat, litellm, offline"),
        ("providers: {a: {api: caht}}", "1:22: there is no api 'caht' (did you mean `chat`?)"),
        ("providers: {a: {api: 3}}", "1:22: `api` must be text, not 3"),
        (
            "providers: {a: {api: chat, url: x}}",
            "1:28: provider 'a' has no field 'url'. There is: api, base_url, ca_file",
        ),
        ("providers: {a: {api: chat}}", "1:16: provider 'a' has no `base_url`"),
        (CHAT + "headers: x}}", "1:59: `headers` must be a mapping, not 'x'"),
        (CHAT + "headers: {'a b': X}}}", "1:67: `headers`: 'a b' is no name of a header"),
        (CHAT + "headers: {Content-Type: X}}}", "1:74: `headers`: llmflow itself sets `Content-Type`"),
        (CHAT + "headers: {X-Team: 3}}}", "1:68: the environment variable of `X-Team` must be text, not 3"),
        (CHAT + "query: {api-version: ''}}}", "1:71: the environment variable of `api-version` must be text"),
        (CHAT + "key_command: 'echo \"'}}", "1:63: `key_command` is no command: No closing quotation"),
        (
            CHAT + "limit_field: tokens}}",
            "1:63: `limit_field` must be max_tokens or max_completion_tokens, not 'tokens'",
        ),
        (CHAT + "key: K, key_file: k}}", "1:16: provider 'a' has `key` and `key_file`: give one of them"),
        (
            CHAT + "key: K, headers: {authorization: A}}}",
            "1:16: provider 'a' has `key` and `headers` with authorization: give one of",
        ),
        ("providers: {a: {api: litellm, query: {a: A}}}", "1:38: `api: litellm` cannot use `query`"),
        (
            "providers: {a: {api: responses, key: K, limit_field: max_tokens}}",
            "1:54: `api: responses` cannot use `limit_field`",
        ),
        ("providers: {offline: {ca_file: x}}", "1:32: `api: offline` cannot use `ca_file`"),
        (
            "providers: {a: {api: chat, base_url: 'localhost:1'}}",
            "1:38: `base_url` must be http:// or https:// with a host",
        ),
        ("providers: {a: {api: chat, base_url: 'http://'}}", "1:38: `base_url` must be"),
        ("providers: {a: {api: chat, base_url: 'http://me:word@x/v1'}}", "1:38: `base_url` must be"),
        ("providers: {a: {api: responses}}", "1:16: provider 'a' has no `key`: name the environment variable"),
        ("providers: {a: {api: offline}}", "1:16: `api: offline` and the name `offline` go together"),
        ("providers: {offline: {api: chat, base_url: 'http://x'}}", "1:22: `api: offline` and the name `offline`"),
        ("providers: {'a:b': {api: chat}}", "1:20: provider 'a:b': a name has only letters"),
        (PROVIDERS + "models:\n  a:", "4:5: a candidate that is not `provider:model` must be a mapping, not empty"),
        (PROVIDERS + "models:\n  a: []", "4:6: model 'a' has no candidates"),
        (PROVIDERS + "models:\n  a: [3]", "4:7: a candidate that is not `provider:model` must be"),
        (PROVIDERS + "models:\n  a: {temperature: 1}", "4:6: the candidate has no `model`"),
        (
            PROVIDERS + "models:\n  a:\n    - model: openai:x\n      tmperature: 1",
            "6:7: a candidate that is not `provider:model` has no field 'tmpe",
        ),
        (
            PROVIDERS + "models:\n  a: {model: 'openai:x', temperature: hot}",
            "4:39: temperature: Input should be a valid",
        ),
        (
            PROVIDERS + "models:\n  a: {model: 'openai:x', reasoning_effort: mid}",
            "4:44: reasoning_effort: Input should",
        ),
        (PROVIDERS + "models:\n  a: {model: 'openai:x', extra: {d: 2026-01-01}}", "4:33: extra.d: "),
        (PROVIDERS + "models:\n  a: opnai:x", "4:6: model 'opnai:x': there is no provider 'opnai' (did you mean"),
        (PROVIDERS + "models:\n  a: 'openai:'", "4:6: model 'openai:': add the vendor's name"),
        (PROVIDERS + "models:\n  a: b", "4:6: there is no model 'b'. There is: a. Or write `provider:model`"),
        (PROVIDERS + "models:\n  a: b\n  b: [c]\n  c: a", "6:6: model 'a' leads back to itself: a -> b -> c -> a"),
        (PROVIDERS + "models:\n  a: a", "4:6: model 'a' leads back to itself: a -> a"),
        (PROVIDERS + "models:\n  'x:y': openai:x", "4:10: model 'x:y': a name has only letters"),
    ],
)
def test_mistakes_have_a_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load_model_catalogue(path)
    assert str(caught.value).startswith(f"{path}:{said}")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), (b"a: \xff", "is not UTF-8 text"), (b"a: \x01", "special characters")],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "models.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=said):
        load_model_catalogue(path)


def test_offline_instead_of_a_path() -> None:
    models = load_model_catalogue("offline")
    assert models.providers == {"offline": ProviderEntry(api="offline")}
    assert models.resolve("whatever") == (Candidate(model="offline:whatever"),)


def test_one_provider_for_every_name() -> None:
    models = ModelCatalogue.only("scripted")
    assert models.resolve("smart") == (Candidate(model="scripted:smart"),)
    assert models.resolve("openai:gpt-5.4") == (Candidate(model="scripted:gpt-5.4"),)
