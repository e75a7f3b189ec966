from pathlib import Path
from django.core.files.base import ContentFile
from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import recordings, samples, papers
WORDS = "1\n00:00:02,000 --> 00:00:07,000\nTwo to seven, a longer line of words\nand another\n"
OUT = Path("/tmp/shots"); OUT.mkdir(exist_ok=True)
SIZES = {"phone": {"width":390,"height":844}, "desk": {"width":1440,"height":900}}
def shots(site, name, full=False):
    for scheme in ("light","dark"):
        site.emulate_media(color_scheme=scheme)
        for size, box in SIZES.items():
            site.set_viewport_size(box)
            site.wait_for_timeout(300)
            site.screenshot(path=OUT/f"{name}-{size}-{scheme}.png", full_page=full and size=="phone")
def chaptered():
    words=";FFMETADATA1\ntitle=A walk\n"+"".join(f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={b}\ntitle={t}\n" for a,b,t in ((0,2500,"Out of the door"),(2500,5000,"Through the wood"),(5000,8000,"Home")))
    import tempfile
    with tempfile.TemporaryDirectory() as f:
        path=Path(f)/"words"; path.write_text(words)
        return recordings.made("film.mp4","-i","source","-f","ffmetadata","-i",str(path),"-map_metadata","1","-c","copy",source=recordings.film(size=(640,360),seconds=8))
def test_shots(site, at, upload, run_jobs, live_server, owner, complaints):
    film = upload(chaptered(), "walk.mp4", title="A walk in the wood")
    tall = upload(recordings.sideways(), "phone.mov")
    tone = upload(recordings.sound("tone.mp3", seconds=6, level="0.8*sin(2*PI*440*t)*abs(sin(t))"), "tone.mp3")
    pdf = upload(samples.pdf(pages=5) if "pages" in samples.pdf.__code__.co_varnames else samples.pdf(), "report.pdf")
    text = upload(b"# Title\n\nSome *words* here.\n\n- one\n- two\n", "notes.md")
    bad = upload(samples.truncated_jpeg(), "broken.jpg")
    photo = upload(samples.photo_jpeg(640, 480), "photo.jpg", visibility="public")
    run_jobs()
    for m in MediaFile.objects.all(): print(m.original_name, m.status, m.failure_code)
    services.add_caption(user=owner, media=film, file=ContentFile(WORDS.encode(), "w.srt"), language="en", label="English")
    waiting = upload(recordings.film(), "waiting.mp4")
    site.goto(at("/library/")); site.wait_for_timeout(500); shots(site, "library")
    for n, m in (("film",film),("tall",tall),("tone",tone),("pdf",pdf),("text",text),("bad",bad),("waiting",waiting)):
        site.goto(at(m.get_absolute_url())); site.wait_for_timeout(700); shots(site, n, full=True)
    site.goto(at(film.get_absolute_url()))
    site.get_by_role("button", name="Show captions").click()
    site.get_by_role("button", name="Play A walk in the wood").click()
    site.wait_for_timeout(3500); site.keyboard.press("k"); site.get_by_label("Settings").click(); 
    for _ in range(1):
        bar = site.get_by_role("slider", name="Position").bounding_box()
        site.mouse.move(bar["x"]+bar["width"]*0.4, bar["y"]+bar["height"]/2); site.wait_for_timeout(600)
    site.screenshot(path=OUT/"playing-desk.png")
    shots(site, "playing")
    site.get_by_label("Settings").click()
    site.get_by_role("button", name="Full screen").click(); site.wait_for_timeout(500); site.screenshot(path=OUT/"full.png")
    print("COMPLAINTS", complaints); 
