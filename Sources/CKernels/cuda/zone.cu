// Modes over whole zones as images want them, of those that magnons.cu left: what SpinWaves/ZoneBatch.swift and ZoneSpectrum.unfolded
// make of them on the host, to the same bits.
#include "kernel.cuh"
#include "zone_device.h"

// A warp a mode of a row; blockIdx.y: the sample.
SW_KERNEL __launch_bounds__(128) sw_zone_unfold(const sw_zone_problem p) {
    const int64_t line = (int64_t)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, sample = blockIdx.y;
    if (line >= p.row_count * p.mode_count) return;
    const int64_t row = line / p.mode_count, mode = line % p.mode_count, slot = sample * p.row_count + row;
    const int64_t from = slot * p.mode_count + mode, width = 4 * p.site_count;
    const int64_t to = p.points[row] * p.mode_count + mode, opposite = p.opposites[row] * p.mode_count + mode;
    const sw_zone_place &out = p.places[sample];
    const bool is_unstable = (p.status[slot] & SW_MAGNON_UNSTABLE) != 0;
    const bool is_shifted = (p.status[slot] & SW_MAGNON_REGULARISED) != 0;
    const bool is_dark = is_unstable || p.particles[from] > (is_shifted ? p.divergence[1] : p.divergence[0]);
    const int lane = (int)(threadIdx.x % 32);
    for (int64_t k = lane; k < width; k += 32) {
        const float value = is_dark ? 0 : (float)p.amplitudes[from * width + k];
        // At −q amplitudes are what their symmetry makes them: signs + − − +.
        if (opposite != to) out.amplitudes[opposite * width + k] = (k + 1) / 2 % 2 == 0 ? value : -value;
        out.amplitudes[to * width + k] = value;
    }
    for (int64_t k = lane; k < 3; k += 32) {
        const float value = is_dark ? 0 : (float)p.velocities[from * 3 + k];
        if (opposite != to) out.velocities[opposite * 3 + k] = -value;
        out.velocities[to * 3 + k] = value;
    }
    if (lane == 0) {
        const double energy = is_unstable ? nan("") : p.energies[from];
        out.energies[opposite] = energy;
        out.energies[to] = energy;
    }
}
