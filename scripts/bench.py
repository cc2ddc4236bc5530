#!/usr/bin/env python3
"""The program against bench/reference.py: same weights, shapes, type and threads. `make bench`.

For every config: writes random weights into build/bench/; in float32 compares greedy tokens, scores
and the loss of both programs, and stops if they differ; then times both, one process after the
other (program, baseline, program, baseline, …), and measures the memory of each phase in processes
of their own, since an allocator keeps what a former phase needed. Prints one table and writes
ratios, baseline's seconds by ours, to a JSON file.

Run by Python with torch and safetensors (packaging/python-bench.txt). From the environment:
  CONFIGS  some of T S M G V D     ROUNDS   pairs of processes         GDSD  the program
  DTYPES   bfloat16 float32        THREADS  of both programs           OUT   the JSON file, added to
  SCALING  1: in place of the baseline, the program on S with 1 and THREADS threads, with two and
           four times the batch, and twice the layers
exit codes: 0 done; 1 the programs do not compute the same, one failed, or the program needs more
memory than it may; 2 bad argument
"""

import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE, WORK = ROOT / "bench" / "reference.py", ROOT / "build" / "bench"
GDSD = os.environ.get("GDSD", str(ROOT / "build" / "release" / "gdsd"))

MODEL_KEYS = "d_model layers heads kv_heads mlp vocab".split()
KEYS = MODEL_KEYS + "batch prompt gen block steps rank".split()
CONFIGS = {
    name: dict(zip(KEYS, values))
    for name, values in {
        "T": (128, 4, 4, 4, 344, 64, 96, 16, 24, 8, 12, 8),
        "S": (256, 5, 4, 4, 688, 2048, 6, 200, 256, 32, 64, 8),
        "M": (768, 12, 12, 12, 2048, 32000, 4, 128, 128, 32, 32, 32),
        "G": (256, 4, 4, 2, 688, 2048, 5, 37, 96, 32, 24, 8),  # grouped; no tile divides a length
        "V": (128, 2, 4, 4, 344, 126464, 4, 32, 32, 16, 8, 8),  # LLaDA's vocabulary
        "D": (64, 4, 2, 2, 176, 8, 64, 16, 16, 16, 16, 0),  # the demo's, of all weights
    }.items()
}
DEMO = ROOT / "configs" / "sudoku_tiny.yaml"
DEMO_BASE = ROOT / "configs" / "sudoku_tiny_pretrain.yaml"
DEMO_STEPS, DEMO_INNER = 8, 4  # measured, after one that is not; optimiser steps of each
HALVED = ("S", "M")  # where rollout and score may need half of the baseline's memory at most
PHASES = {"rollout": ("rollout",), "score": ("old", "ref"), "train": ("train",)}
# Keys of a released config.json that the baseline does not write; neither program computes by them.
CONFIG_KEYS = {"init_cutoff_factor": None, "init_fn": "mitchell", "init_std": 0.02,
               "precision": "amp_bf16"}
SCORES_DIFFER = 1e-3  # most, relative: the programs add in another order
TOKENS_DIFFER = 0.01  # most, of all: a near tie may fall otherwise, and later tokens see it


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
    if not text.isdigit() or int(text) < 1:
        fail(2, f"{name}: got '{text}', expected 1 or more")
    return int(text)


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        fail(1, f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stderr[-2000:]}")


