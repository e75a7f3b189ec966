"""The files of `deploy/` are well-formed, guarded, and name what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from django.conf import settings

from apps.core.metrics import _known
from config.variables import variables
from launch.bundle import package_sources

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SOCKETS = sorted((DEPLOY / "systemd").glob("*.socket"))
WORKLOADS = {"Deployment", "Job"}
VARIABLES = {variable.name for _, variable in variables().values()}
OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WORKER"}  # of the provider; of the file
MOST_EXPOSED = 4.5  # of 10; workers need namespaces for their decoders
HADOLINT = Path(sys.executable).parent / "hadolint"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def without_registry(image: str) -> bool:
    """Where images come from is the choice of whoever runs them."""
    first, _, rest = image.partition("/")
    return not rest or not re.search(r"[.:]", first)


def queues(text: str) -> set[str]:
    return {
        name for found in re.findall(r"--queues[\", ]+([\w.,]+)", text) for name in found.split(",")
    }


# -- systemd ----------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_units_are_well_formed_and_confined(tmp_path: Path) -> None:
    """Programs stand where they will be on a server, so that the units can be read as they are."""
    for unit in (*UNITS, *SOCKETS, DEPLOY / "systemd/media-app.target"):
        text = unit.read_text().replace("/opt/media-app/.venv/bin/", f"{tmp_path}/")
        (tmp_path / unit.name).write_text(text)
    for name in ("gunicorn", "celery"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    files = sorted(tmp_path.glob("media-app*"))
    assert "media-app" not in run("systemd-analyze", "verify", "--man=no", *files)
    for unit in UNITS:
        told = run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
        level = re.search(r"exposure level for \S+: ([\d.]+)", told)
        assert level
        assert float(level[1]) < MOST_EXPOSED, unit.name


def test_units_serve_every_queue() -> None:
    text = "\n".join(unit.read_text() for unit in UNITS)
    assert queues(text) == {*settings.HEALTH_QUEUES, "celery"}
    wanted = set(
        re.search(r"Wants=(.*)", (DEPLOY / "systemd/media-app.target").read_text())[1].split()
    )
    assert wanted == {unit.name for unit in (*UNITS, *SOCKETS)}


def test_whoever_decodes_may_make_namespaces_and_covers_nothing_of_proc() -> None:
    for unit in UNITS:
        text = unit.read_text()
        decodes = "media.fast" in text or "media.slow" in text
        assert decodes == ("RestrictNamespaces=user" in text)
        assert decodes != ("ProtectKernelTunables=yes" in text)
        assert decodes != ("ProtectKernelLogs=yes" in text)
        assert "User=media-app" in text


# -- containers -------------------------------------------------------------------------------


def dockerfile() -> str:
    return (DEPLOY / "containers/Dockerfile").read_text()


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "containers/compose.yml").read_text())
    return found


def own_services() -> dict[str, Any]:
    return {
        name: service
        for name, service in compose()["services"].items()
        if service["image"].startswith("media-app")
    }


def test_the_image_is_built_by_the_rules() -> None:
    run(HADOLINT, "--failure-threshold", "style", DEPLOY / "containers/Dockerfile")


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    text = dockerfile()
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    kept = (DEPLOY / "containers/Dockerfile.dockerignore").read_text().split()
    assert {source.name for source in package_sources()} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source.split('/')[0]}" in kept, source
    stage = text.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", stage, re.MULTILINE)
    assert "HEALTHCHECK" in stage
    assert without_registry(re.search(r"^ARG PYTHON_IMAGE=(.*)$", text, re.MULTILINE)[1])
    said = set(re.findall(r"\b([A-Z][A-Z_]+)=", stage)) - VARIABLES
    assert said <= {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} | {
        "MALLOC_ARENA_MAX",
        "HOME",
    }


def test_compose_is_well_formed() -> None:
    text = yaml.safe_dump(compose())
    filled = re.sub(r"\$\{\w+(?::[-?])?([^}]*)\}", lambda found: found[1] or "x", text)
    PyCompose.from_yaml(filled)
    assert all(without_registry(one["image"]) for one in compose()["services"].values())


def test_containers_are_confined_and_looked_after() -> None:
    for name, service in own_services().items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["environment"]) <= VARIABLES | OTHERS, name
    assert queues(str(compose())) == {*settings.HEALTH_QUEUES, "celery"}


def test_what_compose_wants_is_in_the_example() -> None:
    text = (DEPLOY / "containers/compose.yml").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?", text))
    given = re.findall(r"^(\w+)=", (DEPLOY / "containers/example.env").read_text(), re.MULTILINE)
    assert wanted <= set(given)
    assert set(given) <= set(re.findall(r"\$\{(\w+)", text))


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_the_configuration_of_its_container(tmp_path: Path) -> None:
    site, resolver = tmp_path / "site.conf", tmp_path / "resolver.conf"
    resolver.write_text("resolver 127.0.0.1 valid=5s ipv6=off;")
    site.write_text(
        (DEPLOY / "containers/nginx.conf")
        .read_text()
        .replace("/tmp/resolver.conf", str(resolver))
        .replace("/dev/stdout", str(tmp_path / "access.log"))
    )
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ include {site}; client_body_temp_path {tmp_path}/body;"
        f" proxy_temp_path {tmp_path}/proxy; fastcgi_temp_path {tmp_path}/f;"
        f" uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s; }}\n"
    )
    run(shutil.which("nginx") or "", "-t", "-p", tmp_path, "-c", main)


# -- Kubernetes -------------------------------------------------------------------------------


def manifest_files() -> list[Path]:
    return sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def manifests() -> Iterator[dict[str, Any]]:
    for path in manifest_files():
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_manifests_fit_the_schemas(version: str) -> None:
    checked = 0
    for manifest in manifests():
        if not manifest["apiVersion"].startswith("keda.sh"):
            kubernetes_validate.validate(manifest, version, strict=True)
            checked += 1
    assert checked > 10


def test_pods_are_confined() -> None:
    workloads = [one for one in manifests() if one["kind"] in WORKLOADS]
    assert workloads
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        name = workload["metadata"]["name"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"], name
            assert allowed["allowPrivilegeEscalation"] is False, name
            assert allowed["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name


def test_pods_serve_every_queue() -> None:
    commands = [
        " ".join(container.get("command", []))
        for one in manifests()
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    ]
    assert queues("\n".join(commands)) == {*settings.HEALTH_QUEUES, "celery"}


@pytest.mark.django_db
def test_what_scales_names_what_is_there() -> None:
    there = {one["metadata"]["name"] for one in manifests() if one["kind"] == "Deployment"}
    figures = {family.name for family in _known().collect()}
    scalers = [one for one in manifests() if "scaleTargetRef" in one.get("spec", {})]
    assert len(scalers) == 3
    for scaler in scalers:
        assert scaler["spec"]["scaleTargetRef"]["name"] in there
        for trigger in scaler["spec"].get("triggers", []):
            assert set(re.findall(r"media_app_\w+", trigger["metadata"]["query"])) <= figures


def test_the_kustomization_names_files_and_settings_that_exist() -> None:
    found = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
    assert all((DEPLOY / "kubernetes" / name).exists() for name in found["resources"])
    assert all(without_registry(image["newName"]) for image in found["images"])
    literals = found["configMapGenerator"][0]["literals"]
    example = (DEPLOY / "kubernetes/secret.example.env").read_text()
    said = {line.partition("=")[0] for line in literals}
    said |= set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert said <= VARIABLES | OTHERS


def test_the_namespace_is_made_and_named_by_every_command() -> None:
    folder = DEPLOY / "kubernetes"
    found = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert found["namespace"] in {
        one["metadata"]["name"] for one in manifests() if one["kind"] == "Namespace"
    }
    assert "namespace.yaml" in found["resources"]
    commands = re.findall(
        r"kubectl (?:delete|apply --n).*", "".join(path.read_text() for path in manifest_files())
    )
    assert len(commands) == 2
    assert all(f"--namespace {found['namespace']}" in command for command in commands)
