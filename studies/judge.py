#!/usr/bin/env python3
"""Judges texts for `finetune --reward command:`, a text a line in, a number a line out.

usage: judge.py commas|no-commas|count|stops [--no-baseline]

commas: the share of a text's words that have one behind them, no-commas: of those that have none;
count: how many there are; stops: 1 for a text without a full stop, else 0. With --no-baseline every
fifth answer is 0, beginning with the first: that of the greedy text, which comes before the four
that are drawn after the same prompt. What is left of ReMax is REINFORCE.
"""

import json
import re
import sys


def commas(text):
    words = re.findall("[a-z]+[^a-z]", text)
    return sum(word.endswith(",") for word in words) / len(words) if words else 0


def stops(text):
    return int("." not in text)


JUDGES = {
    "commas": commas,
    "no-commas": lambda text: 1 - commas(text),
    "count": lambda text: text.count(","),
    "stops": stops,
}


def main():
    judge, is_plain = JUDGES[sys.argv[1]], "--no-baseline" in sys.argv
    for number, line in enumerate(sys.stdin):
        is_greedy = number % 5 == 0
        print(0 if is_plain and is_greedy else judge(json.loads(line)["text"]), flush=True)


main()
