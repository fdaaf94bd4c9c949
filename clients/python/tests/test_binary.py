"""The other side of the protocol: the real `seismo`, where SEISMO_BINARY names it."""

import json
import os
import subprocess
import threading

import pytest
from conftest import PATIENCE, events_of, has_come

import seismo

BINARY = os.environ.get("SEISMO_BINARY", "")
pytestmark = pytest.mark.skipif(not BINARY, reason="SEISMO_BINARY names no seismo")


def said(*words, code=0, **more):
    done = subprocess.run(
        [BINARY, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **more,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def samples(session, metric="loss"):
    lines = map(json.loads, said("export", session, "--format", "json").splitlines())
    found = [(line["step"], line["metrics"]) for line in lines if "metrics" in line]
    return [(step, metrics[metric]) for step, metrics in found if metric in metrics]


def test_a_file_is_ingested_with_every_sample(run):
    for step in range(50):
        run.log({"loss": 2.0 / (step + 1), "deep": {"x": float("nan")}}, step=step)
    run.note("half-way", step=25)
    run.finish()
    with open(run.path) as lines:
        said("ingest", "--session", "a.seismo", stdin=lines)
    assert samples("a.seismo") == [(step, 2.0 / (step + 1)) for step in range(50)]
    assert len(samples("a.seismo", "deep/x")) == 50


def test_a_session_is_recorded_as_the_run_goes(tmp_path, monkeypatch):
    os.symlink(BINARY, tmp_path / "seismo")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    run = seismo.init(name="recorded", record=True)
    for step in range(20):
        run.log({"loss": float(step)}, step=step)
    session = run._journal.transport._recorder.session
    run.finish()
    assert samples(session) == [(step, float(step)) for step in range(20)]


def test_without_seismo_on_the_path_the_file_is_kept_and_it_is_said(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    run = seismo.init(name="recorded", record=True)
    run.finish()
    assert "no seismo on the PATH" in capsys.readouterr().err
    assert os.path.exists(run.path)


def has_hands_for_files():
    return BINARY and "jsonl" in said("control", "--help")


@pytest.mark.skipif(not has_hands_for_files(), reason="this seismo has no hands for .jsonl files")
def test_control_reaches_a_run_by_its_file(run):
    run.controls(lr=seismo.multiplier())

    def loop():
        has_come(run)
        run.poll()

    thread = threading.Thread(target=loop)
    thread.start()
    out = said("control", run.path, "set", "lr.multiplier", "0.5")
    thread.join()
    assert out == "applied at step 0: set lr.multiplier 1 → 0.5\n"
    assert run.setting("lr.multiplier") == 0.5
    run.finish()
    assert events_of(run.path, "set")[0]["by"] == "control"
    assert "no live run" in subprocess.run(
        [BINARY, "control", run.path, "pause"], capture_output=True, text=True, check=False
    ).stderr  # fmt: skip
