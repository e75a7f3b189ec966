"""Template tags: which pictures they offer, and that they cost nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.template import Context, Template

from apps.media import selectors, services
from apps.media.models import MediaFile, Rendition
from apps.media.templatetags import media as tags
from apps.media.tests import recordings, samples

Upload = Callable[..., MediaFile]


def _render(source: str, media: MediaFile) -> str:
    detailed = selectors.with_details(MediaFile.objects.filter(pk=media.pk)).get()
    return Template("{% load media %}" + source).render(Context({"media": detailed}))


def test_a_picture_offers_every_width_and_a_jpeg_to_fall_back_on(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(1000, 700), "a.jpg", alt_text='Leaves "on" a path')
    run_jobs()
    text = _render('{% media_picture media sizes="50vw" %}', media)
    webp, jpeg = re.findall(
        r'<source srcset="([^"]+)"\s+sizes="50vw"\s+type="image/(?:webp|jpeg)"', text
    )
    assert [part.split()[-1] for part in webp.split(", ")] == ["320w", "640w", "960w"]
    assert [part.split()[-1] for part in jpeg.split(", ")] == ["640w"]
    assert "thumb" not in text  # another shape
    assert 'width="1000" height="700"' in text
    assert 'loading="lazy"' in text
    assert 'alt="Leaves &quot;on&quot; a path"' in text


def test_a_picture_moves_only_for_those_who_let_it(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.animated_gif(frames=3, size=(320, 160)), "a.gif")
    run_jobs()
    moving = _render("{% media_picture media moving=True %}", media)
    assert re.search(
        r'animated\.webp[^>]*media="\(prefers-reduced-motion: no-preference\)"', moving
    )
    assert "animated.webp" not in _render("{% media_picture media %}", media)


def test_a_document_shows_its_sharpest_page(upload: Upload, run_jobs: Callable[[], int]) -> None:
    media = upload(samples.pdf(), "a.pdf")
    run_jobs()
    text = _render("{% media_picture media %}{{ media|media_ratio }}", media)
    assert re.search(r'srcset="[^"]*w640\.webp[^"]* 640w, [^"]*preview\.pdf\.jpg[^"]* 1280w"', text)
    assert text.strip().endswith("7")


def test_a_file_without_pictures_shows_its_icon(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(b"words", "a.txt")
    run_jobs()
    assert "media/icons/text.svg" in _render("{% media_picture media %}", media)
    assert _render("{{ media|media_ratio }}", media) == "10"
    assert _render("{% media_url media 'w640.webp' %}", media) == ""


def test_media_url_names_a_rendition_or_the_original(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg")
    run_jobs()
    for original in ("{% media_url media %}", '{% media_url media "original" %}'):
        assert _render(original, media).startswith(f"/media/{media.pk}/original?v=")
    name = Rendition.objects.filter(media=media).earliest("pk").name
    assert f"/r/{name}" in _render(f"{{% media_url media '{name}' %}}", media)


def test_tags_cost_no_query(
    upload: Upload, run_jobs: Callable[[], int], django_assert_num_queries: Any
) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg")
    run_jobs()
    with django_assert_num_queries(3):  # those of `with_details`
        _render("{% media_picture media %}{% media_renditions media as r %}{{ r|length }}", media)


def _render_plain(source: str, media: MediaFile) -> str:
    return Template("{% load media %}" + source).render(Context({"media": media}))


def test_a_file_read_without_details_looks_the_same_for_one_query(
    upload: Upload, run_jobs: Callable[[], int], owner: Any, django_assert_num_queries: Any
) -> None:
    media = upload(samples.photo_jpeg(1000, 700), "a.jpg")
    run_jobs()
    source = '{% media_picture media sizes="50vw" %}{% media_url media "w640.webp" %}'
    reads = (
        MediaFile.objects.get,
        lambda: selectors.list_media_by_user(user_id=owner.pk).get(),
        lambda: selectors.list_visible_media(user=owner).get(),
        lambda: selectors.get_visible_media(user=owner, media_id=media.pk),
    )
    for read in reads:
        plain = read()
        with django_assert_num_queries(1):
            assert _render_plain(source, plain) == _render_plain(source, plain)
        assert _render_plain(source, plain) == _render(source, media)
    assert "/r/w640.webp" in _render(source, media)


def test_a_film_read_without_details_plays_the_same(
    upload: Upload, run_jobs: Callable[[], int], owner: Any, django_assert_num_queries: Any
) -> None:
    media = upload(recordings.film(), "a.mp4")
    run_jobs()
    words = ContentFile(b"WEBVTT\n\n00:00.000 --> 00:01.000\nWords\n", "a.vtt")
    services.add_caption(user=owner, media=media, file=words, language="en")
    plain = MediaFile.objects.get()
    with django_assert_num_queries(2):  # the renditions, the captions
        text = _render_plain("{% media_player media %}", plain)
    assert text == _render("{% media_player media %}", media)
    for part in ("data-hls=", "<track", "poster.jpg", "storyboard.vtt", "video.mp4"):
        assert part in text


def test_who_is_not_known_to_look_is_shown_what_others_get(
    upload: Upload, run_jobs: Callable[[], int], owner: Any, stranger: Any
) -> None:
    media = upload(samples.photo_jpeg(64, 48), "a.jpg", visibility="public")
    run_jobs()
    source = "{% media_url media 'thumb.webp' %}"
    others = _render(source, media)
    new = ContentFile(samples.photo_jpeg(72, 54), "b.jpg")
    services.replace_media(user=owner, media=media, file=new)
    MediaFile.objects.update(published_version=1)
    run_jobs()
    MediaFile.objects.update(published_version=1)  # as until the last job
    seen = selectors.get_visible_media(user=stranger, media_id=media.pk)
    own = selectors.get_visible_media(user=owner, media_id=media.pk)
    assert _render_plain(source, MediaFile.objects.get()) == others
    assert _render_plain(source, seen) == others
    assert _render_plain(source, own) not in {"", others}


def test_a_file_that_is_read_again_shows_what_has_been_made(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(64, 48), "a.jpg")
    assert "icons/image.svg" in _render_plain("{% media_picture media %}", media)
    run_jobs()
    media.refresh_from_db()
    assert "thumb.webp" in _render_plain("{% media_url media 'thumb.webp' %}", media)


def test_a_player_has_a_stream_a_file_and_captions(
    upload: Upload, run_jobs: Callable[[], int], owner: Any
) -> None:
    media = upload(recordings.film(), "a.mp4", title='A "walk"')
    assert _render("{{ media|media_is_playable }}", media) == "False"
    run_jobs()
    words = ContentFile(b"WEBVTT\n\n00:00.000 --> 00:01.000\nWords\n", "a.vtt")
    services.add_caption(user=owner, media=media, file=words, language="en", default=True)
    text = " ".join(_render("{% media_player media %}", media).split())
    assert f'data-hls="/media/{media.pk}/hls/master.m3u8"' in text
    types = re.findall(r'<source src="[^"]+" type="([^"]+)"', text)
    assert types == ["video/mp4", "application/vnd.apple.mpegurl"]
    assert re.search(r'<track kind="subtitles" src="[^"]+" srclang="en" label="en" default', text)
    assert re.search(r'poster="[^"]*poster\.jpg', text)
    assert 'aria-label="A &quot;walk&quot;"' in text
    assert 'width="160" height="120"' in text  # nothing jumps when the film comes
    assert _render("{{ media|media_length }}", media) == "0:02"


def test_a_sound_is_played_from_files(upload: Upload, run_jobs: Callable[[], int]) -> None:
    media = upload(recordings.sound("a.mp3"), "a.mp3")
    run_jobs()
    text = _render("{% media_player media %}", media)
    assert re.findall(r"/r/(audio\.\w+)", text) == ["audio.opus", "audio.m4a"]
    assert "data-peaks" in text
    assert "data-hls" not in text
    assert _render("{{ media|media_has_picture }}", media) == "False"  # a waveform is none


def test_a_film_looks_like_its_poster_and_not_like_its_storyboard(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(recordings.film(), "a.mp4")
    run_jobs()
    text = _render("{% media_picture media %}{% media_renditions media as all %}{{ all }}", media)
    picture, listed = text.split("</picture>")
    assert "poster.jpg" in picture
    assert "storyboard" not in picture
    assert "storyboard.jpg" in listed
    assert "hls/" not in listed  # tracks have no address among the renditions


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (7.97, "0:08"), (61.5, "1:01"), (3_725, "1:02:05")]
)
def test_times_are_told_as_on_a_clock(seconds: float, shown: str) -> None:
    assert tags.clock(seconds) == shown
