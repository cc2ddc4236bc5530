"""Folders that the program wrote, opened by the libraries they are written for.

usage: peft_test.py GDSD [unittest's arguments]      GDSD: the program

GDSD_PEFT_PYTHON names a Python that has torch, peft, transformers and safetensors; else it is that
of .venv. Where one of them is missing this says so and exits with 77, which ctest counts as skipped.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

VENV = pathlib.Path(__file__).resolve().parents[2] / ".venv/bin/python"
WANTED = os.environ.get("GDSD_PEFT_PYTHON") or (str(VENV) if VENV.exists() else sys.executable)
if os.path.abspath(sys.executable) != os.path.abspath(WANTED):
    os.execv(WANTED, [WANTED, *sys.argv])
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="gdsd_hf_")
os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import peft
    import safetensors.torch
    import torch
    import transformers
except ImportError as missing:
    print(f"skipped: {missing} for {WANTED}; GDSD_PEFT_PYTHON may name another Python")
    sys.exit(77)

GDSD = ""
PRETRAIN = """\
run_dir: base
steps: 1
save_every: 1
batch: 2
task: {name: sudoku}
sampler: {gen_length: 20, block_length: 20, steps: 4}
eval: {every: 0}
compute: {threads: 1}
"""
TRAIN = """\
model: hf
run_dir: run
steps: 2
save_every: 2
inner_steps: 2
task: {name: sudoku}
lora: {rank: 2}
rollout:
  prompts: 2
  group_size: 4
  sampler: {gen_length: 20, block_length: 20, steps: 4, temperature: 1.0}
eval: {every: 0}
optimizer: {lr: 0.01}
compute: {threads: 1}
"""
ARCHITECTURES = {
    "llada": "{name: llada, d_model: 16, n_layers: 2, n_heads: 2, n_kv_heads: 2, "
             "mlp_hidden_size: 24, max_sequence_length: 40}",
    "dream": "{name: dream, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, "
             "num_key_value_heads: 1, intermediate_size: 24, max_position_embeddings: 40}",
}
# The released code is not ours to copy: classes of the same names, with the same tensors.
CONFIGURATION = """\
from transformers import PretrainedConfig
class {config}(PretrainedConfig):
    model_type = "{model_type}"
"""
MODELING = """\
import torch
from transformers import PreTrainedModel
from .{configuration} import {config}
from .tools import grow
SHAPES = {shapes}
class {model}(PreTrainedModel):
    config_class = {config}
    def __init__(self, config):
        super().__init__(config)
        grow(self, SHAPES)
    def _init_weights(self, module):
        pass
"""
TOOLS = """\
import torch
def grow(root, shapes):
    for name, shape in shapes.items():
        *path, leaf, kind = name.split(".")
        at = root
        for part in path:
            if not hasattr(at, part):
                at.add_module(part, torch.nn.Module())
            at = getattr(at, part)
        if kind == "bias":
            continue
        if len(shape) == 1:
            at.add_module(leaf, torch.nn.Module())
            getattr(at, leaf).weight = torch.nn.Parameter(torch.ones(shape))
        elif leaf in ("wte", "embed_tokens"):
            at.add_module(leaf, torch.nn.Embedding(*shape))
        else:
            bias = ".".join([*path, leaf, "bias"]) in shapes
            at.add_module(leaf, torch.nn.Linear(shape[1], shape[0], bias=bias))
"""


def read(file):
    return safetensors.torch.load_file(str(file))


class PeftTest(unittest.TestCase):
    """With `family`, of the tests below."""

    family = ""

    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="gdsd_peft_"))
        (cls.root / "pretrain.yaml").write_text(
            PRETRAIN + f"architecture: {ARCHITECTURES[cls.family]}\n")
        (cls.root / "train.yaml").write_text(TRAIN)
        cls.gdsd("pretrain", "pretrain.yaml")
        hf = cls.root / "hf"
        shutil.copytree(cls.root / "base/latest", hf)
        cls.weights = read(hf / "model.safetensors")
        cls.shapes = {name: list(tensor.shape) for name, tensor in cls.weights.items()}
        config = json.loads((hf / "config.json").read_text())
        configuration, config_class = config["auto_map"]["AutoConfig"].split(".")
        modeling, model_class = config["auto_map"]["AutoModel"].split(".")
        names = {"config": config_class, "configuration": configuration, "model": model_class,
                 "model_type": config["model_type"], "shapes": cls.shapes}
        (hf / f"{configuration}.py").write_text(CONFIGURATION.format(**names))
        (hf / f"{modeling}.py").write_text(MODELING.format(**names))
        (hf / "tools.py").write_text(TOOLS)
        cls.gdsd("train", "train.yaml")
        cls.gdsd("merge", "run/latest", "merged")
        cls.gdsd("init", "--like", "hf", "--out", "random", "--shard-gb", "1e-5")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    @classmethod
    def gdsd(cls, *arguments):
        done = subprocess.run([GDSD, *arguments], capture_output=True, text=True, cwd=cls.root,
                              timeout=120)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr}"

    def base(self):
        """A module of the names of the released class, with the base's weights."""
        scope = {}
        exec(TOOLS, scope)
        module = torch.nn.Module()
        scope["grow"](module, self.shapes)
        module.prepare_inputs_for_generation = lambda *_, **__: {}
        module.load_state_dict(self.weights)
        return module

    def test_peft_opens_an_adapter_and_merges_it_to_the_same_weights(self):
        saved = read(self.root / "run/latest/adapter_model.safetensors")
        model = peft.PeftModel.from_pretrained(self.base(), str(self.root / "run/latest"))
        opened = peft.get_peft_model_state_dict(model)
        self.assertEqual(set(opened), set(saved))
        for name, tensor in saved.items():
            self.assertTrue(torch.equal(opened[name], tensor), name)
        merged = model.merge_and_unload().state_dict()
        ours = read(self.root / "merged/model.safetensors")
        self.assertEqual(set(merged), set(ours))
        changed = 0
        for name, tensor in ours.items():
            self.assertLessEqual((merged[name] - tensor).abs().max().item(), 1e-6, name)
            changed += not torch.equal(tensor, self.weights[name])
        self.assertEqual(changed, 14)

    def test_transformers_opens_model_folders(self):
        for folder, dtype in (("merged", torch.float32), ("random", torch.bfloat16)):
            with self.subTest(folder=folder):
                model, info = transformers.AutoModel.from_pretrained(
                    str(self.root / folder), trust_remote_code=True, torch_dtype="auto",
                    output_loading_info=True)
                self.assertEqual((info["missing_keys"], info["unexpected_keys"],
                                  info["mismatched_keys"]), ([], [], []))
                files = {}
                for file in (self.root / folder).glob("*.safetensors"):
                    files.update(read(file))
                for name, tensor in model.state_dict().items():
                    self.assertEqual(tensor.dtype, dtype, name)
                    self.assertTrue(torch.equal(tensor, files[name]), name)

    def test_transformers_reads_the_generation_config(self):
        read_back = transformers.GenerationConfig.from_pretrained(str(self.root / "merged"))
        config = json.loads((self.root / "hf/config.json").read_text())
        self.assertEqual(read_back.eos_token_id, config["eos_token_id"])


class Llada(PeftTest):
    family = "llada"


class Dream(PeftTest):
    family = "dream"


def load_tests(loader, _, __):
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Llada, Dream))


if __name__ == "__main__":
    GDSD = str(pathlib.Path(sys.argv.pop(1)).resolve())
    try:
        unittest.main(verbosity=2)
    finally:
        shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)
