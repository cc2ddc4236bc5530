#!/usr/bin/env python3
"""Writes configs/paper/ and configs/eval/: the rows of the GDSD paper's table (arXiv:2605.29398) by
every method of it, from the recipes that the methods' authors released, and the evaluations.

usage: paper_configs.py [--check]     --check: change nothing, fail if a file is not as it should be
"""

import pathlib
import sys

MODELS = {"llada": "LLaDA-8B-Instruct", "dream": "Dream-v0-Instruct-7B"}
METHODS = {
    "gdsd": "GDSD",
    "gdsd_tlc": "GDSD-TLC",
    "espo": "ESPO",
    "spg": "SPG",
    "wd1": "wd1",
    "dmpo": "DMPO",
    "diffu_grpo": "diffu-GRPO",
}
TASKS = {
    "sudoku": "Sudoku 4×4",
    "countdown": "Countdown",
    "gsm8k": "GSM8K",
    "math": "MATH-500",
    "code": "HumanEval and MBPP",
}

# Test accuracy in per cent, read from the bar charts of the paper's page (±0.2).
PUBLISHED = {
    "llada": {
        "sudoku": dict(diffu_grpo=26.7, wd1=76.4, dmpo=32.8, spg=88.2, espo=92.7, gdsd=89.8, gdsd_tlc=92.0),
        "countdown": dict(diffu_grpo=37.1, wd1=51.2, dmpo=82.8, spg=70.7, espo=82.0, gdsd=84.0, gdsd_tlc=85.6),
        "gsm8k": dict(diffu_grpo=81.2, wd1=82.3, dmpo=85.2, spg=85.1, espo=83.0, gdsd=86.4, gdsd_tlc=85.6),
        "math": dict(diffu_grpo=41.7, wd1=39.8, dmpo=42.8, spg=41.8, espo=43.4, gdsd=44.6, gdsd_tlc=44.0),
    },
    "dream": {
        "sudoku": dict(diffu_grpo=69.7, wd1=39.2, espo=72.3, gdsd=82.3, gdsd_tlc=91.7),
        "countdown": dict(diffu_grpo=37.5, wd1=42.2, espo=68.8, gdsd=70.3, gdsd_tlc=84.8),
    },
}

# Of GDSD and GDSD-TLC on sudoku, Countdown and code no recipe for several GPUs is released: they take
# ESPO's, from whose code theirs descends.
# What a method trains with whatever the task: prompts × group_size rollouts a step over all GPUs.
RECIPES = {
    "gdsd": dict(prompts=16, group_size=6, inner_steps=8, views=2, lr="3e-6", decay=0.01, beta="1e-3", temperature=1.0),
    "espo": dict(prompts=16, group_size=6, inner_steps=8, views=2, lr="3e-6", decay=0.01, beta="1e-3", temperature=1.0),
    "spg": dict(prompts=16, group_size=6, inner_steps=4, views=2, lr="3e-6", decay=0.1, temperature=0.9),
    "wd1": dict(prompts=8, group_size=6, inner_steps=12, views=1, lr="3e-6", decay=0.1, temperature=0.9),
    "dmpo": dict(prompts=8, group_size=16, inner_steps=8, lr="1e-6", decay=0.1, temperature=0.2),
    "diffu_grpo": dict(prompts=16, group_size=6, inner_steps=12, views=1, lr="3e-6", decay=0.1, beta="0.04", temperature=0.9),
}
RECIPES["gdsd_tlc"] = RECIPES["gdsd"]
# Where the released recipe of a task differs.
CHANGES = {
    ("gdsd", "gsm8k"): dict(prompts=20, group_size=16, psi=10, steps=256),
    ("gdsd", "math"): dict(group_size=16, psi=10, lr="1e-5", beta="1e-4", steps=256),
    ("gdsd", "code"): dict(steps=256),
    ("espo", "gsm8k"): dict(steps=256),
    ("espo", "math"): dict(group_size=16, steps=256),
    ("espo", "countdown"): dict(beta="3e-3", epsilon_low=0, epsilon_high=0),
    ("espo", "sudoku"): dict(beta="1e-2"),
    ("espo", "code"): dict(group_size=10, lr="1e-6", decay=0.1, beta="1e-2", steps=256),
    ("spg", "sudoku"): dict(gamma=1.0, temperature=0.3),
    ("wd1", "sudoku"): dict(inner_steps=8),
}
for at in [key for key in CHANGES if key[0] == "gdsd"]:
    CHANGES["gdsd_tlc", at[1]] = CHANGES[at]

