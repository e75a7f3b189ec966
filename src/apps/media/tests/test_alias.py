"""The two import examples of the contract, run as they are written, from the repository root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.media.tests import samples

ROOT = Path(__file__).resolve().parents[4]


def test_first_example(owner: Any) -> None:
    request = SimpleNamespace(user=owner)
    uploaded_file = SimpleUploadedFile("me.jpg", samples.photo_jpeg(320, 240))

    from apps.media import services

    media = services.upload_media(
        user=request.user, file=uploaded_file, caption="My profile picture"
    )

    assert media.caption == "My profile picture"
    assert media.owner == owner


@pytest.mark.django_db
def test_second_example() -> None:
    from src.apps.media import selectors

    assert list(selectors.list_media_by_user(user_id=1, media_type="image")) == []


def test_both_names_are_the_same_modules() -> None:
    import apps.media.models.media_file
    import src.apps.media.models.media_file as alias
    from apps.media import selectors
    from src.apps.media import selectors as aliased

    assert aliased is selectors
    assert alias is apps.media.models.media_file
    assert alias.__spec__ is not None
    assert alias.__spec__.name == "apps.media.models.media_file"


def test_the_alias_works_in_a_fresh_process_whichever_name_comes_first(tmp_path: Path) -> None:
    script = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "import src; django.setup()\n"
        "from src.apps.media import selectors as second\n"
        "from apps.media import selectors as first\n"
        "assert first is second; print('same')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"DATA_DIR": str(tmp_path)},
    )
    assert done.stdout.strip() == "same", done.stderr
