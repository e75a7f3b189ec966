"""Films and sounds as somebody watches and hears them, through the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from apps.media import selectors, services
from apps.media.models import Job, MediaFile
from apps.media.tests import recordings
from apps.media.tests.browser.test_accessibility import DESK, PHONE, violations

At = Callable[[str], str]
Make = Callable[..., MediaFile]
SECONDS = 8
WORDS = "1\n00:00:02,000 --> 00:00:04,000\nTwo to four\n\n2\n00:00:05,000 --> 00:00:06,500\nLater\n"
# What is on the screen as captions now: the words, and when they came.
CUES = """media => [...media.textTracks].filter(track => track.mode === "showing")
  .flatMap(track => [...(track.activeCues ?? [])])
  .map(cue => [cue.text, cue.startTime, cue.endTime])"""


@pytest.fixture
def film(upload: Make) -> MediaFile:
    """A film with sound, for which there are several qualities; nothing is made of it yet."""
    return upload(recordings.film(size=(640, 360), seconds=SECONDS), "walk.mp4")


@pytest.fixture
def ready_film(upload: Make, run_jobs: Callable[[], int], live_server: Any) -> MediaFile:
    """A smaller one, of which all is made."""
    media = upload(recordings.film(size=(320, 240), rate="15", seconds=SECONDS), "walk.mp4")
    run_jobs()
    media.refresh_from_db()
    assert media.status == "ready", media.failure_message
    return media


def media_of(page: Page) -> Locator:
    return page.locator("media-player video, media-player audio")


def wait_for(page: Page, condition: str) -> None:
    """Until `condition` is true of `media`, the film or sound."""
    page.wait_for_function(
        f"() => {{ const media = document.querySelector('.player__media'); return {condition} }}"
    )


def test_a_film_plays_to_its_end_in_whatever_quality(
    site: Page, at: At, film: MediaFile, run_jobs: Callable[[], int], live_server: Any
) -> None:
    run_jobs()
    asked: list[str] = []
    site.on("request", lambda request: asked.append(request.url))
    site.goto(at(film.get_absolute_url()))
    quality = site.get_by_label("Quality")
    expect(quality).to_be_attached()
    assert not [url for url in asked if ".mp4" in url]  # nothing is loaded before it is wanted

    site.get_by_role("button", name="Play walk.mp4").click()
    wait_for(site, "media.currentTime > 0.5 && !media.paused")
    assert not [url for url in asked if "video.mp4" in url]
    assert [url for url in asked if "/hls/" in url and ".mp4" in url]

    site.keyboard.press("k")
    wait_for(site, "media.paused")
    site.get_by_label("Settings").click()
    names = quality.locator("option").all_inner_texts()
    assert names[0].startswith("Automatic (")
    assert names[-1] == "240p"
    quality.select_option(label="240p")
    site.get_by_label("Speed").select_option("2×")
    site.get_by_role("button", name="Play", exact=True).click()
    wait_for(site, "media.videoHeight === 240")
    wait_for(site, "media.ended")
    assert media_of(site).evaluate("media => media.currentTime") >= SECONDS - 0.3
    assert media_of(site).evaluate("media => media.buffered.length") == 1  # without holes
    expect(site.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_the_menu_lies_within_the_screen_of_a_telephone(
    site: Page, at: At, ready_film: MediaFile
) -> None:
    site.set_viewport_size(PHONE)
    site.set_extra_http_headers({"Accept-Language": "de"})  # whose words are long
    site.goto(at(ready_film.get_absolute_url()))
    site.get_by_label("Einstellungen").click()
    panel, speed = site.locator(".player__panel"), site.locator("[data-part=speed]")
    expect(panel).to_be_in_viewport(ratio=1)
    words = speed.locator("..").evaluate(
        "label => { const range = new Range(); range.selectNode(label.firstChild);"
        " return range.getBoundingClientRect().right }"
    )
    assert words <= speed.evaluate("select => select.getBoundingClientRect().left")


def test_chapters_are_places_to_go_to(
    site: Page, at: At, upload: Make, run_jobs: Callable[[], int], live_server: Any
) -> None:
    media = upload(recordings.with_words(), "walk.mp4")
    run_jobs()
    site.goto(at(media.get_absolute_url()))
    expect(site.locator("[data-part='marks'] span")).to_have_count(1)  # the first is the start
    site.get_by_role("link", name="Back").click()
    wait_for(site, "media.currentTime >= 1 && !media.seeking")
    bar = site.get_by_role("slider", name="Position")
    expect(bar).to_have_attribute("aria-valuetext", "0:01 of 0:02, Back")
    wait_for(site, "media.ended")


def test_seeking_by_keys_and_on_the_bar(site: Page, at: At, ready_film: MediaFile) -> None:
    site.goto(at(ready_film.get_absolute_url()))
    bar = site.get_by_role("slider", name="Position")
    expect(bar).to_have_attribute("aria-valuetext", "0:00 of 0:08")
    bar.focus()
    site.keyboard.press("ArrowRight")
    wait_for(site, "media.currentTime === 5 && media.readyState >= 2 && !media.seeking")
    expect(bar).to_have_attribute("aria-valuetext", "0:05 of 0:08")

    box = bar.bounding_box()
    assert box
    site.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] / 2)
    tip = site.locator(".player__tip")
    expect(tip).to_contain_text("0:04")
    expect(tip.locator(".player__frame")).to_be_visible()
    site.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    wait_for(site, "Math.abs(media.currentTime - 2) < 0.1 && !media.seeking")

    site.keyboard.press("k")
    wait_for(site, "!media.paused && media.currentTime > 2.2")
    site.keyboard.press("k")
    wait_for(site, "media.paused")
    site.keyboard.press("m")
    wait_for(site, "media.muted")


def test_the_poster_shows_the_moment_at_which_the_film_stands(
    site: Page, at: At, ready_film: MediaFile, run_jobs: Callable[[], int]
) -> None:
    site.goto(at(f"{ready_film.get_absolute_url()}?ordering=size"))
    small = site.locator("[data-part=pip]")
    assert small.is_visible() == site.evaluate("document.pictureInPictureEnabled")
    site.get_by_role("button", name="Play walk.mp4").click()
    wait_for(site, "media.currentTime > 0.5 && !media.paused")
    site.keyboard.press("k")
    wait_for(site, "media.paused")
    stands = media_of(site).evaluate("media => media.currentTime")
    site.get_by_text("Poster", exact=True).click()
    site.get_by_role("button", name="Use this moment").click()
    expect(site.get_by_text("The poster is being made anew.")).to_be_visible()
    expect(site).to_have_url(at(f"{ready_film.get_absolute_url()}?ordering=size"))
    assert ready_film.versions.get().poster_at == pytest.approx(stands, abs=0.01)
    before = site.locator("media-player video").get_attribute("poster")
    run_jobs()
    shown = site.locator(f"media-player video:not([poster='{before}'])")
    expect(shown).to_be_attached()  # by itself
    expect(site.locator("#state")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_poster_is_chosen_from_a_strip_of_frames(
    site: Page, at: At, ready_film: MediaFile, run_jobs: Callable[[], int], size: ViewportSize
) -> None:
    site.set_viewport_size(size)
    asked: list[str] = []
    site.on("request", lambda request: asked.append(request.url))
    strip = site.get_by_role("group", name="Choose a frame")
    frames = strip.get_by_role("radio")
    for scheme in ("light", "dark"):
        site.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        site.goto(at(ready_film.get_absolute_url()))
        assert [url for url in asked if "storyboard.jpg" in url] == []  # before it is wanted
        site.get_by_text("Poster", exact=True).click()
        expect(frames).to_have_count(5)  # as many as the shortest films have
        assert violations(site) == []
        asked.clear()
    assert site.evaluate("document.documentElement.scrollWidth") == size["width"]

    site.get_by_role("radio", name="0:02").click()
    moment = site.get_by_label("Moment of the film, in seconds")
    expect(moment).to_have_value("2.400")
    wait_for(site, "Math.abs(media.currentTime - 2.4) < 0.1 && media.readyState >= 2")
    wait_for(site, "media.paused")
    site.keyboard.press("ArrowRight")
    expect(frames.nth(2)).to_be_checked()
    site.keyboard.press("Enter")
    expect(site.get_by_text("The poster is being made anew.")).to_be_visible()
    assert ready_film.versions.get().poster_at == pytest.approx(4, abs=0.01)
    run_jobs()
    site.reload()
    site.get_by_text("Poster", exact=True).click()
    expect(frames.nth(2)).to_be_checked()
    moment.fill("0.5")
    expect(frames.nth(0)).to_be_checked()
    moment.fill("")
    expect(strip.get_by_role("radio", checked=True)).to_have_count(0)


def test_without_a_storyboard_there_is_no_strip(
    site: Page, at: At, ready_film: MediaFile, complaints: list[str]
) -> None:
    ready_film.renditions.filter(name__startswith="storyboard").delete()
    site.goto(at(ready_film.get_absolute_url()))
    site.get_by_text("Poster", exact=True).click()
    expect(site.get_by_role("button", name="Use this moment")).to_be_visible()
    expect(site.get_by_role("group", name="Choose a frame")).to_have_count(0)


def test_captions_come_at_their_time(site: Page, at: At, ready_film: MediaFile, owner: Any) -> None:
    services.add_caption(
        user=owner,
        media=ready_film,
        file=ContentFile(WORDS.encode(), "walk.srt"),
        language="en",
        label="English",
    )
    site.goto(at(ready_film.get_absolute_url()))
    toggle = site.get_by_role("button", name="Show captions")
    toggle.click()
    expect(site.get_by_role("button", name="Hide captions")).to_be_visible()
    site.get_by_role("button", name="Play walk.mp4").click()
    wait_for(site, "media.currentTime > 0.5")
    assert media_of(site).evaluate(CUES) == []
    wait_for(site, f"({CUES})(media).length > 0")
    [[text, start, end]] = media_of(site).evaluate(CUES)
    assert text == "Two to four"
    assert (start, end) == pytest.approx((2, 4), abs=0.1)
    assert media_of(site).evaluate("media => media.currentTime") == pytest.approx(2, abs=0.5)
    site.get_by_label("Settings").click()
    site.locator(".player__menu").get_by_label("Captions").select_option("Off")
    assert media_of(site).evaluate(CUES) == []


def test_captions_are_added_and_removed_on_the_page(
    site: Page, at: At, ready_film: MediaFile, complaints: list[str]
) -> None:
    site.goto(at(ready_film.get_absolute_url()))
    site.get_by_text("Add captions").first.click()
    form = site.locator("form", has=site.get_by_label("Name in the menu"))
    form.get_by_label("Captions").set_input_files(
        {"name": "walk.srt", "mimeType": "application/x-subrip", "buffer": b"no captions at all"}
    )
    form.get_by_label("Language").fill("de")
    form.get_by_role("button", name="Add captions").click()
    expect(site.locator(".errorlist")).to_be_visible()
    assert all("422" in line for line in complaints), complaints
    complaints.clear()
    form.get_by_label("Captions").set_input_files(
        {"name": "walk.srt", "mimeType": "application/x-subrip", "buffer": WORDS.encode()}
    )
    form.get_by_label("Name in the menu").fill("Deutsch")
    form.get_by_role("button", name="Add captions").click()
    expect(site.get_by_text("Captions added.")).to_be_visible()
    expect(site.get_by_role("region", name="Captions")).to_contain_text("Deutsch")
    site.get_by_role("button", name="Remove captions: Deutsch").click()
    expect(site.get_by_text("Captions removed.")).to_be_visible()
    assert not selectors.list_captions(media=ready_film).exists()


def test_a_film_can_be_played_before_all_is_made(
    site: Page, at: At, film: MediaFile, live_server: Any, run_jobs: Callable[[], int]
) -> None:
    site.goto(at(film.get_absolute_url()))
    expect(site.locator("#preview").get_by_role("progressbar")).to_be_attached()
    first = Job.objects.exclude(kind=Job.Kind.STREAM).exclude(subject="later")
    _run(first.filter(kind__in=("inspect", "scan")))
    _run(first.filter(kind="render"))
    _run(Job.objects.filter(kind="stream", subject__startswith="copy"))
    expect(site.get_by_role("button", name="Play walk.mp4")).to_be_visible()
    expect(site.get_by_text("Still processing")).to_be_visible()
    player = site.locator("media-player").element_handle()
    assert player
    site.get_by_role("button", name="Play walk.mp4").click()
    wait_for(site, "media.currentTime > 0.2")
    run_jobs()
    expect(site.get_by_role("link", name="Show all qualities")).to_be_visible()
    assert player.evaluate("element => element.isConnected")  # it was not taken away
    site.get_by_role("link", name="Show all qualities").click()
    expect(site.get_by_label("Quality").locator("option", has_text="240p")).to_be_attached()


def _run(jobs: Any) -> None:
    for pk in list(jobs.filter(state="queued").order_by("pk").values_list("pk", flat=True)):
        assert services.run_job(pk)


def test_a_sound_shows_its_shape_and_plays(
    site: Page, at: At, upload: Make, run_jobs: Callable[[], int], live_server: Any
) -> None:
    media = upload(recordings.sound("tone.mp3", seconds=3), "tone.mp3")
    run_jobs()
    site.goto(at(media.get_absolute_url()))
    site.get_by_role("button", name="Play", exact=True).click()
    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
    some = f"{drawn}.data.some(value => value > 0)"
    assert site.locator("canvas").evaluate(some)
    wait_for(site, "media.ended && media.currentTime > 2.8")


@pytest.fixture
def plain(browser: Browser, sign_in: Callable[[Any], None], context: Any, owner: Any) -> Any:
    """A page in a browser that runs no script."""
    sign_in(owner)
    bare = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    yield bare.new_page()
    bare.close()


def test_without_script_the_browsers_own_player_has_a_file(
    plain: Page, at: At, ready_film: MediaFile
) -> None:
    plain.goto(at(ready_film.get_absolute_url()))
    expect(media_of(plain)).to_have_attribute("controls", "")
    sources = plain.locator("source").evaluate_all("all => all.map(one => one.type)")
    assert sources == ["video/mp4", "application/vnd.apple.mpegurl"]
    expect(plain.locator(".player__bar")).to_be_hidden()


def test_a_stream_that_fails_is_followed_by_the_file_and_that_by_words(
    site: Page, at: At, ready_film: MediaFile, complaints: list[str]
) -> None:
    site.route("**/hls/**", lambda route: route.fulfill(status=404, body=""))
    site.goto(at(ready_film.get_absolute_url()))
    site.get_by_role("button", name="Play walk.mp4").click()
    wait_for(site, "media.currentTime > 0.2 && media.currentSrc.includes('video.mp4')")

    site.route("**/video.mp4*", lambda route: route.fulfill(status=404, body=""))
    site.reload()
    site.get_by_role("button", name="Play walk.mp4").click()
    expect(site.get_by_role("alert")).to_contain_text("cannot be played at the moment")
    complaints.clear()


def test_a_card_tells_the_length_and_moves_under_the_mouse(
    site: Page, at: At, ready_film: MediaFile
) -> None:
    site.goto(at("/library/"))
    card = site.locator(f"#card-{ready_film.pk}")
    expect(card.locator(".card__length")).to_have_text("Duration 0:08")
    card.hover()
    expect(card.locator("video.is-playing")).to_be_attached()
    site.mouse.move(0, 0)
    expect(card.locator("video")).to_have_count(0)

    site.emulate_media(reduced_motion="reduce")
    card.hover()
    expect(card.locator(".card__caption")).to_be_visible()
    expect(card.locator("video")).to_have_count(0)
