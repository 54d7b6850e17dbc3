import Foundation

/// Data of the published measurement, which lie beside the package and not in it.
enum SharedData {
    static let pcsmo: URL? = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
                let data = folder.appending(path: "../shared/data/pcsmo").standardizedFileURL
                return FileManager.default.fileExists(atPath: data.path) ? data : nil
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }()

    static var resolution: String { pcsmo?.appending(path: "resolution").path ?? "" }

    /// The measurement's mask, row by row; the file (version 1, one byte each) stores it column by column.
    static func mask() throws -> [UInt8] {
        guard let pcsmo else { return [] }
        let data = try Data(contentsOf: pcsmo.appending(path: "detector_mask.npy"))
        let header = 10 + Int(data[8]) + Int(data[9]) << 8
        return (0..<240 * 400).map { data[header + $0 % 400 * 240 + $0 / 400] }
    }
}
