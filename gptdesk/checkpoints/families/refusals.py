"""Models that are well known and that gptdesk does not run, by their `model_type`, with the reason.

Telling these apart from the unknown saves a person the search for a newer version or another file
of a model that would never run.
"""

from __future__ import annotations

from collections.abc import Mapping

_EXPERTS = """
    mixtral phimoe qwen2_moe qwen3_moe qwen3_next gpt_oss deepseek deepseek_v2 deepseek_v3 dbrx olmoe
    granitemoe granitemoeshared granitemoehybrid jetmoe jamba llama4 llama4_text ernie4_5_moe glm4_moe
    hunyuan_v1_moe minimax minimax_m2 flex_olmo dots1 bailing_moe kimi_k2 grok-1 arctic nllb-moe
    switch_transformers lfm2_moe
"""
_TWO_STACKS = """
    t5 mt5 umt5 longt5 byt5 t5gemma t5gemma2 bart mbart pegasus pegasus_x marian m2m_100 led prophetnet
    blenderbot blenderbot-small encoder-decoder fsmt plbart bigbird_pegasus rag
"""
_ENCODERS = """
    bert distilbert roberta xlm-roberta xlm-roberta-xl albert electra deberta deberta-v2 camembert
    mpnet modernbert nomic_bert big_bird longformer ernie funnel squeezebert convbert mobilebert
    layoutlm layoutlmv2 layoutlmv3 flaubert xlm luke rembert roformer esm eurobert
"""
_SENSES = """
    clip clip_text_model siglip siglip2 blip blip-2 instructblip vit deit beit swin swinv2 dinov2
    dinov3_vit detr segformer sam sam2 convnext resnet vitpose owlvit owlv2 depth_anything
    vision-encoder-decoder vision-text-dual-encoder trocr donut-swin nougat
    whisper wav2vec2 hubert wavlm speecht5 bark musicgen seamless_m4t seamless_m4t_v2 encodec vits
    clap speech_to_text moonshine voxtral parler_tts csm dac
    llava llava_next llava_onevision vipllava paligemma idefics idefics2 idefics3 smolvlm mllama
    gemma3 gemma3n qwen2_vl qwen2_5_vl qwen3_vl qwen3_vl_moe qwen2_audio qwen2_5_omni
    qwen3_omni_moe internvl mistral3 pixtral phi3_v phi4_multimodal kosmos-2 fuyu chameleon janus
    git florence2 aya_vision cohere2_vision glm4v glm4v_moe minicpmv got_ocr2 ovis2 emu3
"""
_RECURRENT = """
    mamba mamba2 falcon_mamba codestral_mamba rwkv rwkv5 rwkv6 rwkv7 recurrent_gemma bamba zamba zamba2
    nemotron_h falcon_h1 xlstm retnet hyena lfm2 plamo2 bitnet_mamba
"""

REASONS: Mapping[str, str] = {
    kind: reason
    for kinds, reason in (
        (_EXPERTS, "a mixture of experts, of which gptdesk runs none yet"),
        (_TWO_STACKS, "an encoder-decoder: it turns one text into another and does not write on"),
        (_ENCODERS, "an encoder: it reads text and writes none"),
        (_SENSES, "not a model of text alone: it works on images, sound or video"),
        (
            _RECURRENT,
            "a state-space or recurrent model, not a transformer of attention layers alone",
        ),
    )
    for kind in kinds.split()
}
"""`model_type` to what such a model is, as the end of a sentence that begins with "it is"."""
