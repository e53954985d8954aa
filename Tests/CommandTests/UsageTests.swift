import ERIFormat
import ERITestSupport
import Testing

@Suite struct UsageTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func deviceUsage(_ sentence: String) -> Tool.Outcome {
    Tool.Outcome(errors: "eri-run: \(sentence); see eri-run --help\n", status: 64)
  }

  @Test(arguments: Tool.allCases) func `both tools tell their version`(_ tool: Tool) throws {
    #expect(try tool.run("--version", in: folder) == Tool.Outcome(ERIVersion + "\n"))
  }

  @Test func `eri without a command lists its commands`() throws {
    let outcome = try Tool.eri.run("", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    let names = outcome.output.split(separator: "\n").drop { $0 != "SUBCOMMANDS:" }.dropFirst()
      .compactMap {
        $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See") ? $0.split(separator: " ").first : nil
      }
    #expect(
      names == [
        "init", "inspect", "convert", "quantize", "verify", "compat", "unpack", "id", "run", "exec", "check", "bench",
        "features", "synthesize", "prepare", "train", "evaluate", "gradients", "train-step",
      ])
  }

  static let wrong: [(words: String, message: String)] = [
    ("frobnicate", "Unexpected argument 'frobnicate'"),
    ("exec model.eri", "Missing expected argument '--output-dir <output-dir>'"),
    ("exec model.eri --output-dir o --input x", "--input: expected NAME=FILE.npy, found \"x\""),
    ("exec model.eri --output-dir o --input =x.npy", "--input: expected NAME=FILE.npy, found \"=x.npy\""),
    ("bench model.eri --size T", "--size: expected NAME=N with N from 1, found \"T\""),
    ("bench model.eri --size T=0", "--size: expected NAME=N with N from 1, found \"T=0\""),
    ("bench model.eri --size T=1 --size T=2", "--size: expected T once, found it twice"),
    (
      "bench model.eri --tune --exact",
      "--tune: expected neither --exact nor --memory low, which leave nothing to choose, found one"
    ),
    ("bench model.eri --rounds 0", "--rounds: expected 1 to 1000000, found 0"),
    ("exec model.eri --output-dir o --repeat 0", "--repeat: expected 1 to 1000000, found 0"),
    (
      "exec model.eri --output-dir o --memory tiny",
      "The value 'tiny' is invalid for '--memory <memory>'. Please provide one of 'fast' and 'low'."
    ),
    ("exec model.eri --output-dir o --threads 0", "--threads: expected 1 to 1024, found 0"),
    ("quantize a.eri b.eri", "Missing expected argument '--calibrate <calibrate>'"),
    ("quantize a.eri b.eri --calibrate c --bits 6", "--bits: expected 7 or 8, found 6"),
    ("quantize a.eri b.eri --calibrate c --percentile 50", "--percentile: expected above 50 to 100, found 50.0"),
    ("quantize a.eri b.eri --calibrate c --max-drop 2", "--max-drop: expected 0 to 1, found 2.0"),
    ("quantize a.eri b.eri --calibrate c --samples 0", "--samples: expected 1 to 65536, found 0"),
    ("quantize a.eri b.onnx --calibrate c", "expected an output that ends in .eri, found b.onnx"),
    ("run model.eri", "expected at least one clip, found none"),
    ("run model.eri a.mp4 --jobs 0", "--jobs: expected 1 to 1024, found 0"),
    ("run model.eri a.mp4 --pace", "--pace: expected --live beside it, found none"),
    ("run model.eri --video /dev/video0", "--video: expected --live beside it, found none"),
    ("run --live model.eri", "--live: expected one source, found none"),
    ("run --live model.eri a.mp4 b.mp4", "--live: expected one source, found 2"),
    ("run --live model.eri a.mp4 --audio default", "--live: expected a source or --video and --audio, found both"),
    (
      "run --live model.eri --video - --audio -",
      "--live: expected two sources in --video and --audio, found - twice; name it as the only source"
    ),
    ("run --live model.eri a.mp4 --step 0", "--step: expected 0.02 to 60 seconds, found 0.0"),
    ("run --live model.eri a.mp4 --csv", "--live: expected --json or no option for the output, found --csv"),
    ("run --live model.eri a.mp4 --jobs 2", "--live: expected one source at a time, found --jobs"),
    ("run model.eri a.mp4 --json --csv", "expected --json or --csv, found both"),
    ("run model.eri a.mp4 --threads 1025", "--threads: expected 1 to 1024, found 1025"),
    ("init dual-branch a.eri --set steps", "--set: expected NAME=VALUE, found \"steps\""),
    ("prepare data cache --threads 0", "--threads: expected 1 to 1024, found 0"),
    ("prepare data cache --image-size 0", "--image-size: expected 1 to 4096, found 0"),
    ("prepare data cache --coefficients 129", "--coefficients: expected 1 to 128, found 129"),
    (
      "prepare data cache --modality smell",
      "The value 'smell' is invalid for '--modality <modality>'. Please provide one of 'video', 'audio' or 'both'."
    ),
    ("synthesize a --size 320", "--size: expected WIDTHxHEIGHT, found \"320\""),
    ("synthesize a --split 70,15,15", "--split: expected --dataset, found none"),
    (
      "synthesize a --dataset --split 70,15,16",
      "--split: expected three shares that add up to 100, as 70,15,15, found \"70,15,16\""
    ),
    ("convert a.pth b.eri --level 23", "--level: expected 1 to 22, found 23"),
    ("convert a.pth b.npz --level 3", "--level: expected an output that ends in .eri, found level 3 for b.npz"),
    ("convert a.pth b.eri --threads 0", "--threads: expected 1 to 1024, found 0"),
    ("convert a.pth b.eri --allow-overflow", "--allow-overflow: expected --store, found none"),
    ("convert a.pth b.eri --crc", "--crc: expected an output that ends in .ckpt, found b.eri"),
    ("verify a.eri", "expected two files, found one; give B, or --self for one alone"),
    ("verify --self a.eri b.eri", "--self: expected one file, found two"),
    ("verify --self a.eri --html r.html", "--html: expected a comparison of two files, found --self"),
    (
      "verify a.eri b.eri --policy same",
      "The value 'same' is invalid for '--policy <policy>'. Please provide one of 'same-weights', 'fp32' or 'int8'."
    ),
    ("convert a.pth b.eri --network mtcnn-p --into c.eri", "expected --network or --into, found both"),
    ("convert a.pth b.eri --network mtcnn-p --set x", "--set: expected NAME=VALUE, found \"x\""),
    ("convert a.pth b.eri --set x=1", "--set: expected --network, found none"),
    ("convert a.pth b.eri --labels x", "--labels: expected --network, found none"),
    ("convert a.pth b.eri --network mtcnn-p --only x", "--only: expected --into, found none"),
    ("convert a.pth b.eri --map x", "--map: expected --network or --into, found neither"),
    ("convert a.pth b.eri --propose-map x", "--propose-map: expected --network or --into, found neither"),
    ("convert a.pth b.eri --verbose", "--verbose: expected --network or --into, found neither"),
    ("convert a.pth b.npz --network mtcnn-p", "--network: expected an output that ends in .eri, found b.npz"),
    ("convert a.pth b.npz --into c.eri", "--into: expected an output that ends in .eri, found b.npz"),
    (
      "convert a.pth b.eri --network mtcnn-p --store f16",
      "--store: expected f32, with which networks compute, found f16"
    ),
    ("synthesize clips --clips 0", "--clips: expected 1 to 1000000, found 0"),
  ]

  @Test(arguments: wrong.indices) func `a wrong command line of eri ends with 64 and says why`(_ index: Int) throws {
    let outcome = try Tool.eri.run(Self.wrong[index].words, in: folder)
    #expect(outcome.status == 64)
    #expect(outcome.output == "")
    #expect(outcome.errors.split(separator: "\n").first.map { String($0) } == "Error: " + Self.wrong[index].message)
  }

  static let wrongOnDevice: [(words: String, message: String)] = [
    ("", "expected a command, found none"),
    ("run", "expected exec, inspect or check, found \"run\""),
    ("exec", "exec: expected a model, found none"),
    ("exec model.eri", "exec: expected --output-dir DIR, found none"),
    ("exec model.eri --output-dir", "--output-dir: expected a value, found none"),
    ("exec model.eri --output-dir o --input x", "--input: expected NAME=FILE.npy, found \"x\""),
    ("exec model.eri --threads two", "--threads: expected an integer, found \"two\""),
    ("inspect", "inspect: expected a file, found none"),
    ("inspect a b", "expected one file, found \"a\" and \"b\""),
    ("inspect --all", "expected an option it knows, found \"--all\""),
    ("check", "check: expected a file, found none"),
  ]

  @Test(arguments: wrongOnDevice.indices)
  func `a wrong command line of eri-run ends with 64 and says why`(_ index: Int) throws {
    let wrong = Self.wrongOnDevice[index]
    #expect(try Tool.device.run(wrong.words, in: folder) == deviceUsage(wrong.message))
  }

  @Test func `eri-run refuses what eri refuses of exec`() throws {
    #expect(
      try Tool.device.run("exec model.eri --output-dir o --repeat 0", in: folder)
        == Tool.Outcome(errors: "eri-run: --repeat: expected 1 to 1000000, found 0\n", status: 64))
  }

  @Test func `eri-run's help names its commands and the exit codes`() throws {
    let outcome = try Tool.device.run("--help", in: folder)
    #expect(
      outcome
        == Tool.Outcome(
          """
          eri-run \(ERIVersion): runs, describes and checks .eri model files

            eri-run exec MODEL --input NAME=FILE.npy … --output-dir DIR
                         [--threads N] [--repeat N] [--exact] [--memory fast|low]
                         [--no-plan] [--profile] [--json]
            eri-run inspect FILE [--json]
            eri-run check FILE [--threads N]
            eri-run --version | --help

          exec      computes the model's outputs from arrays and writes each to DIR/OUTPUT.npy
          inspect   tells what a file holds
          check     runs the file's goldens; exit 1 if an output differs
          Exit codes: 0 done, 1 different, 2 invalid input, 3 not supported here, 64 usage.

          """))
  }
}
