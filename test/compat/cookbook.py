"""Makes small models in place of those of docs/cookbook.md.

    cookbook.py FOLDER

Repository `org/name` is left in FOLDER/org/name.
"""

import os
import sys

WORDS = ["<unk>", "<pad>", "offline"]


def make_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>")
    tokenizer = Tokenizer(words)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", model_max_length=8
    ).save_pretrained(folder)


def make_language_model(folder):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    make_tokenizer(folder)


def make_pipeline(folder):
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    unet = UNet2DModel(
        sample_size=8,
        block_out_channels=[4],
        norm_num_groups=2,
        down_block_types=["DownBlock2D"],
        up_block_types=["UpBlock2D"],
        layers_per_block=1,
    )
    pipeline = DDPMPipeline(unet, DDPMScheduler())
    pipeline.save_pretrained(folder)
    pipeline.save_pretrained(folder, variant="fp16")


def make_sentence_transformer(folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        pad_token_id=WORDS.index("<pad>"),
    )
    BertModel(config).save_pretrained("encoder")
    make_tokenizer("encoder")
    SentenceTransformer(modules=[Transformer("encoder"), Pooling(8)]).save_pretrained(folder)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    make_language_model("HuggingFaceTB/SmolLM2-135M-Instruct")
    make_pipeline("stabilityai/stable-diffusion-xl-base-1.0")
    make_sentence_transformer("sentence-transformers/all-MiniLM-L6-v2")
