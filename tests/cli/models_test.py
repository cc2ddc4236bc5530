"""The verbs that are about models, on small checkpoints of LLaDA's and Dream's format.

usage: models_test.py GDSD CHECKPOINTS [unittest's arguments]      CHECKPOINTS: tests/golden/models
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

GDSD = CHECKPOINTS = None
SHORT = ["sampler.gen_length=8", "sampler.block_length=8", "sampler.steps=4"]

TRAIN = """\
run_dir: run
model: MODEL
steps: 2
save_every: 1
inner_steps: 1
task: {name: sudoku}
rollout:
  prompts: 1
  group_size: 2
  sampler: {gen_length: 8, block_length: 8, steps: 2, temperature: 1.0}
eval: {every: 0}
compute: {threads: 1}
"""


class ModelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="gdsd_models_"))
        for name in ("llada", "dream"):
            shutil.copytree(CHECKPOINTS / f"{name}_tiny" / "checkpoint", cls.root / name)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def gdsd(self, *arguments, **options):
        return subprocess.run([GDSD, *arguments], capture_output=True, text=True,
                              **{"cwd": self.root, "timeout": 200, **options})

    def ok(self, *arguments, **options):
        done = self.gdsd(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stderr}")
        return done

    def refused(self, *arguments):
        done = self.gdsd(*arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def write(self, name, text):
        (self.root / name).write_text(text)
        return name

    def lines(self, name):
        return [json.loads(line) for line in (self.root / name).read_text().splitlines()]

    # generate

    def test_lines_in_and_out_do_not_depend_on_the_batch(self):
        asked = [{"prompt": "one", "id": 7}, {"prompt": "a longer one than the first"},
                 {"prompt": "x" * 60}]
        self.write("asked.jsonl", "".join(json.dumps(line) + "\n" for line in asked))
        for model in ("llada", "dream"):
            answers = []
            for batch in (1, 3):
                self.ok("generate", f"model={model}", "chat=off", "input=asked.jsonl",
                        "output=out.jsonl", f"batch={batch}", "sampler.temperature=1", *SHORT)
                answers.append(self.lines("out.jsonl"))
            self.assertEqual(answers[0], answers[1])
            self.assertEqual([line["prompt"] for line in answers[0]],
                             [line["prompt"] for line in asked])
            self.assertEqual(answers[0][0]["id"], 7)
            self.assertTrue(all(len(line["tokens"]) == 8 for line in answers[0]))
            self.assertFalse((self.root / "out.jsonl.part").exists())

    def test_a_seed_decides(self):
        def tokens(seed):
            self.write("one.jsonl", '{"prompt": "hello"}\n')
            return self.ok("generate", "model=llada", "chat=off", "input=one.jsonl", f"seed={seed}",
                           "sampler.temperature=1", *SHORT).stdout
        self.assertEqual(tokens(1), tokens(1))
        self.assertNotEqual(tokens(1), tokens(2))

    def test_a_chat_is_put_into_the_template(self):
        chat = {"messages": [{"role": "user", "content": "Hi"}]}
        self.write("chat.jsonl", json.dumps(chat) + "\n")
        self.write("plain.jsonl", '{"prompt": "Hi"}\n')
        for model in ("llada", "dream"):
            run = ["generate", f"model={model}", *SHORT]
            as_chat = json.loads(self.ok(*run, "input=chat.jsonl").stdout)["tokens"]
            by_default = json.loads(self.ok(*run, "input=plain.jsonl").stdout)["tokens"]
            told = json.loads(self.ok(*run, "input=plain.jsonl", "system=Be brief").stdout)["tokens"]
            plain = json.loads(self.ok(*run, "input=plain.jsonl", "chat=off").stdout)["tokens"]
            self.assertEqual(as_chat, by_default)
            self.assertNotEqual(as_chat, told)
            self.assertNotEqual(as_chat, plain)

    def test_a_base_that_lacks_the_tokens_is_not_chatted_with(self):
        shutil.copytree(self.root / "llada", self.root / "llada_base")
        def lacks(text):
            return "header_id" in text or "eot_id" in text

        file = self.root / "llada_base" / "tokenizer.json"
        spelled = json.loads(file.read_text())
        spelled["added_tokens"] = [t for t in spelled["added_tokens"] if not lacks(t["content"])]
        file.write_text(json.dumps(spelled))
        file = self.root / "llada_base" / "tokenizer_config.json"
        config = json.loads(file.read_text())
        config["added_tokens_decoder"] = {i: t for i, t in config["added_tokens_decoder"].items()
                                          if not lacks(t["content"])}
        file.write_text(json.dumps(config))
        self.write("plain.jsonl", '{"prompt": "Hi"}\n')
        self.write("chat.jsonl", '{"prompt": "Hi"}\n{"messages": [{"role": "user", "content": "a"}]}\n')
        run = ["generate", "model=llada_base", *SHORT]
        plain = [self.ok(*run, "input=plain.jsonl", *chat).stdout for chat in ([], ["chat=off"])]
        self.assertEqual(plain[0], plain[1])
        self.assertIn("not the tokens in it", self.refused(*run, "input=plain.jsonl", "chat=on"))
        self.assertIn("chat.jsonl:2: [chat]", self.refused(*run, "input=chat.jsonl"))
        self.assertIn("chat.jsonl:2: `messages` need", self.refused(*run, "input=chat.jsonl", "chat=off"))

    def test_nothing_is_lost_by_a_refusal(self):
        self.write("kept.jsonl", "kept\n")
        self.write("bad.jsonl", '{"prompt": "fine"}\n{"prompt": "' + "word " * 400 + '"}\n')
        run = ["generate", "model=llada", "chat=off", "output=kept.jsonl", "--trace", "kept.jsonl"]
        self.assertIn("bad.jsonl:2: a prompt of", self.refused(*run, "input=bad.jsonl", *SHORT))
        self.assertIn("output: is the input", self.refused(*run, "input=kept.jsonl"))
        self.write("deep.jsonl", '{"prompt": "a", "x": ' + "[" * 100000 + "]" * 100000 + "}\n")
        self.assertIn("deep.jsonl:1: nested deeper", self.refused(*run, "input=deep.jsonl"))
        self.assertEqual((self.root / "kept.jsonl").read_text(), "kept\n")

    def test_show_draws_and_trace_tells_the_order(self):
        done = self.ok("generate", "model=llada", "prompt=Hi", "--show", "--trace", "t.jsonl", *SHORT)
        self.assertIn("\n", done.stderr)
        steps = self.lines("t.jsonl")
        self.assertEqual(sorted(p for s in steps for p in s["position"]), list(range(8)))

    # adapters

    def train_adapter(self, name, base):
        self.write("train.yaml", TRAIN.replace("MODEL", base))
        self.ok("train", "train.yaml", f"run_dir={name}", "lora.rank=2")

    def test_an_adapter_goes_on_when_its_first_base_is_gone(self):
        shutil.copytree(self.root / "llada", self.root / "moved")
        self.train_adapter("first", "moved")
        shutil.rmtree(self.root / "moved")
        run = ["train", "train.yaml", "run_dir=second", "model=llada", "lora.from=first/latest"]
        self.ok(*run)
        self.ok(*run, "steps=3")  # from the checkpoint
        config = json.loads((self.root / "second/latest/adapter_config.json").read_text())
        self.assertEqual(config["base_model_name_or_path"], str(self.root / "llada"))
        self.ok("generate", "model=second/latest", "prompt=Hi", *SHORT, cwd=self.root)
        self.ok("generate", "model=" + str(self.root / "second/latest"), "prompt=Hi", *SHORT, cwd="/")

    def test_an_adapter_without_tokenizer_takes_that_of_its_base(self):
        self.train_adapter("alone", "llada")
        bare = self.root / "bare"
        bare.mkdir()
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copy(self.root / "alone/latest" / file, bare)
        whole = self.ok("generate", "model=alone/latest", "prompt=Hi", *SHORT).stdout
        self.assertEqual(self.ok("generate", "model=bare", "prompt=Hi", *SHORT).stdout, whole)
        planned = self.ok("plan", "train.yaml", "model=bare").stdout
        self.assertIn("adapter", planned)
        self.assertNotIn("reference", planned.split("memory on top")[0])

    def test_dropout_and_broken_ranks_are_refused_in_training(self):
        self.train_adapter("source", "llada")
        broken = self.root / "broken_adapter"
        shutil.copytree((self.root / "source/latest").resolve(), broken)
        config = json.loads((broken / "adapter_config.json").read_text())
        run = ["train", "train.yaml", "run_dir=never", "lora.from=broken_adapter"]
        for key, value, part in (("lora_dropout", 0.05, "lora_dropout is 0.05"),
                                 ("r", 2.5, "expected an integer")):
            (broken / "adapter_config.json").write_text(json.dumps({**config, key: value}))
            self.assertIn(part, self.refused(*run))
        self.assertFalse((self.root / "never").exists())

    # folders

    def test_what_came_with_a_model_is_kept(self):
        source = self.root / "with_code"
        shutil.copytree(self.root / "llada", source)
        for file in ("configuration_llada.py", "modeling_llada.py"):
            (source / file).write_text(f"# {file}\n")
        (source / "generation_config.json").write_text('{"temperature": 0.5}\n')
        self.train_adapter("coded", "with_code")
        self.ok("merge", "coded/latest", "coded_merged")
        self.ok("init", "--like", "with_code", "--out", "coded_init", "--dtype", "float32")
        for folder in ("coded_merged", "coded_init"):
            for file in ("configuration_llada.py", "modeling_llada.py", "generation_config.json"):
                self.assertEqual((self.root / folder / file).read_bytes(), (source / file).read_bytes())

    def test_merging_keeps_every_tensor_s_own_type(self):
        self.ok("init", "--like", "dream", "--out", "narrow", "--dtype", "bfloat16")
        self.assertEqual(json.loads((self.root / "narrow/config.json").read_text())["torch_dtype"],
                         "bfloat16")
        self.train_adapter("of_narrow", "narrow")
        done = self.ok("merge", "of_narrow/latest", "narrow_merged")
        self.assertIn("rounding to bfloat16", done.stdout)
        header = (self.root / "narrow_merged/model.safetensors").read_bytes()[8:]
        entries = json.JSONDecoder().raw_decode(header.decode("latin-1"))[0]
        self.assertEqual({e["dtype"] for n, e in entries.items() if n != "__metadata__"}, {"BF16"})

    @unittest.skipIf(os.environ.get("GDSD_SANITIZED"), "a sanitizer has memory of its own")
    def test_a_model_is_held_once(self):
        config = json.loads((self.root / "llada/config.json").read_text())
        config.update(d_model=1024, n_heads=8, n_kv_heads=8, mlp_hidden_size=4096, n_layers=8)
        self.write("wide.json", json.dumps(config))
        self.ok("init", "--like", "wide.json", "--out", "wide", "--dtype", "float32")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(self.root / "llada" / file, self.root / "wide")

        def peak(model):
            run = [GDSD, "generate", f"model={model}", "prompt=Hi", "compute.precision=float32", *SHORT]
            child = subprocess.Popen(run, cwd=self.root, stdout=subprocess.DEVNULL)
            status, usage = os.wait4(child.pid, 0)[1:]
            child.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(child.returncode, 0)
            return usage.ru_maxrss * 1024

        size = sum(f.stat().st_size for f in (self.root / "wide").glob("*.safetensors"))
        self.assertGreater(size, 400e6)
        self.assertLess(peak("wide") - peak("llada"), 1.25 * size)


if __name__ == "__main__":
    GDSD, CHECKPOINTS = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
    unittest.main(verbosity=2)
