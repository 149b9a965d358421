package import Foundation

/// One page in a headless Chromium of its own, with a profile that is thrown away.
///
/// ```swift
/// try await Chromium.withPage { page in
///     try await page.navigate(to: "https://localhost:8443/watch/x")
///     try await page.wait(for: "mirrorPlayer.state === 'playing'")
///     let latency = try await page.evaluate("mirrorPlayer.latency").number
/// }
/// ```
package final class Chromium: Sendable {
    /// A script threw, or a condition did not come true in time.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let connection: ChromiumConnection
    private let session: String

    /// Starts Chromium, hands its page to `body` and ends it again, whatever happens.
    ///
    /// Media may play without a gesture; certificates are not verified. With `mirror`, its `http3Address`
    /// is asked over HTTP/3 only.
    package static func withPage<Result>(
        width: Int = 1_280,
        height: Int = 800,
        overHTTP3To mirror: MirrorProcess? = nil,
        _ body: (Chromium) async throws -> Result
    ) async throws -> Result {
        let profile = FileManager.default.temporaryDirectory
            .appending(path: "mirror-chromium-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: profile) }
        let quic = if let mirror { try await quicArguments(for: mirror) } else { [String]() }
        let connection = try ChromiumConnection(
            arguments: quic + [
                "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu",
                "--autoplay-policy=no-user-gesture-required", "--ignore-certificate-errors",
                "--hide-scrollbars", "--no-first-run", "--user-data-dir=\(profile.path)",
                "--window-size=\(width),\(height)", "about:blank",
            ]
        )
        defer { connection.close() }
        let target = try await connection.command(
            "Target.createTarget",
            ["url": "about:blank"],
            session: nil
        )
        let attached = try await connection.command(
            "Target.attachToTarget",
            ["targetId": target["targetId"] ?? .null, "flatten": true],
            session: nil
        )
        guard let session = attached["sessionId"]?.string else {
            throw Failure(description: "chromium gave no session for its page")
        }
        let page = Chromium(connection: connection, session: session)
        for domain in ["Page", "Runtime", "Log"] {
            _ = try await page.command("\(domain).enable")
        }
        try await page.emulate(width: width, height: height)
        return try await body(page)
    }

    /// Over QUIC a certificate of no public authority is taken only where its key is named.
    private static func quicArguments(for mirror: MirrorProcess) async throws -> [String] {
        let certificate = mirror.folder.appending(path: "cert.pem").path
        let hash = try await ExternalProcess.run(
            "bash",
            [
                "-c",
                """
                openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der |
                    openssl dgst -sha256 -binary | base64
                """,
                "bash", certificate,
            ]
        )
        return [
            "--origin-to-force-quic-on=127.0.0.1:\(mirror.http3Port)",
            "--ignore-certificate-errors-spki-list=\(hash.text.trimmingCharacters(in: .newlines))",
        ]
    }

    private init(connection: ChromiumConnection, session: String) {
        self.connection = connection
        self.session = session
    }

    /// Uncaught exceptions, `console.error` lines and policy violations so far.
    package var problems: [String] { connection.problems }
    /// Requests that failed so far, by the network or by their status.
    package var failedLoads: [String] { connection.failedLoads }

    /// Goes to a URL; returns when its document has been loaded.
    package func navigate(to url: String) async throws {
        let result = try await command("Page.navigate", ["url": .string(url)])
        if let error = result["errorText"]?.string {
            throw Failure(description: "\(url): \(error)")
        }
        try await wait(for: "document.readyState === 'complete' && location.href !== 'about:blank'")
    }

    /// The value of a JavaScript expression; a promise is awaited first.
    @discardableResult
    package func evaluate(_ expression: String) async throws -> JSONValue {
        let answer = try await command(
            "Runtime.evaluate",
            [
                "expression": .string(expression), "awaitPromise": true, "returnByValue": true,
            ]
        )
        if let details = answer["exceptionDetails"] {
            let text = details["exception"]?["description"] ?? details["text"]
            throw Failure(description: "\(expression): \(text?.string ?? "threw")")
        }
        return answer["result"]?["value"] ?? .null
    }

    /// Returns once the expression is true, also where the page changes meanwhile.
    ///
    /// - Throws: `Failure` when it is not within the limit.
    package func wait(for condition: String, atMost limit: Duration = .seconds(15)) async throws {
        let end = ContinuousClock.now + limit
        var cameTrue: JSONValue?
        repeat {
            let left = max(.zero, ContinuousClock.now.duration(to: end))
            do {
                cameTrue = try await evaluate(Self.promise(of: condition, within: left))
            } catch let failure as ChromiumConnection.Failure where failure.isOfPageLeft {
                // The question went with the page: it is put to the next.
                cameTrue = nil
            }
        } while cameTrue == nil && ContinuousClock.now < end
        if cameTrue != true {
            throw Failure(description: "not true within \(limit): \(condition)")
        }
    }

    /// A script that looks until the condition holds or time is up.
    private static func promise(of condition: String, within limit: Duration) -> String {
        """
        new Promise((resolve) => {
          const end = performance.now() + \(Int(limit / .milliseconds(1)));
          const look = () => {
            let holds = false;
            try { holds = Boolean(\(condition)); } catch {}
            if (holds || performance.now() > end) resolve(holds);
            else setTimeout(look, 20);
          };
          look();
        })
        """
    }

    /// Size and colour scheme from now on.
    package func emulate(width: Int, height: Int, isDark: Bool = false) async throws {
        _ = try await command(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)),
                "deviceScaleFactor": 1, "mobile": false,
            ]
        )
        let scheme: JSONValue = isDark ? "dark" : "light"
        _ = try await command(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": scheme]]]
        )
    }

    /// What is to be seen, as PNG.
    package func screenshot() async throws -> Data {
        let answer = try await command("Page.captureScreenshot")
        guard let data = Data(base64Encoded: answer["data"]?.string ?? "") else {
            throw Failure(description: "the screenshot is not base64")
        }
        return data
    }

    /// Any command of the DevTools protocol, sent to the page.
    package func command(
        _ method: String,
        _ parameters: JSONValue = [:]
    ) async throws -> JSONValue {
        try await connection.command(method, parameters, session: session)
    }
}
