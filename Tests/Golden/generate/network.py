"""The dual-branch network and its unimodal halves in PyTorch, written from the paper and the works it cites.

Module names are the tensors' names, so that weights load by name and the output of module `p` is the value `p.out`.
"""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Spatial:
    image_size: int = 112
    base_width: int = 64
    blocks: int = 4
    heads: int = 4
    feed_forward: int = 512
    gelu: str = "none"  # nn.functional.gelu's word for the exact form; or "tanh"
    attention_bias: bool = True
    final_norm: bool = True
    dropout: float = 0.1


@dataclass
class Temporal:
    levels: int = 5
    kernel: int = 3
    convolutions: int = 2
    width: int = 128
    scaled: bool = True
    position_base: int = 1000
    blocks: int = 4
    heads: int = 4
    feed_forward: int = 256
    temma_norm: bool = False
    band: tuple | None = None
    dropout: float = 0.2


@dataclass
class Parameters:
    steps: int = 32
    sound_width: int = 1024
    labels: int = 7
    fusion_width: int = 128
    spatial: Spatial = field(default_factory=Spatial)
    temporal: Temporal = field(default_factory=Temporal)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)


class Backbone(nn.Module):
    """ResNet18 up to layer3."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(width, width, 1), BasicBlock(width, width, 1))
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2), BasicBlock(2 * width, 2 * width, 1))
        self.layer3 = nn.Sequential(BasicBlock(2 * width, 4 * width, 2), BasicBlock(4 * width, 4 * width, 1))

    def forward(self, x):
        return self.layer3(self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x)))))))


class TemmaNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        deviation = x.std(-1, keepdim=True, unbiased=True)
        return self.weight * (x - x.mean(-1, keepdim=True)) / (deviation + 1e-6) + self.bias


class Attention(nn.Module):
    def __init__(self, width, heads, bias, band, dropout):
        super().__init__()
        self.heads = heads
        self.band = band
        self.dropout = dropout
        self.q = nn.Linear(width, width, bias=bias)
        self.k = nn.Linear(width, width, bias=bias)
        self.v = nn.Linear(width, width, bias=bias)
        self.o = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        depth = width // self.heads

        def split(y):
            return y.view(batch, length, self.heads, depth).transpose(1, 2)

        scores = split(self.q(x)) @ split(self.k(x)).transpose(2, 3) * depth**-0.5
        if self.band is not None:
            before, after = self.band
            i = torch.arange(length)[:, None]
            j = torch.arange(length)[None, :]
            scores = scores.masked_fill((j < i - before) | (j > i + after), float("-inf"))
        shares = F.dropout(scores.softmax(-1), self.dropout, self.training)
        context = (shares @ split(self.v(x))).transpose(1, 2).reshape(batch, length, width)
        return self.o(context)


class FeedForward(nn.Module):
    def __init__(self, width, inner, activation, dropout):
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.activation = activation
        self.dropout = dropout

    def forward(self, x):
        return self.fc2(F.dropout(self.activation(self.fc1(x)), self.dropout, self.training))


class Block(nn.Module):
    """In training, attention's shares, the feed-forward's inner values and what each adds to the residual are dropped."""

    def __init__(self, width, heads, inner, activation, dropout, bias=True, band=None, norm=nn.LayerNorm):
        super().__init__()
        self.norm1 = norm(width)
        self.norm2 = norm(width)
        self.attn = Attention(width, heads, bias, band, dropout)
        self.ffn = FeedForward(width, inner, activation, dropout)
        self.dropout = dropout

    def forward(self, x):
        x = x + F.dropout(self.attn(self.norm1(x)), self.dropout, self.training)
        return x + F.dropout(self.ffn(self.norm2(x)), self.dropout, self.training)


class SpatialEncoder(nn.Module):
    def __init__(self, p, tokens):
        super().__init__()
        width = 4 * p.base_width
        self.pos = nn.Parameter(torch.zeros(1, tokens, width))
        self.blocks = nn.ModuleList(
            Block(width, p.heads, p.feed_forward, lambda x: F.gelu(x, approximate=p.gelu), p.dropout, p.attention_bias)
            for _ in range(p.blocks))
        self.norm = nn.LayerNorm(width) if p.final_norm else None

    def forward(self, x):
        x = x + self.pos
        for block in self.blocks:
            x = block(x)
        return x if self.norm is None else self.norm(x)


class Pool(nn.Module):
    """softmax(w x + b) over the sequence, then the weighted sum."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        shares = F.linear(x, self.weight, self.bias).softmax(1)
        return (shares * x).sum(1)


