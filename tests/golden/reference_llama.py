"""Llama in float64, written from its formulas: the oracle behind the golden numbers.

transformers drops to float32 inside RMSNorm, RoPE and softmax even in a float64 model, so it can't
say how far a float32 result is from the truth. This can: plain torch operations on a dictionary of
weights under their checkpoint names, one sequence at a time, gradients by autograd. The scripts
beside it hold it against transformers and PEFT before anything is stored.

Source: arXiv 2302.13971 (Llama), 2104.09864 (RoPE), 1910.07467 (RMSNorm), 2002.05202 (SwiGLU),
2305.13245 (GQA), 2106.09685 (LoRA), 2305.18290 Eq. 7 (DPO).
"""

import torch
import torch.nn.functional as F

Weights = dict[str, torch.Tensor]


class Adapter:
    """LoRA factors by module name: A [R, in], B [out, R], and the scale between them."""

    def __init__(self, factors: Weights, scale: float):
        self.factors = factors
        self.scale = scale

    def delta(self, x: torch.Tensor, module: str) -> torch.Tensor | float:
        if f"{module}.lora_A.weight" not in self.factors:
            return 0.0
        a, b = self.factors[f"{module}.lora_A.weight"], self.factors[f"{module}.lora_B.weight"]
        return self.scale * (x @ a.T) @ b.T


def linear(x: torch.Tensor, module: str, weights: Weights, adapter: Adapter | None) -> torch.Tensor:
    y = x @ weights[f"{module}.weight"].T
    if f"{module}.bias" in weights:
        y = y + weights[f"{module}.bias"]
    return y + adapter.delta(x, module) if adapter else y


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def rotate(x: torch.Tensor, theta: float) -> torch.Tensor:
    """Turns the pair (i, i + half) of each head by position * theta^(-i / half). x: [H, T, head]."""
    _, length, size = x.shape
    half = size // 2
    frequency = theta ** (-torch.arange(half, dtype=x.dtype) / half)
    angle = torch.arange(length, dtype=x.dtype)[:, None] * frequency
    low, high = x[..., :half], x[..., half:]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def rope_theta(config: dict) -> float:
    return config["rope_theta"] if "rope_theta" in config else config["rope_parameters"]["rope_theta"]


def attention(x, module, weights, config, adapter):
    length = x.shape[0]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    split = lambda name, n: linear(x, f"{module}.{name}", weights, adapter).view(length, n, size).transpose(0, 1)
    q = rotate(split("q_proj", heads), rope_theta(config))
    k = rotate(split("k_proj", groups), rope_theta(config)).repeat_interleave(heads // groups, 0)
    v = split("v_proj", groups).repeat_interleave(heads // groups, 0)
    hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = (q @ k.transpose(1, 2) / size**0.5).masked_fill(hidden, -torch.inf)
    y = (scores.softmax(-1) @ v).transpose(0, 1).reshape(length, heads * size)
    return linear(y, f"{module}.o_proj", weights, adapter)


def mlp(x, module, weights, adapter):
    gate = F.silu(linear(x, f"{module}.gate_proj", weights, adapter))
    return linear(gate * linear(x, f"{module}.up_proj", weights, adapter), f"{module}.down_proj", weights, adapter)


def logits(ids: list[int], weights: Weights, config: dict, adapter: Adapter | None = None) -> torch.Tensor:
    """Next-token scores [T, V] of one sequence."""
    eps, embedding = config["rms_norm_eps"], weights["model.embed_tokens.weight"]
    x = embedding[torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        normed = rms_norm(x, weights[f"{at}.input_layernorm.weight"], eps)
        x = x + attention(normed, f"{at}.self_attn", weights, config, adapter)
        normed = rms_norm(x, weights[f"{at}.post_attention_layernorm.weight"], eps)
        x = x + mlp(normed, f"{at}.mlp", weights, adapter)
    x = rms_norm(x, weights["model.norm.weight"], eps)
    return x @ (embedding if config["tie_word_embeddings"] else weights["lm_head.weight"]).T


def response_log_prob(prompt, response, weights, config, adapter=None) -> torch.Tensor:
    """The response's log-probability given the prompt, in nats, summed over the response's tokens."""
    scores = logits(prompt + response[:-1], weights, config, adapter)[len(prompt) - 1 :]
    return scores.log_softmax(-1)[torch.arange(len(response)), torch.tensor(response)].sum()


def pair_log_probs(pairs: list[dict], weights, config, adapter=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Chosen and rejected log-probabilities, [B] each."""
    side = lambda key: torch.stack(
        [response_log_prob(pair["prompt"], pair[key], weights, config, adapter) for pair in pairs]
    )
    return side("chosen"), side("rejected")


def dpo_loss(policy, reference, beta: float) -> torch.Tensor:
    """Eq. 7 of arXiv 2305.18290 for each pair, [B]."""
    margin = (policy[0] - policy[1]) - (reference[0] - reference[1])
    return -F.logsigmoid(beta * margin)


def greedy(prompt: list[int], count: int, weights, config, adapter=None) -> tuple[list[int], float]:
    """The `count` likeliest next tokens, one by one, and the smallest lead that one had over the second."""
    tokens, lead = [], float("inf")
    with torch.no_grad():
        for _ in range(count):
            best = logits(prompt + tokens, weights, config, adapter)[-1].topk(2)
            lead = min(lead, (best.values[0] - best.values[1]).item())
            tokens.append(best.indices[0].item())
    return tokens, lead


def check_slope(loss, parameters: list[torch.Tensor], step=1e-6, relative=1e-6) -> None:
    """Holds autograd's gradient against a central difference along one random direction."""
    gradients = torch.autograd.grad(loss(), parameters)
    directions = [torch.randn_like(p) for p in parameters]
    expected = sum((g * d).sum() for g, d in zip(gradients, directions)).item()
    values = []
    with torch.no_grad():
        for sign in (1, -1):
            for p, d in zip(parameters, directions):
                p += sign * step * d
            values.append(loss().item())
            for p, d in zip(parameters, directions):
                p -= sign * step * d
    slope = (values[0] - values[1]) / (2 * step)
    assert abs(slope - expected) <= relative * abs(expected), (slope, expected)
