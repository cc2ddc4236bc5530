"""What the parts of scripts/bench.py share: places, settings from the environment, processes."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE, WORK = ROOT / "bench" / "reference.py", ROOT / "build" / "bench"
GDSD = os.environ.get("GDSD", str(ROOT / "build" / "release" / "gdsd"))


def fail(code, text):
    print(f"bench: {text}", file=sys.stderr)
    raise SystemExit(code)


def words(name, default, known=None):
    """The words of an environment variable."""
    found = os.environ.get(name, default).split()
    for word in found:
        if known and word not in known:
            fail(2, f"{name}: got '{word}', expected some of {' '.join(known)}")
    return found or fail(2, f"{name} is empty")


def number(name, default):
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        fail(2, f"{name}: got '{text}', expected 1 or more")
    return int(text)


def run(command):
    """Waits for a program that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        fail(1, f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stderr[-2000:]}")


def peak_mib(command):
    """The most resident memory of a program that must succeed, asked for 100 times a second."""
    words = [str(word) for word in command]
    peak, log = 0, WORK / "peak.log"
    with log.open("w") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
        status = pathlib.Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) / 1024)
            time.sleep(0.01)
    if process.returncode != 0:
        fail(1, f"{' '.join(words)}\nended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return peak


def compared(ours, theirs):
    """Of the seconds of both in every round: medians, and the baseline's by ours."""
    ratios = [b / a for a, b in zip(ours, theirs)]
    return {"ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
            "engine_s": statistics.median(ours), "baseline_s": statistics.median(theirs),
            "rounds": len(ratios)}
