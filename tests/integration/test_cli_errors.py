"""The missing, the mistyped, the too large, the unknown: one clear line each, and nothing half done."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from llmflow.stores.database import Database
from llmflow.stores.served import Place, put_served
from tests.helpers.command_line import ROOT, Done, call

APP = "tests.integration.errands:app"

Call = Callable[..., Done]


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """A command line that means the server of the tests, where no worker serves this App's other queue."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("LLMFLOW_MODELS", raising=False)
    return lambda *arguments: call(capsys, *arguments)


def refused(done: Done, code: int, said: str) -> None:
    """One line that begins with `error:`, and nothing on stdout."""
    assert (done.code, done.out) == (code, ""), done.err
    assert done.err.startswith("error: ")
    assert said in done.err
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize("command", ["status", "usage", "result", "cancel", "terminate"])
def test_a_run_that_is_not_there(llmflow: Call, command: str) -> None:
    refused(llmflow(command, "nobody"), 4, "there is no run 'nobody'")
    refused(llmflow(command, "nobody", "--json"), 4, "`llmflow list` shows those there are")


def test_ids_that_temporal_refuses(llmflow: Call) -> None:
    refused(llmflow("start", "--app", APP, "Say", "--input", '"x"', "--id", "x" * 2000), 2, "Temporal does not accept")
    refused(llmflow("start", "--app", APP, "Say", "--input", '"x"', "--id", ""), 2, "Temporal does not accept")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Sya",), "no workflow `Sya` (did you mean `Say`?)"),
        ((), "several workflows, name one of them: Break, Greet, Nap, Say"),
        (("Greet",), "Greet needs an input"),
        (("Greet", "--input", '{"whom": "ana"}'), "`who` is missing (you gave `whom`)"),
        (("Greet", "--input", '{"who": ""}'), "who: String should have at least 1 character"),
        (("Greet", "--input", '{"who": "ana", "times": "often"}'), "times: Input should be a valid integer"),
        (("Say", "--input", "hello"), "a text needs quotes of its own"),
        (("Say", "--input", "@nowhere.json"), "No such file"),
        (("Nap", "--input", "1"), "Nap takes no input"),
    ],
)
def test_inputs_that_do_not_fit(llmflow: Call, arguments: tuple[str, ...], said: str) -> None:
    refused(llmflow("start", "--app", APP, *arguments, "--id", "never"), 2, said)
    assert llmflow("status", "never").code == 4, "nothing was started"


def test_a_workflow_that_the_worker_does_not_have_yet(
    llmflow: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "served.db"))

    async def serve() -> None:
        async with Database(str(tmp_path / "served.db")) as store:
            await put_served(store, Place(namespace="default", task_queue="errands"), "errands", ["Nab"], replace=True)

    asyncio.run(serve())
    said = "no worker of task queue errands serves the workflow 'Nap' (did you mean `Nab`?). There is: Nab"
    refused(llmflow("start", "--app", APP, "Nap", "--id", "never"), 2, said)
    assert llmflow("status", "never").code == 4, "nothing was started"


def test_an_input_that_is_too_large(llmflow: Call, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_text(f'"{"x" * 3_000_000}"')
    refused(
        llmflow("start", "--app", APP, "Say", "--input", f"@{file}", "--id", "large"), 2, "is too large for Temporal"
    )
    assert llmflow("status", "large").code == 4, "nothing was started"


@pytest.mark.parametrize("command", ["start", "worker", "doctor"])
def test_an_app_that_is_not_there(llmflow: Call, command: str) -> None:
    done = llmflow(command, "--app", "tests.integration.nowhere:app")
    assert done.code == 5
    assert "there is no module 'tests.integration.nowhere' here" in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--query", "WorkflowId LIKES 'x'"), "Temporal does not accept"),
        (("--cursor", "no cursor!"), "is invalid: give the `cursor` of a page of `list`"),
    ],
)
def test_filters_that_do_not_parse(llmflow: Call, arguments: tuple[str, ...], said: str) -> None:
    refused(llmflow("list", *arguments), 2, said)


COMMANDS = (
    ("list",),
    ("status", "x"),
    ("cancel", "x"),
    ("terminate", "x"),
    ("start", "--app", APP, "Nap"),
    ("worker", "--app", APP),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_server(llmflow: Call, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    done = llmflow(*command)
    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("error: no Temporal server answers at 127.0.0.1:1 (Connection refused)")


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_no_namespace(llmflow: Call, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    refused(llmflow(*command), 5, "Namespace nowhere is not found")


def test_settings_that_do_not_parse(llmflow: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "somewhere")
    refused(llmflow("list"), 5, "environment variable TEMPORAL_ADDRESS")
    monkeypatch.delenv("TEMPORAL_ADDRESS")
    monkeypatch.setenv("TEMPORAL_PROFILE", "nowhere")
    refused(llmflow("list"), 5, "Profile 'nowhere' not found")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--health", "here"), "address 'here': write it as host:port"),
        (("--metrics", "here"), "address 'here': write it as host:port"),
        (("--address", "localhost:port"), "Temporal address 'localhost:port'"),
    ],
)
def test_a_worker_with_bad_addresses(
    llmflow: Call, options: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    done = llmflow("worker", "--app", APP, *options)
    assert done.code == 5
    assert said in done.err.splitlines()[-1]


def test_a_worker_without_models_or_keys(llmflow: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(llmflow("worker", "--app", APP), 5, "`errands/greet`: model 'smart': no models.yaml defines")
    refused(llmflow("worker", "--app", "workflows.research.app:app"), 5, "set OPENAI_API_KEY")
    monkeypatch.setenv("LLMFLOW_MODELS", "nowhere.yaml")
    refused(llmflow("worker", "--app", APP), 5, "nowhere.yaml")


def test_a_run_without_a_worker(llmflow: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts of Temporal itself are shown anyway."""
    lonely = "tests.integration.lonely:app"
    begun = llmflow("start", "--app", lonely, "--id", "lonely-1")
    assert begun.code == 0
    assert f"no worker serves task queue lonely yet: `llmflow worker --app {lonely}` runs one" in begun.err
    elsewhere = llmflow("start", "--app", lonely, "--id", "lonely-2", "--task-queue", "far").err
    assert f"task queue far yet: `llmflow worker --task-queue far --app {lonely}` runs one" in elsewhere
    assert llmflow("status", "lonely-2", "--json").json()["status"]["task_queue"] == "far"

    status = llmflow("status", "lonely-1", "--json").json()
    assert status["status"]["state"] == "running"
    assert status["steps"] is status["usage"] is None
    nobody = "no worker serves task queue lonely"
    assert (status["missing"], status["remedy"]["action"]) == (nobody, "start_worker")
    nobody += ": start one with `llmflow worker --task-queue lonely`"
    assert f"steps and usage are not known: {nobody}" in llmflow("status", "lonely-1").out

    refused(llmflow("usage", "lonely-1"), 3, nobody)
