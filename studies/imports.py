#!/usr/bin/env python3
"""How fast large logs of others are imported, and how large their sessions are.

    python3 studies/imports.py .build/release/seismo [FOLDER]

Needs numpy, and wandb 0.31 and tensorboard 2.21 with its data server. Writes into FOLDER (or a
temporary one) 200,000 steps of 20 metrics of seven digits as JSON lines and as CSV, 6 million events
of 100 tags as TensorBoard's writers lay them out (292 MB), and a .wandb file of 1,500 steps of 5,000
metrics; what is there already is taken as it is. Each is imported three times; the medians of wall
and processor time are printed, and bytes a sample. TensorBoard's data server loads the events in
turn, all samples kept.
"""

import json
import os
import random
import re
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np
import tensorboard_data_server

ROUNDS = 3


def write_tables(folder):
    random.seed(7)
    names = [f"train/m{index:02d}" for index in range(20)]
    with open(f"{folder}/log.jsonl", "w") as lines, open(f"{folder}/log.csv", "w") as table:
        table.write("step," + ",".join(names) + "\n")
        for step in range(200_000):
            values = [f"{abs(random.gauss(0.23 * (index + 1), 0.05)):.7g}" for index in range(20)]
            table.write(f"{step}," + ",".join(values) + "\n")
            members = ",".join(f'"{name}":{value}' for name, value in zip(names, values))
            lines.write(f'{{"step":{step},{members}}}\n')


def crc_table():
    table = np.zeros(256, np.uint32)
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ 0x82F63B78 if remainder & 1 else remainder >> 1
        table[byte] = remainder
    return table


TABLE = crc_table()


def masked(rows):
    """The masked checksum of each row of bytes."""
    crc = np.full(rows.shape[0], 0xFFFFFFFF, np.uint32)
    for column in range(rows.shape[1]):
        crc = TABLE[(crc ^ rows[:, column]) & 255] ^ (crc >> np.uint32(8))
    crc = ~crc
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def framed(rows):
    """Rows of equal length as records."""
    count = len(rows)
    length = np.frombuffer(struct.pack("<Q", rows.shape[1]), np.uint8)[None]
    head = np.hstack([length, masked(length).astype("<u4").view(np.uint8)[None]])
    tail = masked(rows).astype("<u4").view(np.uint8).reshape(count, 4)
    return np.hstack([np.tile(head, (count, 1)), rows, tail]).tobytes()


def events(steps, digits, generator):
    """An event a tag for each step; the steps' numbers take as many bytes as `digits`."""
    value = b"\x0a\x09metric/00\x15" + bytes(4)
    summary = b"\x0a" + bytes([len(value)]) + value
    head = b"\x09" + bytes(8) + b"\x10" + bytes(digits) + b"\x2a" + bytes([len(summary)])
    count = len(steps) * 100
    rows = np.tile(np.frombuffer(head + summary, np.uint8), (count, 1))
    step, tag = np.repeat(steps, 100), np.tile(np.arange(100), len(steps))
    rows[:, 1:9] = (1.7e9 + step * 0.1).astype("<f8").view(np.uint8).reshape(count, 8)
    for place in range(digits):
        rows[:, 10 + place] = (step & 127) | (128 if place < digits - 1 else 0)
        step = step >> 7
    name = len(head) + 4 + len("metric/")
    rows[:, name], rows[:, name + 1] = 48 + tag // 10, 48 + tag % 10
    rows[:, -4:] = generator.normal(2, 0.1, count).astype("<f4").view(np.uint8).reshape(count, 4)
    return framed(rows)


def write_events(folder):
    generator = np.random.default_rng(1)
    version = b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a\x0dbrain.Event:2"
    os.mkdir(f"{folder}/events")
    with open(f"{folder}/events/events.out.tfevents.1700000000.host.1.0", "wb") as file:
        file.write(framed(np.frombuffer(version, np.uint8)[None]))
        for first in range(1, 60_001, 500):
            steps = np.arange(first, min(first + 500, 60_001))
            for digits in (1, 2, 3):
                some = steps[(steps >= 128 ** (digits - 1)) & (steps < 128**digits)]
                if digits == 1:
                    some = steps[steps < 128]
                if len(some):
                    file.write(events(some, digits, generator))


