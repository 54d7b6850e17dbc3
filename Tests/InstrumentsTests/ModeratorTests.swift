import Foundation
import Testing

@testable import Instruments

@Suite("Moderator pulses and disks")
struct ModeratorTests {
    /// The Horace program's own test values (test_IX_moderator.m).
    @Test("Ikeda and Carpenter's pulse: mean, standard deviation and width as in Horace")
    func ikedaCarpenter() {
        let fixed = IkedaCarpenter.fixed(fast: 5, slow: 25, stored: 0.13).pulse(incidentEnergy: 100)
        #expect(abs(fixed.variance.squareRoot() - 15.064444895182829) < 1e-12)
        #expect(abs(fixed.mean - 18.25) < 1e-12)
        #expect(abs(fixed.fwhm / 17.796795013023157 - 1) < 1e-6)
        let scaled = IkedaCarpenter.scaled(depth: 0.05, slow: 25, energy: 200).pulse(incidentEnergy: 120)
        // 1166.47 is printed to six digits.
        #expect(abs(scaled.variance.squareRoot() / 24.141435934481127 - 1) < 1e-5)
        #expect(abs(scaled.mean / 29.692839193676942 - 1) < 1e-5)
        #expect(abs(scaled.fwhm / 26.406900251721297 - 1) < 1e-5)
    }

    @Test("the density integrates to 1 and has its mean and variance", arguments: [5.0, 24.9, 25.0, 60])
    func density(fast: Double) {
        let pulse = IkedaCarpenter.Pulse(fast: fast, slow: 25, stored: 0.4)
        let step = 0.05
        var sums = SIMD3<Double>.zero
        for n in 0..<40_000 {
            let t = (Double(n) + 0.5) * step
            sums += SIMD3(1, t, t * t) * (pulse.density(at: t) * step)
        }
        // The midpoint rule over a smooth pulse; exp(−2000/60) is left out.
        #expect(abs(sums.x - 1) < 1e-6)
        #expect(abs(sums.y / pulse.mean - 1) < 1e-6)
        #expect(abs((sums.z - sums.y * sums.y) / pulse.variance - 1) < 1e-5)
    }

    /// As in the PyChop program, whose documentation gives var = 3/A² + R (2 − R)/B² with A = 4.37392e-4 Σ √E.
    @Test("the macroscopic form: slowing down by cross-sections, two times of decay")
    func macroscopic() {
        let form = IkedaCarpenter.macroscopic(
            s1: 119.63, s2: 33.618, slow: 1 / 0.037, slowAbove: 1 / 0.17, energy: 172.42)
        for (energy, decay) in [(100.0, 0.037), (200, 0.17)] {
            let sigma = (119.63 * 119.63 + 33.618 * 33.618 * 81.8048 / energy).squareRoot()
            let a = 4.37392e-4 * sigma * energy.squareRoot()
            let r = exp(-energy / 172.42)
            let variance = 3 / (a * a) + r * (2 - r) / (decay * decay)
            #expect(abs(form.pulse(incidentEnergy: energy).variance / variance - 1) < 1e-12)
        }
    }

    /// With no slow part, Ikeda and Carpenter's pulse is the chi-squared one.
    @Test("without storage the pulse is t² exp(−t/τ)")
    func limit() {
        let pulse = Moderator.ikedaCarpenter(.fixed(fast: 7, slow: 25, stored: 0))
        let chi = Moderator.chiSquared(tau: 0, offset: 7)
        #expect(abs(pulse.fwhm(incidentEnergy: 50) / chi.fwhm(incidentEnergy: 50) - 1) < 1e-7)
        #expect(abs(pulse.variance(incidentEnergy: 50) / chi.variance(incidentEnergy: 50) - 1) < 1e-12)
    }

    @Test("LET's polynomial: 0.535 + 49.28 λ − 3.143 λ² µs")
    func polynomial() {
        let moderator = Moderator.polynomial([0.535, 49.28, -3.143])
        let energy = Neutron.wavelengthSquaredEnergy / 4  // 2 Å
        #expect(abs(moderator.fwhm(incidentEnergy: energy) * 1e6 - (0.535 + 98.56 - 12.572)) < 1e-9)
    }

    @Test("two equal slots open as a triangle: variance T²/6, half of the whole opening at half maximum")
    func disk() {
        let disk = DiskChopper(slot: 0.02, guide: 0.02, radius: 0.29, disks: 2)
        let crossing = 0.02 / (2 * Double.pi * 0.29 * 2 * 240)
        #expect(abs(disk.fwhm(frequency: 240) / crossing - 1) < 1e-12)
        #expect(abs(disk.variance(frequency: 240) / (crossing * crossing / 6) - 1) < 1e-12)
        let slow = DiskChopper(slot: 0.02, guide: 0.02, radius: 0.29, disks: 1, frequencyRatio: 0.5)
        #expect(abs(slow.fwhm(frequency: 240) / crossing - 4) < 1e-12)
    }
}
