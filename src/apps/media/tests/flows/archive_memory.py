"""Streams an archive of so many files in a process of its own and prints what memory that took.

`python -m apps.media.tests.flows.archive_memory FILES` with `DATA_DIR` set to an empty directory.
"""

from __future__ import annotations

import os
import resource
import sys
import zlib
from pathlib import Path

import django

KIB_PER_MIB = 1024
ROWS_AT_ONCE = 2_000


def main(files: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    collection = _fill(files)
    before = _peak()
    size = _stream(collection)
    sys.stdout.write(f"{files} {size} {(_peak() - before) / KIB_PER_MIB:.1f}\n")


def _fill(files: int) -> object:
    from django.contrib.auth import get_user_model

    from apps.core.storage import new_key, object_store
    from apps.media import services
    from apps.media.models import CollectionItem, MediaFile, MediaVersion

    owner = get_user_model().objects.create_user(username="olga")
    collection = services.create_collection(user=owner, title="Many")
    root = Path(object_store("media").location)
    for start in range(0, files, ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, files - start)
        facts = {"mime_type": "text/plain", "size": 5, "original_name": "a name of a file.txt"}
        media = MediaFile.objects.bulk_create(
            MediaFile(owner=owner, media_type="document", status="ready", usable=True, **facts)
            for _ in range(count)
        )
        versions = MediaVersion.objects.bulk_create(
            MediaVersion(media=one, number=1, storage="media", key=new_key("original"), **facts)
            for one in media
        )
        CollectionItem.objects.bulk_create(
            CollectionItem(collection=collection, media=one, position=start + n, added_by=owner)
            for n, one in enumerate(media)
        )
        for version in versions:
            path = root / version.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"words")
    return collection


def _stream(collection: object) -> int:
    from django.test import RequestFactory

    from apps.media.models import Collection
    from apps.media.views.archives import collection_archive

    found = Collection.objects.get(pk=collection.pk)  # type: ignore[attr-defined]
    request = RequestFactory().get("/")
    request.user = found.owner
    answer = collection_archive(request, found.pk)
    size = checksum = 0
    for piece in answer:
        size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    answer.close()
    assert size == int(answer["Content-Length"])
    return size


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]))
