"""Reads a folder of event files with the real TensorBoard and compares it with what is expected.

usage: tensorboard_reader.py FOLDER EXPECTED.json

EXPECTED.json holds {"tag": [[step, value], ...], ...}; null stands for NaN. Exits with 1 unless
TensorBoard finds exactly these scalars, in this order, and nothing else.
"""

import json
import math
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator


def as_float32(value):
    return math.nan if value is None else struct.unpack("f", struct.pack("f", value))[0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def differences(folder, expected):
    events = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    tags = {kind: found for kind, found in events.Tags().items() if found}
    if sorted(tags.pop("scalars", [])) != sorted(expected) or tags:
        yield f"found {events.Tags()}, expected scalars {sorted(expected)}"
        return
    for tag, points in expected.items():
        found = [(e.step, e.value) for e in events.Scalars(tag)]
        wanted = [(step, as_float32(value)) for step, value in points]
        if len(found) != len(wanted) or not all(
            f[0] == w[0] and same(f[1], w[1]) for f, w in zip(found, wanted)
        ):
            yield f"{tag}: found {found}, expected {wanted}"


def main():
    folder, expected = sys.argv[1:]
    with open(expected, encoding="utf-8") as file:
        faults = list(differences(folder, json.load(file)))
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
