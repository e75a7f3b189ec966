"""The contenders of the image benchmark: each makes one rendition set through its real API.

A contender is `prepare(work_dir)` → a function that takes the photograph's file name in that
directory and makes the set there. What `prepare` does (imports, tables, settings) is not measured.
None of the Django peers makes a placeholder: they do a little less work than ours and the lean
script.
"""

# ruff: noqa: PLC0415 - a contender imports only its own library, in its own process

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTHS = (320, 640, 960, 1280, 1920)
QUALITY = 80
WEBP_EFFORT = 4  # Pillow's default, which no peer changes
SQUARE = 400
ANY = 100_000  # pixels: a height that never binds

SOURCE = Path(__file__).resolve().parents[1] / "src"


@dataclass
class Spent:
    """CPU seconds and resident bytes of other processes that worked for this one."""

    cpu: float = 0.0
    peak: int = 0


Run = Callable[[str], Spent | None]


# -- ours ----------------------------------------------------------------------------------------


def _ours(work: Path, recipes: Callable[[], tuple[Any, ...]]) -> Run:
    sys.path.insert(0, str(SOURCE))
    from apps.media.processing import sandbox
    from apps.media.processing.types import Plan

    out = work / "ours"
    out.mkdir()
    chosen = recipes()

    def server_cpu() -> float:
        statistics = Path(f"/proc/{sandbox.server_pid()}/schedstat")
        return int(statistics.read_text().split()[0]) / 1e9 if sandbox.server_pid() else 0.0

    def run(name: str) -> Spent:
        before = server_cpu()
        plan = Plan(out, chosen)
        rendered = sandbox.run_render(work / name, "image/jpeg", plan=plan)
        return Spent(rendered.cpu_seconds + server_cpu() - before, rendered.peak_bytes)

    return run


def ours_default(work: Path) -> Run:
    """The recipes as they ship."""
    return _ours(work, _default_recipes)


def ours_equal(work: Path) -> Run:
    """The peers' ten files and square, with their settings: those of the lean script, too."""
    return _ours(work, _equal_recipes)


def _default_recipes() -> tuple[Any, ...]:
    from apps.media.processing.recipes import DEFAULT_IMAGE_RECIPES

    return DEFAULT_IMAGE_RECIPES


def _equal_recipes() -> tuple[Any, ...]:
    from apps.media.processing.types import Recipe

    webp = {"quality": QUALITY, "effort": WEBP_EFFORT}
    return (
        *(Recipe(f"w{width}.webp", width, **webp) for width in WIDTHS),
        *(
            Recipe(f"w{width}.jpg", width, format="jpeg", quality=QUALITY, effort=0)
            for width in WIDTHS
        ),
        Recipe("thumb.webp", SQUARE, SQUARE, fit="cover", **webp),
    )


# -- the leanest script that can be written --------------------------------------------------------


def lean(work: Path) -> Run:
    """libvips without sandbox, checks or metadata rules: one decode, every size from it."""
    import pyvips

    sys.path.insert(0, str(SOURCE))
    from apps.media.processing.placeholder import thumbhash

    def run(name: str) -> None:
        base = _decoded(pyvips.Image, str(work / name))
        for width in WIDTHS:
            image = base
            if width < base.width:
                image = base.thumbnail_image(width, height=ANY).copy_memory()
            image.jpegsave(str(work / f"w{width}.jpg"), Q=QUALITY, keep="none")
            path = str(work / f"w{width}.webp")
            image.webpsave(path, Q=QUALITY, effort=WEBP_EFFORT, keep="none")
        square = base.thumbnail_image(SQUARE, height=SQUARE, crop="attention")
        path = str(work / "thumb.webp")
        square.webpsave(path, Q=QUALITY, effort=WEBP_EFFORT, keep="none")
        thumbhash(base.thumbnail_image(100, height=100).addalpha().numpy())

    return run


def _decoded(image: Any, path: str) -> Any:
    """Upright at the largest width, in memory; shrunk on load as far as leaves something to do."""
    header = image.jpegload(path)
    sideways = header.get_typeof("orientation") and header.get("orientation") >= 5
    ratio = (header.height if sideways else header.width) / max(WIDTHS)
    shrink = next((factor for factor in (8, 4, 2) if ratio >= factor * 1.5), 1)
    loaded = image.jpegload(path, shrink=shrink, access="sequential")
    return loaded.thumbnail_image(max(WIDTHS), height=ANY, size="down").copy_memory()


# -- Django peers ----------------------------------------------------------------------------------


def _django(work: Path, apps: list[str], **settings: Any) -> None:
    import django
    from django.conf import settings as configured

    configured.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        MEDIA_ROOT=str(work),
        MEDIA_URL="/media/",
        STATIC_URL="/static/",
        **settings,
    )
    django.setup()


def _tables() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, run_syncdb=True)


