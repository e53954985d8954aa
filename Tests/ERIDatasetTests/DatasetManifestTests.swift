import ERIFormat
import ERITestSupport
import Foundation
import Testing

@testable import ERIDataset

/// A label file that breaks a rule, and the sentence about it, in which DIR stands for the folder.
struct WrongLabels: Sendable, CustomTestStringConvertible {
  let text: String
  let sentence: String
  var labels: [String]?

  var testDescription: String { sentence }
}

@Suite struct DatasetManifestTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func manifest(_ files: [String: String], labels: [String]? = nil) throws -> DatasetManifest {
    for (name, text) in files { _ = try folder.write(name, Array(text.utf8)) }
    return try DatasetManifest(folder: folder.url(".").path, labels: labels)
  }

  @Test func `Hume-Reaction's data_info.csv gives its clips without age and country`() throws {
    let manifest = try manifest([
      "data_info.csv": """
      File_ID,Split,Adoration,Empathic-Pain,Age,Country
      [00001],Train,0.5,0,33.0,"United States"
      [00002],Val,0.25,1.0,21.0,South Africa
      [00003],Test,,,40.0,South Africa
      """,
      "other.csv": "x\n",
    ])
    #expect(manifest.labels == ["Adoration", "Empathic-Pain"])
    #expect(manifest.rows.map { $0.id } == ["00001", "00002", "00003"])
    #expect(manifest.rows.map { $0.split } == [.train, .validation, .test])
    #expect(manifest.rows.prefix(2).map { $0.labels } == [[0.5, 0], [0.25, 1]])
    #expect(manifest.rows[2].labels.allSatisfy { $0.isNaN })
    #expect(manifest.warnings == [])
  }

  @Test func `MuSe's labels.csv takes its splits from partition.csv, secret labels being left out`() throws {
    let manifest = try manifest([
      "labels.csv": "File_ID,A,B\n[1],0.1,0.2\n[2],0.3,0.4\n",
      "partition.csv": "Id,Proposal\n2,devel\n1,train\n3,test\n",
    ])
    #expect(manifest.rows.map { $0.id } == ["1", "2", "3"])
    #expect(manifest.rows.map { $0.split } == [.train, .validation, .test])
    #expect(manifest.rows[1].labels == [0.3, 0.4])
    #expect(manifest.rows[2].labels.allSatisfy { $0.isNaN })
  }

  @Test func `one other CSV file with byte order mark, CRLF and quotes is read as RFC 4180 has it`() throws {
    let manifest = try manifest([
      "mine.CSV":
        "\u{FEFF}file_id,\"SPLIT\",\"a, \"\"b\"\"\",Subject\r\n\"x y\",VALIDATION,1e-1,\"P\r\n1\"\r\n\r\nz,train,1,\r\n"
    ])
    #expect(manifest.labels == ["a, \"b\""])
    #expect(manifest.rows.map { $0.subject } == ["P\r\n1", nil])
    #expect(manifest.rows.map { $0.labels } == [[0.1], [1]])
    #expect(manifest.rows.map { $0.line } == [2, 5])
  }

  @Test func `labels can be chosen by name and order`() throws {
    let manifest = try manifest(["a.csv": "File_ID,Split,Noise,B,A\nx,train,77,0.5,1\n"], labels: ["A", "B"])
    #expect(manifest.labels == ["A", "B"])
    #expect(manifest.rows[0].labels == [1, 0.5])
  }

  @Test func `a label that never changes within a split is a warning`() throws {
    let manifest = try manifest([
      "a.csv": "File_ID,Split,A,B\n1,train,0.5,0\n2,train,0.5,1\n3,val,0.5,0\n"
    ])
    let sentence =
      "a.csv: label A is 0.5 in all 2 labelled rows of the split train; its correlation is undefined and counts as 0"
    #expect(manifest.warnings.map { $0.replacing(manifest.folder + "/", with: "") } == [sentence])
  }

  static let wrong = [
    WrongLabels(
      text: "File_ID,Split,A\nx,train,0.5\ny,train,1.01\n",
      sentence:
        "DIR/a.csv, line 3: expected an intensity from 0 to 1 in column A, found \"1.01\"; correct it, or leave the column out "
        + "with --labels"),
    WrongLabels(
      text: "File_ID,Split,A\nx,train,-1e-9\n",
      sentence:
        "DIR/a.csv, line 2: expected an intensity from 0 to 1 in column A, found \"-1e-9\"; correct it, or leave the column out "
        + "with --labels"),
    WrongLabels(
      text: "File_ID,Split,A\nx,train,high\n",
      sentence:
        "DIR/a.csv, line 2: expected an intensity from 0 to 1 in column A, found \"high\"; correct it, or leave the column out "
        + "with --labels"),
    WrongLabels(
      text: "File_ID,Split,A\nx,train,nan\n",
      sentence:
        "DIR/a.csv, line 2: expected an intensity from 0 to 1 in column A, found \"nan\"; correct it, or leave the column out "
        + "with --labels"),
    WrongLabels(
      text: "File_ID,Split,A,B\nx,test,,0.5\n",
      sentence:
        "DIR/a.csv, line 2: expected an intensity from 0 to 1 in column A, found nothing; correct it, or leave the column out "
        + "with --labels"),
    WrongLabels(
      text: "File_ID,Split,A\n[x],train,0\nx,val,1\n",
      sentence:
        "DIR/a.csv, line 3: expected every File_ID once, found x again, which line 2 has; remove one of the two lines"),
    WrongLabels(
      text: "File_ID,Split,A\nx,training,0\n",
      sentence:
        "DIR/a.csv, line 2: expected train, val, devel, validation or test as the split, found \"training\"; correct it"
    ),
    WrongLabels(
      text: "File_ID,Split,Age,Country,subject\nx,train,3,X,Y\n",
      sentence:
        "DIR/a.csv, line 1: expected columns of labels beside File_ID, Split, Age, Country and Subject, found none; add a "
        + "column per label with 0 to 1"),
    WrongLabels(
      text: "ID,Split,A\nx,train,0\n",
      sentence:
        "DIR/a.csv, line 1: expected a column File_ID, found ID, Split, A; name the column of clips File_ID"),
    WrongLabels(
      text: "File_ID;Split;A\nx;train;0\n",
      sentence:
        "DIR/a.csv, line 1: expected a column File_ID, found File_ID;Split;A; separate the columns by commas"),
    WrongLabels(
      text: "File_ID,A\nx,0\n",
      sentence:
        "DIR/a.csv, line 1: expected a column Split, found File_ID, A; add one with train, val, devel, validation or test, or "
        + "partition.csv beside labels.csv"),
    WrongLabels(
      text: "File_ID,Split,A\nx,train,0\n",
      sentence:
        "DIR/a.csv, line 1: expected a column B, which --labels names, found File_ID, Split, A; name columns of the file",
      labels: ["B"]),
    WrongLabels(
      text: ",File_ID,Split,A\n0,x,train,0\n",
      sentence:
        "DIR/a.csv, line 1: expected a name for every column, found column 1 without one; name or remove it (pandas: "
        + "index=False)"),
    WrongLabels(
      text: "File_ID,Split,A,A\nx,train,0,0\n",
      sentence: "DIR/a.csv, line 1: expected every column once, found A a second time; rename or remove one of them"),
    WrongLabels(
      text: "File_ID,Split,A\nx,train\n",
      sentence: "DIR/a.csv, line 2: expected 3 fields as in the first line, found 2; correct the line"),
    WrongLabels(
      text: "File_ID,Split,A\n../x,train,0\n",
      sentence:
        "DIR/a.csv, line 2: expected a File_ID that is a file's name without folder and ending, of at most 240 bytes, found "
        + "\"../x\"; correct it"),
    WrongLabels(
      text: "File_ID,Split,A\n\"x,train,0\n",
      sentence:
        "DIR/a.csv, line 2: expected a closing quote, found the end of the file; close the field that begins here"),
    WrongLabels(
      text: "File_ID,Split,A\nx\"y,train,0\n",
      sentence:
        "DIR/a.csv, line 2: expected quotes around a whole field, found one within a field; put the field in quotes and double "
        + "those in it"),
    WrongLabels(
      text: "File_ID,Split,A\n\"x\"y,train,0\n",
      sentence:
        "DIR/a.csv, line 2: expected a comma after a closing quote, found more text; double the quotes within the field"
    ),
    WrongLabels(
      text: "File_ID,Split,A\nx\0,train,0\n",
      sentence: "DIR/a.csv, line 2: expected text, found a zero byte; check that this is the file you meant"),
    WrongLabels(
      text: "File_ID,Split,A\n", sentence: "DIR/a.csv: expected at least one clip, found none; add lines of clips"),
    WrongLabels(
      text: "",
      sentence:
        "DIR/a.csv: expected a line with the columns' names, found an empty file; check that this is the file you meant"
    ),
  ]

  @Test(arguments: wrong) func `a label file that breaks a rule is refused in one sentence`(_ wrong: WrongLabels) throws
  {
    let error = #expect(throws: DatasetError.self) { try manifest(["a.csv": wrong.text], labels: wrong.labels) }
    #expect(error?.sentence.replacing(folder.url(".").path, with: "DIR") == wrong.sentence)
  }

  @Test func `bytes that are no UTF-8, and UTF-16, are refused`() throws {
    _ = try folder.write("a.csv", Array("File_ID,Split,A\n".utf8) + [0xC3, 0x28] + Array(",train,0\n".utf8))
    let broken = #expect(throws: DatasetError.self) { try DatasetManifest(folder: folder.url(".").path) }
    #expect(
      broken?.sentence.hasSuffix("a.csv, line 2: expected text in UTF-8, found other bytes; save it as UTF-8") == true)
    _ = try folder.write("a.csv", [0xFF, 0xFE, 0x46, 0])
    let wide = #expect(throws: DatasetError.self) { try DatasetManifest(folder: folder.url(".").path) }
    #expect(wide?.sentence.hasSuffix("a.csv: expected text in UTF-8, found UTF-16; save it as UTF-8") == true)
  }

  @Test func `files, fields and lines beyond the limits are refused before they are taken in`() throws {
    func sentence(_ text: String) throws -> String? {
      _ = try folder.write("a.csv", Array(text.utf8))
      return #expect(throws: DatasetError.self) { try DatasetManifest(folder: folder.url(".").path) }?.sentence
    }
    let field = String(repeating: "x", count: Limits.csvFieldBytes + 1)
    #expect(
      try sentence("File_ID,Split,A\n\(field)\n")?.contains("line 2: expected fields of at most 65536 bytes") == true)
    let columns = String(repeating: ",", count: Limits.csvColumns)
    #expect(try sentence(columns)?.contains("line 1: expected at most 8192 fields, found more") == true)
    _ = truncate(folder.path("a.csv"), off_t(Limits.csvBytes + 1))
    let error = #expect(throws: DatasetError.self) { try DatasetManifest(folder: folder.url(".").path) }
    #expect(error?.sentence.contains("expected at most 268435456 bytes, found 268435457; split the dataset") == true)
  }

  @Test func `a clip of the training split without labels in MuSe's label file is refused`() throws {
    let files = ["labels.csv": "File_ID,A\n1,0.1\n", "partition.csv": "Id,Part\n1,train\n2,train\n"]
    let error = #expect(throws: DatasetError.self) { try manifest(files) }
    let path = folder.url(".").path
    #expect(
      error?.sentence
        == "\(path)/partition.csv, line 3: expected a clip that \(path)/labels.csv has labels for, found 2, which it does not; "
        + "add its labels or remove the line")
  }

  @Test func `a folder without a label file or with several is refused`() throws {
    let path = folder.url(".").path
    let none = #expect(throws: DatasetError.self) { try manifest([:]) }
    #expect(
      none?.sentence
        == "\(path): expected data_info.csv, labels.csv or one other .csv file with the labels, found none; check that this is "
        + "the dataset's folder")
    let several = #expect(throws: DatasetError.self) { try manifest(["a.csv": "", "b.csv": ""]) }
    #expect(
      several?.sentence
        == "\(path): expected data_info.csv, labels.csv or one other .csv file with the labels, found a.csv, b.csv; name the one "
        + "with the labels labels.csv")
  }

  @Test func `a split without rows is an error when it is asked for`() throws {
    let manifest = try manifest(["a.csv": "File_ID,Split,A\nx,train,0\n"])
    #expect(try manifest.rows(in: .train).count == 1)
    let error = #expect(throws: DatasetError.self) { try manifest.rows(in: .validation) }
    #expect(
      error?.sentence
        == "\(manifest.file): expected rows of the split validation, found none; mark some as val in its column Split")
  }

  // MARK: Files of clips

  private func touch(_ names: [String]) throws {
    for name in names {
      let url = folder.url(name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("x".utf8).write(to: url)
    }
  }

  @Test func `a clip's files are found in every folder of the contract, for its split only`() throws {
    try touch([
      "train/mp4/a.mp4", "val/mp4/a.mp4", "devel/wav/b.WAV", "mp4/c.1.webm", "wav/d.flac", "video/e.mkv", "audio/f.ogg",
      "g.m4a", "g.txt", "h.mov", "audio/h.mp3",
    ])
    let root = folder.path("")
    var files = MediaFiles(folder: root)
    func names(_ id: String, _ split: DatasetSplit) throws -> [String] {
      let media = try files.media(of: id, split)
      return [media.video, media.sound].map { $0.replacing(root + "/", with: "") }
    }
    #expect(try names("a", .train) == ["train/mp4/a.mp4", "train/mp4/a.mp4"])
    #expect(try names("a", .validation)[0] == "val/mp4/a.mp4")
    #expect(try names("b", .validation)[1] == "devel/wav/b.WAV")
    #expect(try names("c.1", .test)[0] == "mp4/c.1.webm")
    #expect(try names("d", .test)[0] == "wav/d.flac")
    #expect(try names("e", .test)[0] == "video/e.mkv")
    #expect(try names("f", .test)[0] == "audio/f.ogg")
    #expect(try names("g", .test)[0] == "g.m4a")
    #expect(try names("h", .test) == ["h.mov", "audio/h.mp3"])
  }

  @Test func `a clip with no file, or several of a kind, is an error that names them`() throws {
    try touch(["mp4/a.mp4", "a.webm"])
    let root = folder.path("")
    var files = MediaFiles(folder: root)
    let several = #expect(throws: DatasetError.self) { try files.media(of: "a", .train) }
    #expect(
      several?.sentence
        == "\(root), clip a: expected one video file, one sound file or one of each, found \(root)/mp4/a.mp4, \(root)/a.webm; "
        + "move all but one of a kind elsewhere")
    let none = #expect(throws: DatasetError.self) { try files.media(of: "b", .train) }
    #expect(
      none?.sentence
        == "\(root), clip b: expected a file b.mp4, .wav or the like in train/mp4, train/wav, mp4, wav, video, audio or the "
        + "folder itself, found none; add the file or remove the line")
  }
}
