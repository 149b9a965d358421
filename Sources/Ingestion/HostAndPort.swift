extension String {
    /// `192.0.2.7:41000`, `[2001:db8::7]:41000`, `encoder.example:41000` (RFC 3986, 3.2.2).
    init(host: String, port: Int) {
        self = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
