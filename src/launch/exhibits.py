"""What `bin/screenshots` photographs: the people who look, the pages, and what is on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from rich.console import Console

from launch import scenes
from launch.carry import CREDENTIALS, Carrier, carry_all, log_in
from launch.processes import manage
from launch.session import Session

PATIENCE = 900.0  # seconds without any progress of a file
DEMO = CREDENTIALS["username"]
OPERATOR, NEWCOMER = "operator", "newcomer"
BROKEN, HELD = "half-of-it.jpg", "held-back.jpg"
ACCOUNTS = f"""
from django.contrib.auth import get_user_model
users = get_user_model().objects
password = {CREDENTIALS["password"]!r}
if not users.filter(username={OPERATOR!r}).exists():
    users.create_superuser({OPERATOR!r}, password=password)
    users.create_user({NEWCOMER!r}, password=password)
"""
HOLD = f"""
from apps.media import services
from apps.media.models import MediaFile
held = MediaFile.objects.get(original_name={HELD!r})
if held.status == "ready":
    services.hold_media(user=held.owner, media=held)
"""
# Name of a photograph → its width and height in pixels, and the turn of its colours (0 to 255).
PHOTOS = {
    "harbour-in-fog": (1500, 1000, 0),
    "first-light": (1000, 1500, 8),
    "far-hills": (1600, 900, 245),
    "after-the-rain": (1500, 1000, 12),
    "the-long-shore": (2000, 900, 250),
    "north-bay": (1200, 1200, 4),
    "heather": (1500, 1000, 240),
    "still-water": (1000, 1400, 16),
    "copper-evening": (1600, 1067, 0),
    "green-valley": (1500, 1000, 248),
    "island": (1400, 933, 10),
    "late-summer": (1000, 1250, 236),
    "blue-hour": (1800, 1000, 6),
    "ridge": (1500, 1000, 252),
    "marsh": (1300, 1000, 14),
    "last-ferry": (1500, 1000, 0),
}


@dataclass(frozen=True)
class Shown:
    """What has a page of its own: the end of the addresses, by what it is."""

    photo: str
    film: str
    sound: str
    report: str
    shelf: str
    post: str
    event: str
    broken: str
    held: str


def pages(shown: Shown) -> dict[str, dict[str, str]]:
    """Who looks, nobody first → the name of each picture → the address of the page."""
    return {
        "": {
            "home": "/",
            "login": "/accounts/login/",
            "signup": "/accounts/signup/",
            "forgotten": "/accounts/password/",
        },
        DEMO: _pages_of_somebody(shown),
        NEWCOMER: EMPTY,
        OPERATOR: {
            "broken": f"/library/{shown.broken}/",
            "held": f"/library/{shown.held}/",
            "library-troubled": "/library/",
            "admin": "/admin/",
            "admin-overview": "/admin/media/mediafile/overview/",
            "admin-quarantine": "/admin/media/mediafile/quarantine/",
            "admin-files": "/admin/media/mediafile/",
            "admin-file": f"/admin/media/mediafile/{shown.photo}/change/",
            "admin-jobs": "/admin/media/job/",
            "admin-quotas": "/admin/media/quota/",
            "admin-users": "/admin/users/user/",
            "admin-audit": "/admin/media/auditevent/",
        },
    }


def _pages_of_somebody(shown: Shown) -> dict[str, str]:
    return {
        "library": "/library/",
        "library-nothing-found": "/library/?q=nowhere",
        "upload": "/library/upload/",
        "photo": f"/library/{shown.photo}/",
        "film": f"/library/{shown.film}/",
        "activity": f"/library/{shown.photo}/activity/",
        "sound": f"/library/{shown.sound}/",
        "report": f"/library/{shown.report}/",
        "trash": "/library/trash/",
        "storage": "/library/storage/",
        "copies": "/library/copies/",
        "collections": "/collections/",
        "collection": f"/collections/{shown.shelf}/",
        "posts": "/posts/",
        "post": f"/posts/{shown.post}/",
        "post-new": "/posts/new/",
        "post-edit": f"/posts/{shown.post}/edit/",
        "events": "/events/",
        "event": f"/events/{shown.event}/",
        "event-new": "/events/new/",
        "event-edit": f"/events/{shown.event}/edit/",
        "profile": f"/users/{DEMO}/",
        "profile-edit": "/settings/profile/",
        "security": "/settings/security/",
        "email": "/settings/email/",
        "account-delete": "/settings/account/delete/",
        "notifications": "/notifications/",
        "preferences": "/notifications/preferences/",
        "webhooks": "/webhooks/",
        "not-found": "/nowhere/",
        "offline": "/offline/",
    }


# Pages of somebody who has just come.
EMPTY = {
    "empty-library": "/library/",
    "empty-trash": "/library/trash/",
    "empty-storage": "/library/storage/",
    "empty-copies": "/library/copies/",
    "empty-lookalikes": "/library/copies/alike/",
    "empty-unused": "/library/storage/unused/",
    "empty-collections": "/collections/",
    "empty-posts": "/posts/?of=following",
    "empty-events": "/events/",
    "empty-past-events": "/events/?when=past",
    "empty-profile": f"/users/{NEWCOMER}/",
    "empty-security": "/settings/security/",
    "empty-notifications": "/notifications/",
}
PRINTED = {"photo", "report", "collection", "post", "event"}  # these also as on paper


def draw_photos(directory: Path) -> list[Path]:
    """Return the photographs, drawn where they were missing."""
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for seed, (name, (width, height, turn)) in enumerate(PHOTOS.items(), start=10):
        file = directory / f"{name}.jpg"
        if not file.exists():
            hue, *others = scenes.landscape(width, height, seed=seed).convert("HSV").split()
            turned = hue.point(lambda value, turn=turn: (value + turn) % 256)
            Image.merge("HSV", (turned, *others)).convert("RGB").save(file, quality=85)
        files.append(file)
    return files


def draw_broken(directory: Path) -> list[Path]:
    """Return a file that cannot be read to its end, and one that is whole."""
    source, broken, held = directory / "island.jpg", directory / BROKEN, directory / HELD
    if not held.exists():
        data = source.read_bytes()
        broken.write_bytes(data[: len(data) // 2])
        held.write_bytes(data)
    return [broken, held]


def populate(session: Session, console: Console) -> Shown:
    """Make what is missing of the people, their files, and what these are in."""
    manage(session.plan, "shell", "--no-imports", "--command", ACCOUNTS)
    samples = session.place.samples
    files = [*draw_photos(samples), *sorted(samples.iterdir())]
    files = [file for file in dict.fromkeys(files) if file.name not in {BROKEN, HELD}]
    with log_in(session.address) as client:
        known = _upload(client, files, console)
        photos = [known[f"{name}.jpg"] for name in PHOTOS]
        facts = {
            "photo": known["still-water.jpg"],
            "film": known["tide-720p.mp4"],
            "sound": known["surf.wav"],
            "report": known["report.pdf"],
            "shelf": _ensure_shelf(client, photos[:7]),
            "post": _ensure_post(client, photos[3:8]),
            "event": _ensure_event(client, photos),
        }
    with log_in(session.address, username=OPERATOR) as client:
        known = _upload(client, draw_broken(samples), console)
    manage(session.plan, "shell", "--no-imports", "--command", HOLD)
    return Shown(**facts, broken=known[BROKEN], held=known[HELD])


def _upload(client: httpx.Client, files: list[Path], console: Console) -> dict[str, str]:
    """Upload those of `files` that are missing; return the ids of all by their names."""
    known = _ids(client)
    missing = [file for file in files if file.name not in known]
    carry_all(missing, Carrier(client=client, seconds=PATIENCE), console)
    return _ids(client)


def _ids(client: httpx.Client) -> dict[str, str]:
    rows = client.get("media/?page_size=200").json()["results"]
    return {row["original_name"]: row["id"] for row in rows}


def _ensure_shelf(client: httpx.Client, media: list[str]) -> str:
    for shelf in client.get("collections/").json()["results"]:
        return str(shelf["id"])
    made = _make(client, "collections/", title="By the water")
    _make(client, f"collections/{made['id']}/items/", media=media)
    return str(made["id"])


def _ensure_post(client: httpx.Client, media: list[str]) -> str:
    for post in client.get("posts/").json()["results"]:
        return str(post["id"])
    attachments = [{"media": one, "alt_text": "A lake between hills"} for one in media]
    _make(client, "posts/", text="Packed the boat. Tomorrow the far side of the lake.")
    text = "Three days along the lake."
    return str(_make(client, "posts/", text=text, attachments=attachments)["id"])


def _ensure_event(client: httpx.Client, media: list[str]) -> str:
    for event in client.get("events/").json()["results"]:
        return str(event["id"])
    begins = datetime.now(UTC).replace(hour=9, minute=30, second=0, microsecond=0)
    made = _make(
        client,
        "events/",
        title="Autumn regatta on the long lake",
        starts_at=(begins + timedelta(days=12)).isoformat(),
        place="Boathouse, north bay",
        text="Bring a warm jacket. Coffee is there from nine.",
    )
    _make(client, f"events/{made['id']}/photos/", media=media[:9])
    _make(client, f"events/{made['id']}/invitations/", username=OPERATOR)
    return str(made["id"])


def _make(client: httpx.Client, address: str, **body: Any) -> Any:
    answer = client.post(address, json=body).raise_for_status()
    return answer.json() if answer.content else None
