"""The configuration of the Temporal server. That it starts with it, `make test-production` shows."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from llmflow.config import Settings
from llmflow.dev import launch
from tests.deploy.files import DEPLOY, ROOT
from tests.helpers.production import LEFT_OUT, PORTS

TEMPORAL = DEPLOY / "temporal"


def test_production_has_each_setting_that_the_dev_server_has() -> None:
    shipped = YAML(typ="safe").load(TEMPORAL / "dynamicconfig.yaml")
    assert all([list(one) == ["value"] for one in values] == [True] for values in shipped.values())
    assert {one.partition("=")[0] for one in launch.DYNAMIC_CONFIG} == set(shipped)


def test_no_secret_stands_in_it() -> None:
    text = (TEMPORAL / "production.yaml").read_text()
    assert "enable-template" in text[:1024]  # or the server would take the placeholders for the values
    assert set(re.findall(r"password: (.+)", text)) == {"{{ $password | quote }}"}


def test_test_production_moves_every_port() -> None:
    text = (TEMPORAL / "production.yaml").read_text()
    assert sorted(set(map(int, re.findall(r"add (\d+) \$shift", text)))) == sorted(PORTS)
    assert not re.search(r"Port: \d", text)


def test_what_test_production_leaves_out_is_there_to_leave_out() -> None:
    assert {name for name in LEFT_OUT if not (ROOT / "tests/integration" / name).exists()} == set()


def test_the_namespace_gets_the_search_attributes_that_runs_write() -> None:
    script = (TEMPORAL / "namespace.sh").read_text()
    names = Settings(_env_file=None).attributes  # type: ignore[call-arg]  pydantic-settings takes it
    assert dict(re.findall(r"--name (\w+) --type (\w+)", script)) == {
        names.cost: "Double",
        names.approval: "Keyword",
        names.tags: "KeywordList",
    }


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_parse_and_may_be_run(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.stat().st_mode & 0o111, script
    assert "set -eu" in script.read_text()
