"""A Python host: host.py KIND MODEL FACES AUDIO THREADS REPEAT, with the protocol of host.h."""
import os
import sys
import time

import numpy as np


def onnxruntime(path, threads, faces, audio):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"faces": faces, "audio": audio})[0]


def mnn(path, threads, faces, audio):
    import MNN

    interpreter = MNN.Interpreter(path)
    session = interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "normal"})
    given = {}
    for name, values in (("faces", faces), ("audio", audio)):
        kind = (values.shape, MNN.Halide_Type_Float, values, MNN.Tensor_DimensionType_Caffe)
        given[name] = MNN.Tensor(*kind)

    def run():
        for name, tensor in given.items():
            interpreter.getSessionInput(session, name).copyFrom(tensor)
        interpreter.runSession(session)
        output = interpreter.getSessionOutput(session, "intensities")
        shape = output.getShape()
        target = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32), MNN.Tensor_DimensionType_Caffe)
        output.copyToHostTensor(target)
        return np.array(target.getData(), dtype=np.float32)

    return run


def ncnn(path, threads, faces, audio):
    import ncnn

    def network(part):
        net = ncnn.Net()
        net.opt.num_threads = threads
        # Else its CPU code keeps weights and values in 16 bits wherever the processor can convert them.
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        if net.load_param(f"{path}/{part}.param") != 0 or net.load_model(f"{path}/{part}.bin") != 0:
            raise SystemExit(f"{path}/{part}: cannot be loaded")
        return net

    def compute(net, *given):
        extractor = net.create_extractor()
        for index, values in enumerate(given):
            extractor.input(f"in{index}", ncnn.Mat(values))
        return np.array(extractor.extract("out0")[1])

    frame, clip = network("frame"), network("clip")
    return lambda: compute(clip, np.stack([compute(frame, face) for face in faces[0]]), audio[0])


def litert(path, threads, faces, audio):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=threads)
    signature = interpreter.get_signature_runner()
    return lambda: signature(args_0=faces, args_1=audio)["output_0"]


def tract(path, threads, faces, audio):
    # It computes on one thread whatever is asked for: the package has no setting for more.
    import tract

    model = tract.onnx().load(path).into_model().into_runnable()
    return lambda: model.run([faces, audio])[0].to_numpy()


def main():
    kind, path, faces, audio, threads, repeat = sys.argv[1:]
    faces = np.fromfile(faces, np.float32).reshape(1, 32, 3, 112, 112)
    audio = np.fromfile(audio, np.float32).reshape(1, 32, 1024)
    kinds = {"onnxruntime": onnxruntime, "mnn": mnn, "ncnn": ncnn, "litert": litert, "tract": tract}
    run = kinds[kind](path, int(threads), faces, audio)
    values = run()
    print("first", *(f"{value:.9g}" for value in np.ravel(values)), flush=True)
    times = []
    for _ in range(int(repeat)):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    if times:
        print("ms", *(f"{value:.3f}" for value in times))
    with open("/proc/self/status") as status:
        print("peak", next(line.split()[1] for line in status if line.startswith("VmHWM:")), flush=True)
    # Without tearing down: what a library does at exit is not measured.
    os._exit(0)


main()
