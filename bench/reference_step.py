#!/usr/bin/env python3
"""The baseline of a whole step: prompts, rollouts, rewards, old and reference scores, inner updates.

What the released trainers do in eager PyTorch, with reference.py's model, sampler, masks, scores and loss, on 4x4
sudoku and all weights: float32 AdamW (masters of a bfloat16 model), a frozen copy as the reference, gradients clipped.
Beyond reference.py's favours to the baseline: all rollouts in one batch, prompts encoded beforehand, no schedule of the
learning rate, and the old scores of a step's first update from its own forward pass, which the trainers do not save.

  reference_step.py --model DIR --puzzles FILE.jsonl --json OUT                time whole steps
  reference_step.py --model DIR --puzzles FILE.jsonl --complete OUT            greedy completions of all puzzles
"""
from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import torch
from reference import DTYPES, LLaDA, draw_mask, gdsd_loss, generate, load_model, sequence_score
from torch import Tensor


class Task:
    """Puzzles with one solution, a character a token."""

    def __init__(self, puzzles: Path, folder: Path) -> None:
        lines = [json.loads(line) for line in puzzles.read_text().splitlines()]
        self.puzzles = [(line["puzzle"], line["solution"]) for line in lines]
        self.ids = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        self.end = json.loads((folder / "config.json").read_text())["eos_token_id"]
        self.text = {i: token if len(token) == 1 else "" for token, i in self.ids.items()}

    def prompts(self, first: int, count: int) -> Tensor:
        return torch.tensor([[self.ids[c] for c in self.puzzles[(first + i) % len(self.puzzles)][0]] for i in range(count)])

    def decode(self, completion: list[int]) -> str:
        """To the first end token; other special tokens are no text."""
        until = completion.index(self.end) if self.end in completion else len(completion)
        return "".join(self.text[i] for i in completion[:until])

    def reward(self, problem: int, completion: list[int]) -> float:
        """The part of the blanks that are right."""
        puzzle, solution = self.puzzles[problem % len(self.puzzles)]
        text, blanks = self.decode(completion), [i for i, c in enumerate(puzzle) if c == "0"]
        return sum(text[i:i + 1] == solution[i] for i in blanks) / len(blanks)


class Trainer:
    def __init__(self, a: argparse.Namespace) -> None:
        self.a, self.task, self.model = a, Task(a.puzzles, a.model), load_model(a)
        self.frozen = copy.deepcopy(self.model).requires_grad_(False)
        # parameters below float32 have float32 masters, as in DeepSpeed's bf16 optimiser
        self.pairs = [(p, p if p.dtype == torch.float32 else p.detach().float()) for p in self.model.parameters()]
        self.optimizer = torch.optim.AdamW([m for _, m in self.pairs], a.lr, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
        self.token_forwards = self.updates = 0
        for net in (self.model, self.frozen):
            net.register_forward_pre_hook(self.count)

    def count(self, _: LLaDA, inputs: tuple[Tensor]) -> None:
        self.token_forwards += inputs[0].numel()

    def advantages(self, rewards: Tensor) -> Tensor:
        """A reward less the mean of the group's others: [prompts * group]."""
        others = (rewards.sum(dim=1, keepdim=True) - rewards) / (self.a.group - 1)
        return (rewards - others).flatten()

    def update(self, loss: Tensor) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p, _ in self.pairs], self.a.max_grad_norm)
        for p, master in self.pairs:
            master.grad = p.grad.to(torch.float32)
        self.optimizer.step()
        for p, master in self.pairs:
            if p is not master:
                p.data.copy_(master)
            p.grad = None
        self.updates += 1

    def step(self, n: int) -> dict[str, float]:
        """Seconds of each phase."""
        a, times = self.a, [time.perf_counter()]
        prompts = self.task.prompts(n * a.prompts, a.prompts).repeat_interleave(a.group, dim=0)
        ids = generate(self.model, prompts, a)
        times.append(time.perf_counter())
        completions = ids[:, -a.gen:].tolist()
        rewards = [self.task.reward(n * a.prompts + row // a.group, c) for row, c in enumerate(completions)]
        advantage = self.advantages(torch.tensor(rewards).view(a.prompts, a.group))
        times.append(time.perf_counter())
        masks = [draw_mask(len(ids), a.gen, a.mc, n * a.inner + i, a.device) for i in range(a.inner)]
        with torch.no_grad():
            old = [None] + [sequence_score(self.model, ids, mask) for mask in masks[1:]]
            ref = [sequence_score(self.frozen, ids, mask) for mask in masks]
        times.append(time.perf_counter())
        for mask, before, base in zip(masks, old, ref):
            now = sequence_score(self.model, ids, mask)
            self.update(gdsd_loss(now, now.detach() if before is None else before, base, advantage, a))
        times.append(time.perf_counter())
        phases = ("act", "reward", "look_back", "learn")
        return dict(zip(phases, (end - begin for begin, end in zip(times, times[1:])))) | {"seconds": times[-1] - times[0]}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("model", "puzzles"):
        p.add_argument(f"--{flag}", type=Path, required=True)
    for flag in ("json", "complete"):
        p.add_argument(f"--{flag}", type=Path)
    for flag, default in {"prompts": 8, "group": 8, "gen": 16, "steps": 16, "block": 16, "mc": 1, "inner": 4, "count": 6,
                          "threads": 0, "seed": 0, "temperature": 1.0, "lr": 3e-4, "epsilon": 0.02, "psi": 1.0,
                          "beta": 1e-3, "max-grad-norm": 0.2}.items():
        p.add_argument(f"--{flag}", type=type(default), default=default)
    for flag, names in {"dtype": DTYPES, "device": ("cpu",), "gumbel": ("model", "float64")}.items():
        p.add_argument(f"--{flag}", choices=names, default=next(iter(names)))
    a = p.parse_args()
    torch.set_num_threads(a.threads or torch.get_num_threads())
    torch.manual_seed(a.seed)
    if a.complete:
        a.temperature, task = 0.0, Task(a.puzzles, a.model)
        ids = generate(load_model(a), task.prompts(0, len(task.puzzles)), a)
        a.complete.write_text(json.dumps([task.decode(row) for row in ids[:, -a.gen:].tolist()]))
        return
    trainer = Trainer(a)
    steps: list[dict[str, Any]] = [trainer.step(n) for n in range(a.count)]
    text = json.dumps({"program": "reference_step.py", "torch": torch.__version__, "steps": steps,
                       "token_forwards": trainer.token_forwards, "updates": trainer.updates}, indent=1)
    print(text)
    if a.json:
        a.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
