"""Page scripts without a page: what they say of refusals, where they ask, how long they keep."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.media.tests.scripts import run_script
from launch.bundle import PACKAGES

pytestmark = pytest.mark.skipif(
    not (PACKAGES / "esbuild").is_dir(), reason="no front-end packages: run bin/setup"
)

GOES_ON = "This goes on by itself as soon as it"
PLACES = """
const dataset = {signIn: "/admin/login/?theme=dark", trash: "/files/library/trash/"};
document.querySelector = (what) => what === "#uploads" ? {dataset} : null;
"""


def explained(status: int, body: dict[str, Any] | str = "", *, page: str = "") -> dict[str, Any]:
    """What the uploader makes of an answer."""
    text = body if isinstance(body, str) else json.dumps(body)
    source = f"""
    import {{ explain }} from "./uploader/refusals";
    const xhr = {json.dumps({"status": status, "responseText": text})} as XMLHttpRequest;
    console.log(JSON.stringify(explain(xhr)));
    """
    failure: dict[str, Any] = run_script(source, page=page)
    return failure


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code"),
        [(429, "throttled"), (507, "storage_full"), (503, "service_stopping"), (423, "locked")],
    )
    def test_what_the_server_says_is_said_and_goes_on_by_itself(
        self, status: int, code: str
    ) -> None:
        failure = explained(status, {"code": code, "detail": "Its own words."})
        assert (failure["code"], failure["reason"]) == (code, "Its own words.")
        assert failure["advice"] == f"{GOES_ON} can."
        assert failure["isPassing"]
        assert failure["mayRetry"]

    @pytest.mark.parametrize("body", ["", "<h1>Bad Gateway</h1>", {"detail": "no code"}, "null"])
    @pytest.mark.parametrize("status", [0, 502])
    def test_a_server_that_says_nothing_is_away(self, status: int, body: Any) -> None:
        failure = explained(status, body)
        assert failure["code"] == "away"
        assert failure["advice"] == f"{GOES_ON} answers."
        assert failure["isPassing"]

    def test_what_is_wrong_with_the_file_does_not_pass(self) -> None:
        failure = explained(422, {"code": "corrupt_file", "detail": "It is damaged."})
        assert (failure["reason"], failure["isPassing"]) == ("It is damaged.", False)
        assert not failure["mayRetry"]

    def test_the_page_says_where_to_sign_in_and_where_the_trash_is(self) -> None:
        link = explained(401, page=PLACES)["link"]
        assert link["href"] == "/admin/login/?theme=dark&next=%2Flibrary%2F%3Fq%3Dsea"
        full = {"code": "quota_exceeded", "detail": "Full."}
        assert explained(413, full, page=PLACES)["link"]["href"] == "/files/library/trash/"
        for status, body in ((401, {}), (413, full)):
            assert "link" not in explained(status, body)


def tiles(index: str, sheet: str) -> list[str]:
    """The addresses of the sheet that the index at `index` leads to."""
    text = f"WEBVTT\n\n00:00.000 --> 00:05.000\n{sheet}#xywh=0,0,160,90\n"
    source = f"""
    import {{ readTiles }} from "./player/storyboard";
    const tiles = await readTiles({json.dumps(index)});
    console.log(JSON.stringify(tiles.map(({{ sheet }}) => sheet)));
    """
    page = f"globalThis.fetch = async () => new Response({json.dumps(text)});"
    sheets: list[str] = run_script(source, page=page)
    return sheets


@pytest.mark.parametrize(
    ("index", "sheet"),
    [
        ("https://cdn.example.org/m/7/r/storyboard.vtt?v=1", "https://cdn.example.org/m/7/r/"),
        ("/media/7/r/storyboard.vtt?v=1", "https://media.example.org/media/7/r/"),
    ],
)
def test_the_frames_of_a_film_are_where_their_index_is(index: str, sheet: str) -> None:
    assert tiles(index, "storyboard.jpg?v=2") == [f"{sheet}storyboard.jpg?v=2"]


# As much of IndexedDB as the letter box asks for: one store of rows that are numbered.
DATABASE = """
const rows = new Map();
let last = 0;
function walk(keys, request) {
  const key = keys.shift();
  request.result = key === undefined ? null : {
    value: rows.get(key),
    delete: () => rows.delete(key),
    continue: () => queueMicrotask(() => walk(keys, request)),
  };
  request.onsuccess?.();
}
const store = {
  add: (row) => void rows.set(++last, row),
  clear: () => rows.clear(),
  openCursor() {
    const request = {};
    queueMicrotask(() => walk([...rows.keys()], request));
    return request;
  },
};
function begin() {
  const transaction = { objectStore: () => store };
  setTimeout(() => transaction.oncomplete());
  return transaction;
}
globalThis.indexedDB = { open() {
  const request = { result: { transaction: begin, close() {} } };
  queueMicrotask(() => request.onsuccess());
  return request;
} };
globalThis.now = 0;
Date.now = () => now;
globalThis.names = () => [...rows.values()].map(({ file }) => file.name);
"""


@pytest.mark.parametrize("act", ["await readShared()", 'await keepShared([{ name: "c" } as File])'])
def test_shared_files_are_forgotten_after_a_day_each_by_its_own_age(act: str) -> None:
    source = f"""
    import {{ keepShared, readShared }} from "./worker/shared";
    declare let now: number;
    declare function names(): string[];
    await keepShared([{{ name: "a" }} as File]);
    now += 3600 * 1000;
    await keepShared([{{ name: "b" }} as File]);
    now += 23 * 3600 * 1000;
    {act};
    const given = (await readShared()).map(({{ name }}) => name);
    console.log(JSON.stringify([names(), given]));
    """
    kept, given = run_script(source, page=DATABASE)
    assert "a" not in kept
    assert kept == given
    assert kept[0] == "b"
