"""Side-by-side benchmark of the rendition set of one 24 Mpx photograph. `bench/run` runs it.

Five widths, a square thumbnail, a placeholder: CPU seconds, waiting, peak memory, bytes, each
contender in a process of its own, rounds interleaved, medians. Then how close our renditions are to
the original beside JPEG 80, on that photograph and on real ones where the corpus of real files is.
Ends with 2 when a contender cannot run, and with `--strict` with 1 when a target is missed.
"""

# ruff: noqa: PLC0415 - the path to our own packages is set first

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import benchmark
from benchmark import Found
from contenders import CONTENDERS, PEERS, QUALITY, SOURCE, WIDTHS
from figures import Figure
from measured import PHOTO, WARM_UP
from PIL import Image
from quality import AtWidth, Likeness, compare
from report import Table, Verdict

sys.path.insert(0, str(SOURCE))

MIB = 1024 * 1024
SIZE = (6000, 4000)  # pixels
LEAN, EQUAL, SHIPPED = tuple(CONTENDERS)[:3]
# It writes JPEG 75, which is a worse picture: its bytes are shown, not reached for.
OTHER_QUALITY = "django-pictures"
TARGET_LEAN, TARGET_PICTURES, TARGET_OTHERS, TARGET_SHIPPED = 1.10, 4.0, 5.0, 6.0
TARGET_PEAK = 200 * MIB
TARGET_REAL = 3  # photographs
CORPUS = Path(os.environ.get("MEDIA_CORPUS", SOURCE.parents[1] / "shared" / "corpus"))
# All still photographs of the corpus that are at least 1000 pixels wide.
REAL = {
    "images_exif_privacy/11-tests.jpg": "image/jpeg",
    "images_exif_privacy/33-type_error.jpg": "image/jpeg",
    "images_exif_privacy/45-gps_ifd.jpg": "image/jpeg",
    "images_valid/4.webp": "image/webp",
    "images_valid/avif-orientation-6.avif": "image/avif",
    "images_valid/cheers_1440x960.heic": "image/heic",
    "images_valid/pitm.avif": "image/avif",
}

Runs = dict[str, list[dict[str, float]]]
Results = dict[str, dict[str, float]]
Comparisons = dict[str, list[AtWidth]]


# -- measuring -------------------------------------------------------------------------------------


def make_photographs(folder: Path, own: Path | None) -> None:
    from apps.media.tests.samples import photo

    photo(600, 400).save(folder / WARM_UP, "JPEG", quality=92)
    if own:
        shutil.copy(own, folder / PHOTO)
    else:
        photo(*SIZE).save(folder / PHOTO, "JPEG", quality=92)


def run_once(name: str, photographs: Path) -> tuple[dict[str, float], Path]:
    """The measurements, and the directory with what was made, beside that of the photographs."""
    work = Path(tempfile.mkdtemp(dir=photographs.parent))
    for photograph in photographs.iterdir():
        shutil.copy(photograph, work)
    command = [sys.executable, str(Path(__file__).with_name("measured.py")), name, str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} cannot run:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]), work


def measure(photographs: Path, rounds: int) -> tuple[Runs, dict[str, Path]]:
    """The rounds of each contender, and one directory of results."""
    runs: Runs = {name: [] for name in CONTENDERS}
    kept: dict[str, Path] = {}
    for _ in range(rounds):
        for name in CONTENDERS:
            result, work = run_once(name, photographs)
            runs[name].append(result)
            if name in kept:
                shutil.rmtree(kept[name])
            kept[name] = work
    return runs, kept


def medians(runs: Runs) -> Results:
    return {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for name, found in runs.items()
    }


def figures(runs: Runs) -> list[Figure]:
    """CPU beside the others, round by round, and what does not depend on how busy a machine is."""

    def beside(name: str, other: str) -> tuple[float, ...]:
        pairs = zip(runs[name], runs[other], strict=True)
        return tuple(one["cpu"] / two["cpu"] for one, two in pairs)

    return [
        Figure(f"CPU, {EQUAL} ÷ {LEAN}", beside(EQUAL, LEAN)),
        *(Figure(f"CPU, {peer} ÷ {EQUAL}", beside(peer, EQUAL), "more") for peer in PEERS),
        *(Figure(f"CPU, {peer} ÷ {SHIPPED}", beside(peer, SHIPPED), "more") for peer in PEERS),
        Figure(f"KB, {SHIPPED}", tuple(run["bytes"] / 1000 for run in runs[SHIPPED])),
        Figure(f"peak MiB, {SHIPPED}", tuple(run["peak"] / MIB for run in runs[SHIPPED])),
    ]


