"""deploy/ray against Ray's and Kubernetes' own schemas, the image, and the settings."""

from copy import deepcopy
from importlib.util import find_spec
from typing import Any

import kubernetes_validate
import pytest
import yaml
from emostream.settings import Settings, read_settings

from tests.support import ROOT
from tests.test_deployment import argument_of, read_yaml, stage

FOLDER = ROOT / "deploy" / "ray"
SERVE: dict[str, Any] = read_yaml(FOLDER / "serve.yaml")
RESOURCES = list(yaml.safe_load_all((FOLDER / "rayservice.yaml").read_text()))
[RAY_SERVICE] = [resource for resource in RESOURCES if resource["kind"] == "RayService"]
CLUSTER = RAY_SERVICE["spec"]["rayClusterConfig"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
[GATEWAY] = [resource for resource in RESOURCES if resource["kind"] == "Deployment"]

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install 'emostream[ray]'"
)


def deployed() -> dict[str, Any]:
    config = yaml.safe_load(RAY_SERVICE["spec"]["serveConfigV2"])
    assert isinstance(config, dict)
    return config


@needs_ray
@pytest.mark.parametrize("config", [deepcopy(SERVE), deployed()], ids=["serve.yaml", "rayservice.yaml"])
def test_configurations_obey_rays_schema(config: dict[str, Any]) -> None:
    from ray.serve.schema import ServeDeploySchema

    ServeDeploySchema.model_validate(config)
    config["applications"][0]["deployments"][0] |= {"num_replicas": -1}
    with pytest.raises(ValueError, match="num_replicas"):
        ServeDeploySchema.model_validate(config)


@needs_ray
def test_the_application_that_is_deployed_exists_by_the_names_that_gateways_know() -> None:
    from emostream.cluster import ray_serve

    [application] = SERVE["applications"]
    module, _, function = application["import_path"].partition(":")

    assert (module, function) == (ray_serve.__name__, ray_serve.build.__name__)
    assert application["name"] == ray_serve.APPLICATION
    assert [deployment["name"] for deployment in application["deployments"]] == [ray_serve.DEPLOYMENT]
    assert read_settings(**application["args"]).model == "default"


def test_kubernetes_deploys_what_the_file_for_everybody_does_but_for_the_cores() -> None:
    config = deployed()
    [here], [there] = (each["applications"][0]["deployments"] for each in (SERVE, config))
    cores = there.pop("ray_actor_options")["num_cpus"]

    assert there == {key: value for key, value in here.items() if key != "ray_actor_options"}
    assert {**config["applications"][0], "deployments": None} == {
        **SERVE["applications"][0],
        "deployments": None,
    }
    worker = CLUSTER["workerGroupSpecs"][0]
    [container] = worker["template"]["spec"]["containers"]
    assert cores == int(container["resources"]["limits"]["cpu"])
    assert worker["replicas"] == here["num_replicas"]  # one on each


@pytest.mark.parametrize("group", GROUPS, ids=["head", "workers"])
def test_rays_pods_obey_kubernetes_schema_and_are_not_root(group: dict[str, Any]) -> None:
    template = group["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"} | template["metadata"]}
    validate(pod | {"spec": template["spec"]})

    assert template["spec"]["securityContext"]["runAsUser"] == int(argument_of("USER", "ray").split(":")[0])
    [container] = template["spec"]["containers"]
    environment = {each["name"]: each for each in container["env"]}
    assert environment["RAY_AUTH_MODE"]["value"] == "token"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert all(isinstance(value, str) for value in group["rayStartParams"].values())


@pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each["kind"] != "RayService"], ids=lambda each: each["kind"]
)
def test_whatever_is_beside_the_service_obeys_kubernetes_schemas(resource: dict[str, Any]) -> None:
    validate(resource)


def validate(resource: Any) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_gateways_reach_the_cluster_and_load_no_model() -> None:
    [container] = GATEWAY["spec"]["template"]["spec"]["containers"]
    engine = container["args"][container["args"].index("--engine") + 1]

    assert engine == f"ray://{RAY_SERVICE['metadata']['name']}-head-svc:10001"
    assert Settings(_env_file=None, engine=engine).engine == engine  # type: ignore[call-arg]
    ports = [port for each in RESOURCES if each["kind"] == "NetworkPolicy" for rule in each["spec"]["ingress"]
             for port in rule.get("ports", [])]  # fmt: skip
    assert {"protocol": "TCP", "port": 10001} in ports


def test_the_cluster_has_the_ray_that_the_image_installs() -> None:
    pinned = [
        line.removeprefix("ray==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.startswith("ray==")
    ]

    assert pinned == [CLUSTER["rayVersion"]]
    assert any("'.[ray]'" in arguments for _, arguments in stage("libraries-ray"))
