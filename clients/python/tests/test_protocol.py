"""PROTOCOL.md is true: what it shows is read as it says, and what the client writes is in it."""

import json
import re
from pathlib import Path

import pytest
from conftest import lines_of

import seismo
from seismo.requests import read_request

PAGE = Path(__file__).resolve().parents[3] / "PROTOCOL.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="outside of the repository")


def shown():
    """The objects that the page shows, and the text around them."""
    text = PAGE.read_text()
    blocks = "\n".join(re.findall(r"^    .*", text, re.M))
    decoder, found, at = json.JSONDecoder(), [], 0
    blocks = blocks.replace("{…}", "{}")
    while (at := blocks.find("{", at)) >= 0:
        value, at = decoder.raw_decode(blocks, at)
        found.append(value)
    return text, found


def members(value, path=()):
    """The names in an object, without those that are the user's own."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            if key not in ("config", "metrics", "values", "axes"):
                yield from members(member)
    elif isinstance(value, list):
        for member in value:
            yield from members(member)


def test_every_object_on_the_page_is_json_of_a_known_kind():
    _, found = shown()
    kinds = {"step", "run", "settings", "event", "state", "alive", "console", "command", "answer",
             "relay", "generation"}  # fmt: skip
    assert len(found) > 15
    assert all(kinds & set(value) for value in found)


def test_the_command_on_the_page_is_read():
    _, found = shown()
    (line,) = [value for value in found if "command" in value]
    request = read_request(json.dumps(line).encode())
    assert (request.words, request.by, request.id) == ("set lr.multiplier 0.5", "you", 7)
    assert request.once == "9f3c2a"


def test_all_that_a_run_writes_is_on_the_page(monkeypatch, capsys):
    text, found = shown()
    known = set(members(found)) | set(re.findall(r"`(\w+)`", text))
    run = seismo.init(name="x", config={"a": 1}, total_steps=9, tokens_per_step=1, group="g",
                      tags=["t"])  # fmt: skip
    values = {"m": "a", "n": 1.0}
    run.controls(
        lr=seismo.multiplier(),
        m=seismo.attribute(values, "m", choices=["a", "b"]),
        n=seismo.attribute(values, "n", 0, 9, help="what it is"),
        save=lambda: "saved",
    )
    for step in range(250):
        run.log({"loss": 1.0}, step=step)
        if step == 100:
            for words in ("set n 2", "set n 99", "undo", "save", "pause", "resume", "note x"):
                run.request(words)
            run.poll()
    run.alert("title", "text")
    run.checkpoint("out/x")
    run.describe(notes="n", axes={"val/*": "epoch"})
    run.finish("enough")
    unknown = {name for line in lines_of(run.path) for name in members(line)} - known
    assert unknown == set()