class Pair:
    """Both programs on one config."""

    counted_prompts = True  # ids counted up to the mask's are prompts without masks

    def __init__(self, name, threads):
        self.name, self.sizes, self.threads = name, CONFIGS[name], threads
        self.folder = WORK / name

    def make(self):
        """Weights of both programs."""
        sizes = [f"--{key.replace('_', '-')}={self.sizes[key]}" for key in MODEL_KEYS]
        run([sys.executable, REFERENCE, "--make", self.folder, *sizes])
        file = self.folder / "config.json"
        file.write_text(json.dumps(CONFIG_KEYS | json.loads(file.read_text()), indent=1))

    def _files(self, program, dump):
        files = [WORK / f"{self.name}-{program}.{end}" for end in ("json", "safetensors")]
        for file in files:
            file.unlink(missing_ok=True)
        return files[0], files[1] if dump else None

    def _read(self, figures, dump):
        return json.loads(figures.read_text()), load_file(dump) if dump else None

    def baseline(self, dtype, phases, temperature=1.0, dump=False, repeat=1, inner=1):
        figures, tensors = self._files("baseline", dump)
        s = self.sizes
        sizes = [f"--{key}={s[key]}" for key in ("batch", "prompt", "gen", "block", "steps")]
        adapter = [f"--rank={s['rank']}", "--alpha=64"] if s["rank"] else ["--lora=none"]
        run([sys.executable, REFERENCE, "--model", self.folder, *sizes, *adapter,
             f"--repeat={repeat}", f"--inner={inner}",
             f"--dtype={dtype}", f"--threads={self.threads}", f"--temperature={temperature}",
             f"--phases={','.join(phases)}", f"--json={figures}",
             *([f"--dump={tensors}"] if dump else [])])
        return self._read(figures, tensors)

    def program(self, dtype, phases, temperature=1.0, dump=False, masks=None):
        figures, tensors = self._files("program", dump)
        s = self.sizes
        run([GDSD, "bench", f"model={self.folder}", f"batch={s['batch']}", f"prompt={s['prompt']}",
             f"sampler.gen_length={s['gen']}", f"sampler.block_length={s['block']}",
             f"sampler.steps={s['steps']}", f"sampler.temperature={temperature}",
             "sampler.compat.emit_mask=true",  # as the baseline's sampler
             f"lora.rank={s['rank']}", "lora.alpha=64", "lora.targets=released", "repeat=1",
             "compute.device=cpu", f"compute.precision={dtype}", f"compute.threads={self.threads}",
             f"phases={','.join(phases)}", f"json={figures}",
             *([f"dump={tensors}"] if dump else []), *([f"masks={masks}"] if masks else [])])
        return self._read(figures, tensors)

    def weights_mib(self, dtype):
        s = self.sizes
        shared = s["kv_heads"] / s["heads"]
        block = (2 + 2 * shared) * s["d_model"] ** 2 + 3 * s["d_model"] * s["mlp"] + 2 * s["d_model"]
        count = s["layers"] * block + (2 * s["vocab"] + 1) * s["d_model"]
        return count * (2 if dtype == "bfloat16" else 4) / 2**20

    def parity(self):
        """How far the two are apart in float32; fails if that is too far."""
        different = 0
        if self.counted_prompts:
            ours, theirs = (call("float32", ["rollout"], temperature=0.0, dump=True)[1]["ids"]
                            for call in (self.program, self.baseline))
            different = int((ours != theirs).sum())
        apart = {"tokens": self.sizes["batch"] * self.sizes["gen"], "different": different}
        for phases, names in ((["old", "ref"], ["old", "ref"]), (["train"], ["loss"])):
            theirs = self.baseline("float32", phases, dump=True)[1]
            masks = WORK / f"{self.name}-baseline.safetensors"
            ours = self.program("float32", phases, dump=True, masks=masks)[1]
            for name in names:
                error = (ours[name] - theirs[name]).abs() / theirs[name].abs().clamp_min(1e-12)
                apart[name] = float(error.max())
        tokens = f" {different} of {apart['tokens']} greedy tokens differ;" * self.counted_prompts
        print(f"{self.name}  parity in float32:{tokens} relative difference of scores"
              f" {max(apart['old'], apart['ref']):.1e}, of the loss {apart['loss']:.1e}", flush=True)
        if different > TOKENS_DIFFER * apart["tokens"]:
            fail(1, f"{self.name}: more than {TOKENS_DIFFER:.0%} of the greedy tokens differ")
        if not max(apart[name] for name in ("old", "ref", "loss")) < SCORES_DIFFER:
            fail(1, f"{self.name}: scores or loss differ by {SCORES_DIFFER} or more")
        return apart

    def times(self, dtype, rounds):
        """Figures of every phase, of alternating processes."""
        every = [part for parts in PHASES.values() for part in parts]
        pairs = [(self.program(dtype, every)[0], self.baseline(dtype, every)[0])
                 for _ in range(rounds)]

        def seconds(figures, parts):
            return sum(figures["phases"][part]["median_s"] for part in parts)

        out = {}
        for phase, parts in PHASES.items():
            ours, theirs = ([seconds(pair[i], parts) for pair in pairs] for i in (0, 1))
            ratios = [b / a for a, b in zip(ours, theirs)]
            work = sum(pairs[0][0]["phases"][part]["gflop"] for part in parts)
            shares = [100 * work / s / pair[0]["gemm_gflop_per_s"] for s, pair in zip(ours, pairs)]
            out[phase] = {
                "ratio": statistics.median(ratios), "ratio_min": min(ratios),
                "ratio_max": max(ratios), "engine_s": statistics.median(ours),
                "baseline_s": statistics.median(theirs), "peak_percent": statistics.median(shares),
                "rounds": rounds}
        return out

    def memory(self, dtype):
        """MiB above the weights, of a process for every phase."""
        out = {}
        for phase, parts in PHASES.items():
            peaks = [max(p["peak_mib"] for p in call(dtype, parts)[0]["phases"].values())
                     for call in (self.program, self.baseline)]
            out[phase] = {f"{who}_mib": round(peak - self.weights_mib(dtype), 1)
                          for who, peak in zip(("engine", "baseline"), peaks)}
        return out


