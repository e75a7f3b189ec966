"""One measured run of one contender, in a process of its own: `python measured.py NAME WORK_DIR`.

Makes the set of a small picture first, so that imports and caches are warm, then that of the
photograph, and prints one line of JSON. CPU is user plus system time of this process and of those
that worked for it; the peak is resident memory, of the larger when there are two.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("MALLOC_ARENA_MAX", "2")
os.environ.setdefault("VIPS_CONCURRENCY", "1")

from contenders import CONTENDERS, Spent

WARM_UP, PHOTO = "small.jpg", "photo.jpg"


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else 0


def made_bytes(work: Path, before: set[Path]) -> int:
    return sum(path.stat().st_size for path in set(work.rglob("*")) - before if path.is_file())


def main() -> None:
    name, work = sys.argv[1], Path(sys.argv[2])
    run = CONTENDERS[name](work)
    run(WARM_UP)
    for leftover in [*work.glob("w*.*"), *work.glob("thumb.*"), *work.glob("ours/*")]:
        leftover.unlink()
    before = set(work.rglob("*"))
    cpu, wall = time.process_time(), time.perf_counter()
    elsewhere = run(PHOTO) or Spent()
    result = {
        "cpu": time.process_time() - cpu + elsewhere.cpu,
        "wall": time.perf_counter() - wall,
        "peak": max(peak_bytes(), elsewhere.peak),
        "bytes": made_bytes(work, before),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