# Training problems: as many draws as an epoch has (of nine tenths, the rest is held out; the released
# runs of diffu-GRPO and SPG take up to ten epochs). Others: 1000 steps.
PROBLEMS = {"gsm8k": 7473, "math": 12000}

XML = "xmlcount_released, soft_format_released, strict_format_released, int_released, correctness_xml_released"
BOXED = ("espo",)  # of GSM8K and MATH, those trained with \boxed prompts


def task_section(task, method):
    """The section `task`. It has no test file: the best checkpoint must not be chosen by one."""
    own = method.startswith("gdsd")
    if task == "sudoku":
        prompt = "gdsd" if own else "espo" if method == "espo" else "d1"
        return {"prompt": prompt, "rewards": "sudoku_released"}
    if task == "countdown":
        return {
            "train": "data/countdown_train.jsonl",
            "prompt": "gdsd" if own else "d1",
            "rewards": "countdown_released",
        }
    files = {"train": f"data/{task}_train.jsonl"}
    if task == "gsm8k":
        boxed = method in BOXED
        return files | {"prompt": "boxed" if boxed else "xml", "rewards": "gsm8k_boxed_released" if boxed else XML}
    if task == "math":
        if method in BOXED:
            return files | {"prompt": "boxed", "rewards": "math_boxed_released 0.5"}  # ESPO's is 1
        return files | {"prompt": "xml" if own else "d1", "rewards": "math_xml_released, math_format_released"}
    return files | {"prompt": "gdsd", "rewards": "code_format_released, code_released"}


def sampler(model, temperature, steps):
    """Dream denoises the whole completion by entropy; LLaDA blocks of 32 by confidence."""
    lines = {"gen_length": 256, "block_length": 32 if model == "llada" else 0, "steps": steps, "temperature": temperature}
    if model == "dream":
        lines |= {"top_p": 0.95 if temperature > 0 else 1.0, "remasking": "entropy", "confidence_of": "proposal", "schedule": "timesteps"}
    return lines


def aim(model, task, method):
    number = PUBLISHED[model].get(task, {}).get(method)
    if number is not None:
        return f"# Aims at {number} % on {TASKS[task]}, the paper's figure for {METHODS[method]}."
    if task == "code":
        return "# Aims at HumanEval and MBPP, whose figures could not be read from the paper's page."
    return f"# {METHODS[method]} with this model has no figure for {TASKS[task]} in the paper's table."


def inline(pairs):
    return "{" + ", ".join(f"{k}: {v}" for k, v in pairs.items()) + "}"


def block(name, pairs):
    return [f"{name}:"] + [f"  {k}: {v}" for k, v in pairs.items()]


