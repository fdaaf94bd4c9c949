"""What is logged is in the file, as it was when it was logged."""

import json
import math
import os
import threading
import time

import pytest
from conftest import events_of, lines_of, run_script, state_of, steps_of, wait_until

import seismo
from seismo import transport
from seismo.lines import StepLines, encoded


def test_the_file_begins_with_the_run_line_and_ends_with_its_state(run):
    run.log({"loss": 2.5}, step=0)
    run.finish()
    lines = lines_of(run.path)
    assert lines[0]["run"]["protocol"] == 1
    assert lines[0]["run"]["name"] == "test"
    assert lines[0]["run"]["pid"] == os.getpid()
    assert lines[1] == {"state": "running"}
    assert lines[-1]["state"] == "finished"
    assert steps_of(run.path)[0]["metrics"] == {"loss": 2.5}


def test_a_configuration_is_kept_whatever_it_holds(tmp_path):
    config = {"lr": 1e-3, "path": tmp_path, "layers": [1, 2], "nested": {"kind": object}}
    run = seismo.init(name="x", config=config, total_steps=7, group="g", tags=["a"])
    run.finish()
    described = lines_of(run.path)[0]["run"]
    assert described["config"]["lr"] == 1e-3
    assert described["config"]["path"] == str(tmp_path)
    assert described["config"]["layers"] == [1, 2]
    assert described["total_steps"] == 7
    assert (described["group"], described["tags"]) == ("g", ["a"])


def test_steps_count_on_where_none_is_given(run):
    run.log({"a": 1})
    run.log({"a": 1}, step=10)
    run.log({"a": 1})
    run.finish()
    assert [line["step"] for line in steps_of(run.path)] == [0, 10, 11]


def test_a_backward_step_is_kept(run):
    for step in (5, 6, 3, 4):
        run.log({"loss": float(step)}, step=step)
    run.finish()
    assert [line["step"] for line in steps_of(run.path)] == [5, 6, 3, 4]


