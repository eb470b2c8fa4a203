"""`llmflow doctor`: what it looks at, how it says what to do, and that it never shows a key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.command_line import ROOT, Done, call

RESEARCH = "workflows.research.app:app"
KEY = "sk-planted-51c07f2ab9"

Doctor = Callable[..., Done]


@pytest.fixture
def doctor(
    temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("LLMFLOW_MODELS", raising=False)
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "store.db"))
    return lambda *arguments: call(capsys, "doctor", *arguments)


def test_a_healthy_server(doctor: Doctor, temporal: str) -> None:
    done = doctor()
    assert done.code == 0
    assert done.out.startswith("✓ server  Temporal 1.")
    assert f"at {temporal}, namespace default" in done.out


def test_a_tool_that_a_workflow_uses_and_its_app_lacks(doctor: Doctor) -> None:
    done = doctor("--app", "tests.integration.fleet:older", "--json")
    lacking = [one for one in json.loads(done.out)["checks"] if one["name"] == "tools"]
    assert [(one["ok"], one["mend"]) for one in lacking] == [(False, "add it to tools=[...] of the App")] * 3
    assert lacking[0]["found"] == "workflow Deliver uses the tool `weigh`, which the App does not have"


def test_codec_and_storage(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple[bool, str]]:
        return [
            (one["ok"], one["found"]) for one in json.loads(doctor("--json").out)["checks"] if one["name"] == "payloads"
        ]

    assert not found()
    monkeypatch.setenv("LLMFLOW_CODEC", "tests.helpers.ciphers:codec")
    assert found() == [(True, "codec: a value is read as it was written")]
    monkeypatch.setenv("LLMFLOW_STORAGE", str(tmp_path / "storage"))
    assert found() == [(True, "codec and external storage: a value is read as it was written")]
    monkeypatch.setenv("LLMFLOW_CODEC", "tests.helpers.ciphers:broken")
    [(ok, problem)] = found()
    assert not ok
    assert "the key server is down" in problem


def test_an_app_and_its_keys(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"Path({str(ROOT / 'workflows' / 'research')!r})"
    (tmp_path / "unserved.py").write_text(
        "from pathlib import Path\nfrom llmflow.app import App\n"
        f"app = App(name='unserved', workflows=[], prompts={here} / 'prompts', models={here} / 'models.yaml')\n"
    )
    monkeypatch.chdir(tmp_path)

    done = doctor("--app", "unserved:app", "--json")

    assert done.code == 3, "no worker"
    checks = json.loads(done.out)["checks"]
    assert [(one["name"], one["ok"]) for one in checks] == [
        ("server", True),
        ("search", True),
        ("worker", False),
        ("runs", True),
        ("store", True),
        ("app", True),
        ("prompts", True),
        ("models", True),
        ("models", True),
        ("prices", True),
    ]
    assert checks[2]["mend"] == "llmflow worker --app unserved:app"
    assert checks[7]["found"].endswith("; OPENAI_API_KEY")
    assert "genai-prices " in checks[9]["found"]
    assert " days ago), then litellm " in checks[9]["found"]
    assert KEY not in done.out + done.err


def test_prices_that_do_not_parse(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prices.yaml").write_text("openai:gpt-5.4: {inptu: 2}\n")
    monkeypatch.setenv("LLMFLOW_PRICES", str(tmp_path / "prices.yaml"))
    text = "".join(doctor("--app", RESEARCH).out.split())
    assert "✗prices" in text
    assert "prices.yaml:1:" in text


def test_models_without_a_sure_price(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.yaml").write_text(
        "providers:\n"
        "  local: {api: chat, base_url: 'http://localhost:11434/v1'}\n"
        "  azure: {api: responses, base_url: 'https://mine.openai.azure.com/openai/v1', key: AZURE_KEY}\n"
        "  openai: {api: responses, key: OPENAI_API_KEY}\n"
        "models:\n"
        "  smart: [azure:gpt-5.4, openai:gpt-5.4]\n"
        "  fast: local:qwen3\n"
    )
    monkeypatch.setenv("LLMFLOW_MODELS", str(tmp_path / "models.yaml"))
    checks = json.loads(doctor("--app", RESEARCH, "--json").out)["checks"]
    found = [one["found"] for one in checks if one["name"] == "prices"][1:]
    assert [one.partition(": ")[0] for one in found] == ["local:qwen3", "azure:gpt-5.4"]
    assert "no price: genai-prices" in found[0]
    assert "its price is not sure: a data zone or a region of Azure" in found[1]


def test_only_a_server_or_a_store_that_does_not_answer(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert doctor().code == 3
    monkeypatch.setenv("LLMFLOW_STORE", "postgresql://nobody@127.0.0.1:1/nothing")
    done = doctor("--json")
    assert (done.code, [one["away"] for one in json.loads(done.out)["checks"]]) == (3, [True, True])


def test_what_is_missing(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    done = doctor("--app", RESEARCH)
    text = " ".join(done.out.split())
    assert done.code == 5
    assert "✗ server no Temporal server answers at 127.0.0.1:1" in text
    assert "✗ models fast: OPENAI_API_KEY is not set" in text
    assert "→ export OPENAI_API_KEY=..." in text


def test_without_a_model(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    text = " ".join(doctor("--app", RESEARCH).out.split())
    assert "✓ models fast: offline:fast, which is not a language model" in text
    assert "unset LLMFLOW_MODELS" in text


def test_files_that_do_not_parse(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "ask.prompt").write_text("---\nmodel: smart\ntools: [serach]\n---\nuser:\n{{ question }}\n")
    (tmp_path / "models.yaml").write_text("providers:\n  openai: {api: nonsense}\nmodels: {}\n")
    (tmp_path / "sick.py").write_text(
        "from pathlib import Path\nfrom llmflow.app import App\n"
        "app = App(name='sick', workflows=[], prompts=Path('prompts'), models=Path('models.yaml'))\n"
    )
    monkeypatch.chdir(tmp_path)

    text = " ".join(doctor("--app", "sick:app").out.split())
    assert "✗ prompts sick/ask names the tool `serach`, which the App does not have" in text
    assert "✗ models models.yaml:2:" in text

    (tmp_path / "prompts" / "ask.prompt").write_text("user:\n{{ question\n")
    assert "ask.prompt:2:" in doctor("--app", "sick:app").out


def test_missing_search_attributes_are_added_and_used_at_once(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_SEARCH_ATTRIBUTES", '{"cost": "DoctorCost", "tags": null, "approval": null}')
    text = " ".join(doctor().out.split())
    assert "runs cannot be found by DoctorCost" in text
    assert "→ llmflow doctor --fix" in text

    fixed = doctor("--fix")
    assert fixed.code == 0
    assert "runs can be found by DoctorCost; new: DoctorCost" in " ".join(fixed.out.split())
    assert "new:" not in doctor("--fix").out

    monkeypatch.setenv("LLMFLOW_SEARCH_ATTRIBUTES", '{"approval": "DoctorCost"}')
    wrong = doctor("--fix")
    assert wrong.code == 5
    assert "DoctorCost of namespace default is a Double, but llmflow needs a Keyword" in " ".join(wrong.out.split())


@pytest.mark.parametrize(
    ("variable", "value", "check"),
    [
        ("TEMPORAL_NAMESPACE", "{long}", "server"),
        ("LLMFLOW_SEARCH_ATTRIBUTES", '{{"cost": "{long}"}}', "search"),
    ],
)
def test_whatever_the_server_says_is_a_finding(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, check: str
) -> None:
    monkeypatch.setenv(variable, value.format(long="n" * 5_000_000))  # more than a server takes: RESOURCE_EXHAUSTED
    done = doctor("--fix", "--json")
    assert done.code == 3, "as any other command would say it"
    [failed] = [one for one in json.loads(done.out)["checks"] if not one["ok"]]
    assert failed["name"] == check
    assert "larger than max" in failed["found"]
