"""Uses are shown by pictures of their own: of their shape, of the part that somebody chose."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.template import Context, Template
from PIL import Image

from apps.core.storage import ObjectStore
from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError
from apps.media.fields import Crop
from apps.media.models import MediaFile, Rendition
from apps.media.services import AttachmentItem
from apps.media.tests.hosts.models import Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db
LEFT = Crop(0, 0, 0.5, 1)


def halves() -> bytes:
    """Red on the left, blue on the right: 1200 × 600."""
    image = Image.new("RGB", (1200, 600), (220, 20, 20))
    image.paste((20, 20, 220), (600, 0, 1200, 600))
    data = BytesIO()
    image.save(data, "JPEG", quality=95)
    return data.getvalue()


def _attach(media: MediaFile, crop: Crop | None = None) -> Member:
    member = Member.objects.create(name="M")
    services.attach_media(user=media.owner, media=media, to=member, field="avatar", crop=crop)
    return member


def _names(media: MediaFile) -> set[str]:
    rows = Rendition.objects.filter(media=media, version=media.version).exclude(key="")
    return {name for name in rows.values_list("name", flat=True) if name.startswith(("sq", "ba"))}


def _picture(store: ObjectStore, media: MediaFile, name: str) -> Image.Image:
    row = selectors.get_rendition(media=media, name=name)
    with store.open_object(row.key) as file:
        return Image.open(BytesIO(file.read())).convert("RGB")


def test_a_crop_is_made_of_the_chosen_part(
    upload: Upload, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    media = upload(halves())
    _attach(media, LEFT)
    run_jobs()
    name = "square@0000-0000-0500-1000.webp"
    assert _names(media) == {name}
    picture = _picture(own_storage, media, name)
    assert picture.size == (512, 512)
    for point in ((5, 5), (256, 256), (505, 505)):
        red, _, blue = picture.getpixel(point)  # type: ignore[misc]
        assert (red > 180, blue < 90) == (True, True)


def test_attached_when_it_was_ready_long_ago(upload: Upload, run_jobs: Callable[[], int]) -> None:
    media = upload(photo_jpeg(800, 600))
    run_jobs()
    assert _names(media) == set()
    _attach(media)
    run_jobs()
    assert _names(media) == {"square.webp"}


def test_a_new_version_is_cropped_as_the_old_one(
    owner: Any, upload: Upload, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    media = upload(photo_jpeg(800, 600))
    _attach(media, LEFT)
    run_jobs()
    services.replace_media(user=owner, media=media, file=ContentFile(halves(), name="new.jpg"))
    media.refresh_from_db()
    run_jobs()
    media.refresh_from_db()
    assert media.version == 2
    picture = _picture(own_storage, media, "square@0000-0000-0500-1000.webp")
    assert picture.getpixel((256, 256))[0] > 180  # type: ignore[index]


def test_another_crop_takes_the_place_of_the_first(
    owner: Any, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(photo_jpeg(800, 600))
    member = _attach(media, LEFT)
    run_jobs()
    crop = Crop(0.5, 0, 0.5, 1)
    services.attach_media(user=owner, media=media, to=member, field="avatar", crop=crop)
    run_jobs()
    assert _names(media) == {"square@0500-0000-0500-1000.webp"}


def test_attachments_have_banners(
    owner: Any, upload: Upload, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    media = upload(photo_jpeg(1600, 1200))
    note = Note.objects.create(text="n")
    item = AttachmentItem(media, crop=Crop(0, 0.25, 1, 0.444))
    services.set_attachments(user=owner, to=note, through=NoteAttachment, items=[item])
    run_jobs()
    assert _names(media) == {"banner@0000-0250-1000-0444.webp"}
    size = _picture(own_storage, media, "banner@0000-0250-1000-0444.webp").size
    assert size == (1500, 500)


def test_nothing_is_enlarged(
    upload: Upload, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    media = upload(photo_jpeg(301, 199))
    _attach(media, Crop(0.333, 0.333, 0.333, 0.5))
    run_jobs()
    (name,) = _names(media)
    width, height = _picture(own_storage, media, name).size
    assert width == height <= 101


def test_only_what_a_use_asked_for_is_made(upload: Upload, run_jobs: Callable[[], int]) -> None:
    media = upload(photo_jpeg(800, 600))
    _attach(media, LEFT)
    run_jobs()
    media.refresh_from_db()
    for name in ("square.webp", "banner.webp", "square@0000-0000-0400-1000.webp"):
        with pytest.raises(NotVisibleError):
            services.find_or_request_rendition(media=media, name=name)
    found = services.find_or_request_rendition(media=media, name="square@0000-0000-0500-1000.webp")
    assert found is not None


def test_the_picture_of_a_page_is_the_crop_once_it_is_made(
    owner: Any, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(photo_jpeg(800, 600))
    run_jobs()
    member = _attach(media, LEFT)

    def shown() -> str:
        (found,) = Member.objects.prefetch_related(selectors.prefetch_media("avatar"))
        page = (
            "{% load media %}{% media_picture m.avatar recipe='square.webp' crop=m.avatar_crop %}"
        )
        return Template(page).render(Context({"m": found}))

    assert "square@" not in shown()
    run_jobs()
    assert "square@0000-0000-0500-1000.webp" in shown()
    assert 'width="400" height="400"' in shown()
    assert member.avatar_crop == LEFT