def test_nested_metrics_are_joined_and_texts_kept(run):
    run.log({"eval": {"loss": 1.5, "deep": {"x": 2}}, "phase": "warmup", "on": True, "no": None})
    run.finish()
    assert steps_of(run.path)[0]["metrics"] == {
        "eval/loss": 1.5,
        "eval/deep/x": 2,
        "phase": "warmup",
        "on": True,
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_stand_bare(run, value):
    run.log({"loss": value, "other": 1.0})
    run.finish()
    (line,) = steps_of(run.path)
    assert repr(line["metrics"]["loss"]) == repr(value)


@pytest.mark.parametrize(
    "metrics",
    [
        {"loss": 2.1, "100%": 1e-300, 'a"b\\': -0.0, "é/\u2028": 1 / 3},
        {"x": 1e308, "y": 1e308},
        {"x": 12345678901234567890.0},
    ],
)
def test_the_quick_encoding_of_floats_is_that_of_json(metrics):
    expected = encoded({"step": 12, "time": 1700000000.125, "metrics": metrics})
    quick = StepLines().encoded(12, 1700000000.125, metrics)
    if quick is not None:
        assert json.loads(quick) == json.loads(expected)
    else:
        assert not math.isfinite(sum(metrics.values()))


def test_what_is_no_number_is_left_out_and_said_once(run, capsys):
    for _ in range(3):
        run.log({"loss": 1.0, "image": [[1, 2], [3, 4]], "thing": object()})
    run.finish()
    assert all(line["metrics"] == {"loss": 1.0} for line in steps_of(run.path))
    said = capsys.readouterr().err
    assert said.count("'image' is list, no number: left out") == 1
    assert said.count("'thing'") == 1


def test_a_dictionary_that_changes_later_is_logged_as_it_was(run):
    metrics = {"loss": 1.0}
    for step in range(10):
        metrics["loss"] = float(step)
        run.log(metrics, step=step)
    run.finish()
    assert [line["metrics"]["loss"] for line in steps_of(run.path)] == list(map(float, range(10)))


def test_it_is_on_disk_within_the_second_without_an_end(run):
    run.log({"loss": 1.0})
    wait_until(lambda: len(steps_of(run.path)) == 1, "the flush")
    run.log({"loss": 2.0})
    wait_until(lambda: len(steps_of(run.path)) == 2, "the next flush")


def test_values_added_by_probes_belong_to_the_step_of_the_next_log(run):
    run.add({"attention_logit_max/0": 3.0})
    run.before_log(lambda step: {"seen": step} if step % 2 else None)
    run.log({"loss": 1.0}, step=4)
    run.log({"loss": 1.0}, step=5)
    run.finish()
    first, second = steps_of(run.path)
    assert first["metrics"] == {"loss": 1.0, "attention_logit_max/0": 3.0}
    assert second["metrics"] == {"loss": 1.0, "seen": 5}


def test_a_probe_that_fails_is_said_once_and_the_log_goes_on(run, capsys):
    run.before_log(lambda step: 1 / 0)
    for step in range(5):
        run.log({"loss": 1.0}, step=step)
    run.finish()
    assert len(steps_of(run.path)) == 5
    assert capsys.readouterr().err.count("ZeroDivisionError") == 1


@pytest.mark.parametrize("nonsense", [None, 5, "text", [1], object()])
def test_logging_nonsense_raises_nothing(run, nonsense):
    run.log(nonsense)
    run.log({"loss": 1.0}, step="twelve")
    run.log({5: 1.0, None: 2.0})
    run.finish()
    assert steps_of(run.path)[-1]["metrics"] == {"5": 1.0, "None": 2.0}


def test_notes_alerts_and_checkpoints_are_events(run):
    run.log({"loss": 1.0}, step=3)
    run.note("a thought")
    run.note("an older one", step=1)
    run.alert("overflow", "scale fell to 1")
    run.checkpoint("out/step-4")
    run.finish()
    note, older, alarm, checkpoint = events_of(run.path)
    assert (note["event"], note["step"], note["text"]) == ("note", 4, "a thought")
    assert older["step"] == 1
    assert (alarm["event"], alarm["name"], alarm["text"]) == (
        "alarm",
        "overflow",
        "overflow: scale fell to 1",
    )
    assert (checkpoint["name"], checkpoint["step"]) == ("step-4", 4)


def test_a_full_queue_drops_counts_and_tells(run, monkeypatch, capsys):
    monkeypatch.setattr(transport, "QUEUE_LIMIT", 10)
    gate = threading.Event()
    run._journal.transport.answer(_Held(gate), {})
    wait_until(lambda: not run._journal.transport._queue, "the thread")
    for step in range(100):
        run.log({"loss": 1.0}, step=step)
    gate.set()
    run.finish()
    assert len(steps_of(run.path)) == 10
    (fault,) = events_of(run.path, "fault")
    assert fault["values"] == {"dropped": 90}
    assert "90 lines dropped" in capsys.readouterr().err
    assert state_of(run.path)["state"] == "finished"


class _Held:
    """A request whose answer holds the thread until the gate opens."""

    def __init__(self, gate):
        self.gate = gate

    def reply(self, line):
        self.gate.wait(60)


def test_many_threads_may_log(run):
    def log(start):
        for step in range(start, start + 500):
            run.log({"loss": float(step)}, step=step)

    threads = [threading.Thread(target=log, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    assert len(steps_of(run.path)) == 2000


def test_after_its_end_a_run_takes_everything_and_writes_nothing(run):
    run.finish()
    size = os.path.getsize(run.path)
    run.log({"loss": 1.0})
    run.note("late")
    run.request("pause")
    assert run.poll()
    run.finish()
    assert os.path.getsize(run.path) == size


def test_off_is_a_no_op(monkeypatch, tmp_path):
    monkeypatch.setenv("SEISMO", "off")
    with seismo.init(name="off", record=True) as run:
        run.controls(lr=seismo.multiplier(), save=lambda: None)
        run.log({"loss": 1.0}, step=1)
        run.request("set lr.multiplier 2")
        assert run.poll()
        run.note("x")
        assert not run.writes
    assert list(tmp_path.iterdir()) == []


def test_two_runs_of_one_second_have_two_files():
    first = seismo.init(name="same")
    second = seismo.init(name="same")
    second.finish()
    assert first.path != second.path
    assert state_of(first.path)["reason"] == "another run began"


def test_resuming_appends_to_the_newest_run_of_that_name():
    first = seismo.init(name="r")
    first.log({"loss": 1.0}, step=9)
    first.finish()
    with open(first.path, "a") as file:
        file.write('{"step":10,"met')
    again = seismo.init(name="r", resume=True)
    assert again.path == first.path
    again.log({"loss": 2.0}, step=5)
    again.finish()
    with open(first.path) as file:
        lines = file.read().splitlines()
    assert lines.count('{"step":10,"met') == 1
    assert json.loads(lines[-2])["step"] == 5
    assert '"resumed":true' in "".join(lines)


def test_resuming_where_there_is_nothing_begins_anew():
    run = seismo.init(name="fresh", resume=True)
    run.finish()
    assert state_of(run.path)["state"] == "finished"


def test_a_file_that_is_being_written_is_not_written_twice(run):
    code, _, err = run_script(
        "import seismo, sys; run = seismo.init(resume=sys.argv[1]); run.log({'a': 1})",
        run.path,
    )
    assert code == 0
    assert "another process is writing it" in err


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path, capsys):
    (tmp_path / "runs").write_text("a file")
    run = seismo.init(name="x")
    run.log({"loss": 1.0})
    assert run.poll()
    run.finish()
    assert run.path is None
    assert "runs" in capsys.readouterr().err


def test_effects_of_a_change_are_told_a_hundred_steps_later(run):
    class Config:
        clip = 1.0

    run.controls(clip=seismo.attribute(Config, "clip", 0, 10))
    for step in range(250):
        if step == 100:
            run.request("set clip 2")
            run.poll()
        run.log({"loss": 2.0 if step < 100 else 1.0}, step=step)
    run.finish()
    (effect,) = events_of(run.path, "effect")
    assert effect["step"] == 199
    assert effect["name"] == "clip"
    assert (effect["before"], effect["after"]) == ("1", "2")
    assert effect["values"] == {
        "loss.before": 2.0,
        "loss.after": 1.0,
        "loss.change": -1.0,
        "loss.samples": 100,
    }
    assert effect["text"] == "loss 2 → 1 over 100 steps (-1)"


def test_an_effect_waits_for_the_blend_and_tells_what_the_setting_is_for(run):
    class Model:
        normalises = False

    run.declare(
        seismo.Setting(
            "qk_layernorm",
            lambda: Model.normalises,
            lambda value: setattr(Model, "normalises", value),
            "flag",
            blend_steps=50,
        )
    )
    for step in range(400):
        if step in (100, 300):
            run.request(f"set qk_layernorm {'on' if step == 100 else 'off'}")
            run.poll()
        if step == 340:
            run.request("undo")
            run.poll()
        loss = 2.0 if step < 100 else 2.5 if step < 150 else 1.0
        run.log({"loss": loss}, step=step)
        if step % 10 == 0:
            # As a probe's: more seldom than the loss.
            run.log({"attention_logit_max": 9278.0 if step < 150 else 5.5}, step=step)
    run.finish()
    assert [event["values"] for event in events_of(run.path, "set")] == [{"blend_steps": 50}] * 3
    assert events_of(run.path, "set")[0]["text"].endswith("off → on, blended over 50 steps")
    # The second change was taken back before its effect was due: neither has one.
    (effect,) = events_of(run.path, "effect")
    assert effect["step"] == 249
    assert effect["text"] == (
        "attention logits 9,278 → 5.5, loss 2 → 1 over 100 steps (-1), at most 2.5 on the way"
    )
    assert effect["values"]["attention_logit_max.after"] == 5.5


def test_a_silent_run_says_that_it_is_alive(run, monkeypatch):
    monkeypatch.setattr(transport, "ALIVE_INTERVAL", 0.1)
    before = time.time()
    wait_until(lambda: any("alive" in line for line in lines_of(run.path)), "a sign of life")
    alive = next(line["alive"] for line in lines_of(run.path) if "alive" in line)
    assert before - 1 <= alive <= time.time()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/a/train_gpt.py", "train_gpt"),
        ("-c", "run"),
        ("", "run"),
        ("/x/ipykernel_launcher.py", "notebook"),
    ],
)
def test_a_run_without_a_name_has_its_scripts(program, name, monkeypatch):
    monkeypatch.setattr("sys.argv", [program])
    run = seismo.init()
    run.finish()
    assert run.name == name


@pytest.mark.parametrize("name", ["a/b", "../../etc/passwd", "x y\nz", "é", "", "." * 300])
def test_a_name_never_leads_out_of_the_folder(name):
    run = seismo.init(name=name)
    run.finish()
    assert os.path.dirname(run.path) == os.path.abspath("runs")
    assert "\n" not in run.path
