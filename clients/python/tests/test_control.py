"""What is asked of a run, over its socket and from the script, and what it answers."""

import os
import stat
import threading

import pytest
from conftest import events_of, has_come, lines_of, state_of, wait_until

import seismo


class Config:
    def __init__(self):
        self.clip = 1.0
        self.accumulate = 4
        self.ema = False
        self.mode = "a"


@pytest.fixture
def config(run):
    config = Config()
    run.controls(
        lr=seismo.multiplier(),
        clip=seismo.attribute(config, "clip", 0, 10, help="bounds the norm"),
        accumulate=(lambda: config.accumulate, lambda v: setattr(config, "accumulate", v), 1, 64),
        ema=seismo.attribute(config, "ema"),
        mode=seismo.attribute(config, "mode", choices=["a", "b"]),
    )
    return config


def asked(run, watcher, command, **members):
    """Asks, polls once, and returns the answer."""
    watcher.send(command, **members)
    has_come(run)
    run.poll()
    return watcher.answer()


def test_the_socket_is_nobody_elses(run):
    assert stat.S_IMODE(os.stat(run.control).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(run.control)).st_mode) == 0o700
    run.finish()
    assert not os.path.exists(run.control)


def test_settings_are_declared_with_kind_range_and_value(run, config):
    run.finish()
    declared = [line for line in lines_of(run.path) if "settings" in line][-1]
    settings = {setting["name"]: setting for setting in declared["settings"]}
    assert settings["lr.multiplier"]["value"] == 1.0
    assert settings["clip"] == {
        "name": "clip",
        "kind": "number",
        "min": 0.0,
        "max": 10.0,
        "value": 1.0,
        "help": "bounds the norm",
    }
    assert (settings["ema"]["kind"], settings["ema"]["value"]) == ("flag", False)
    assert settings["mode"]["choices"] == ["a", "b"]
    assert "pause" in declared["commands"]
    assert "checkpoint" not in declared["commands"]


def test_a_setting_is_applied_at_the_next_poll_and_recorded(run, config, watch):
    run.log({"loss": 1.0}, step=12)
    answer = asked(run, watch(run), "set clip 0.5", by="you", id=7)
    assert answer == {
        "answer": "applied",
        "id": 7,
        "step": 13,
        "before": 1.0,
        "after": 0.5,
        "text": "set clip 1 → 0.5",
    }
    assert config.clip == 0.5
    run.finish()
    (event,) = events_of(run.path, "set")
    assert (event["step"], event["by"], event["name"]) == (13, "you", "clip")
    declared = [line for line in lines_of(run.path) if "settings" in line][-1]["settings"]
    assert next(s["value"] for s in declared if s["name"] == "clip") == 0.5


