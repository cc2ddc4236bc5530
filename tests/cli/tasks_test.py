"""Tasks of files, from the published layouts to a table of evaluations, as a user goes the way.

usage: tasks_test.py GDSD MODELS [unittest's arguments]
  GDSD: the program; MODELS: tests/golden/models, whose tiny checkpoints answer nonsense
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from program import ProgramTest

MODELS = pathlib.Path()
SOURCE = pathlib.Path(__file__).parents[2]

GSM8K = [("Ann has 3 apples and buys 4.", "3 + 4 = 7 apples.\n#### 7"),
         ("What is 2 times 600?", "It is 1,200.\n#### 1,200"),
         ("What is 5 - 9?", "5 - 9 = -4\n#### -4")]
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """ Twice x. """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n",
}
EVAL = """\
model: model
task: {name: gsm8k, test: gsm8k.jsonl, prompt: math_eval}
sampler: {gen_length: 16, block_length: 8, steps: 8}
batch: 1
compute: {threads: 1, device: cpu}
"""
REWARD = """\
import json, sys
for line in sys.stdin:
    attempt = json.loads(line)
    score = len(attempt["completion"]) if attempt["record"]["scored"] else None
    print(json.dumps({"id": attempt["id"], "score": score}), flush=True)
"""


class TasksTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="gdsd_tasks_"))
        shutil.copytree(MODELS / "llada_tiny" / "checkpoint", cls.root / "model")
        config = json.loads((cls.root / "model/config.json").read_text())
        (cls.root / "model/config.json").write_text(json.dumps(config | {"max_sequence_length": 4096}))
        lines = [json.dumps({"question": q, "answer": a}) for q, a in GSM8K]
        (cls.root / "published.jsonl").write_text("\n".join(lines) + "\n")
        (cls.root / "eval.yaml").write_text(EVAL)
        cls.gdsd_ok("data", "prepare", "gsm8k", "published.jsonl", "--out", "gsm8k.jsonl")

    def expect_refused(self, arguments, *parts):
        done = self.gdsd(*arguments)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        last = done.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("gdsd: "), done.stderr)
        for part in parts:
            self.assertIn(part, last)

    def result(self, folder):
        return json.loads((self.root / folder / "result.json").read_text())

    def items(self, folder):
        return [json.loads(line) for line in (self.root / folder / "items.jsonl").read_text().splitlines()]

    def test_evaluation_keeps_every_answer_and_its_figures(self):
        done = self.gdsd_ok("eval", "eval.yaml", "--out", "whole")
        items, result = self.items("whole"), self.result("whole")
        self.assertEqual([item["answer"] for item in items], ["7", "1,200", "-4"])
        self.assertTrue(items[0]["source"].endswith("published.jsonl:1"), items[0]["source"])
        self.assertEqual(result["problems"], 3)
        self.assertEqual(result["manifest"]["config"]["task.prompt"], "math_eval")
        self.assertEqual(result["metrics"]["eval/solved"],
                         sum(item["solved"] for item in items) / 3)
        self.assertEqual(result["metrics"]["eval/released"],
                         sum(item["released_right"] for item in items) / 3)
        self.assertIn("ETA", done.stderr)
        self.assertIn("solved", done.stdout)

    def test_killed_and_called_again_it_ends_the_same(self):
        self.gdsd_ok("eval", "eval.yaml", "--out", "straight")
        arguments = [self.program, "eval", "eval.yaml", "--out", "killed"]
        run = subprocess.Popen(arguments, cwd=self.root, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
        lines = self.root / "killed" / "items.jsonl"
        while run.poll() is None and not (lines.exists() and lines.read_text().count("\n") >= 1):
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.assertFalse((self.root / "killed/result.json").exists(), "killed too late to test it")
        self.gdsd_ok("eval", "eval.yaml", "--out", "killed")
        self.assertEqual(lines.read_text(), (self.root / "straight/items.jsonl").read_text())
        self.assertEqual(self.result("killed")["metrics"], self.result("straight")["metrics"])
        files = [lines, self.root / "killed/result.json"]
        before = [file.stat().st_mtime_ns for file in files]
        self.gdsd_ok("eval", "eval.yaml", "--out", "killed")
        after = [file.stat().st_mtime_ns for file in files]
        self.assertEqual(after, before, "a finished one is left as it is")

    def test_configs_of_training_with_an_adapter_evaluate_what_it_made(self):
        (self.root / "lora.yaml").write_text("""\