def compare_real(folder: Path) -> Comparisons:
    """Our renditions of the corpus' photographs beside Pillow's; nothing where it is not there."""
    from pillow_heif import register_heif_opener

    from apps.media.processing import sandbox
    from apps.media.processing.recipes import DEFAULT_IMAGE_RECIPES
    from apps.media.processing.types import Plan

    register_heif_opener()
    found: Comparisons = {}
    for name, mime in REAL.items():
        path = CORPUS / name
        if path.is_file():
            made = Path(tempfile.mkdtemp(dir=folder))
            sandbox.run_render(path, mime, plan=Plan(made, DEFAULT_IMAGE_RECIPES))
            found[path.name] = compare(path, made, widths=WIDTHS, quality=QUALITY)
    sandbox.stop()
    return found


# -- tables ----------------------------------------------------------------------------------------


def cost_table(results: Results, *, rounds: int, size: tuple[int, int]) -> Table:
    megapixels = size[0] * size[1] / 1e6
    return Table(
        f"Rendition set of one photograph of {megapixels:.0f} Mpx, medians of {rounds} rounds",
        ("how", "CPU s", "× lean", "× ours shipped", "wall s", "peak MiB", "KB made"),
        tuple(
            (
                name,
                f"{result['cpu']:.2f}",
                f"{result['cpu'] / results[LEAN]['cpu']:.2f}",
                f"{result['cpu'] / results[SHIPPED]['cpu']:.1f}",
                f"{result['wall']:.2f}",
                f"{result['peak'] / MIB:.0f}",
                f"{result['bytes'] / 1000:.0f}",
            )
            for name, result in results.items()
        ),
        "All but ours as shipped make widths 320, 640, 960, 1280 and 1920 in JPEG 80 and WebP 80 "
        "(effort 4) and a square of 400 in WebP. Ours and the lean script make a placeholder too. "
        "As shipped: five WebP at a low effort and a higher quality, JPEG at two widths only. "
        "django-pictures has no setting for quality and writes at Pillow's own, JPEG 75 and WebP "
        "80: fewer bytes, and a JPEG below the quality that is asked for here, so it does not "
        "count among the thriftiest.",
    )


def quality_table(rows: list[AtWidth]) -> Table:
    return Table(
        "SSIM against a Lanczos reduction of that photograph, and KB",
        ("width", "Pillow JPEG 80", "Pillow WebP 80", "our WebP", "our JPEG"),
        tuple(
            (str(row.width), *map(_cell, (row.peer_jpeg, row.peer_webp, row.webp, row.jpeg)))
            for row in rows
        ),
    )


def _cell(likeness: Likeness | None) -> str:
    return f"{likeness.ssim:.4f}, {likeness.size / 1000:.0f}" if likeness else "-"


def real_table(found: Comparisons) -> Table:
    return Table(
        "Real photographs: SSIM of our WebP less that of Pillow's JPEG 80, by width",
        ("photograph", *map(str, WIDTHS), "KB ours", "KB of ten at 80"),
        tuple((name, *_real_cells(rows)) for name, rows in found.items()),
        "Widths that a photograph does not have are left out. KB without the square.",
    )


def _real_cells(rows: list[AtWidth]) -> list[str]:
    gains = {row.width: f"{row.webp.ssim - row.peer_jpeg.ssim:+.4f}" for row in rows}
    ours = sum(row.webp.size + (row.jpeg.size if row.jpeg else 0) for row in rows)
    peers = sum(row.peer_webp.size + row.peer_jpeg.size for row in rows)
    cells = [gains.get(width, "-") for width in WIDTHS]
    return [*cells, f"{ours / 1000:.0f}", f"{peers / 1000:.0f}"]


# -- targets ---------------------------------------------------------------------------------------


