"""Config D of scripts/bench.py: the embedded experiment, whole steps of `gdsd train` on
configs/sudoku_tiny.yaml against bench/reference_step.py.

Both begin with the same weights, a base that learnt sudoku for WARM steps, and train all of them.
The run's own timing.jsonl says what its steps took; saving and evaluating are not counted, nor is
each process's first step.
"""

import json
import shutil
import statistics
import sys

from bench_common import GDSD, ROOT, WORK, compared, fail, peak_mib, run

REFERENCE_STEP = ROOT / "bench" / "reference_step.py"
CONFIG, PRETRAIN = (ROOT / "configs" / f"sudoku_tiny{end}.yaml" for end in ("", "_pretrain"))
WARM = 200
STEPS = 6  # of a process, the first of which is not timed
PUZZLES = 256
COUNTED = ("act", "reward", "look_back", "learn")


def read_config(path):
    """{"rollout.prompts": "8"} of the config.yaml of a run folder: maps, two spaces a level."""
    out, levels = {}, []
    for line in path.read_text().splitlines():
        key, _, value = line.strip().partition(":")
        del levels[(len(line) - len(line.lstrip())) // 2:]
        levels.append(key)
        if value.strip():
            out[".".join(levels)] = value.strip()
    return out


class StepPair:
    def __init__(self, threads):
        self.threads, self.base, self.run_dir = threads, WORK / "D", WORK / "D-run"
        self.folder, self.puzzles = self.base / "latest", WORK / "D-puzzles.jsonl"

    def make(self):
        """The base, puzzles for the baseline, and the settings of a step, as our program has them."""
        shutil.rmtree(self.base, ignore_errors=True)
        run([GDSD, "pretrain", PRETRAIN, f"run_dir={self.base}", f"steps={WARM}", "eval.every=0",
             "compute.device=cpu", f"compute.threads={self.threads}"])
        run([GDSD, "data", "generate", "sudoku", "--n", PUZZLES, "--out", self.puzzles, "--force"])
        self.program("float32", steps=1)
        self.config = read_config(self.run_dir / "config.yaml")

    def _command(self, dtype, steps):
        shutil.rmtree(self.run_dir, ignore_errors=True)
        return [GDSD, "train", CONFIG, f"model={self.folder}", f"run_dir={self.run_dir}",
                f"steps={steps}", f"save_every={steps}", "keep_best=0", "eval.every=0",
                "compute.device=cpu", f"compute.precision={dtype}", f"compute.threads={self.threads}"]

    def program(self, dtype, steps=STEPS):
        """Seconds of each step."""
        run(self._command(dtype, steps))
        lines = (self.run_dir / "timing.jsonl").read_text().splitlines()
        return [sum(json.loads(line)[f"seconds/{phase}"] for phase in COUNTED) for line in lines]

    def _baseline(self, dtype):
        c, sampler = self.config, "rollout.sampler."
        settings = {"prompts": c["rollout.prompts"], "group": c["rollout.group_size"],
                    "gen": c[sampler + "gen_length"], "steps": c[sampler + "steps"],
                    "block": c[sampler + "block_length"], "inner": c["inner_steps"],
                    "temperature": c[sampler + "temperature"], "mc": c["objective.masking.views"],
                    "psi": c["objective.psi"], "beta": c["objective.beta"],
                    "epsilon": c["objective.epsilon_high"], "lr": c["optimizer.lr"],
                    "max-grad-norm": c["optimizer.max_grad_norm"], "count": STEPS}
        return [sys.executable, REFERENCE_STEP, "--model", self.folder, "--puzzles", self.puzzles,
                f"--dtype={dtype}", f"--threads={self.threads}",
                *(f"--{name}={value}" for name, value in settings.items())]

    def baseline(self, dtype):
        figures = WORK / "D-baseline-step.json"
        run([*self._baseline(dtype), f"--json={figures}"])
        return json.loads(figures.read_text())

    def parity(self):
        """→ (greedy tokens, how many of them differ) of both programs on held-out puzzles."""
        out, theirs = WORK / "D-eval", WORK / "D-complete.json"
        run([GDSD, "eval", CONFIG, f"model={self.folder}", f"eval.problems={PUZZLES}",
             "eval.temperature=0", "rollout.sampler.compat.emit_mask=true", "compute.device=cpu",
             "compute.precision=float32", f"compute.threads={self.threads}", "--out", out, "--fresh"])
        items = [json.loads(line) for line in (out / "items.jsonl").read_text().splitlines()]
        asked = WORK / "D-asked.jsonl"
        asked.write_text("".join(json.dumps({"puzzle": i["question"], "solution": i["answer"]}) + "\n"
                                 for i in items))
        command = self._baseline("float32")
        command[command.index("--puzzles") + 1] = asked
        run([*command, f"--complete={theirs}"])
        length = int(self.config["rollout.sampler.gen_length"])
        pairs = [(item["completion"].ljust(length), text.ljust(length))
                 for item, text in zip(items, json.loads(theirs.read_text()), strict=True)]
        return len(items) * length, sum(a != b for pair in pairs for a, b in zip(*pair))

    def work(self):
        """What a step asks for: (tokens in forward passes, optimiser updates). Each view is a pair
        of passes; the old scores of the first update come from its own."""
        c = self.config
        rollouts = int(c["rollout.prompts"]) * int(c["rollout.group_size"])
        prompt = len(json.loads(self.puzzles.read_text().splitlines()[0])["puzzle"])
        length, inner = prompt + int(c["rollout.sampler.gen_length"]), int(c["inner_steps"])
        passes = 2 * int(c["objective.masking.views"]) * (3 * inner - 1)
        return rollouts * length * (int(c["rollout.sampler.steps"]) + passes), inner

    def measure(self, dtype, rounds, weights_mib):
        """Figures of the row."""
        pairs = [(self.program(dtype), self.baseline(dtype)) for _ in range(rounds)]
        work = self.work()
        done = [pairs[0][1][key] / STEPS for key in ("token_forwards", "updates")]
        if list(work) != done:
            fail(1, f"D: a step of ours asks for {work[0]} token-forwards and {work[1]} updates,"
                    f" one of the baseline did {done[0]:.0f} and {done[1]:.0f}")
        ours = [statistics.median(steps[1:]) for steps, _ in pairs]
        theirs = [statistics.median(step["seconds"] for step in figures["steps"][1:])
                  for _, figures in pairs]
        memory = {f"{who}_mib": round(peak_mib(command) - weights_mib, 1)
                  for who, command in (("engine", self._command(dtype, STEPS)),
                                       ("baseline", self._baseline(dtype)))}
        return compared(ours, theirs) | memory | {"token_forwards": work[0], "updates": work[1]}