model: model
run_dir: lora
steps: 1
lora: {rank: 2}
task: {name: gsm8k, train: more.jsonl, test: gsm8k.jsonl, prompt: bare}
rollout: {prompts: 1, group_size: 2, sampler: {gen_length: 8, block_length: 8, steps: 4}}
eval: {every: 0, problems: 2}
compute: {threads: 1, device: cpu}
""")
        lines = [json.dumps({"question": f"{i} + 1?", "answer": f"#### {i + 1}"}) for i in range(9)]
        (self.root / "more.jsonl").write_text("\n".join(lines) + "\n")
        self.gdsd_ok("train", "lora.yaml")
        self.gdsd_ok("eval", "lora.yaml", "model=lora/latest", "--lengths", "8", "--out", "adapted")
        self.gdsd_ok("eval", "lora.yaml", "lora.rank=0", "lora.from=lora/latest", "--out", "from")
        adapted, given = self.result("adapted/8")["manifest"], self.result("from")["manifest"]
        self.assertIsNotNone(adapted["adapter"])
        self.assertEqual(adapted["adapter"], given["adapter"])

    def test_another_evaluation_in_the_same_folder_is_refused(self):
        self.gdsd_ok("eval", "eval.yaml", "--out", "mine")
        other = ("eval", "eval.yaml", "task.prompt=xml", "--out", "mine")
        self.expect_refused(other, "task.prompt", "math_eval", "xml", "--fresh")
        self.gdsd_ok("eval", "eval.yaml", "batch=3", "--out", "mine")
        self.gdsd_ok(*other, "--fresh")
        self.assertTrue((self.root / "mine.old/result.json").exists())

    def test_lengths_and_the_table(self):
        self.gdsd_ok("eval", "eval.yaml", "--lengths", "16,32", "--out", "lengths")
        self.assertEqual(self.result("lengths/32")["manifest"]["config"]["sampler.steps"], "16")
        done = self.gdsd_ok("results", "lengths/16", "lengths/32", "--json", "table.json")
        header, *rows = done.stdout.splitlines()
        self.assertEqual(len(rows), 2)
        self.assertIn("released %", header)
        self.assertEqual([re.split(r" {2,}", row)[4] for row in rows], ["16", "32"])
        self.assertEqual(len(json.loads((self.root / "table.json").read_text())), 2)
        self.expect_refused(("results", "model"), "not a folder of `gdsd eval --out`")
        self.expect_refused(("eval", "eval.yaml", "--lengths", "16,x"), "16,x")

    def test_samples_give_pass_at_k(self):
        self.gdsd_ok("eval", "eval.yaml", "samples=4", "sampler.temperature=1", "--out", "pass")
        metrics = self.result("pass")["metrics"]
        self.assertIn("eval/pass@2", metrics)
        self.assertIn("eval/pass@4", metrics)
        self.assertEqual(len(self.items("pass")), 12)
        self.expect_refused(("eval", "eval.yaml", "samples=4"), "temperature")

    def test_given_answers_are_judged(self):
        right = ["so <answer>\\boxed{7}</answer>", "\\boxed{1200}", "<answer>\\boxed{-4}</answer>"]
        file = self.root / "answers.jsonl"
        file.write_text("".join(json.dumps({"completion": text}) + "\n" for text in right))
        self.gdsd_ok("eval", "eval.yaml", "--answers", "answers.jsonl", "--out", "given")
        metrics = self.result("given")["metrics"]
        self.assertEqual(metrics["eval/solved"], 1)
        # The released evaluation can never score a negative gold.
        self.assertAlmostEqual(metrics["eval/released"], 2 / 3)
        file.write_text(file.read_text().replace("7", "8"))
        done = self.gdsd_ok("eval", "eval.yaml", "--answers", "answers.jsonl")
        self.assertIn("solved 0.666667", done.stdout)
        file.write_text('{"completion": "7"}\n')
        self.expect_refused(("eval", "eval.yaml", "--answers", "answers.jsonl"), "1 lines, expected 3")
        file.write_text('{"text": "7"}\n')
        self.expect_refused(("eval", "eval.yaml", "--answers", "answers.jsonl"), "answers.jsonl:1")

    def test_reference_solutions_of_code_pass_and_mutated_ones_do_not(self):
        for name, change in (("right", "2 * x"), ("wrong", "3 * x")):
            line = HUMANEVAL | {"canonical_solution": f"    return {change}\n"}
            (self.root / f"{name}_published.jsonl").write_text(json.dumps(line) + "\n")
            self.gdsd_ok("data", "prepare", "code", f"{name}_published.jsonl", "--out", f"{name}.jsonl")
            (self.root / "code.yaml").write_text(
                "model: model\ntask: {name: code, test: FILE}\n".replace("FILE", f"{name}.jsonl"))
            self.gdsd_ok("eval", "code.yaml", "--answers", "reference", "--out", f"code_{name}")
            metrics = self.result(f"code_{name}")["metrics"]
            self.assertEqual(metrics["eval/solved"], name == "right")
            outcome = "passed" if name == "right" else "failed"
            self.assertEqual(metrics[f"eval/outcome/{outcome}"], 1)

    def test_code_is_never_run_without_a_sandbox(self):
        (self.root / "bare_published.jsonl").write_text(json.dumps(HUMANEVAL) + "\n")
        self.gdsd_ok("data", "prepare", "code", "bare_published.jsonl", "--out", "bare.jsonl")
        (self.root / "bare.yaml").write_text("model: model\ntask: {name: code, test: bare.jsonl}\n")
        self.expect_refused(("eval", "bare.yaml", "--answers", "reference",
                             "task.sandbox.bubblewrap=/no/bwrap"), "/no/bwrap")

    def test_training_on_a_task_of_ones_own(self):
        lines = [{"prompt": f"Say {i}.", "answer": str(i), "scored": i % 2 == 0} for i in range(40)]
        (self.root / "own_published.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines))
        self.gdsd_ok("data", "prepare", "custom", "own_published.jsonl", "--out", "own.jsonl")
        (self.root / "reward.py").write_text(REWARD)
        (self.root / "own.yaml").write_text(f"""\
