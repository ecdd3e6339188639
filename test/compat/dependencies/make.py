"""Makes small repositories that need others, with the libraries that load them.

    make.py FOLDER

Repository `org/name` is left in FOLDER/org/name, the branch `dev` of `acme/base` in FOLDER/dev/acme/base.
Folders have the names of repositories, so that it is the libraries that write these into their files.
"""

import json
import os
import shutil
import sys
from pathlib import Path

WORDS = ["<unk>", "<s>", "</s>", "<pad>", "the", "model", "is", "offline"]
CODE = Path(__file__).parent / "code"


def make_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>")
    tokenizer = Tokenizer(words)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=8,
    ).save_pretrained(folder)


def make_base(folder):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        use_cache=False,  # X-LoRA refuses a model with a cache of keys and values.
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def make_adapter(folder, config, revision=None):
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained("acme/base")
    get_peft_model(base, config, revision=revision).save_pretrained(folder)


def make_adapters():
    from peft import LoraConfig, XLoraConfig

    make_base("acme/base")
    make_base("dev/acme/base")

    def lora():
        # By default the weights of a new adapter change nothing.
        return LoraConfig(task_type="CAUSAL_LM", r=1, target_modules=["o_proj"], init_lora_weights=False)

    make_adapter("acme/lora", lora())
    make_adapter("acme/pinned-lora", lora(), revision="dev")
    shutil.copytree("acme/pinned-lora", "dev/acme/pinned-lora")
    experts = {"0": "acme/expert-a", "1": "acme/expert-b"}
    for expert in experts.values():
        make_adapter(expert, lora())
    make_adapter("acme/xlora", XLoraConfig(task_type="CAUSAL_LM", hidden_size=8, adapters=experts))


def copy_code(folder, *names):
    Path(folder).mkdir()
    for name in names:
        shutil.copy(CODE / name, folder)


def edit_json(file, edit):
    data = json.loads(Path(file).read_text())
    edit(data)
    Path(file).write_text(json.dumps(data, indent=2))


def make_remote_code():
    import torch
    from safetensors.torch import save_file

    copy_code("acme/model-code", "modeling.py", "layers.py")
    copy_code("acme/tokenizer-code", "tokenization.py")
    make_tokenizer("acme/remote")
    edit_json(
        "acme/remote/tokenizer_config.json",
        lambda data: data.update(
            auto_map={"AutoTokenizer": [None, "acme/tokenizer-code--tokenization.ShiftedTokenizer"]}
        ),
    )
    auto_map = {
        "AutoConfig": "acme/model-code--modeling.TinyConfig",
        "AutoModel": "acme/model-code--modeling.TinyModel",
    }
    config = {"model_type": "tiny", "auto_map": auto_map}
    Path("acme/remote/config.json").write_text(json.dumps(config))
    tensors = {"linear.weight": torch.rand(2, 2), "linear.bias": torch.rand(2)}
    save_file(tensors, "acme/remote/model.safetensors", metadata={"format": "pt"})


def make_text_encoder():
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        pad_token_id=WORDS.index("<pad>"),
    )
    BertModel(config).save_pretrained("acme/text-encoder")
    make_tokenizer("acme/text-encoder")


def make_sentence_transformers():
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Router, Transformer

    copy_code("acme/pooling-code", "pooling.py")
    pooling = "acme/pooling-code--pooling.DoublePooling"

    def modules():
        return [Transformer("acme/text-encoder"), Pooling(8)]

    SentenceTransformer(modules=modules()).save_pretrained("acme/sentences")
    edit_json("acme/sentences/modules.json", lambda data: data[1].update(type=pooling))
    router = Router.for_query_document(modules(), modules())
    SentenceTransformer(modules=[router]).save_pretrained("acme/router")
    edit_json(
        "acme/router/router_config.json",
        lambda data: data["types"].update(document_1_Pooling=pooling),
    )


def make_modular_pipeline():
    from diffusers import AutoencoderKL, ComponentSpec, StableDiffusionXLAutoBlocks, UNet2DConditionModel

    AutoencoderKL(block_out_channels=[4], norm_num_groups=1).save_pretrained("acme/pipeline/vae")
    UNet2DConditionModel(
        block_out_channels=[4],
        norm_num_groups=1,
        layers_per_block=1,
        cross_attention_dim=4,
        attention_head_dim=1,
        down_block_types=["DownBlock2D"],
        up_block_types=["UpBlock2D"],
    ).save_pretrained("acme/parts/unet")
    pipeline = StableDiffusionXLAutoBlocks().init_pipeline()
    for name, type, repo in [
        ("vae", AutoencoderKL, "acme/pipeline"),
        ("unet", UNet2DConditionModel, "acme/parts"),
    ]:
        spec = ComponentSpec(name, type, pretrained_model_name_or_path=repo, subfolder=name)
        pipeline.update_components(**{name: spec.load()})
    pipeline.save_config("acme/pipeline")


def make_audio_processor():
    from transformers import DacConfig, DacModel, DiaFeatureExtractor, DiaProcessor, DiaTokenizer

    config = DacConfig(
        encoder_hidden_size=4,
        decoder_hidden_size=8,
        hidden_size=16,
        downsampling_ratios=[2, 2],
        upsampling_ratios=[2, 2],
        n_codebooks=2,
        codebook_size=4,
        codebook_dim=2,
    )
    DacModel(config).save_pretrained("acme/audio-tokenizer")
    audio_tokenizer = DacModel.from_pretrained("acme/audio-tokenizer")
    processor = DiaProcessor(DiaFeatureExtractor(hop_length=4), DiaTokenizer(), audio_tokenizer)
    processor.save_pretrained("acme/voice")


def make_open_clip(folder, model_class, text):
    from open_clip import set_model_preprocess_cfg
    from open_clip.push_to_hf_hub import save_for_hf
    from open_clip.tokenizer import HFTokenizer

    config = {
        "embed_dim": 4,
        "vision_cfg": {"image_size": 8, "patch_size": 4, "layers": 1, "width": 8, "head_width": 4},
        "text_cfg": {"hf_tokenizer_name": "acme/words", "context_length": 8, **text},
    }
    model = model_class(**config)
    set_model_preprocess_cfg(model, {"size": 8, "mean": [0, 0, 0], "std": [1, 1, 1]})
    save_for_hf(model, HFTokenizer("acme/words"), config, folder, safe_serialization=True)


def make_open_clips():
    from open_clip import CLIP, CustomTextCLIP

    make_tokenizer("acme/words")
    text = {"vocab_size": len(WORDS), "width": 8, "heads": 2, "layers": 1}
    make_open_clip("acme/clip", CLIP, text)
    make_open_clip("acme/text-clip", CustomTextCLIP, {"hf_model_name": "acme/text-encoder"})


def make():
    import torch

    torch.manual_seed(0)
    make_adapters()
    make_remote_code()
    make_text_encoder()
    make_sentence_transformers()
    make_modular_pipeline()
    make_audio_processor()
    make_open_clips()


os.chdir(sys.argv[1])
make()
