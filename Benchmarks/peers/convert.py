"""Makes one peer's model from MODEL.onnx: convert.py KIND MODEL.onnx OUT. Prints why, on standard error, and exits 1 if it cannot."""
import sys

import numpy as np


def clips(count):
    """Inputs to calibrate with: speed and size, which are what is measured, do not depend on their values."""
    random = np.random.default_rng(1)
    for _ in range(count):
        yield {
            "faces": random.standard_normal((1, 32, 3, 112, 112), dtype=np.float32),
            "audio": random.standard_normal((1, 32, 1024), dtype=np.float32),
        }


def onnxruntime_int8(source, target):
    import tempfile

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


def main():
    kind, source, target = sys.argv[1:]
    kinds = {
        "onnxruntime-int8": onnxruntime_int8, "openvino": openvino, "openvino-int8": openvino_int8, "mnn": mnn,
        "mnn-int8": mnn_int8,
    }
    kinds[kind](source, target)


main()
