"""Pages of the documentation, typed as they are written into a project of its own.

The wheel is built and installed without downloads: the other packages are those of this
environment.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from apps.core.tests.storages import free_port

ROOT = Path(__file__).resolve().parents[5]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "src/apps/core", "src/apps/media")
PROGRAMS = (
    ("django-admin", "django.core.management", "execute_from_command_line"),
    ("celery", "celery.__main__", "main"),
)
SERVERS = ("python manage.py runserver", "python manage.py media_worker")
PERSON = {"username": "ann", "password": "correct horse battery staple"}
HEAD = re.compile(r"(?:# |\{# )([\w/.]+\.(?:py|html))(, at the end)?(?: #\})?\n")


class Typist:
    """Types the blocks of a page, in a shell whose programs are those of `env`."""

    def __init__(self, place: Path, env: Path, *, page: str) -> None:
        self.place = place
        self.page = page
        self.port = free_port()
        self.ended: list[subprocess.Popen[bytes]] = []
        self.running: list[subprocess.Popen[bytes]] = []
        self.without = ""  # a line that is not typed
        self.environment = {
            "PATH": f"{env / 'bin'}{os.pathsep}{os.defpath}",
            "HOME": str(place),
            **{f"DJANGO_SUPERUSER_{name.upper()}": value for name, value in PERSON.items()},
            "DJANGO_SUPERUSER_EMAIL": "ann@example.org",
        }

    def type_section(self, title: str, page: str = "") -> None:
        """Of `page`, where that is another one."""
        text = (page or self.page).partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert blocks, title
        for language, block in blocks:
            if language == "sh":
                for line in block.splitlines():
                    self.enter(line)
            else:
                self.write(block)

    def write(self, block: str) -> None:
        head = HEAD.match(block)
        assert head, f"no file is named: {block}"
        path = self.place / head[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if head[2] else ""
        path.write_text(before + block[head.end() :])

    def enter(self, line: str) -> None:
        words = shlex.split(line, comments=True)
        if line == self.without:
            return
        if words[0] == "cd":
            self.place /= words[1]
        elif line in SERVERS or words[0] == "celery":
            self._serve(words)
        else:
            self.run(*words, *(["--noinput"] if "createsuperuser" in words else []))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self.found(words),
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(20)
        self.ended, self.running = self.running, []

    def _serve(self, words: list[str]) -> None:
        here = [str(self.port), "--noreload"] if "runserver" in words else []
        with (self.place / f"{words[-1].replace('/', '-')}.log").open("wb") as log:
            process = subprocess.Popen(
                [*self.found(words), *here],
                cwd=self.place,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.running.append(process)

    def found(self, words: Any) -> list[str]:
        program = shutil.which(words[0], path=self.environment["PATH"])
        assert program, words[0]
        return [program, *words[1:]]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one that `MEDIA_WHEEL` names, or built from a copy, which leaves nothing here."""
    if given := os.environ.get("MEDIA_WHEEL"):
        return Path(given)
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        source = ROOT / name
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    _pip("wheel", ".", "--no-deps", "--no-build-isolation", cwd=copy)
    return next(copy.glob("media_app-*.whl"))


@pytest.fixture
def env(wheel: Path, tmp_path: Path) -> Path:
    """What section 1 makes: an environment with the wheel and what it depends on."""
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    python = env / "bin/python"
    site = next(env.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # As a plain directory: the line in it that leads to this source tree counts for nothing.
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    for name, module, function in PROGRAMS:
        program = env / "bin" / name
        program.write_text(f"#!{python}\nfrom {module} import {function}\n{function}()\n")
        program.chmod(0o755)
    return env


def _pip(*words: str, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, cwd=cwd, check=True)
