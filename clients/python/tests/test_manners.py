"""However a process ends, and whatever stands around it, the run's file is right."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import (
    PATIENCE,
    QUIET,
    Watcher,
    events_of,
    lines_of,
    only_file,
    run_script,
    start_script,
    state_of,
    steps_of,
    wait_until,
)

import seismo

BEGIN = """
    import os, signal, sys, time, seismo
    run = seismo.init(name="x", total_steps=10)
    for step in range(5):
        run.log({"loss": 1.0}, step=step)
"""


def script_with(rest, *words, **environment):
    return run_script(BEGIN + rest, *words, **environment)


def test_an_exit_without_a_word_says_how_far_it_came():
    code, _, err = script_with("")
    assert (code, err) == (0, "")
    assert len(steps_of(only_file())) == 5
    assert state_of(only_file())["reason"] == "the program ended at step 5 of 10"


def test_an_exit_after_all_steps_is_a_finish():
    script_with("""
    for step in range(5, 10):
        run.log({"loss": 1.0}, step=step)
    """)
    assert state_of(only_file())["state"] == "finished"


def test_an_exception_is_the_reason_and_still_printed():
    code, _, err = script_with("""
    raise ValueError("too hot")
    """)
    assert code == 1
    assert err.rstrip().endswith("ValueError: too hot")
    state = state_of(only_file())
    assert (state["state"], state["reason"]) == ("failed", "ValueError: too hot")


def test_a_context_manager_sees_its_exception(tmp_path):
    with pytest.raises(KeyError), seismo.init(name="c") as run:
        raise KeyError("x")
    assert state_of(run.path)["reason"] == "KeyError: 'x'"


def test_ctrl_c_stops():
    # A shell starts what runs in the background with the signal ignored.
    code, _, _ = script_with("""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
    """)
    assert code != 0
    state = state_of(only_file())
    assert (state["state"], state["reason"]) == ("stopped", "SIGINT")


def test_sigterm_ends_by_the_signal_with_the_end_written():
    code, _, _ = script_with("""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    """)
    assert code == -signal.SIGTERM
    state = state_of(only_file())
    assert (state["state"], state["reason"]) == ("stopped", "SIGTERM")
    assert len(steps_of(only_file())) == 5


def test_sigterm_while_paused_ends_too():
    process = start_script(
        BEGIN
        + """
    run.request("pause")
    run.poll()
    """
    )
    wait_until(
        lambda: list(_files()) and state_of(only_file())["state"] == "paused",
        "the pause",
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM
    process.communicate()
    assert state_of(only_file())["reason"] == "SIGTERM"


def _files():
    if os.path.isdir("runs"):
        for name in os.listdir("runs"):
            with contextlib.suppress(IndexError):
                state_of(os.path.join("runs", name))
                yield name


def test_a_handler_of_the_programs_own_is_kept():
    code, out, _ = run_script("""
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: (print("mine"), sys.exit(7)))
    import seismo
    run = seismo.init(name="x")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    """)
    assert (code, out) == (7, "mine\n")
    assert state_of(only_file())["state"] == "finished"


def test_sigkill_costs_at_most_what_half_a_second_brought():
    process = start_script(
        BEGIN
        + """
    print("logged", flush=True)
    time.sleep(600)
    """
    )
    assert process.stdout.readline() == "logged\n"
    wait_until(lambda: len(steps_of(only_file())) == 5, "the flush")
    process.kill()
    process.communicate()
    assert state_of(only_file()) == {"state": "running"}


def test_after_sigkill_every_line_but_the_last_is_whole():
    process = start_script("""
    import seismo
    run = seismo.init(name="x")
    step = 0
    print("begun", flush=True)
    while True:
        run.log({f"metric/{n}": step * 1.1 for n in range(20)}, step=step)
        step += 1
    """)
    process.stdout.readline()
    wait_until(lambda: os.path.getsize(only_file()) > 1_000_000, "a megabyte")
    process.kill()
    process.communicate()
    *whole, _ = only_file().read_bytes().split(b"\n")
    steps = [line["step"] for line in map(json.loads, whole) if "metrics" in line]
    assert len(steps) > 1000
    assert steps == list(range(len(steps)))


def test_a_forked_child_writes_nothing_and_ends_nothing():
    code, out, err = script_with("""
    child = os.fork()
    if child == 0:
        run.log({"loss": 9.0}, step=99)
        run.note("from the child")
        assert run.poll() and not run.writes
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    run.log({"loss": 1.0}, step=5)
    run.controls(save=lambda: None)
    print(run.control)
    """)
    assert (code, err) == (0, "")
    assert [line["step"] for line in steps_of(only_file())] == [0, 1, 2, 3, 4, 5]
    assert events_of(only_file()) == []
    assert len([line for line in lines_of(only_file()) if "state" in line]) == 2
    assert not os.path.exists(out.strip())


def test_a_child_that_outlives_its_parent_holds_neither_file_nor_socket():
    process = start_script(
        BEGIN
        + """
    if os.fork() == 0:
        os.closerange(0, 3)
        time.sleep(20)
    print(os.getpid(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    )
    process.communicate()
    again = seismo.init(resume=only_file())
    assert again.path is not None
    again.finish()
    gone = lines_of(only_file())[0]["run"]["control"]
    with pytest.raises(ConnectionRefusedError):
        Watcher(gone)


def test_a_forked_child_may_begin_a_run_of_its_own():
    code, _, err = script_with("""
    if os.fork() == 0:
        with seismo.init(name="child") as own:
            own.log({"loss": 3.0})
        os._exit(0)
    os.wait()
    """)
    assert (code, err) == (0, "")
    files = sorted(os.listdir("runs"))
    assert [name.split("-")[0] for name in files] == ["child", "x"]
    assert len(steps_of(os.path.join("runs", files[0]))) == 1
    assert len(steps_of(os.path.join("runs", files[1]))) == 5


def test_spawned_workers_leave_the_run_alone(tmp_path):
    script = tmp_path / "spawn.py"
    script.write_text(
        "import multiprocessing, seismo\n"
        "def work(n):\n"
        "    return seismo.current_run() is None\n"
        "if __name__ == '__main__':\n"
        "    run = seismo.init(name='x')\n"
        "    for method in ('spawn', 'fork'):\n"
        "        with multiprocessing.get_context(method).Pool(2) as pool:\n"
        "            assert all(pool.map(work, range(4)))\n"
        "    run.log({'loss': 1.0})\n"
    )
    done = subprocess.run(
        [sys.executable, *QUIET, script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(steps_of(only_file())) == 1
    assert state_of(only_file())["state"] == "finished"


def test_the_workers_of_torch_leave_the_run_alone(tmp_path):
    pytest.importorskip("torch")
    script = tmp_path / "workers.py"
    script.write_text(
        "import seismo, torch, torch.multiprocessing as processes\n"
        "def work(rank, sums):\n"
        "    assert seismo.current_run() is None\n"
        "    sums[rank] = rank + 1\n"
        "if __name__ == '__main__':\n"
        "    run = seismo.init(name='x')\n"
        "    data = torch.utils.data.TensorDataset(torch.arange(8.0))\n"
        "    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2)\n"
        "    for step, (batch,) in enumerate(loader):\n"
        "        run.log({'loss': batch.sum()}, step=step)\n"
        "    sums = torch.zeros(2).share_memory_()\n"
        "    processes.spawn(work, args=(sums,), nprocs=2)\n"
        "    run.log({'loss': sums.sum()})\n"
    )
    done = subprocess.run(
        [sys.executable, *QUIET, script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line["metrics"]["loss"] for line in steps_of(only_file())] == [1, 5, 9, 13, 3]
    assert len([line for line in lines_of(only_file()) if "state" in line]) == 2


@pytest.mark.parametrize("variable", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"])
def test_only_rank_0_writes(variable, monkeypatch, tmp_path):
    monkeypatch.setenv(variable, "1")
    with seismo.init(name="x") as run:
        run.log({"loss": 1.0})
        assert run.poll()
        assert (run.rank, run.step, run.writes) == (1, 1, False)
    assert not (tmp_path / "runs").exists()
    monkeypatch.setenv(variable, "0")
    seismo.init(name="x").finish()
    assert only_file()


def test_rank_0_says_why_it_cannot_change_what_all_share(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    run = seismo.init(name="x")
    run.controls(lr=seismo.multiplier())
    run.request("set lr.multiplier 0.5")
    run.poll()
    run.finish()
    assert "rank 0 cannot tell the other 3 ranks" in events_of(run.path, "refused")[0]["text"]


def test_a_broadcast_of_the_scripts_own_tells_the_ranks(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    sent = []

    def keep(commands):
        sent.append(commands)
        return commands

    run = seismo.init(name="x", broadcast=keep)
    run.controls(lr=seismo.multiplier())
    run.request("set lr.multiplier 0.5")
    run.poll()
    assert run.setting("lr.multiplier") == 0.5
    run.finish()
    monkeypatch.setenv("RANK", "1")
    other = seismo.init(name="x", broadcast=lambda mine: sent[0])
    other.controls(lr=seismo.multiplier())
    other.poll()
    assert other.setting("lr.multiplier") == 0.5


def test_a_full_disk_warns_once_and_loses_nothing(run, monkeypatch, capsys):
    real, is_full = os.write, [True]

    def write(descriptor, data):
        if is_full[0] and descriptor == run._journal.transport._file._descriptor:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    for step in range(3):
        run.log({"loss": 1.0}, step=step)
        seen = run._journal.transport._file._waiting.count(b'"step"')
        wait_until(
            lambda seen=seen: run._journal.transport._file._waiting.count(b'"step"') > seen, "a try"
        )
    is_full[0] = False
    run.log({"loss": 1.0}, step=3)
    run.finish()
    assert len(steps_of(run.path)) == 4
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_disk_that_takes_half_a_line_gets_the_other_half_later(run, monkeypatch):
    real = os.write
    file = run._journal.transport._file._descriptor

    def write(descriptor, data):
        return real(descriptor, data[:7] if descriptor == file else data)

    monkeypatch.setattr(os, "write", write)
    run.log({"loss": 1.25}, step=1)
    run.finish()
    assert steps_of(run.path)[0]["metrics"] == {"loss": 1.25}


def test_dev_full_is_only_a_warning():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    code, _, err = run_script("""
    import seismo
    run = seismo.init(resume="/dev/full")
    for step in range(100):
        run.log({"loss": 1.0}, step=step)
    """)
    assert code == 0
    assert err.count("seismo:") == 1
    assert "lines wait in memory" in err


def test_a_reader_that_takes_nothing_holds_nobody_up(run):
    watcher = Watcher(run.control)
    began = time.monotonic()
    for _ in range(20_000):
        with contextlib.suppress(OSError):
            watcher.socket.setblocking(False)
            watcher.socket.send(b'{"command":"nonsense","id":1}\n')
    run.log({"loss": 1.0}, step=1)
    run.poll()
    run.finish()
    assert time.monotonic() - began < PATIENCE
    assert len(steps_of(run.path)) == 1


def test_running_a_cell_again_begins_a_run_and_ends_the_last():
    first = seismo.init(name="cell")
    second = seismo.init(name="cell")
    third = seismo.init(name="cell")
    assert seismo.current_run() is third
    assert state_of(first.path)["state"] == state_of(second.path)["state"] == "stopped"


def test_it_works_from_a_thread_that_may_not_set_handlers():
    code, _, err = run_script("""
    import threading, seismo
    def work():
        with seismo.init(name="x") as run:
            run.log({"loss": 1.0})
            run.poll()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    """)
    assert (code, err) == (0, "")
    assert state_of(only_file())["state"] == "finished"


def test_without_a_standard_error_nothing_breaks():
    code, _, _ = run_script("""
    import sys
    sys.stderr = None
    import seismo
    run = seismo.init(name="x")
    run.log({"image": [1, 2]})
    run.log(None)
    """)
    assert code == 0
    assert only_file()


def test_no_thread_and_no_hook_is_left_behind(run):
    import threading

    hook, handler = sys.excepthook, signal.getsignal(signal.SIGTERM)
    run.finish()
    assert not any(thread.name == "seismo" for thread in threading.enumerate())
    assert sys.excepthook is not hook
    assert signal.getsignal(signal.SIGTERM) != handler