class DemoStep(Pair):
    """The embedded experiment's whole step: `gdsd train` on its config, prompts, rewards, logs and all,
    against the baseline's rollout and, for every optimiser step, its scores and its training pass."""

    counted_prompts = False  # the tokenizer's mask is not its last token

    def make(self):
        """The program's own random weights, which come with a tokenizer."""
        base = WORK / self.name
        shutil.rmtree(base, ignore_errors=True)
        run([GDSD, "pretrain", DEMO_BASE, f"run_dir={base}", "steps=1", "save_every=1",
             "eval.every=0", "compute.device=cpu"])
        self.folder = base / "latest"

    def _step(self, dtype):
        """Seconds of every step of one run."""
        runs = WORK / "D-run"
        shutil.rmtree(runs, ignore_errors=True)
        run([GDSD, "train", DEMO, f"model={self.folder}", f"run_dir={runs}", "eval.every=0",
             f"steps={DEMO_STEPS + 1}", f"save_every={DEMO_STEPS + 1}", f"inner_steps={DEMO_INNER}",
             "compute.device=cpu", f"compute.precision={dtype}", f"compute.threads={self.threads}"])
        lines = (runs / "timing.jsonl").read_text().splitlines()
        steps = [json.loads(line) for line in lines[1:]]
        return [step["seconds"] - step.get("seconds/save", 0) for step in steps]

    def times(self, dtype, rounds):
        every = [part for parts in PHASES.values() for part in parts]
        pairs = [(statistics.median(self._step(dtype)),
                  self.baseline(dtype, every, repeat=DEMO_STEPS, inner=DEMO_INNER)[0]["cycle_s"])
                 for _ in range(rounds)]
        ratios = [theirs / ours for ours, theirs in pairs]
        return {"step": {
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
            "engine_s": statistics.median(ours for ours, _ in pairs),
            "baseline_s": statistics.median(theirs for _, theirs in pairs), "rounds": rounds}}

    def memory(self, dtype):
        return {"step": {}}


def print_head(threads, rounds):
    print(f"\n{threads} threads, {rounds} rounds; ratio: the baseline's seconds by ours, the median of "
          "the rounds and their range;\npeak: our share of the fastest matrix product; MiB: most "
          "resident memory above the weights, the program itself included\n")
    print(f"{'':2} {'dtype':9} {'phase':8} {'ours':>9} {'baseline':>9} {'ratio':>6}"
          f" {'range':>13} {'peak':>7} {'MiB ours':>9} {'baseline':>9}")


