"""deploy/k8s against Kubernetes' own schemas, strictly, and against the image and the settings."""

from typing import Any

import kubernetes_validate
import pytest
import yaml
from emostream.settings import Settings

from tests.support import ROOT
from tests.test_deployment import argument_of

FOLDER = ROOT / "deploy" / "k8s"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
#: For other programs than kubectl: tests/test_monitoring.py has them.
OTHERS = {"adapter-values.yaml", "scrape.yml"}


def resources() -> dict[str, Any]:
    found = [yaml.safe_load((FOLDER / name).read_text()) for name in KUSTOMIZATION["resources"]]
    return {resource["kind"]: resource for resource in found}


def validate(resource: Any) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("kind", sorted(resources()))
def test_manifests_obey_kubernetes_schemas(kind: str) -> None:
    validate(resources()[kind])


def test_a_misspelt_field_is_noticed() -> None:
    resource = resources()["Deployment"]
    resource["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        validate(resource)


def test_the_kustomization_lists_every_manifest() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"} - OTHERS

    assert files == set(KUSTOMIZATION["resources"])
    assert {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    } <= set(resources())


def test_everything_means_the_same_pods_and_the_same_port() -> None:
    found = resources()
    template = found["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    [container] = template["spec"]["containers"]
    [port] = container["ports"]
    [service_port] = found["Service"]["spec"]["ports"]
    [rule] = found["NetworkPolicy"]["spec"]["ingress"]

    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "emostream"
    assert service_port["targetPort"] == port["name"]
    assert [entry["port"] for entry in rule["ports"]] == [port["containerPort"]]
    assert str(port["containerPort"]) == argument_of("EXPOSE")


def test_pods_run_as_the_images_user_and_write_where_the_image_does() -> None:
    spec = resources()["Deployment"]["spec"]["template"]["spec"]
    [container] = spec["containers"]
    user, _, group = argument_of("USER").partition(":")

    assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) == (
        int(user),
        int(group),
    )
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/tmp", "/var/cache/emostream"}
    assert "EMOSTREAM_CACHE_DIR=/var/cache/emostream" in argument_of("ENV")


def test_images_and_settings_are_ones_that_exist() -> None:
    [container] = resources()["Deployment"]["spec"]["template"]["spec"]["containers"]
    [config] = KUSTOMIZATION["configMapGenerator"]
    given = dict(literal.split("=", 1) for literal in config["literals"])
    given |= {variable["name"]: "secret" for variable in container["env"]}
    by_name = {name.removeprefix("EMOSTREAM_").lower(): value for name, value in given.items()}

    settings = Settings.model_validate(by_name)

    assert by_name.keys() <= Settings.model_fields.keys()
    assert settings.accepted_tokens == ("secret",)
    assert settings.shutdown_timeout_s < _grace_s()
    assert container["envFrom"] == [{"configMapRef": {"name": config["name"]}}]
    assert [image["name"] for image in KUSTOMIZATION["images"]] == [container["image"]]


def _grace_s() -> float:
    """What is left of a pod's time to end after its pause."""
    spec = resources()["Deployment"]["spec"]["template"]["spec"]
    pause_s = float(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])
    return float(spec["terminationGracePeriodSeconds"]) - pause_s


def test_traffic_follows_readiness_and_restarts_follow_liveness() -> None:
    [container] = resources()["Deployment"]["spec"]["template"]["spec"]["containers"]

    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_pods_reach_nobody() -> None:
    spec = resources()["NetworkPolicy"]["spec"]

    assert spec["egress"] == []
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