def worst_gain(rows: list[AtWidth], kind: str) -> float:
    """The lowest SSIM of our `webp` or `jpeg` less that of JPEG 80."""
    ours = ((row, getattr(row, kind)) for row in rows)
    return min(mine.ssim - row.peer_jpeg.ssim for row, mine in ours if mine)


def verdicts(results: Results, rows: list[AtWidth], real: Comparisons) -> list[Verdict]:
    return [*_cost_verdicts(results), *_quality_verdicts(rows, real)]


def _cost_verdicts(results: Results) -> list[Verdict]:
    lean, equal, shipped = (results[name] for name in (LEAN, EQUAL, SHIPPED))
    ratio, peak = equal["cpu"] / lean["cpu"], max(equal["peak"], shipped["peak"])
    found = [
        Verdict(
            f"equal settings: {ratio:.2f} × lean (at most {TARGET_LEAN:.2f})", ratio <= TARGET_LEAN
        ),
        Verdict(f"peak {peak / MIB:.0f} MiB (below 200)", peak < TARGET_PEAK),
    ]
    for peer in PEERS:
        target = TARGET_PICTURES if peer == OTHER_QUALITY else TARGET_OTHERS
        found.append(_lead("equal settings", results[peer], equal, peer=peer, target=target))
        found.append(_lead("as shipped", results[peer], shipped, peer=peer, target=TARGET_SHIPPED))
    fewest = min(results[peer]["bytes"] for peer in PEERS if peer != OTHER_QUALITY)
    share = shipped["bytes"] / fewest
    words = f"as shipped: {share:.3f} of the bytes of the thriftiest peer at 80 (at most 1)"
    return [*found, Verdict(words, share <= 1)]


def _lead(
    how: str, theirs: dict[str, float], ours: dict[str, float], *, peer: str, target: float
) -> Verdict:
    ratio = theirs["cpu"] / ours["cpu"]
    words = f"{how}: {ratio:.2f} × less CPU than {peer} (at least {target:.0f})"
    return Verdict(words, ratio >= target)


def _quality_verdicts(rows: list[AtWidth], real: Comparisons) -> list[Verdict]:
    found = []
    for kind in ("webp", "jpeg"):
        low = worst_gain(rows, kind)
        words = f"SSIM of our {kind} less that of JPEG 80: {low:+.4f} at worst (at least 0)"
        found.append(Verdict(words, low >= 0))
    if real:
        good = sum(worst_gain(rows, "webp") >= 0 for rows in real.values())
        words = f"the same at every width on {good} of {len(real)} real photographs"
        found.append(Verdict(f"{words} (at least {TARGET_REAL})", good >= TARGET_REAL))
    return found


# -- the whole -------------------------------------------------------------------------------------


PACKAGES = ("pyvips", "pyvips-binary", "pillow", "Django", "django-pictures", "django-imagekit",
            "easy-thumbnails", "wagtail", "sorl-thumbnail", "numpy")  # fmt: skip
HEADING = (
    "Images: the rendition set\n\n"
    "Written by `bench/run images --markdown FILE`. CPU is user plus system time of all processes "
    "that work for a contender. Read ratios, not seconds: the machine was shared with other work."
)


def options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photo", type=Path, help="a JPEG of your own instead of a generated one")
    return parser.parse_args()


def run(chosen: argparse.Namespace, folder: Path) -> Found:
    photographs = folder / "photographs"
    photographs.mkdir()
    make_photographs(photographs, chosen.photo)
    with Image.open(photographs / PHOTO) as opened:
        size = opened.size
    runs, kept = measure(photographs, chosen.rounds)
    results = medians(runs)
    rows = compare(photographs / PHOTO, kept[SHIPPED] / "ours", widths=WIDTHS, quality=QUALITY)
    real = compare_real(folder)
    tables = [cost_table(results, rounds=chosen.rounds, size=size), quality_table(rows)]
    if real:
        tables.append(real_table(real))
    else:
        print("The corpus of real photographs is not here (MEDIA_CORPUS): they are left out.")
    return Found(tables, verdicts(results, rows, real), figures(runs))


def main() -> int:
    chosen = options()
    line = benchmark.circumstances(*PACKAGES)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = run(chosen, Path(folder))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    return benchmark.conclude("images", f"{HEADING}\n\n{line}", found, chosen)


if __name__ == "__main__":
    sys.exit(main())