def training(model, task, method):
    r = RECIPES[method] | CHANGES.get((method, task), {})
    full = method == "espo" and task == "code"  # the one recipe that trains all weights
    objective = {"name": f"{method}_released"}
    for key in ("psi", "beta", "gamma", "epsilon_low", "epsilon_high"):
        if key in r:
            objective[key] = r[key]
    if "views" in r and method != "dmpo":
        objective["masking"] = inline({"views": r["views"]})
    lines = [
        f"# {METHODS[method]} on {TASKS[task]} with {MODELS[model]} (arXiv:2605.29398).",
        aim(model, task, method),
        "# Written by scripts/paper_configs.py; docs/tasks.md says how to prepare data/.",
        f"model: {MODELS[model]}",
        f"run_dir: runs/paper/{model}_{task}_{method}",
        "seed: 42",
        f"steps: {-(-PROBLEMS[task] // r['prompts']) if task in PROBLEMS else 1000}",
        "save_every: 50",
    ]
    if not full:
        lines.append("lora: {rank: 128, alpha: 64, targets: released}")
    lines += block("task", {"name": task} | task_section(task, method))
    lines += block(
        "rollout",
        {
            "prompts": r["prompts"],
            "group_size": r["group_size"],
            "batch": 12,
            "sampler": inline(sampler(model, r["temperature"], r.get("steps", 128))),
        },
    )
    lines += [f"inner_steps: {r['inner_steps']}", "micro_batch: 1"]
    lines += block("objective", objective)
    optimizer = {"lr": r["lr"], "final_lr": 1.0, "warmup": 10, "weight_decay": r["decay"], "max_grad_norm": 0.8 if full else 0.2}
    lines += block("optimizer", optimizer)
    lines += ["eval: {every: 50, problems: 128, batch: 16}", "compute: {activation_checkpointing: true}"]
    return "\n".join(lines) + "\n"


EVALUATIONS = {
    "sudoku": {"test": "data/sudoku_test.jsonl", "order": "released", "prompt": "eval"},
    "countdown": {"test": "data/countdown_test.jsonl", "order": "released", "prompt": "eval"},
    "gsm8k": {"test": "data/gsm8k_test.jsonl", "prompt": "math_eval"},
    "math": {"test": "data/math_test.jsonl", "prompt": "math_eval"},
    "humaneval": {"test": "data/humaneval.jsonl", "prompt": "gdsd"},
    "mbpp": {"test": "data/mbpp.jsonl", "prompt": "gdsd"},
}


EVALUATED = {
    "sudoku": "Sudoku as GDSD and the d1 family evaluate it, 256 of the 500 puzzles",
    "countdown": "Countdown as GDSD and the d1 family evaluate it",
    "gsm8k": "GSM8K as GDSD and the d1 family evaluate it",
    "math": "MATH-500 as GDSD and the d1 family evaluate it",
    "humaneval": "HumanEval with GDSD's training prompt (its paper goes through lm-eval, without a chat template)",
    "mbpp": "MBPP, all of the sanitized file, with GDSD's training prompt (its paper goes through lm-eval)",
}


def evaluation(model, task):
    name = "code" if task in ("humaneval", "mbpp") else task
    lines = [
        f"# {EVALUATED[task]}: zero-shot, in the chat template, greedy, half as many steps as tokens.",
        "# `gdsd eval THIS --lengths 128,256,512 --out FOLDER` asks with each of its three lengths.",
        "# Written by scripts/paper_configs.py; docs/tasks.md says how to prepare data/.",
        f"model: {MODELS[model]}",
    ]
    lines += block("task", {"name": name} | EVALUATIONS[task])
    lines += block("sampler", sampler(model, 0.0, 128))
    lines.append("batch: 8")
    return "\n".join(lines) + "\n"


def everything():
    for model in MODELS:
        for task in TASKS:
            for method in METHODS:
                yield f"configs/paper/{model}_{task}_{method}.yaml", training(model, task, method)
        for task in EVALUATIONS:
            yield f"configs/eval/{model}_{task}.yaml", evaluation(model, task)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    files = dict(everything())
    wrong = [p for p, text in files.items() if not (root / p).exists() or (root / p).read_text() != text]
    there = {str(p.relative_to(root)) for f in ("paper", "eval") for p in (root / "configs" / f).glob("*.yaml")}
    wrong += sorted(there - set(files))
    if sys.argv[1:] == ["--check"]:
        for path in wrong:
            print(f"{path}: not as scripts/paper_configs.py writes it")
        if not wrong:
            print(f"paper configs ok ({len(files)} files)")
        return 1 if wrong else 0
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
