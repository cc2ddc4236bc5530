#!/usr/bin/env python3
"""The program against bench/reference.py: same weights, shapes, type and threads. `make bench`.

For every config: writes random weights into build/bench/; in float32 compares greedy tokens, scores
and the loss of both programs, and stops if they differ; then times both, one process after the
other (program, baseline, program, baseline, …; what takes less than a second, some times in each,
since a first time makes oneDNN's kernels), and measures the memory of each phase in processes
of their own, since an allocator keeps what a former phase needed. Prints one table and writes
ratios, baseline's seconds by ours, to a JSON file. D is the embedded experiment (bench_step.py),
`scaling` the program against itself (bench_scaling.py).

Run by Python with torch and safetensors (packaging/python-bench.txt). From the environment:
  CONFIGS  some of T S M G V D, scaling     ROUNDS   pairs of processes         GDSD  the program
  DTYPES   bfloat16 float32                 THREADS  of both programs           OUT   the JSON file, added to
exit codes: 0 done, 1 the programs do not compute the same, one failed, or ours takes more memory
than it may (MEMORY_SHARE), 2 bad argument
"""

import json
import math
import os
import pathlib
import statistics
import sys

import bench_scaling
from bench_common import GDSD, REFERENCE, ROOT, WORK, compared, fail, number, run, words
from bench_step import StepPair

MODEL_KEYS = "d_model layers heads kv_heads mlp vocab".split()
KEYS = MODEL_KEYS + "batch prompt gen block steps rank repeat".split()
CONFIGS = {
    name: dict(zip(KEYS, values))
    for name, values in {
        "T": (128, 4, 4, 4, 344, 64, 96, 16, 24, 8, 12, 8, 5),
        "S": (256, 5, 4, 4, 688, 2048, 6, 200, 256, 32, 64, 8, 1),
        "M": (768, 12, 12, 12, 2048, 32000, 4, 128, 128, 32, 32, 32, 1),
        "G": (256, 4, 4, 2, 688, 2048, 5, 37, 96, 32, 24, 8, 3),  # grouped; no tile divides a length
        "V": (128, 2, 4, 4, 344, 126464, 4, 32, 32, 16, 8, 8, 3),  # LLaDA's vocabulary
        "D": (64, 4, 2, 2, 176, 8, 64, 16, 16, 16, 16, 0, 1),  # the embedded experiment, all its weights
    }.items()
}
PHASES = {"rollout": ("rollout",), "score": ("old", "ref"), "train": ("train",)}
# Keys of a released config.json that the baseline does not write; neither program computes by them.
CONFIG_KEYS = {"init_cutoff_factor": None, "init_fn": "mitchell", "init_std": 0.02,
               "precision": "amp_bf16"}
# Most, relative: the programs add in another order. In bfloat16 the loss, of differences of scores, says little.
SCORES_DIFFER = {"float32": 1e-3, "bfloat16": 2e-2}
MEMORY_SHARE = 0.5  # most, of the baseline's memory above the weights
MEMORY_BOUND = {(name, phase) for name in ("S", "M") for phase in ("rollout", "score")}
TOKENS_DIFFER = 0.01  # most, of all: a near tie may fall otherwise, and later tokens see it


