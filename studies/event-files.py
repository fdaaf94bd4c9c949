#!/usr/bin/env python3
"""How fast event files are read: Seismo against TensorBoard's data server and its Python loader.

    python3 studies/event-files.py .build/release/seismo

Needs tensorboard 2.21 with its data server. Writes one run of 20 tags and 50,000 steps (a million
events, as torch's SummaryWriter lays them out) into a temporary folder, has each reader take it five
times in turn, and prints the median and the best. Seismo's figure is the whole command: it checks
every checksum and writes the session. The data server's is the load cycle it reports: once as
TensorBoard starts it (1,000 samples a tag kept, checksums not looked at), once keeping all samples.
"""

import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import tensorboard_data_server
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event

TAGS = ["loss", "lr", "grad_norm"] + [f"metric/{index}" for index in range(17)]
STEPS = 50_000
ROUNDS = 5


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return table


TABLE = crc_table()


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def write(path):
    random.seed(1)
    with open(path, "wb") as file:
        file.write(frame(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString()))
        for step in range(STEPS):
            for index, tag in enumerate(TAGS):
                event = Event(wall_time=1.7e9 + step / 10, step=step)
                value = index + random.random() / (1 + step / 1000)
                event.summary.value.add(tag=tag, simple_value=value)
                file.write(frame(event.SerializeToString()))


def seismo(binary, folder):
    session = os.path.join(folder, "out.seismo")
    if os.path.exists(session):
        os.unlink(session)
    start = time.perf_counter()
    subprocess.run(
        [binary, "import", os.path.join(folder, "logs"), "--session", session],
        check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def data_server(folder, *options):
    server = subprocess.Popen(
        [tensorboard_data_server.server_binary(), "--logdir", os.path.join(folder, "logs"),
         "--reload", "once", "--port", "0", "-v", *options],
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


def python_loader(folder):
    start = time.perf_counter()
    loader = EventAccumulator(os.path.join(folder, "logs"), size_guidance={"scalars": 0})
    loader.Reload()
    return time.perf_counter() - start


def main():
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "logs"))
        write(os.path.join(folder, "logs", "events.out.tfevents.1700000000.host.1.0"))
        readers = {
            "seismo import, session written": lambda: seismo(binary, folder),
            "data server, 1,000 a tag": lambda: data_server(folder),
            "data server, all samples":
                lambda: data_server(folder, "--samples-per-plugin=scalars=all"),
        }
        times = {name: [] for name in readers}
        for _ in range(ROUNDS):
            for name, reader in readers.items():
                times[name].append(reader())
        times["Python loader, all samples"] = [python_loader(folder)]
        for name, seconds in times.items():
            median, best = statistics.median(seconds), min(seconds)
            events = len(TAGS) * STEPS
            print(f"{name:32} median {median:6.3f} s  best {best:6.3f} s"
                  f"  {events / best / 1e6:5.2f} M events/s")


if __name__ == "__main__":
    main()
