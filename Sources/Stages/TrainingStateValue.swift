import Artifacts
import Learning
import Tensors

// Epochs and trainings under way, as the store keeps them.

extension EpochReport {
    init(_ value: Value) throws {
        func optional(_ name: String) throws -> Double? {
            let field = try value.field(name)
            return field.isNone ? nil : try field.asDouble()
        }
        self.init(
            epoch: try value.int("epoch"), loss: try value.double("loss"), accuracy: try value.double("accuracy"),
            validationLoss: try optional("validation-loss"), validationAccuracy: try optional("validation-accuracy"),
            learningRate: try value.double("learning-rate"), isBest: try value.bool("best"))
    }

    var value: Value {
        .record([
            "epoch": .int(epoch), "loss": .double(loss), "accuracy": .double(accuracy),
            "validation-loss": validationLoss.map { .double($0) } ?? .none,
            "validation-accuracy": validationAccuracy.map { .double($0) } ?? .none,
            "learning-rate": .double(learningRate), "best": .bool(isBest),
        ])
    }
}

extension TrainingState {
    init(_ value: Value) throws {
        func floats(_ name: String) throws -> [Float] { try value.tensor(name).asFloat32.elements }
        self.init(
            weights: try floats("weights"), bestWeights: try floats("best-weights"),
            bestLoss: try value.double("best-loss"), bestEpoch: try value.int("best-epoch"),
            firstMoments: try floats("first-moments"), secondMoments: try floats("second-moments"),
            updates: try value.int("updates"), history: try value.list("history").map(EpochReport.init))
    }

    var value: Value {
        func tensor(_ values: [Float]) -> Value { .tensor(.float32(Tensor(shape: [values.count], elements: values))) }
        return .record([
            "weights": tensor(weights), "best-weights": tensor(bestWeights), "best-loss": .double(bestLoss),
            "best-epoch": .int(bestEpoch), "first-moments": tensor(firstMoments),
            "second-moments": tensor(secondMoments), "updates": .int(updates), "history": .list(history.map(\.value)),
        ])
    }
}