class Pair:
    """Both programs on one config."""

    def __init__(self, name, threads):
        self.name, self.sizes, self.threads = name, CONFIGS[name], threads
        self.folder = WORK / name
        self.adapter = self.sizes["rank"] > 0

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
        if not dump:
            return json.loads(figures.read_text()), None
        from safetensors.torch import load_file  # of .venv-bench; --check does without
        return json.loads(figures.read_text()), load_file(dump)

    def baseline(self, dtype, phases, temperature=1.0, dump=False, repeat=1):
        figures, tensors = self._files("baseline", dump)
        s = self.sizes
        sizes = [f"--{key}={s[key]}" for key in ("batch", "prompt", "gen", "block", "steps")]
        sizes.append(f"--rank={s['rank']}" if self.adapter else "--lora=none")
        run([sys.executable, REFERENCE, "--model", self.folder, *sizes, "--alpha=64", f"--repeat={repeat}",
             f"--dtype={dtype}", f"--threads={self.threads}", f"--temperature={temperature}",
             f"--phases={','.join(phases)}", f"--json={figures}",
             *([f"--dump={tensors}"] if dump else [])])
        return self._read(figures, tensors)

    def program(self, dtype, phases, temperature=1.0, dump=False, masks=None, repeat=1):
        figures, tensors = self._files("program", dump)
        s = self.sizes
        run([GDSD, "bench", f"model={self.folder}", f"batch={s['batch']}", f"prompt={s['prompt']}",
             f"sampler.gen_length={s['gen']}", f"sampler.block_length={s['block']}",
             f"sampler.steps={s['steps']}", f"sampler.temperature={temperature}",
             "sampler.compat.emit_mask=true",  # as the baseline's sampler
             f"lora.rank={s['rank']}", "lora.alpha=64", "lora.targets=released", f"repeat={repeat}",
             "compute.device=cpu", f"compute.precision={dtype}", f"compute.threads={self.threads}",
             f"phases={','.join(phases)}", f"json={figures}",
             *([f"dump={tensors}"] if dump else []), *([f"masks={masks}"] if masks else [])])
        return self._read(figures, tensors)

    def weights_mib(self, dtype):
        s = self.sizes
        shared = s["kv_heads"] / s["heads"]
        block = (2 + 2 * shared) * s["d_model"] ** 2 + 3 * s["d_model"] * s["mlp"] + 2 * s["d_model"]
        count = s["layers"] * block + (2 * s["vocab"] + 1) * s["d_model"]
        # Weights that are trained are held in float32.
        return count * (2 if dtype == "bfloat16" and self.adapter else 4) / 2**20

    def greedy(self):
        """→ (tokens, how many of them differ) of both programs in float32."""
        ours, theirs = (call("float32", ["rollout"], temperature=0.0, dump=True)[1]["ids"]
                        for call in (self.program, self.baseline))
        return self.sizes["batch"] * self.sizes["gen"], int((ours != theirs).sum())

    def scores_apart(self, dtype):
        """The largest relative differences of scores and loss, on the same masks."""
        apart = {}
        for phases, names in ((["old", "ref"], ["old", "ref"]), (["train"], ["loss"])):
            theirs = self.baseline(dtype, phases, dump=True)[1]
            masks = WORK / f"{self.name}-baseline.safetensors"
            ours = self.program(dtype, phases, dump=True, masks=masks)[1]
            for name in names:
                error = (ours[name] - theirs[name]).abs() / theirs[name].abs().clamp_min(1e-12)
                apart[name] = float(error.max())
        return apart

    def parity(self, dtypes):
        """How far the two are apart; fails if that is too far."""
        tokens, different = self.greedy()
        print(f"{self.name}  parity: {different} of {tokens} greedy tokens differ in float32", end="")
        apart = {}
        for dtype in sorted({"float32", *dtypes}, reverse=True):
            apart[dtype] = self.scores_apart(dtype)
            scores, loss = max(apart[dtype]["old"], apart[dtype]["ref"]), apart[dtype]["loss"]
            print(f"; {dtype}: relative difference of scores {scores:.1e}, of the loss {loss:.1e}",
                  end="", flush=True)
        print()
        if different > TOKENS_DIFFER * tokens:
            fail(1, f"{self.name}: more than {TOKENS_DIFFER:.0%} of the greedy tokens differ")
        for dtype, found in apart.items():
            if not max(found[name] for name in ("old", "ref")) < SCORES_DIFFER[dtype]:
                fail(1, f"{self.name}: scores in {dtype} differ by {SCORES_DIFFER[dtype]} or more")
        if not apart["float32"]["loss"] < SCORES_DIFFER["float32"]:
            fail(1, f"{self.name}: the loss differs by {SCORES_DIFFER['float32']} or more")
        return {"tokens": tokens, "different": different} | apart

    def times(self, dtype, rounds):
        """Figures of every phase, of alternating processes."""
        every = [part for parts in PHASES.values() for part in parts]
        pairs = [tuple(call(dtype, every, repeat=self.sizes["repeat"])[0]
                       for call in (self.program, self.baseline)) for _ in range(rounds)]

        def seconds(figures, parts):
            return sum(figures["phases"][part]["median_s"] for part in parts)

        out = {}
        for phase, parts in PHASES.items():
            ours, theirs = ([seconds(pair[i], parts) for pair in pairs] for i in (0, 1))
            work = sum(pairs[0][0]["phases"][part]["gflop"] for part in parts)
            shares = [100 * work / s / pair[0]["gemm_gflop_per_s"] for s, pair in zip(ours, pairs)]
            out[phase] = compared(ours, theirs) | {"peak_percent": statistics.median(shares)}
        return out

    def memory(self, dtype):
        """MiB above the weights, of a process for every phase."""
        out = {}
        for phase, parts in PHASES.items():
            peaks = [max(p["peak_mib"] for p in call(dtype, parts)[0]["phases"].values())
                     for call in (self.program, self.baseline)]
            if not all(peaks):
                fail(1, "this system does not let a process measure its memory (/proc/self/clear_refs)")
            out[phase] = {f"{who}_mib": round(peak - self.weights_mib(dtype), 1)
                          for who, peak in zip(("engine", "baseline"), peaks)}
        return out

    def measure(self, dtype, rounds):
        """Figures of every phase."""
        times, memory = self.times(dtype, rounds), self.memory(dtype)
        return {phase: times[phase] | memory[phase] for phase in PHASES}


class DemoPair(Pair):
    """Whole steps of the embedded experiment; scores and loss are compared as on other weights."""

    def __init__(self, name, threads):
        super().__init__(name, threads)
        self.steps = StepPair(threads)
        self.folder = self.steps.folder

    def make(self):
        self.steps.make()

    def greedy(self):
        return self.steps.parity()

    def measure(self, dtype, rounds):
        return {"step": self.steps.measure(dtype, rounds, self.weights_mib(dtype))}


