"""docker-compose.yml, as far as that can be judged without Docker. `make test-production` checks its schema, too."""

import re
from collections import Counter

import pytest

from llmflow.worker.calls import GRACEFUL_SHUTDOWN
from tests.deploy.conftest import Service
from tests.deploy.files import COMPOSE, DEPLOY, DOCKERFILES, ROOT, example, variables
from tests.helpers.production import VERSION

Services = dict[str, Service]
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?[\w.-]*(\$\{[A-Z_]+_DIGEST:-\})?")
DIGEST = re.compile(r"\$\{[A-Z_]+_DIGEST:-\}$")
SECRET = re.compile(r"PASSWORD|PASS|SECRET|TOKEN|KEY|AUTH")


def test_every_image_has_a_version(services: Services) -> None:
    images = [service["image"] for service in services.values()]
    for dockerfile in DOCKERFILES:
        images += re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)
    assert len(images) > len(services)
    for image in images:
        assert PINNED.fullmatch(image), f"{image} moves: pin its version"
    for name, service in services.items():
        assert DIGEST.search(service["image"]) or "build" in service, f"{name}: a digest cannot be given"


def test_the_server_is_the_one_that_test_production_builds(services: Services) -> None:
    version = VERSION.removeprefix("v")
    assert DIGEST.sub("", services["temporal"]["image"]) == f"temporalio/server:{version}"
    for name in ("temporal-schema", "temporal-namespace"):
        assert DIGEST.sub("", services[name]["image"]) == f"temporalio/admin-tools:{version}"


def test_what_runs_says_whether_it_is_healthy_and_what_ends_is_waited_for(services: Services) -> None:
    ends = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert ends == {"temporal-schema", "temporal-namespace", "store-upgrade"}
    for name, service in services.items():
        if name in ends:
            assert "restart" not in service, name
            continue
        assert service["restart"] == "unless-stopped", name
        asked = "test" in service.get("healthcheck", {}) or "HEALTHCHECK" in dockerfile_of(service)
        assert asked, f"{name} has no health check"


def dockerfile_of(service: Service) -> str:
    build = service.get("build")
    return (ROOT / build["context"] / build["dockerfile"]).read_text() if build else ""


def test_services_wait_for_services_that_there_are(services: Services) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], f"{name} waits for the health of {other}"


def test_no_secret_stands_in_it_and_none_has_a_default(services: Services) -> None:
    looked_at = 0
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable) or re.search("://.*@", str(value)):
                looked_at += 1
                assert re.search(r"\$\{\w+:\?set it in \.env\}", value) or value == "${OPENAI_API_KEY:-}", (
                    f"{name}: {variable}"
                )
    assert looked_at > 5
    assert not re.search(r"^\s*(?:\w*_)?(?:PASSWORD|SECRET|TOKEN)\s*[:=]\s*\w", COMPOSE.read_text(), re.MULTILINE)


def test_what_it_takes_from_the_environment_is_in_the_example_and_nothing_else() -> None:
    assert variables(COMPOSE.read_text()) == set(example())


def test_the_example_has_no_secret_that_somebody_could_forget_to_change() -> None:
    assert {name: value for name, value in example().items() if value} == {
        "LLMFLOW_APP": "workflows.research.app:app",
        "LLMFLOW_LABEL": "production",
        "TEMPORAL_RETENTION": "720h",
    }


def test_what_is_required_is_required_everywhere() -> None:
    for name, value in re.findall(r"\$\{(\w+):[?-]([^}]*)\}", COMPOSE.read_text()):
        assert (value == "set it in .env") == name.endswith("_PASSWORD"), name


def test_env_is_for_nobody_else() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    assert "!.env" not in (ROOT / ".dockerignore").read_text()


def test_mounted_files_are_there_and_cannot_be_written(services: Services) -> None:
    mounted = [volume for service in services.values() for volume in service.get("volumes", ()) if volume[0] == "."]
    assert mounted
    for volume in mounted:
        path, _, mode = volume.split(":")
        assert (ROOT / path).exists(), path
        assert mode == "ro", path


def test_each_port_is_published_once_and_to_this_machine_only(services: Services) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert max(Counter(port.split(":")[1] for port in published).values()) == 1


def test_no_container_has_rights_or_memory_without_limit(services: Services) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name


def test_only_the_database_knows_its_administrator(services: Services) -> None:
    assert [name for name, service in services.items() if "POSTGRES_PASSWORD" in str(service)] == ["postgres"]


@pytest.mark.parametrize("name", ["worker", "store-upgrade"])
def test_our_own_containers_write_where_no_code_is(services: Services, name: str) -> None:
    service = services[name]
    assert service["read_only"]
    written = {volume.split(":")[1] for volume in service.get("volumes", ()) if not volume.endswith(":ro")}
    assert {*written, *service["tmpfs"]} <= {"/app/.llmflow", "/tmp"}
    image = dockerfile_of(service)
    assert "WORKDIR /app\n" in image, "the folder that commands import from"
    assert "PYTHONPATH" not in image


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_an_image_that_starts_as_root_leaves_it(services: Services, name: str) -> None:
    """Their entrypoints do, but only where the command is the server itself."""
    service = services[name]
    assert "user" in service or not {"command", "entrypoint"} & set(service)
    assert service.get("user") not in {"root", "0", 0}


def test_docker_gives_running_calls_the_time_that_the_worker_gives_them(services: Services) -> None:
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > GRACEFUL_SHUTDOWN.total_seconds()


def test_every_file_of_deploy_is_used(services: Services) -> None:
    used = COMPOSE.read_text() + "".join(path.read_text() for path in DOCKERFILES)
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            names = [
                str(one.relative_to(ROOT)) for one in (path, *path.parents) if one != DEPLOY and DEPLOY in one.parents
            ]
            assert any(name in used for name in names), path
