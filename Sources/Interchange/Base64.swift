/// Bytes as text in the alphabet of RFC 4648, section 4: for JSON and for `data:` addresses in pages.
public enum Base64 {
    public static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let have = min(3, bytes.count - start)
            var word = 0
            for i in 0..<3 { word = word << 8 | (i < have ? Int(bytes[start + i]) : 0) }
            for i in 0..<4 { text.append(i <= have ? alphabet[word >> (18 - 6 * i) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