def print_head(threads, rounds):
    print(f"\n{threads} threads, {rounds} rounds; ratio: the baseline's seconds by ours, the median of "
          "the rounds and their range;\npeak: our share of the fastest matrix product; MiB: most "
          "resident memory above the weights, the program itself included\n")
    print(f"{'':2} {'dtype':9} {'phase':8} {'ours':>9} {'baseline':>9} {'ratio':>6}"
          f" {'range':>13} {'peak':>7} {'MiB ours':>9} {'baseline':>9}")


def print_row(config, dtype, phase, f):
    span = f"{f['ratio_min']:.2f} – {f['ratio_max']:.2f}"
    share = f"{f['peak_percent']:5.1f} %" if "peak_percent" in f else ""
    print(f"{config:2} {dtype:9} {phase:8} {f['engine_s']:7.3f} s {f['baseline_s']:7.3f} s"
          f" {f['ratio']:6.2f} {span:>13} {share:>7} {f['engine_mib']:9.1f}"
          f" {f['baseline_mib']:9.1f}", flush=True)
    if "token_forwards" in f:
        print(f"{'':21}a step of either: {f['token_forwards']} tokens in forward passes,"
              f" {f['updates']} optimiser updates", flush=True)


def measure_all(pairs, dtypes, rounds, out):
    """Prints and saves the rows. → what takes more memory than it may."""
    over = []
    for pair in pairs:
        for dtype in dtypes:
            figures = pair.measure(dtype, rounds)
            for phase, f in figures.items():
                print_row(pair.name, dtype, phase, f)
                if (pair.name, phase) in MEMORY_BOUND and (
                        f["engine_mib"] > MEMORY_SHARE * f["baseline_mib"]):
                    over.append(f"{pair.name} {dtype} {phase}: {f['engine_mib']} MiB of the"
                                f" baseline's {f['baseline_mib']}")
            if len(figures) > 1:
                speeds = [f["ratio"] for f in figures.values()]
                mean = math.prod(speeds) ** (1 / len(speeds))
                print(f"{pair.name:2} {dtype:9} geometric mean of the ratios {mean:.2f}", flush=True)
            save(out, {pair.name: {dtype: figures}})
    return over


def measure_scaling(dtypes, rounds, threads, out):
    """The program alone, on S and on S with twice the layers and batch."""
    made = {}

    def make_pair(n, batch, layers):
        pair = Pair("S", n)
        pair.sizes = pair.sizes | {"batch": batch * pair.sizes["batch"],
                                   "layers": layers * pair.sizes["layers"]}
        pair.folder = WORK / f"S-{pair.sizes['layers']}-layers"
        if pair.folder not in made:
            made[pair.folder] = pair.make()
        return pair

    for dtype in dtypes:
        figures = bench_scaling.measure(make_pair, dtype, rounds, threads)
        bench_scaling.print_table(dtype, figures)
        save(out, {"scaling": {dtype: figures}})


def save(path, results):
    """Adds to what the file holds of other configs and types."""
    held = json.loads(path.read_text()) if path.exists() else {}
    for name, by_dtype in results.items():
        held.setdefault(name, {}).update(by_dtype)
    path.write_text(json.dumps(held, indent=1) + "\n")


def check_results(path):
    """That the figures can be added to the file, before any are measured."""
    if not path.parent.is_dir():
        fail(2, f"OUT: {path.parent} is no folder")
    if path.exists() and not path.is_file():
        fail(2, f"OUT: {path} is no file")
    try:
        held = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        fail(2, f"OUT: {path} is not JSON ({error}): name another file, or remove it")
    if not isinstance(held, dict):
        fail(2, f"OUT: {path} does not hold results: name another file")


def main():
    configs = words("CONFIGS", "T S M D", [*CONFIGS, "scaling"])
    dtypes = words("DTYPES", "bfloat16 float32", ("bfloat16", "float32"))
    rounds, threads = number("ROUNDS", 3), number("THREADS", len(os.sched_getaffinity(0)))
    out = pathlib.Path(os.environ.get("OUT") or ROOT / "bench" / "results.json")
    check_results(out)
    if sys.argv[1:] == ["--check"]:
        return
    if not pathlib.Path(GDSD).is_file():
        fail(2, f"there is no program {GDSD}: run `make build`")
    WORK.mkdir(parents=True, exist_ok=True)
    pairs = [(DemoPair if name == "D" else Pair)(name, threads)
             for name in configs if name != "scaling"]
    for pair in pairs:
        pair.make()
    save(WORK / "parity.json", {pair.name: pair.parity(dtypes) for pair in pairs})
    if pairs:
        print_head(threads, rounds)
    over = measure_all(pairs, dtypes, rounds, out)
    if "scaling" in configs:
        measure_scaling(dtypes, rounds, threads, out)
    if over:
        fail(1, f"more than {MEMORY_SHARE:.0%} of the baseline's memory above the weights: "
                + "; ".join(over))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
