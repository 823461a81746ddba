"""What Prometheus, Grafana and the autoscaler are told, held against /metrics and their own tools."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import connected, receive, server_thread, session
from tests.support import DATA, PATIENCE_S, ROOT, FakeRecognizer, frame, tool

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
KUBERNETES = ROOT / "deploy" / "k8s"

#: Prometheus' own.
_OWN = {"up"}
_OWN_LABELS = {"instance", "job", "le", "namespace", "pod"}


def promtool(*arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [tool("promtool"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def alerts() -> list[dict[str, Any]]:
    return [rule for group in read_yaml(PROMETHEUS / "alerts.yml")["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    content = json.loads((GRAFANA / "dashboards" / "emostream.json").read_text())
    assert isinstance(content, dict)
    return content


def dashboard_queries() -> Iterator[str]:
    """As Grafana sends them."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def queries() -> Iterator[str]:
    """Every one that is in the repository, and the names that ask for a metric without a query."""
    yield from dashboard_queries()
    yield from (rule["expr"] for rule in alerts())
    for rule in read_yaml(KUBERNETES / "adapter-values.yaml")["rules"]["custom"]:
        yield rule["seriesQuery"]
    for metric in read_yaml(KUBERNETES / "autoscaler.yaml")["spec"]["metrics"]:
        if metric["type"] == "Pods":
            yield metric["pods"]["metric"]["name"]
    [variable] = dashboard()["templating"]["list"]
    found = re.fullmatch(r"label_values\((\w+), instance\)", variable["query"]["query"])
    assert found
    yield found[1]


async def metrics_after_everything() -> str:
    """/metrics of a server that has answered and failed frames, and refused a session and a token."""
    settings = {"token": "secret", "max_sessions": 1, "open_metrics": True}
    with server_thread(FakeRecognizer(is_open=True), **settings) as server:
        async with session(server, "/ws?token=secret") as client:
            for number, picture in enumerate((b"face", b"poison")):
                await client.send(frame(number, picture))
                await receive(client)
            async with connected(server, "/ws?token=secret") as refused:
                await refused.wait_closed()
            async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as http:
                await http.post("/v1/faces", headers={"Authorization": "Bearer guess"})
                return (await http.get("/metrics")).text


async def test_every_query_names_metrics_and_labels_that_the_server_has() -> None:
    names: set[str] = set(_OWN)
    labels, values = set(_OWN_LABELS), set()
    for family in text_string_to_metric_families(await metrics_after_everything()):
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(
            family.type, ("",)
        )
        names |= {f"{family.name}{suffix}" for suffix in suffixes}
        labels |= {label for sample in family.samples for label in sample.labels}
        values |= {pair for sample in family.samples for pair in sample.labels.items()}

    for query in queries():
        matchers = re.findall(r'(\w+)(=~?|!=)"([^"]*)"', query)
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without) \([^)]*\)|\"[^\"]*\"", "", query)
        asked = {word for word in re.findall(r"\b[a-z]\w*\b(?!\s*\()", bare) if word != "by"}
        assert asked, query
        assert asked <= names, query
        assert {name for name, _, _ in matchers} <= labels, query
        exact = {(name, value) for name, sign, value in matchers if sign == "=" and name != "job"}
        assert exact <= values, query
        for grouped in re.findall(r"\bby \(([^)]*)\)", query):
            assert {label.strip() for label in grouped.split(",")} <= labels, query


def test_prometheus_configuration_is_valid() -> None:
    result = promtool("check", "config", PROMETHEUS / "prometheus.yml")

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(alerts())} rules found" in result.stdout + result.stderr


def test_every_alert_fires_for_what_it_is_for_and_rests_before(tmp_path: Path) -> None:
    shutil.copy(PROMETHEUS / "alerts.yml", tmp_path)
    shutil.copy(DATA / "alerts.test.yml", tmp_path)

    result = promtool("test", "rules", "alerts.test.yml", folder=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    [cases] = [test["alert_rule_test"] for test in read_yaml(DATA / "alerts.test.yml")["tests"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {rule["alert"] for rule in alerts()}


def test_the_dashboards_queries_are_promql(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    result = promtool("check", "rules", file)

    assert len(rules) > 15
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dashboard_is_laid_out_without_overlaps_and_names_the_data_source_that_is_provisioned() -> None:
    [source] = read_yaml(GRAFANA / "provisioning/datasources/prometheus.yml")["datasources"]
    [provider] = read_yaml(GRAFANA / "provisioning/dashboards/emostream.yml")["providers"]
    grafana = read_yaml(ROOT / "docker-compose.yml")["services"]["grafana"]
    folders = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    cells: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        own = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert not own & cells, panel["title"]
        assert x + w <= 24
        cells |= own
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}

    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    assert provider["options"]["path"] == folders["./deploy/grafana/dashboards"]
    assert source["url"] == "http://prometheus:9090"  # the service's name and port


@pytest.mark.parametrize("job", read_yaml(KUBERNETES / "scrape.yml")["scrape_configs"])
def test_the_clusters_scrape_job_is_valid(job: dict[str, Any], tmp_path: Path) -> None:
    """But for its discovery, without which Debian's promtool is built."""
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["emostream"]}}]
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps({"scrape_configs": [job]}))

    result = promtool("check", "config", "--syntax-only", file)

    assert result.returncode == 0, result.stdout + result.stderr
