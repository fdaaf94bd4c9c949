"""The relay: all lines once and whole, commands in, answers between."""

import json
import os
import subprocess
import sys

import pytest
from conftest import PATIENCE, has_come, lines_of, state_of, wait_until

import seismo


class Relay:
    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seismo", "relay", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self):
        return json.loads(self.process.stdout.readline())

    def lines_until(self, what):
        lines = []
        while not lines or what not in lines[-1]:
            lines.append(self.line())
        return lines

    def ask(self, command, **members):
        self.process.stdin.write(json.dumps({"command": command, **members}) + "\n")
        self.process.stdin.flush()

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def relay():
    started = []

    def start(*words):
        started.append(Relay(*words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_it_prints_what_stands_there_and_what_comes(run, relay):
    run.log({"loss": 1.0}, step=0)
    far = relay(run.path)
    greeting = far.line()["relay"]
    assert (greeting["protocol"], greeting["hands"], greeting["offset"]) == (1, True, 0)
    assert "metrics" in far.lines_until("metrics")[-1]
    run.log({"loss": 2.0}, step=1)
    assert far.lines_until("metrics")[-1]["step"] == 1
    run.finish()
    rest, err = far.end()
    assert (far.process.returncode, err) == (0, "")
    assert rest[-1]["state"] == "finished"


def test_commands_reach_the_run_and_answers_come_back(run, relay):
    run.controls(lr=seismo.multiplier())
    far = relay(run.path)
    far.ask("set lr.multiplier 0.5", by="far", id=7)
    far.ask("nonsense", id=8)
    has_come(run)
    run.poll()
    answers = {line["id"]: line for line in (far.lines_until("answer")[-1] for _ in range(2))}
    assert answers[7]["answer"] == "applied"
    assert answers[8]["answer"] == "refused"
    assert run.setting("lr.multiplier") == 0.5


def test_a_cut_and_a_return_lose_and_double_nothing(run, relay):
    for step in range(100):
        run.log({"loss": 1.0}, step=step)
    wait_until(lambda: len(lines_of(run.path)) == 103, "the flush")
    size = os.path.getsize(run.path)
    seen, offset = [], 0
    far = relay(run.path)
    far.line()
    for _ in range(40):
        line = far.process.stdout.readline()
        offset += len(line.encode())
        seen.append(json.loads(line))
    far.process.kill()
    assert offset < size
    far = relay(run.path, "--from", offset)
    run.log({"loss": 1.0}, step=100)
    run.finish()
    rest, _ = far.end()
    assert rest[0]["relay"]["offset"] == offset
    assert seen + rest[1:] == lines_of(run.path)


def test_a_run_that_is_over_has_no_hands_and_says_so(run, relay):
    run.log({"loss": 1.0})
    run.finish()
    far = relay(os.path.dirname(run.path))
    lines, _ = far.end()
    assert lines[0]["relay"]["hands"] is False
    assert lines[0]["relay"]["reason"]
    assert lines[1:] == lines_of(run.path)


def test_a_command_without_a_run_is_refused_with_its_number(tmp_path, relay):
    import fcntl

    path = tmp_path / "log.jsonl"
    path.write_text('{"step":1,"loss":2}\n{"step":2,"lo')
    with open(path) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        far = relay(path)
        assert far.line()["relay"]["reason"] == "the run names no control socket"
        far.ask("pause", id=3)
        lines = far.lines_until("answer")
        assert lines[-1] == {
            "answer": "refused",
            "id": 3,
            "reason": "the run names no control socket",
        }
    rest, _ = far.end()
    assert [line for line in [*lines, *rest] if "step" in line] == [{"step": 1, "loss": 2}]


def test_a_control_path_elsewhere_is_not_followed(tmp_path, relay):
    path = tmp_path / "log.jsonl"
    path.write_text('{"run":{"protocol":1,"control":"/etc/passwd"}}\n')
    lines, _ = relay(path).end()
    assert "none of this account's" in lines[0]["relay"]["reason"]


def test_a_file_that_is_not_there_is_one_line(relay):
    far = relay("nothing.jsonl")
    _, err = far.end()
    assert far.process.returncode == 65
    assert err == "seismo: nothing.jsonl: No such file or directory\n"


def test_a_reader_that_goes_away_ends_it(run, relay):
    far = relay(run.path)
    far.line()
    far.process.stdout.close()
    for step in range(2000):
        run.log({"loss": 1.0, "text": "x" * 100}, step=step)
    assert far.process.wait(PATIENCE) == 0
    assert far.process.stderr.read() == ""
    far.process.stdout = None
    run.finish()
    assert state_of(run.path)["state"] == "finished"


def test_help_and_version():
    def said(*words):
        done = subprocess.run(
            [sys.executable, "-m", "seismo", *words], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    assert said("--version") == (0, seismo.__version__ + "\n")
    assert "run.poll()" in said()[1]
    assert said("fly") == (64, "seismo: no command 'fly': there is relay; --help tells more\n")


def test_a_file_of_nobodys_is_followed_until_nobody_asks(tmp_path, relay):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n0,1\n")
    far = relay(path)
    assert not far.line()["relay"]["hands"]
    assert [far.process.stdout.readline() for _ in range(2)] == ["step,loss\n", "0,1\n"]
    with path.open("a") as file:
        file.write("1,2\n")
    assert far.process.stdout.readline() == "1,2\n"
    out, err = far.process.communicate(timeout=PATIENCE)
    assert (far.process.returncode, out, err) == (0, "", "")
