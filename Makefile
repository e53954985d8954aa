# The two commands of the README, and what is done by hand now and then.
ERI = .build/release/eri
TEST = swift test -c release -Xswiftc -enable-testing

.PHONY: demo test build oracle bench lint format device frozen

# What the demonstration trains: every network of the published kind, narrow, on small faces and half the steps.
NARROW = --set temporal.width=32 --set temporal.feed_forward=64 --set temporal.blocks=1 --set temporal.levels=3 \
	--set spatial.base_width=8 --set spatial.blocks=1 --set spatial.feed_forward=64

demo:
	scripts/setup
	swift build -c release -Xswiftc -enable-testing --product eri
	rm -rf demo && mkdir demo
	$(ERI) synthesize demo/clips --dataset --clips 160 --seconds 4 --split 70,15,15
	$(ERI) prepare demo/clips demo/cache --image-size 48 --steps 16 --coefficients 40
	$(ERI) train all --data demo/cache --out demo/model.eri --epochs 25 --batch 8 --lr 1e-3 --curve demo/curve.svg $(NARROW)
	$(ERI) evaluate demo/model.eri demo/cache --split test
	$(ERI) run demo/model.eri "$$(ls demo/clips/test/mp4/*.mp4 | head -n 1)"

# The package's tests come last, so that their summary is the last line.
test:
	scripts/setup
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -j2 device build
	$(TEST)

build:
	swift build -c release -Xswiftc -enable-testing

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests

# The Embedded build, and every frozen file run through it.
device:
	scripts/build-device x86_64-musl
	set -e; for file in Tests/Golden/v*/*.eri; do .build/device/x86_64-musl/eri-run check $$file; done

# Goldens from PyTorch and librosa, in a throw-away Python environment, then the full network and facenet-pytorch's files
# against PyTorch, PyTorch's and NumPy's reading of what is written for them, ONNX's own tests, and ONNX Runtime's outputs for our networks; the results
# are committed, and what changed in them is printed last. Gradients of full networks are held against PyTorch's too.
oracle:
	set -e; for script in mfcc.py dual_branch.py training.py mtcnn.py seeded.py checkpoints.py; do Tests/Golden/generate/run $$script; done
	Tests/Golden/generate/full
	Tests/Golden/generate/mtcnn-files
	Tests/Golden/generate/written
	Tests/Training/run
	Tests/Training/run
	Tests/ONNX/run export.py
	Tests/ONNX/run node_tests.py --require 90
	git diff --stat -- Tests/Golden

bench:
	Benchmarks/onnxruntime/run
	Benchmarks/peers/run
	Benchmarks/kernels/run
	Benchmarks/training/speed/run