def print_row(config, dtype, phase, f):
    span = f"{f['ratio_min']:.2f} – {f['ratio_max']:.2f}"
    peak = f"{f['peak_percent']:5.1f} %" if "peak_percent" in f else ""
    mib = [f"{f[key]:.1f}" if key in f else "" for key in ("engine_mib", "baseline_mib")]
    print(f"{config:2} {dtype:9} {phase:8} {f['engine_s']:7.3f} s {f['baseline_s']:7.3f} s"
          f" {f['ratio']:6.2f} {span:>13} {peak:>7} {mib[0]:>9} {mib[1]:>9}", flush=True)


def check_memory(config, dtype, phase, f):
    """What no logits [B, L, V] buys must not be lost."""
    if config in HALVED and phase != "train" and f["engine_mib"] > f["baseline_mib"] / 2:
        fail(1, f"{config} {dtype} {phase}: {f['engine_mib']} MiB above the weights, expected half of "
                f"the baseline's {f['baseline_mib']} at most")


def scaling(threads):
    """The program alone on S: what grows with threads, batch and layers. → results of save()."""
    out = {}
    variants = {"1 thread": {"threads": 1}, f"{threads} threads": {}, "2 B": {"batch": 2},
                "4 B": {"batch": 4}, "2 layers": {"layers": 2}}
    print(f"S, bfloat16, tokens a second; each against {threads} threads on S itself\n")
    for name, more in variants.items():
        pair = Pair("S", more.get("threads", threads))
        pair.sizes = CONFIGS["S"] | {key: CONFIGS["S"][key] * factor for key, factor in more.items()
                                     if key != "threads"}
        pair.folder = WORK / "scaling"
        pair.make()
        figures = pair.program("bfloat16", [part for parts in PHASES.values() for part in parts])[0]
        out[name] = {phase: figures["phases"][phase]["tokens_per_s"]
                     for phase in ("rollout", "old", "train")}
    whole = out[f"{threads} threads"]
    for name, speeds in out.items():
        print(f"{name:11}" + "".join(f"  {phase} {v:9.0f} ({v / whole[phase]:.2f})"
                                     for phase, v in speeds.items()), flush=True)
    return {"scaling": {"bfloat16": out}}


def save(path, results):
    """Adds to what the file holds of other configs and types."""
    held = json.loads(path.read_text()) if path.exists() else {}
    for name, by_dtype in results.items():
        held.setdefault(name, {}).update(by_dtype)
    path.write_text(json.dumps(held, indent=1) + "\n")


def main():
    configs = words("CONFIGS", "T S M D", CONFIGS)
    dtypes = words("DTYPES", "bfloat16 float32", ("bfloat16", "float32"))
    rounds, threads = number("ROUNDS", 3), number("THREADS", len(os.sched_getaffinity(0)))
    out = pathlib.Path(os.environ.get("OUT") or ROOT / "bench" / "results.json")
    if not out.parent.is_dir():
        fail(2, f"OUT: {out.parent} is no folder")
    WORK.mkdir(parents=True, exist_ok=True)
    if os.environ.get("SCALING"):
        return save(out, scaling(threads))
    pairs = [(DemoStep if name == "D" else Pair)(name, threads) for name in configs]
    for pair in pairs:
        pair.make()
    save(WORK / "parity.json", {pair.name: pair.parity() for pair in pairs})
    print_head(threads, rounds)
    for pair in pairs:
        for dtype in dtypes:
            figures, memory = pair.times(dtype, rounds), pair.memory(dtype)
            for phase in figures:
                figures[phase] |= memory[phase]
                print_row(pair.name, dtype, phase, figures[phase])
                check_memory(pair.name, dtype, phase, figures[phase])
            speeds = [figures[phase]["ratio"] for phase in figures]
            mean = math.prod(speeds) ** (1 / len(speeds))
            print(f"{pair.name:2} {dtype:9} geometric mean of the ratios {mean:.2f}", flush=True)
            save(out, {pair.name: {dtype: figures}})


if __name__ == "__main__":
    main()
