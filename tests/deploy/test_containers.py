"""compose.yaml, the Containerfile and the Kubernetes manifests name what there is, hardened.

`make image OPTIONS=--try` builds and runs the image; this needs neither root nor minutes.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

import morefollows
from morefollows.cli.main import cli
from morefollows.config.settings import Settings, variable

ROOT = Path(__file__).parents[2]
KNOWN = {variable(spec) for spec in fields(Settings)}


def manifests() -> list[dict[str, Any]]:
    text = (ROOT / "deploy" / "kubernetes" / "morefollows.yaml").read_text()
    return list(yaml.safe_load_all(text))


def pods(found: Any) -> Iterator[dict[str, Any]]:
    """Every pod's specification, wherever it is nested."""
    if isinstance(found, dict):
        if "containers" in found:
            yield found
        for value in found.values():
            yield from pods(value)


def test_kubernetes_runs_commands_that_there_are_without_rights() -> None:
    seen = set()
    for pod in (pod for manifest in manifests() for pod in pods(manifest)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        [container] = pod["containers"]
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["args"][0] in cli.list_commands(None)  # type: ignore[arg-type]
        assert container["image"].endswith(f":{morefollows.__version__}")
        resources = container["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"} and "memory" in resources["limits"]
        seen.add(container["args"][0])
        if container["args"][0] in ("web", "send"):
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            for probe, path in (("startup", "/healthz"), ("liveness", "/healthz"),
                                ("readiness", "/readyz")):  # fmt: skip
                asked = container[f"{probe}Probe"]["httpGet"]
                assert asked["path"] == path and asked["port"] in ports
    assert seen == {"migrate", "web", "send", "housekeeping"}


def test_kubernetes_services_and_claims_lead_to_pods() -> None:
    found = manifests()
    kinds = {(one["kind"], one["metadata"]["name"]): one for one in found}
    for one in found:
        if one["kind"] == "StatefulSet":
            service = kinds["Service", one["spec"]["serviceName"]]
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert service["spec"]["selector"] == labels == one["spec"]["selector"]["matchLabels"]
            assert kinds["PodDisruptionBudget", one["metadata"]["name"]]["spec"]["selector"]
            [container] = one["spec"]["template"]["spec"]["containers"]
            volumes = {one["name"] for one in one["spec"]["template"]["spec"]["volumes"]}
            volumes |= {claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert set(kinds["ConfigMap", "morefollows"]["data"]) <= KNOWN


def test_compose_runs_commands_that_there_are_without_rights() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "morefollows"}
    assert set(ours) == {"migrate", "web", "send1", "send2", "housekeeping"}
    for service in ours.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service.get("command", ["housekeeping"])[0] in cli.list_commands(None)  # type: ignore[arg-type]
        assert set(service["environment"]) <= KNOWN
    assert services["inbox"]["profiles"] == ["inbox"]  # off unless it is asked for


def test_the_image_names_settings_that_there_are() -> None:
    text = (ROOT / "Containerfile").read_text()
    assert set(re.findall(r"MOREFOLLOWS_[A-Z_]+", text)) <= KNOWN
    assert re.search(r"(?m)^USER [1-9]\d*:0$", text)


@pytest.mark.parametrize(("answer", "code"), [(b"200 OK", 0), (b"503 No", 1), (None, 1)])
def test_the_health_check_asks_the_process_beside_it(answer: bytes | None, code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % (answer or b""))

        if answer is None:
            listening.close()
        else:
            threading.Thread(target=serve, daemon=True).start()
        done = subprocess.run(
            [sys.executable, "-m", "morefollows.processes.healthcheck"],
            env={"MOREFOLLOWS_PORT": "tcp://10.0.0.1:8025", "MOREFOLLOWS_PROBE_PORT": str(port)},
        )
    assert done.returncode == code
