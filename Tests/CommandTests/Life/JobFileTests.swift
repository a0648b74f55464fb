import Foundation
import Testing

/// `keyroll run JOB.yaml`.
@Suite struct JobFileTests {
    @Test(arguments: ["rotate", "verify"]) func shippedJobRuns(_ name: String) throws {
        let home = try ScratchHome()
        let secrets = Secrets(50)
        try home.fill(secrets)
        let file = "\(Python.package)/jobs/\(name).yaml"
        try home.keyroll("run", file)
        #expect(try home.census().active == 1, "nothing is due")
        let configuration = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
        let due = configuration.replacing("cryptoperiod: 90d", with: "cryptoperiod: 1s")
        #expect(due != configuration)
        try due.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        Thread.sleep(forTimeInterval: 1.1)
        let report: Report = try home.keyroll("run", file, "--json").decoded()
        #expect(report.scanned == 50 && report.moved == (name == "rotate" ? 50 : 0))
        try home.expectContents(secrets)
    }

    @Test func ownJobSaysHowAndWhere() throws {
        let (here, there) = (try ScratchHome(), try ScratchHome())
        try there.fill(Secrets(40))
        let job = "# nightly\njob: rotate\nworkers: 1\nmaxRate: 100000\nforce: true\nhome: \(there.path)\n"
        let report: Report = try here.keyroll("run", here.write("own.yaml", job), "--json").decoded()
        #expect(report.moved == 40 && report.generation == 2)
        #expect(try here.census().active == 1 && there.census().active == 2)
        // What is said on the command line goes before the file.
        try here.keyroll("run", here.folder + "/own.yaml", "--home", here.path)
        #expect(try here.census().active == 2 && there.census().active == 2)
    }

    static let wrong: [(text: String, says: [String])] = [
        ("job: rotate\nworker: 2\n", [":2:", "'worker'", "workers"]),
        ("job: rotate\nforce: true\n\n# a comment\nspeed: 9\n", [":5:", "'speed'"]),
        ("\njob: rotat\n", [":2:", "'rotat'", "rotate"]),
        ("workers: 2\n", ["'job' is missing"]),
        ("job: rotate\nworkers: many\n", [":2:", "'workers'"]),
        ("job: rotate\nworkers: 0\n", [":2:", "'workers'"]),
        ("job: rotate\nforce: perhaps\n", [":2:", "'force'", "true or false"]),
        ("job: rotate\nmaxRate: [1]\n", [":2:", "'maxRate'"]),
        ("job: [rotate\n", ["YAML"]),
        ("job: rotate\n\tworkers: 2\n", [":2:", "YAML"]),
        ("job: rotate\n---\njob: verify\n", [":3:", "second document"]),
        ("job: rotate\njob: verify\n", [":2:", "'job' stands twice"]),
        ("job: &one rotate\nworkers: *one\n", [":1:", "anchors and aliases"]),
        ("job: " + String(repeating: "[", count: 30_000) + "\n", ["YAML"]),
        ("job: {a: b}\n", ["'job' has to be one value"]),
        ("- job\n", ["names and values"]),
        ("", ["names and values"]),
    ]

    @Test(arguments: wrong) func wrongJobIs78(_ wrong: (text: String, says: [String])) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        let before = try home.files()
        let file = try home.write("wrong.yaml", wrong.text)
        let outcome = try home.keyroll("run", file, exits: 78)
        outcome.expectRefusal(file)
        outcome.expectErrors(wrong.says)
        #expect(try home.files() == before)
    }

    @Test func noSuchJobIs66() throws {
        let home = try ScratchHome()
        try home.keyroll("run", home.folder + "/missing.yaml", exits: 66).expectRefusal("missing.yaml")
    }
}