class WandbFile:
    """A log of LevelDB's, with zlib's checksum."""

    BLOCK = 1 << 15

    def __init__(self, path):
        self.file = open(path, "wb")
        self.position = 0
        self.write(b":W&B" + struct.pack("<HB", 0xBEE1, 0))

    def write(self, data):
        self.file.write(data)
        self.position += len(data)

    def add(self, record):
        data, offset = record.SerializeToString(), 0
        while True:
            left = self.BLOCK - self.position % self.BLOCK
            if left < 7:
                self.write(b"\0" * left)
                left = self.BLOCK
            part = data[offset : offset + left - 7]
            is_last = offset + len(part) == len(data)
            kind = (1 if is_last else 2) if offset == 0 else 4 if is_last else 3
            checksum = zlib.crc32(part, zlib.crc32(bytes([kind])))
            self.write(struct.pack("<IHB", checksum, len(part), kind) + part)
            offset += len(part)
            if is_last:
                return


def write_wandb(folder):
    from wandb.proto import wandb_internal_pb2 as messages

    random.seed(3)
    file = WandbFile(f"{folder}/run-big.wandb")
    record = messages.Record(num=1)
    record.run.run_id, record.run.display_name, record.run.project = "big", "big", "p"
    file.add(record)
    names = [f"train/block_{index:04d}/grad_norm" for index in range(4998)]
    for step in range(1500):
        record = messages.Record(num=step + 2)
        record.history.step.num = step
        # W&B's own writer goes through a map of Go's, whose order is another each time.
        random.shuffle(names)
        for name in names:
            record.history.item.add(nested_key=[name], value_json=json.dumps(random.random()))
        record.history.item.add(nested_key=["_step"], value_json=str(step))
        record.history.item.add(nested_key=["_timestamp"], value_json=str(1.7e9 + step))
        file.add(record)
    record = messages.Record(num=1502)
    record.exit.exit_code = 0
    file.add(record)
    file.file.close()


def imported(binary, source, session):
    for path in (session, session + "-wal", session + "-shm"):
        if os.path.exists(path):
            os.unlink(path)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [binary, "import", source, "--session", session], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def data_server(folder):
    server = subprocess.Popen(
        [tensorboard_data_server.server_binary(), "--logdir", f"{folder}/events", "--reload", "once",
         "--port", "0", "-v", "--samples-per-plugin=scalars=all"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in server.stderr:
            found = re.search(r"Finished load cycle \(([\d.]+)(m?)s\)", line)
            if found:
                return float(found[1]) / (1000 if found[2] else 1)
    finally:
        server.kill()
        server.wait()
    raise SystemExit("the data server ended without a load cycle")


def main():
    binary = os.path.abspath(sys.argv[1])
    folder = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()
    for path, write in [("log.csv", write_tables), ("events", write_events),
                        ("run-big.wandb", write_wandb)]:
        if not os.path.exists(f"{folder}/{path}"):
            write(folder)
    samples = {"log.jsonl": 4_000_000, "log.csv": 4_000_000, "events": 6_000_000,
               "run-big.wandb": 1500 * 4998}
    times = {source: [] for source in samples}
    server = []
    for _ in range(ROUNDS):
        for source in samples:
            times[source].append(imported(binary, f"{folder}/{source}", f"{folder}/out.seismo"))
            if source == "events":
                server.append(data_server(folder))
    for source, count in samples.items():
        imported(binary, f"{folder}/{source}", f"{folder}/out.seismo")
        size = os.path.getsize(f"{folder}/out.seismo") / count
        wall, processor = (statistics.median(column) for column in zip(*times[source]))
        print(f"{source:14} {wall:6.2f} s, processor {processor:6.2f} s,"
              f" {count / wall / 1e6:5.2f} M samples/s, {size:5.2f} bytes a sample")
    print(f"data server, the same events: {statistics.median(server):.2f} s")


if __name__ == "__main__":
    main()
