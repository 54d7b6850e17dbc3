import ArgumentParser
import Artifacts

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Says what this machine has to compute with, what each stage would run on and why, and whether the store is fit.",
        discussion: """
            Exit status: 0 when graphs can be run here, on a CUDA device or without one; 1 when a device gives wrong \
            answers; 3 when the store cannot be used. SPINWEAVE_CUDA_LIBRARIES names directories, separated by colons, in \
            which NVIDIA's libraries are looked for first; SPINWEAVE_RESIDENT_MEMORY bounds, in MiB, what stays on a device \
            from stage to stage.
            """)

    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let findings = DoctorFindings(store: storage.path)
        switch format.format {
        case .json: Output.json(findings.document)
        case .text: Output.standardOutput(findings.text)
        }
        if findings.store.problem != nil { throw ExitStatus.unusableStore }
        if !findings.isUsable { throw ExitStatus.stepFailed }
    }
}
