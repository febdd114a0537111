package import Foundation

/// The folders of files that come with the program.
package enum ProgramResources {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// SwiftPM's own `Bundle.module` ends the process where the folder is missing, and falls back on where it was built.
    package static func folder(of target: String) throws -> URL {
        let folder = "tiketi_\(target).resources"
        let places = [
            Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent(), Bundle.main.bundleURL,
        ]
        .compactMap { $0?.appending(path: folder, directoryHint: .isDirectory) }
        guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw Missing(
                description: "\(folder) is missing: it belongs beside the executable, in \(Bundle.main.bundleURL.path)")
        }
        return found
    }
}
