"""The program as a user meets it: whole runs, and one line for everything that can be wrong.

usage: cli_test.py GDSD [unittest's arguments]      GDSD: the program

GDSD_SANITIZED=1 leaves out what limits the address space, which sanitizers reserve.
"""

import html.parser
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from program import ProgramTest

METRICS = (pathlib.Path(__file__).parents[2] / "docs/metrics.md").read_text()

PRETRAIN = """\
run_dir: base
steps: 6
save_every: 3
batch: 4
task: {name: sudoku}
architecture: {d_model: 16, n_layers: 2, n_heads: 2, n_kv_heads: 2, mlp_hidden_size: 24,
               max_sequence_length: 40, rope_theta: 100}
sampler: {gen_length: 20, block_length: 20, steps: 4}
eval: {every: 6, problems: 8}
compute: {threads: 1}
"""
TRAIN = """\
model: base/latest
run_dir: run
steps: 4
save_every: 2
inner_steps: 2
task: {name: sudoku}
rollout:
  prompts: 2
  group_size: 4
  sampler: {gen_length: 20, block_length: 20, steps: 4, temperature: 1.0}
objective: {name: gdsd, psi: 1.0}
eval: {every: 2, problems: 8}
compute: {threads: 1}
"""


class Page(html.parser.HTMLParser):
    """Every tag is closed, in order."""

    VOID = {"meta", "br", "hr", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.faults = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append((tag, self.getpos()))


class CliTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="gdsd_cli_"))
        (cls.root / "pretrain.yaml").write_text(PRETRAIN)
        (cls.root / "train.yaml").write_text(TRAIN)
        cls.gdsd_ok("pretrain", "pretrain.yaml")
        for seed in (1, 2):
            cls.gdsd_ok("train", "train.yaml", f"run_dir=runs/gdsd-{seed}", f"seed={seed}")
        cls.gdsd_ok("train", "train.yaml", "run_dir=runs/espo-1", "objective.name=espo")

    def expect_refused(self, arguments, *parts, **options):
        """Exit code 2 and one line on stderr that has all the parts."""
        with self.subTest(arguments=arguments):
            done = self.gdsd(*arguments, **options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stdout, "")
            lines = done.stderr.splitlines()
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertTrue(lines[0].startswith("gdsd: "), lines[0])
            for part in parts:
                self.assertIn(part, lines[0])

    def write(self, name, text):
        (self.root / name).write_text(text)
        return name

    # What works.

    def test_comparison_is_json_and_a_self_contained_page(self):
        runs = ["runs/gdsd-1", "runs/gdsd-2", "runs/espo-1"]
        done = self.gdsd_ok("compare", *runs, "--json", "out.json", "--html", "out.html",
                            "--note", "<all> & more", "--seconds", "7")
        self.assertEqual(done.stdout.split("\n")[0].split(),
                         "method seeds solved 95 % cell auc seconds".split())
        summary = json.loads((self.root / "out.json").read_text())
        self.assertEqual(set(summary), {"base", "gdsd", "espo", "seconds"})
        for name in ("base", "gdsd", "espo"):
            row = summary[name]
            self.assertLessEqual(row["solved_low"], row["solved"])
            self.assertLessEqual(row["solved"], row["solved_high"])
        self.assertEqual([run["seed"] for run in summary["gdsd"]["seeds"]], [1, 2])
        mean = sum(run["auc"] for run in summary["gdsd"]["seeds"]) / 2
        self.assertAlmostEqual(summary["gdsd"]["auc"], mean)

        text = (self.root / "out.html").read_text()
        page = Page(text)
        self.assertEqual((page.faults, page.open), ([], []))
        self.assertFalse(page.tags & {"script", "link", "img", "iframe"}, page.tags)
        self.assertIsNone(re.search(r"https?:|url\(|@import|\bsrc=|\bhref=", text))
        self.assertIn("&lt;all&gt; &amp; more", text)
        for word in ("<th>auc</th>", "<th>cell</th>", "all runs together in 7.0 s"):
            self.assertIn(word, text)

    STUDY = ["compare", "train.yaml", "steps=2", "--methods", "gdsd,espo_released", "--seeds", "2",
             "--lr", "1e-3,1e-4", "--out", "study"]

    def test_study_runs_what_is_missing(self):
        done = self.gdsd_ok(*self.STUDY)
        self.assertIn("4 of 4 runs to do", done.stderr)  # two methods, two rates
        self.assertIn("2 of 2 runs to do", done.stderr)  # the second seed of each
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()[1:3]],
                         ["gdsd", "espo_released"])
        summary = json.loads((self.root / "study/summary.json").read_text())
        self.assertEqual(set(summary["methods"]), {"gdsd", "espo_released"})
        for row in summary["methods"].values():
            finals = [seed["final"] for seed in row["seeds"]]
            self.assertAlmostEqual(row["final_mean"], sum(finals) / 2)
            self.assertAlmostEqual(row["worst_seed"], min(finals))
            half_range = abs(finals[0] - finals[1]) / 2  # t with one degree of freedom: 12.706
            self.assertAlmostEqual(row["final_ci95"], 12.706 * half_range, places=3)
            self.assertIn(row["lr"], (1e-3, 1e-4))
            self.assertGreater(row["seconds"], 0)
            for figure in row.keys() - {"seeds"}:
                self.assertIn(f"| `{figure}` |", METRICS.split("## `gdsd compare CONFIG`")[1])
        curves = (self.root / "study/curves.csv").read_text().splitlines()
        self.assertEqual(curves[0], "method,lr,seed,step,reward,solved")
        self.assertEqual(len(curves), 1 + 2 * 2 * 3)  # steps 0, 1, 2
        picture = Page((self.root / "study/curves.svg").read_text())
        self.assertEqual((picture.faults, picture.open), ([], []))

        again = self.gdsd_ok(*self.STUDY)
        self.assertEqual((again.stderr, again.stdout), ("", done.stdout))
        shutil.rmtree(self.root / "study/gdsd")
        self.assertIn("2 of 4 runs to do", self.gdsd_ok(*self.STUDY).stderr)

    def test_study_tells_of_runs_that_fail(self):
        (self.root / "broken/wd1/lr-0.001/seed-1").mkdir(parents=True)
        (self.root / "broken/wd1/lr-0.001/seed-1/notes.txt").write_text("mine")
        done = self.gdsd("compare", "train.yaml", "steps=1", "--methods", "gdsd,wd1", "--lr",
                         "1e-3", "--out", "broken")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"wd1, lr 0.001, seed 1: failed: .*holds no run.* See broken/logs/wd1.*log")
        log = self.root / "broken/logs/wd1-lr-0.001-seed-1.log"
        self.assertIn("holds no run", log.read_text())
        rows = [line.split() for line in done.stdout.splitlines()[1:3]]
        self.assertEqual([row[0] for row in rows], ["gdsd", "wd1"])
        self.assertEqual(rows[1], ["wd1", "-", "0", "1"])  # nothing but a failure

    def test_study_takes_the_rate_of_most_reward_and_only_its_own_runs(self):
        study = ["compare", "train.yaml", "steps=4", "eval.every=4", "--methods", "gdsd", "--lr",
                 "3e-4,1e-4,1e-3", "--out", "chosen"]
        self.gdsd_ok(*study)
        late = {}  # the reward of the last quarter, which is one step of four
        for rate in ("0.0001", "0.0003", "0.001"):
            log = (self.root / f"chosen/gdsd/lr-{rate}/seed-1/metrics.jsonl").read_text()
            late[rate] = json.loads(log.splitlines()[-1])["reward"]
        self.assertGreater(len(set(late.values())), 1, "these rates cannot be told apart")
        row = json.loads((self.root / "chosen/summary.json").read_text())["methods"]["gdsd"]
        self.assertEqual(row["lr"], float(max(late, key=late.get)))
        self.assertEqual(row["lr_at_edge"], row["lr"] != 3e-4)

        self.expect_refused([*study, "rollout.prompts=3"], "chosen/gdsd", "rollout.prompts was",
                            "another --out")
        self.expect_refused(["compare", "train.yaml", "steps=2", "eval.every=4", *study[4:]],
                            "steps was '4', now '2'")
        base = self.root / "base"
        weights = next(base.glob("latest/model*.safetensors"))
        kept = weights.read_bytes()
        weights.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        try:
            self.expect_refused(study, "began with another model")
        finally:
            weights.write_bytes(kept)

    def test_study_says_whose_options_the_config_sets(self):
        (self.root / "own.yaml").write_text(TRAIN.replace("psi: 1.0", "psi: 2"))
        done = self.gdsd_ok("compare", "own.yaml", "steps=1", "--methods", "gdsd,espo", "--lr",
                            "1e-3", "--out", "own")
        self.assertIn("of gdsd alone, the others have defaults of their own: objective.psi=2 in "
                      "own.yaml", done.stderr)
        done = self.gdsd_ok("compare", "own.yaml", "steps=1", "objective.psi=2", "--methods",
                            "gdsd,gdsd_tlc", "--lr", "1e-3", "--out", "own2")
        self.assertNotIn("alone", done.stderr)

    def test_study_refuses_what_it_cannot_run(self):
        self.expect_refused(["compare", "train.yaml", "--methods", "gdsd,ppo"], "'ppo'", "gdsd")
        self.expect_refused(["compare", "train.yaml", "--methods", "gdsd,gdsd"], "given twice")
        self.expect_refused(["compare", "train.yaml", "--lr", "1e-3,x"], "--lr", "'x'")
        self.expect_refused(["compare", "train.yaml", "--lr", "1e-3,0.001"], "given twice")
        self.expect_refused(["compare", "train.yaml", "--methods", "gdsd,wd1", "objective.psi=2"],
                            "objective.psi", "It belongs to 'gdsd'")
        self.expect_refused(["compare", "train.yaml", "--html", "page.html"], "--html",
                            "folders of runs")
        self.expect_refused(["compare", "train.yaml", "seed=3"], "seed is what --seeds says")
        self.expect_refused(["compare", "train.yaml", "optimizer.lr=3", "--lr", "1"], "--lr says")
        self.expect_refused(["compare", "pretrain.yaml"], "a config of `gdsd pretrain`")
        self.expect_refused(["compare", "train.yaml", "model=none"], "none")
        self.expect_refused(["compare", "base", "--seeds", "2"], "--seeds", "study of a config")
        self.expect_refused(["compare", "train.yaml", "--seeds", "0"], "--seeds")
        self.expect_refused(["compare", "train.yaml", "eval.every=0"], "eval.every")

    def test_study_interrupted_goes_on(self):
        study = ["compare", "train.yaml", "steps=60", "--methods", "gdsd", "--lr", "1e-3,1e-4",
                 "--jobs", "1", "--out", "stopped"]
        process = subprocess.Popen([self.program, *study], cwd=self.root, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        log = self.root / "stopped/gdsd/lr-0.0001/seed-1/metrics.jsonl"  # the lowest rate first
        for _ in range(600):
            if log.exists() and log.stat().st_size > 0:
                break
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)  # not the group: it has to tell its jobs
        stderr = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, stderr)
        self.assertIn("the same command goes on", stderr)
        self.assertFalse((self.root / "stopped/gdsd/lr-0.001").exists())
        self.gdsd_ok(*study)
        first = (self.root / "stopped/gdsd/lr-0.0001/seed-1/metrics.jsonl").read_text()
        self.assertEqual(len(first.splitlines()), 61)

    def test_comparison_knows_the_base_from_any_folder(self):
        elsewhere = self.root / "elsewhere"
        elsewhere.mkdir()
        self.gdsd_ok("compare", "../runs/gdsd-1", "--html", "page.html", cwd=elsewhere)
        self.assertNotIn("habit", (elsewhere / "page.html").read_text())

    def test_evaluation_prints_one_line(self):
        for model in ("base/latest", "runs/gdsd-1/best"):
            done = self.gdsd_ok("eval", "train.yaml", f"model={model}")
            self.assertRegex(done.stdout, rf"^{model}: 8 problems: solved .* \(95 % .*\n$")

    def test_the_command_after_an_interrupt_goes_on(self):
        run = "runs/it's mine"
        process = subprocess.Popen(
            [self.program, "train", "train.yaml", f"run_dir={run}", "steps=100000"],
            cwd=self.root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        log = self.root / run / "metrics.jsonl"
        deadline = time.time() + 60
        while not (log.exists() and log.read_text().count("\n") > 3) and time.time() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertNotIn("warning", stderr)
        command = stderr.splitlines()[-1]
        self.assertEqual(shlex.split(command)[0], self.program)
        done = log.read_text().count("\n") - 1  # step 0 has a line
        again = subprocess.run(f"{command} steps={done + 2}", shell=True, cwd=self.root, text=True,
                               capture_output=True, timeout=60)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"going on after step {done}", again.stderr)
        steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
        self.assertEqual(steps, list(range(done + 3)))

    def test_long_runs_write_few_lines_to_a_file(self):
        done = self.gdsd_ok("train", "train.yaml", "run_dir=runs/long", "steps=120", "eval.every=40",
                            "save_every=120", "keep_best=0")
        steps = re.findall(r"^(\d+)/120 ", done.stderr, re.M)
        self.assertLess(len(steps), 80)
        for step in ("0", "1", "40", "80", "120"):
            self.assertIn(step, steps)

    def test_a_diagnosis_is_a_table_json_and_a_page(self):
        few = ["prompts=2", "group_size=2", "views=2", "draws=2", "gradient_draws=2",
               "compute.threads=1"]
        self.gdsd_ok("train", "train.yaml", "run_dir=runs/slow", "rollout.sampler.steps=0",
                     "rollout.sampler.block_length=5")
        done = self.gdsd_ok("diagnose", "runs/slow", *few, "--json", "d.json", "--html", "d.html")
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], "^4 rollouts of base/latest .*; new is runs/slow.* exact[.]$")
        self.assertEqual(lines[2].split()[:4], ["method", "K", "corr", "in"])
        found = json.loads((self.root / "d.json").read_text())
        self.assertTrue(found["likelihood_old"]["exact"])
        self.assertEqual(len(found["likelihood_old"]["log_p"]), 4)
        self.assertTrue({"gdsd", "gdsd_released", "espo", "spg", "wd1", "dmpo", "diffu_grpo",
                         "coupled_grpo", "tracerl"} <= set(found["methods"]))
        for name, method in found["methods"].items():
            for share in ("gradient", "loss_weight"):
                self.assertEqual(len(method["shares_at_old"][share]["by_mask_count"]), 8, name)
            self.assertEqual(len(method["curve"]["views"]), len(method["curve"]["score_sd"]))
        text = (self.root / "d.html").read_text()
        page = Page(text)
        self.assertEqual((page.faults, page.open), ([], []))
        self.assertIsNone(re.search(r"https?:|url\(|@import|\bsrc=|\bhref=|nan|inf ", text))
        # A checkpoint, chosen methods, and a sampler whose likelihood is not known.
        checkpoint = "runs/gdsd-1/checkpoints/step-000004"
        done = self.gdsd_ok("diagnose", checkpoint, *few, "methods=wd1,tracerl", "problems=0")
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()[3:5]],
                         ["wd1", "tracerl"])
        self.expect_refused(["diagnose", checkpoint, *few], "rollout.sampler.steps is 4",
                            "problems=0")

        # Rollouts of an earlier checkpoint.
        old = "runs/gdsd-1/checkpoints/step-000002"
        done = self.gdsd_ok("diagnose", checkpoint, *few, "methods=wd1", "problems=0", f"old={old}")
        self.assertIn(f"rollouts of {old} ", done.stdout)

    def test_a_diagnosis_puts_an_adapter_on_the_model_of_its_run(self):
        few = ["prompts=1", "group_size=2", "draws=2", "gradient_draws=0", "compute.threads=1",
               "methods=wd1"]
        self.gdsd_ok("train", "train.yaml", "run_dir=runs/adapted", "lora.rank=2",
                     "rollout.sampler.steps=0", "rollout.sampler.block_length=5")
        def row(run, cwd):
            done = self.gdsd_ok("diagnose", run, *few, cwd=cwd)
            return [line for line in done.stdout.splitlines() if line.startswith("wd1 ")]

        # From elsewhere the base is not where the adapter's own file says.
        elsewhere = self.root / "from_here"
        elsewhere.mkdir()
        self.assertEqual(row("../runs/adapted", elsewhere), row("runs/adapted", self.root))
        self.gdsd_ok("compare", "../runs/adapted", "--html", "adapted.html", cwd=elsewhere)

        file = self.root / "runs/adapted/latest/adapter_config.json"
        file.write_text(file.read_text() + " ")
        self.expect_refused(["diagnose", "runs/adapted", *few], "adapter_config.json", "bytes")

    def test_a_run_whose_model_was_changed_is_refused(self):
        for folder, seed in (("base2", 1), ("other", 2)):
            self.gdsd_ok("pretrain", "pretrain.yaml", f"run_dir={folder}", f"seed={seed}")
        self.gdsd_ok("train", "train.yaml", "run_dir=runs/changed", "model=base2/latest")
        shutil.copy(self.root / "other/latest/model.safetensors",
                    self.root / "base2/latest/model.safetensors")
        said = "are not those that the run began with"
        self.expect_refused(["diagnose", "runs/changed", "problems=0"], "runs/changed", said)
        self.expect_refused(["compare", "runs/changed", "--html", "c.html"], "runs/changed", said)

    def test_wrong_diagnoses(self):
        self.expect_refused(["diagnose"], "CHECKPOINT is required")
        self.expect_refused(["diagnose", "none"], "none: no such folder")
        self.expect_refused(["diagnose", "runs"], "runs: expected the folder of a run")
        self.expect_refused(["diagnose", "base"], "base: this is of a run of `gdsd pretrain`")
        run = ["diagnose", "runs/gdsd-1"]
        self.expect_refused([*run, "draws=1"], "draws: got 1, expected 2")
        self.expect_refused([*run, "likelihood.walk=9"], "'likelihood.walks'?")
        self.expect_refused([*run, "methods=gdsd,grpo"], "got 'grpo', expected all")
        self.expect_refused([*run, "--json", "none/d.json"], "[--json] none: no such folder")
        self.expect_refused([*run, "--html", "none/d.html"], "[--html] none: no such folder")
        self.expect_refused([*run, "problems=0", "old=runs/gdsd-2"], "[old] runs/gdsd-2",
                            "of another run")

    def test_help_and_version(self):
        self.assertRegex(self.gdsd_ok("--version").stdout, r"^gdsd \d+\.\d+\.\d+\n$")
        for arguments in (["--help"], ["help"], ["--help-all"]):
            self.assertIn("pretrain", self.gdsd_ok(*arguments).stdout)
        self.assertIn("objective.psi", self.gdsd_ok("train", "--help").stdout)

    def test_doctor_says_what_it_asked_the_libraries_for(self):
        rows = {}
        for line in self.gdsd_ok("doctor").stdout.splitlines():
            rows[line[:16].strip()] = line[16:]
        self.assertRegex(rows["libtorch"], r"^2\.11\.\d+, CPU kernels \w+")
        self.assertRegex(rows["products"], r"v\d+\.\d+")
        self.assertRegex(rows["patterns"], r"^PCRE2 \d+\.\d+ .*JIT")
        self.assertRegex(rows["Unicode"], r"^utf8proc \d+\.\d+\.\d+, Unicode \d+\.\d+")
        self.assertRegex(rows["JSON"], r"^nlohmann \d+\.\d+\.\d+$")
        self.assertRegex(rows["attention"], "kernels|flash|math|efficient")
        self.assertRegex(rows["GPU kernels"], r"^(none, built without nvcc|.* architectures \d)")
        self.assertRegex(rows["vocabulary head"], r"^tiles of \d{6,} logits, \d")
        flags = pathlib.Path("/proc/cpuinfo").read_text()
        for flag in ("avx2", "avx512f"):
            has = re.search(rf"^flags.*\b{flag}\b", flags, re.M) is not None
            self.assertIn(f"{flag} {'yes' if has else 'no'}", rows["instructions"])

    # What is refused.

    def test_wrong_verbs_and_flags(self):
        verbs = "train, pretrain, compare, eval, results, generate, merge, init, plan, diagnose, data, bench or doctor"
        self.expect_refused([], "got nothing", verbs)
        self.expect_refused(["foo"], "got 'foo'", verbs)
        self.expect_refused(["--foo"], "got '--foo'", verbs)
        self.expect_refused(["train"], "train: CONFIG is required")
        self.expect_refused(["train", "train.yaml", "--fesh"], "train: unknown argument '--fesh'")
        self.expect_refused(["plan", "train.yaml", "--tflops", "0"], "--tflops", "above 0")
        self.expect_refused(["plan", "train.yaml", "--tflops", "nan"], "--tflops", "above 0")
        self.expect_refused(["plan", "train.yaml", "--prompt", "-5"], "--prompt", "1 or more")
        self.expect_refused(["plan", "train.yaml", "--prompt", "100000"], "do not fit the model's")

    def test_wrong_configs(self):
        train = ["train", "train.yaml"]
        self.expect_refused([*train, "objective.pis=1"], "command line: ", "'objective.psi'?")
        self.expect_refused([*train, "objective.epsilon=1"], "'objective.epsilon_low'?")
        self.expect_refused([*train, "steps=many"], "command line: steps: got 'many'")
        self.expect_refused([*train, "objective.psi=2", "objective.name=espo"], "'gdsd'")
        self.expect_refused(
            [*train, "rollout.sampler.block_length=6"], "command line: rollout.sampler.", "6")
        self.expect_refused(["train", "none.yaml"], "none.yaml: no such config file")
        self.expect_refused(["train", "runs/gdsd-1"], "is a folder", "runs/gdsd-1/config.yaml")
        self.expect_refused(["train", ""], "path of the config file is empty")
        self.expect_refused(["train", self.write("empty.yaml", "")], "empty.yaml: ", "is empty")
        self.expect_refused(["train", self.write("loop.yaml", "task: &a\n  name: *a\n")],
                            "loop.yaml:2:3: task.name: aliases")
        self.expect_refused(["train", self.write("typo.yaml", TRAIN + "sed: 1\n")],
                            "typo.yaml:14:6: sed: unknown option. Did you mean 'seed'?")
        self.expect_refused(["train", "pretrain.yaml"], "looks like a config of `gdsd pretrain`")
        self.expect_refused(["pretrain", "train.yaml"], "looks like a config of `gdsd train`")

    def test_wrong_models(self):
        self.expect_refused(["eval", "train.yaml", "model=none"], "none/config.json: no such file")
        self.expect_refused(["eval", "train.yaml", "model=base"], "did you mean base/latest?")
        shutil.copytree(self.root / "base/latest", self.root / "short")
        weights = self.root / "short/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        self.expect_refused(["eval", "train.yaml", "model=short"], "short/model.safetensors")

    def test_wrong_folders(self):
        train = ["train", "train.yaml"]
        self.expect_refused([*train, "run_dir=train.yaml"], "train.yaml: ")
        self.expect_refused([*train, "run_dir=train.yaml/run"], "train.yaml/run: ")
        self.expect_refused([*train, "run_dir=/proc/run"], "/proc/run: ")
        self.expect_refused([*train, "run_dir=" + 300 * "x"], 300 * "x", "too long")
        (self.root / "circle").symlink_to("circle")
        self.expect_refused([*train, "run_dir=circle"], "circle: ")
        self.expect_refused([*train, "run_dir=base"], "base/latest lies in run_dir base")

    def test_wrong_comparisons(self):
        run = "runs/gdsd-1"
        self.expect_refused(["compare", "none"], "none: no such config or folder")
        self.expect_refused(["compare", "runs"], "runs: not the folder of a run")
        self.expect_refused(["compare", "base"], "base: this is a run of `gdsd pretrain`")
        self.expect_refused(["compare", run, "./runs/../" + run], "given twice")
        shutil.copytree(self.root / run, self.root / "copy", symlinks=True)
        self.expect_refused(["compare", run, "copy"], "copy: the same configuration and seed")
        log = self.root / "copy/metrics.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join([*lines[:3], *lines[1:]]))
        self.expect_refused(["compare", "copy"], "copy/metrics.jsonl:4: step 1 after step 2")
        self.gdsd_ok("train", "train.yaml", "run_dir=runs/few", "eval.problems=4")
        self.expect_refused(["compare", run, "runs/few"], "runs/few: ", run, "eval.problems")

    def test_an_adapter_is_trained_resumed_merged_and_asked(self):
        train = ["train", "train.yaml", "run_dir=runs/lora", "lora.rank=2"]
        self.gdsd_ok(*train, "steps=2")
        self.gdsd_ok(*train, "steps=4")
        latest = self.root / "runs/lora/latest"
        self.assertTrue((latest / "adapter_model.safetensors").exists())
        self.assertFalse((latest / "model.safetensors").exists())
        self.gdsd_ok("merge", "runs/lora/latest", "merged")
        self.gdsd_ok("eval", "train.yaml", "model=merged")
        self.gdsd_ok("generate", "model=merged", "prompt=1234", "sampler.gen_length=16",
                     "sampler.block_length=0", "--trace", "trace.jsonl")
        steps = [json.loads(line) for line in (self.root / "trace.jsonl").read_text().splitlines()]
        self.assertEqual(sorted(p for s in steps for p in s["position"]), list(range(16)))
        self.gdsd_ok("init", "--like", "merged", "--out", "random", "--shard-gb", "1e-6")
        self.gdsd_ok("eval", "train.yaml", "model=random")
        self.gdsd_ok("plan", "train.yaml")
        self.expect_refused(["merge", "base/latest", "merged2"], "base/latest/adapter_config.json")
        self.expect_refused(["generate", "model=merged"], "prompt")

    @unittest.skipIf(os.environ.get("GDSD_SANITIZED"), "a sanitizer reserves address space")
    def test_memory_that_is_not_there(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

        self.expect_refused(["pretrain", "pretrain.yaml", "run_dir=large", "architecture.d_model=8192"],
                            "out of memory. Lower rollout.batch", preexec_fn=limit)


if __name__ == "__main__":
    ProgramTest.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
