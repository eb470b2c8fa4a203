"""Commands on a namespace whose payloads, memos, headers and failures are encrypted: with its codec and without."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from llmflow.testing import server
from tests.helpers.command_line import ROOT, Done, call, working

APP = "tests.integration.secretive:app"
CODEC = "tests.helpers.ciphers:codec"
SECRET = "tuna"

Call = Callable[..., Done]


@pytest.fixture(scope="module")
async def encrypted() -> AsyncIterator[str]:
    """The address of a server of its own: what cannot be read there must not be found by other tests."""
    async with server() as address:
        yield address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def llmflow(encrypted: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A command line with the codec of the workers."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", encrypted)
    monkeypatch.setenv("LLMFLOW_HOME", str(home))
    monkeypatch.setenv("LLMFLOW_MODELS", "offline")
    monkeypatch.setenv("LLMFLOW_CODEC", CODEC)
    return lambda *arguments: call(capsys, *arguments)


@pytest.fixture(scope="module")
def worker(encrypted: str, home: Path) -> Iterator[None]:
    attributes = '{"tags": null}'
    with working(
        APP,
        TEMPORAL_ADDRESS=encrypted,
        LLMFLOW_CODEC=CODEC,
        LLMFLOW_HOME=str(home),
        LLMFLOW_SEARCH_ATTRIBUTES=attributes,
    ):
        yield


def _asks(llmflow: Call, id: str) -> None:
    llmflow("start", "Whisper", "--app", APP, "--id", id, "--input", f'"{SECRET}"', "--tag", SECRET, "--tenant", "acme")
    for _ in range(60):
        if [one for one in llmflow("approvals", "list", "--json").json() if one["run"] == id]:
            return
    raise AssertionError(llmflow("status", id))


@pytest.fixture
def runs(llmflow: Call, worker: None) -> None:
    """A run that waits for a person, one that completed and one that failed; made once."""
    if llmflow("status", "asks").code == 0:
        return
    for id in ("asks", "done", "failed"):
        _asks(llmflow, id)
    assert llmflow("approvals", "approve", "done", "--by", "ana").code == 0
    assert llmflow("approvals", "reject", "failed", "--by", "ana", "--comment", SECRET).code == 0
    assert f"{SECRET} is a fish" in llmflow("result", "done").out
    assert f"no {SECRET}" in llmflow("result", "failed").err


READS: dict[tuple[str, ...], str] = {
    ("list",): SECRET,
    ("list", "--json"): SECRET,
    ("status", "asks"): SECRET,
    ("status", "done", "--json"): SECRET,
    ("status", "failed"): f"no {SECRET}: {SECRET}",
    ("steps", "asks"): "write",
    ("usage", "asks"): "1          3",
    ("result", "done"): f"{SECRET} is a fish",
    ("result", "failed"): f"no {SECRET}: {SECRET}",
    ("compare", "done", "failed"): SECRET,
    ("approvals", "list"): SECRET,
    ("approvals", "show", "asks"): SECRET,
    ("approvals", "approve", "asks", "publish", "--by", "zoe"): "ana may",
    ("fork", "done", "--from", "write"): "forked done",
    ("start", "Whisper", "--app", APP, "--id", "asks", "--input", f'"{SECRET}"'): "nothing was started",
}


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_command_reads_with_the_codec_and_says_what_to_set_without(
    llmflow: Call, runs: None, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    good = llmflow(*command)
    assert READS[command] in good.out + good.err

    monkeypatch.delenv("LLMFLOW_CODEC")
    bad = llmflow(*command)
    assert "is binary/encrypted: set LLMFLOW_CODEC to the codec of its worker" in bad.err
    assert READS[command] not in bad.out + bad.err
    assert bad.code == (1 if command[0] == "result" and command[1] == "failed" else 5), "the run failed, which is known"


@pytest.mark.parametrize("codec", ["wrong_key", "other_keys"])
@pytest.mark.parametrize("command", [("status", "failed"), ("approvals", "list"), ("fork", "done", "--from", "write")])
def test_another_key_is_said(
    llmflow: Call, runs: None, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], codec: str
) -> None:
    monkeypatch.setenv("LLMFLOW_CODEC", f"tests.helpers.ciphers:{codec}")
    bad = llmflow(*command)
    assert "cannot be decoded, so LLMFLOW_CODEC may have another key than its worker (" in bad.err
    assert SECRET not in bad.out + bad.err
    assert bad.code == 5


def test_old_values_are_read_after_a_rotation(llmflow: Call, runs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_CODEC", "tests.helpers.ciphers:rotated")
    assert f"{SECRET} is a fish" in llmflow("result", "done").out


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("ciphers", "write it as `package.module:attribute`"),
        ("nowhere.ciphers:codec", "there is no module 'nowhere' here"),
        ("tests.helpers.ciphers:nothing", "'nothing' of module 'tests.helpers.ciphers' is neither a PayloadCodec"),
        ("tests.helpers.ciphers:no_codec", "'no_codec' of module 'tests.helpers.ciphers' is neither a PayloadCodec"),
    ],
)
def test_a_path_without_a_codec(llmflow: Call, monkeypatch: pytest.MonkeyPatch, path: str, says: str) -> None:
    monkeypatch.setenv("LLMFLOW_CODEC", path)
    refused = llmflow("list")
    assert (refused.code, says in refused.err) == (5, True), refused.err


async def test_nothing_of_a_run_is_in_clear(encrypted: str, runs: None) -> None:
    """Search attributes and ids are, as docs/encryption.md says: the workers here write no tags."""
    client = await Client.connect(encrypted)
    for id in ("asks", "done", "failed", "done-heard"):
        handle = client.get_workflow_handle(id)
        known = (await handle.describe()).raw_description.SerializeToString()
        events = [event.SerializeToString() async for event in handle.fetch_history_events()]
        assert len(events) > 3
        assert not [one for one in (known, *events) if SECRET.encode() in one]
