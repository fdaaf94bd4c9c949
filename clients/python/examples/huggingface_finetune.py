"""A Hugging Face fine-tune of a tiny GPT-2 that is made on the spot.

python huggingface_finetune.py        some twenty seconds on a CPU
"""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from seismo.huggingface import SeismoCallback

CONTEXT = 32


def rows(count, seed):
    """Sequences that count upwards modulo 50 from a random start."""
    starts = torch.randint(0, 50, (count, 1), generator=torch.Generator().manual_seed(seed))
    tokens = (starts + torch.arange(CONTEXT)) % 50
    return [{"input_ids": row, "labels": row} for row in tokens]


def main():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=50,
            n_positions=CONTEXT,
            n_embd=32,
            n_layer=2,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    arguments = TrainingArguments(
        output_dir="tiny-gpt2", max_steps=60, per_device_train_batch_size=8, learning_rate=3e-3,
        logging_steps=1, eval_strategy="steps", eval_steps=20, save_strategy="no",
        report_to=[], disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    trainer = Trainer(
        model=model, args=arguments, train_dataset=rows(512, 1), eval_dataset=rows(32, 2),
        callbacks=[SeismoCallback(every=10, mitigations=True)],
    )  # fmt: skip
    trainer.train()


if __name__ == "__main__":
    main()
