"""Makes one peer's model: convert.py KIND SOURCE OUT. SOURCE is MODEL.onnx, for converters from PyTorch the folder of weights, and for
LiteRT's quantizer its float model.

Prints why, on standard error, and exits 1 if it cannot.
"""
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np


def clips(count):
    """Inputs to calibrate with: speed and size, which are what is measured, do not depend on their values."""
    random = np.random.default_rng(1)
    for _ in range(count):
        yield {
            "faces": random.standard_normal((1, 32, 3, 112, 112), dtype=np.float32),
            "audio": random.standard_normal((1, 32, 1024), dtype=np.float32),
        }


def network(folder):
    """The network in PyTorch and inputs to trace it with. Its convolutions over time are normalised here, not anew in every run."""
    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "onnxruntime"))
    import export

    def folded(causal):
        outputs, inputs, kernel = causal.v.shape
        convolution = torch.nn.Conv1d(inputs, outputs, kernel, dilation=causal.dilation)
        convolution.weight.copy_(causal.g * causal.v / causal.v.norm(dim=(1, 2), keepdim=True))
        convolution.bias.copy_(causal.bias)
        return torch.nn.Sequential(torch.nn.ConstantPad1d(((kernel - 1) * causal.dilation, 0), 0.0), convolution)

    whole, inputs = export.dual_branch(folder)
    with torch.no_grad():
        for name, module in list(whole.named_modules()):
            if isinstance(module, export.network.CausalConvolution):
                whole.set_submodule(name, folded(module))
    return whole.eval(), inputs


def onnxruntime_int8(source, target):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.clips = clips(2)

        def get_next(self):
            return next(self.clips, None)

    with tempfile.TemporaryDirectory() as folder:
        quant_pre_process(source, f"{folder}/prepared.onnx")
        quantize_static(
            f"{folder}/prepared.onnx", target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "MatMul", "Gemm", "Add", "MaxPool", "Relu"])


def openvino(source, target):
    import openvino as ov

    ov.save_model(ov.Core().read_model(source), target, compress_to_fp16=False)


def openvino_int8(source, target):
    import nncf
    import openvino as ov

    model = ov.Core().read_model(source)
    quantized = nncf.quantize(model, nncf.Dataset(list(clips(2))), subset_size=2, model_type=nncf.ModelType.TRANSFORMER)
    ov.save_model(quantized, target, compress_to_fp16=False)


def mnn(source, target, *options):
    # The binding itself: the package's mnnconvert installs a logging package and reports the conversion to its vendor.
    import _tools

    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", target, "--bizCode", "eri", *options])


def mnn_int8(source, target):
    mnn(source, target, "--weightQuantBits", "8")


def ncnn(source, target):
    """A folder of two models: one frame's features, and what a clip's features and sound go through."""
    import pnnx
    import torch

    whole, (faces, audio) = network(source)

    class Frame(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.video = whole.video

        def forward(self, face):
            tokens = self.video.backbone(face).flatten(2).transpose(1, 2)
            return self.video.pool(self.video.spatial(tokens))

    class Clip(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tcn, self.temporal = whole.video.tcn, whole.video.temporal
            self.audio, self.fusion = whole.audio, whole.fusion

        def forward(self, features, audio):
            return self.fusion(self.audio(audio), self.temporal(self.tcn(features)))

    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        made = Path(scratch) / "made"
        made.mkdir()
        features = Frame()(faces[:, 0])
        for name, part, inputs in (
                ("frame", Frame(), (faces[:, 0],)), ("clip", Clip(), (features[None].expand(1, 32, -1), audio))):
            pnnx.export(
                part, f"{scratch}/{name}.pt", inputs, ncnnparam=f"{made}/{name}.param", ncnnbin=f"{made}/{name}.bin",
                fp16=False)
        shutil.copytree(made, target)


def litert(source, target):
    import litert_torch

    litert_torch.convert(*network(source)).export(target)


def litert_int8(source, target):
    from ai_edge_quantizer import algorithm_manager, qtyping, quantizer, recipe

    work = quantizer.Quantizer(source, recipe.static_wi8_ai8())
    # Float32 inputs and outputs, as the other int8 models have them.
    for operation in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        work.update_quantization_recipe(".*", operation, algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE)
    data = [{"args_0": clip["faces"], "args_1": clip["audio"]} for clip in clips(2)]
    work.quantize(work.calibrate({"serving_default": data})).export_model(target)


def executorch(source, target):
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    exported = torch.export.export(*network(source))
    program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    Path(target).write_bytes(program.buffer)


def main():
    kind, source, target = sys.argv[1:]
    kinds = {
        "onnxruntime-int8": onnxruntime_int8, "openvino": openvino, "openvino-int8": openvino_int8, "mnn": mnn,
        "mnn-int8": mnn_int8, "ncnn": ncnn, "litert": litert, "litert-int8": litert_int8, "executorch": executorch,
    }
    kinds[kind](source, target)


main()