class CausalConvolution(nn.Module):
    """Weight-normalised; the pad stands on the left alone."""

    def __init__(self, inputs, outputs, kernel, dilation):
        super().__init__()
        self.g = nn.Parameter(torch.ones(outputs, 1, 1))
        self.v = nn.Parameter(torch.ones(outputs, inputs, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.dilation = dilation

    def forward(self, x):
        weight = self.g * self.v / self.v.norm(dim=(1, 2), keepdim=True)
        x = F.pad(x, ((self.v.shape[2] - 1) * self.dilation, 0))
        return F.conv1d(x, weight, self.bias, dilation=self.dilation)


class TemporalBlock(nn.Module):
    """In training, the output of each convolution's ReLU is dropped."""

    def __init__(self, inputs, outputs, kernel, dilation, convolutions, dropout):
        super().__init__()
        self.conv1 = CausalConvolution(inputs, outputs, kernel, dilation)
        self.conv2 = CausalConvolution(outputs, outputs, kernel, dilation) if convolutions == 2 else None
        self.down = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None
        self.dropout = dropout

    def forward(self, x):
        y = F.dropout(F.relu(self.conv1(x)), self.dropout, self.training)
        if self.conv2 is not None:
            y = F.dropout(F.relu(self.conv2(y)), self.dropout, self.training)
        return F.relu(y + (x if self.down is None else self.down(x)))


class TemporalConvolutions(nn.Sequential):
    """[N, T, inputs] to [N, T, width]."""

    def __init__(self, inputs, p):
        super().__init__(*(
            TemporalBlock(inputs if level == 0 else p.width, p.width, p.kernel, 2**level, p.convolutions, p.dropout)
            for level in range(p.levels)))

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class TemporalEncoder(nn.Module):
    def __init__(self, p, steps):
        super().__init__()
        norm = TemmaNorm if p.temma_norm else nn.LayerNorm
        self.blocks = nn.ModuleList(
            Block(p.width, p.heads, p.feed_forward, F.relu, p.dropout, band=p.band, norm=norm) for _ in range(p.blocks))
        self.norm = norm(p.width)
        self.dropout = p.dropout
        self.scale = p.width**0.5 if p.scaled else 1.0
        step = torch.arange(steps, dtype=torch.float64)[:, None]
        frequency = p.position_base ** (-torch.arange(0, p.width, 2, dtype=torch.float64) / p.width)
        table = torch.stack([torch.sin(step * frequency), torch.cos(step * frequency)], dim=2)
        self.register_buffer("table", table.reshape(steps, p.width).float(), persistent=False)

    def forward(self, x):
        x = F.dropout(x * self.scale + self.table, self.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Branch(nn.Module):
    """What both branches end with; the video branch's frames pass through the spatial part first."""

    def __init__(self, p, inputs, video):
        super().__init__()
        if video:
            self.backbone = Backbone(p.spatial.base_width)
            side = p.spatial.image_size
            for _ in range(4):
                side = (side + 1) // 2
            self.spatial = SpatialEncoder(p.spatial, side * side)
            self.pool = Pool(4 * p.spatial.base_width)
        self.tcn = TemporalConvolutions(inputs, p.temporal)
        self.temporal = TemporalEncoder(p.temporal, p.steps)
        self.video = video

    def forward(self, x):
        if self.video:
            batch, steps = x.shape[:2]
            tokens = self.backbone(x.flatten(0, 1)).flatten(2).transpose(1, 2)
            x = self.pool(self.spatial(tokens)).view(batch, steps, -1)
        return self.temporal(self.tcn(x))


class Head(nn.Module):
    """Features [N, T, width] to intensities [N, labels]."""

    def __init__(self, p):
        super().__init__()
        self.pool = Pool(p.temporal.width)
        self.fc = nn.Linear(p.temporal.width, p.labels)

    def forward(self, x):
        return torch.sigmoid(self.fc(self.pool(x)))


class AudioBranch(nn.Module):
    """The audio branch with a head of its own."""

    def __init__(self, p):
        super().__init__()
        self.audio = Branch(p, p.sound_width, video=False)
        self.audio.head = Head(p)

    def forward(self, audio):
        return self.audio.head(self.audio(audio))


class VideoBranch(nn.Module):
    """The video branch with a head of its own."""

    def __init__(self, p):
        super().__init__()
        self.video = Branch(p, 4 * p.spatial.base_width, video=True)
        self.video.head = Head(p)

    def forward(self, faces):
        return self.video.head(self.video(faces))


class Fusion(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.norm = nn.LayerNorm(2 * p.temporal.width)
        self.proj = nn.Linear(2 * p.temporal.width, p.fusion_width)
        self.pool = Pool(p.fusion_width)
        self.fc = nn.Linear(p.fusion_width, p.labels)

    def forward(self, audio, video):
        return torch.sigmoid(self.fc(self.pool(self.proj(self.norm(torch.cat([audio, video], dim=2))))))


class FusionPart(nn.Module):
    """The dual-branch network from both branches' features on; `present` [N, 2] says which of them count (audio, video)."""

    def __init__(self, p):
        super().__init__()
        self.fusion = Fusion(p)

    def forward(self, heard, seen, present=None):
        if present is not None:
            heard = heard * present[:, 0, None, None]
            seen = seen * present[:, 1, None, None]
        return self.fusion(heard, seen)


class DualBranch(FusionPart):
    def __init__(self, p):
        super().__init__(p)
        self.video = Branch(p, 4 * p.spatial.base_width, video=True)
        self.audio = Branch(p, p.sound_width, video=False)

    def forward(self, faces, audio, present=None):
        return super().forward(self.audio(audio), self.video(faces), present)


def load(network, weights):
    """Sets every parameter and buffer of that name; a name on one side alone is an error."""
    state = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    if set(state) != set(weights):
        raise SystemExit(f"names differ: {sorted(set(state) ^ set(weights))}")
    with torch.no_grad():
        for name, value in state.items():
            array = torch.from_numpy(weights[name])
            if array.shape != value.shape:
                raise SystemExit(f"{name}: expected {tuple(value.shape)}, found {tuple(array.shape)}")
            value.copy_(array)


def stages(network, *inputs):
    """The network's output, and each module's output by the name of the graph's value."""
    found = {}
    hooks = [
        module.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(f"{name}.out", output))
        for name, module in network.named_modules() if name]
    with torch.no_grad():
        found["intensities"] = network(*inputs)
    for hook in hooks:
        hook.remove()
    return found