def easy_thumbnails(work: Path) -> Run:
    _django(work, ["easy_thumbnails"])
    _tables()
    from django.core.files.storage import default_storage
    from easy_thumbnails.files import get_thumbnailer

    def run(name: str) -> None:
        for extension in ("jpg", "webp"):
            thumbnailer = get_thumbnailer(default_storage, relative_name=name)
            thumbnailer.thumbnail_extension = extension
            for width in WIDTHS:
                thumbnailer.get_thumbnail({"size": (width, 0), "quality": QUALITY})
        square = {"size": (SQUARE, SQUARE), "crop": True, "quality": QUALITY}
        thumbnailer.get_thumbnail(square)

    return run


def sorl_thumbnail(work: Path) -> Run:
    _django(work, ["sorl.thumbnail"], THUMBNAIL_UPSCALE=False)
    _tables()
    from sorl.thumbnail import get_thumbnail

    def run(name: str) -> None:
        for format_ in ("JPEG", "WEBP"):
            for width in WIDTHS:
                get_thumbnail(name, str(width), quality=QUALITY, format=format_)
        square = f"{SQUARE}x{SQUARE}"
        get_thumbnail(name, square, crop="center", quality=QUALITY, format="WEBP")

    return run


def django_imagekit(work: Path) -> Run:
    _django(work, ["imagekit"])
    from imagekit import ImageSpec
    from imagekit.cachefiles import ImageCacheFile
    from imagekit.processors import ResizeToFill, ResizeToFit

    def make(source: Any, processor: Any, file_format: str) -> None:
        kind = type(
            "Spec",
            (ImageSpec,),
            {"processors": [processor], "format": file_format, "options": {"quality": QUALITY}},
        )
        ImageCacheFile(kind(source=source)).generate()

    def run(name: str) -> None:
        from django.core.files import File

        with (work / name).open("rb") as stream:
            source = File(stream, name=name)
            for format_ in ("JPEG", "WEBP"):
                for width in WIDTHS:
                    make(source, ResizeToFit(width=width, upscale=False), format_)
            make(source, ResizeToFill(SQUARE, SQUARE), "WEBP")

    return run


# Their tables are made straight from the models: hundreds of migrations are not what is measured.
_WITHOUT_MIGRATIONS = (
    "auth contenttypes modelsearch taggit wagtailadmin wagtailcore wagtaildocs wagtailimages "
    "wagtailsearch wagtailusers"
).split()


def wagtail(work: Path) -> Run:
    _django(
        work,
        [
            "wagtail.images",
            "wagtail",
            "taggit",
            "wagtail.users",
            "wagtail.documents",
            "wagtail.admin",
            "wagtail.search",
            "modelsearch",
        ],
        MIGRATION_MODULES=dict.fromkeys(_WITHOUT_MIGRATIONS),
        WAGTAIL_SITE_NAME="bench",
        WAGTAILADMIN_BASE_URL="http://localhost",
        WAGTAILIMAGES_JPEG_QUALITY=QUALITY,
        WAGTAILIMAGES_WEBP_QUALITY=QUALITY,
    )
    _tables()
    from wagtail.images.models import Image
    from wagtail.models import Collection

    collection = Collection.add_root(name="Root")

    def run(name: str) -> None:
        from PIL import Image as Pillow

        with Pillow.open(work / name) as picture:
            width, height = picture.size
        image = Image(title=name, file=name, width=width, height=height, collection=collection)
        image.save()
        for format_ in ("jpeg", "webp"):
            for wanted in WIDTHS:
                image.get_rendition(f"width-{wanted}|format-{format_}")
        image.get_rendition(f"fill-{SQUARE}x{SQUARE}|format-webp")

    return run


def django_pictures(work: Path) -> Run:
    """At Pillow's own qualities (JPEG 75, WebP 80).

    `PICTURES` sets breakpoints, densities, columns, file types and the class of pictures, but no
    quality: `PillowPicture.save` passes none on, and only a class with a `save` of its own would.
    The widths are asked of the pictures themselves, because those of the grid are not ours.
    """
    _django(work, ["pictures"])
    from django.core.files.storage import FileSystemStorage
    from pictures.models import PillowPicture
    from pictures.tasks import _process_picture

    storage = FileSystemStorage(location=str(work))

    def run(name: str) -> None:
        pictures = [
            PillowPicture(name, file_type, None, storage, width)
            for file_type in ("JPEG", "WEBP")
            for width in WIDTHS
        ]
        pictures.append(PillowPicture(name, "WEBP", "1/1", storage, SQUARE))
        _process_picture(
            storage=storage.deconstruct(),
            file_name=name,
            sender=None,
            new=[picture.deconstruct() for picture in pictures],
        )

    return run


CONTENDERS: dict[str, Callable[[Path], Run]] = {
    "lean libvips script": lean,
    "ours, equal settings": ours_equal,
    "ours, as it ships": ours_default,
    "django-pictures": django_pictures,
    "django-imagekit": django_imagekit,
    "easy-thumbnails": easy_thumbnails,
    "Wagtail": wagtail,
    "sorl-thumbnail": sorl_thumbnail,
}
PEERS = tuple(CONTENDERS)[3:]
