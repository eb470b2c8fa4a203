"""Prometheus, Grafana and the collector agree with each other, with Compose and with what workers measure."""

import json
import re
from typing import Any

from ruamel.yaml import YAML

from llmflow.telemetry import metrics
from tests.deploy.conftest import Service
from tests.deploy.files import DEPLOY

Services = dict[str, Service]
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/llmflow.json").read_text())
LABELS = {
    *("model", "prompt", "version", "outcome", "direction", "error", "task_queue", "scope", "percent", "le", "job"),
}
"""Those of llmflow/telemetry/metrics.py, and Prometheus's own."""


def load(path: str) -> Any:  # Any: YAML
    return YAML(typ="safe").load(DEPLOY / path)


def measured() -> set[str]:
    """Names in Prometheus: a histogram has three."""
    names = {value for value in vars(metrics).values() if isinstance(value, str) and value.startswith("llmflow_")}
    parts = {f"{name}_{part}" for name in metrics.BUCKETS for part in ("bucket", "sum", "count")}
    return names - set(metrics.BUCKETS) | parts


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]] + [
        variable["definition"] for variable in DASHBOARD["templating"]["list"]
    ]


def test_the_dashboard_shows_what_workers_measure_and_all_of_it() -> None:
    asked = {name for query in queries() for name in re.findall(r"\bllmflow_\w+", query)}
    assert asked <= measured()
    assert {family(name) for name in asked} == {family(name) for name in measured()}


def family(name: str) -> str:
    return re.sub("_(bucket|sum|count)$", "", name)


def test_its_queries_name_labels_that_there_are() -> None:
    for query in queries():
        names = set(re.findall(r"(\w+)\s*=~?\s*\"", query))
        for group in re.findall(r"by \(([^)]+)\)", query):
            names |= {name.strip() for name in group.split(",")}
        assert names <= LABELS, query
        assert query.count("(") == query.count(")"), query
        assert query.count("{") == query.count("}"), query
    legends = " ".join(target["legendFormat"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    assert set(re.findall(r"\{\{(\w+)\}\}", legends)) <= LABELS


def test_its_panels_do_not_overlap() -> None:
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_grafana_has_the_data_source_that_the_dashboard_names() -> None:
    sources = {source["uid"]: source for source in load("grafana/datasources/llmflow.yaml")["datasources"]}
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"]["uid"] in sources
    assert sources["prometheus"]["url"] == "http://prometheus:9090"


def test_prometheus_asks_services_at_ports_where_they_answer(services: Services) -> None:
    jobs = {job["job_name"]: job for job in load("prometheus/prometheus.yml")["scrape_configs"]}
    [found] = jobs["worker"]["dns_sd_configs"]
    assert found["names"] == ["worker"]
    assert f"--metrics=0.0.0.0:{found['port']}" in services["worker"]["command"]
    assert jobs["temporal"]["static_configs"] == [{"targets": ["temporal:8000"]}]
    assert "add 8000 $shift" in (DEPLOY / "temporal/production.yaml").read_text()
    assert f'job="{jobs["worker"]["job_name"]}"' in " ".join(queries())


def test_the_collector_has_every_part_that_its_pipelines_name(services: Services) -> None:
    collector = load("otel/collector.yaml")
    assert set(collector["service"]["extensions"]) <= set(collector["extensions"])
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])
    received = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    endpoint = services["worker"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert endpoint == f"http://otel-collector:{received}"
    health = collector["extensions"]["health_check"]["endpoint"].rpartition(":")[2]
    assert health in str(services["otel-collector"]["healthcheck"]["test"])


def test_addresses_inside_the_stack_name_services(services: Services) -> None:
    for name, service in services.items():
        for value in service.get("environment", {}).values():
            for host in re.findall(r"(?:://(?:[^@/]*@)?|^)([a-z][a-z-]+):\d+", str(value)):
                assert host in services, f"{name}: {value}"
    assert load("otel/collector.yaml")["exporters"]["otlp_grpc"]["endpoint"].partition(":")[0] in services