def test_flags_choices_and_whole_numbers(run, config, watch):
    watcher = watch(run)
    assert asked(run, watcher, "set ema on")["after"] is True
    assert config.ema is True
    assert asked(run, watcher, "set mode b")["after"] == "b"
    assert asked(run, watcher, "set accumulate 8")["answer"] == "applied"
    assert (config.accumulate, type(config.accumulate)) == (8, int)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("set clip 11", "'11' is no value for clip: give a number from 0 to 10"),
        ("set clip nan", "'nan' is no value for clip: give a number from 0 to 10"),
        ("set clip much", "'much' is no value for clip: give a number from 0 to 10"),
        ("set ema maybe", "'maybe' is no value for ema: give on or off"),
        ("set mode c", "'c' is no value for mode: give one of a, b"),
        ("set clip", "'set clip' is not complete: write 'set NAME VALUE'"),
        (
            "set nothing 1",
            "no setting 'nothing': this trainer declares "
            "lr.multiplier, clip, accumulate, ema, mode",
        ),
        ("checkpoint", "no checkpoint: declare it: run.controls(checkpoint=save)"),
        ("step 0", "'step 0' is not complete: write 'step [N]'"),
        ("note", "'note' is not complete: write 'note TEXT'"),
        (
            "rewind good",
            "this trainer has no command 'rewind': it obeys note, pause, resume, set, step, undo",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_at_once_with_the_reason(run, config, watch, command, reason):
    answer = watch(run).ask(command, id=3)
    assert answer == {"answer": "refused", "id": 3, "step": 0, "reason": reason}


def test_undo_takes_the_last_changes_back(run, config, watch):
    watcher = watch(run)
    asked(run, watcher, "set clip 2")
    asked(run, watcher, "set ema on")
    assert asked(run, watcher, "undo")["text"] == "set ema on → off"
    assert asked(run, watcher, "undo")["text"] == "set clip 2 → 1"
    assert (config.clip, config.ema) == (1.0, False)
    assert asked(run, watcher, "undo")["reason"] == "nothing to undo: no setting was changed"


def test_a_setter_that_raises_is_refused_with_its_words(run, watch, capsys):
    def refuse(value):
        raise ValueError("not now")

    run.controls(x=(lambda: 1.0, refuse, 0, 10))
    answer = asked(run, watch(run), "set x 2")
    assert (answer["answer"], answer["reason"]) == ("refused", "ValueError: not now")
    run.finish()
    assert events_of(run.path, "refused")[0]["name"] == "set x 2"


def test_actions_are_called_between_two_steps(run, watch):
    calls = []
    run.controls(checkpoint=lambda: calls.append("saved"), sample=lambda text: text.upper())
    watcher = watch(run)
    assert asked(run, watcher, "checkpoint")["answer"] == "applied"
    assert calls == ["saved"]
    assert asked(run, watcher, "sample once upon")["text"] == "sample: ONCE UPON"
    assert asked(run, watcher, "checkpoint now")["answer"] == "refused"
    run.finish()
    assert [event["event"] for event in events_of(run.path)] == ["checkpoint", "note", "refused"]


def test_a_note_may_name_its_step(run, watch):
    watcher = watch(run)
    asked(run, watcher, "note @3 it began here", by="you")
    asked(run, watcher, "note @home")
    run.finish()
    first, second = events_of(run.path, "note")
    assert (first["step"], first["text"], first["by"]) == (3, "it began here", "you")
    assert second["text"] == "@home"


def test_the_script_may_ask_as_a_person_does(run, config):
    run.request("set clip 3")
    assert config.clip == 1.0
    run.poll()
    assert config.clip == 3.0
    run.request("set clip 300")
    run.poll()
    run.finish()
    assert events_of(run.path, "set")[0]["by"] == "script"
    assert "give a number from 0 to 10" in events_of(run.path, "refused")[0]["text"]


def test_poll_holds_while_paused_and_obeys_meanwhile(run, config, watch):
    watcher = watch(run)
    polled = threading.Event()

    def loop():
        run.poll()
        polled.set()

    watcher.send("pause", id=1)
    has_come(run)
    thread = threading.Thread(target=loop)
    thread.start()
    assert watcher.answer()["answer"] == "applied"
    wait_until(lambda: state_of(run.path)["state"] == "paused", "the pause")
    assert watcher.ask("set clip 5", id=2)["answer"] == "applied"
    assert not polled.is_set()
    assert watcher.ask("resume", id=3)["answer"] == "applied"
    thread.join(60)
    assert polled.is_set()
    run.finish()
    states = [line["state"] for line in lines_of(run.path) if "state" in line]
    assert states == ["running", "paused", "running", "finished"]


def test_step_does_so_many_steps_and_holds_again(run, watch):
    watcher = watch(run)
    done = []

    def loop():
        for step in run.steps(100):
            done.append(step)
            run.log({"loss": 1.0}, step=step)

    watcher.send("pause")
    has_come(run)
    thread = threading.Thread(target=loop)
    thread.start()
    assert watcher.answer()["answer"] == "applied"
    assert done == [0]
    watcher.ask("step 3")
    wait_until(lambda: len(done) == 4 and run._hands.is_paused, "three steps")
    watcher.ask("stop")
    thread.join(60)
    assert not thread.is_alive()
    assert done == [0, 1, 2, 3]
    run.finish()
    assert state_of(run.path) == {
        **state_of(run.path),
        "state": "stopped",
        "reason": "asked to stop",
    }


def test_stop_is_offered_only_where_the_loop_heeds_it(run, watch):
    watcher = watch(run)
    assert watcher.ask("stop")["reason"].startswith("no stop: this loop does not heed it")
    assert not run.stopping
    assert asked(run, watcher, "stop")["answer"] == "applied"
    assert run.stopping
    assert not run.poll()


def test_commands_that_nobody_took_are_answered_at_the_end(run, watch):
    watcher = watch(run)
    watcher.send("pause", id=9)
    has_come(run)
    run.finish()
    assert watcher.answer() == {
        "answer": "refused",
        "id": 9,
        "step": 0,
        "reason": "the run is ending",
    }


def test_a_command_asked_again_with_its_mark_is_applied_once(run, watch):
    calls = []
    run.controls(sample=lambda: calls.append(1))
    first = watch(run)
    first.send("sample", id=1, once="m-1")
    has_come(run)
    first.close()
    second = watch(run)
    second.send("sample", id=5, once="m-1")
    second.send("note here", id=6)
    has_come(run, 2)
    run.poll()
    answers = {answer["id"]: answer for answer in (second.answer(), second.answer())}
    assert calls == [1]
    assert answers[5]["answer"] == answers[6]["answer"] == "applied"
    third = watch(run)
    assert third.ask("sample", id=8, once="m-1")["id"] == 8
    assert calls == [1]


def test_two_watchers_see_each_others_commands(run, config, watch):
    one, two = watch(run), watch(run)
    asked(run, one, "set clip 2", by="ann")
    asked(run, two, "set clip 3", by="bob")
    run.finish()
    assert [event["by"] for event in events_of(run.path, "set")] == ["ann", "bob"]


def test_nobody_acts_under_the_runs_own_names(run, config, watch):
    watcher = watch(run)
    asked(run, watcher, "set clip 2", by="run")
    asked(run, watcher, "set clip 2", by="\x1b[31mred")
    asked(run, watcher, "set clip 2", by="x" * 41)
    run.finish()
    assert {event["by"] for event in events_of(run.path, "set")} == {"control"}


def test_wrong_declarations_are_told_to_the_script(run):
    with pytest.raises(TypeError, match=r"controls\(x=…\): give \(get, set, low, high\)"):
        run.controls(x=5)