model: model
run_dir: own
steps: 2
task:
  name: custom
  train: own.jsonl
  rewards: external 0.5, exact 2
  external: {{command: {sys.executable} reward.py}}
rollout: {{prompts: 4, group_size: 2, sampler: {{gen_length: 8, block_length: 8, steps: 4}}}}
objective: {{name: gdsd}}
eval: {{every: 2, problems: 2, best: eval/reward}}
compute: {{threads: 1, device: cpu}}
""")
        self.gdsd_ok("train", "own.yaml")
        steps = [json.loads(line) for line in (self.root / "own/metrics.jsonl").read_text().splitlines()]
        self.assertIn("reward/external", steps[1])
        self.assertIn("reward/exact", steps[1])
        self.assertIn("eval/reward/exact", steps[-1])
        self.expect_refused(("train", "own.yaml", "run_dir=b", "eval.best=eval/nonsense"),
                            "eval/nonsense", "eval/solved")
        self.expect_refused(("train", "own.yaml", "run_dir=c", "task.rewards=wrong 1"),
                            "wrong", "external, exact")
        self.expect_refused(("train", "own.yaml", "run_dir=d", "task.rewards=exact x"), "'x'")

    def test_ctrl_c_does_not_reach_programs_that_are_judged(self):
        lines = [HUMANEVAL | {"task_id": f"HumanEval/{i}"} for i in range(60)]
        (self.root / "many_published.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines))
        self.gdsd_ok("data", "prepare", "code", "many_published.jsonl", "--out", "many.jsonl")
        (self.root / "many.yaml").write_text(
            "model: model\ntask: {name: code, test: many.jsonl}\nbatch: 30\n")
        arguments = [self.program, "eval", "many.yaml", "--answers", "reference", "--out", "many"]
        run = subprocess.Popen(arguments, cwd=self.root, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, start_new_session=True)
        while run.poll() is None and not (self.root / "many/manifest.json").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        os.killpg(run.pid, signal.SIGINT)  # as the terminal does
        self.assertIn(run.wait(timeout=60), (0, 130))
        self.gdsd_ok("eval", "many.yaml", "--answers", "reference", "--out", "many")
        self.assertEqual(self.result("many")["metrics"]["eval/solved"], 1)

    def test_what_does_not_fit_or_is_not_there_is_refused(self):
        config = json.loads((self.root / "model/config.json").read_text())
        shutil.copytree(self.root / "model", self.root / "short")
        (self.root / "short/config.json").write_text(json.dumps(config | {"max_sequence_length": 64}))
        self.expect_refused(("eval", "eval.yaml", "model=short"), "published.jsonl:1", "64")
        (self.root / "one.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
        (self.root / "one.yaml").write_text("model: model\ntask: {name: custom, train: one.jsonl}\n")
        self.expect_refused(("eval", "one.yaml"), "nothing is held out")
        self.expect_refused(("data", "show", "eval.yaml", "--model", "none"), "none: no such folder")
        (self.root / "link.jsonl").symlink_to("elsewhere")
        self.expect_refused(("data", "prepare", "gsm8k", "published.jsonl", "--out", "link.jsonl",
                             "--force"), "no regular file")
        (self.root / "others.jsonl").write_text("".join(
            json.dumps({"completion": "1", "source": "elsewhere.jsonl:1"}) + "\n" for _ in GSM8K))
        self.expect_refused(("eval", "eval.yaml", "--answers", "others.jsonl"), "others.jsonl:1",
                            "elsewhere.jsonl:1")

    def test_prompts_are_shown_as_the_model_sees_them(self):
        done = self.gdsd_ok("data", "show", "eval.yaml", "--split", "test", "--n", "1",
                            "--model", "model")
        self.assertIn("Ann has 3 apples and buys 4.", done.stdout)
        self.assertIn("<reasoning>", done.stdout)

    def test_errors_name_file_and_line(self):
        (self.root / "broken.jsonl").write_text('{"question": "a", "answer": "#### 1"}\n{"question"\n')
        self.expect_refused(("data", "prepare", "gsm8k", "broken.jsonl", "--out", "x.jsonl"),
                            "broken.jsonl:2")
        self.assertFalse((self.root / "x.jsonl").exists())
        self.expect_refused(("eval", "eval.yaml", "task.test=none.jsonl"), "none.jsonl")
        self.expect_refused(("eval", "eval.yaml", "problems=9"), "9", "3")
        self.expect_refused(("eval", "eval.yaml", "model=none"), "none")

    def test_configs_of_the_literature_are_read(self):
        configs = sorted((SOURCE / "configs/eval").glob("*.yaml"))
        self.assertEqual(len(configs), 12)
        for config in configs:
            self.expect_refused(("eval", str(config)), "no such file", "[model]")


if __name__ == "__main__":
    ProgramTest.program, MODELS = sys.argv[1], pathlib.Path(sys.argv[2])
    del sys.argv[1:3]
    unittest.main()
