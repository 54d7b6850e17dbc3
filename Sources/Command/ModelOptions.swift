import ArgumentParser
import Artifacts
import Diagnostics
import Foundation
import SpinWaves
import Stages

/// Models and parameters as the command line names them.
enum ModelOptions {
    /// By path, or by name from ./graphs and then from the current folder.
    static func load(_ name: String) throws -> SpinModel {
        if name.hasSuffix(".yaml") || name.contains("/") {
            return try SpinModel(value: loadModel(name: name, directory: "."))
        }
        let folder = FileManager.default.fileExists(atPath: "graphs/models") ? "graphs" : "."
        return try SpinModel(value: loadModel(name: name, directory: folder))
    }

    /// `NAME=VALUE`, the value in meV, for each setting.
    static func parameters(_ settings: [String], of model: SpinModel) throws -> [String: Double] {
        var parameters: [String: Double] = [:]
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let number =
                parts.count == 2 ? parts[1].replacing("meV", with: "").trimmingCharacters(in: .whitespaces) : ""
            guard parts.count == 2, let value = Double(number), value.isFinite else {
                throw ValidationError("--set \(setting): write NAME=VALUE, the value in meV")
            }
            guard model.parameterNames.contains(parts[0]) else {
                let hint =
                    Spelling.nearest(to: parts[0], among: model.parameterNames).map { "did you mean '\($0)'?" }
                    ?? "it has \(model.parameterNames.joined(separator: ", "))"
                throw ValidationError("the model has no parameter '\(parts[0])'; \(hint)")
            }
            parameters[parts[0]] = value
        }
        return parameters
    }

    /// Refuses a structure that is no stationary point, and words what spin-wave theory throws.
    static func checked<T>(
        _ model: SpinModel, _ parameters: [String: Double], _ body: () throws -> T
    ) throws -> T {
        do {
            if let wrong = try model.disequilibrium(values: model.values(overriding: parameters)) {
                Output.standardError("error: \(wrong)\n  hint: \(wrong.hint)")
                throw ExitStatus.stepFailed
            }
            return try body()
        } catch let error as SpinWaveError {
            Output.standardError("error: \(error)")
            if case .unstable = error { throw ExitStatus.stepFailed }
            throw ExitStatus.wrongArguments
        }
    }
}
